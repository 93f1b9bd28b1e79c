"""``cadran pace`` and ``cadran forecast``: what they print in both languages, JSON, CSV, and what they refuse."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from cadran.publish.analyses.foretold import FORECAST_COLUMNS, PACE_COLUMNS

from .user import AS_OF, call, project

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = Path(__file__).parent / "goldens"
SHIPPED = ("--as-of", "2026-06-15")
PACED = ("revenue", "new_customers", "acquisition_cost", "churn_rate", "csat", "average_deal_size")


def matches(name: str, text: str, golden: bool) -> None:
    path = GOLDENS / name
    if golden:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_pace_in_words(locale: str, golden: bool) -> None:
    done = call(ROOT, "pace", *PACED, *SHIPPED, "--locale", locale)
    assert done.code == 0, done.all
    matches(f"pace_{locale}.txt", done.out, golden)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_forecasts_in_words(locale: str, golden: bool) -> None:
    done = call(ROOT, "forecast", *SHIPPED, "--locale", locale, *(["--segments"] if locale == "en" else []))
    assert done.code == 0, done.all
    matches(f"forecast_{locale}.txt", done.out, golden)


def test_pace_as_json_and_csv_says_the_same() -> None:
    found = call(ROOT, "pace", *PACED, *SHIPPED, "--segments", "--format", "json").json()
    assert found["as_of"] == "2026-06-15T00:00:00+02:00"
    lines = list(
        csv.DictReader(
            io.StringIO(call(ROOT, "pace", *PACED, *SHIPPED, "--segments", "--format", "csv").out),
            strict=True,
        )
    )
    assert tuple(lines[0]) == PACE_COLUMNS
    assert len(lines) == len(found["pace"]) > 2 * len(PACED)
    for item, line in zip(found["pace"], lines, strict=True):
        assert (item["kpi"], item["period"]) == (line["kpi"], line["period"])
        assert line["segment"] == " / ".join(item["segment"])
        for name in ("value", "previous", "target", "left", "per_day", "working_days"):
            assert (None if line[name] == "" else float(line[name])) == item[name]
        made = item["projection"]
        if made is not None:
            assert (made["value"], made["error"], made["tested"]) == (
                float(line["projection"]), float(line["error"]) if line["error"] else None, int(line["tested"]),
            )  # fmt: skip
            low, high = next((i["low"], i["high"]) for i in made["intervals"] if i["level"] == 0.8)
            assert (low, high) == (float(line["low_80"]), float(line["high_80"]))
    revenue = next(line for line in lines if line["kpi"] == "revenue" and not line["segment"])
    assert Decimal(revenue["left"]) == Decimal(revenue["target"]) - Decimal(revenue["value"])  # to the cent


def test_forecasts_as_json_and_csv_say_the_same() -> None:
    (found,) = call(ROOT, "forecast", *SHIPPED, "--format", "json").json()["forecasts"]
    assert (found["name"], found["unit"]) == ("sales_forecast", "EUR")
    assert set(found["tests"][0]["coverage"]) == {"0.8", "0.95"}
    text = call(ROOT, "forecast", "sales_forecast", *SHIPPED, "--format", "csv").out
    lines = list(csv.DictReader(io.StringIO(text), strict=True))
    assert tuple(lines[0]) == FORECAST_COLUMNS
    for item, line in zip(found["figures"], lines, strict=True):
        assert (item["period"], item["value"]) == (line["period"], float(line["value"]))
        assert item["segment"] == ({line["segment"]: line["segment_value"]} if line["segment"] else {})


def test_without_names_all_are_shown(tmp_path: Path) -> None:
    done = call(project(tmp_path), "pace", *AS_OF)
    assert done.code == 0, done.all
    assert "Revenue" in done.out
    assert "no projection: fewer than 6 final periods" in done.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["pace", "revenu"], "unknown KPI 'revenu'; did you mean 'revenue'?"),
        (["pace", "tag:mony"], "no KPI has the tag 'mony'"),
        (["forecast"], "no forecast is declared; declare one under 'forecasts' in kpis.yaml"),
        (["forecast", "sales"], "no forecast is declared"),
        (["pace", "--format", "parquet"], "'parquet' is not one of 'table', 'json', 'csv'"),
    ],
)
def test_what_cannot_be_shown(tmp_path: Path, args: list[str], said: str) -> None:
    done = call(project(tmp_path), *args)
    assert done.code == 2
    assert said in done.all


def test_a_segment_value_cannot_talk_to_the_terminal(tmp_path: Path) -> None:
    rows = "id,day,amount,shop,channel\n1,2026-06-03,10.10,\x1b[2Jnorth,web\n"
    done = call(
        project(tmp_path, tables={"orders": rows}), "pace", "revenue", "--as-of", "2026-06-20", "--segments"
    )
    assert done.code == 0, done.all
    assert "[2Jnorth" in done.out
    assert "\x1b" not in done.out
