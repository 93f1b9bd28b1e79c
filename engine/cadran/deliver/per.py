"""One report for each value of a segment: the results as who owns that value may see them, and nothing of the others.

Everything is left out that is not surely this value's own: rows and alerts that are not about it, answers that are not split
by the segment, and what was said of the run as a whole. How old the data is, and how many rows were set aside, concerns everybody;
what those rows hold does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cadran.declare.model import Text

if TYPE_CHECKING:
    from cadran.analysis.answers import Answers
    from cadran.compute.results import Results
    from cadran.declare.model import Report

OTHER = "(other)"  # what several values were put together as


def values(results: Results, segment: str, kpis: Iterable[str]) -> list[str]:
    """The values of a segment that some of the KPIs have rows of, in order. What several were put together as is none."""
    names = set(kpis)
    found = {row.segment_value[0] for row in results.rows if row.kpi in names and row.segment == (segment,)}
    return sorted(found - {OTHER})


def put_together(results: Results, segment: str, kpis: Iterable[str]) -> bool:
    """Whether some values have no row of their own, as the segment shows only its largest."""
    names = set(kpis)
    return any(
        row.kpi in names and row.segment == (segment,) and row.segment_value == (OTHER,)
        for row in results.rows
    )


def narrowed(
    report: Report, results: Results, segment: str, value: str, kpis: Sequence[str]
) -> tuple[Report, Results]:
    """The report and the results in which ``value`` is the total. ``kpis`` are those that the report shows, in its order."""
    rows = _own(results.rows, segment, value)
    have = {row.kpi for row in rows if not row.segment}
    rows = [row for row in rows if row.kpi in have]
    shown = tuple(Text(name, report.place) for name in kpis if name in have)
    answers = _answers(results.answers, segment, value) if results.answers is not None else None
    return _report(report, shown, answers), replace(
        results, rows=tuple(rows), alerts=tuple(a for a in _own(results.alerts, segment, value) if a.kpi in have), kpis=tuple(t.value for t in shown),
        quality=tuple(replace(q, rejected=()) for q in results.quality), answers=answers, warnings=(), statements={}, reuse=(), measured=(), scanned=(), judging=(), judged={},
        notes=tuple(note for note in results.notes if note.kpi in have),
    )  # fmt: skip


def _own(some: Iterable[Any], segment: str, value: str) -> list[Any]:
    """Those about the value, which are no longer split by the segment."""
    out = []
    for one in some:
        names, held = one.segment, one.segment_value
        if segment not in names or held[at := names.index(segment)] != value:
            continue
        out.append(
            replace(one, segment=names[:at] + names[at + 1 :], segment_value=held[:at] + held[at + 1 :])
        )
    return out


def _report(report: Report, kpis: tuple[Text, ...], answers: Answers | None) -> Report:
    """It shows what is left, by name: a report that names nothing would show all there is."""

    def named(some: Iterable[str]) -> tuple[Text, ...]:
        return tuple(Text(name, report.place) for name in some)

    return replace(
        report, kpis=kpis, scores=(), forecasts=(), compare=None,
        funnels=named(answers.funnels) if answers else (), cohorts=named(answers.cohorts) if answers else (),
        pace=named(answers.pace) if answers else (),
    )  # fmt: skip


def _answers(answers: Answers, segment: str, value: str) -> Answers:
    """Funnels, cohorts and running periods of the value alone; scores, reasons and forecasts are about all."""
    from cadran.analysis.answers import Answers

    funnels = {
        n: replace(a, figures=tuple(_own(a.figures, segment, value))) for n, a in answers.funnels.items()
    }
    cohorts = {
        n: replace(a, matrices=tuple(_own(a.matrices, segment, value))) for n, a in answers.cohorts.items()
    }
    pace = {n: replace(a, figures=tuple(_own(a.figures, segment, value))) for n, a in answers.pace.items()}
    return Answers(
        funnels={n: a for n, a in funnels.items() if _has_total(a.figures)},
        cohorts={n: a for n, a in cohorts.items() if _has_total(a.matrices)},
        pace={n: a for n, a in pace.items() if _has_total(a.figures)},
    )


def _has_total(some: Iterable[Any]) -> bool:
    return any(not one.segment for one in some)
