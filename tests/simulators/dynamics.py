"""Dynamics 365's Web API as far as one table is read: pages, links to what has changed, rows that are gone, tokens of Entra ID.

As https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems describes it.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from .base import Handler, Request, Response, Simulator

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
API = "/api/data/v9.2"
_LABEL = "@OData.Community.Display.V1.FormattedValue"


def opportunity(number: int) -> dict[str, Any]:
    return {
        "opportunityid": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        "name": f"Caisses {number}",
        "estimatedvalue": number * 1250.25,
        "statecode": number % 3,
        f"statecode{_LABEL}": ("Open", "Won", "Lost")[number % 3],
        "_ownerid_value": str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number % 3))),
        f"_ownerid_value{_LABEL}": f"Vendeur {number % 3}",
        "estimatedclosedate": (START + dt.timedelta(days=number)).date().isoformat(),
        "modifiedon": (START + dt.timedelta(hours=number)).isoformat().replace("+00:00", "Z"),
    }


class Dynamics(Simulator):
    """Each change has a number; a delta link holds the number that it goes on from. ``kept``: older links are not good any more."""

    def __init__(self, rows: int = 0) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, Any]] = {}
        self.changes: list[tuple[str, str]] = []  # what, and the id
        self.kept = 0
        self.token = "entra-canary"
        for number in range(1, rows + 1):
            self.save(opportunity(number))

    def save(self, row: dict[str, Any]) -> None:
        self.rows[row["opportunityid"]] = row
        self.changes.append(("saved", row["opportunityid"]))

    def delete(self, row: dict[str, Any]) -> None:
        del self.rows[row["opportunityid"]]
        self.changes.append(("deleted", row["opportunityid"]))

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/tenant/oauth2/v2.0/token"): self._token,
            ("GET", f"{API}/opportunities"): self._opportunities,
        }

    def _token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret-canary",
            "scope": form.get("scope"),
        }  # fmt: skip
        if form != wanted:
            return Response(
                {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}, 401
            )
        return Response({"token_type": "Bearer", "expires_in": 3599, "access_token": self.token})

    def quota(self, fault: Any) -> Response:
        told = self._said(429, "0x80072322", "Number of requests exceeded the limit.")
        return Response(told.content, 429, {"retry-after": "40000"})

    def error(self, fault: Any) -> Response:
        return self._said(fault.status, "0x80040216", "An unexpected error occurred.")

    def _said(self, status: int, code: str, message: str) -> Response:
        return Response({"error": {"code": code, "message": message}}, status)

    def _opportunities(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(b"", 401)
        prefer = request.headers.get("prefer", "")
        size = int(found[1]) if (found := re.search(r"odata\.maxpagesize=(\d+)", prefer)) else 5000
        items = self._items(request)
        if isinstance(items, Response):
            return items
        start = int(request.query.get("$skiptoken", 0))
        body: dict[str, Any] = {
            "@odata.context": f"{self._reached(request)}{API}/$metadata#opportunities{'/$delta' if '$deltatoken' in request.query else ''}",
            "value": [self._shown(item, request, prefer) for item in items[start : start + size]],
        }
        if start + size < len(items):
            body["@odata.nextLink"] = self._link(request, {**request.query, "$skiptoken": start + size})
        elif "odata.track-changes" in prefer or "$deltatoken" in request.query:
            query = {k: v for k, v in request.query.items() if k in ("$select", "$filter")}
            body["@odata.deltaLink"] = self._link(request, {**query, "$deltatoken": len(self.changes)})
        return Response(
            body, headers={"content-type": "application/json; odata.metadata=minimal", "odata-version": "4.0"}
        )

    def _items(self, request: Request) -> list[Any] | Response:
        if "$deltatoken" not in request.query:
            since = re.fullmatch(r"modifiedon ge (\S+)", request.query.get("$filter", ""))
            if "$filter" in request.query and not since:
                return self._said(400, "0x80060888", "Syntax error in '$filter'.")
            return [r for r in self.rows.values() if not since or r["modifiedon"] >= since[1]]
        at = int(request.query["$deltatoken"])
        if at < self.kept:
            return self._said(410, "0x80044352", "The change tracking token has expired.")
        last = {key: what for what, key in self.changes[at:]}
        return [self.rows[key] if what == "saved" else key for key, what in last.items()]

    def _shown(self, item: Any, request: Request, prefer: str) -> dict[str, Any]:
        if isinstance(item, str):
            context = f"{self._reached(request)}{API}/$metadata#opportunities/$deletedEntity"
            return {"@odata.context": context, "id": item, "reason": "deleted"}
        names = (
            request.query["$select"].split(",")
            if "$select" in request.query
            else [k for k in item if "@" not in k]
        )
        labels = "odata.include-annotations" in prefer
        out = {"@odata.etag": 'W/"1"', "opportunityid": item["opportunityid"]}
        for name in names:
            out[name] = item[name]
            if labels and name + _LABEL in item:
                out[name + _LABEL] = item[name + _LABEL]
        return out

    def _link(self, request: Request, query: Mapping[str, Any]) -> str:
        return f"{self._reached(request)}{API}/opportunities?{urlencode(query)}"

    def _reached(self, request: Request) -> str:
        return f"http://{request.headers['host']}"
