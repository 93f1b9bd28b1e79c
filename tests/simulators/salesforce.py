"""A stand-in for Salesforce's REST API and its Bulk API 2.0: an org that keeps its rows, and answers in Salesforce's words.

``python -m tests.simulators.salesforce --rows 1000000`` serves leads made on the fly, and prints its address.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote

from tests.simulators.base import Fault, Handler, Request, Response, Simulator
from tests.simulators.salesforce_objects import (
    STAGES,
    Field,
    Row,
    custom_object,
    field_of,
    identifier,
    new_org,
)
from tests.simulators.salesforce_soql import Query, Refused, parsed
from tests.simulators.salesforce_written import in_csv, in_json, written

_DATA = r"/services/data/v(\d+\.\d)"
OLDEST, NEWEST = 31.0, 67.0  # versions that are still spoken, and spoken already


@dataclass
class _Job:
    id: str
    text: str
    query: Query
    deleted: bool
    polls: int
    rows: list[Row] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.query.sobject.made or len(self.rows)

    def part(self, start: int, end: int) -> list[Row]:
        made = self.query.sobject
        return (
            [made.made_row(i) for i in range(start, min(end, made.made))]
            if made.made
            else self.rows[start:end]
        )


class SalesforceSimulator(Simulator):
    """``batch``: rows an answer of a query holds; ``polls``: how often a job is asked after before it is complete; ``session_calls``:
    after so many requests a session is over; ``refuses``: objects whose queries are refused where they ask for all rows at once, with the
    code and the words, whichever API is asked; ``audiences``: whom a key may sign for, the org's own address too where none is named; ``lose``: rows that answers leave out though they count them, or, ``quietly``, do not."""

    def __init__(self) -> None:
        super().__init__()
        self.org = new_org()
        self.number = 0
        self.client_id, self.client_secret = "3MVG9.cadran.tests", "2F1D8A77C0FFEE"
        self.username, self.public_key = "kpi@belvoir.example", ""
        self.sessions: dict[str, int] = {}
        self.session_calls = 0
        self.instance_url = ""
        self.cursors: dict[str, tuple[Query, Sequence[Row]]] = {}
        self.jobs: dict[str, _Job] = {}
        self.batch, self.polls, self.lose, self.part = 2000, 1, 0, 50_000
        self.no_bulk = self.quietly = False
        self.refuses: dict[str, tuple[str, str]] = {}
        self.audiences: list[str] = []
        self.used, self.daily = 0, 100_000
        self.insert("Organization", Name="Belvoir", OrganizationType="Enterprise Edition", IsSandbox=False)
        for n, (label, closed, won) in enumerate(STAGES):
            self.insert("OpportunityStage", MasterLabel=label, ApiName=label, IsActive=True, SortOrder=n, IsClosed=closed, IsWon=won)  # fmt: skip

    # --- what happens in the org ---

    def insert(self, sobject: str, **values: Any) -> str:
        """A new row; times that are not given are now, as an import with its own audit fields gives them."""
        o, now = self.org[sobject], self._now()
        self.number += 1
        id_ = values.pop("Id", None) or identifier(o.prefix, self.number)
        created = values.get("CreatedDate", now)
        row: Row = dict.fromkeys(o.fields) | {
            "Id": id_,
            "CreatedDate": created,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        row |= {f.name: False for f in o.fields.values() if f.type == "boolean"} | values
        assert set(row) == set(o.fields), set(row) ^ set(o.fields)
        o.rows[id_] = row
        if sobject == "Opportunity":
            self._staged(row, created)
        return id_

    def update(self, sobject: str, id_: str, at: dt.datetime | None = None, **values: Any) -> None:
        row = self.org[sobject].rows[id_]
        moved = sobject == "Opportunity" and values.get("StageName", row["StageName"]) != row["StageName"]
        seen = sobject == "Opportunity" and any(
            values.get(k, row[k]) != row[k] for k in ("Amount", "CloseDate", "Probability")
        )
        row |= values | {"LastModifiedDate": self._now(), "SystemModstamp": self._now()}
        if moved or seen:
            self._staged(row, at or self._now(), moved=moved)

    def delete(self, sobject: str, id_: str) -> None:
        """Into the recycle bin."""
        self.org[sobject].rows[id_] |= {"IsDeleted": True, "SystemModstamp": self._now()}
        for history in self.org["OpportunityHistory"].rows.values() if sobject == "Opportunity" else ():
            if history["OpportunityId"] == id_:
                history |= {"IsDeleted": True, "SystemModstamp": self._now()}

    def undelete(self, sobject: str, id_: str) -> None:
        self.org[sobject].rows[id_] |= {"IsDeleted": False, "SystemModstamp": self._now()}

    def merge(self, sobject: str, winner: str, loser: str) -> None:
        """The loser is deleted and says into whom it went; what hung on it hangs on the winner, and is changed by that."""
        self.org[sobject].rows[loser]["MasterRecordId"] = winner
        self.delete(sobject, loser)
        self.update(sobject, winner)
        for other, o in self.org.items():
            names = [f.name for f in o.fields.values() if f.refers == sobject and f.name != "MasterRecordId"]
            for row in o.rows.values():
                if moved := {name: winner for name in names if row[name] == loser}:
                    self.update(other, row["Id"], **moved)

    def purge(self, sobject: str, id_: str) -> None:
        """Gone for good: no answer tells of the row any more."""
        del self.org[sobject].rows[id_]

    def tie(self, sobject: str) -> dt.datetime:
        """All rows of an object were changed in the same second."""
        now = self._now()
        for row in self.org[sobject].rows.values():
            row["SystemModstamp"] = now
        return now

    def add_field(
        self, sobject: str, word: str, label: str = "", formula: str = "", value: Any = None
    ) -> None:
        """``word`` as ``Score__c:double(3,0)``."""
        f = field_of(word, label, formula)
        self.org[sobject].fields[f.name] = f
        for row in self.org[sobject].rows.values():
            row[f.name] = value

    def remove_field(self, sobject: str, name: str) -> None:
        del self.org[sobject].fields[name]
        for row in self.org[sobject].rows.values():
            del row[name]

    def retype_field(self, sobject: str, name: str, type_: str, change: Callable[[Any], Any] = str) -> None:
        old = self.org[sobject].fields[name]
        self.org[sobject].fields[name] = Field(name, type_, old.label)
        for row in self.org[sobject].rows.values():
            row[name] = None if row[name] is None else change(row[name])

    def add_object(self, name: str, prefix: str, spec: str) -> None:
        self.org[name] = custom_object(name, prefix, spec)

    def make(self, sobject: str, rows: int) -> None:
        """So many rows made on the fly."""
        self.org[sobject].made = rows

    def expire_sessions(self) -> None:
        self.sessions.clear()

    def expire_cursors(self) -> None:
        self.cursors.clear()
        self.jobs.clear()

    def _now(self) -> dt.datetime:
        return self.clock.replace(microsecond=0)

    def _staged(self, row: Row, at: dt.datetime, *, moved: bool = False) -> None:
        """What an opportunity's stage says of it, and the line that its history gets."""
        stage = next(
            (r for r in self.org["OpportunityStage"].rows.values() if r["MasterLabel"] == row["StageName"]),
            None,
        )
        row |= {"IsClosed": bool(stage and stage["IsClosed"]), "IsWon": bool(stage and stage["IsWon"])}
        if moved:
            row["LastStageChangeDate"] = at
        same = {k: row[k] for k in ("StageName", "Amount", "CloseDate", "Probability", "ForecastCategory")}
        self.insert("OpportunityHistory", OpportunityId=row["Id"], CreatedDate=at, **same)

    # --- what the API answers ---

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/services/oauth2/token"): self._token,
            ("GET", "/services/data/?"): self._versions,
            ("GET", _DATA + "/sobjects/?"): self._sobjects,
            ("GET", _DATA + r"/sobjects/(\w+)/describe/?"): self._describe,
            ("GET", _DATA + "/(query|queryAll)/?"): self._query,
            ("GET", _DATA + r"/(query|queryAll)/(\w+)-(\d+)"): self._more,
            ("POST", _DATA + "/jobs/query/?"): self._create_job,
            ("GET", _DATA + r"/jobs/query/(\w+)/?"): self._job,
            ("GET", _DATA + r"/jobs/query/(\w+)/results/?"): self._results,
            ("DELETE", _DATA + r"/jobs/query/(\w+)/?"): self._delete_job,
            ("GET", _DATA + "/limits/?"): self._limits,
        }

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/services/data/v"):
            version = float(request.path.split("/")[3][1:])
            if version < OLDEST:
                return _said("GONE", "The requested resource no longer exists", 410)
            if version > NEWEST:
                return _said("NOT_FOUND", "The requested resource does not exist", 404)
            session = request.headers.get("authorization", "").removeprefix("Bearer ")
            if session not in self.sessions:
                return _said("INVALID_SESSION_ID", "Session expired or invalid", 401)
            with self.lock:
                self.used += 1
                self.sessions[session] += 1
                if self.session_calls and self.sessions[session] >= self.session_calls:
                    del self.sessions[session]
            if self.used > self.daily:
                return self.quota(Fault("quota"))
        try:
            response = super().answer(request)
        except Refused as error:
            return _said(error.code, error.message, 400)
        if response.status == 404 and isinstance(response.content, dict):
            return _said("NOT_FOUND", "The requested resource does not exist", 404)
        return Response(
            response.content,
            response.status,
            {"sforce-limit-info": f"api-usage={self.used}/{self.daily}", **response.headers},
        )

    def limited(self, fault: Fault) -> Response:
        """With the status of the day's limit: only the words tell the two apart."""
        return _said("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403)

    def quota(self, fault: Fault) -> Response:
        return _said("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)

    def error(self, fault: Fault) -> Response:
        if fault.status == 503:
            return _said(
                "SERVER_UNAVAILABLE", "We can't complete your request because the server is too busy.", 503
            )
        return _said("UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1234", fault.status)

    def _token(self, request: Request) -> Response:
        form = {k: v[-1] for k, v in parse_qs(request.body.decode()).items()}
        if form.get("grant_type") == "client_credentials":
            if form.get("client_id") != self.client_id:
                return _refused("invalid_client_id", "client identifier invalid")
            if form.get("client_secret") != self.client_secret:
                return _refused("invalid_client", "invalid client credentials")
        elif form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            try:
                signed = self._signed(form.get("assertion", ""))
            except Refused as error:
                return _refused(error.code, error.message)
            if not signed:
                return _refused("invalid_grant", "user hasn't approved this consumer")
        else:
            return _refused("unsupported_grant_type", "grant type not supported")
        with self.lock:
            self.number += 1
            token = f"00D5g000000Belv!AQEAQ{self.number:06d}.canary"
            self.sessions[token] = 0
        url = self.instance_url or self.url
        return Response({"access_token": token, "instance_url": url, "id": f"{url}/id/00D/005", "token_type": "Bearer",
                         "issued_at": "1767225600000", "scope": "api", "signature": "c2ln"})  # fmt: skip

    def _signed(self, assertion: str) -> bool:
        """Raises :class:`Refused` for an audience that is none."""
        import jwt

        try:
            said = jwt.decode(assertion, self.public_key, ["RS256"], audience=self.audiences or [self.url, "https://login.salesforce.com"], issuer=self.client_id,
                              options={"verify_exp": False})  # fmt: skip
        except jwt.InvalidAudienceError:
            raise Refused("invalid_grant", "audience is invalid") from None
        except jwt.PyJWTError:
            return False
        left = dt.datetime.fromtimestamp(said["exp"], dt.UTC) - self.clock
        return said["sub"] == self.username and dt.timedelta(0) < left <= dt.timedelta(minutes=5)

    def _versions(self, _: Request) -> Response:
        return Response(
            [{"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in (65, 66, 67)]
        )

    def _sobjects(self, _: Request, __: str) -> Response:
        listed = [{"name": n, "label": n, "labelPlural": f"{n}s", "keyPrefix": o.prefix, "custom": n.endswith("__c"), "queryable": True,
                   "retrieveable": True, "deprecatedAndHidden": False, "replicateable": "IsDeleted" in o.fields} for n, o in self.org.items()]  # fmt: skip
        return Response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    def _describe(self, _: Request, __: str, name: str) -> Response:
        if name not in self.org:
            return _said("NOT_FOUND", "The requested resource does not exist", 404)
        fields = [f.described() for f in self.org[name].fields.values()]
        return Response(
            {"name": name, "label": name, "custom": name.endswith("__c"), "queryable": True, "fields": fields}
        )

    def _query(self, request: Request, version: str, kind: str) -> Response:
        if len(quote(request.query["q"])) > 16_000:  # an address has 16,384 bytes
            return Response(b"<html>URI Too Long</html>", 414, {"content-type": "text/html"})
        query = parsed(request.query["q"], self.org)
        if query.sobject.name in self.refuses and query.limit is None:
            raise Refused(*self.refuses[query.sobject.name])
        rows = query.rows(deleted=kind == "queryAll")
        if not query.fields:
            return Response({"totalSize": len(rows), "done": True, "records": []})
        self.number += 1
        cursor = f"0r8xx{self.number:010d}AAA"
        self.cursors[cursor] = query, rows
        return self._batch(f"/services/data/v{version}/{kind}", cursor, 0)

    def _more(self, _: Request, version: str, kind: str, cursor: str, start: str) -> Response:
        if cursor not in self.cursors:
            return _said("INVALID_QUERY_LOCATOR", "invalid query locator", 400)
        return self._batch(f"/services/data/v{version}/{kind}", cursor, int(start))

    def _batch(self, path: str, cursor: str, start: int) -> Response:
        query, rows = self.cursors[cursor]
        part, end = rows[start : start + self.batch], start + self.batch
        done = end >= len(rows)
        if done:
            del self.cursors[cursor]
        name = query.sobject.name
        records = [{"attributes": {"type": name, "url": f"{path.rsplit('/', 1)[0]}/sobjects/{name}/{r['Id']}"}} | written(r, query.fields) for r in part]  # fmt: skip
        more = {} if done else {"nextRecordsUrl": f"{path}/{cursor}-{end}"}
        whole = {"totalSize": len(rows), "done": done, **more, "records": records[: len(records) - self.lose]}
        return Response(in_json(whole).encode(), 200, {"content-type": "application/json;charset=UTF-8"})

    def _create_job(self, request: Request, _: str) -> Response:
        asked = request.json
        if self.no_bulk:
            return _said("FEATURENOTENABLED", "Bulk API is not enabled for this org", 400)
        query = parsed(asked["query"], self.org)
        if not query.sobject.in_bulk:
            return _said(
                "INVALIDENTITY", f"Entity '{query.sobject.name}' is not supported by the Bulk API.", 400
            )
        compound = [n for n in query.fields if query.sobject.fields[n].type in ("address", "location")]
        if compound:
            return _said(
                "FUNCTIONALITY_NOT_ENABLED",
                f"Selecting compound data not supported in Bulk Query: {compound[0]}",
                400,
            )
        self.number += 1
        deleted = asked["operation"] == "queryAll"
        job = _Job(identifier("750", self.number), asked["query"], query, deleted, self.polls)
        if not query.sobject.made:
            job.rows = [dict(r) for r in query.rows(deleted=deleted)]
        self.jobs[job.id] = job
        return Response(self._told(job))

    def _told(self, job: _Job) -> dict[str, Any]:
        state = "JobComplete" if job.polls <= 0 else "InProgress"
        code, words = self.refuses.get(job.query.sobject.name, ("", ""))
        if state == "JobComplete" and code not in ("", "QUERY_TIMEOUT"):  # a job has more time
            return {
                "id": job.id,
                "state": "Failed",
                "errorMessage": f"InvalidBatch : Failed to process query: {code}: {words}",
            }
        told = {"id": job.id, "operation": "queryAll" if job.deleted else "query", "object": job.query.sobject.name, "state": state,
                "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF", "concurrencyMode": "Parallel", "apiVersion": 66.0}  # fmt: skip
        return told | ({"numberRecordsProcessed": job.total, "retries": 0} if job.polls <= 0 else {})

    def _job(self, _: Request, __: str, id_: str) -> Response:
        if id_ not in self.jobs:
            return _said("NOT_FOUND", "The requested resource does not exist", 404)
        self.jobs[id_].polls -= 1
        return Response(self._told(self.jobs[id_]))

    def _results(self, request: Request, _: str, id_: str) -> Response:
        job = self.jobs.get(id_)
        if job is None:
            return _said("NOT_FOUND", "The requested resource does not exist", 404)
        if job.polls > 0:
            return Response(b"", 204)
        start = int(request.query.get("locator", "0"))
        end = start + min(int(request.query.get("maxRecords", self.part)), self.part)
        whole = job.part(start, end)
        rows = whole[: len(whole) - self.lose]
        headers = {"content-type": "text/csv", "sforce-numberofrecords": str(len(rows if self.quietly else whole)), "sforce-locator": "null" if end >= job.total else str(end)}  # fmt: skip
        return Response(in_csv(rows, job.query.fields).encode(), 200, headers)

    def _delete_job(self, _: Request, __: str, id_: str) -> Response:
        return (
            Response(b"", 204)
            if self.jobs.pop(id_, None)
            else _said("NOT_FOUND", "The requested resource does not exist", 404)
        )

    def _limits(self, _: Request, __: str) -> Response:
        return Response(
            {"DailyApiRequests": {"Max": self.daily, "Remaining": max(0, self.daily - self.used)}}
        )


def _said(code: str, message: str, status: int) -> Response:
    return Response([{"message": message, "errorCode": code}], status)


def _refused(error: str, words: str) -> Response:
    return Response({"error": error, "error_description": words}, 400)


def main() -> None:
    import argparse
    import threading

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--port", type=int, default=0)
    chosen = options.parse_args()
    simulator = SalesforceSimulator()
    simulator.make("Lead", chosen.rows)
    with simulator.serving(port=chosen.port):
        print(json.dumps({"url": simulator.url, "client_id": simulator.client_id, "client_secret": simulator.client_secret}), flush=True)  # fmt: skip
        threading.Event().wait()


if __name__ == "__main__":
    main()
