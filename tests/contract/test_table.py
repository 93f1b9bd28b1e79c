"""What a table says of itself is refused where it cannot mean anything."""

from __future__ import annotations

import pytest

from cadran.plugins import Table


@pytest.mark.parametrize("word", ["report", "", None, "Unseen"])
def test_a_word_that_nobody_knows_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"deletes of the table 'orders' is .*'reported', 'unseen', 'never'"):
        Table("orders", deletes=word)  # type: ignore[arg-type]


def test_a_key_that_is_a_text_is_no_key_of_its_letters() -> None:
    with pytest.raises(ValueError, match=r"write \('id',\)"):
        Table("orders", key="id")  # type: ignore[arg-type]
