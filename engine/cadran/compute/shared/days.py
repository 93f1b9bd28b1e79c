"""The table by which rows find their stretch of time: one row a day, or an hour where timestamps have a zone."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from sqlglot import exp

from cadran.compute.bounds import as_text
from cadran.compute.lower import WithZone, cast, column, number, text
from cadran.compute.shared.statements import call, table
from cadran.compute.shared.timeline import Ticks, Timeline, units
from cadran.compute.spans import Span

DAYS = "days"  # what the table is called in statements
STRETCH = "stretch"


class Maker(Protocol):
    """Makes the temporary tables of a run (see Session)."""

    def fill(self, table: str, columns: dict[str, str], rows: list[list[object]]) -> None: ...

    def create(self, table: str, select: exp.Expr) -> None: ...


class Days:
    """One timeline's table, made when it is first joined. ``first`` and ``last`` are the data's days."""

    def __init__(
        self, name: str, timeline: Timeline, first: dt.date, last: dt.date, *, within: Iterable[Span] = (), bounds: bool = False
    ) -> None:  # fmt: skip
        """``within`` are the spans of which ``in_period`` asks whether two timestamps lie in the same one.

        With ``bounds`` the table says when each stretch begins.
        """
        self.name, self.timeline, self.bounds = name, timeline, bounds
        self.ticks = timeline.ticks(first, last)
        self.zoned = timeline.zoned
        cuts = [(tick.stretch, tick.later) for tick in self.ticks if tick.later is not None]
        self.cut = bool(cuts)
        runs = [timeline.of(span) for span in within]
        self.units = units(runs, cuts) if runs else {}

    @property
    def widest(self) -> int:
        """The most stretches in which a timestamp can lie that shares a span with another."""
        return max(Counter(self.units.values()).values(), default=0)

    def make(self, maker: Maker) -> None:
        ranges = f"{self.name}_from_to"
        maker.fill(ranges, self._columns(), [self._row(tick) for tick in self.ticks])
        first, last = column("first"), column("last")
        if self.zoned:
            after = exp.Add(this=last, expression=number(1))
            tick: exp.Expr = call("unnest", call("range", first, after))
        else:
            step = exp.Interval(this=text("1"), unit=exp.var("DAY"))
            tick = cast(call("unnest", call("generate_series", first, last, step)), "DATE")
        kept = [name for name in self._columns() if name not in ("first", "last")]
        select = exp.Select(
            expressions=[exp.alias_(tick, self._tick, quoted=True), *(column(name) for name in kept)]
        )
        maker.create(self.name, select.from_(exp.table_(ranges, db="temp", quoted=True), copy=False))

    @property
    def _tick(self) -> str:
        return "hour" if self.zoned else "day"

    def _columns(self) -> dict[str, str]:
        number_ = (
            "UTINYINT"
            if self.timeline.count < 256
            else "USMALLINT"
            if self.timeline.count < 65536
            else "INTEGER"
        )
        bound = "BIGINT" if self.zoned else "DATE"
        moment = "TIMESTAMPTZ" if self.zoned else "TIMESTAMP"
        cut = {"cut": moment, "later": number_} if self.cut else {}
        unit = {"unit": number_} if self.units else {}
        begins = {"begins": moment} if self.bounds else {}
        return {STRETCH: number_, "first": bound, "last": bound, **cut, **unit, **begins}

    def _row(self, tick: Ticks) -> list[object]:
        cut = as_text([tick.cut])[0] if tick.cut is not None else None
        unit = [self.units.get(tick.stretch)] if self.units else []
        begins = self._begins(tick.stretch) if self.bounds else []
        return [tick.stretch, tick.first, tick.last, *([cut, tick.later] if self.cut else []), *unit, *begins]

    def _begins(self, stretch: int) -> list[str | None]:
        return [as_text([self.timeline.bounds[stretch - 1]])[0] if stretch else None]

    # --- in a statement -----------------------------------------------------------------------------------------------

    def join(self, moment: exp.Expr, kind: str, alias: str = DAYS, side: str = "") -> exp.Join:
        """Brings the day (hour) of ``moment``, whose type is ``kind``."""
        if kind == WithZone:
            tick: exp.Expr = exp.IntDiv(
                this=call("epoch_us", moment.copy()), expression=number(3_600_000_000)
            )
        else:
            tick = moment.copy() if kind == "DATE" else cast(moment.copy(), "DATE")
        on = exp.EQ(this=column(self._tick, alias), expression=tick)
        return exp.Join(this=table(self.name, alias), on=on, **({"side": side} if side else {}))

    def stretch(self, moment: exp.Expr, alias: str = DAYS) -> exp.Expr:
        """The number of the stretch that ``moment`` lies in, once its day is joined."""
        if not self.cut:
            return column(STRETCH, alias)
        behind = exp.GTE(this=moment.copy(), expression=column("cut", alias))
        return exp.Case(
            ifs=[exp.If(this=behind, true=column("later", alias))], default=column(STRETCH, alias)
        )

    def bound(self, moment: exp.Expr, alias: str = DAYS) -> exp.Expr:
        """When the stretch that ``moment`` lies in begins."""
        begins = column("begins", alias)
        if not self.cut:
            return begins
        behind = exp.GTE(this=moment.copy(), expression=column("cut", alias))
        return exp.Case(ifs=[exp.If(this=behind, true=column("cut", alias))], default=begins)

    def stretch_within(self, moment: exp.Expr, alias: str) -> exp.Expr:
        """That of another timestamp, if it can lie in one span with the row at all."""
        together = exp.EQ(this=column("unit", alias), expression=column("unit", DAYS))
        return exp.Case(ifs=[exp.If(this=together, true=self.stretch(moment, alias))])
