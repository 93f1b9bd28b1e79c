"""Pages of a hundred records with twenty columns, through the client and the records of ``cadran.plugins``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.simulators.base import Handler, Request, Response, Simulator

from benchmarks.connectors.recorded import client
from cadran.plugins import Column, Context
from cadran.plugins.http import Http, Listing
from cadran.plugins.typed.records import Records

ROWS = 100
COLUMNS = (
    Column("id", "BIGINT"), Column("amount", "DECIMAL(18,2)"), Column("closed", "DATE"), Column("open", "BOOLEAN"),
    Column("created", "TIMESTAMP WITH TIME ZONE"), Column("changed", "TIMESTAMP WITH TIME ZONE"), Column("visits", "BIGINT"),
    Column("score", "DOUBLE"), *(Column(f"text_{number}", "VARCHAR") for number in range(12)),
)  # fmt: skip


def _record(number: int, *, texts: bool) -> dict[str, Any]:
    numbers: dict[str, Any] = {"amount": number * 137 / 100, "visits": number % 91, "score": number / 8, "open": number % 3 == 0}  # fmt: skip
    if texts:
        numbers = {name: str(value).lower() for name, value in numbers.items()}
    moment = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:15:{number % 60:02d}.{number % 1000:03d}Z"
    words = {f"text_{place}": f"what column {place} says of {number}" for place in range(12)}
    return {"id": str(number) if texts else number, "closed": moment[:10], "created": moment, "changed": moment, **numbers, **words}  # fmt: skip


class Pages(Simulator):
    """``GET /records?after=N``: the answers are made beforehand, so that little of what is measured is the server's time."""

    def __init__(self, pages: int, *, texts: bool) -> None:
        super().__init__()
        self.bodies = []
        for page in range(pages):
            rows = [_record(page * ROWS + number, texts=texts) for number in range(ROWS)]
            more = {"paging": {"next": {"after": str(page + 1)}}} if page + 1 < pages else {}
            self.bodies.append(json.dumps({"results": rows, **more}).encode())

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("GET", "/records"): self.page}

    def page(self, request: Request) -> Response:
        return Response(self.bodies[int(request.query.get("after", 0))])


def texts(pages: int) -> Simulator:
    return Pages(pages, texts=True)


def values(pages: int) -> Simulator:
    return Pages(pages, texts=False)


def bare(url: str) -> int:
    rows, after = 0, "0"
    with client(Authorization="Bearer token-of-a-benchmark") as http:
        while after:
            page = http.get(f"{url}/records", params={"limit": ROWS, "after": after}).json()
            rows += len(page["results"])
            after = page.get("paging", {}).get("next", {}).get("after", "")
    return rows


def ours(url: str) -> int:
    rows, after, records = 0, "0", Records(COLUMNS, key=["id"])
    http = _client(url)
    while after:
        page = http.get("/records", params={"limit": ROWS, "after": after}).json()
        batch, rejected = records.batch(page["results"], "records")
        assert not rejected
        rows += batch.num_rows
        after = page.get("paging", {}).get("next", {}).get("after", "")
    http.close()
    return rows


def listed(url: str) -> int:
    """The same, of answers that are read column by column."""
    rows, after, records = 0, "0", Records(COLUMNS, key=["id"])
    listing = Listing([column.name for column in COLUMNS], at="results", beside=["paging"])
    http = _client(url)
    while after:
        page = http.get("/records", params={"limit": ROWS, "after": after}, expect=listing).listed(listing)
        assert page is not None
        batch, rejected = records.columns_batch(page.columns, "records")
        assert not rejected
        rows += batch.num_rows
        after = page.beside.get("paging", {}).get("next", {}).get("after", "")
    http.close()
    return rows


def _client(url: str) -> Http:
    headers = {"Authorization": "Bearer token-of-a-benchmark"}
    return Http(Context("benchmark", {}, Path()), [url.removeprefix("http://")], base=url, headers=headers)
