"""What tests of the ``odoo`` connector share: a stand-in of Odoo with ten opportunities, and the copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from tests.simulators.odoo import DATABASE, KEY, LOGIN, Odoo

from cadran.plugins import ConnectorError
from cadran_plugins.odoo.connector import OdooConnector

from .copying import Clock, Copy

Server = tuple[Odoo, Copy]
VERSIONS = (19, 17, 16, 14)


def serve(version: int, folder: Path) -> Iterator[Server]:
    """Ten opportunities and a lead, in pages of four."""
    odoo, clock = Odoo(version=version), Clock()
    odoo.now = clock
    for name in ("New", "Offer", "Won"):
        odoo.insert("crm.stage", name=name, is_won=name == "Won")
    for n in range(1, 11):
        odoo.insert("crm.lead", name=f"Opportunity {n}", type="opportunity", stage_id=1, expected_revenue=Decimal(n) / 4)  # fmt: skip
    odoo.insert("crm.lead", name="Lead", type="lead", stage_id=1)
    clock.later(hours=1)
    with odoo.serving():
        config = {"api_key": KEY, "url": odoo.url, "page": 4, **({} if version >= 19 else {"database": DATABASE, "login": LOGIN})}  # fmt: skip
        yield odoo, Copy(OdooConnector, config, folder, clock)


def sync_error(copy: Copy, table: str = "opportunities") -> ConnectorError | None:
    try:
        return copy.try_sync(table).error
    except ConnectorError as error:
        return error
