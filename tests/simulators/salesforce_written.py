"""Values as Salesforce writes them: numbers as Java does, times with thousandths, CSV with every value in quotes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.simulators.salesforce_objects import Row


class Number(str):
    """A number as it stands in JSON."""

    __slots__ = ()


def number(value: Decimal) -> str:
    """``602.0``, and from ten millions on ``1.2345678E7``."""
    plain = format(value.normalize(), "f")
    if abs(value) >= 10_000_000:
        sign, digits, exponent = value.normalize().as_tuple()
        text = "".join(map(str, digits))
        assert isinstance(exponent, int)
        return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{len(text) - 1 + exponent}"
    return plain if "." in plain else f"{plain}.0"


def written(row: Row, fields: Sequence[str]) -> dict[str, Any]:
    return {name: _json(row[name]) for name in fields}


def in_json(value: Any) -> str:
    """JSON in which :class:`Number` stands without quotes."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{in_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(in_json, value)) + "]"
    return json.dumps(value)


def in_csv(rows: Iterable[Row], fields: Sequence[str]) -> str:
    lines = [",".join(f'"{name}"' for name in fields)]
    lines += [",".join(_quoted(row[name]) for name in fields) for row in rows]
    return "\n".join(lines) + "\n"


def _json(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    if isinstance(value, dt.date):
        return value.isoformat()
    return Number(number(value)) if isinstance(value, Decimal) else value


def _quoted(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return '"true"' if value else '"false"'
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime('"%Y-%m-%dT%H:%M:%S.000Z"')
    if isinstance(value, Decimal):
        return f'"{number(value)}"'
    return '"' + str(value).replace('"', '""') + '"'
