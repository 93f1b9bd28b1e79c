"""What columns a table has, and where their values stand in a record: Pipedrive's own fields by name, a team's by their labels.

A team's fields stand under keys of 40 characters, choices as numbers: neither is ever shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.plugins import Column, column_names

Record = Mapping[str, Any]
#: What records hold, column by column: the values at each path.
Values = Mapping[tuple[str, ...], Sequence[Any]]
#: From a column's values as they stand in records to those that the table has.
Reader = Callable[[Sequence[Any]], Sequence[Any]]

#: No currency has more than four decimals; what has is computed, and no amount of money.
MONEY = "DECIMAL(18,4)"
#: What Pipedrive itself keeps and computes as a float.
NUMBER = "DOUBLE"
MOMENT = "TIMESTAMP WITH TIME ZONE"
_SIMPLE = {"varchar": "VARCHAR", "varchar_auto": "VARCHAR", "varchar_options": "VARCHAR", "boolean": "BOOLEAN", "text": "VARCHAR", "phone": "VARCHAR", "double": NUMBER, "int": "BIGINT", "date": "DATE", "time": "VARCHAR", "user": "BIGINT", "org": "BIGINT", "people": "BIGINT"}  # fmt: skip
#: Types of several parts: what is added to the label, which part it is, and its type.
_PARTS = {
    "monetary": (("", "", MONEY), (" currency", "currency", "VARCHAR")),
    "daterange": (("", "", "DATE"), (" until", "until", "DATE")),
    "timerange": (("", "", "VARCHAR"), (" until", "until", "VARCHAR")),
    "address": (("", "", "VARCHAR"), (" country", "country", "VARCHAR"), (" locality", "locality", "VARCHAR"), (" postal code", "postal_code", "VARCHAR")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where its values stand in a record, and what is made of them, None for values that are kept as they are. ``key`` is
    that of a team's own field, whatever its label."""

    column: Column
    path: tuple[str, ...]
    read: Reader | None = None
    key: str = ""


def columns(fields: Sequence[Field], values: Values) -> list[Sequence[Any]]:
    """A table's columns, from what its records hold."""
    found = ((values[field.path], field.read) for field in fields)
    return [column if read is None else read(column) for column, read in found]


def own(*named: tuple[str, str] | tuple[str, str, str]) -> list[Field]:
    """Pipedrive's fields: the column's name, its type, and where it stands in the record if not under that name: ``value.amount`` is a
    part of what stands under ``value``."""
    return [_own(name, type_, *(path[0] if path else name).split(".")) for name, type_, *path in named]


def _own(name: str, type_: str, key: str, part: str = "") -> Field:
    read = _each(lambda found: found.get(part) if isinstance(found, dict) else None) if part else None
    return Field(Column(name, type_), (key,), read)


def primary(name: str, key: str) -> Field:
    """The first among several addresses or numbers."""

    def first(entries: Any) -> Any:
        chosen = [entry for entry in entries if entry.get("primary")] or list(entries)
        return chosen[0].get("value") if chosen else None

    return Field(Column(name, "VARCHAR"), (key,), _each(first))


def _each(read: Callable[[Any], Any]) -> Reader:
    def column(values: Sequence[Any]) -> Sequence[Any]:
        if values.count(None) == len(values):
            return values
        return [None if value is None else read(value) for value in values]

    return column


def custom(definitions: Iterable[Record], taken: Iterable[str], *, flat: bool = False) -> list[Field]:
    """A team's own fields; ``flat``: as v1 has them, beside the others."""
    wanted: list[tuple[str, str, str, Reader | None, str]] = []
    for field in sorted(_own_fields(definitions), key=lambda f: (str(f["field_name"]), str(f["field_code"]))):
        label, key, type_ = str(field["field_name"]), str(field["field_code"]), str(field["field_type"])
        if type_ in _PARTS:
            for more, part, kind in _PARTS[type_]:
                flat_key = f"{key}_{part}" if part and flat else key
                wanted.append((label + more, kind, flat_key, None if flat else _part(part), key))
        elif type_ in ("enum", "set"):
            wanted.append((label, "VARCHAR", key, _labels(field, nested=not flat), key))
        elif type_ in _SIMPLE:
            wanted.append((label, _SIMPLE[type_], key, None if flat else _part(""), key))
        else:
            wanted.append((label, "JSON", key, None, key))
    names = column_names((label for label, *_ in wanted), taken)
    within = () if flat else ("custom_fields",)
    return [Field(Column(name, type_), (*within, place), read, key) for name, (_, type_, place, read, key) in zip(names, wanted, strict=True)]  # fmt: skip


def choice(name: str, key: str, definitions: Iterable[Record]) -> Field:
    """One of Pipedrive's fields that holds numbers of choices, as their labels."""
    field = next((f for f in definitions if f.get("field_code") == key), {"field_type": "set"})
    return Field(Column(name, "VARCHAR"), (key,), _labels(field))


def digest(definitions: Iterable[Record]) -> str:
    """Changes when a choice gets another label: rows that hold it do not count as changed, and have to be read again."""
    told = sorted((str(f["field_code"]), str(o.get("id")), str(o.get("label"))) for f in definitions for o in f.get("options") or ())  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _own_fields(definitions: Iterable[Record]) -> list[Record]:
    return [field for field in definitions if field.get("is_custom_field")]


def _part(part: str) -> Reader:
    """Of what has several parts one, or the value itself. What has none is the value."""

    def column(values: Sequence[Any]) -> Sequence[Any]:
        if not part and dict not in set(map(type, values)):
            return values
        whole = not part
        return [found.get(part or "value") if isinstance(found, dict) else found if whole else None for found in values]  # fmt: skip

    return column


def _labels(field: Record, *, nested: bool = False) -> Reader:
    """Choices as their labels, several in the order of the list, with "; " between. An unknown one stays a number."""
    labels = {str(o.get("id")): str(o.get("label")) for o in field.get("options") or ()}
    order = {key: place for place, key in enumerate(labels)}
    several = field.get("field_type") == "set"

    def label(found: Any) -> str | None:
        if found is None or found == "" or found == []:
            return None
        if several:
            keys = [str(k) for k in found] if isinstance(found, list) else str(found).split(",")
            return "; ".join(labels.get(key, key) for key in sorted(keys, key=lambda k: (order.get(k, len(order)), k)))  # fmt: skip
        return labels.get(str(found), str(found))

    read = _each(label)
    value = _part("")
    return (lambda values: read(value(values))) if nested else read
