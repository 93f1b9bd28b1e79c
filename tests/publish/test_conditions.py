"""Alert conditions in words where they are simple, and none where they are not."""

from __future__ import annotations

import pytest

from cadran.publish.conditions import Words


@pytest.mark.parametrize(
    ("unit", "condition", "hold", "english", "french"),
    [
        ("percent", "value < 12%", 1, "value below 12%", "valeur inférieure à 12 %"),
        ("percent", "value<=0.12", 1, "value at most 12%", "valeur d’au plus 12 %"),
        ("EUR", "value > 1000", 1, "value above €1,000", "valeur supérieure à 1 000 €"),
        ("EUR", "value < 90% * target", 1, "value below 90% of the target", "valeur inférieure à 90 % de l’objectif"),
        ("", "value >= target", 1, "value at least the target", "valeur d’au moins l’objectif"),
        ("", "value < year_ago", 1, "value below the value a year ago", "valeur inférieure à la valeur d’il y a un an"),
        ("EUR", "change_rate < -10.5%", 1, "relative change below −10.5%", "évolution relative inférieure à −10,5 %"),
        (
            "percent", "value < 65% and base >= 20", 2,
            "value below 65% and base at least 20, 2 periods in a row",
            "valeur inférieure à 65 % et base d’au moins 20, 2 périodes de suite",
        ),
        ("", "abs(zscore(6)) > 3", 1, "", ""),
        ("", "value < 3 or base > 2", 1, "", ""),
        ("", "value < 90% * 5", 1, "", ""),
        ("", "value < 2 and revenue > 3", 1, "", ""),
    ],
)  # fmt: skip
def test_conditions(unit: str, condition: str, hold: int, english: str, french: str) -> None:
    assert Words("en", unit).of(condition, hold) == english
    assert Words("fr", unit).of(condition, hold).replace("\u00a0", " ").replace("\u202f", " ") == french
