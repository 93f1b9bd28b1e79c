"""What columns a model has, and how Odoo writes their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cadran.plugins import Column, column_names

MOMENT = "TIMESTAMP WITH TIME ZONE"
#: No currency has more than four decimals.
MONEY = "DECIMAL(18,4)"
_PLACES, _NOISE = 4, 16
_TYPES = {"char": "VARCHAR", "text": "VARCHAR", "selection": "VARCHAR", "reference": "VARCHAR", "integer": "BIGINT", "many2one": "BIGINT", "many2one_reference": "BIGINT", "monetary": MONEY, "float": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "datetime": MOMENT}  # fmt: skip

Definition = Mapping[str, Any]
#: What records hold, column by column: the values of each field.
Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Field:
    """``name`` is Odoo's, the column's is what people read."""

    name: str
    column: Column
    type: str


def fields_of(definitions: Mapping[str, Definition], more: Iterable[str] = ()) -> list[Field]:
    """The fields that are stored, and those of ``more`` that there are. Lists, pictures and formatted texts are left out.

    Odoo's own go by their technical names, a team's own by their labels: those that link to a record with ``_id`` behind.
    """
    wanted = {name: told for name, told in sorted(definitions.items()) if told.get("type") in _TYPES and (told.get("store", True) or name in more)}  # fmt: skip
    own = sorted((_label(name, told), name) for name, told in wanted.items() if _is_custom(name, told))
    standard = [name for name in wanted if not _is_custom(name, wanted[name])]
    standard.sort(key=lambda name: (name != "id", name))
    names = dict(zip((n for _, n in own), column_names((label for label, _ in own), standard), strict=True))
    return [_field(name, names.get(name, name), wanted[name]) for name in (*standard, *(n for _, n in own))]


def columns(fields: Sequence[Field], values: Values) -> list[Sequence[Any]]:
    """Odoo says false for what is empty, whatever its type. Of a link the id counts, and stands in ``values``: the name beside it is that
    of another table, and may change without this record."""
    return [_column(field.type, values[field.name]) for field in fields]


def _column(type_: str, values: Sequence[Any]) -> Sequence[Any]:
    if type_ != "boolean" and bool in set(map(type, values)):
        values = [None if value is False else value for value in values]
    return [_meant(value) for value in values] if type_ == "monetary" else values


def _meant(amount: Any) -> Any:
    """Odoo rounds an amount by its currency; without one it keeps a float, which has 16 digits or more once it was computed."""
    if isinstance(amount, Decimal) and int(amount.as_tuple().exponent) < -_PLACES and len(amount.as_tuple().digits) >= _NOISE:  # fmt: skip
        return round(amount, _PLACES)
    return amount


def _label(name: str, told: Definition) -> str:
    """A link is an id, and is called so, as Odoo's own are."""
    label = str(told.get("string") or name)
    return f"{label} id" if told["type"] == "many2one" and not label.casefold().endswith(" id") else label


def _field(name: str, shown: str, told: Definition) -> Field:
    type_ = str(told["type"])
    return Field(name, Column(shown, _decimal(told) or _TYPES[type_]), type_)


def _decimal(told: Definition) -> str:
    """Digits where Odoo rounds to them."""
    digits = told.get("digits")
    if told["type"] != "float" or not isinstance(digits, list) or len(digits) != 2 or not digits[1]:
        return ""
    scale = int(digits[1])
    return f"DECIMAL({min(38, max(int(digits[0]), scale + 12))},{scale})"


def _is_custom(name: str, told: Definition) -> bool:
    return bool(told.get("manual")) or name.startswith("x_")
