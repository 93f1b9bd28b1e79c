"""The sample's CRM as a team would have it in HubSpot: leads are contacts, customers are companies, orders are orders."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.simulators.hubspot import HubSpot, sales_pipeline
from tests.simulators.hubspot_rows import Row, instant

_PARIS = ZoneInfo("Europe/Paris")
_OPEN = ("qualification", "demo", "proposal", "negotiation")
#: HubSpot's numbers of the stages, as it gives them to a pipeline that a team made.
STAGES = {"qualification": "1101", "demo": "1102", "proposal": "1103", "negotiation": "1104", "won": "1105", "lost": "1106"}  # fmt: skip
_OWN = {
    "contacts": [
        ("acquisition_channel", "Channel", "enumeration"), ("utm_campaign", "Campaign", "string"), ("shop_range", "Range", "enumeration"),
        ("staff", "Employees", "number"), ("pricing_seen", "Visited pricing", "bool"), ("test_record", "Is test", "bool"),
        ("qualified_on", "Qualified at", "datetime"),
    ],
    "companies": [
        ("acquisition_channel", "Channel", "enumeration"), ("utm_campaign", "Campaign", "string"), ("shop_range", "Segment", "enumeration"),
        ("left_on", "Churned at", "datetime"), ("won_on", "Customer since", "datetime"),
    ],
    "deals": [("sold_through", "Sales channel", "enumeration")],
}  # fmt: skip


def number(id_: str) -> int:
    """HubSpot's number of a row of the sample: each table has its own hundred thousands."""
    return int(id_[1:]) + {"L": 100_000, "C": 200_000, "D": 300_000, "O": 400_000, "U": 500_000}[id_[0]]


def fill(simulator: HubSpot, folder: Path) -> HubSpot:
    """``folder`` holds the sample's CSV files (``data/crm``)."""
    simulator.pipelines = [
        sales_pipeline((
            *((STAGES[name], name.capitalize(), f"0.{order + 2}") for order, name in enumerate(_OPEN)),
            (STAGES["won"], "Closed won", "1.0"), (STAGES["lost"], "Closed lost", "0.0"),
        ))
    ]  # fmt: skip
    for kind, properties in _OWN.items():
        for name, label, type_ in properties:
            simulator.add_property(kind, name, label, type_)
    for user in _read(folder, "users"):
        simulator.add_owner(number(user["id"]), user["name"], user["team"])
    for row in _read(folder, "customers"):
        _company(simulator, row)
    for row in _read(folder, "leads"):
        _contact(simulator, row)
    stays = defaultdict(list)
    for row in _read(folder, "stage_history"):
        stays[row["deal_id"]].append(row)
    for row in _read(folder, "deals"):
        _deal(simulator, row, stays[row["id"]])
    for row in _read(folder, "orders"):
        _order(simulator, row)
    return simulator


def _company(simulator: HubSpot, row: dict[str, str]) -> None:
    values = {
        "name": f"Customer {row['id']}", "country": row["country"], "acquisition_channel": row["channel"], "utm_campaign": row["campaign"],
        "shop_range": row["segment"], "left_on": _told(row["churned_at"]),
        "won_on": _told(row["created_at"]),
    }  # fmt: skip
    _add(simulator, "companies", row["id"], row["created_at"], values)


def _contact(simulator: HubSpot, row: dict[str, str]) -> None:
    values = {
        "email": f"{row['id'].lower()}@shops.example", "acquisition_channel": row["channel"], "utm_campaign": row["campaign"],
        "shop_range": row["range"], "hubspotscore": row["score"], "staff": row["employees"], "pricing_seen": row["visited_pricing"],
        "notes_last_contacted": _told(row["last_touch_at"]), "test_record": row["is_test"], "qualified_on": _told(row["qualified_at"]),
        "hubspot_owner_id": _owner(row["owner_id"]),
    }  # fmt: skip
    id_ = _add(simulator, "contacts", row["id"], row["created_at"], values)
    if row["customer_id"]:
        simulator.associate("contacts", id_, "companies", number(row["customer_id"]), primary=True)


def _deal(simulator: HubSpot, row: dict[str, str], stays: list[dict[str, str]]) -> None:
    """While it is open, HubSpot's close date is when it is expected to close."""
    closed = row["closed_at"]
    expected = closed or (dt.datetime.fromisoformat(row["created_at"]) + dt.timedelta(days=45)).isoformat()
    values = {
        "dealname": f"Deal {row['id']}", "amount": row["amount"], "closedate": _told(expected), "pipeline": "default",
        "dealstage": STAGES[row["stage"]], "sold_through": row["sales_channel"], "hubspot_owner_id": _owner(row["owner_id"]),
        "hs_is_closed": "true" if closed else "false", "hs_is_closed_won": "true" if row["stage"] == "won" else "false",
        "deal_currency_code": "EUR",
    }  # fmt: skip
    id_ = _add(simulator, "deals", row["id"], row["created_at"], values)
    stages = [(_at(stay["entered_at"]), STAGES[stay["stage"]]) for stay in stays]
    if closed:
        stages.append((_at(closed), STAGES[row["stage"]]))
    deal = simulator.rows["deals"][id_]
    deal.history["dealstage"], deal.updated = stages, stages[-1][0]
    if row["lead_id"]:
        simulator.associate("deals", id_, "contacts", number(row["lead_id"]))
    if row["customer_id"]:
        simulator.associate("deals", id_, "companies", number(row["customer_id"]), primary=True)


def _order(simulator: HubSpot, row: dict[str, str]) -> None:
    values = {
        "hs_order_name": f"Order {row['id']}", "hs_external_order_id": row["id"], "hs_external_created_date": _told(row["ordered_at"]),
        "hs_total_price": row["amount"], "hs_currency_code": row["currency"], "hs_source_store": row["channel"],
    }  # fmt: skip
    id_ = _add(simulator, "orders", row["id"], row["ordered_at"], values)
    if row["customer_id"]:
        simulator.associate("orders", id_, "companies", number(row["customer_id"]))


def _add(simulator: HubSpot, kind: str, id_: str, at: str, values: dict[str, str]) -> int:
    row = Row(number(id_), _at(at), _at(at), {})
    row.set({name: value for name, value in values.items() if value}, _at(at))
    simulator.rows[kind].add(row)
    return row.id


def _owner(id_: str) -> str:
    return str(number(id_)) if id_ else ""


def _at(local: str) -> dt.datetime:
    return dt.datetime.fromisoformat(local).replace(tzinfo=_PARIS)


def _told(local: str) -> str:
    return instant(_at(local)) if local else ""


def _read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
