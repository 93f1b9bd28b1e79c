"""Deals of Pipedrive and opportunities of Odoo, as their simulated accounts once answered."""

from __future__ import annotations

from tests.simulators import odoo, pipedrive

from benchmarks.connectors.recorded import Recorded, ours, record
from cadran.plugins import SyncedConnector

_DEALS, _OPPORTUNITIES = 500, 1000
_PIPEDRIVE = {"token": pipedrive.TOKEN}
_ODOO = {"api_key": odoo.KEY}


def _pipedrive() -> type[SyncedConnector]:
    from cadran_plugins.pipedrive.connector import PipedriveConnector

    return PipedriveConnector


def _odoo() -> type[SyncedConnector]:
    from cadran_plugins.odoo.connector import OdooConnector

    return OdooConnector


def pipedrive_account(pages: int) -> Recorded:
    crm = pipedrive.Pipedrive()
    crm.add_field("deals", "Range", "enum", ["small", "mid", "large"])
    crm.add_field("deals", "Sales channel", "varchar")
    crm.made = (pages * _DEALS, pipedrive.deal_of)
    return record(crm, _pipedrive(), _PIPEDRIVE, "deals")


def odoo_database(pages: int) -> Recorded:
    database = odoo.Odoo()
    database.made = (pages * _OPPORTUNITIES, odoo.opportunity_of)
    return record(database, _odoo(), _ODOO, "opportunities")


pipedrive_ours = ours(_pipedrive, _PIPEDRIVE, "deals")
odoo_ours = ours(_odoo, _ODOO, "opportunities")
