"""Contacts of HubSpot, page by page."""

from __future__ import annotations

from tests.simulators.hubspot import HubSpot, made

from benchmarks.connectors.contacts import ROWS
from benchmarks.connectors.recorded import Recorded, ours, record
from cadran.plugins import SyncedConnector

SETTINGS = {"token": HubSpot().token}
TABLE = "contacts"


def _connector() -> type[SyncedConnector]:
    from cadran_plugins.hubspot.connector import HubSpotConnector

    return HubSpotConnector


def serve(pages: int) -> Recorded:
    return record(made(pages * ROWS), _connector(), SETTINGS, TABLE)


read = ours(_connector, SETTINGS, TABLE)
