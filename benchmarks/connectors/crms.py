"""Deals of Pipedrive and opportunities of Odoo: the whole connector, beside httpx and ``json`` that ask the same pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from tests.simulators import odoo, pipedrive
from tests.simulators.base import Simulator

from cadran.plugins import Context, Page, SyncedConnector

_DEALS, _OPPORTUNITIES = 500, 1000


def pipedrive_account(pages: int) -> Simulator:
    crm = pipedrive.Pipedrive()
    crm.add_field("deals", "Range", "enum", ["small", "mid", "large"])
    crm.add_field("deals", "Sales channel", "varchar")
    crm.made = (pages * _DEALS, pipedrive.deal_of)
    return crm


def pipedrive_bare(url: str) -> int:
    rows, cursor = 0, ""
    with httpx.Client(headers={"x-api-token": pipedrive.TOKEN}, trust_env=False) as client:
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = client.get(f"{url}/api/v2/deals", params={"limit": _DEALS, "sort_by": "id", **more}).json()
            rows += len(page["data"])
            cursor = page["additional_data"]["next_cursor"]
            if not cursor:
                return rows


def pipedrive_ours(url: str) -> int:
    from cadran_plugins.pipedrive.connector import PipedriveConnector

    return _rows(PipedriveConnector, {"url": url, "token": pipedrive.TOKEN}, "deals")


def odoo_database(pages: int) -> Simulator:
    database = odoo.Odoo()
    database.made = (pages * _OPPORTUNITIES, odoo.opportunity_of)
    return database


def odoo_bare(url: str) -> int:
    fields = sorted(set(odoo.Odoo().fields["crm.lead"]) - {"description", "tag_ids"})
    rows, after = 0, 0
    with httpx.Client(headers={"authorization": f"bearer {odoo.KEY}"}, trust_env=False) as client:
        while True:
            asked = {"domain": [["id", ">", after]], "fields": fields, "limit": _OPPORTUNITIES, "order": "id"}
            page = client.post(f"{url}/json/2/crm.lead/search_read", json=asked).json()
            rows += len(page)
            if len(page) < _OPPORTUNITIES:
                return rows
            after = page[-1]["id"]


def odoo_ours(url: str) -> int:
    from cadran_plugins.odoo.connector import OdooConnector

    return _rows(OdooConnector, {"url": url, "api_key": odoo.KEY}, "opportunities")


def _rows(kind: type[SyncedConnector], config: dict[str, Any], table: str) -> int:
    connector, rows = kind(Context("crm", config, Path())), 0
    for item in connector.changes(table):
        rows += item.data.num_rows if isinstance(item, Page) else 0  # type: ignore[attr-defined]
    connector.close()
    return rows
