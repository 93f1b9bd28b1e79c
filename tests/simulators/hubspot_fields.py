"""The properties that HubSpot's objects have in the simulator: the standard ones that matter here, by their API names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

ENGAGEMENTS = ("calls", "emails", "meetings", "notes", "tasks")
KINDS = ("contacts", "companies", "deals", "orders", *ENGAGEMENTS)
SINGULAR = {
    "contacts": "contact", "companies": "company", "deals": "deal", "orders": "order", "calls": "call",
    "emails": "email", "meetings": "meeting", "notes": "note", "tasks": "task",
}  # fmt: skip

#: HubSpot's numbers of associations: (from, to) → (unlabelled, primary).
ASSOCIATIONS: dict[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1), ("companies", "contacts"): (280, 2),
    ("deals", "companies"): (341, 5), ("companies", "deals"): (342, 6),
    ("deals", "contacts"): (3, None), ("contacts", "deals"): (4, None),
    ("orders", "contacts"): (507, None), ("contacts", "orders"): (508, None),
    ("orders", "companies"): (509, None), ("companies", "orders"): (510, None),
    ("orders", "deals"): (511, None), ("deals", "orders"): (512, None),
    ("calls", "contacts"): (194, None), ("calls", "companies"): (182, None), ("calls", "deals"): (206, None),
    ("emails", "contacts"): (198, None), ("emails", "companies"): (186, None), ("emails", "deals"): (210, None),
    ("meetings", "contacts"): (200, None), ("meetings", "companies"): (188, None), ("meetings", "deals"): (212, None),
    ("notes", "contacts"): (202, None), ("notes", "companies"): (190, None), ("notes", "deals"): (214, None),
    ("tasks", "contacts"): (204, None), ("tasks", "companies"): (192, None), ("tasks", "deals"): (216, None),
    ("contacts", "calls"): (193, None), ("companies", "calls"): (181, None), ("deals", "calls"): (205, None),
    ("contacts", "emails"): (197, None), ("companies", "emails"): (185, None), ("deals", "emails"): (209, None),
    ("contacts", "meetings"): (199, None), ("companies", "meetings"): (187, None), ("deals", "meetings"): (211, None),
    ("contacts", "notes"): (201, None), ("companies", "notes"): (189, None), ("deals", "notes"): (213, None),
    ("contacts", "tasks"): (203, None), ("companies", "tasks"): (191, None), ("deals", "tasks"): (215, None),
}  # fmt: skip

SCOPES = {
    "contacts": "crm.objects.contacts.read", "companies": "crm.objects.companies.read", "deals": "crm.objects.deals.read",
    "orders": "crm.objects.orders.read", "owners": "crm.objects.owners.read", "emails": "sales-email-read",
    "calls": "crm.objects.contacts.read", "meetings": "crm.objects.contacts.read", "notes": "crm.objects.contacts.read",
    "tasks": "crm.objects.contacts.read", "pipelines": "crm.objects.deals.read",
}  # fmt: skip


@dataclass(frozen=True)
class Property:
    name: str
    label: str
    type: str = "string"
    own: bool = False  # made by the team, not by HubSpot
    hidden: bool = False
    calculated: bool = False
    made: str = "2019-01-01T00:00:00.000Z"

    def json(self) -> dict[str, Any]:
        return {
            "name": self.name, "label": self.label, "type": self.type, "fieldType": _FIELD.get(self.type, "text"),
            "description": "", "groupName": "information", "options": [], "displayOrder": -1,
            "calculated": self.calculated, "externalOptions": False, "hasUniqueValue": False, "hidden": self.hidden,
            "hubspotDefined": not self.own, "formField": self.own, "createdAt": self.made, "updatedAt": self.made,
            "archived": False,
            "modificationMetadata": {"archivable": self.own, "readOnlyDefinition": not self.own, "readOnlyValue": self.calculated},
        }  # fmt: skip

    def retyped(self, kind: str) -> Property:
        return replace(self, type=kind)


_FIELD = {
    "number": "number",
    "datetime": "date",
    "date": "date",
    "bool": "booleancheckbox",
    "enumeration": "select",
}

#: name[:type[:flag]], one line an object; a flag of h is hidden, of c calculated.
_SHARED = "hs_object_id:number:c hubspot_owner_id:enumeration hs_merged_object_ids:enumeration:c hs_object_source:string hs_was_imported:bool"
_TEXT = {
    "contacts": "email firstname lastname phone city country company createdate:datetime:c lastmodifieddate:datetime:c "
    "lifecyclestage:enumeration hs_lead_status:enumeration hubspotscore:number notes_last_contacted:datetime:c "
    "hs_analytics_source:enumeration hs_analytics_source_data_1 associatedcompanyid:number:h hs_calculated_merged_vids:string:c "
    "hs_lifecyclestage_salesqualifiedlead_date:datetime",
    "companies": "name domain city country industry:enumeration createdate:datetime:c hs_lastmodifieddate:datetime:c "
    "numberofemployees:number annualrevenue:number lifecyclestage:enumeration hs_analytics_source:enumeration "
    "hs_analytics_source_data_1",
    "deals": "dealname amount:number closedate:datetime createdate:datetime:c hs_lastmodifieddate:datetime:c dealstage:enumeration "
    "pipeline:enumeration dealtype:enumeration deal_currency_code:enumeration hs_deal_stage_probability:number:c "
    "hs_is_closed:bool:c hs_is_closed_won:bool:c hs_v2_date_entered_current_stage:datetime:c amount_in_home_currency:number:c",
    "orders": "hs_order_name hs_external_order_id hs_external_created_date:datetime hs_total_price:number "
    "hs_currency_code:enumeration hs_source_store hs_pipeline:enumeration hs_pipeline_stage:enumeration "
    "hs_external_canceled_date:datetime hs_is_canceled:bool:c hs_createdate:datetime:c hs_lastmodifieddate:datetime:c",
    "calls": "hs_timestamp:datetime hs_call_title hs_call_duration:number hs_call_direction:enumeration hs_call_status:enumeration",
    "emails": "hs_timestamp:datetime hs_email_subject hs_email_direction:enumeration hs_email_status:enumeration",
    "meetings": "hs_timestamp:datetime hs_meeting_title hs_meeting_outcome:enumeration",
    "notes": "hs_timestamp:datetime hs_note_body",
    "tasks": "hs_timestamp:datetime hs_task_subject hs_task_status:enumeration hs_task_completion_date:datetime",
}
_LABELS = {
    "createdate": "Create Date",
    "lastmodifieddate": "Last Modified Date",
    "hs_lastmodifieddate": "Last Modified Date",
}


def standard(kind: str) -> dict[str, Property]:
    text = f"{_TEXT[kind]} {_SHARED}"
    if kind in ENGAGEMENTS:
        text += " hs_createdate:datetime:c hs_lastmodifieddate:datetime:c"
    out = {}
    for word in text.split():
        name, type_, flag = (*word.split(":"), "string", "")[:3] if ":" in word else (word, "string", "")
        flag = flag if flag in ("h", "c") else ""
        label = _LABELS.get(name, name.removeprefix("hs_").replace("_", " ").capitalize())
        out[name] = Property(name, label, type_, hidden=flag == "h", calculated=flag == "c")
    return out


def cursor(kind: str) -> str:
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def created(kind: str) -> str:
    return "createdate" if kind in ("contacts", "companies", "deals") else "hs_createdate"
