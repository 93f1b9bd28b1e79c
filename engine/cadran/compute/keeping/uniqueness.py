"""Keys that are known to be unique: within each part, and over parts that share none.

Two parts whose keys lie in ranges apart cannot share one; ids that rise with time are proven so without reading a row.
Where ranges overlap, the keys of new parts are looked for in the others.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlglot import exp

from cadran.compute.examining.keys import bits_set, fits_bits
from cadran.compute.keeping.behind import Behind
from cadran.compute.keeping.parts import PART, Chunk, Parts
from cadran.compute.keeping.tokens import Tokens
from cadran.compute.loading.extents import WHOLE
from cadran.compute.lower import cast, column, number
from cadran.compute.scanning.rows import Joined, Tables
from cadran.state.index import digest

_ORDERED = WHOLE | {"HUGEINT", "DECIMAL"}
_Ends = tuple[Any, Any]


class Uniqueness:
    def __init__(self, parts: Parts, tokens: Tokens) -> None:
        self.parts, self.tokens = parts, tokens
        self.kept, self.definitions = parts.kept, parts.definitions

    def proven(self, dataset: str, keys: Sequence[str]) -> bool | None:
        """True where the key is unique and never empty, False where it is not; None where that cannot be told by parts."""
        chunks, behind = self.parts.of(dataset), self._behind(dataset, keys)
        if not chunks or not behind.local:
            return None
        said = digest("unique", self.definitions.behind(behind), list(keys))
        known = {c.label: self.kept.fact(self._key(said, c)) for c in chunks}
        steady = self.tokens.steady(dataset, ())
        missing = [c for c in chunks if known[c.label] is None or c.label not in steady]
        if missing:
            asked = self._stated(dataset, keys, missing) or self._within(dataset, keys, missing)
            if asked is None:
                return None
            for chunk in missing:
                known[chunk.label] = asked.get(chunk.label, [])
                if known[chunk.label] is not False and chunk.label in steady:
                    self.kept.learn(self._key(said, chunk), known[chunk.label])
        if any(known[c.label] is False for c in chunks):
            return False
        return self._across(dataset, keys, chunks, known, said)

    def _behind(self, dataset: str, keys: Sequence[str]) -> Behind:
        behind = self.definitions.reader.rows(dataset)
        for key in keys:
            self.definitions.reader.add(behind, exp.column(key, quoted=True))
        return behind

    def _key(self, said: str, chunk: Chunk) -> str:
        return digest(said, self.parts.settings_of(chunk), chunk.part.content)

    def _stated(self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk]) -> dict[str, Any] | None:
        """The same as :meth:`_within` by what files state of one key; None where that leaves any doubt."""
        kind = self.parts.rows.type_of(dataset, keys[0])
        if len(keys) != 1 or kind not in WHOLE or keys[0] in self.parts.model.datasets[dataset].derived:
            return None
        found = [self.parts.extent(chunk, keys[0]) for chunk in chunks]
        extents = [e for e in found if e is not None and e.filled == e.rows]
        if len(extents) < len(chunks):
            return None
        out: dict[str, Any] = {
            c.label: [[str(e.first), str(e.last)]] if e.rows else []
            for c, e in zip(chunks, extents, strict=True)
        }
        rows, filled = sum(e.rows for e in extents), [e for e in extents if e.rows]
        if not rows:
            return out
        low, high = min(e.first for e in filled), max(e.last for e in filled)
        source = self.parts.source(dataset, chunks) if fits_bits(low, high, rows) else None
        if source is None:
            return None
        counted = exp.Select(expressions=[bits_set(column(keys[0], "t"), low, high)])
        counted = counted.from_(exp.alias_(source, "t", table=True), copy=False)
        return out if self.parts.session.rows(counted)[0][0] == rows else None

    # --- within a part ------------------------------------------------------------------------------------------------

    def _within(self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk]) -> dict[str, Any] | None:
        """By part: False where a key repeats or is empty, else the first and last of each of its columns as text."""
        made = self._rows(dataset, keys, chunks)
        if made is None:
            return None
        tables, joined = made
        part = column(PART, joined.root)
        ordered = [k for k in keys if self._ordered(dataset, k)]
        selects: list[exp.Expr] = [part, exp.Count(this=exp.Star())]
        for key in keys:
            node = column(key, joined.root)
            selects.append(exp.Count(this=node))
            for which in (exp.Min, exp.Max):
                value = which(this=node.copy()) if key in ordered else exp.null()
                selects.append(cast(value, "VARCHAR"))
        rows = self.parts.session.rows(
            tables.attach(joined.select(*selects).group_by(part.copy(), copy=False))
        )
        out: dict[str, Any] = {}
        for label, count, *rest in rows:
            filled = all(rest[3 * i] == count for i in range(len(keys)))
            out[str(label)] = (
                [[rest[3 * i + 1], rest[3 * i + 2]] for i in range(len(keys))] if filled else False
            )
        if not self._none_repeats(dataset, keys, chunks, rows):
            for label in self._repeating(dataset, keys, chunks):
                out[label] = False
        return out

    def _none_repeats(
        self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk], found: Sequence[tuple[Any, ...]]
    ) -> bool:
        """Whether no key stands twice in all these parts together, as far as bits can tell; ``found`` is what they hold."""
        filled = sum(row[2] for row in found)
        if len(keys) != 1 or self.parts.rows.type_of(dataset, keys[0]) not in WHOLE or not filled:
            return False
        ends = [(int(row[3]), int(row[4])) for row in found if row[2]]
        low, high = min(first for first, _ in ends), max(last for _, last in ends)
        made = self._rows(dataset, keys, chunks)
        if made is None or not fits_bits(low, high, filled):
            return False
        tables, joined = made
        counted = joined.select(bits_set(column(keys[0], joined.root), low, high))
        return bool(self.parts.session.rows(tables.attach(counted))[0][0] == filled)

    def _repeating(self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk]) -> list[str]:
        """The parts in which a key stands twice."""
        made = self._rows(dataset, keys, chunks)
        assert made is not None
        tables, joined = made
        groups = [column(PART, joined.root), *(column(k, joined.root) for k in keys)]
        select = joined.select(exp.alias_(groups[0].copy(), PART, quoted=True)).group_by(*groups, copy=False)
        select.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=number(1))))
        found = self.parts.session.rows(tables.attach(select.limit(len(chunks), copy=False)))
        return [str(row[0]) for row in found]

    def _rows(
        self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk]
    ) -> tuple[Tables, Joined] | None:
        source = self.parts.source(dataset, chunks)
        if source is None:
            return None
        rows = self.parts.rows.over({dataset: source})
        tables = rows.build({(dataset, ""), (dataset, PART), *((dataset, k) for k in keys)})
        return tables, Joined(rows, dataset, tables.final[dataset], tables.final)

    def _ordered(self, dataset: str, key: str) -> bool:
        """Whether a column's values can be compared here as DuckDB compares them."""
        kind = self.parts.rows.type_of(dataset, key)
        return kind.split("(")[0] in _ORDERED or kind in ("VARCHAR", "DATE")

    # --- over all parts -----------------------------------------------------------------------------------------------

    def _across(
        self, dataset: str, keys: Sequence[str], chunks: Sequence[Chunk], known: dict[str, Any], said: str
    ) -> bool:
        together, steady = digest(said, "together"), self.tokens.steady(dataset, ())
        before = set(self.kept.fact(together) or ())
        contents = {c: f"{c.table.source}.{c.table.table} {c.part.content}" for c in chunks}
        times = Counter(contents.values())
        known_before = {
            c for c in chunks if c.label in steady and contents[c] in before and times[contents[c]] == 1
        }
        ranges = {c.label: self._ranges(dataset, keys, known[c.label]) for c in chunks}
        near = self._near(chunks, [c for c in chunks if c not in known_before], ranges)
        if near and not self._share_none(dataset, keys, near, [c for c in near if c not in known_before]):
            return False
        self.kept.learn(together, sorted(contents[c] for c in chunks if c.label in steady))
        return True

    def _ranges(self, dataset: str, keys: Sequence[str], raw: Any) -> list[_Ends | None]:
        """The ends of each key column in Python's order; None where there are none that could be compared."""
        if not raw:
            return []
        kinds = [self.parts.rows.type_of(dataset, k).split("(")[0] for k in keys]
        return [_ends(kind, *ends) for kind, ends in zip(kinds, raw, strict=True)]

    def _near(
        self, chunks: Sequence[Chunk], new: Sequence[Chunk], ranges: dict[str, list[_Ends | None]]
    ) -> list[Chunk]:
        """The new parts that may share a key with another one, and those others."""
        filled = [c for c in chunks if ranges[c.label]]
        columns = len(next(iter(ranges.values()), [])) if not filled else len(ranges[filled[0].label])
        for at in range(columns):
            ends = [(e[0], e[1]) for c in filled if (e := ranges[c.label][at]) is not None]
            if len(ends) == len(filled) and all(a[1] < b[0] for a, b in pairwise(sorted(ends))):
                return []
        out: dict[Chunk, None] = {}
        for one in new:
            for other in filled:
                if (
                    one is not other
                    and ranges[one.label]
                    and not _apart(ranges[one.label], ranges[other.label])
                ):
                    out |= {one: None, other: None}
        return list(out)

    def _share_none(
        self, dataset: str, keys: Sequence[str], near: Sequence[Chunk], new: Sequence[Chunk]
    ) -> bool:
        made = self._rows(dataset, keys, near)
        assert made is not None
        tables, joined = made
        groups = [column(k, joined.root) for k in keys]
        select = joined.select(*(exp.alias_(g.copy(), f"k{i}") for i, g in enumerate(groups)))
        if len(new) < len(near):
            inner, alias = Joined(joined.rows, dataset, joined.table, joined.versions, alias="newer"), "newer"
            among = exp.In(this=column(PART, alias), expressions=[c.number for c in new])
            wanted = inner.select(*(column(k, alias) for k in keys)).where(among, copy=False)
            whole: exp.Expr = (
                groups[0].copy() if len(groups) == 1 else exp.Tuple(expressions=[g.copy() for g in groups])
            )
            select = select.where(exp.In(this=whole, query=exp.Subquery(this=wanted)), copy=False)
        select = select.group_by(*groups, copy=False)
        select.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=number(1))))
        return not self.parts.session.rows(tables.attach(select.limit(1, copy=False)))


def _apart(one: Sequence[_Ends | None], other: Sequence[_Ends | None]) -> bool:
    """Whether some column's values lie in ranges that do not meet: then no two keys are the same."""
    return any(
        a is not None and b is not None and (a[1] < b[0] or b[1] < a[0])
        for a, b in zip(one, other, strict=True)
    )


def _ends(kind: str, first: str | None, last: str | None) -> _Ends | None:
    if first is None or last is None:
        return None
    try:
        return _value(kind, first), _value(kind, last)
    except ValueError:  # a date beyond Python's
        return None


def _value(kind: str, written: str) -> Any:
    if kind == "VARCHAR":
        return written
    return dt.date.fromisoformat(written) if kind == "DATE" else Decimal(written)
