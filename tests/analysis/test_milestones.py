"""Before and after a milestone, through cadran on random files, against the same figures made by hand in Python."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import MilestoneAnswer, MilestoneQuestion
from cadran.analysis.intervals import Sample, means, shares
from cadran.analysis.milestones import Months
from cadran.calendar import Calendar

Row = Mapping[str, str]
HEAD = """\
version: 1
calendar: {{timezone: Europe/Paris}}
sources: {{files: {{connector: files, path: data, tables: {{orders: {{path: orders.csv, types: {{amount: "decimal(12,2)", customer: text}}}}}}}}}}
datasets:
  orders: {{from: files.orders, key: id, date: day, settle: 3 days}}
milestones: {{start: {start}}}
kpis:
"""


def amounts(rows: Sequence[Row]) -> list[float]:
    return [float(r["amount"]) for r in rows if r["amount"]]


def web(rows: Sequence[Row]) -> list[Row]:
    return [r for r in rows if r["kind"] == "web"]


def customers(rows: Sequence[Row], least: int = 1) -> int:
    found = [r["customer"] for r in rows]
    return sum(1 for c in set(found) if found.count(c) >= least)


def ratio(a: float, b: float) -> float | None:
    return a / b if b else None


FORMULAS: dict[str, tuple[str, Callable[[Sequence[Row]], float | None]]] = {
    "number": ("count(orders)", lambda rows: len(rows)),
    "revenue": ("sum(orders.amount)", lambda rows: sum(amounts(rows))),
    "basket": ("avg(orders.amount)", lambda rows: ratio(sum(amounts(rows)), len(amounts(rows)))),
    "web_share": ("count(orders) filter (where kind = 'web') / count(orders)", lambda rows: ratio(len(web(rows)), len(rows))),
    "other_share": ("1 - web_share", lambda rows: ratio(len(rows) - len(web(rows)), len(rows))),
    "often": ("count_having(orders.customer, count(orders) >= 2) / active(orders.customer)", lambda rows: ratio(customers(rows, 2), customers(rows))),
    "each": ("sum(orders.amount) / active(orders.customer)", lambda rows: ratio(sum(amounts(rows)), customers(rows))),
}  # fmt: skip


def project(folder: Path, rows: Sequence[Row], start: str, more: str = "") -> cadran.Project:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    lines = ["id,day,amount,kind,customer", *(",".join(row.values()) for row in rows)]
    (folder / "data" / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kpis = "".join(
        f'  {name}: {{formula: "{f}", period: [month, quarter]}}\n' for name, (f, _) in FORMULAS.items()
    )
    (folder / "kpis.yaml").write_text(HEAD.format(start=start) + kpis + more, encoding="utf-8")
    return cadran.open(folder, environ={})


def orders(chance: random.Random, first: dt.date, days: int, number: int) -> list[Row]:
    return [
        {
            "id": str(i), "day": (first + dt.timedelta(days=0 if i == 0 else chance.randrange(days))).isoformat(),
            "amount": "" if chance.random() < 0.1 else f"{chance.randint(100, 9000) / 100:.2f}",
            "kind": chance.choice(["web", "phone"]), "customer": f"c{chance.randrange(number // 2)}",
        }
        for i in range(number)
    ]  # fmt: skip


def ask(found: cadran.Project, *kpis: str, months: int = 6, as_of: str) -> list[MilestoneAnswer]:
    questions = tuple(MilestoneQuestion(kpi, "start", months) for kpi in kpis)
    answers = found.analyse(Wanted(milestones=questions), as_of=as_of).answers
    assert answers is not None
    return list(answers.milestones.values())


def within(rows: Sequence[Row], first: str, last: str) -> list[Row]:
    return [r for r in rows if first <= r["day"] <= last]


# milestone, months, (before, after, and both a year earlier) as first and last day
SPANS = [
    ("2025-06-01", 6, [("2024-12-01", "2025-05-31"), ("2025-06-01", "2025-11-30"), ("2023-12-01", "2024-05-31"), ("2024-06-01", "2024-11-30")]),
    ("2025-06-17", 7, [("2024-11-01", "2025-05-31"), ("2025-07-01", "2026-01-31"), ("2023-11-01", "2024-05-31"), ("2024-07-01", "2025-01-31")]),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("start", "months", "spans"), SPANS)
def test_against_python(
    tmp_path: Path, seed: int, start: str, months: int, spans: list[tuple[str, str]]
) -> None:
    chance = random.Random(seed)
    rows = orders(chance, dt.date(2023, 10, 5), 880, chance.choice([60, 500]))
    answers = ask(project(tmp_path, rows, start), *FORMULAS, months=months, as_of="2026-02-20")
    for answer in answers:
        calculated = FORMULAS[answer.question.kpi][1]
        sides = (answer.before, answer.after, *answer.earlier)
        assert [(s.first.isoformat(), s.last.isoformat()) for s in sides] == spans
        assert answer.missing == "" and all(s.months == months for s in sides)
        parts = [within(rows, *span) for span in spans]
        for side, part in zip(sides, parts, strict=True):
            assert side.value is not None and float(side.value) == pytest.approx(calculated(part))
        expected(answer, parts[0], parts[1])


def expected(answer: MilestoneAnswer, before: Sequence[Row], after: Sequence[Row]) -> None:
    """The interval that Python finds for the same rows."""
    kpi, interval = answer.question.kpi, None
    if kpi == "basket":
        one, other = (amounts(rows) for rows in (after, before))
        interval = means(sample(one), sample(other))
    elif kpi in ("web_share", "other_share"):
        hits = (
            (lambda rows: len(rows) - len(web(rows))) if kpi == "other_share" else lambda rows: len(web(rows))
        )
        interval = shares(hits(after), len(after), hits(before), len(before))
    elif kpi == "often":
        interval = shares(customers(after, 2), customers(after), customers(before, 2), customers(before))
    else:
        assert (answer.sure, answer.interval, answer.clear) == ("neither", None, None)
        return
    assert answer.sure == ("interval" if interval else "few")
    assert answer.interval == (pytest.approx(interval) if interval else None)
    assert answer.clear == (None if interval is None else not interval[0] <= 0 <= interval[1])


def sample(values: Sequence[float]) -> Sample:
    mean = math.fsum(values) / len(values)
    return Sample(
        len(values), mean, math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    )


# --- too few months -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "after", "enough_on"),
    [
        ("2025-05-20", 0, "2025-12-04"),  # not come yet
        ("2025-06-20", 0, "2025-12-04"),
        ("2025-07-03", 0, "2025-12-04"),  # June settles for three days
        ("2025-07-04", 1, "2025-12-04"),
        ("2025-12-03", 5, "2025-12-04"),
        ("2025-12-04", 6, ""),
    ],
)
def test_too_few_months_after_give_a_day_and_no_figure(
    tmp_path: Path, as_of: str, after: int, enough_on: str
) -> None:
    rows = orders(random.Random(1), dt.date(2023, 10, 5), 780, 400)
    (answer,) = ask(project(tmp_path, rows, "2025-06-01"), "web_share", as_of=as_of)
    assert answer.after.months == after
    assert answer.missing == ("after" if enough_on else "")
    assert (answer.enough_on.isoformat() if answer.enough_on else "") == enough_on
    assert (answer.after.value is None) == (answer.interval is None) == bool(enough_on)


@pytest.mark.parametrize(("first", "before"), [("2025-01-31", 5), ("2024-12-31", 6), ("2025-06-02", 0)])
def test_too_few_months_before(tmp_path: Path, first: str, before: int) -> None:
    rows = orders(random.Random(2), dt.date.fromisoformat(first), 360, 500)
    (answer,) = ask(project(tmp_path, rows, "2025-06-01"), "basket", as_of="2026-01-10")
    assert answer.before.months == before
    assert answer.missing == ("" if before == 6 else "before")
    assert (
        answer.earlier[0].value is None and answer.earlier[1].value is None
    )  # said as no data a year earlier


@given(st.dates(dt.date(2000, 1, 1), dt.date(2090, 1, 1)), st.integers(6, 60))
def test_the_sides(day: dt.date, count: int) -> None:
    before, after, year_before, year_after = Months.around(day, count, Calendar()).sides(Calendar())
    assert before.last < day.replace(day=1) and before.last == day.replace(day=1) - dt.timedelta(days=1)
    assert after.first == day if day.day == 1 else after.first > day
    assert all(
        side.first.day == 1 and (side.last + dt.timedelta(days=1)).day == 1 for side in (before, after)
    )
    for side in (before, after):
        assert (side.last.year - side.first.year) * 12 + side.last.month - side.first.month + 1 == count
    for side, year in ((before, year_before), (after, year_after)):
        assert (year.first, year.last.month) == (
            side.first.replace(year=side.first.year - 1),
            side.last.month,
        )
    between = (after.first - before.last).days - 1
    assert between == 0 if day.day == 1 else 28 <= between <= 31


# --- what cannot be said ----------------------------------------------------------------------------------------------

REFUSED = """\
  again: {formula: retained(orders.customer) / previous(active(orders.customer)), period: month}
  gone: {formula: lost(orders.customer), period: month}
  to_date: {formula: ytd(sum(orders.amount)), period: month}
  smooth: {formula: "rolling(sum(orders.amount), 3) / 3", period: month}
  coming: {formula: sum(orders.amount) / next(count(orders)), period: month}
  step: {formula: sum(orders.amount) - previous(sum(orders.amount)), period: month}
  fixed: {formula: "sum(orders.amount) / value_at(sum(orders.amount), start)", period: month}
  growth: {formula: number / year_ago(number) - 1, period: month}
"""


@pytest.mark.parametrize(
    ("kpi", "reason"),
    [
        ("again", ("neighbours", "retained")),
        ("gone", ("neighbours", "lost")),
        ("to_date", ("moved", "ytd")),
        ("smooth", ("moved", "rolling")),
        ("coming", ("moved", "next")),
        ("step", ("moved", "previous")),
        ("fixed", ("moved", "value_at")),
        ("growth", ("", "")),
    ],
)
def test_kpis_without_a_value_over_months(tmp_path: Path, kpi: str, reason: tuple[str, str]) -> None:
    rows = orders(random.Random(3), dt.date(2022, 10, 5), 1150, 300)
    (answer,) = ask(project(tmp_path, rows, "2025-06-01", REFUSED), kpi, as_of="2025-12-10")
    assert (answer.refused, answer.what) == reason
    assert answer.missing == ("refused" if reason[0] else "")
    if kpi == "growth":
        parts = [len(within(rows, *span)) for span in SPANS[0][2]]
        assert float(answer.before.value or 0) == pytest.approx(parts[0] / parts[2] - 1)
        assert float(answer.after.value or 0) == pytest.approx(parts[1] / parts[3] - 1)


@pytest.mark.parametrize(
    ("question", "message", "hint"),
    [
        (MilestoneQuestion("number", "strat"), "unknown milestone 'strat'", "start"),
        (MilestoneQuestion("number", "start", 5), "over 6 to 120 months, not 5", "chance"),
        (MilestoneQuestion("numbre", "start"), "unknown KPI 'numbre'", "number"),
    ],
)
def test_questions_without_answer(
    tmp_path: Path, question: MilestoneQuestion, message: str, hint: str
) -> None:
    rows = orders(random.Random(3), dt.date(2024, 10, 5), 400, 50)
    with pytest.raises(cadran.ProblemsFound) as raised:
        project(tmp_path, rows, "2025-06-01").analyse(Wanted(milestones=(question,)), as_of="2026-01-01")
    (problem,) = raised.value.problems
    assert message in problem.message and hint in problem.hint


def test_a_report_compares_its_kpis(tmp_path: Path) -> None:
    rows = orders(random.Random(3), dt.date(2024, 10, 5), 500, 90)
    more = "reports: {r: {kpis: [number, basket], compare: {milestone: start, months: 8}}}\n"
    answers = project(tmp_path, rows, "2025-06-01", more).run(as_of="2026-02-10", analyses="reports").answers
    assert answers is not None
    assert {(q.kpi, q.months): a.missing for q, a in answers.milestones.items()} == {
        ("number", 8): "",
        ("basket", 8): "",
    }


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    rows = orders(random.Random(3), dt.date(2024, 10, 5), 400, 50)
    wanted = [
        MilestoneQuestion(kpi, "start", months) for kpi in ("numbre", "revenu", "number") for months in (6, 5)
    ]
    with pytest.raises(cadran.ProblemsFound) as raised:
        project(tmp_path, rows, "2025-06-01").analyse(Wanted(milestones=tuple(wanted)), as_of="2026-01-01")
    found = [p.code for p in raised.value.problems]
    assert sorted(found) == ["too-few-months", "unknown-kpi", "unknown-kpi"]
