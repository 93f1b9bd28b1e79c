"""Properties of HubSpot as columns: which are read, what they are called, of which type, and their values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from cadran.plugins import Column, column_names

DECIMALS = 8
NUMBER = f"DECIMAL(28,{DECIMALS})"
INSTANT = "TIMESTAMP WITH TIME ZONE"
_TYPES = {"number": NUMBER, "datetime": INSTANT, "date": "DATE", "bool": "BOOLEAN"}
_ISO = len("2026-03-31T12:00:00Z")  # and no milliseconds since 1970, which have fewer digits
_Usual = Callable[[Sequence[str]], bool]
_NOISE = 16  # so many digits come of a program's binary fractions, never of people

#: Of the properties whose names begin with hs_, those that KPIs are made of; the others have to be named in the settings.
_KEPT = frozenset(
    [
        "hs_createdate",
        "hs_lastmodifieddate",
        "hs_lead_status",
        "hs_analytics_source",
        "hs_analytics_source_data_1",
        "hs_analytics_source_data_2",
        "hs_is_closed",
        "hs_is_closed_won",
        "hs_is_closed_lost",
        "hs_deal_stage_probability",
        "hs_v2_date_entered_current_stage",
        "hs_forecast_amount",
        "hs_forecast_probability",
        "hs_mrr",
        "hs_arr",
        "hs_acv",
        "hs_tcv",
        "hs_closed_lost_reason",
        "hs_next_step",
        "hs_priority",
        "hs_lifecyclestage_lead_date",
        "hs_lifecyclestage_marketingqualifiedlead_date",
        "hs_lifecyclestage_salesqualifiedlead_date",
        "hs_lifecyclestage_opportunity_date",
        "hs_lifecyclestage_customer_date",
        "hs_order_name",
        "hs_external_order_id",
        "hs_external_created_date",
        "hs_total_price",
        "hs_subtotal_price",
        "hs_tax",
        "hs_discount_code",
        "hs_order_discount",
        "hs_shipping_cost",
        "hs_refund_amount",
        "hs_currency_code",
        "hs_source_store",
        "hs_external_order_status",
        "hs_external_canceled_date",
        "hs_is_canceled",
        "hs_fulfillment_status",
        "hs_payment_status",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_num_line_items",
        "hs_processed_date",
        "hs_country_code",
    ]
)


@dataclass(frozen=True, slots=True)
class Field:
    """A property and its column; ``computed``: HubSpot sets its value by itself, from others."""

    property: str
    column: Column
    computed: bool = False


def fields(
    properties: Iterable[Mapping[str, Any]], more: Container[str] = (), taken: Sequence[str] = ()
) -> list[Field]:
    """HubSpot's own by their internal names, then those of the team by their labels.

    ``taken`` names columns that are there already. The team's are numbered by age where labels are the same, so that a new one
    changes the name of no other.
    """
    found = [each for each in properties if not each.get("archived") and _read(each, more)]
    standard = sorted(
        (each for each in found if each.get("hubspotDefined")), key=lambda each: str(each["name"])
    )
    own = sorted((each for each in found if not each.get("hubspotDefined")), key=_age)
    names = [str(each["name"]) for each in standard]
    labels = column_names((str(each.get("label") or each["name"]) for each in own), [*taken, *names])
    named = [*zip(standard, names, strict=True), *zip(own, labels, strict=True)]
    return [
        Field(
            str(each["name"]),
            Column(name, _TYPES.get(str(each["type"]), "VARCHAR")),
            bool(each.get("calculated")),
        )
        for each, name in named
    ]


def values(
    fields: Sequence[Field],
) -> Callable[[Mapping[str, Sequence[str | None]]], list[Sequence[str | None]]]:
    """From the values of properties to columns. What was emptied is NULL, as what was never filled."""
    how = [(each.property, _reader(each)) for each in fields]
    return lambda found: [_as_read(found[name], reader) for name, reader in how]


def _as_read(
    column: Sequence[str | None], reader: tuple[Callable[[str], str], _Usual] | None
) -> Sequence[str | None]:
    if reader is None:
        return [value or None for value in column] if "" in column else column
    read, usual = reader
    given = list(filter(None, column))
    return column if usual(given) else [read(value) if value else None for value in column]


def _reader(field: Field) -> tuple[Callable[[str], str], _Usual] | None:
    if field.computed and field.column.type == NUMBER:
        return computed, _short
    return _READERS.get(field.column.type)


def _read(each: Mapping[str, Any], more: Container[str]) -> bool:
    name = str(each["name"])
    if name == "hs_object_id":
        return False  # that is the column id
    if name in more or name in _KEPT:
        return True
    internal = name.startswith("hs_") and each.get("hubspotDefined")
    return not internal and not each.get("hidden")


def _age(each: Mapping[str, Any]) -> tuple[str, str]:
    return str(each.get("createdAt") or ""), str(each["name"])


def number(text: str) -> str:
    """The number as it is; one that a program computed in binary fractions as what was meant (0.30000000000000004: 0.3)."""
    if len(text) < _NOISE and "e" not in text and "E" not in text:
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    places = -int(value.as_tuple().exponent)
    if (
        places > DECIMALS
        and len(value.as_tuple().digits) + max(places - len(value.as_tuple().digits), 0) >= _NOISE
    ):
        value = round(value, DECIMALS)
    return f"{value:f}"


def computed(text: str) -> str:
    """A number that HubSpot has computed: an amount at a rate of exchange has as many places as both together."""
    if len(text) - text.find(".") - 1 <= DECIMALS and "E" not in text:
        return text
    try:
        return f"{round(Decimal(text), DECIMALS):f}"
    except InvalidOperation:
        return text


def instant(text: str) -> str:
    """ISO 8601; HubSpot writes some times as milliseconds."""
    if text[-1] == "Z" or not text.lstrip("-").isdigit():
        return text
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(text))).isoformat()


def _day(text: str) -> str:
    return instant(text)[:10]


def _plain(texts: Sequence[str]) -> bool:
    together = "".join(texts)
    return max(map(len, texts), default=0) < _NOISE and "e" not in together and "E" not in together


def _short(texts: Sequence[str]) -> bool:
    """Not more digits in all than a number may have places."""
    return max(map(len, texts), default=0) <= DECIMALS and "E" not in "".join(texts)


def _dated(texts: Sequence[str]) -> bool:
    return min(map(len, texts), default=_ISO) >= _ISO


def _days(texts: Sequence[str]) -> bool:
    return set(map(len, texts)) <= {len("2026-03-31")} and not any(map(str.isdigit, texts))


#: How values of a type are read, and how to see at once that all of them are as they should be already.
_READERS: Mapping[str, tuple[Callable[[str], str], _Usual]] = {NUMBER: (number, _plain), INSTANT: (instant, _dated), "DATE": (_day, _days)}  # fmt: skip
