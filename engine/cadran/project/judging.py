"""From values to results: beside what they are compared with, with their status, and with alerts as they stand."""

from __future__ import annotations

from collections.abc import Sequence

from cadran.compute.cells.computed import Computed
from cadran.compute.examining.found import unmet
from cadran.compute.planning.selection import check_values, kept
from cadran.compute.results import Results
from cadran.compute.spans import Clock
from cadran.declare.model import Declaration
from cadran.declare.settings import masked
from cadran.judge import compare, histories
from cadran.problems import Problem, in_order


def judged(
    declaration: Declaration,
    computed: Computed,
    clock: Clock,
    warnings: Sequence[Problem],
    segment: Sequence[str] = (),
) -> Results:
    """Of all segments, or of the one that is asked for. Raises ProblemsFound where no row has the value that is."""
    calendar = declaration.calendar
    rows = [row for series in computed.series for row in compare.rows(series, calendar)]
    check_values(rows, segment)
    warnings = [*warnings, *(p for series in computed.series for p in compare.unseen_targets(series))]
    judging = tuple(one for series in computed.alerts for one in histories.judging(series, calendar))
    alerts = [alert for one in judging if (alert := histories.standing(one)) is not None]
    warnings += unmet(declaration, computed.quality)
    return Results(
        tuple(kept(rows, segment)), clock.instant.astimezone(calendar.zone), declaration, tuple(alerts),
        tuple(computed.quality), tuple(in_order(masked(warnings, declaration.unsaid))), computed.statements, computed.kpis,
        tuple(note for note in computed.notes if note.kpi in declaration.kpis), tuple(computed.reuse), tuple(computed.measured), tuple(computed.scanned),
        judging=judging, judged={(s.kpi.kpi.name, str(s.grain)): histories.newest(s, calendar) for s in computed.alerts},
        rests={s.kpi.kpi.name: s.datasets for s in computed.alerts}, measured_on={s.kpi.kpi.name: s.measured for s in computed.series},
    )  # fmt: skip
