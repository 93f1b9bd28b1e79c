"""Values as both stores hold them: instants, exact numbers, lists of names."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Number = int | Decimal | float


class Instant(TypeDecorator[dt.datetime]):
    """A point in time, as text in UTC that sorts as time does: ``2026-03-07T06:00:00.000000Z``."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else _instant(value)


class Figure(TypeDecorator[Number]):
    """A number as it was computed: exact ones as they are written, floats with a ``~`` before them (``~0.1``)."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Number | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return f"~{value!r}" if isinstance(value, float) else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Number | None:
        if value is None:
            return None
        if value.startswith("~"):
            return float(value[1:])
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)


class Names(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts, as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(list(value), ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else _names(value)


# The same few stand in thousands of rows.
@lru_cache(maxsize=4096)
def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@lru_cache(maxsize=4096)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))
