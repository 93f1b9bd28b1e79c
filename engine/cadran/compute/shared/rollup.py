"""Cells put together to the table of a scan: over its spans, and for each of its segment sets."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from cadran.compute.bounds import as_text as bounds_text
from cadran.compute.lower import cast, column
from cadran.compute.scan import Grouping, Scan, as_text, dim
from cadran.compute.shared.days import STRETCH
from cadran.compute.shared.parts import CELLS, Whole
from cadran.compute.shared.statements import table
from cadran.compute.shared.timeline import Timeline
from cadran.compute.spans import midnight
from cadran.compute.timing import PERIOD

PERIOD_COLUMNS = {
    "span": "INTEGER", "start": "TIMESTAMP", "stop": "TIMESTAMP", "first": "INTEGER", "last": "INTEGER",
    "before": "INTEGER", "before_last": "INTEGER",
}  # fmt: skip


def period_rows(scan: Scan, timeline: Timeline | None) -> list[list[object]]:
    """Each span with its bounds and the stretches it is made of; ``before`` those of the period before it."""
    rows: list[list[object]] = []
    for span, number in scan.spans.items():
        bounds = bounds_text([midnight(span.start), span.stop])
        stretches = (
            (*timeline.of(span), *timeline.before(span)) if timeline is not None else (1, 1, None, None)
        )
        rows.append([number, *bounds, *stretches])
    return rows


def in_span() -> exp.Expr:
    """Whether a cell lies in a span."""
    return exp.Between(this=column(STRETCH, CELLS), low=column("first", PERIOD), high=column("last", PERIOD))


def rolled_up(scan: Scan, cells: str, wholes: Mapping[int, Whole], on: exp.Expr | None = None) -> exp.Select:
    """``span, segment, by_…, rows`` and for each whole ``mᵢ`` (where it has a value) and ``nᵢ``, by their numbers.

    ``on`` says which cells belong to a span, where it is not simply those that lie in it.
    """
    dims = {name: as_text(column(dim(name), CELLS), scan.kept.get(name)) for name in scan.names}
    grouping = Grouping(scan.sets, dims)
    rows = cast(exp.Sum(this=column("rows", CELLS)), "BIGINT")
    values = [exp.alias_(rows, "rows", quoted=True)]
    for number, found in wholes.items():
        if found.value is not None:
            values.append(exp.alias_(found.value.copy(), f"m{number}", quoted=True))
        values.append(exp.alias_(found.behind.copy(), f"n{number}", quoted=True))
    span = column("span", PERIOD)
    select = exp.Select(expressions=[span, *grouping.labels(), *values])
    select = select.from_(table(cells, CELLS), copy=False)
    select.append(
        "joins", exp.Join(this=table(scan.spans_table, PERIOD), on=on if on is not None else in_span())
    )
    return grouping.group(select, [span])
