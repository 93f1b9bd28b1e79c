"""Every period of a series meets every segment value: the table that values are put into, and the scans joined to it.

Series with the same periods and segment values share one grid, and so one statement.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from sqlglot import exp

from cadran.calendar import Calendar
from cadran.compute.lower import both, cast, column, named, number, text
from cadran.compute.planning.plan import Placed, Series
from cadran.compute.scanning.scan import Scan, dim, label_of

FRAME, MEMBERS = "frame", "members"


def likeness(series: Series) -> Hashable:
    """What series that can share a grid have in common."""
    presence = tuple((p.scan.name, p.sets, p.spans) for p in series.presence)
    return series.grain, series.first, tuple(series.periods), tuple(series.sets), presence


class Grid:
    """That of ``series`` and all that are like it. ``table`` names its periods."""

    def __init__(self, series: Series, calendar: Calendar, table: str) -> None:
        self.series, self.calendar, self.table = series, calendar, table
        self.names = list(dict.fromkeys(n for segments in series.sets for n in segments))
        self._spans: dict[tuple[int | None, ...], str] = {}
        self._joins: dict[tuple[str, str, bool], tuple[str, Scan]] = {}

    # --- what leaves see ----------------------------------------------------------------------------------------------

    def span(self, placed: Placed) -> str:
        """The frame's column with the number of the span that a leaf sees (nothing: no data)."""
        return self._spans.setdefault(placed.spans, f"span_{len(self._spans)}")

    def alias(self, placed: Placed, *, total: bool) -> str:
        """The join that brings a leaf's values, of each segment value or of the total."""
        spans = self.span(placed)
        name = f"{placed.scan.name}_at_{spans}" + "_total" * total
        return self._joins.setdefault((placed.scan.name, spans, total), (name, placed.scan))[0]

    # --- the frame ----------------------------------------------------------------------------------------------------

    def columns(self) -> dict[str, str]:
        return {"position": "INTEGER", "period": "VARCHAR", **dict.fromkeys(self._spans.values(), "INTEGER")}

    def rows(self) -> list[list[object]]:
        """One row per period."""
        labels = [self.calendar.label(p) for p in self.series.periods]
        return [[i, label, *(spans[i] for spans in self._spans)] for i, label in enumerate(labels)]

    # --- SQL ----------------------------------------------------------------------------------------------------------

    def select(self, columns: Mapping[str, exp.Expr]) -> exp.Select:
        """``position, segment, by_…`` and these columns. Whatever they need has to be asked for before."""
        heads = [
            column("position", FRAME), column("segment", MEMBERS), *(column(dim(n), MEMBERS) for n in self.names)
        ]  # fmt: skip
        select = exp.Select(expressions=[*heads, *(named(v, n) for n, v in columns.items())])
        frame = exp.Table(this=exp.to_identifier(self.table, quoted=True))
        select = select.from_(exp.alias_(frame, FRAME, table=True, quoted=True), copy=False)
        select = select.join(exp.to_identifier(MEMBERS, quoted=True), join_type="CROSS", copy=False)
        for (_, spans, total), (alias, scan) in self._joins.items():
            select.append("joins", self._join(scan, spans, total, alias))
        return select.with_(exp.to_identifier(MEMBERS, quoted=True), as_=self._members(), copy=False)

    def _members(self) -> exp.Expr:
        """The total, and every segment value with rows in the output's periods."""
        nothing = [exp.alias_(cast(exp.null(), "VARCHAR"), dim(n), quoted=True) for n in self.names]
        out: exp.Expr = exp.Select(expressions=[exp.alias_(text(""), "segment", quoted=True), *nothing])
        for placed in self.series.presence:
            sets = [s for s in self.series.sets if s and s in placed.sets]
            if not sets:
                continue
            columns = [
                column("segment"),
                *(
                    column(dim(n))
                    if n in placed.scan.names
                    else exp.alias_(cast(exp.null(), "VARCHAR"), dim(n), quoted=True)
                    for n in self.names
                ),
            ]
            seen = exp.Select(expressions=columns, distinct=exp.Distinct())
            seen = seen.from_(exp.to_identifier(placed.scan.name, quoted=True), copy=False)
            of_sets = exp.In(this=column("segment"), expressions=[text(label_of(s)) for s in sets])
            in_range = exp.In(
                this=column("span"), expressions=[number(str(s)) for s in dict.fromkeys(placed.spans)]
            )
            out = exp.union(out, seen.where(both(of_sets, in_range), copy=False), distinct=True, copy=False)
        return out

    def _join(self, scan: Scan, spans: str, total: bool, alias: str) -> exp.Join:
        on: list[exp.Expr | None] = [exp.EQ(this=column("span", alias), expression=column(spans, FRAME))]
        if total:
            on.append(exp.EQ(this=column("segment", alias), expression=text("")))
        else:
            on.append(exp.EQ(this=column("segment", alias), expression=column("segment", MEMBERS)))
            shared = [dim(n) for n in self.names if n in scan.names]
            on += [exp.NullSafeEQ(this=column(n, alias), expression=column(n, MEMBERS)) for n in shared]
        table = exp.alias_(
            exp.Table(this=exp.to_identifier(scan.name, quoted=True)), alias, table=True, quoted=True
        )
        return exp.Join(this=table, side="LEFT", on=both(*on))
