"""``cadran why``: a table in both languages, JSON and CSV for programs, and problems with exit code 2."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from .user import AS_OF, Done, call, project


def shown(folder: Path, *args: str) -> Done:
    done = call(project(folder), "why", *args, *AS_OF)
    assert done.code == 0, done.all
    return done


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_table(tmp_path: Path, locale: str, golden: bool) -> None:
    text = (
        shown(tmp_path, "basket", "--locale", locale).out
        + shown(tmp_path, "revenue", "--all", "--locale", locale).out
    )
    file = Path(__file__).parent / "goldens" / f"why_{locale}.txt"
    if golden:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_one_segment_or_a_cross(tmp_path: Path) -> None:
    done = shown(tmp_path, "revenue", "--by", "channel / shop", "--period", "month")
    assert "by shop × channel" in done.out and "also by" not in done.out
    assert "also by" in shown(tmp_path, "revenue").out


def test_csv_adds_up(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(shown(tmp_path, "revenue", "--format", "csv").out), strict=True))
    total, *parts = rows
    assert (total["period"], total["against"], total["effect"]) == ("2026-06", "2026-05", "-8.3")
    for segment in ("shop", "channel", "shop / channel"):
        of = [p for p in parts if p["segment"] == segment]
        assert of and round(sum(float(p["effect"]) for p in of), 9) == -8.3


def test_json(tmp_path: Path) -> None:
    (answer,) = shown(tmp_path, "basket", "--format", "json").json()
    assert (answer["kpi"], answer["change"], answer["state"], answer["missing"]) == (
        "basket",
        -4.15,
        "final",
        "",
    )
    (split,) = answer["splits"]
    assert split["segment"] == ["shop"] and split["rest"] == 0
    assert sum(p["effect"] for p in split["parts"]) == pytest.approx(-4.15)
    assert {p["segment"]["shop"] for p in split["parts"]} == {"north", "south", "(none)"}
    assert answer["sentence"].startswith("basket, June 2026: ")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["number"], "'number' has no segment to split a change by"),
        (["revenu"], "did you mean 'revenue'"),
        (["revenue", "--by", "shops"], "has no segment 'shops'"),
        (["revenue", "--period", "2026-W10"], "is not computed by week"),
        (["revenue", "--against", "never"], "previous"),
    ],
)
def test_problems(tmp_path: Path, args: list[str], said: str) -> None:
    done = call(project(tmp_path), "why", *args, *AS_OF)
    assert done.code == 2 and said in done.err and not done.out
