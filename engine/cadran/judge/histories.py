"""The histories that alert rules are judged over, from computed cells; and which alerts stand at their end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cadran.calendar import Calendar
from cadran.compute.cells.computed import Cell, ComputedSeries, finest
from cadran.compute.results import Alert, Judging
from cadran.declare.model import AlertRule
from cadran.judge.alerts import replay
from cadran.judge.compare import number

Member = tuple[tuple[str, ...], tuple[str, ...]]  # segment, and its values


def judging(series: ComputedSeries, calendar: Calendar) -> Iterator[Judging]:
    """Rule by rule, and segment value by segment value, as far as there are final periods."""
    members = _final(series)
    if not members:
        return
    labels = [calendar.label(period) for period in series.periods]
    for index, resolved in enumerate(series.kpi.rules):
        if not _is_judged(series, resolved.rule):
            continue
        for (segment, values), cells in members.items():
            if in_scope(resolved.rule, segment):
                yield Judging(
                    series.kpi.kpi.name, resolved.rule, str(series.grain), segment, values,
                    tuple(labels[c.position] for c in cells), tuple(c.conditions[index] for c in cells),
                    tuple((number(c.value), number(c.target)) for c in cells),
                )  # fmt: skip


def newest(series: ComputedSeries, calendar: Calendar) -> str:
    """The label of the newest final period; empty where there is none."""
    final = [p for p, state in zip(series.periods, series.states, strict=True) if state == "final"]
    return calendar.label(final[-1]) if final else ""


def _final(series: ComputedSeries) -> Mapping[Member, Sequence[Cell]]:
    """The final cells of each segment value, oldest first."""
    out: dict[Member, list[Cell]] = {}
    for cell in series.cells:
        if series.states[cell.position] == "final":
            out.setdefault((cell.segment, cell.segment_value), []).append(cell)
    return out


def _is_judged(series: ComputedSeries, rule: AlertRule) -> bool:
    return (rule.grain or finest(series.kpi.kpi.periods)) is series.grain


def in_scope(rule: AlertRule, segment: tuple[str, ...]) -> bool:
    if rule.scope == "each":
        return True
    return not segment if rule.scope == "total" else bool(segment) and set(segment) <= set(rule.scope)


def answers(one: Judging) -> Iterator[tuple[str, bool | None, bool | None]]:
    """(label, condition, clear) of each period, in order."""
    return ((label, *said) for label, said in zip(one.periods, one.answers, strict=True))


def standing(one: Judging) -> Alert | None:
    """The alert that stands after the newest period, if one does: replayed from nothing."""
    rule, found = one.rule, replay(one.rule, answers(one))
    if found.state == "ok":
        return None
    value, target = one.figures[-1]
    known = (label for label, (breach, _) in zip(one.periods, one.answers, strict=True) if breach is not None)
    return Alert(
        kpi=one.kpi,
        rule=rule.name,
        condition=rule.when.value,
        severity=rule.severity,
        state=found.state,
        grain=one.grain,
        period=one.periods[-1],
        since=found.since,
        segment=one.segment,
        segment_value=one.segment_value,
        value=value,
        target=target,
        reason=found.reason,
        judged=list(known)[-1] if rule.on_missing == "keep" else "",
    )
