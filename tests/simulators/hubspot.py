"""A HubSpot account on 127.0.0.1: its objects, associations, owners, pipelines and properties, with the limits and words of the API.

``python -m tests.simulators.hubspot --rows 1000000`` serves that many contacts and deals, made when they are asked for.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.simulators.base import Fault, Handler, Request, Response, Simulator
from tests.simulators.hubspot_fields import (
    ASSOCIATIONS,
    KINDS,
    SCOPES,
    SINGULAR,
    Property,
    cursor,
    standard,
)  # fmt: skip
from tests.simulators.hubspot_rows import Row, Rows, contact, deal, instant, millis

TOKEN = "pat-eu1-0f3a7c1e-canary-token"
_KIND = "|".join(KINDS)
_OBJECTS = rf"/crm/(?:v3/objects|objects/2026-09)/({_KIND})"


class HubSpot(Simulator):
    """``missing`` holds scopes that the token lacks, ``lag`` how far search is behind, ``expired`` whether no cursor is known any more,
    ``stuck`` whether each page points to itself. ``meanwhile`` is called after each page of rows, once each."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token, self.zone = token, "Europe/Paris"
        self.rows = {kind: Rows() for kind in KINDS}
        self.properties: dict[str, dict[str, Property]] = {kind: standard(kind) for kind in KINDS}
        self.links: dict[tuple[str, str], dict[int, dict[int, bool]]] = {pair: {} for pair in ASSOCIATIONS}
        self.owners: dict[int, dict[str, Any]] = {}
        self.pipelines: list[dict[str, Any]] = [sales_pipeline()]
        self.missing: set[str] = set()
        self.lag = dt.timedelta(0)
        self.expired = self.stuck = False
        self.meanwhile: list[Callable[[], None]] = []
        self.links_at_once = 100  # of one record, in one answer
        self.hits_at_most = 10_000  # of one search
        self._next = 1000

    # --- what the account's people do ------------------------------------------------------------------------------------

    def insert(
        self, kind: str, values: Mapping[str, str], *, at: dt.datetime | None = None, updated: dt.datetime | None = None,
        id_: int | None = None,
    ) -> int:  # fmt: skip
        with self.lock:
            at = at or self.clock
            self._next = max(self._next + 1, (id_ or 0), self.rows[kind].made + 1)
            row = Row(id_ or self._next, at, updated or at, {})
            row.set(values, at)
            self.rows[kind].add(row)
            return row.id

    def update(
        self, kind: str, id_: int, values: Mapping[str, str], *, at: dt.datetime | None = None
    ) -> None:
        with self.lock:
            row = self.rows[kind][id_]
            row.set(values, at or self.clock)
            row.updated = at or self.clock

    def archive(self, kind: str, id_: int, *, at: dt.datetime | None = None) -> None:
        """Into the recycling bin, where the API still shows it."""
        with self.lock:
            self.rows[kind][id_].archived = at or self.clock

    def restore(self, kind: str, id_: int) -> None:
        with self.lock:
            self.rows[kind][id_].archived = None
            self.rows[kind][id_].updated = self.clock

    def delete(self, kind: str, id_: int) -> None:
        """For good, as the GDPR has it: nothing shows it any more."""
        with self.lock:
            self.rows[kind].remove(id_)

    def merge(self, kind: str, winner: int, loser: int) -> None:
        """The loser is gone at once, without a stay in the recycling bin."""
        with self.lock:
            self.rows[kind].remove(loser)
            before = self.rows[kind][winner].values.get("hs_merged_object_ids", "")
            self.update(kind, winner, {"hs_merged_object_ids": f"{before};{loser}".strip(";")})

    def tie(self, kind: str, ids: Iterable[int], at: dt.datetime) -> None:
        with self.lock:
            for id_ in ids:
                self.rows[kind][id_].updated = at

    def associate(self, kind: str, id_: int, other: str, other_id: int, *, primary: bool = False) -> None:
        with self.lock:
            for one, first, two, second in ((kind, id_, other, other_id), (other, other_id, kind, id_)):
                if (one, two) in self.links:
                    self.links[one, two].setdefault(first, {})[second] = primary

    def dissociate(self, kind: str, id_: int, other: str, other_id: int) -> None:
        with self.lock:
            for one, first, two, second in ((kind, id_, other, other_id), (other, other_id, kind, id_)):
                self.links.get((one, two), {}).get(first, {}).pop(second, None)

    def add_property(self, kind: str, name: str, label: str, type_: str = "string") -> None:
        self.properties[kind][name] = Property(
            name, label, type_, own=True, made=instant(self.clock + dt.timedelta(milliseconds=len(self.properties[kind])))
        )  # fmt: skip

    def retype_property(self, kind: str, name: str, type_: str) -> None:
        self.properties[kind][name] = self.properties[kind][name].retyped(type_)

    def remove_property(self, kind: str, name: str) -> None:
        del self.properties[kind][name]

    def add_owner(self, id_: int, name: str, team: str = "", *, archived: bool = False) -> None:
        first, _, last = name.partition(" ")
        at = "2020-01-01T00:00:00.000Z"
        owner: dict[str, Any] = {
            "id": str(id_), "email": f"{first.lower()}@belvoir.example", "type": "PERSON", "firstName": first, "lastName": last,
            "createdAt": at, "updatedAt": at, "archived": archived,
        }  # fmt: skip
        if team:
            owner["teams"] = [{"id": str(10 + len(team)), "name": team, "primary": True}]
        self.owners[id_] = owner

    # --- what the API answers ----------------------------------------------------------------------------------------------

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", _OBJECTS): self._list,
            ("POST", _OBJECTS + "/search"): self._search,
            ("POST", _OBJECTS + "/batch/read"): self._batch,
            ("POST", r"/crm/v4/associations/(\w+)/(\w+)/batch/read"): self._associations,
            ("GET", r"/crm/v3/owners/?"): self._owners,
            ("GET", r"/crm/v3/pipelines/deals"): self._pipelines,
            ("GET", rf"/crm/v3/properties/({_KIND})"): self._properties,
            ("GET", r"/account-info/v3/details"): self._account,
        }

    def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            return _error(401, message, "INVALID_AUTHENTICATION")
        needed = [SCOPES[part] for part in request.path.split("/") if part in SCOPES and SCOPES[part] in self.missing]  # fmt: skip
        if needed:
            return _lacking(needed)
        response = super().answer(request)
        if response.status == 404:
            return _error(404, "resource not found", "OBJECT_NOT_FOUND")
        limits = {} if request.path.endswith("/search") else _HEADERS
        return Response(response.content, response.status, {**limits, **response.headers})

    def _list(self, request: Request, kind: str) -> Response:
        limit, asked = int(request.query.get("limit", 10)), request.query
        history = _words(request, "propertiesWithHistory")
        if limit > (50 if history else 100):
            return _invalid(f"limit must be at most {50 if history else 100}")
        if len(request.query.get("properties", "")) > 16_000:
            return _error(414, "URI Too Long", "VALIDATION_ERROR")
        after = asked.get("after", "0")
        if not after.isdigit() or (self.expired and "after" in asked):
            return _invalid(f"Invalid 'after': {after}")
        binned = _archived(request)
        found: list[Row] = []
        start = 0 if self.stuck else int(after)
        for row in self.rows[kind].above(max(start, self.rows[kind].made) if binned else start):
            if (row.archived is not None) == binned:
                if len(found) == limit:
                    break
                found.append(row)
        else:
            limit = -1
        names, others = _words(request, "properties"), _words(request, "associations")
        results = [self._shown(kind, row, names, history, others) for row in found]
        content: dict[str, Any] = {"results": results}
        if limit > 0 and found:
            after = str(found[-1].id)
            content["paging"] = {
                "next": {"after": after, "link": f"{self.url}{request.path}?limit={limit}&after={after}"}
            }
        self._next_event()
        return Response(content)

    def _search(self, request: Request, kind: str) -> Response:
        body = request.json
        limit, after = body.get("limit", 10), int(body.get("after") or 0)
        if limit > 200:
            return _invalid("limit must be at most 200")
        if after + limit > self.hits_at_most:
            return _invalid("The maximum total results for a given query is 10000")
        if len(body.get("sorts", [])) > 1:
            return _invalid("only one sort rule is possible")
        groups = [group["filters"] for group in body.get("filterGroups", [])]
        if len(groups) > 5 or any(len(group) > 6 for group in groups):
            return _invalid("too many filters")
        found = [row for row in self._candidates(kind, groups) if self._matches(kind, row, groups)]
        for sort in body.get("sorts", []):
            name = sort.lstrip("-")
            found.sort(
                key=lambda row: _comparable(row.value(kind, name), self.properties[kind][name].type),
                reverse=sort[0] == "-",
            )
        page = found[after : after + limit]
        results = [self._shown(kind, row, body.get("properties", [])) for row in page]
        content: dict[str, Any] = {"total": len(found), "results": results}
        if after + limit < len(found):
            content["paging"] = {"next": {"after": str(after + limit)}}
        self._next_event()
        return Response(content)

    def _candidates(self, kind: str, groups: list[list[dict[str, Any]]]) -> Iterable[Row]:
        """Those that search knows, without looking at all rows made on the fly."""
        rows, above = self.rows[kind], 0
        for found in groups[0] if len(groups) == 1 and not self.stuck else ():
            if found["propertyName"] == "hs_object_id" and found["operator"] == "GT":
                above = max(above, int(found["value"]))
            if found["propertyName"] == cursor(kind) and found["operator"] == "GTE" and rows.made:
                since = dt.datetime.fromtimestamp(int(found["value"]) / 1000 - 1, dt.UTC)
                above = max(above, rows.made_since(since) - 1)
        seen = self.clock - self.lag
        return (row for row in rows.above(above) if row.archived is None and row.updated <= seen)

    def _matches(self, kind: str, row: Row, groups: list[list[dict[str, Any]]]) -> bool:
        return not groups or any(all(self._holds(kind, row, f) for f in group) for group in groups)

    def _holds(self, kind: str, row: Row, condition: dict[str, Any]) -> bool:
        name, operator = condition["propertyName"], condition["operator"]
        value, type_ = row.value(kind, name), self.properties[kind][name].type
        if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
            return bool(value) == (operator == "HAS_PROPERTY")
        if not value:
            return False
        if self.stuck and name == "hs_object_id":
            return True
        if operator in ("IN", "NOT_IN"):
            return (value in condition["values"]) == (operator == "IN")
        have, want = _comparable(value, type_), _comparable(condition["value"], type_)
        match operator:
            case "EQ":
                return bool(have == want)
            case "NEQ":
                return bool(have != want)
            case "GT":
                return bool(have > want)
            case "GTE":
                return bool(have >= want)
            case "LT":
                return bool(have < want)
            case "LTE":
                return bool(have <= want)
            case "BETWEEN":
                return bool(want <= have <= _comparable(condition["highValue"], type_))
        return False

    def _batch(self, request: Request, kind: str) -> Response:
        body, binned = request.json, _archived(request)
        history = body.get("propertiesWithHistory") or []
        if len(body["inputs"]) > (50 if history else 100):
            return _invalid(f"at most {50 if history else 100} inputs")
        ids = [int(each["id"]) for each in body["inputs"]]
        found = [
            row for id_ in ids if (row := self.rows[kind].get(id_)) and (row.archived is not None) == binned
        ]
        results = [self._shown(kind, row, body.get("properties", []), history) for row in found]
        lost = [str(id_) for id_ in ids if id_ not in {row.id for row in found}]
        content = self._done(results)
        if lost:
            content |= {
                "numErrors": 1,
                "errors": [_standard("Could not get some objects, they may be deleted or not exist.", lost)],
            }
        return Response(content, 207 if lost else 200)

    def _associations(self, request: Request, kind: str, other: str) -> Response:
        inputs = request.json["inputs"]
        if len(inputs) > 1000:
            return _invalid("at most 1000 inputs")
        if (kind, other) not in ASSOCIATIONS:
            return _invalid(f"there are no associations from {kind} to {other}")
        results, errors = [], []
        for each in inputs:
            ids = sorted(self.links[kind, other].get(int(each["id"]), {}).items())
            left = [(id_, primary) for id_, primary in ids if id_ > int(each.get("after") or 0)]
            if not ids:
                errors.append(
                    _standard(f"No {SINGULAR[other]} is associated with {SINGULAR[kind]} {each['id']}.", [each["id"]])
                )  # fmt: skip
                continue
            page = left[: self.links_at_once]
            found: dict[str, Any] = {
                "from": {"id": each["id"]},
                "to": [{"toObjectId": str(id_), "associationTypes": _types(kind, other, primary)} for id_, primary in page],
            }  # fmt: skip
            if len(left) > len(page):
                found["paging"] = {"next": {"after": str(page[-1][0])}}
            results.append(found)
        content = self._done(results)
        if errors:
            content |= {"numErrors": len(errors), "errors": errors}
        return Response(content, 207 if errors else 200)

    def _owners(self, request: Request) -> Response:
        binned, after = _archived(request), int(request.query.get("after", 0))
        limit = int(request.query.get("limit", 100))
        if limit > 500:
            return _invalid("limit must be at most 500")
        found = [
            owner for id_, owner in sorted(self.owners.items()) if owner["archived"] == binned and id_ > after
        ]
        content: dict[str, Any] = {"results": found[:limit]}
        if len(found) > limit:
            content["paging"] = {"next": {"after": found[limit - 1]["id"]}}
        return Response(content)

    def _pipelines(self, _: Request) -> Response:
        return Response({"results": self.pipelines})

    def _properties(self, request: Request, kind: str) -> Response:
        return Response(
            {"results": [each.json() for each in self.properties[kind].values()]}
            if not _archived(request)
            else {"results": []}
        )

    def _account(self, _: Request) -> Response:
        return Response({
            "portalId": 4242, "accountType": "STANDARD", "timeZone": self.zone, "companyCurrency": "EUR", "additionalCurrencies": [],
            "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000, "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1",
        })  # fmt: skip

    # --- pieces of answers -------------------------------------------------------------------------------------------------

    def _shown(
        self,
        kind: str,
        row: Row,
        names: Iterable[str],
        history: Iterable[str] = (),
        others: Iterable[str] = (),
    ) -> dict[str, Any]:
        known = self.properties[kind]
        out: dict[str, Any] = {
            "id": str(row.id),
            "properties": {
                name: row.value(kind, name)
                for name in dict.fromkeys([*names, *history, cursor(kind), "hs_object_id"])
                if name in known
            },
            "createdAt": instant(row.created),
            "updatedAt": instant(row.updated),
            "archived": row.archived is not None,
        }
        if row.archived is not None:
            out["archivedAt"] = instant(row.archived)
        if history:
            out["propertiesWithHistory"] = {
                name: [{"value": value, "timestamp": instant(at), "sourceType": "CRM_UI"} for at, value in reversed(row.history.get(name, []))]
                for name in history if name in known
            }  # fmt: skip
        linked = {other: self._linked(kind, row.id, other) for other in others if (kind, other) in self.links}
        if linked := {other: found for other, found in linked.items() if found["results"]}:
            out["associations"] = linked
        return out

    def _linked(self, kind: str, id_: int, other: str) -> dict[str, Any]:
        name = f"{SINGULAR[kind]}_to_{SINGULAR[other]}"
        has_primary = ASSOCIATIONS[kind, other][1] is not None
        ids = sorted(self.links[kind, other].get(id_, {}).items())
        results = []
        for each, primary in ids[: self.links_at_once]:
            if primary or not has_primary:
                results.append({"id": str(each), "type": name})
            if has_primary:
                results.append({"id": str(each), "type": f"{name}_unlabeled"})
        found: dict[str, Any] = {"results": results}
        if len(ids) > self.links_at_once:
            found["paging"] = {"next": {"after": str(ids[self.links_at_once - 1][0]), "link": "?"}}
        return found

    def _done(self, results: list[Any]) -> dict[str, Any]:
        at = instant(self.clock)
        return {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}

    def _next_event(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()

    # --- what goes wrong ---------------------------------------------------------------------------------------------------

    def limited(self, fault: Fault) -> Response:
        return _policy(
            "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", {"x-hubspot-ratelimit-remaining": "0"}
        )  # fmt: skip

    def quota(self, fault: Fault) -> Response:
        return _policy("DAILY", "You have reached your daily limit.", {"x-hubspot-ratelimit-daily-remaining": "0"})  # fmt: skip

    def error(self, fault: Fault) -> Response:
        words = {423: "the resource is locked", 477: "the account is being moved between data centers"}
        headers = {"retry-after": "2"} if fault.status == 477 else {}
        content = _error(fault.status, words.get(fault.status, "internal error"), "INTERNAL_ERROR").content
        return Response(content, fault.status, headers)


_HEADERS = {
    "x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-remaining": "99", "x-hubspot-ratelimit-interval-milliseconds": "10000",
    "x-hubspot-ratelimit-daily": "250000", "x-hubspot-ratelimit-daily-remaining": "249999",
}  # fmt: skip


def sales_pipeline(
    names: Iterable[tuple[str, str, str]] = (
        ("appointmentscheduled", "Appointment scheduled", "0.2"),
        ("contractsent", "Contract sent", "0.9"),
        ("closedwon", "Closed won", "1.0"),
        ("closedlost", "Closed lost", "0.0"),
    ),
) -> dict[str, Any]:
    """(id, label, probability); those of probability 1 and 0 are closed."""
    made = {
        "createdAt": "2019-01-01T00:00:00.000Z",
        "updatedAt": "2019-01-01T00:00:00.000Z",
        "archived": False,
    }
    stages = [
        {"id": id_, "label": label, "displayOrder": order, **made,
         "metadata": {"isClosed": "true" if float(chance) in (0.0, 1.0) else "false", "probability": chance},
         "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT"}
        for order, (id_, label, chance) in enumerate(names)
    ]  # fmt: skip
    return {"id": "default", "label": "Sales Pipeline", "displayOrder": 0, "stages": stages, **made}


def _types(kind: str, other: str, primary: bool) -> list[dict[str, Any]]:
    plain, first = ASSOCIATIONS[kind, other]
    types: list[dict[str, Any]] = [{"category": "HUBSPOT_DEFINED", "typeId": plain}]
    if primary and first is not None:
        types.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": first, "label": "Primary"})
    return types


def _archived(request: Request) -> bool:
    return request.query.get("archived", "").lower() == "true"


def _words(request: Request, name: str) -> list[str]:
    """Written with commas, or under the same name again and again."""
    return [word for text in request.repeated.get(name, ()) for word in text.split(",") if word]


def _comparable(value: str | None, type_: str) -> Any:
    if type_ == "number":
        return float(value or 0)
    if type_ == "datetime":
        if value and value.lstrip("-").isdigit():
            return int(value)
        return millis(dt.datetime.fromisoformat(value)) if value else 0
    return value or ""


def _error(status: int, message: str, category: str, **more: Any) -> Response:
    content = {"status": "error", "message": message, "correlationId": "3a6f8d0e-0000-4000-8000-000000000000", "category": category}  # fmt: skip
    return Response({**content, **more}, status)


def _invalid(message: str) -> Response:
    return _error(400, message, "VALIDATION_ERROR")


def _lacking(scopes: list[str]) -> Response:
    message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
    errors = [{"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": scopes}}]  # fmt: skip
    return _error(403, message, "MISSING_SCOPES", errors=errors, links={"scopes": "https://developers.hubspot.com/scopes"})  # fmt: skip


def _standard(message: str, ids: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": ids}, "errors": [], "links": {}}  # fmt: skip


def _policy(name: str, message: str, headers: Mapping[str, str]) -> Response:
    error = _error(429, message, "RATE_LIMITS", errorType="RATE_LIMIT", policyName=name)
    return Response(error.content, 429, {**_HEADERS, **headers})


def made(count: int) -> HubSpot:
    """An account with so many contacts and deals."""
    simulator = HubSpot()
    simulator.rows["contacts"].make(count, contact)
    simulator.rows["deals"].make(count, deal)
    for number in range(1, 9):
        simulator.add_owner(number, f"Owner {number}", f"Team {number % 3}")
    return simulator


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--port", type=int, default=0)
    chosen = arguments.parse_args()
    with made(chosen.rows).serving(port=chosen.port) as simulator:
        print(simulator.url, flush=True)
        simulator.ended.wait()


if __name__ == "__main__":
    main()
