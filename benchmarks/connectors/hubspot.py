"""All contacts of a simulated HubSpot, through the connector and with httpx alone. The limits of the account pass no time."""

from __future__ import annotations

from pathlib import Path

import httpx
import pyarrow as pa
from tests.simulators.hubspot import TOKEN, HubSpot, made

from cadran.plugins import Context, Page
from cadran.plugins.http import Wait
from cadran_plugins.hubspot.connector import HubSpotConnector

_ROWS = 100
#: What the connector asks for of this account's contacts.
_PROPERTIES = (
    "city,company,country,createdate,email,firstname,hs_analytics_source,hs_analytics_source_data_1,hs_lead_status,"
    "hs_lifecyclestage_salesqualifiedlead_date,hubspot_owner_id,hubspotscore,lastmodifieddate,lastname,lifecyclestage,"
    "notes_last_contacted,phone,hs_merged_object_ids"
)


class _NoWait(Wait):
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def serve(pages: int) -> HubSpot:
    return made(pages * _ROWS)


def bare(url: str) -> int:
    rows, after = 0, "0"
    params = {"limit": str(_ROWS), "properties": _PROPERTIES, "associations": "companies"}
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        while after:
            page = client.get(f"{url}/crm/v3/objects/contacts", params={**params, "after": after}).json()
            rows += len(page["results"])
            after = page.get("paging", {}).get("next", {}).get("after", "")
    return rows


def ours(url: str) -> int:
    rows = 0
    source = HubSpotConnector(
        Context("benchmark", {"token": TOKEN, "url": url}, Path(), shared={Wait: _NoWait()})
    )
    for item in source.changes("contacts"):
        if isinstance(item, Page):
            rows += pa.table(item.data).num_rows
    source.close()
    return rows
