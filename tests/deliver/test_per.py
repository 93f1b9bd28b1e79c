"""Results as one owner may see them: what is theirs becomes the whole, and nothing of the others is left."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.analysis.answers import Answers, FunnelAnswer, FunnelFigures, ScoreAnswer
from cadran.compute.results import Alert, Quality, Results, Row
from cadran.declare.document import Place
from cadran.declare.model import Report, Text
from cadran.deliver.per import narrowed, put_together, values
from cadran.problems import Problem
from deliver.projects import Small

NOWHERE = Place((), None)  # type: ignore[arg-type]
KPIS = ["revenue", "deals", "nps"]
DAY = dt.date(2026, 3, 1)


def _row(kpi: str, segment: tuple[str, ...], value: tuple[str, ...], number: float) -> Row:
    return Row(kpi, "month", "2026-03", DAY, DAY, segment, value, number)


ROWS = (
    _row("revenue", (), (), 60),
    _row("revenue", ("owner",), ("ana",), 10),
    _row("revenue", ("owner",), ("bob",), 50),
    _row("revenue", ("owner", "range"), ("ana", "large"), 7),
    _row("revenue", ("owner", "range"), ("bob", "large"), 40),
    _row("revenue", ("range",), ("large",), 47),
    _row("deals", (), (), 6),
    _row("deals", ("range", "owner"), ("large", "ana"), 2),
    _row("nps", (), (), 0.5),
)


def _results(**changed: Any) -> Results:
    given_: dict[str, Any] = {"rows": ROWS, "as_of": dt.datetime(2026, 4, 1, tzinfo=dt.UTC), "declaration": None, "kpis": tuple(KPIS)}  # fmt: skip
    return Results(**(given_ | changed))


def _of(value: str, **changed: Any) -> tuple[Report, Results]:
    report = Report("owners", NOWHERE, kpis=(Text("tag:sales", NOWHERE),))
    return narrowed(report, _results(**changed), "owner", value, KPIS)


def _shown(results: Results) -> list[tuple[Any, ...]]:
    return [(row.kpi, row.segment, row.segment_value, row.value) for row in results.rows]


def test_the_value_is_the_total() -> None:
    report, results = _of("ana")
    assert _shown(results) == [("revenue", (), (), 10), ("revenue", ("range",), ("large",), 7)]
    assert [text.value for text in report.kpis] == ["revenue"], "what has no total for the value is left out"
    assert results.kpis == ("revenue",)


def test_the_values_of_a_segment() -> None:
    assert values(_results(), "owner", KPIS) == ["ana", "bob"]
    assert values(_results(), "owner", ["deals"]) == []
    some = (*ROWS, _row("revenue", ("owner",), ("(none)",), 3), _row("revenue", ("owner",), ("(other)",), 9))
    assert values(_results(rows=some), "owner", KPIS) == ["(none)", "ana", "bob"]
    assert put_together(_results(rows=some), "owner", KPIS)
    assert not put_together(_results(), "owner", KPIS)


def test_nothing_is_said_of_the_whole() -> None:
    _, results = _of(
        "ana",
        alerts=(
            Alert("revenue", "low", "", "warning", "firing", "month", "2026-03", "2026-03"),
            Alert("revenue", "low", "", "warning", "firing", "month", "2026-03", "2026-03", ("owner",), ("ana",), 10),
            Alert("revenue", "low", "", "warning", "firing", "month", "2026-03", "2026-03", ("owner",), ("bob",), 50),
            Alert("deals", "low", "", "warning", "firing", "month", "2026-03", "2026-03", ("owner",), ("ana",), 1),
        ),
        warnings=(Problem("unseen", "no row has owner 'bob'"),),
        quality=(Quality("orders", 9, 1, rejected=(("orders.csv:4", "bob's amount is no number"),)),),
        statements={"scan": "select 'bob'"},
    )  # fmt: skip
    assert [(a.kpi, a.segment, a.value) for a in results.alerts] == [("revenue", (), 10)]
    assert (results.warnings, results.statements, results.quality) == ((), {}, (Quality("orders", 9, 1),))


def test_answers_are_those_of_the_value() -> None:
    def figures(segment: tuple[str, ...], value: tuple[str, ...]) -> FunnelFigures:
        fields = {field.name: None for field in dataclasses.fields(FunnelFigures)}
        return FunnelFigures(**fields | {"segment": segment, "segment_value": value})  # type: ignore[arg-type]

    whole = [figures((), ()), figures(("owner",), ("ana",)), figures(("owner",), ("bob",))]
    answers = Answers(
        funnels={"sales": FunnelAnswer("sales", tuple(whole)), "other": FunnelAnswer("other", (figures((), ()),))},
        scores={"leads": ScoreAnswer(**{f.name: None for f in dataclasses.fields(ScoreAnswer)})},  # type: ignore[arg-type]
    )  # fmt: skip
    report, results = _of("ana", answers=answers)
    assert results.answers is not None
    assert results.answers.funnels == {"sales": FunnelAnswer("sales", (figures((), ()),))}
    assert results.answers.scores == {}
    assert [text.value for text in report.funnels or ()] == ["sales"]
    assert report.scores == ()


_SETS = st.sampled_from([(), ("owner",), ("range",), ("owner", "range"), ("range", "owner")])


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_no_figure_of_another_is_left(data: st.DataObject) -> None:
    """Every figure is told apart by its number: what is left was the value's own, in the shape of a whole."""
    owners = ["ana", "bob", "(none)", "(other)"]
    rows, whose = [], {}
    for number in range(data.draw(st.integers(0, 25))):
        segment = data.draw(_SETS)
        value = tuple(
            data.draw(st.sampled_from(owners if name == "owner" else ["a", "b"])) for name in segment
        )
        rows.append(_row(data.draw(st.sampled_from(KPIS)), segment, value, number))
        whose[number] = value[segment.index("owner")] if "owner" in segment else None
    for owner in values(_results(rows=tuple(rows)), "owner", KPIS):
        _, own = _of(owner, rows=tuple(rows))
        assert all(whose[int(row.value or 0)] == owner for row in own.rows)
        assert all("owner" not in row.segment for row in own.rows)
        assert (
            {row.kpi for row in own.rows} == {row.kpi for row in own.rows if not row.segment} == set(own.kpis)
        )


# --- who gets them ---------------------------------------------------------------------------------------------------

ADDRESSED = """
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
reports:
  owners:
    kpis: [revenue]
    per: {segment: owner, addresses: {Ana: ana@example.com, bob: bob@example.com}}
    to: [{channel: mail, to: ["{{ owner }}"]}, out]
  told: {kpis: [revenue], per: owner, to: [{channel: mail, to: boss@example.com}, out]}
"""


def test_values_and_addresses_that_do_not_meet(small: Callable[..., Small]) -> None:
    made = small(ADDRESSED)
    found = [p for p in made.project.check_data() if p.subject == "reports.owners"]
    assert [(p.severity, p.message, p.hint) for p in found] == [
        ("warning", "nobody gets the report of ana: there is no address for it", "add it under 'addresses' of 'per', or is it 'Ana' there?"),
        ("warning", "'Ana' has an address, but the segment 'owner' has no such value", "did you mean 'ana'?"),
    ]  # fmt: skip
    assert not [p for p in made.project.check_data() if p.subject == "reports.told"]
    made.write(ADDRESSED.replace("Ana:", "ana:"))
    assert not [p for p in made.project.check_data() if p.subject.startswith("reports")]
