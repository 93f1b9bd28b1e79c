"""``cadran compare``: tables in both languages, JSON and CSV for programs, and problems with exit code 2."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from .user import Done, call, project

KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
locale: en
sources: {files: {connector: files, path: data}}
datasets:
  deals: {from: files.deals, key: id, date: day, money: {amount: EUR}}
milestones: {new_crm: 2025-09-10}
kpis:
  close_rate: {label: {en: Close rate, fr: Taux de clôture}, formula: count(deals) filter (where won) / count(deals), period: month, unit: percent}
  deal_size: {label: {en: Deal size, fr: Montant moyen}, formula: avg(deals.amount), period: quarter, unit: EUR}
  revenue: {formula: sum(deals.amount), period: month, unit: EUR}
  faithful: {formula: retained(deals.customer), period: month}
"""


def deals() -> str:
    lines, day = ["id,day,amount,won,customer"], dt.date(2024, 1, 1)
    for number in range(840):
        won = number % (3 if day < dt.date(2025, 9, 10) else 2) == 0
        lines.append(f"{number},{day},{100 + number % 7 * 10}.50,{str(won).lower()},c{number % 40}")
        day += dt.timedelta(days=1)
    return "\n".join(lines) + "\n"


def shown(folder: Path, *args: str, as_of: str = "2026-04-20") -> Done:
    done = call(
        project(folder, KPIS, {"deals": deals()}),
        "compare",
        *args,
        "--milestone",
        "new_crm",
        "--as-of",
        as_of,
    )
    assert done.code == 0, done.all
    return done


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_table(tmp_path: Path, locale: str, golden: bool) -> None:
    names = ("close_rate", "deal_size", "revenue", "faithful")
    text = shown(tmp_path, *names, "--locale", locale, as_of="2026-04-20").out
    text += "\n" + shown(tmp_path, "close_rate", "--locale", locale, as_of="2026-01-20").out
    file = Path(__file__).parent / "goldens" / f"compare_{locale}.txt"
    if golden:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_csv(tmp_path: Path) -> None:
    done = shown(tmp_path, "close_rate", "faithful", "--format", "csv", as_of="2026-02-20")
    rate, faithful = csv.DictReader(io.StringIO(done.out), strict=True)
    assert (rate["missing"], rate["enough_on"], rate["before"], rate["change"]) == (
        "after",
        "2026-04-01",
        rate["before"],
        "",
    )
    assert faithful["missing"] == "refused"


def test_json(tmp_path: Path) -> None:
    rate, size = shown(tmp_path, "close_rate", "deal_size", "--months", "6", "--format", "json").json()
    before, after = rate["before"], rate["after"]
    assert (before["first"], before["last"], after["first"], after["last"]) == (
        "2025-03-01",
        "2025-08-31",
        "2025-10-01",
        "2026-03-31",
    )
    assert before["value"] == pytest.approx(before["hits"] / before["number"])
    assert rate["change"] == pytest.approx(after["value"] - before["value"])
    low, high = rate["interval"]
    assert low < rate["change"] < high and rate["clear"] == (low > 0)
    assert size["before"]["number"] == 184 and size["before"]["deviation"] > 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["close_rat", "--milestone", "new_crm"], "did you mean 'close_rate'"),
        (["close_rate", "--milestone", "new"], "unknown milestone 'new'"),
        (["close_rate", "--milestone", "new_crm", "--months", "3"], "over 6 to 120 months, not 3"),
        (["close_rate"], "--milestone"),
        (["--milestone", "new_crm"], "KPI"),
    ],
)
def test_problems(tmp_path: Path, args: list[str], said: str) -> None:
    done = call(project(tmp_path, KPIS, {"deals": deals()}), "compare", *args, "--as-of", "2026-04-20")
    assert done.code == 2 and said in done.err and not done.out
