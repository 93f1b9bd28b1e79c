"""The type of each column, from all of its values.

A column is what all its values look like. What looks like dates and mostly is dates is a column of dates, and
those that do not exist (30 February) are bad values of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cadran.plugins.typed.shapes import Rule, Shapes

if TYPE_CHECKING:
    import duckdb

_SAMPLE = 1000  # rows that rule out most types cheaply; what is left is held to every row
_MOST_DIGITS = 38  # DuckDB's widest decimal
_EXACT = ("integer", "decimal")  # what fits the shape is a value; only the width is to be found
_COUNTS = 4  # what _tests asks of each column


@dataclass(frozen=True, slots=True)
class Column:
    """How column ``index`` of the staged rows is read: by the first of ``rules`` that fits, or as text."""

    index: int
    type: str = "VARCHAR"
    rules: tuple[Rule, ...] = ()
    sure: bool = False  # every value has been seen to fit

    @property
    def x(self) -> str:
        return f"c{self.index}"

    def convert(self) -> str:
        if not self.rules:
            return self.x
        if self.sure:
            return self.rules[0].cast.format(x=self.x)
        cases = [f"WHEN {r.fits(self.x)} THEN {r.cast.format(x=self.x)}" for r in self.rules]
        return f"CAST(CASE {' '.join(cases)} END AS {self.type})"

    def bad(self) -> str:
        return f"({self.x} IS NOT NULL AND {self.convert()} IS NULL)"


class TooWide(Exception):
    """A column of decimals that no decimal type can hold exactly."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def columns(
    con: duckdb.DuckDBPyConnection, shapes: Shapes, types: Sequence[str], kinds: Sequence[set[str]]
) -> list[Column]:
    """One per column: as declared in ``types``, else inferred among ``kinds`` (empty: all)."""
    decided = {i: Column(i, t, tuple(shapes.declared(t))) for i, t in enumerate(types) if t}
    open_ = {i: _candidates(shapes, kinds[i]) for i, t in enumerate(types) if not t}
    _rule_out(con, open_)
    while open_:
        for i in [i for i, rules in open_.items() if not rules]:
            decided[i] = Column(i)
            del open_[i]
        decided.update(_round(con, shapes, open_))
    return [decided[i] for i in range(len(types))]


def _candidates(shapes: Shapes, kinds: set[str]) -> list[Rule]:
    """The rules to try; what a file says is a number, a text or a date is never read as another thing."""
    if kinds == {"boolean"}:
        wanted = {"boolean"}
    elif kinds == {"number"}:
        wanted = {"integer", "decimal", "double"}
    elif kinds <= {"text", "date"} and kinds:
        wanted = {"date", "timestamp"}
    else:
        wanted = set() if kinds else {"boolean", "integer", "decimal", "double", "date", "timestamp"}
    return [rule for rule in shapes.inferred() if rule.kind in wanted]


def _rule_out(con: duckdb.DuckDBPyConnection, open_: dict[int, list[Rule]]) -> None:
    tests = [(i, rule) for i, rules in open_.items() for rule in rules]
    if tests:
        wanted = ", ".join(f"bool_and({rule.fits(f'c{i}')})" for i, rule in tests)
        row = _row(con, f"SELECT {wanted} FROM (SELECT * FROM raw LIMIT {_SAMPLE})")
        for (i, rule), fits in zip(tests, row, strict=True):
            if fits is False:
                open_[i].remove(rule)


def _round(con: duckdb.DuckDBPyConnection, shapes: Shapes, open_: dict[int, list[Rule]]) -> dict[int, Column]:
    """Hold every undecided column to its first candidate over all rows; what fits is decided and taken out."""
    if not open_:
        return {}
    tests = ", ".join(_tests(rules[0], f"c{i}", shapes) for i, rules in open_.items())
    row = _row(con, f"SELECT {tests} FROM raw")
    decided = {}
    for n, (i, rules) in enumerate(list(open_.items())):
        fits, values, *counts = row[n * _COUNTS : (n + 1) * _COUNTS]
        rule = _settled(i, rules[0], values, counts, shapes) if fits else None
        if rule or not values:
            sure = rule is not None and (rule.kind in _EXACT or counts[0] == values)
            decided[i] = Column(i, rule.type, (rule,), sure) if rule and values else Column(i)
            del open_[i]
        elif fits and rules[0].kind == "integer":
            rules.clear()  # too long for any integer: ids, which a float would garble
        else:
            rules.pop(0)
    return decided


def _tests(rule: Rule, x: str, shapes: Shapes) -> str:
    first = f"bool_and({rule.fits(x)}), count({x})"
    if rule.kind not in _EXACT:
        return f"{first}, count({rule.cast.format(x=x)}), 0"
    plain = f"ltrim({shapes.plain.format(x=x)}, '-')"
    if rule.kind == "integer":
        return f"{first}, max(strlen({plain})), 0"
    fraction = f"strlen({plain}) - instr({plain} || '.', '.')"  # -1 where there is no point
    return f"{first}, max(strlen({plain}) - greatest({fraction}, -1) - 1), max(greatest({fraction}, 0))"


def _settled(i: int, rule: Rule, values: int, counts: Sequence[int], shapes: Shapes) -> Rule | None:
    """The rule with its final type, or None if it will not do after all."""
    if rule.kind == "integer":
        if counts[0] < len("9223372036854775807"):
            return rule
        return shapes.number("integer", "DECIMAL(38,0)", rule.shape) if counts[0] <= _MOST_DIGITS else None
    if rule.kind == "decimal":
        whole, scale = counts
        if whole + scale > _MOST_DIGITS:
            raise TooWide(i)
        return shapes.number("decimal", f"DECIMAL({max(18, whole + scale)},{scale})", rule.shape)
    if rule.kind in ("date", "timestamp"):
        return rule if counts[0] * 2 > values else None
    return rule if counts[0] == values else None


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    [row] = con.execute(sql).fetchall()
    return row
