"""Funnels against a naive evaluator that walks over rows one by one."""

from __future__ import annotations

import datetime as dt
import random
import statistics
from pathlib import Path

import pytest

from analysis.random_rows import FIRST, SEEDS, Row, maybe, moment, written
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import FunnelFigures

WINDOW = 45
PROJECT = f"""\
version: 1
calendar: {{timezone: Europe/Paris}}
sources: {{files: {{connector: files, path: data}}}}
datasets:
  leads: {{from: files.leads, key: id, date: seen_at, links: {{customer_id: customers}}}}
  deals: {{from: files.deals, key: id, date: opened_at, links: {{lead_id: leads}}}}
  customers: {{from: files.customers, key: id, date: won_on}}
kpis: {{all_leads: count(leads)}}
funnels:
  journey:
    dataset: leads
    steps:
      lead: created_at
      qualified: {{reached: qualified_on, label: {{fr: Qualifié, en: Qualified}}}}
      opportunity: min(deals.opened_at)
      customer: customers.won_on
    window: {WINDOW} days
    period: [month, quarter]
    segment: channel
"""


def _tables(chance: random.Random) -> dict[str, list[Row]]:
    """Steps at all distances: skipped, out of order, on the same day, on the window's last day and the day after."""
    leads, deals, customers = [], [], []
    for number in range(60):
        created = moment(chance, FIRST, 200)
        near = (0, 0, 1, WINDOW, WINDOW, WINDOW + 1)
        steps = [
            created + dt.timedelta(days=chance.choice((*near, chance.randrange(-3, 60))), seconds=chance.randrange(9999))
            for _ in range(3)
        ]  # fmt: skip
        steps = sorted(steps) if chance.random() < 0.7 else steps
        customer = f"C{number}" if chance.random() < 0.6 else None
        leads.append(
            {
                "id": number,
                "created_at": maybe(chance, 0.95, created),
                "seen_at": created + dt.timedelta(days=chance.choice((0, 0, 10))),
                "qualified_on": maybe(chance, 0.8, steps[0].date()),
                "channel": chance.choice(("web", "shop", None)),
                "customer_id": customer,
            }
        )
        for again in range(chance.randrange(3)):
            opened = steps[1] + dt.timedelta(days=5 * again)
            deals.append({"id": f"{number}-{again}", "lead_id": number, "opened_at": opened})
        if customer and chance.random() < 0.9:
            customers.append({"id": customer, "won_on": steps[2].date()})
    return {"leads": leads, "deals": deals, "customers": customers}


def _day(value: object) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value  # type: ignore[return-value]


def _known(value: object, clock: dt.datetime) -> object:
    """Nothing where it lies after the clock."""
    at = value if isinstance(value, dt.datetime) or value is None else dt.datetime.combine(value, dt.time())  # type: ignore[arg-type]
    return None if at is None or at > clock else value


def _naive(
    tables: dict[str, list[Row]], clock: dt.datetime, label: str, channel: str | None
) -> list[tuple[object, ...]]:
    """Count, median days and skipped of each step, of those who entered in a month or quarter."""
    won = {c["id"]: _known(c["won_on"], clock) for c in tables["customers"]}
    reached: list[list[list[int | None]]] = [[] for _ in range(4)]
    skipped = [0, 0, 0, 0]
    for lead in tables["leads"]:
        if _known(lead["seen_at"], clock) is None or (
            channel is not None and (lead["channel"] or "(none)") != channel
        ):
            continue
        opened = [d["opened_at"] for d in tables["deals"] if d["lead_id"] == lead["id"]]
        known = [o for o in opened if _known(o, clock) is not None]
        steps = [
            _known(lead["created_at"], clock), _known(lead["qualified_on"], clock),
            min(known) if known else None, won.get(lead["customer_id"]),
        ]  # fmt: skip
        if steps[0] is None or label not in _labels(_day(steps[0])):
            continue
        days = [None if s is None else (_day(s) - _day(steps[0])).days for s in steps]
        for number, day in enumerate(days):
            in_time = day is not None and 0 <= day <= WINDOW
            before = reached[number - 1] if number else None
            counts = in_time and (before is None or (days[:number] in before and day >= days[number - 1]))  # type: ignore[operator]
            if counts:
                reached[number].append(days[: number + 1])
            elif in_time:
                skipped[number] += 1
            if not counts:
                for later, other in enumerate(days[number + 1 :], number + 1):
                    skipped[later] += other is not None and 0 <= other <= WINDOW
                break
    return [
        (
            len(found),
            statistics.median(d[-1] - d[-2] for d in found) if number and found else None,  # type: ignore[operator]
            skipped[number],
        )
        for number, found in enumerate(reached)
    ]


def _labels(day: dt.date) -> tuple[str, str]:
    return f"{day:%Y-%m}", f"{day.year}-Q{(day.month + 2) // 3}"


def _shown(figures: FunnelFigures) -> list[tuple[object, ...]]:
    return [(step.count, step.days, step.skipped) for step in figures.steps]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_funnel_counts_what_a_walk_over_the_rows_counts(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    tables = _tables(chance)
    clock = dt.datetime(2026, chance.randrange(1, 8), chance.randrange(1, 28), chance.randrange(24))
    answer = written(tmp_path, PROJECT, tables).analyse(Wanted(funnels=("journey",)), as_of=clock).answers
    assert answer is not None
    figures = answer.funnels["journey"].figures
    assert len({f.segment_value for f in figures}) == 4  # the total, two channels, and (none)
    for found in figures:
        channel = found.segment_value[0] if found.segment else None
        assert _shown(found) == _naive(tables, clock, found.period, channel), found
        end = found.period_end
        assert end is not None
        over = dt.datetime.combine(end + dt.timedelta(days=1), dt.time())
        expected = (
            "open" if clock < over else "maturing" if clock < over + dt.timedelta(days=WINDOW) else "final"
        )
        assert found.state == expected


def test_shares_are_of_the_step_before_and_of_the_first(tmp_path: Path) -> None:
    tables = _tables(random.Random(1))
    answer = (
        written(tmp_path, PROJECT, tables).analyse(Wanted(funnels=("journey",)), as_of="2026-07-01").answers
    )
    assert answer is not None
    for figures in answer.funnels["journey"].figures:
        first = before = figures.steps[0].count
        assert figures.steps[0].of_previous is None
        for step in figures.steps[1:]:
            assert step.of_previous == (step.count / before if before else None)
            assert step.of_first == (step.count / first if first else None)
            before = step.count


def test_a_funnel_only_narrows(tmp_path: Path) -> None:
    answer = (
        written(tmp_path, PROJECT, _tables(random.Random(2)))
        .analyse(Wanted(funnels=("journey",)), as_of="2026-07-01")
        .answers
    )
    assert answer is not None
    for figures in answer.funnels["journey"].figures:
        counts = [step.count for step in figures.steps]
        assert counts == sorted(counts, reverse=True)


def test_a_step_that_is_no_date_is_the_only_thing_said(tmp_path: Path) -> None:
    text = PROJECT.replace("reached: qualified_on", "reached: channel")
    (problem,) = written(tmp_path, text, _tables(random.Random(0))).check_data()
    assert problem.subject == "funnels.journey"
    assert problem.message == "this is text, not a date"
    assert problem.where is not None and problem.where.line == 14


def test_tables_without_rows_are_no_mistake(tmp_path: Path) -> None:
    tables: dict[str, list[Row]] = {
        "leads": [dict.fromkeys(("id", "created_at", "seen_at", "qualified_on", "channel", "customer_id"))],
        "deals": [dict.fromkeys(("id", "lead_id", "opened_at"))],
        "customers": [dict.fromkeys(("id", "won_on"))],
    }
    project = written(tmp_path, PROJECT, tables)
    for name in tables:  # the heads alone
        file = tmp_path / "data" / f"{name}.csv"
        file.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert [p.message for p in project.check_data()] == []
    answers = project.analyse(Wanted(funnels=("journey",)), as_of="2026-07-01").answers
    assert answers is not None
    assert all(step.count == 0 for f in answers.funnels["journey"].figures for step in f.steps)
