"""What a value of each type looks like as text, and the SQL that turns the one into the other.

A conversion is NULL where the text is not exactly such a value: nothing is rounded, trimmed or guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from cadran.plugins.typed import patterns

TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ZONE = "(Z| UTC|[+-][0-9]{2}(:?[0-9]{2})?)"


class Signs(Protocol):
    """How numbers and dates are written."""

    @property
    def decimal(self) -> str: ...
    @property
    def thousands(self) -> str: ...
    @property
    def date_format(self) -> str | None: ...
    @property
    def timestamp_format(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Plain:
    """Numbers with a point, dates as 2026-03-31."""

    decimal: str = "."
    thousands: str = ""
    date_format: str | None = None
    timestamp_format: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to read a text: ``shape`` is a regular expression, ``cast`` SQL with ``{x}`` for the text."""

    kind: str
    type: str
    shape: str
    cast: str

    def fits(self, x: str) -> str:
        return f"regexp_full_match({x}, {literal(self.shape)})"

    def convert(self, x: str) -> str:
        return f"CASE WHEN {self.fits(x)} THEN {self.cast.format(x=x)} END"


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


class Shapes:
    """The rules that hold where values are written with some signs."""

    def __init__(self, options: Signs) -> None:
        self._sign = re.escape(options.decimal)
        plain = f"replace({{x}}, {literal(options.thousands)}, '')" if options.thousands else "{x}"
        self.plain = f"replace({plain}, ',', '.')" if options.decimal == "," else plain
        group = re.escape(options.thousands)
        groups = f"|[1-9][0-9]{{0,2}}({group}[0-9]{{3}})+" if options.thousands else ""
        self._whole = f"(0|[1-9][0-9]*{groups})"
        self._digits = f"([0-9]+{groups})"
        self._dates = [_written(options.date_format, "date")] if options.date_format else []
        self._times = [_written(options.timestamp_format, "timestamp")] if options.timestamp_format else []
        self._dates.append(Rule("date", "DATE", _DAY, "TRY_CAST({x} AS DATE)"))
        self._times.append(Rule("timestamp", "TIMESTAMP", f"{_DAY}({_CLOCK})?", "TRY_CAST({x} AS TIMESTAMP)"))
        self._times.append(
            Rule("timestamp", TIMESTAMPTZ, _DAY + _CLOCK + _ZONE, f"TRY_CAST({{x}} AS {TIMESTAMPTZ})")
        )

    def inferred(self) -> list[Rule]:
        """What a column may turn out to be, the first that fits all its values; text fits everything.

        A number with an exponent is one only if a point or a sign gives it away: 1e-5, 1.5E10, but not 12E4.
        """
        s = self._sign
        number = f"-?({self._whole}({s}[0-9]*)?|{s}[0-9]+)"
        science = f"-?{self._whole}({s}[0-9]+[eE][-+]?|[eE][-+])[0-9]+"
        return [
            Rule("boolean", "BOOLEAN", "(?i)true|false", "lower({x}) = 'true'"),
            Rule("integer", "BIGINT", f"-?{self._whole}", f"TRY_CAST({self.plain} AS BIGINT)"),
            Rule("decimal", "DECIMAL", number, self.plain),
            Rule("double", "DOUBLE", f"{number}|{science}", self._finite()),
            *self._dates,
            *self._times,
        ]

    def number(self, kind: str, type_: str, shape: str) -> Rule:
        """An inferred number, once its width is known."""
        return Rule(kind, type_, shape, f"TRY_CAST({self.plain} AS {type_})")

    def declared(self, type_: str) -> list[Rule]:
        """The ways to write a value of a declared type; none for text, which may be anything."""
        if type_ == "VARCHAR":
            return []
        if type_ == "BOOLEAN":
            yes, no = "true|t|yes|y|1", "false|f|no|n|0"
            return [Rule("boolean", type_, f"(?i){yes}|{no}", f"regexp_full_match({{x}}, '(?i){yes}')")]
        if type_ == "DATE":
            return self._dates
        if type_.startswith("TIMESTAMP"):
            return [rule for rule in self._times if rule.type == type_]
        s = self._sign
        if type_ == "DOUBLE":
            shape = f"[-+]?({self._digits}({s}[0-9]*)?|{s}[0-9]+)([eE][-+]?[0-9]+)?"
            return [Rule("double", type_, shape, self._finite())]
        scale = int(type_[:-1].split(",")[1]) if type_.startswith("DECIMAL") else 0
        fraction = f"([0-9]{{1,{scale}}}0*|0+)" if scale else "0+"  # more digits than fit may only be zeros
        shape = f"[-+]?({self._digits}({s}{fraction}?)?|{s}{fraction})"
        return [self.number("number", type_, shape)]

    def _finite(self) -> str:
        cast = f"TRY_CAST({self.plain} AS DOUBLE)"
        return f"CASE WHEN isfinite({cast}) THEN {cast} END"


def _written(pattern: str, kind: str) -> Rule:
    """The rule of a ``date_format`` or ``timestamp_format``."""
    type_ = "DATE" if kind == "date" else TIMESTAMPTZ if patterns.zoned(pattern) else "TIMESTAMP"
    sql = literal(pattern).replace("{", "{{").replace("}", "}}")
    return Rule(kind, type_, patterns.shape(pattern), f"CAST(try_strptime({{x}}, {sql}) AS {type_})")
