"""Parts of datasets whose connectors cannot tell what has changed: by what the dataset itself declares.

``changed: updated_at`` asks, in one statement, for the number of rows and the last change in each month of the dataset's
date: a changed row has a later change, a deleted one is missing from the count, and one that took another's place with the
same time has another key, if keys are whole numbers. ``immutable: true`` takes the promise,
and counts rows only where a new one could matter to what is over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.calendar import Calendar, Grain
from cadran.compute.keeping.microseconds import LOWEST, Range, microseconds, since_epoch
from cadran.compute.loading.extents import WHOLE
from cadran.compute.lower import WithZone, cast, column, number
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import DATES, Joined, RowsBuilder
from cadran.compute.scanning.units import unit_start
from cadran.declare.model import Declaration
from cadran.formula.measures import ResolvedDataset, ref_of
from cadran.plugins.connector import Part
from cadran.problems import Problem
from cadran.state.index import digest

_NEVER = 2**62
UNSURE = ""  # the content of a part that may be changing just now
# A change is told late where it was written before others that were seen already; a day is longer than any transaction.
_QUIET = dt.timedelta(days=1)
_WHOLE = WHOLE | {"HUGEINT"}
_BUCKET, _ROWS, _STAMPED, _LAST, _SUM = "bucket", "rows", "stamped", "last_change", "sum_of_changes"
_KEYS, _PRIME = "sum_of_keys", 1_000_003


@dataclass(slots=True)
class Told:
    """What a dataset is told by: its parts, the range of its date in each, and the last of each of its dates."""

    parts: list[Part]
    ranges: list[Range]
    latest: dict[exp.Column, int] = field(default_factory=dict)


class Changes:
    """Asks for the changes of datasets; ``now`` is the wall clock, as it is the rows that change, not the run."""

    def __init__(
        self, declaration: Declaration, session: Places, rows: RowsBuilder, now: dt.datetime
    ) -> None:
        self.declaration, self.session, self.rows, self.now = declaration, session, rows, now
        self.calendar: Calendar = declaration.calendar
        self.problems: list[Problem] = []

    def told(self, dataset: str) -> Told | None:
        """None where nothing is declared that tells."""
        declared, found = self.declaration.datasets[dataset], self.rows.model.datasets[dataset]
        if declared.immutable:
            return Told([Part("all", "immutable")], [(LOWEST, -LOWEST)])
        if found.changed is None:
            return None
        kind = self._kind(dataset, found.changed)
        return None if kind is None else self._by_month(found, found.changed, kind)

    def check(self) -> list[Problem]:
        """What is declared of changes and cannot tell of any."""
        for name, found in self.rows.model.datasets.items():
            if found.changed is not None:
                self._kind(name, found.changed)
        return self.problems

    def bucket(self, dataset: str) -> exp.Column | None:
        """The date by whose months a dataset is told: its own, or the start of its validity, where that is a plain column."""
        found = self.rows.model.datasets[dataset]
        node = found.date if found.date is not None else (found.valid or (None,))[0]
        if node is None or ref_of(node)[0] or node.name in found.derived:
            return None
        return node if self.rows.kind(dataset, node) in DATES else None

    def counted(self, dataset: str) -> tuple[str, dict[exp.Column, int]]:
        """What tells all rows of an immutable dataset, and the last of each of its dates."""
        found = self.rows.model.datasets[dataset]
        table, nodes = self._ask(found, [exp.alias_(exp.Count(this=exp.Star()), _ROWS)], [])
        [row] = self.session.rows(self._read(table, [column(_ROWS)], nodes))
        return digest("immutable", row[0]), dict(zip(nodes, row[1:], strict=True))

    # --- by month -----------------------------------------------------------------------------------------------------

    def _kind(self, dataset: str, name: str) -> str | None:
        kind = self.rows.type_of(dataset, name)
        if kind in DATES or kind.startswith("TIMESTAMP"):
            return "time"
        if kind.split("(")[0] in _WHOLE or kind.startswith("DECIMAL"):
            return "number"
        text = self.declaration.datasets[dataset].changed
        where = text.place.position() if text is not None else None
        message = f"'{name}' holds {kind}, and changes are told by times or rising numbers"
        hint = "nothing of this dataset is kept; name a column such as updated_at"
        self.problems.append(Problem("changed-type", message, where, f"datasets.{dataset}", hint, "warning"))
        return None

    def _by_month(self, found: ResolvedDataset, name: str, kind: str) -> Told:
        by = self.bucket(found.name)
        stamp = column(name, found.name)
        total = exp.Sum(this=cast(stamp.copy(), "HUGEINT")) if kind == "number" else exp.null()
        selects = [
            exp.alias_(exp.Count(this=exp.Star()), _ROWS), exp.alias_(exp.Count(this=stamp), _STAMPED),
            exp.alias_(exp.Max(this=stamp.copy()), _LAST), exp.alias_(total, _SUM),
            exp.alias_(self._keys(found), _KEYS),
        ]  # fmt: skip
        read = [exp.column(n, quoted=True) for n in dict.fromkeys((name, *self._numbers(found)))]
        table, nodes = self._ask(found, selects, read, by)
        last = microseconds(column(_LAST)) if kind == "time" else exp.null()
        shown = [cast(column(n), "VARCHAR") for n in (_ROWS, _STAMPED, _LAST, _SUM, _KEYS)]
        bucket = cast(column(_BUCKET), "DATE") if by is not None else exp.null()
        rows = self.session.rows(self._read(table, [bucket, last, *shown], nodes))
        told, zoned = Told([], []), by is not None and self.rows.kind(found.name, by) == WithZone
        for month, changed, *said in rows:
            counts, latest = said[:5], said[5:]
            unsure = counts[0] != counts[1] or (
                changed is not None and changed > self._quiet(found.name, name)
            )
            told.parts.append(Part(str(month), UNSURE if unsure else digest("changed", str(month), counts)))
            told.ranges.append(self._range(month, zoned) if by is not None else (LOWEST, -LOWEST))
            for node, value in zip(nodes, latest, strict=True):
                told.latest[node] = max(told.latest.get(node, LOWEST), LOWEST if value is None else value)
        for node in nodes:
            told.latest.setdefault(node, LOWEST)
        return told

    def _numbers(self, found: ResolvedDataset) -> list[str]:
        """The columns of the key that hold whole numbers."""
        plain = (name for name in found.key if name not in found.derived)
        return [name for name in plain if self.rows.type_of(found.name, name).split("(")[0] in _WHOLE]

    def _keys(self, found: ResolvedDataset) -> exp.Expr:
        """A sum that tells which rows there are: one that took another's place, with the same time, has another key.

        Of remainders, since a sum of large keys would overflow where a database adds up in 64 bits.
        """
        total: exp.Expr | None = None
        for name in self._numbers(found):
            rest = exp.Mod(this=column(name, found.name), expression=number(str(_PRIME)))
            total = rest if total is None else exp.Add(this=total, expression=rest)
        return exp.null() if total is None else exp.Sum(this=cast(exp.Paren(this=total), "HUGEINT"))

    def _quiet(self, dataset: str, name: str) -> int:
        zoned = "ZONE" in self.rows.type_of(dataset, name)
        now = self.now if zoned else self.now.astimezone(self.calendar.zone).replace(tzinfo=None)
        return since_epoch(now - _QUIET)

    def _range(self, month: dt.date | None, zoned: bool) -> Range:
        """A month; for instants with a day on either side, as which month they lie in depends on the zone."""
        if month is None:
            return None
        day, period = dt.timedelta(days=1 if zoned else 0), self.calendar.period(Grain.MONTH, month)
        first, last = (dt.datetime.combine(d, dt.time()) for d in (period.start - day, period.end + day))
        return since_epoch(first), since_epoch(last) - 1

    # --- asking -------------------------------------------------------------------------------------------------------

    def _ask(
        self, found: ResolvedDataset, selects: Sequence[exp.Expr], more: Sequence[exp.Column], by: exp.Column | None = None
    ) -> tuple[str, list[exp.Column]]:  # fmt: skip
        """A small table with what is asked, by month where ``by`` is given, and the last of each date (``last_0`` …)."""
        nodes = [
            n
            for n in dict.fromkeys((found.date, *(found.valid or ())))
            if n is not None and not ref_of(n)[0] and n.name not in found.derived and self.rows.kind(found.name, n) in DATES
        ]  # fmt: skip
        wanted = [*nodes, *more, *([by] if by is not None else [])]
        tables = self.rows.build(self.rows.needs(found.name, wanted), visible=False)
        joined = Joined(self.rows, found.name, tables.final[found.name], tables.final)
        lasts = [
            exp.alias_(exp.Max(this=column(n.name, found.name)), f"last_{i}") for i, n in enumerate(nodes)
        ]
        start = unit_start("month", column(by.name, found.name)) if by is not None else None
        heads = [exp.alias_(start.copy(), _BUCKET)] if start is not None else []
        select = joined.select(*heads, *selects, *lasts)
        if start is not None:
            select = select.group_by(start, copy=False)
        name = f"changes_of_{found.name}"
        self.session.drop([name])
        self.session.create(name, tables.attach(select))
        return name, nodes

    def _read(self, table: str, selects: Sequence[exp.Expr], nodes: Sequence[exp.Column]) -> exp.Select:
        lasts = [_no_later(column(f"last_{i}")) for i in range(len(nodes))]
        return exp.Select(expressions=[*selects, *lasts]).from_(
            exp.to_identifier(table, quoted=True), copy=False
        )


def _no_later(last: exp.Expr) -> exp.Expr:
    """The last date of all; where that stands for "never", others may lie ahead as well."""
    ahead = exp.Case(
        ifs=[exp.If(this=exp.Not(this=exp.Is(this=last.copy(), expression=exp.null())), true=number(_NEVER))]
    )
    return exp.Coalesce(this=microseconds(last), expressions=[ahead])
