"""Suggestions for names that are not known."""

from __future__ import annotations

import pytest

from cadran.problems import suggest


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("amont", ["amount", "id"], "did you mean 'amount'?"),
        ("AMOUNT", ["Amount"], "did you mean 'Amount'?"),
        ("mois", ["day", "month"], "did you mean 'month'?"),
        ("Objectif", ["target", "unit"], "did you mean 'target'?"),
        ("somme", ["sum", "count"], "did you mean 'sum'?"),
        ("mois", ["orders"], ""),
        ("xyz", ["amount"], ""),
    ],
)
def test_suggest(name: str, known: list[str], said: str) -> None:
    assert suggest(name, known) == said
