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
    """One column, and how a record's value of it is found: None where it stands in the record under the column's name. ``key`` is that
    of a team's own field, whatever its label."""

    column: Column
    value: Callable[[Record], Any] | None = None
    key: str = ""


def rows(fields: Sequence[Field], records: Iterable[Record]) -> list[dict[str, Any]]:
    """Records with a value for each column; what else stands in them stays."""
    found = [(field.column.name, field.value) for field in fields if field.value is not None]
    return [{**record, **{name: value(record) for name, value in found}} for record in records]


def own(*named: tuple[str, str] | tuple[str, str, str]) -> list[Field]:
    """Pipedrive's fields: the column's name, its type, and the path in the record where that is not the name."""
    return [Field(Column(name, type_), _at(*path[0].split(".")) if path else None) for name, type_, *path in named]  # fmt: skip


def _at(key: str, *inner: str) -> Callable[[Record], Any]:
    if not inner:
        return lambda record: record.get(key)

    def value(record: Record) -> Any:
        found: Any = record.get(key)
        for part in inner:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    return value


def primary(key: str) -> Callable[[Record], Any]:
    """The first among several addresses or numbers."""

    def value(record: Record) -> Any:
        entries = record.get(key) or ()
        chosen = [entry for entry in entries if entry.get("primary")] or list(entries)
        return chosen[0].get("value") if chosen else None

    return value


def custom(definitions: Iterable[Record], taken: Iterable[str], *, flat: bool = False) -> list[Field]:
    """A team's own fields; ``flat``: as v1 has them, beside the others."""
    wanted: list[tuple[str, str, Callable[[Record], Any], str]] = []
    for field in sorted(_own_fields(definitions), key=lambda f: (str(f["field_name"]), str(f["field_code"]))):
        label, key, type_ = str(field["field_name"]), str(field["field_code"]), str(field["field_type"])
        if type_ in _PARTS:
            wanted += [
                (label + more, kind, _custom(key, part, flat), key) for more, part, kind in _PARTS[type_]
            ]
        elif type_ in ("enum", "set"):
            wanted.append((label, "VARCHAR", _labels(_custom(key, "", flat), field), key))
        elif type_ in _SIMPLE:
            wanted.append((label, _SIMPLE[type_], _custom(key, "", flat), key))
        else:
            wanted.append((label, "JSON", _at(key) if flat else _at("custom_fields", key), key))
    names = column_names((label for label, *_ in wanted), taken)
    return [Field(Column(name, type_), value, key) for name, (_, type_, value, key) in zip(names, wanted, strict=True)]  # fmt: skip


def choice(name: str, key: str, definitions: Iterable[Record]) -> Field:
    """One of Pipedrive's fields that holds numbers of choices, as their labels."""
    field = next((f for f in definitions if f.get("field_code") == key), {"field_type": "set"})
    return Field(Column(name, "VARCHAR"), _labels(_at(key), field))


def digest(definitions: Iterable[Record]) -> str:
    """Changes when a choice gets another label: rows that hold it do not count as changed, and have to be read again."""
    told = sorted((str(f["field_code"]), str(o.get("id")), str(o.get("label"))) for f in definitions for o in f.get("options") or ())  # fmt: skip
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _own_fields(definitions: Iterable[Record]) -> list[Record]:
    return [field for field in definitions if field.get("is_custom_field")]


def _custom(key: str, part: str, flat: bool) -> Callable[[Record], Any]:
    if flat:
        return _at(f"{key}_{part}" if part else key)

    def value(record: Record) -> Any:
        found = (record.get("custom_fields") or {}).get(key)
        if isinstance(found, Mapping):
            return found.get(part or "value")
        return None if part else found

    return value


def _labels(value: Callable[[Record], Any], field: Record) -> Callable[[Record], Any]:
    """Choices as their labels, several in the order of the list, with "; " between. An unknown one stays a number."""
    labels = {str(o.get("id")): str(o.get("label")) for o in field.get("options") or ()}
    order = {key: place for place, key in enumerate(labels)}

    def label(record: Record) -> str | None:
        found = value(record)
        if found is None or found == "" or found == []:
            return None
        if field.get("field_type") == "set":
            keys = [str(k) for k in found] if isinstance(found, list) else str(found).split(",")
            return "; ".join(labels.get(key, key) for key in sorted(keys, key=lambda k: (order.get(k, len(order)), k)))  # fmt: skip
        return labels.get(str(found), str(found))

    return label
