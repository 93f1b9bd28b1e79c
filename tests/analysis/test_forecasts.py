"""Forecasts in runs: the rows that they rest on, whatever source and types they come from, and the clock."""

from __future__ import annotations

import csv
import datetime as dt
import random
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import ForecastAnswer
from cadran.analysis.outlook import Forecaster, Moment, Window
from cadran.analysis.pipeline import Deal, Pipeline, Visit
from cadran.problems import ProblemsFound

NOW = dt.datetime(2026, 5, 12, 15)
FAR = dt.datetime(2026, 7, 1)
KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
locale: en
sources: {crm: {connector: files, path: data}}
rates: {from: crm.rates}
datasets:
  deals:
    {from: crm.deals, where: not is_test, key: [region, id], date: closed, valid: [opened, closed], money: {amount: currency}}
  visits:
    from: crm.visits
    valid: [entered, left_at]
    links: {deal: {column: [region, deal_id], to: deals}}
kpis:
  won: {formula: "dated(sum(deals.amount) filter (where stage = 'won'), closed)", period: month}
forecasts:
  sales: {dataset: deals, amount: amount, won: stage = 'won', stages: visits, stage: stage, segment: owner}
  number: {dataset: deals, won: stage = 'won', stages: visits, stage: stage, period: week, horizon: 2}
"""
RATES = (
    "date,currency,rate\n2023-01-01,CHF,1.05\n2026-02-01,CHF,1.10\n2026-05-12,CHF,1.20\n2026-05-13,CHF,9\n"
)
Row = dict[str, object]


def months(back: int) -> dt.datetime:
    index = 2026 * 12 + 4 - back
    return dt.datetime(index // 12, index % 12 + 1, 1)


def made(seed: int = 11) -> tuple[list[Row], list[Row]]:
    dice, deals, visits = random.Random(seed), list[Row](), list[Row]()
    at = dt.datetime(2023, 12, 1, 8)
    while at < dt.datetime(2026, 6, 20):
        at += dt.timedelta(hours=dice.randrange(1, 80))
        key = {"region": dice.choice("NS"), "id": len(deals) + 1}
        moment, stage = at, "won"
        for name in ("demo", "offer", "contract"):
            entered, moment = moment, moment + dt.timedelta(hours=dice.randrange(6, 700))
            visits.append(
                {
                    "region": key["region"],
                    "deal_id": key["id"],
                    "stage": name,
                    "entered": entered,
                    "left_at": moment,
                }
            )
            if dice.random() < 0.25:
                stage = "lost"
                break
        deals.append(
            {**key, "opened": at, "closed": moment, "stage": stage, "owner": dice.choice(["Ana", "Bo", ""]), "is_test": dice.random() < 0.05,
             "amount": dice.randrange(1, 900) / 4, "currency": dice.choice(["EUR", "EUR", "CHF"])}
        )  # fmt: skip
    return deals, visits


def known(rows: Iterable[Row], start: str, end: str, at: dt.datetime) -> list[Row]:
    """The rows as they would have been then."""
    out = []
    for row in rows:
        begun, over = row[start], row[end]
        assert isinstance(begun, dt.datetime)
        assert isinstance(over, dt.datetime)
        if begun <= at:
            later = {end: ""} | ({"stage": "open"} if end == "closed" else {})
            out.append(row if over <= at else row | later)
    return out


def write(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()} for row in rows
        )


def folder(path: Path, deals: Sequence[Row], visits: Sequence[Row], text: str = KPIS) -> Path:
    write(path / "data" / "deals.csv", deals)
    write(path / "data" / "visits.csv", visits)
    (path / "data" / "rates.csv").write_text(RATES, "utf-8")
    (path / "kpis.yaml").write_text(text, "utf-8")
    return path


def asked(path: Path, name: str = "sales", as_of: dt.datetime = NOW) -> ForecastAnswer:
    answers = (
        cadran.open(path, environ={}).analyse(Wanted(forecasts=(name,)), as_of=as_of.isoformat()).answers
    )
    assert answers is not None
    return answers.forecasts[name]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("forecast"), *made())


@pytest.fixture(scope="module")
def found(sample: Path) -> ForecastAnswer:
    return asked(sample)


def rate(row: Row) -> float:
    """Of the day on which it closed, or of the clock's."""
    if row["currency"] == "EUR":
        return 1
    closed = row["closed"]
    assert isinstance(closed, dt.datetime)
    day = f"{min(closed, NOW):%Y-%m-%d}"
    return 1.05 if day < "2026-02-01" else 1.1 if day < "2026-05-12" else 1.2


def by_hand(owner: str | None = None) -> list[tuple[float, ...]]:
    """Won, open and new of May, June and July, straight from the rows."""
    deals, visits = made()
    kept = [
        Deal(
            (d["region"], d["id"]), d["opened"], d["closed"], d["stage"] == "won", float(str(d["amount"])) * rate(d),  # type: ignore[arg-type]
            str(d["owner"] or "(none)"),
        )
        for d in deals if not d["is_test"] and d["opened"] <= NOW  # type: ignore[operator]
    ]  # fmt: skip
    stages = [Visit((v["region"], v["deal_id"]), str(v["stage"]), v["entered"]) for v in visits]  # type: ignore[arg-type]
    moments = []
    for back in range(28):
        windows = tuple(Window(months(back - step), months(back - step - 1)) for step in range(3))
        at = min(windows[0].start + (NOW - months(0)), windows[0].stop)
        moments.append(Moment(at, windows, Window(months(back + 1), months(back))))
    outlooks = Forecaster(Pipeline(kept, stages), moments).now(owner)
    return [(o.won, o.open, o.new or 0.0) for o in outlooks]


@pytest.mark.parametrize("owner", [None, "Ana", "(none)"])
def test_the_rows_behind_it(found: ForecastAnswer, owner: str | None) -> None:
    value = () if owner is None else (owner,)
    shown = [(f.won, f.open, f.new) for f in found.figures if f.segment_value == value]
    assert shown == [pytest.approx(figures) for figures in by_hand(owner)]


def test_what_it_is_made_of(found: ForecastAnswer) -> None:
    assert (found.unit, found.grain) == ("EUR", "month")
    assert [f.period for f in found.figures[:3]] == ["2026-05", "2026-06", "2026-07"]
    for figures in found.figures:
        assert figures.value == pytest.approx(figures.won + figures.open + (figures.new or 0))
        (low, high), (lowest, highest) = ((i.low, i.high) for i in figures.intervals)
        assert figures.won <= lowest <= low <= high <= highest
    total = found.figures[:3]
    for part in ("won", "open", "new"):
        owners = [sum(getattr(f, part) for f in found.figures[3:] if f.period == t.period) for t in total]
        assert owners == [pytest.approx(getattr(t, part)) for t in total]
    assert {s.stage for s in found.stages} == {"demo", "offer", "contract"}


def test_its_past_is_what_it_said_and_what_came(sample: Path, found: ForecastAnswer) -> None:
    """In euros alone, as the rates of past days are today's history. Each is what a run at that time says."""
    past = {(p.made_in, p.step): p for p in found.past if p.made_in >= "2026-02"}
    assert {step for _, step in past} == {0, 1, 2}
    deals, visits = made()
    path = folder(sample / "euros", [d | {"currency": "EUR"} for d in deals], visits)
    euros = {(p.made_in, p.step): p for p in asked(path).past}
    for back in (1, 2, 3):
        as_of = months(back) + (NOW - months(0))
        then = asked(path, as_of=as_of)
        for step, figures in enumerate(then.figures[: min(back, 3)]):
            past_forecast = euros[f"{months(back):%Y-%m}", step]
            assert past_forecast.period == figures.period
            assert past_forecast.value == pytest.approx(figures.value)
            assert past_forecast.intervals == then.figures[step].intervals
            (came,) = [
                r.value
                for r in cadran.open(path, environ={}).run(["won"], as_of=NOW.isoformat())
                if r.period == figures.period
            ]
            assert past_forecast.came == pytest.approx(float(came or 0))
    assert [t.forecasts for t in found.tests] == [12, 12, 12]


def test_a_run_of_the_past_is_a_run_over_the_data_of_the_past(tmp_path: Path, found: ForecastAnswer) -> None:
    deals, visits = made()
    cut = folder(tmp_path, known(deals, "opened", "closed", NOW), known(visits, "entered", "left_at", NOW))
    assert asked(cut) == found
    assert asked(cut, as_of=FAR) != found


def test_a_database_says_the_same(tmp_path: Path, found: ForecastAnswer) -> None:
    deals, visits = made()
    text = KPIS.replace("{connector: files, path: data}", "{connector: sql, url: 'sqlite:///crm.db'}")
    path = folder(tmp_path, deals, visits, text)
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute(
            "create table deals (region text, id integer, opened timestamp, closed timestamp, stage text, owner text, is_test boolean, "
            "amount decimal(9,2), currency text)"
        )
        database.execute(
            "create table visits (region text, deal_id integer, stage text, entered timestamp, left_at timestamp)"
        )
        database.execute("create table rates (date date, currency text, rate decimal(9,2))")
        for table, rows in (("deals", deals), ("visits", visits)):
            for row in rows:
                plain = [
                    str(v) if isinstance(v, dt.datetime) else None if v == "" else v for v in row.values()
                ]
                database.execute(f"insert into {table} values ({', '.join('?' * len(plain))})", plain)
        database.executemany(
            "insert into rates values (?, ?, ?)", [line.split(",") for line in RATES.split()[1:]]
        )
    database.close()
    assert asked(path) == found


def test_deals_are_counted_without_an_amount_and_in_weeks(sample: Path) -> None:
    answer = asked(sample, "number")
    assert [f.period for f in answer.figures] == ["2026-W20", "2026-W21"]
    assert answer.unit == ""
    assert all(figures.won == int(figures.won) for figures in answer.figures)


def test_dates_without_times(tmp_path: Path) -> None:
    deals = [
        {"region": "N", "id": n, "opened": f"2026-0{1 + n % 4}-01", "closed": f"2026-0{2 + n % 4}-01", "stage": "won", "owner": "Ana",
         "is_test": False, "amount": 10, "currency": "EUR"} for n in range(12)
    ]  # fmt: skip
    visits = [
        {"region": "N", "deal_id": 1, "stage": "demo", "entered": "2026-02-01", "left_at": "2026-03-01"}
    ]
    path = folder(tmp_path, deals, visits)
    (may, *_) = asked(path, as_of=dt.datetime(2026, 5, 1)).figures
    assert (may.won, may.new, may.value, may.intervals) == (
        30,
        None,
        None,
        (),
    )  # closed on 1 May, and known at once
    (april, *_) = asked(path, as_of=dt.datetime(2026, 4, 30)).figures
    assert april.won == 30  # those of 1 April


def test_instants_are_local_times(tmp_path: Path) -> None:
    """The same deals, once in the calendar's time and once as instants with an offset."""
    text, (deals, visits) = KPIS.replace("Europe/Paris", "Africa/Algiers"), made()

    def instant(row: Row) -> Row:
        hour = dt.timedelta(hours=1)  # Algiers is always an hour ahead of UTC
        return {k: f"{v - hour}+00:00" if isinstance(v, dt.datetime) else v for k, v in row.items()}

    plain = asked(folder(tmp_path / "plain", deals, visits, text))
    moved = folder(tmp_path / "moved", [*map(instant, deals)], [*map(instant, visits)], text)
    assert asked(moved) == plain


def test_too_little_history_gives_no_total_and_no_tests(sample: Path) -> None:
    early = asked(sample, as_of=dt.datetime(2024, 3, 10))
    assert [f.value for f in early.figures[:3]] == [None] * 3
    assert (early.tests, early.past) == ((), ())
    none = asked(sample, as_of=dt.datetime(2023, 1, 10))
    assert [(f.won, f.open, f.new) for f in none.figures] == [(0, 0, None)] * 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("won: stage = 'won'", "won: upper(stage)"), "this is text, not a condition"),
        (("amount: amount,", "amount: stage,"), "sum() needs numbers, and this is text"),
        (("rates: {from: crm.rates}\n", ""), "the amounts are in CHF and EUR"),
        (("2023-01-01,CHF,1.05\n", ""), "has no rate of CHF"),
    ],
)
def test_amounts_and_conditions_are_checked_as_any_are(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = folder(tmp_path, *made(), KPIS.replace(*change, 1) if change[0] in KPIS else KPIS)
    rates = path / "data" / "rates.csv"
    rates.write_text(rates.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(ProblemsFound) as raised:
        asked(path)
    assert any(said in problem.message for problem in raised.value.problems), raised.value.problems


def test_a_forecast_that_is_not_declared(sample: Path) -> None:
    with pytest.raises(ProblemsFound, match=r"unknown forecast 'sale'.*did you mean 'sales'"):
        asked(sample, "sale")
