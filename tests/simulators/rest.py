"""An API that knows every way of paging and every way of asking who is there; its rows can be changed while it is read."""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from .base import Fault, Handler, Request, Response, Simulator

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TOKEN, USER, PASSWORD = "t0ken-canary", "reader", "pa55:word"


def invoice(number: int) -> dict[str, Any]:
    """The same for the same number."""
    changed = START + dt.timedelta(minutes=number)
    return {
        "id": number,
        "amount": f"{number * 37 % 100_000}.{number % 100:02}",
        "customer": {"name": f"Client {number % 7}", "city": "Orléans" if number % 2 else None},
        "paid": number % 3 == 0,
        "day": changed.date().isoformat(),
        "updated_at": changed.isoformat().replace("+00:00", "Z"),
        "changed": int(changed.timestamp()),
        "is_deleted": False,
    }


class Rest(Simulator):
    """``auth``: what each request has to bring. ``most``: rows a page at the most, whatever is asked for. ``circle``: the cursor and the
    links of the second page lead to itself. ``short``: rows are left out, though the total counts them."""

    def __init__(self, rows: int = 0, auth: str = "", most: int = 100) -> None:
        super().__init__()
        self.rows = {number: invoice(number) for number in range(1, rows + 1)}
        self.big = 0  # rows that are made while they are asked for, instead
        self.auth, self.most, self.circle, self.short = auth, most, False, 0
        self.tokens = {TOKEN}

    def change(self, number: int, at: dt.datetime, **values: Any) -> None:
        row = self.rows.get(number) or invoice(number)
        changed = {"updated_at": at.isoformat().replace("+00:00", "Z"), "changed": int(at.timestamp())}
        self.rows[number] = {**row, **changed, **values}

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/oauth2/token"): self._token,
            ("GET", "/api/cursor"): self._cursor,
            ("GET", "/api/v1/invoices"): self._cursor,
            ("GET", "/api/next"): self._next,
            ("GET", "/api/links"): self._links,
            ("GET", "/api/offset"): self._offset,
            ("GET", "/api/pages"): self._pages,
            ("GET", "/api/last"): self._last,
            ("GET", "/api/plain"): self._plain,
            ("GET", "/api/nothing"): lambda _: Response({"data": None, "meta": {"count": 0}}),
            ("POST", "/api/search"): self._search,
        }

    def answer(self, request: Request) -> Response:
        if request.path != "/oauth2/token" and not self._known(request):
            return Response({"message": "who is there?"}, 401)
        return super().answer(request)

    def quota(self, fault: Fault) -> Response:
        return Response(
            {"error": {"message": "the day's requests are used up"}}, 429, {"retry-after": "40000"}
        )

    def limited(self, fault: Fault) -> Response:
        return Response({"error": {"message": "slow down"}}, 429)

    def _known(self, request: Request) -> bool:
        header = request.headers.get("authorization", "")
        if self.auth == "bearer":
            return header == f"Bearer {TOKEN}"
        if self.auth == "oauth":
            return header.removeprefix("Bearer ") in self.tokens
        if self.auth == "header":
            return request.headers.get("x-api-key") == TOKEN
        if self.auth == "query":
            return request.query.get("api_key") == TOKEN
        if self.auth == "basic":
            return header == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return True

    def _token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs(request.body.decode()).items()}
        header = request.headers.get("authorization", "")
        basic = "Basic " + base64.b64encode(b"app:s3cret").decode()
        known = (form.get("client_id"), form.get("client_secret")) == ("app", "s3cret") or header == basic
        if form.get("grant_type") != "client_credentials" or not known:
            return Response({"error": "invalid_client"}, 401)
        token = f"{TOKEN}-{len(self.tokens)}"
        self.tokens = {token}
        return Response({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _found(self, request: Request) -> list[dict[str, Any]]:
        """By id; from a time of change on, where that is asked for."""
        rows = [self.rows[number] for number in sorted(self.rows)]
        since = request.query.get("updated_since")
        if since is None:
            return rows
        if since.isdecimal():
            return [row for row in rows if row["changed"] >= int(since)]
        return [row for row in rows if row["updated_at"] >= since]

    def _part(self, request: Request, start: int, most: int | None = None) -> tuple[list[Any], bool]:
        size = min(most or int(request.query.get("limit", self.most)), self.most)
        if self.big:
            end = min(start + size, self.big)
            return [invoice(number) for number in range(start + 1, end + 1)], end < self.big
        found = self._found(request)
        part = found[start : start + size]
        return part[: len(part) - self.short], start + size < len(found)

    def _behind(self, start: int, size: int) -> int:
        return start if self.circle and start else start + size

    def _cursor(self, request: Request) -> Response:
        start = int(base64.b64decode(request.query["cursor"])) if "cursor" in request.query else 0
        rows, more = self._part(request, start)
        size = min(int(request.query.get("limit", self.most)), self.most)
        cursor = base64.b64encode(str(self._behind(start, size)).encode()).decode() if more else None
        meta = {"next": cursor, "total": self.big or len(self._found(request))}
        return Response({"data": {"items": rows}, "meta": meta})

    def _here(self, request: Request, **values: Any) -> str:
        return f"http://{request.headers['host']}{request.path}?{urlencode({**request.query, **values})}"  # as it was reached

    def _next(self, request: Request) -> Response:
        start = int(request.query.get("from", 0))
        rows, more = self._part(request, start)
        link = self._here(request, **{"from": self._behind(start, self.most)}) if more else None
        return Response({"results": rows, "links": {"next": link}, "count": len(self._found(request))})

    def _links(self, request: Request) -> Response:
        start = int(request.query.get("from", 0))
        rows, more = self._part(request, start)
        links = [f'<{self._here(request, **{"from": 0})}>; rel="first"']
        if more:
            links.append(f'<{self._here(request, **{"from": self._behind(start, self.most)})}>; rel="next"')
        headers = {"link": ", ".join(links), "x-total-count": str(len(self._found(request)))}
        return Response(rows, headers=headers)

    def _offset(self, request: Request) -> Response:
        rows, _ = self._part(request, int(request.query.get("offset", 0)))
        return Response({"items": rows, "total": len(self._found(request))})

    def _pages(self, request: Request) -> Response:
        size = min(int(request.query.get("per_page", self.most)), self.most)
        number = int(request.query.get("page", 1))
        rows, more = self._part(request, (number - 1) * size, size)
        return Response({"items": rows, "has_more": more, "total": len(self._found(request))})

    def _last(self, request: Request) -> Response:
        found = [r for r in self._found(request) if r["id"] > int(request.query.get("starting_after", 0))]
        return Response({"data": found[: self.most], "has_more": len(found) > self.most})

    def _plain(self, request: Request) -> Response:
        return Response(self._found(request))

    def _search(self, request: Request) -> Response:
        body = request.json
        asked = Request("POST", request.path, {k: str(v) for k, v in body.items() if k != "page"}, {}, b"")
        start = int(body.get("page", {}).get("after", 0))
        rows, more = self._part(asked, start)
        return Response(
            {"rows": rows, "paging": {"after": start + self.most if more else None}, "asked": body}
        )


def main() -> None:
    """Serves ``/api/cursor`` and the others over many rows, as a process of its own; its address is the first line that it prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--most", type=int, default=1_000, help="rows a page")
    parser.add_argument("--port", type=int, default=0)
    said = parser.parse_args()
    made = Rest(0, most=said.most)
    made.big = said.rows
    with made.serving(port=said.port) as served:
        print(json.dumps({"url": f"{served.url}/api"}), flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
