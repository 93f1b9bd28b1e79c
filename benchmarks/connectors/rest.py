"""Rows of an API that is described in the file, page by page."""

from __future__ import annotations

from typing import Any

from tests.simulators.rest import TOKEN, Rest

from benchmarks.connectors.contacts import ROWS
from benchmarks.connectors.recorded import Recorded, ours, record
from cadran.plugins import SyncedConnector

SETTINGS: dict[str, Any] = {
    "auth": {"bearer": TOKEN},
    "tables": {
        "invoices": {
            "path": "/api/cursor", "records": "data.items", "pages": {"cursor": "meta.next", "param": "cursor"}, "key": "id",
            "columns": {
                "id": "bigint", "amount": "decimal(12,2)", "paid": "boolean", "day": "date", "updated_at": "timestamptz", "changed": "bigint",
                "customer.name": "varchar", "customer.city": "varchar",
            },
        }
    },
}  # fmt: skip
TABLE = "invoices"


def _connector() -> type[SyncedConnector]:
    from cadran_plugins.http_json.connector import HttpJsonConnector

    return HttpJsonConnector


def serve(pages: int) -> Recorded:
    made = Rest(0, most=ROWS)
    made.big = pages * ROWS
    return record(made, _connector(), SETTINGS, TABLE)


read = ours(_connector, SETTINGS, TABLE)
