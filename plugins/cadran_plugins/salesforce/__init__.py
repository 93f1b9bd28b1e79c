"""Salesforce: leads, accounts, opportunities and all else that its people keep, over the REST API and the Bulk API 2.0."""

from __future__ import annotations

from typing import Any

from cadran.plugins import ConnectorEntry, hookimpl


def _load() -> Any:
    from cadran_plugins.salesforce.connector import SalesforceConnector

    return SalesforceConnector


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [
        ConnectorEntry("salesforce", _load, "Salesforce: leads, accounts, opportunities, orders, activities")
    ]
