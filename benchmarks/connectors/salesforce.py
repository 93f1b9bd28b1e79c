"""Leads of Salesforce, query by query, and as results of a job of the Bulk API."""

from __future__ import annotations

from tests.simulators.salesforce import SalesforceSimulator

from benchmarks.connectors.contacts import ROWS
from benchmarks.connectors.recorded import Recorded, Settings, ours, record
from cadran.plugins import SyncedConnector

_ORG = SalesforceSimulator()
SETTINGS = {"client_id": _ORG.client_id, "client_secret": _ORG.client_secret, "bulk": "never"}
IN_BULK = {**SETTINGS, "bulk": "always"}
TABLE = "leads"


def _connector() -> type[SyncedConnector]:
    from cadran_plugins.salesforce.connector import SalesforceConnector

    return SalesforceConnector


def serve(pages: int) -> Recorded:
    return _recorded(pages, SETTINGS)


def serve_in_bulk(pages: int) -> Recorded:
    return _recorded(pages, IN_BULK)


def _recorded(pages: int, settings: Settings) -> Recorded:
    simulator = SalesforceSimulator()
    simulator.make("Lead", pages * ROWS)
    return record(simulator, _connector(), settings, TABLE)


read = ours(_connector, SETTINGS, TABLE)
read_in_bulk = ours(_connector, IN_BULK, TABLE)
