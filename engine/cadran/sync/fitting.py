"""Whether a value fits the type of its column: exactly, or not at all. All as SQL over an incoming column."""

from __future__ import annotations

import re

from cadran.sync.store import quoted, text

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_DAY = "[0-9]+-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?"
_ZONE = (
    "(Z| UTC|[+-][0-9]{2}(:?[0-9]{2})?)"  # a time without one is no instant, and with one it is no local time
)
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")  # fmt: skip


def fitted(column: str, has: str, wants: str) -> str:
    """The value in the type that is wanted, NULL where it does not fit."""
    name = quoted(column)
    return name if has == wants else f"TRY_CAST({name} AS {wants})"


def misfit(column: str, has: str, wants: str) -> str:
    """A condition: there is a value, and it does not fit. Empty where all fit."""
    if has == wants or wants == "VARCHAR":
        return ""
    name, cast = quoted(column), fitted(column, has, wants)
    return f"({name} IS NOT NULL AND ({cast} IS NULL OR NOT ({_exact(name, cast, has, wants)})))"


def _exact(name: str, cast: str, has: str, wants: str) -> str:
    """Whether nothing is lost: a cast rounds, and cuts, in silence."""
    if has != "VARCHAR":
        return f"TRY_CAST({cast} AS {has}) IS NOT DISTINCT FROM {name}"
    if wants in _INTEGERS:
        return f"regexp_full_match({name}, '\\s*[-+]?[0-9]+\\s*')"
    if found := _DECIMAL.fullmatch(wants):
        return f"regexp_full_match({name}, '\\s*[-+]?[0-9]*(\\.[0-9]{{0,{found[2]}}}0*)?\\s*')"
    if wants == "BOOLEAN":
        return f"lower({name}) IN ('true', 'false')"
    if wants in ("DOUBLE", "FLOAT"):
        return f"regexp_full_match({name}, '\\s*[-+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?\\s*') AND isfinite({cast})"
    if wants.startswith("TIMESTAMP"):
        zone = _ZONE if wants.endswith("TIME ZONE") else ""
        return f"regexp_full_match({name}, '\\s*{_DAY}[ T]{_CLOCK}{zone}\\s*')"
    if wants == "DATE":
        return f"regexp_full_match({name}, '\\s*{_DAY}\\s*')"
    return "true"


def reason(column: str, has: str, wants: str) -> str:
    """Why such a value was set aside, as SQL."""
    shown = f"left(CAST({quoted(column)} AS VARCHAR), 60)"
    return f"{text(f'{column}: ')} || {shown} || {text(f' is no {wants}' if has == 'VARCHAR' else f' ({has}) does not fit {wants}')}"
