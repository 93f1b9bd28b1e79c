"""``http_json`` keeps the contract of connectors, with a cursor as with the links of Dynamics 365."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cadran.testing import Case
from cadran.testing.contract.check import Check
from cadran.testing.contract.running import all_checks, outcome
from cadran_plugins.http_json.connector import HttpJsonConnector
from simulators.base import Fault, Simulator
from simulators.dynamics import Dynamics, opportunity
from simulators.rest import TOKEN, Rest


class _Served(Case):
    connector = HttpJsonConnector

    def made(self) -> Simulator:
        raise NotImplementedError

    def start(self, folder: Path) -> str:
        self._stack = ExitStack()
        self.api: Any = self._stack.enter_context(self.made().serving())
        return str(self.api.url)

    def stop(self) -> None:
        self._stack.close()

    def exhaust(self) -> None:
        self.api.faults.append(Fault("quota", times=10**6))


class Cursors(_Served):
    """An API with cursors, a time of change, and a mark for what is gone."""

    table = "invoices"
    secrets = (TOKEN,)
    cannot: ClassVar[Mapping[str, str]] = {
        "archive": "a column says so, or not: which is the file's business",
        "add_field": "columns are declared",
        "remove_field": "columns are declared; one that no row holds is an error of its own",
        "expire": "this server's cursors do not run out",
    }

    def made(self) -> Simulator:
        return Rest(35, auth="bearer", most=10)

    def config(self, url: str, token: str = TOKEN) -> Mapping[str, Any]:
        table = {
            "path": "/cursor", "records": "data.items", "pages": {"cursor": "meta.next", "param": "cursor"}, "total": "meta.total",
            "key": "id", "deletes": {"column": "is_deleted"}, "cursor": {"column": "updated_at", "param": "updated_since"},
            "columns": {"id": "bigint", "amount": "decimal(12,2)", "customer.name": "text", "day": "date", "updated_at": "timestamptz"},
        }  # fmt: skip
        return {"url": f"{url}/api", "auth": {"bearer": token}, "tables": {"invoices": table}}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return self.config(url, "wrong-token")

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": row["id"], "amount": row["amount"] if row["amount"] == "on request" else Decimal(row["amount"]),
                "customer_name": row["customer"]["name"], "day": dt.date.fromisoformat(row["day"]),
                "updated_at": dt.datetime.fromisoformat(row["updated_at"]),
            }
            for row in self.api.rows.values() if not row["is_deleted"]
        ]  # fmt: skip

    def clear(self) -> None:
        self.api.rows.clear()

    def _changed(self, number: int, later: int = 1, **values: Any) -> tuple[int]:
        newest = max(dt.datetime.fromisoformat(row["updated_at"]) for row in self.api.rows.values())
        self.api.change(number, newest + dt.timedelta(minutes=later), **values)
        return (number,)

    def insert(self) -> tuple[int]:
        return self._changed(max(self.api.rows) + 1)

    def tie(self) -> tuple[int]:
        return self._changed(max(self.api.rows) + 1, later=0)

    def update(self) -> tuple[int]:
        return self._changed(3, amount="0.05")

    def delete(self) -> tuple[int]:
        return self._changed(5, is_deleted=True)

    def move(self) -> None:
        """A row comes before all others, so that each page begins with the last row of the page before."""
        self._changed(0)

    def retype_field(self) -> str:
        for row in self.api.rows.values():
            row["amount"] = "on request"
        return "amount"

    def big(self, rows: int) -> None:
        self.api.big, self.api.most = rows, 1000


class Links(_Served):
    """Dynamics 365: pages by links, changes by a link as well, and a token that is fetched."""

    table = "opportunities"
    secrets = ("s3cret-canary", "entra-canary")
    cannot: ClassVar[Mapping[str, str]] = {
        "archive": "Dynamics deactivates a row, which is a value of its state",
        "tie": "the link knows what has changed, whatever the time",
        "add_field": "columns are declared",
        "remove_field": "the columns of a row that is read are named in $select",
        "move": "its links hold the place of a row, and not its number",
        "big": "each answer is made from all rows",
    }

    def made(self) -> Simulator:
        return Dynamics(16)

    def config(self, url: str, secret: str = "s3cret-canary") -> Mapping[str, Any]:
        oauth = {
            "token_url": f"{url}/tenant/oauth2/v2.0/token", "client_id": "app", "client_secret": secret, "scope": "https://crm/.default",
        }  # fmt: skip
        table = {
            "path": "/opportunities", "params": {"$select": "name,estimatedvalue,modifiedon"}, "records": "value",
            "headers": {"Prefer": "odata.maxpagesize=5, odata.track-changes"}, "pages": {"next_link": "@odata.nextLink"},
            "delta": "@odata.deltaLink", "key": "opportunityid",
            "columns": {"opportunityid": "text", "name": "text", "estimatedvalue": "decimal(19,4)", "modifiedon": "timestamptz"},
        }  # fmt: skip
        return {"url": f"{url}/api/data/v9.2", "auth": {"oauth": oauth}, "tables": {"opportunities": table}}

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        return self.config(url, "wrong-secret")

    def rows(self, table: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "opportunityid": row["opportunityid"], "name": row["name"], "modifiedon": dt.datetime.fromisoformat(row["modifiedon"]),
                "estimatedvalue": value if isinstance(value := row["estimatedvalue"], str) else Decimal(str(value)),
            }
            for row in self.api.rows.values()
        ]  # fmt: skip

    def clear(self) -> None:
        self.api.rows.clear()

    def _saved(self, row: dict[str, Any]) -> tuple[str]:
        self.api.save(row)
        return (row["opportunityid"],)

    def insert(self) -> tuple[str]:
        return self._saved(opportunity(len(self.api.changes) + 1))

    def update(self) -> tuple[str]:
        return self._saved({**opportunity(3), "name": "changed"})

    def delete(self) -> tuple[str]:
        self.api.delete(opportunity(5))
        return (opportunity(5)["opportunityid"],)

    def retype_field(self) -> str:
        for row in self.api.rows.values():
            row["estimatedvalue"] = "on request"
        return "estimatedvalue"

    def expire(self) -> None:
        self.api.kept = 10**9


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: str(check.name))
@pytest.mark.parametrize("case", [Cursors, Links])
def test_it_keeps_the_contract(case: type[Case], check: Check) -> None:
    found = outcome(check, case, HttpJsonConnector)
    if found.state == "not shown":
        pytest.skip(found.why)
    assert found.state == "kept", found.why
