"""The vocabulary and its reference are one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadran.declare.names import WORDS as RESERVED
from cadran.formula.vocabulary import CONDITION_NAMES, WORDS, reference

DOCS = Path(__file__).parents[2] / "docs" / "functions.md"


def test_the_reference_holds_the_vocabulary() -> None:
    text = DOCS.read_text(encoding="utf-8")
    between = text.partition("<!-- vocabulary -->")[2].partition("<!-- /vocabulary -->")[0]
    assert between.strip() == reference().strip()


@pytest.mark.parametrize("word", [*WORDS, *CONDITION_NAMES])
def test_no_kpi_can_be_called_like_a_word_of_the_language(word: str) -> None:
    assert word in RESERVED
