"""The fields of an object as columns: their names and their types, as the org describes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.plugins import Column, column_name

_NO_COLUMN = {
    "address",
    "location",
    "base64",
    "complexvalue",
}  # their parts are fields of their own, or they are files
_TYPES = {
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "long": "BIGINT",
    "date": "DATE",
    "datetime": "TIMESTAMP WITH TIME ZONE",
}
_NUMBERS = {"currency", "double", "percent"}
_WIDEST = 38


@dataclass(frozen=True, slots=True)
class Field:
    """``api`` is its name in Salesforce, ``column`` that in cadran."""

    api: str
    column: str
    type: str

    @property
    def as_column(self) -> Column:
        return Column(self.column, self.type)


def fields_of(described: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """All that can be columns: standard fields by their API name, custom ones by their label.

    A label that two fields share, or that is a standard field's name, names neither: those are called by their API name. So a new field
    can never take the name of another one, and change unseen what a KPI computes.
    """
    usable = [
        f
        for f in described
        if f["type"] not in _NO_COLUMN and not f.get("deprecatedAndHidden") and f["name"] != "IsDeleted"
    ]
    standard = [f for f in usable if not f["custom"]]
    custom = sorted((f for f in usable if f["custom"]), key=lambda f: str(f["name"]))
    own = {snake(f["name"]) for f in standard}
    labels = Counter(column_name(f["label"]) for f in custom)
    out = [
        Field(f["name"], snake(f["name"]), _type(f))
        for f in sorted(standard, key=lambda f: f["name"] != "Id")
    ]
    for f in custom:
        name = column_name(f["label"])
        alone = labels[name] == 1 and name not in own
        out.append(Field(f["name"], name if alone else column_name(f["name"]), _type(f)))
    return tuple(out)


def snake(name: str) -> str:
    """
    >>> snake("SystemModstamp"), snake("LastCURequestDate"), snake("Product2Id"), snake("Contrat_Cadre__c"), snake("ns__Thing__c")
    ('system_modstamp', 'last_cu_request_date', 'product2_id', 'contrat_cadre', 'ns_thing')
    """
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", re.sub(r"__c$", "", name))
    return re.sub("_+", "_", parts).strip("_").lower()


def _type(field: Mapping[str, Any]) -> str:
    """A formula's number is a float at Salesforce too; all others are exact."""
    kind = field["type"]
    if kind in _NUMBERS:
        if field.get("calculated") and field.get("calculatedFormula"):
            return "DOUBLE"
        precision, scale = int(field.get("precision") or 0), int(field.get("scale") or 0)
        return f"DECIMAL({max(1, min(_WIDEST, max(precision, scale)))},{scale})" if precision else "DOUBLE"
    return _TYPES.get(kind, "VARCHAR")
