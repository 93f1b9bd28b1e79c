"""Leads of Salesforce, query by query."""

from __future__ import annotations

from tests.simulators.salesforce import SalesforceSimulator

from benchmarks.connectors.contacts import ROWS
from benchmarks.connectors.recorded import Recorded, ours, record
from cadran.plugins import SyncedConnector

_ORG = SalesforceSimulator()
SETTINGS = {"client_id": _ORG.client_id, "client_secret": _ORG.client_secret, "bulk": "never"}
TABLE = "leads"


def _connector() -> type[SyncedConnector]:
    from cadran_plugins.salesforce.connector import SalesforceConnector

    return SalesforceConnector


def serve(pages: int) -> Recorded:
    simulator = SalesforceSimulator()
    simulator.make("Lead", pages * ROWS)
    return record(simulator, _connector(), SETTINGS, TABLE)


read = ours(_connector, SETTINGS, TABLE)
