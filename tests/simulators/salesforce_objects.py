"""What an org holds: objects with their fields, as Salesforce has them at first, and their rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


@dataclass
class Field:
    name: str
    type: str = "string"
    label: str = ""
    precision: int = 0
    scale: int = 0
    refers: str = ""
    formula: str = ""

    def described(self) -> dict[str, Any]:
        whole = 9 if self.type == "int" else 0
        return {
            "name": self.name,
            "label": self.label or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name.removesuffix("__c")),
            "type": self.type,
            "soapType": f"xsd:{self.type}",
            "custom": self.name.endswith("__c"),
            "precision": self.precision,
            "scale": self.scale,
            "digits": whole,
            "length": 18 if self.type in ("id", "reference") else 255,
            "nillable": self.name != "Id",
            "filterable": self.type not in ("address", "textarea", "base64"),
            "sortable": self.type not in ("address", "textarea", "base64"),
            "calculated": bool(self.formula),
            "calculatedFormula": self.formula or None,
            "referenceTo": [self.refers] if self.refers else [],
            "deprecatedAndHidden": False,
        }


@dataclass
class Sobject:
    """``made`` rows exist only as a number: the object of a benchmark, whose rows come from :func:`made_row`."""

    name: str
    prefix: str
    fields: dict[str, Field]
    rows: dict[str, Row] = field(default_factory=dict)
    made: int = 0
    in_bulk: bool = True

    def made_row(self, i: int) -> Row:
        """The row of a number: two share each second, so that pages end between rows of one time."""
        stamp = _FIRST + dt.timedelta(seconds=i // 2)
        row: Row = {}
        for f in self.fields.values():
            row[f.name] = _MADE[f.type](i, f) if f.type in _MADE else f"{f.name} {i % 1000}"
        return row | {"Id": identifier(self.prefix, i), "SystemModstamp": stamp, "CreatedDate": stamp,
                      "LastModifiedDate": stamp, "IsDeleted": False}  # fmt: skip

    def first_made(self, holds: Callable[[Row], bool]) -> int:
        """The first row that meets a condition which, once it holds, goes on to hold."""
        low, high = 0, self.made
        while low < high:
            middle = (low + high) // 2
            if holds(self.made_row(middle)):
                high = middle
            else:
                low = middle + 1
        return low


_FIRST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
_MADE: dict[str, Callable[[int, Field], Any]] = {
    "currency": lambda i, f: Decimal(i * 37 % 1_000_000) / 10**f.scale,
    "double": lambda i, f: Decimal(i * 17 % 1_000_000) / 10**f.scale,
    "percent": lambda i, _: Decimal(i % 101),
    "int": lambda i, _: i % 5000,
    "boolean": lambda i, _: i % 3 == 0,
    "date": lambda i, _: dt.date(2024, 1, 1) + dt.timedelta(days=i % 700),
    "datetime": lambda i, _: _FIRST + dt.timedelta(minutes=i),
    "reference": lambda i, _: identifier("005", i % 50),
    "address": lambda _, __: None,
}

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def identifier(prefix: str, number: int) -> str:
    """An id of 18 characters: 15 that tell cases apart, and three that say where the capitals stand."""
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    short = f"{prefix}5g00{digits}"
    suffix = ""
    for part in (short[0:5], short[5:10], short[10:15]):
        bits = sum(1 << n for n, c in enumerate(part) if c.isupper())
        suffix += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return short + suffix


_AUDIT = "CreatedDate:datetime CreatedById:reference>User LastModifiedDate:datetime LastModifiedById:reference>User SystemModstamp:datetime"
_MONEY = "currency(18,2)"
_STREET = "{0}Street:textarea {0}City {0}State {0}PostalCode {0}Country {0}Latitude:double(18,15) {0}Address:address"

#: Object: prefix of its ids, whether its rows can be deleted, its own fields as ``Name:type(precision,scale)>Object``.
_OBJECTS: dict[str, tuple[str, bool, str]] = {
    "Organization": ("00D", False, "Name OrganizationType:picklist IsSandbox:boolean"),
    "Lead": ("00Q", True, "MasterRecordId:reference>Lead LastName FirstName Name Title Company " + _STREET.format("") + " Phone:phone Email:email Website:url "
             "LeadSource:picklist Status:picklist Industry:picklist Rating:picklist AnnualRevenue:currency(18,0) NumberOfEmployees:int "
             "OwnerId:reference>User IsConverted:boolean ConvertedDate:date ConvertedAccountId:reference>Account "
             "ConvertedContactId:reference>Contact ConvertedOpportunityId:reference>Opportunity LastActivityDate:date"),
    "Contact": ("003", True, "MasterRecordId:reference>Contact AccountId:reference>Account LastName FirstName Name " + _STREET.format("Mailing") + " Phone:phone "
                "Email:email Title LeadSource:picklist Birthdate:date OwnerId:reference>User ReportsToId:reference>Contact"),
    "Account": ("001", True, "MasterRecordId:reference>Account Name Type:picklist ParentId:reference>Account " + _STREET.format("Billing") + " Phone:phone Website:url "
                "Industry:picklist AnnualRevenue:currency(18,0) NumberOfEmployees:int OwnerId:reference>User AccountSource:picklist"),
    "Opportunity": ("006", True, f"AccountId:reference>Account Name Description:textarea StageName:picklist Amount:{_MONEY} "
                    "Probability:percent(3,0) TotalOpportunityQuantity:double(18,2) CloseDate:date Type:picklist NextStep LeadSource:picklist "
                    "IsClosed:boolean IsWon:boolean ForecastCategory:picklist OwnerId:reference>User CampaignId:reference>Campaign "
                    "FiscalYear:int LastStageChangeDate:datetime"),
    "OpportunityHistory": ("008", True, f"OpportunityId:reference>Opportunity StageName:picklist Amount:{_MONEY} ExpectedRevenue:{_MONEY} "
                           "CloseDate:date Probability:percent(3,0) ForecastCategory:picklist"),
    "OpportunityStage": ("01J", False, "MasterLabel ApiName IsActive:boolean SortOrder:int IsClosed:boolean IsWon:boolean "
                         "ForecastCategoryName:picklist DefaultProbability:percent(3,0) Description"),
    "Order": ("801", True, f"OwnerId:reference>User AccountId:reference>Account OpportunityId:reference>Opportunity EffectiveDate:date "
              f"EndDate:date Status:picklist StatusCode:picklist OrderNumber Type:picklist TotalAmount:{_MONEY}"),
    "OrderItem": ("802", True, f"OrderId:reference>Order Product2Id:reference>Product2 Quantity:double(18,2) UnitPrice:{_MONEY} "
                  f"ListPrice:{_MONEY} TotalPrice:{_MONEY} ServiceDate:date OrderItemNumber Description"),
    "Product2": ("01t", True, "Name ProductCode Description:textarea IsActive:boolean Family:picklist"),
    "User": ("005", False, "Username LastName FirstName Name Department Division Email:email Alias IsActive:boolean UserType:picklist "
             "UserRoleId:reference>UserRole ManagerId:reference>User LastLoginDate:datetime"),
    "Campaign": ("701", True, "Name Type:picklist Status:picklist StartDate:date EndDate:date ExpectedRevenue:currency(18,0) "
                 "BudgetedCost:currency(18,0) ActualCost:currency(18,0) IsActive:boolean OwnerId:reference>User"),
    "CampaignMember": ("00v", True, "CampaignId:reference>Campaign LeadId:reference>Lead ContactId:reference>Contact Status:picklist "
                       "HasResponded:boolean FirstRespondedDate:date"),
    "Task": ("00T", True, "WhoId:reference>Lead WhatId:reference>Opportunity Subject ActivityDate:date Status:picklist Priority:picklist "
             "OwnerId:reference>User AccountId:reference>Account IsClosed:boolean TaskSubtype:picklist CallDurationInSeconds:int "
             "CompletedDateTime:datetime IsArchived:boolean Description:textarea"),
    "Event": ("00U", True, "WhoId:reference>Lead WhatId:reference>Opportunity Subject Location ActivityDate:date StartDateTime:datetime "
              "EndDateTime:datetime DurationInMinutes:int OwnerId:reference>User AccountId:reference>Account IsAllDayEvent:boolean "
              "EventSubtype:picklist IsArchived:boolean Description:textarea"),
}  # fmt: skip

#: Stages of a new org: label, closed, won.
STAGES = (
    ("Qualification", False, False), ("Demo", False, False), ("Proposal", False, False), ("Negotiation", False, False),
    ("Closed Won", True, True), ("Closed Lost", True, False),
)  # fmt: skip


def new_org() -> dict[str, Sobject]:
    return {name: _sobject(name, *spec) for name, spec in _OBJECTS.items()}


def custom_object(name: str, prefix: str, spec: str) -> Sobject:
    return _sobject(name, prefix, True, spec)


def _sobject(name: str, prefix: str, deletable: bool, spec: str) -> Sobject:
    words = f"Id:id {'IsDeleted:boolean ' if deletable else ''}{spec} {_AUDIT}".split()
    fields = [field_of(word) for word in words]
    return Sobject(name, prefix, {f.name: f for f in fields}, in_bulk=name != "OpportunityStage")


def field_of(word: str, label: str = "", formula: str = "") -> Field:
    """``Amount:currency(18,2)``, ``OwnerId:reference>User``, ``Name``."""
    found = re.fullmatch(r"(\w+)(?::(\w+))?(?:\((\d+),(\d+)\))?(?:>(\w+))?", word)
    assert found is not None, word
    name, type_, precision, scale, refers = found.groups()
    return Field(name, type_ or "string", label, int(precision or 0), int(scale or 0), refers or "", formula)
