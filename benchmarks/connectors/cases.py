"""What is measured: one entry each. To add a connector, write a :class:`Case` and name it in :data:`CASES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulators.base import Simulator

from benchmarks.connectors import contacts, crms, hubspot, recorded, rest, salesforce


@dataclass(frozen=True)
class Case:
    """``serve`` makes the simulated account of so many pages; ``bare`` reads it with httpx and ``json`` alone, ``ours`` through cadran.

    Both are given the server's address, and give back how many rows they read.
    """

    serve: Callable[[int], Simulator]
    bare: Callable[[str], int]
    ours: Callable[[str], int]


CASES = {
    "texts": Case(contacts.texts, contacts.bare, contacts.ours),  # values as HubSpot gives them
    "values": Case(contacts.values, contacts.bare, contacts.ours),  # numbers as numbers
    "listed": Case(contacts.values, contacts.bare, contacts.listed),  # the same, read column by column
    "hubspot": Case(hubspot.serve, recorded.bare, hubspot.read),
    "pipedrive": Case(crms.pipedrive_account, recorded.bare, crms.pipedrive_ours),
    "salesforce": Case(salesforce.serve, recorded.bare, salesforce.read),
    "bulk": Case(salesforce.serve_in_bulk, recorded.bare, salesforce.read_in_bulk),
    "http_json": Case(rest.serve, recorded.bare, rest.read),
    "odoo": Case(crms.odoo_database, recorded.bare, crms.odoo_ours),
}
