"""Cells put together to the table of a scan: over its spans, and for each of its segment sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.bounds import as_text as bounds_text
from cadran.compute.lower import cast, column, named, text
from cadran.compute.scanning.scan import Grouping, Scan, as_text, dim, label_of
from cadran.compute.scanning.timing import PERIOD
from cadran.compute.shared.days import STRETCH
from cadran.compute.shared.parts import CELLS, Whole
from cadran.compute.shared.statements import table
from cadran.compute.shared.timeline import Timeline
from cadran.compute.spans import Span, midnight
from cadran.formula.measures import Measure

PERIOD_COLUMNS = {
    "span": "INTEGER", "start": "TIMESTAMP", "stop": "TIMESTAMP", "first": "INTEGER", "last": "INTEGER",
    "before": "INTEGER", "before_last": "INTEGER", "whole": "INTEGER",
}  # fmt: skip
_ROLLED = "rolled"


def period_rows(scan: Scan, timeline: Timeline | None, wholes: Mapping[Span, int]) -> list[list[object]]:
    """Each span with its bounds and the stretches it is made of; ``before`` those of the period before it.

    ``whole`` is the span's number among all spans of its grain.
    """
    rows: list[list[object]] = []
    for span, number in scan.spans.items():
        bounds = bounds_text([midnight(span.start), span.stop])
        stretches = (
            (*timeline.of(span), *timeline.before(span)) if timeline is not None else (1, 1, None, None)
        )
        rows.append([number, *bounds, *stretches, wholes.get(span)])
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
            values.append(named(found.value.copy(), f"m{number}"))
        values.append(named(found.behind.copy(), f"n{number}"))
    span = column("span", PERIOD)
    select = exp.Select(expressions=[span, *grouping.labels(), *values])
    select = select.from_(table(cells, CELLS), copy=False)
    select.append(
        "joins", exp.Join(this=table(scan.spans_table, PERIOD), on=on if on is not None else in_span())
    )
    return grouping.group(select, [span])


@dataclass(frozen=True, slots=True)
class Sheet:
    """All scans of one grain rolled up at once: every measure over every span and segment set, by ``numbers``."""

    scan: Scan
    numbers: Mapping[Measure, int]
    valueless: Collection[Measure]

    def of(self, scan: Scan) -> exp.Select:
        """One scan's rows. A measure that cells hold no value of brings its ``nᵢ`` alone."""
        heads = [
            column("span", PERIOD),
            *(column(name, _ROLLED) for name in ["segment", *map(dim, scan.names)]),
        ]
        values: list[exp.Expr] = [column("rows", _ROLLED)]
        for number, measure in enumerate(scan.measures):
            if measure not in self.numbers:  # another table of cells has it
                continue
            for letter in "mn" if measure not in self.valueless else "n":
                found = column(f"{letter}{self.numbers[measure]}", _ROLLED)
                values.append(named(found, f"{letter}{number}"))
        select = exp.Select(expressions=[*heads, *values]).from_(table(self.scan.name, _ROLLED), copy=False)
        on = exp.EQ(this=column("whole", PERIOD), expression=column("span", _ROLLED))
        select.append("joins", exp.Join(this=table(scan.spans_table, PERIOD), on=on))
        labels = [text(label_of(segments)) for segments in scan.sets]
        return select.where(exp.In(this=column("segment", _ROLLED), expressions=labels), copy=False)
