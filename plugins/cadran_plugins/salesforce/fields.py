"""The fields of an object as columns: their names and their types, as the org describes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
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
_FURTHER = 6  # digits behind those that a field shows: what programs write may have more of them than people can type
_MOST_PLACES = 18  # more than the floats that Salesforce computes with have


@dataclass(frozen=True, slots=True)
class Field:
    """``api`` is its name in Salesforce, ``column`` that in cadran; ``places`` are the decimals of an exact number's column."""

    api: str
    column: str
    type: str
    places: int | None = None

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
        Field(f["name"], snake(f["name"]), _type(f), _places(f))
        for f in sorted(standard, key=lambda f: f["name"] != "Id")
    ]
    for f in custom:
        name = column_name(f["label"])
        alone = labels[name] == 1 and name not in own
        out.append(Field(f["name"], name if alone else column_name(f["name"]), _type(f), _places(f)))
    return tuple(out)


def snake(name: str) -> str:
    """
    >>> snake("SystemModstamp"), snake("LastCURequestDate"), snake("Product2Id"), snake("Contrat_Cadre__c"), snake("ns__Thing__c")
    ('system_modstamp', 'last_cu_request_date', 'product2_id', 'contrat_cadre', 'ns_thing')
    """
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", re.sub(r"__c$", "", name))
    return re.sub("_+", "_", parts).strip("_").lower()


def rounded(value: Any, places: int) -> Any:
    """A number with no more decimals than its column, as a formula of floats may have made it; all else as it is.

    >>> rounded(Decimal("33.333333333333336"), 8), rounded("1.2E7", 8), rounded(None, 8)
    (Decimal('33.33333333'), '1.2E7', None)
    """
    if isinstance(value, str):
        if len(value) - value.find(".") - 1 <= places and "E-" not in value:
            return value
        try:
            value = Decimal(value)
        except InvalidOperation:
            return value
    if not isinstance(value, Decimal) or not value.is_finite():
        return value
    exponent = value.as_tuple().exponent
    try:
        return round(value, places) if isinstance(exponent, int) and -exponent > places else value
    except InvalidOperation:
        return value  # so many digits in front that it fits no column


def all_rounded(values: Any, places: int) -> Any:
    """The same of a column, or of Arrow's texts; that most of these are short is seen at once."""
    import pyarrow as pa

    if isinstance(values, pa.Array):
        import pyarrow.compute as pc

        if not pc.any(pc.match_substring_regex(values, _long(places))).as_py():
            return values
        values = values.to_pylist()
    elif not re.search(_long(places), " ".join(map(str, values))):
        return values
    return [rounded(value, places) for value in values]


def _long(places: int) -> str:
    """What stands in a number that may have more decimals."""
    return f"[.][0-9]{{{places + 1},}}|E"


def _type(field: Mapping[str, Any]) -> str:
    """A formula's number is a float at Salesforce too; all others are exact."""
    kind = field["type"]
    if kind in _NUMBERS:
        places, precision = _places(field), int(field.get("precision") or 0)
        if places is None:
            return "DOUBLE"
        further = places - int(field.get("scale") or 0)
        return f"DECIMAL({max(places, min(_WIDEST, precision + further))},{places})"
    return _TYPES.get(kind, "VARCHAR")


def _places(field: Mapping[str, Any]) -> int | None:
    """A field shows so many digits, and takes no more from people; programs may store more, which Salesforce keeps, shows rounded and adds up."""
    if field["type"] not in _NUMBERS or (field.get("calculated") and field.get("calculatedFormula")):
        return None
    shown = int(field.get("scale") or 0)
    return max(shown, min(shown + _FURTHER, _MOST_PLACES)) if int(field.get("precision") or 0) else None
