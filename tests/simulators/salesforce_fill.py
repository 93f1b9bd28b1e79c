"""Belvoir's rows as its people would have them in Salesforce: standard fields where there is one, their own with labels for the rest."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulators.salesforce import SalesforceSimulator
from tests.simulators.salesforce_objects import identifier

_PARIS = ZoneInfo("Europe/Paris")
_OWN_FIELDS = {
    "Lead": [
        ("Campaign__c:picklist", "Campaign"), ("Range__c:picklist", "Range"), ("Score__c:double(3,0)", "Score"),
        ("Visited_Pricing__c:boolean", "Visited pricing"), ("Last_Touch_At__c:datetime", "Last touch at"),
        ("Is_Test__c:boolean", "Is test"), ("Qualified_At__c:datetime", "Qualified at"),
    ],
    "Account": [("Campaign__c:picklist", "Campaign"), ("Segment__c:picklist", "Segment"), ("Churned_At__c:datetime", "Churned at")],
    "Opportunity": [
        ("Lead__c:reference>Lead", "Lead"), ("Sales_Channel__c:picklist", "Sales channel"), ("Closed_At__c:datetime", "Closed at"),
    ],
    "Order": [("Ordered_At__c:datetime", "Ordered at"), ("Sales_Channel__c:picklist", "Sales channel")],
}  # fmt: skip
_WITH_CURRENCY = ("Opportunity", "Order")


def own_fields(simulator: SalesforceSimulator) -> None:
    """The fields that Belvoir has added, and those of an org with several currencies."""
    for sobject, fields in _OWN_FIELDS.items():
        for word, label in fields:
            simulator.add_field(sobject, word, label)
    for sobject in _WITH_CURRENCY:
        simulator.add_field(sobject, "CurrencyIsoCode:picklist", "Currency")


def fill(simulator: SalesforceSimulator, folder: Path) -> dict[str, str]:
    """Puts the sample's CRM into the org; which id of the sample has become which."""
    own_fields(simulator)
    ids: dict[str, str] = {"": ""}
    for row in _rows(folder, "users"):
        first, _, last = row["name"].partition(" ")
        ids[row["id"]] = simulator.insert("User", Name=row["name"], FirstName=first, LastName=last, Department=row["team"], IsActive=True)  # fmt: skip
    for row in _rows(folder, "customers"):
        ids[row["id"]] = simulator.insert(
            "Account", Name=f"Boutique {row['id']}", CreatedDate=_at(row["created_at"]), Churned_At__c=_at(row["churned_at"]),
            Segment__c=row["segment"], AccountSource=row["channel"], Campaign__c=row["campaign"], BillingCountry=row["country"],
        )  # fmt: skip
    for row in _rows(folder, "leads"):
        won = ids[row["customer_id"]] or None
        ids[row["id"]] = simulator.insert(
            "Lead", LastName=row["id"], Company=f"Boutique {row['id']}", CreatedDate=_at(row["created_at"]), LeadSource=row["channel"] or None,
            Campaign__c=row["campaign"] or None, Range__c=row["range"] or None, Score__c=Decimal(row["score"]),
            NumberOfEmployees=int(row["employees"]), Visited_Pricing__c=row["visited_pricing"] == "true", Is_Test__c=row["is_test"] == "true",
            Last_Touch_At__c=_at(row["last_touch_at"]), Qualified_At__c=_at(row["qualified_at"]), OwnerId=_owner(ids, row["owner_id"]),
            IsConverted=won is not None, ConvertedAccountId=won,
        )  # fmt: skip
    _deals(simulator, folder, ids)
    for row in _rows(folder, "orders"):
        at = _at(row["ordered_at"])
        assert at is not None
        ids[row["id"]] = simulator.insert(
            "Order", AccountId=ids[row["customer_id"]], EffectiveDate=at.astimezone(_PARIS).date(), Status="Activated", StatusCode="Activated", Ordered_At__c=at,
            Sales_Channel__c=row["channel"], CurrencyIsoCode=row["currency"], TotalAmount=Decimal(row["amount"]), CreatedDate=at,
        )  # fmt: skip
    return ids


def _deals(simulator: SalesforceSimulator, folder: Path, ids: dict[str, str]) -> None:
    stays: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder, "stage_history"):
        stays.setdefault(row["deal_id"], []).append(row)
    for row in _rows(folder, "deals"):
        created, closed = _at(row["created_at"]), _at(row["closed_at"])
        assert created is not None
        path = [(stay["stage"].capitalize(), _at(stay["entered_at"])) for stay in stays[row["id"]]]
        id_ = ids[row["id"]] = simulator.insert(
            "Opportunity", Name=f"Affaire {row['id']}", CreatedDate=created, StageName=path[0][0], Amount=Decimal(row["amount"]),
            CloseDate=((closed or created) + dt.timedelta(days=30 if closed is None else 0)).astimezone(_PARIS).date(),
            CurrencyIsoCode="EUR", OwnerId=_owner(ids, row["owner_id"]), AccountId=ids[row["customer_id"]] or None,
            Lead__c=ids[row["lead_id"]] or None, Sales_Channel__c=row["sales_channel"] or None,
        )  # fmt: skip
        if closed is not None:
            path.append((f"Closed {row['stage'].capitalize()}", closed))
        for stage, at in path[1:]:
            simulator.update("Opportunity", id_, at=at, StageName=stage)
        if closed is not None:
            simulator.update("Opportunity", id_, Closed_At__c=closed)
        lead = simulator.org["Lead"].rows.get(ids[row["lead_id"]])
        if lead is not None and lead["IsConverted"]:
            lead["ConvertedOpportunityId"] = id_


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _at(text: str) -> dt.datetime | None:
    """A local time of the sample as the instant that it is."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=_PARIS).astimezone(dt.UTC) if text else None


def _owner(ids: dict[str, str], owner: str) -> str | None:
    """Some owners of the sample are no users: here they are somebody whom this user may not see."""
    return ids.get(owner, identifier("005", int(owner.removeprefix("U") or 0))) if owner else None
