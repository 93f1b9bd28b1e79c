"""Acme's API on 127.0.0.1, as far as the connector asks it: what it answers has to be what the real one does."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "acme-secret-5f3a9c"
TICK = dt.timedelta(seconds=1)
Row = dict[str, Any]


class FakeAcme:
    """Two tables that can be changed; ``url`` is where it is."""

    def __init__(self, rows: int = 250) -> None:
        self.clock = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
        self.fields = {
            "customers": {"id": "integer", "name": "text", "changed_at": "moment"},
            "orders": {"id": "integer", "customer": "text", "amount": "money", "ordered_on": "day", "changed_at": "moment"},
        }  # fmt: skip
        self.rows: dict[str, dict[int, Row]] = {"customers": {}, "orders": {}}
        self.quota, self.salt, self.big = False, "1", 0
        for number in range(1, rows + 1):
            self.put(self.made(number))
        for number in (1, 2):
            self.put({"id": number, "name": "Café «Zoé» & fils"}, "customers")

    def made(self, number: int) -> Row:
        amount = Decimal("9007199254740993.07") if number == 7 else Decimal(number) / 4
        return {"id": number, "customer": None if number % 10 == 0 else f"client {number}", "amount": amount, "ordered_on": dt.date(2026, 1, 1 + number % 28)}  # fmt: skip

    def put(self, row: Row, table: str = "orders", *, at: dt.datetime | None = None) -> None:
        """Writes a row, at the next second."""
        self.clock += TICK if at is None else dt.timedelta(0)
        self.rows[table][row["id"]] = {**row, "changed_at": at or self.clock}

    # --- what it answers ----------------------------------------------------------------------------------------

    def answer(self, path: str, query: dict[str, str], authorization: str) -> tuple[int, Any]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"error": "unauthorized"}
        if self.quota:
            return 429, {"error": "daily_quota"}
        if path == "/v1/account":
            return 200, {"name": "Acme Test"}
        if path == "/v1/tables":
            tables = [{"name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]} for name, fields in self.fields.items()]  # fmt: skip
            return 200, {"tables": tables}
        if path.startswith("/v1/rows/"):
            return self.page(path.rpartition("/")[2], query)
        return 404, {"error": "not_found"}

    def page(self, table: str, query: dict[str, str]) -> tuple[int, Any]:
        limit, after = int(query.get("limit", 100)), query.get("after")
        if self.big and table == "orders":
            first = int(after or 0) + 1
            rows = [{**self.made(n), "changed_at": self.clock} for n in range(first, min(first + limit, self.big + 1))]
            return 200, {"rows": rows, "next": str(first + limit - 1) if first + limit <= self.big else None}
        place = self.place(after)
        if after and place is None:
            return 410, {"error": "unknown_cursor"}
        since = dt.datetime.fromisoformat(query["changed_since"]) if "changed_since" in query else None
        found = sorted(self.chosen(table, since, query.get("deleted") == "true"), key=lambda row: (row["changed_at"], row["id"]))  # fmt: skip
        if place:
            found = [row for row in found if (row["changed_at"].isoformat(), row["id"]) > place]
        rows = found[:limit]
        return 200, {"rows": rows, "next": self.token(rows[-1]) if len(found) > limit else None}

    def chosen(self, table: str, since: dt.datetime | None, deleted: bool) -> Iterator[Row]:
        for row in self.rows[table].values():
            if (since is None or row["changed_at"] >= since) and (deleted or not row.get("deleted")):
                yield {name: row[name] for name in (*self.fields[table], "deleted") if name in row}

    def token(self, row: Row) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.salt, row["changed_at"].isoformat(), row["id"]]).encode()).decode()

    def place(self, token: str | None) -> tuple[str, int] | None:
        try:
            salt, changed, number = json.loads(base64.urlsafe_b64decode(token or ""))
        except (ValueError, TypeError):
            return None
        return (changed, number) if salt == self.salt else None

    # --- the server ---------------------------------------------------------------------------------------------

    def start(self) -> str:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def written(value: Any) -> bytes:
    """JSON in which amounts are numbers to the last digit."""
    text = json.dumps(value, default=lambda one: f"#{one}#" if isinstance(one, Decimal) else one.isoformat())
    return re.sub(r'"#([-\d.]+)#"', r"\1", text).encode()


def handler(fake: FakeAcme) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            status, value = fake.answer(parts.path, query, self.headers.get("authorization") or "")
            body = written(value)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
