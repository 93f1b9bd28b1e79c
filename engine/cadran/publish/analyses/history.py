"""What a KPI's values were known to be: for the terminal, as JSON and as CSV, with what was restated when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from cadran.compute.results import joined
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.analyses.words import said
from cadran.publish.outputs import json_text
from cadran.publish.wording import GRAIN, N_, STATE, STATUS
from cadran.state.store.observations import Observed, same

if TYPE_CHECKING:
    from cadran.compute.results import Number
    from cadran.publish.figures import Figures

_MOST = 13  # periods of a table, so that the newest has that of a year before it
_GRAINS = list(GRAIN)
COLUMNS = (
    "kpi", "period", "period_end", "segment", "segment_value", "value", "base", "target", "target_high", "status", "state",
    "revision", "known", "until", "recorded", "restated", "before",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A revision; ``restated`` is when the period, which was final, last got another value, and ``before`` what it was then."""

    seen: Observed
    restated: dt.datetime | None = None
    before: Number | None = None


def lines(found: Iterable[Observed], *, every: bool) -> list[Line]:
    """What held of each period and segment value in the end, or ``every`` revision; the finest grain first."""
    out: list[Line] = []
    for _, group in groupby(sorted(found, key=_order), key=lambda o: o.key):
        of_period = _told(list(group))
        out += of_period if every else of_period[-1:]
    return out


def _order(seen: Observed) -> tuple[Any, ...]:
    grain = _GRAINS.index(seen.grain) if seen.grain in _GRAINS else len(_GRAINS)
    return grain, seen.ends or dt.date.max, seen.period, seen.segment, seen.segment_value, seen.revision


def _told(revisions: Sequence[Observed]) -> list[Line]:
    out = [Line(revisions[0])]
    for before, seen in pairwise(revisions):
        if before.state == "final" and not same(before.value, seen.value):
            out.append(Line(seen, seen.known, before.value))
        else:
            out.append(Line(seen, out[-1].restated, out[-1].before))
    return out


# --- for people ------------------------------------------------------------------------------------------------------


def sheets(
    found: Sequence[Line], figures: Figures, zone: dt.tzinfo, known_at: dt.datetime | None
) -> list[Sheet]:
    """A table for each grain: the newest periods, each with what it was, since when that is known, and what it was before."""
    return [
        _sheet(grain, list(group), figures, zone, known_at)
        for grain, group in groupby(found, key=lambda line: line.seen.grain)
    ]


def _sheet(
    grain: str, found: Sequence[Line], figures: Figures, zone: dt.tzinfo, known_at: dt.datetime | None
) -> Sheet:
    locale = figures.locale
    periods = list(dict.fromkeys(line.seen.period for line in found))
    shown = [line for line in found if line.seen.period in periods[-_MOST:]]
    cut = any(line.seen.segment for line in shown)
    heads = [N_("Period"), N_("Value"), N_("Target"), N_("Status"), N_("Known since")]
    named = [said(locale, head) for head in heads]
    if cut:
        named.insert(1, said(locale, "Segment"))
    rows = tuple(tuple(_cells(line, figures, zone, cut)) for line in shown)
    hidden = len(periods) - len(periods[-_MOST:])
    notes = [figures.ngettext(
        "1 earlier period: --period names one, --format csv shows all",
        "%(num)s earlier periods: --period names one, --format csv shows all", hidden,
    )] if hidden else []  # fmt: skip
    kpi = figures.label(found[0].seen.kpi)
    title = f"{kpi} · {said(locale, GRAIN[grain]) if grain in GRAIN else grain}"
    about = (
        said(locale, "as known at %(time)s", time=figures.form.instant(known_at.astimezone(zone)))
        if known_at is not None
        else said(locale, "as known now")
    )
    return Sheet(title, tuple(named), rows, about, words=1 + cut, notes=tuple(notes), last=2)


def _cells(line: Line, figures: Figures, zone: dt.tzinfo, cut: bool) -> Iterable[str]:
    seen, form = line.seen, figures.form
    kpi = figures.declaration.kpis.get(seen.kpi)
    unit = kpi.unit if kpi else ""
    yield form.period(seen.period)
    if cut:
        yield figures.segment(seen.segment_value, seen.segment)
    yield figures.figure(seen.value, unit).text
    yield form.bounds(seen.target, seen.target_high, unit) if seen.target is not None else ""
    status = said(figures.locale, STATUS[seen.status]) if seen.status in STATUS else seen.status
    state = "" if seen.state == "final" else said(figures.locale, STATE.get(seen.state, seen.state))
    yield f"{status} · {state}" if state else status
    yield _since(line, figures, zone, unit)


def _since(line: Line, figures: Figures, zone: dt.tzinfo, unit: str) -> str:
    seen = line.seen
    assert seen.known is not None, "it was recorded"
    since = figures.form.instant(seen.known.astimezone(zone))
    if line.restated is None:
        return since
    before = figures.figure(line.before, unit).text
    if line.restated == seen.known:
        return said(figures.locale, "%(since)s, restated: %(value)s before", since=since, value=before)
    day = figures.form.instant(line.restated.astimezone(zone))
    return said(
        figures.locale, "%(since)s, restated on %(day)s: %(value)s before", since=since, day=day, value=before
    )


# --- for programs ----------------------------------------------------------------------------------------------------


def records(found: Iterable[Line], zone: dt.tzinfo) -> list[dict[str, Any]]:
    """The fields of :data:`COLUMNS`; segments joined as in the output of a run."""
    return [_record(line, zone) for line in found]


def _record(line: Line, zone: dt.tzinfo) -> dict[str, Any]:
    seen = line.seen
    times = {"known": seen.known, "until": seen.until, "recorded": seen.recorded, "restated": line.restated}
    values = {name: getattr(seen, name) for name in COLUMNS if hasattr(seen, name)}
    values |= {name: time.astimezone(zone) if time else None for name, time in times.items()}
    values |= {"period_end": seen.ends, "before": line.before}
    values |= {"segment": joined(seen.segment), "segment_value": joined(seen.segment_value)}
    return {name: values[name] for name in COLUMNS}


def to_json(kpi: str, found: Sequence[Line], zone: dt.tzinfo, known_at: dt.datetime | None) -> str:
    """``{kpi, known_at, rows}``, a row a line; ``segment`` is a mapping, ``known_at`` null for now."""

    def row(line: Line) -> Mapping[str, Any]:
        out = _record(line, zone)
        del out["segment_value"]
        return out | {"segment": dict(zip(line.seen.segment, line.seen.segment_value, strict=True))}

    rows = ",\n".join(f"    {json_text(row(line))}" for line in found)
    when = json_text(known_at.astimezone(zone) if known_at is not None else None)
    body = f"[\n{rows}\n  ]" if rows else "[]"
    return f'{{\n  "kpi": {json_text(kpi)},\n  "known_at": {when},\n  "rows": {body}\n}}\n'


def to_csv(found: Iterable[Line], zone: dt.tzinfo) -> str:
    """The columns of :data:`COLUMNS`; no data is an empty field, times are ISO with their offset."""
    import csv
    import io

    from cadran.publish.outputs import plain

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records(found, zone):
        writer.writerow([v.isoformat() if isinstance(v, dt.datetime) else plain(v) for v in record.values()])
    return out.getvalue()
