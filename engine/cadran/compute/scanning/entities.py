"""Measures that need two steps: rows are reduced to entities (per span and segment value), then entities counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from cadran.compute.lower import both, clock_as, column, text
from cadran.compute.results import joined as joined_names
from cadran.compute.scanning.rows import aggregate, rows_behind
from cadran.compute.scanning.timing import PERIOD, Moment
from cadran.formula.measures import Measure, ref_node

if TYPE_CHECKING:
    from cadran.compute.scanning.scan import Frame

_COUNTED = frozenset({"new", "retained", "lost", "count_having"})
_DEAR = frozenset({"count_distinct", "active", "converted", "median", "quantile", "stddev"})
_ENTITIES = "entities"


def needs_two_steps(measure: Measure) -> bool:
    if measure.timing == "flow":
        return measure.function in _COUNTED
    return measure.timing == "kept" or (measure.timing == "gone" and measure.function == "count_distinct")


def stands_alone(measure: Measure) -> bool:
    """Whether a measure has a scan of its own, so that it is computed for no segments but its own.

    Besides those of two steps, whatever has to go through all rows again for each segment set.
    """
    return needs_two_steps(measure) or measure.function in _DEAR


def statement(frame: Frame, measure: Measure) -> exp.Select:
    """The whole SELECT for one measure, without its CTEs."""
    if measure.timing == "kept":
        return _kept(frame, measure)
    if measure.timing == "flow" and measure.function == "new":
        return _new(frame, measure)
    return _counted(frame, measure)


def _entity(frame: Frame, measure: Measure) -> tuple[exp.Expr, exp.Expr]:
    """The key, and the filter of the rows that have one."""
    node = measure.entity if measure.timing == "kept" else measure.argument
    assert node is not None
    entity = frame.lower(node)
    known = exp.Not(this=exp.Is(this=entity.copy(), expression=exp.null()))
    condition = frame.lower(measure.condition) if measure.condition is not None else None
    where = both(condition, known, _visible(frame, measure), frame.hull(measure.function))
    assert where is not None
    return entity, where


def _visible(frame: Frame, measure: Measure) -> exp.Expr | None:
    """Under ``dated`` a row whose other date lies after the clock has not happened yet."""
    if frame.scan.date is None or frame.rows.model.datasets[measure.dataset].ahead:
        return None
    moment = frame.meeting.moment("date")
    return exp.LTE(this=moment.sql, expression=clock_as(moment.kind, frame.clock))


def _flag(condition: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(exp.Anonymous(this="bool_or", expressions=[condition]), name, quoted=True)


def _count(frame: Frame, inner: exp.Select, span_from: str) -> exp.Select:
    """Counts the entities of ``inner`` by span and segment."""
    heads = [
        column("span", span_from),
        column("segment", _ENTITIES),
        *(column(f"by_{n}", _ENTITIES) for n in frame.scan.names),
    ]
    values = [
        exp.alias_(exp.Count(this=exp.Star(), big_int=True), n, quoted=True) for n in ("rows", "m0", "n0")
    ]
    outer = exp.Select(expressions=[*heads, *values])
    outer = outer.from_(exp.alias_(exp.Subquery(this=inner), _ENTITIES, table=True, quoted=True), copy=False)
    return outer.group_by(*(h.copy() for h in heads), copy=False)


def _new(frame: Frame, measure: Measure) -> exp.Select:
    """The first row ever of each entity, then the span that it lies in."""
    entity, where = _entity(frame, measure)
    moment = frame.meeting.moment("date")
    first = exp.alias_(exp.Min(this=moment.sql), "first_seen", quoted=True)
    inner = frame.joined.select(*frame.labels(), first).where(where, copy=False)
    inner = frame.group(inner, [entity])
    outer = _count(frame, inner, PERIOD)
    seen = Moment(column("first_seen", _ENTITIES), moment.kind, moment.unit)
    outer.append("joins", frame.spans_join(seen.within()))
    return outer


def _counted(frame: Frame, measure: Measure) -> exp.Select:
    """Entities per span with flags, of which those that fit are counted."""
    entity, where = _entity(frame, measure)
    span = column("span", PERIOD)
    on, flags, keep = _reduction(frame, measure)
    having = frame.lower(measure.having) if measure.having is not None else None
    inner = frame.joined.select(span, *frame.labels(), *flags)
    inner.append("joins", frame.spans_join(on))
    inner = frame.group(inner.where(where, copy=False), [span, entity])
    if having is not None:
        inner.set("having", exp.Having(this=having))
    outer = _count(frame, inner, _ENTITIES)
    return outer.where(keep, copy=False) if keep is not None else outer


def _reduction(frame: Frame, measure: Measure) -> tuple[exp.Expr, list[exp.Expr], exp.Expr | None]:
    """How rows meet spans, the flags of an entity, and which flags make it count."""
    if measure.function == "count_having":
        return frame.meeting.condition("flow"), [], None
    if measure.timing == "gone":
        flags = [
            _flag(frame.meeting.valid_before(b), n) for b, n in (("start", "opened"), ("stop", "closed"))
        ]
        left = exp.And(this=column("opened", _ENTITIES), expression=exp.Not(this=column("closed", _ENTITIES)))
        return frame.meeting.at_either_end(), flags, left
    moment = frame.meeting.moment("date")
    now = exp.GTE(this=moment.sql, expression=moment.bound("start"))
    flags = [_flag(now, "now"), _flag(moment.before("start"), "before")]
    is_now = column("now", _ENTITIES)
    wanted = is_now if measure.function == "retained" else exp.Not(this=is_now)
    keep = exp.And(this=column("before", _ENTITIES), expression=wanted)
    return moment.within("before"), flags, keep


def _kept(frame: Frame, measure: Measure) -> exp.Select:
    """The closing rows of entities that have an opening row, by span and within each segment set."""
    entity, where = _entity(frame, measure)
    span = column("span", PERIOD)
    opened, closed = frame.meeting.valid_before("start"), frame.meeting.valid_before("stop")
    argument = frame.argument(measure)
    selects = [span, exp.alias_(exp.Paren(this=closed), "closed", quoted=True)]
    selects += [exp.alias_(node.copy(), f"by_{name}", quoted=True) for name, node in frame.dims.items()]
    for index, segments in enumerate(frame.scan.sets):
        window = exp.Window(
            this=exp.Anonymous(this="bool_or", expressions=[opened.copy()]),
            partition_by=[span.copy(), entity.copy(), *(frame.dims[n].copy() for n in segments)],
        )
        selects.append(exp.alias_(window, f"kept_{index}", quoted=True))
    if argument is not None:
        selects.append(exp.alias_(argument, "argument", quoted=True))
    inner = frame.joined.select(*selects)
    inner.append("joins", frame.spans_join(frame.meeting.at_either_end()))
    inner = inner.where(where, copy=False)
    return _kept_outer(frame, measure, inner)


def _kept_outer(frame: Frame, measure: Measure, inner: exp.Select) -> exp.Select:
    plain = Measure(
        measure.dataset,
        measure.function,
        measure.origin,
        argument=ref_node((), "argument") if measure.argument is not None else None,
        fraction=measure.fraction,
    )
    argument = column("argument", _ENTITIES) if measure.argument is not None else None
    frame.dims = {name: column(f"by_{name}", _ENTITIES) for name in frame.dims}
    values = []
    for which, name in ((aggregate, "m0"), (rows_behind, "n0")):
        ifs = []
        for index, segments in enumerate(frame.scan.sets):
            counted = exp.And(this=column("closed", _ENTITIES), expression=column(f"kept_{index}", _ENTITIES))
            value = exp.Filter(this=which(plain, frame.lower, argument), expression=exp.Where(this=counted))
            ifs.append(exp.If(this=_is_set(frame, segments), true=value))
        values.append(exp.alias_(exp.Case(ifs=ifs), name, quoted=True))
    span = column("span", _ENTITIES)
    rows = exp.alias_(exp.Count(this=exp.Star(), big_int=True), "rows", quoted=True)
    outer = exp.Select(expressions=[span, *frame.labels(), rows, *values])
    outer = outer.from_(exp.alias_(exp.Subquery(this=inner), _ENTITIES, table=True, quoted=True), copy=False)
    return frame.group(outer, [span])


def _is_set(frame: Frame, segments: tuple[str, ...]) -> exp.Expr:
    """Whether the output row belongs to this grouping set."""
    label = frame.labels()[0]
    assert isinstance(label, exp.Alias)
    return exp.EQ(this=exp.Paren(this=label.this), expression=text(joined_names(sorted(segments))))
