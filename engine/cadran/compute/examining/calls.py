"""Calls of functions that plugins add, held to what the plugin says: kinds of arguments, and the kind that DuckDB gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from cadran.compute.loading.embedded import QueryError
from cadran.compute.lower import cast
from cadran.compute.placing.places import Places
from cadran.declare.model import Declaration
from cadran.formula.functions import Called, Functions, in_duckdb
from cadran.problems import Problem

_INTEGERS = frozenset({
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
})  # fmt: skip
_FITS = {
    "text": {"VARCHAR"}, "integer": _INTEGERS, "number": {*_INTEGERS, "DECIMAL", "FLOAT", "DOUBLE"},
    "double": {*_INTEGERS, "DECIMAL", "FLOAT", "DOUBLE"}, "date": {"DATE", "TIMESTAMP"}, "timestamp": {"DATE", "TIMESTAMP"},
    "boolean": {"BOOLEAN"},
}  # fmt: skip
_GIVEN = {**_FITS, "date": {"DATE"}, "timestamp": {"TIMESTAMP"}}
_LIKE = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DECIMAL(18, 2)", "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}  # fmt: skip
_WORDS = {
    "text": "text", "integer": "whole numbers", "number": "numbers", "double": "numbers", "date": "dates", "timestamp": "dates or times",
    "boolean": "true or false",
}  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def misdefined(declaration: Declaration, functions: Functions, session: Places) -> Iterator[Problem]:
    """Functions whose DuckDB meaning cannot be computed, or is not of the kind that the plugin says."""
    for called in functions:
        if called.short is None and (wrong := _wrong(called, session)):
            added = declaration.added.functions[called.name]
            where = declaration.plugin_places[added.plugin].position()
            message = f"the function '{called.name}' of {called.where_from} cannot be used: {wrong}"
            yield Problem("bad-function", message, where, "plugins", "its author can put that right")


def _wrong(called: Called, session: Places) -> str:
    kinds = called.function.takes
    arguments: list[exp.Expr] = [cast(exp.null(), _LIKE[k]) if k in _LIKE else exp.null() for k in kinds]
    # Without the cast that follows it in statements, which would hide what it gives.
    bare = in_duckdb(called, arguments, as_given=True)
    try:
        (kind,) = session.types(exp.Select(expressions=[exp.alias_(bare, "x")])).values()
    except QueryError as error:
        return f"its SQL for 'duckdb' does not work: {error.message}"
    wanted = called.function.gives
    fits = _base(kind) in _GIVEN.get(wanted, ()) or kind == '"NULL"' or "any" in kinds
    return "" if fits else f"it says that it gives {_WORDS[wanted]}, and its SQL for 'duckdb' gives {kind}"


def ill_fed(
    node: exp.Expr, functions: Functions, type_of: Callable[[exp.Expr], str], words: Callable[[str], str]
) -> tuple[str, str] | None:
    """Message and hint of the first call whose argument is of a kind that the function does not take."""
    for inner in node.find_all(exp.Anonymous):
        called = functions.of(inner)
        if called is None:
            continue
        for number, (argument, wanted) in enumerate(
            zip(inner.expressions, called.function.takes, strict=True)
        ):
            kind = type_of(argument) if wanted in _FITS else ""
            if kind and kind != '"NULL"' and _base(kind) not in _FITS[wanted]:
                which = _ORDINALS[number] if number < len(_ORDINALS) else f"{number + 1}th"
                what = f"the {which} argument of {called.name}()" if len(inner.expressions) > 1 else f"the argument of {called.name}()"  # fmt: skip
                return f"{what} is {_WORDS[wanted]}, not {words(kind)}", f"write {called.function.signature}"
    return None


def _base(kind: str) -> str:
    base = kind.split("(")[0]
    return "TIMESTAMP" if base.startswith("TIMESTAMP") else base
