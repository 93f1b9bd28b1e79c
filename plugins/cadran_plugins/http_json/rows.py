"""One row of an answer: what it holds for each column, and whether it says that it is gone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from cadran.plugins.typed.values import BOOLEANS
from cadran_plugins.http_json.paths import MISSING, find
from cadran_plugins.http_json.settings import DAY, Declared, Field, Marked, as_number

_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_BARE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)?")
# Seconds of 2001 to 2033, which would be twelve days of January 1970 if they were taken for milliseconds.
_SECONDS = (10**9, 2 * 10**9)
_COMMA = re.compile(r"[-+]?([0-9]{1,3}([. '’\u00a0\u202f][0-9]{3})+|[0-9]+)(,[0-9]+)?")
_NOT_MARKED = (MISSING, None, False, "")


def split(
    table: Declared, rows: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows that are gone, and the rest."""
    if table.marked is None and not table.delta:
        return [], list(rows)
    gone: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for row in rows:
        (gone if _is_gone(table, row) else kept).append(row)
    return gone, kept


def _is_gone(table: Declared, row: Mapping[str, Any]) -> bool:
    if table.marked is not None:
        return _is_marked(table.marked, find(row, table.marked.path))
    # OData: "@removed" since 4.01, before that a context that ends so (Dynamics 365).
    return "@removed" in row or str(row.get("@odata.context", "")).endswith("/$deletedEntity")


def _is_marked(marked: Marked, value: Any) -> bool:
    if marked.value is None:
        return not any(value is no or value == no for no in _NOT_MARKED)
    if marked.type == "BOOLEAN":  # as the column is read: yes and 1 are true
        return BOOLEANS.get(str(value).casefold()) is marked.value
    if isinstance(marked.value, Decimal):
        return as_number(value) == marked.value
    return str(value).casefold() == str(marked.value).casefold()  # true, "true" and True are one


def unmet(paths: set[str], rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Those of the paths at which none of the rows holds anything, be it null."""
    left = set(paths)
    for row in rows:
        if not left:
            break
        left = {path for path in left if path not in row and find(row, path) is MISSING}
    return left


def key(table: Declared, row: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    """The key of a row that is gone; OData has it under ``id``, whatever the column is called."""
    out = flat(row, fields)
    if table.delta and len(fields) == 1 and out.get(fields[0].name) is None:
        out[fields[0].name] = row.get("id")
    return out


def flat(row: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in fields:
        value = row[column.path] if column.path in row else find(row, column.path)
        if value is not MISSING:
            out[column.name] = _instant(value, column.format) if column.format else value
    return out


def columns(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> list[Sequence[Any]]:
    """The same of many rows, column by column."""
    found = _at(rows, [column.path for column in fields])
    return [
        [_instant(value, column.format) for value in found[column.path]]
        if column.format
        else found[column.path]
        for column in fields
    ]


def _at(rows: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> dict[str, Sequence[Any]]:
    """What stands at each path; None where that is nothing."""
    from cadran.plugins.typed.records import turned

    keys = set().union(*rows)
    plain = [path for path in paths if "." not in path]
    found = dict(zip(plain, turned(rows, plain), strict=True))
    below: dict[str, list[str]] = {}
    for path in paths:
        if path not in keys and path.count(".") == 1:
            below.setdefault(path.partition(".")[0], []).append(path)
    for key, inner in below.items():
        objects = [row.get(key) for row in rows]
        if set(map(type, objects)) == {dict}:
            rests = [path.partition(".")[2] for path in inner]
            found.update(zip(inner, turned(cast("list[dict[str, Any]]", objects), rests), strict=True))
    for path in paths:
        if path not in found:  # some rows may hold it as a key, and others by its parts
            values = (find(row, path) for row in rows)
            found[path] = [None if value is MISSING else value for value in values]
    return found


def _instant(value: Any, format_: str) -> Any:
    """Seconds or milliseconds since 1970, or a time without a zone, as an instant; what is none stays, and is set aside for what it is."""
    if format_ == "comma" or "%" in format_:
        return _written(value, format_)
    if format_ == "utc":
        return f"{value}Z" if isinstance(value, str) and _BARE.fullmatch(value) else value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return value
    try:
        number = Decimal(value) / (1000 if format_ == "epoch_ms" else 1)
        if format_ == "epoch_ms" and _SECONDS[0] <= number * 1000 < _SECONDS[1]:
            return value
        return (_START + dt.timedelta(microseconds=int(number * 1_000_000))).isoformat()
    except (ArithmeticError, ValueError):
        return value


def _written(value: Any, format_: str) -> Any:
    """A number with a comma, a day or a time of another form, as they are usually written."""
    if format_ == "comma":
        return _with_point(value) if isinstance(value, str) and value else value
    pattern = format_.removeprefix(DAY)
    try:
        moment = dt.datetime.strptime(str(value), pattern)
    except ValueError:
        return value
    return moment.isoformat() if pattern == format_ else moment.date().isoformat()


def _with_point(text: str) -> str:
    """1.234,56 as 1234.56; what is no such number in quotes, so that 12.50 is not taken for one with a point."""
    return re.sub(r"[^-+\d,]", "", text).replace(",", ".") if _COMMA.fullmatch(text) else repr(text)
