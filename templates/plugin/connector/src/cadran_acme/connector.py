"""Acme as a source: its tables are kept in the project's copy, and asked for what has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cadran.plugins import (
    WHOLE,
    Column,
    ConnectorError,
    Context,
    DataError,
    Deletes,
    End,
    Page,
    QuotaExhausted,
    Rejected,
    ResumeExpired,
    SyncedConnector,
    Table,
    Transient,
    Window,
)

if TYPE_CHECKING:
    from cadran.plugins.http import Answer, Http

PAGE = 100  # rows, the most that Acme gives at once
TYPES = {
    "text": "VARCHAR", "integer": "BIGINT", "money": "DECIMAL(18,2)", "day": "DATE", "moment": "TIMESTAMP WITH TIME ZONE"
}  # fmt: skip


class AcmeConnector(SyncedConnector):
    """Asks ``GET /v1/tables`` for what there is, and ``GET /v1/rows/TABLE`` for rows, which come in the order of their changes."""

    config_schema = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": "^https?://", "description": "https://api.acme.example"},
            "token": {"type": "string", "writeOnly": True, "description": "A token that may read"},
        },
        "required": ["url", "token"],
        "additionalProperties": False,
    }

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._url = str(context.config["url"]).rstrip("/")
        self._client: Http | None = None
        self._tables: dict[str, Table] = {}

    @property
    def hosts(self) -> Sequence[str]:
        return [urlsplit(self._url).netloc]

    @property
    def http(self) -> Http:
        if self._client is None:
            from cadran.plugins.http import Http, Limit  # not above: 'cadran check' needs no HTTP library

            headers = {"authorization": f"Bearer {self.context.config['token']}"}
            limits = [Limit(requests=1000, seconds=10)]
            self._client = Http(
                self.context, self.hosts, base=self._url, headers=headers, limits=limits, account=self._url,
                judge=judged, credential=("token",),
            )  # fmt: skip
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def ping(self) -> str:
        return str(held(self._asked("/v1/account"), "name"))

    def discover(self) -> Sequence[Table]:
        tables = held(self._asked("/v1/tables"), "tables")
        self._tables = {one["name"]: described(one) for one in tables}
        return list(self._tables.values())

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        from cadran.plugins.typed.records import Records

        if not self._tables:
            self.discover()
        found = self._tables.get(table)  # pages have the columns that were told, whatever has changed since
        if found is None:
            raise DataError(f"Acme has no table '{table}'")
        records, keys = Records(found.columns, key=found.key), Records(found.columns[:1])
        asked: dict[str, Any] = {"limit": PAGE}
        if (
            window.since is not None
        ):  # what changed then or later: >=, as another row may be written in the same moment
            asked |= {"changed_since": window.since.isoformat(), "deleted": "true"}
        if resume is not None:
            asked["after"] = place(resume)
        sent = 0
        while True:
            answer = self._asked(f"/v1/rows/{table}", asked)
            rows, after = held(answer, "rows"), held(answer, "next")
            if after is not None and after == asked.get("after"):
                raise DataError(f"Acme gives the same page of '{table}' again and again")
            batch, rejected = records.batch([row for row in rows if not row.get("deleted")], table)
            gone, _ = keys.batch([row for row in rows if row.get("deleted")])
            yield from rejected
            if gone.num_rows:
                yield Deletes(gone)
            yield Page(batch, resume=None if after is None else {"after": after})
            sent += batch.num_rows
            if after is None:
                break
            asked["after"] = after
        yield End(sent)

    def _asked(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self.http.get(path, params=params).json()


def held(answer: Any, name: str) -> Any:
    """What an answer says under a name. One that does not say it is none of the API's: an error, and neither an empty page nor the end."""
    if not isinstance(answer, dict) or name not in answer:
        raise Transient(f"Acme's answer has no '{name}'", hint="cadran sync tries again")
    return answer[name]


def described(table: Mapping[str, Any]) -> Table:
    """A table as Acme describes it; the first field is its key."""
    columns = [Column(field["name"], TYPES[field["type"]]) for field in table["fields"]]
    return Table(
        table["name"], tuple(columns), key=(columns[0].name,), cursor="changed_at", deletes="reported"
    )


def place(resume: Mapping[str, Any]) -> str:
    """Where reading goes on, if that is one of our pages'."""
    after = resume.get("after")
    if not isinstance(after, str):
        raise ResumeExpired("this is no place in Acme's pages")
    return after


def judged(answer: Answer) -> ConnectorError | None:
    """Acme's own words for what only it can know; all else is told by the status."""
    if answer.status == 410:
        return ResumeExpired("Acme has forgotten this page")
    if answer.status == 429 and answer.json().get("error") == "daily_quota":
        return QuotaExhausted(
            "all requests of the day are used up", hint="cadran sync goes on tomorrow where it stopped"
        )
    return None
