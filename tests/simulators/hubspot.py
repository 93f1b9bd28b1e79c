"""A HubSpot account on 127.0.0.1: its objects, associations, owners, pipelines and properties, with the limits and words of the API.

``python -m tests.simulators.hubspot --rows 1000000`` serves that many contacts and deals, made when they are asked for.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulators.base import Fault, Handler, Request, Response
from tests.simulators.hubspot_account import TOKEN, Account, sales_pipeline
from tests.simulators.hubspot_fields import ASSOCIATIONS, KINDS, SCOPES, SINGULAR, cursor
from tests.simulators.hubspot_rows import Row, contact, deal, instant
from tests.simulators.hubspot_search import comparable, matches
from tests.simulators.hubspot_words import HEADERS, error, invalid, lacking, policy, standard_error

__all__ = ["TOKEN", "HubSpot", "made", "sales_pipeline"]

_KIND = "|".join(KINDS)
_OBJECTS = rf"/crm/(?:v3/objects|objects/2026-09)/({_KIND})"


class HubSpot(Account):
    """The account as the API gives it."""

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", _OBJECTS): self._list,
            ("POST", _OBJECTS + "/search"): self._search,
            ("POST", _OBJECTS + "/batch/read"): self._batch,
            ("POST", r"/crm/v4/associations/(\w+)/(\w+)/batch/read"): self._associations,
            ("GET", r"/crm/v3/owners/?"): self._owners,
            ("GET", r"/crm/v3/pipelines/deals"): self._pipelines,
            ("GET", r"/crm/v3/pipelines/orders"): self._order_pipelines,
            ("GET", rf"/crm/v3/properties/({_KIND})"): self._properties,
            ("GET", r"/account-info/v3/details"): self._account,
        }

    def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            message = "Authentication credentials not found. This API supports OAuth 2.0 authentication."
            return error(401, message, "INVALID_AUTHENTICATION")
        needed = [SCOPES[part] for part in request.path.split("/") if part in SCOPES and SCOPES[part] in self.missing]  # fmt: skip
        if needed:
            return lacking(needed)
        response = super().answer(request)
        if response.status == 404:
            return error(404, "resource not found", "OBJECT_NOT_FOUND")
        limits = {} if request.path.endswith("/search") else HEADERS
        return Response(response.content, response.status, {**limits, **response.headers})

    def _list(self, request: Request, kind: str) -> Response:
        limit, asked = int(request.query.get("limit", 10)), request.query
        history = _words(request, "propertiesWithHistory")
        if limit > (50 if history else 100):
            return invalid(f"limit must be at most {50 if history else 100}")
        if len(request.query.get("properties", "")) > 16_000:
            return error(414, "URI Too Long", "VALIDATION_ERROR")
        after = asked.get("after", "0")
        if not after.isdigit() or (self.expired and "after" in asked):
            return invalid(f"Invalid 'after': {after}")
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
            return invalid("limit must be at most 200")
        if after + limit > self.hits_at_most:
            return invalid("The maximum total results for a given query is 10000")
        if len(body.get("sorts", [])) > 1:
            return invalid("only one sort rule is possible")
        groups = [group["filters"] for group in body.get("filterGroups", [])]
        if len(groups) > 5 or any(len(group) > 6 for group in groups):
            return invalid("too many filters")
        asked = [each["propertyName"] for group in groups for each in group]
        if unknown := [name for name in asked if name not in self.properties[kind]]:
            return invalid(f"There was a problem with the request: unknown property {unknown[0]}")
        found = [
            row
            for row in self._candidates(kind, groups)
            if matches(kind, row, groups, self.properties[kind], blind=self.stuck)
        ]
        self._sort(kind, found, body.get("sorts", []))
        page = found[after : after + limit]
        results = [self._shown(kind, row, body.get("properties", [])) for row in page]
        content: dict[str, Any] = {"total": len(found), "results": results}
        if after + limit < len(found):
            content["paging"] = {"next": {"after": str(after + limit)}}
        self._next_event()
        return Response(content)

    def _sort(self, kind: str, found: list[Row], sorts: list[Any]) -> None:
        """HubSpot's guide to search sorts by objects. Its published description says texts, which the API takes and does not mind."""
        found.reverse()
        for sort in sorts:
            if isinstance(sort, dict):
                name = sort["propertyName"]
                type_ = self.properties[kind][name].type
                found.sort(key=lambda row, name=name, type_=type_: comparable(row.value(kind, name), type_), reverse=sort.get("direction") == "DESCENDING")  # type: ignore[misc]  # fmt: skip

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

    def _batch(self, request: Request, kind: str) -> Response:
        body, binned = request.json, _archived(request)
        history = body.get("propertiesWithHistory") or []
        if len(body["inputs"]) > (50 if history else 100):
            return invalid(f"at most {50 if history else 100} inputs")
        forwarded = self.forwarded[kind]  # an id that was merged is answered with the record that took it in
        ids = [forwarded.get(int(each["id"]), int(each["id"])) for each in body["inputs"]]
        found = [
            row for id_ in ids if (row := self.rows[kind].get(id_)) and (row.archived is not None) == binned
        ]
        results = [self._shown(kind, row, body.get("properties", []), history) for row in found]
        lost = [str(id_) for id_ in ids if id_ not in {row.id for row in found}]
        content = self._done(results)
        if lost:
            content |= {
                "numErrors": 1,
                "errors": [
                    standard_error("Could not get some objects, they may be deleted or not exist.", lost)
                ],
            }
        return Response(content, 207 if lost else 200)

    def _associations(self, request: Request, kind: str, other: str) -> Response:
        inputs = request.json["inputs"]
        if len(inputs) > 1000:
            return invalid("at most 1000 inputs")
        if (kind, other) not in ASSOCIATIONS:
            return invalid(f"there are no associations from {kind} to {other}")
        results, errors = [], []
        for each in inputs:
            ids = sorted(self.links[kind, other].get(int(each["id"]), {}).items())
            left = [(id_, primary) for id_, primary in ids if id_ > int(each.get("after") or 0)]
            if not ids:
                errors.append(
                    standard_error(f"No {SINGULAR[other]} is associated with {SINGULAR[kind]} {each['id']}.", [each["id"]])
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
            return invalid("limit must be at most 500")
        found = [
            owner for id_, owner in sorted(self.owners.items()) if owner["archived"] == binned and id_ > after
        ]
        content: dict[str, Any] = {"results": found[:limit]}
        if len(found) > limit:
            content["paging"] = {"next": {"after": found[limit - 1]["id"]}}
        return Response(content)

    def _pipelines(self, _: Request) -> Response:
        return Response({"results": self.pipelines})

    def _order_pipelines(self, _: Request) -> Response:
        return Response({"results": self.order_pipelines})

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
                name: [{"value": value, "timestamp": instant(at), "sourceType": "CRM_UI"} for at, value in reversed(row.history.get(name, [])[-self.versions_at_most :])]
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
        return policy(
            "TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", {"x-hubspot-ratelimit-remaining": "0"}
        )  # fmt: skip

    def quota(self, fault: Fault) -> Response:
        return policy("DAILY", "You have reached your daily limit.", {"x-hubspot-ratelimit-daily-remaining": "0"})  # fmt: skip

    def error(self, fault: Fault) -> Response:
        words = {423: "the resource is locked", 477: "the account is being moved between data centers"}
        headers = {"retry-after": "2"} if fault.status == 477 else {}
        content = error(fault.status, words.get(fault.status, "internal error"), "INTERNAL_ERROR").content
        return Response(content, fault.status, headers)


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
