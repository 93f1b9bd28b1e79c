"""A stand-in for Pipedrive's API: v2 lists with cursors, v1 where there is no v2, token budget and burst limit in its own words.

``python -m tests.simulators.pipedrive --rows 1000000`` serves deals that are made as they are asked for.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulators.base import Fault, Handler, Request, Response, Simulator

TOKEN = "pd-2f1c9e0aa7b34d18-canary"
DAY = dt.timedelta(days=1)
KEPT_DELETED = 30 * DAY
V2 = ("deals", "persons", "organizations", "activities")
FIELDS_OF = {"deals": "dealFields", "persons": "personFields", "organizations": "organizationFields", "activities": "activityFields"}  # fmt: skip

#: What requests cost, by the pattern of their path: the first that fits.
COSTS = ((r"/flow", 40), (r"/deals/archived", 20), (r"/api/v1/users/me", 2), (r"/api/v1/", 20), (r"/pipelines|/stages", 5), (r"", 10))  # fmt: skip


def stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lead_stamp(moment: dt.datetime) -> str:
    """As leads have it: with milliseconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.551Z")


def field_key(entity: str, label: str) -> str:
    """The 40 characters that stand for a custom field."""
    return hashlib.sha1(f"{entity}/{label}".encode()).hexdigest()


class Pipedrive(Simulator):
    """``budget`` is what is left of the day's tokens (None: not counted), ``burst`` how many requests go in two seconds."""

    def __init__(self, *, budget: int | None = None, burst: int | None = None) -> None:
        super().__init__()
        self.budget, self.burst = budget, burst
        self.rows: dict[str, dict[Any, dict[str, Any]]] = {
            name: {} for name in (*V2, "leads", "pipelines", "stages")
        }
        self.hidden: set[str] = set()  # paths that the token's user may not ask
        self.users: list[dict[str, Any]] = []
        self.teams: list[dict[str, Any]] | None = []
        self.fields: dict[str, list[dict[str, Any]]] = {name: _standard(name) for name in V2}
        self.flows: dict[int, list[dict[str, Any]]] = {}
        self.made: tuple[int, Callable[[int], dict[str, Any]]] | None = (
            None  # deals made as they are asked for
        )
        self.cursors = 0  # cursors of an earlier generation have expired
        self.refused = 0  # requests in a row that came although the limit was reached
        self.window: list[dt.datetime] = []

    # -- what happens in the account ------------------------------------------------------------------------------

    def insert(self, kind: str, **values: Any) -> Any:
        """A new row; ``custom`` holds custom fields by their labels."""
        custom = values.pop("custom", {})
        rows = self.rows[kind]
        now = stamp(self.clock)
        key = values.pop("id", None) or (f"{len(rows):08x}-0000-4000-8000-000000000000" if kind == "leads" else max(rows, default=0) + 1)  # fmt: skip
        if kind == "leads":
            now = lead_stamp(self.clock)
        row = {"id": key, **_blank(kind), "add_time": now, "update_time": now, **values}
        if kind in V2 and kind != "activities":
            row["custom_fields"] = {self.key(kind, label): value for label, value in custom.items()}
        if kind == "leads":  # they have the fields of deals, flat
            for label, value in custom.items():
                row |= _flat(self.key("deals", label), value)
        rows[key] = row
        return key

    def update(self, kind: str, key: Any, *, custom: Mapping[str, Any] | None = None, **values: Any) -> None:
        row = self.rows[kind][key]
        row |= {"update_time": lead_stamp(self.clock) if kind == "leads" else stamp(self.clock), **values}
        for label, value in (custom or {}).items():
            row["custom_fields"][self.key(kind, label)] = value

    def move(self, deal: int, stage: int) -> None:
        """The deal goes to another stage."""
        row, now = self.rows["deals"][deal], self.clock
        self._changed(deal, row["stage_id"], stage, now)
        row |= {"stage_id": stage, "stage_change_time": stamp(now), "update_time": stamp(now)}

    def close(self, deal: int, status: str) -> None:
        now = stamp(self.clock)
        self.update("deals", deal, status=status, close_time=now, **{f"{status}_time": now})

    def delete(self, kind: str, key: Any) -> None:
        """Deals can be asked for until 30 days later; of the rest nothing more is seen."""
        if kind == "deals":
            self.update(kind, key, is_deleted=True)
        else:
            del self.rows[kind][key]

    def archive(self, kind: str, key: Any, *, back: bool = False) -> None:
        self.update(kind, key, is_archived=not back, **({"archive_time": None if back else stamp(self.clock)} if kind == "deals" else {}))  # fmt: skip

    def tie(self, kind: str, keys: Iterable[Any], moment: dt.datetime) -> None:
        """Several rows that changed at the same time."""
        for key in keys:
            self.rows[kind][key]["update_time"] = stamp(moment)

    def add_field(self, kind: str, label: str, type_: str, options: Sequence[str] = ()) -> str:
        key = field_key(kind, label)
        start = 1 + max(100, *(o["id"] for f in self.fields[kind] for o in f["options"] or ()), 0)
        told = [{"id": start + n, "label": name} for n, name in enumerate(options)] or None
        self.fields[kind].append(_field(label, key, type_, told, custom=True))
        return key

    def retype_field(self, kind: str, label: str, type_: str) -> None:
        self._field(kind, label)["field_type"] = type_

    def rename_option(self, kind: str, label: str, old: str, new: str) -> None:
        """Rows that have the option do not count as changed."""
        next(o for o in self._field(kind, label)["options"] if o["label"] == old)["label"] = new

    def remove_field(self, kind: str, label: str) -> None:
        key = self.key(kind, label)
        self.fields[kind] = [field for field in self.fields[kind] if field["field_code"] != key]
        for row in self.rows[kind].values():
            row["custom_fields"].pop(key, None)

    def expire_cursors(self) -> None:
        self.cursors += 1

    def key(self, kind: str, label: str) -> str:
        return str(self._field(kind, label)["field_code"])

    def option(self, kind: str, label: str, name: str) -> int:
        return int(next(o["id"] for o in self._field(kind, label)["options"] if o["label"] == name))

    def _field(self, kind: str, label: str) -> dict[str, Any]:
        return next(field for field in self.fields[kind] if field["field_name"] == label)

    def _changed(self, deal: int, old: int, new: int, moment: dt.datetime) -> None:
        at = moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        names = {key: row["name"] for key, row in self.rows["stages"].items()}
        told = {"old_value_formatted": names.get(old), "new_value_formatted": names.get(new)}
        change = {"id": deal * 100 + len(self.flows.get(deal, ())), "item_id": deal, "field_key": "stage_id", "old_value": str(old), "new_value": str(new), "log_time": at, "change_source": "app", "additional_data": told}  # fmt: skip
        self.flows.setdefault(deal, []).append({"object": "dealChange", "timestamp": at, "data": change})

    # -- what the API answers -------------------------------------------------------------------------------------

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", rf"/api/v2/({'|'.join(V2)})"): self._list,
            ("GET", r"/api/v2/(deals)/(archived)"): self._list,
            ("GET", r"/api/v2/(pipelines|stages)"): self._list,
            ("GET", rf"/api/v2/({'|'.join(FIELDS_OF.values())})"): self._fields,
            ("GET", r"/api/v1/leads(/archived)?"): self._leads,
            ("GET", r"/api/v1/users/me"): self._me,
            ("GET", r"/api/v1/users"): self._users,
            ("GET", r"/api/v1/legacyTeams"): self._teams,
            ("GET", r"/api/v1/deals/(\d+)/flow"): self._flow,
        }

    def answer(self, request: Request) -> Response:
        if request.headers.get("x-api-token") != TOKEN:
            return _wrong(401, "unauthorized access")
        if request.path in self.hidden:
            return _wrong(403, "Forbidden: the user has no permission for this")
        refusal = self._spend(request)
        response = refusal or super().answer(request)
        return Response(response.content, response.status, {**self._limits(), **response.headers})

    def _spend(self, request: Request) -> Response | None:
        now = self.clock
        self.window = [at for at in self.window if now - at < dt.timedelta(seconds=2)]
        cost = next(cost for pattern, cost in COSTS if re.search(pattern, request.path))
        if self.burst is not None and len(self.window) >= self.burst:
            self.refused += 1
            return self.limited(Fault("limited")) if self.refused < 10 else _blocked()
        self.window.append(now)
        if self.budget is not None and self.budget < cost:
            self.refused += 1
            refusal = self.quota(Fault("quota"))
            left = {
                "x-daily-ratelimit-token-remaining": str(self.budget)
            }  # less than it costs, and not always 0
            return (
                Response(refusal.content, 429, {**refusal.headers, **left})
                if self.refused < 10
                else _blocked()
            )
        self.refused = 0
        if self.budget is not None:
            self.budget -= cost
        return None

    def _limits(self) -> dict[str, str]:
        burst = self.burst or 10_000
        told = {"x-ratelimit-limit": str(burst), "x-ratelimit-remaining": str(max(0, burst - len(self.window))), "x-ratelimit-reset": "2"}  # fmt: skip
        if self.budget is not None:
            told |= {"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": str(self.budget)}  # fmt: skip
        return told

    def limited(self, fault: Fault) -> Response:
        return Response(_error(429, "request over limit"), 429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"})  # fmt: skip

    def quota(self, fault: Fault) -> Response:
        return Response(_error(429, "request over limit"), 429, {"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "0"})  # fmt: skip

    def error(self, fault: Fault) -> Response:
        return Response(_blocked().content, 403, {"content-type": "text/html"}) if fault.status == 403 else _wrong(fault.status, "Internal server error")  # fmt: skip

    def _list(self, request: Request, kind: str, archived: str = "") -> Response:
        query = request.query
        limit = int(query.get("limit", "100"))
        by, down = query.get("sort_by", "id"), query.get("sort_direction", "asc") == "desc"
        if not 1 <= limit <= 500:
            return _wrong(400, "limit must be between 1 and 500")
        if by not in ("id", "update_time", "add_time") and (kind, by) != ("stages", "order_nr"):
            return _wrong(400, f"sort_by: {by} is not supported")
        after: list[Any] | None = None
        if "cursor" in query:
            after = self._read_cursor(query["cursor"], kind)
            if after is None:
                return _wrong(400, "Invalid cursor")
        if self.made is not None and kind == "deals":
            return self._of_made(after, limit, archived)
        found = sorted(self._matching(kind, archived, query), key=lambda r: (r[by], r["id"]), reverse=down)
        if after is not None:
            found = [r for r in found if ([r[by], r["id"]] < after if down else [r[by], r["id"]] > after)]
        page = found[:limit]
        last = [page[-1][by], page[-1]["id"]] if len(found) > limit else None
        return _page(page, None if last is None else self._cursor(kind, last))

    def _matching(self, kind: str, archived: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        since, until, status = (query.get(name) for name in ("updated_since", "updated_until", "status"))
        statuses = status.split(",") if status else []
        old = stamp(self.clock - KEPT_DELETED)
        for row in self.rows[kind].values():
            if row.get("is_archived", False) != bool(archived):
                continue
            if row.get("is_deleted"):
                if "deleted" not in statuses or row["update_time"] < old:
                    continue
            elif statuses and row.get("status") not in statuses:
                continue
            if (since and row["update_time"] < since) or (until and row["update_time"] >= until):
                continue
            yield row

    def _of_made(self, after: list[Any] | None, limit: int, archived: str) -> Response:
        assert self.made is not None
        count, make = self.made
        first = after[1] + 1 if after else 1
        last = min(first + limit, count + 1) if not archived else first
        return _page([make(n) for n in range(first, last)], self._cursor("deals", [last - 1, last - 1]) if not archived and last <= count else None)  # fmt: skip

    def _cursor(self, kind: str, last: list[Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.cursors, kind, last]).encode()).decode()

    def _read_cursor(self, text: str, kind: str) -> list[Any] | None:
        try:
            generation, of, last = json.loads(base64.urlsafe_b64decode(text))
        except ValueError:
            return None
        return list(last) if (generation, of) == (self.cursors, kind) else None

    def _fields(self, request: Request, name: str) -> Response:
        kind = next(kind for kind, fields in FIELDS_OF.items() if fields == name)
        return _page(self.fields[kind], None)

    def _leads(self, request: Request, archived: str | None) -> Response:
        """``updated_since`` is a parameter of GET /v1/leads and not of /v1/leads/archived (client-nodejs, leads-api.ts). Rows that are alike
        in what is sorted by come in any order, another one each time."""
        query = request.query
        start, limit = int(query.get("start", "0")), int(query.get("limit", "100"))
        rows = [row for row in self.rows["leads"].values() if row["is_archived"] == bool(archived)]
        since = query.get("updated_since") if not archived else None
        if since:
            rows = [row for row in rows if dt.datetime.fromisoformat(row["update_time"]) >= dt.datetime.fromisoformat(since)]  # fmt: skip
        rows = rows if len(self.asked) % 2 else rows[::-1]
        for by, _, way in reversed([part.strip().partition(" ") for part in query.get("sort", "add_time ASC").split(",")]):  # fmt: skip
            rows.sort(key=lambda row, by=by: row[by], reverse=way == "DESC")  # type: ignore[misc]
        more = len(rows) > start + limit
        told = {"start": start, "limit": limit, "more_items_in_collection": more, **({"next_start": start + limit} if more else {})}  # fmt: skip
        return Response({"success": True, "data": rows[start : start + limit] or None, "additional_data": {"pagination": told}})  # fmt: skip

    def _flow(self, request: Request, deal: str) -> Response:
        if int(deal) not in self.rows["deals"]:
            return _wrong(404, "Deal not found")
        start, limit = int(request.query.get("start", "0")), int(request.query.get("limit", "100"))
        told = list(reversed(self.flows.get(int(deal), [])))
        note = {"object": "note", "timestamp": "2020-01-01 00:00:00", "data": {"id": 1, "content": "called"}}
        items = told if "dealChange" in request.query.get("items", "") else [*told, note]
        more = len(items) > start + limit
        pages = {"start": start, "limit": limit, "more_items_in_collection": more, "next_start": start + limit}  # fmt: skip
        return Response({"success": True, "data": items[start : start + limit], "additional_data": {"pagination": pages}})  # fmt: skip

    def _me(self, request: Request) -> Response:
        return Response({"success": True, "data": {"id": 1, "name": "Admin", "company_name": "Belvoir", "company_domain": "belvoir"}})  # fmt: skip

    def _users(self, request: Request) -> Response:
        return _whole(self.users)

    def _teams(self, request: Request) -> Response:
        return _wrong(403, "Feature not available") if self.teams is None else _whole(self.teams)

    # -- the sample's CRM -----------------------------------------------------------------------------------------

    def fill(self, folder: Path) -> None:
        """The sample's CSV files, as Belvoir would have them in Pipedrive.

        Who asks for a quote is a person, who buys an organization. Pipedrive has no orders: a repeat order is a won deal in a pipeline of its
        own, with the custom field "Order channel". It knows no custom field of a date with its time: such are texts.
        """
        _Sample(self, folder).fill()


class _Sample:
    def __init__(self, crm: Pipedrive, folder: Path, zone: str = "Europe/Paris") -> None:
        self.crm, self.folder, self.zone = crm, folder, ZoneInfo(zone)

    def fill(self) -> None:
        crm = self.crm
        crm.users = [{"id": _number(r["id"]), "name": r["name"], "email": f"{r['id'].lower()}@belvoir.example", "active_flag": True, "is_deleted": False} for r in self.read("users")]  # fmt: skip
        names = sorted({r["team"] for r in self.read("users")})
        crm.teams = [{"id": n, "name": name, "users": [_number(r["id"]) for r in self.read("users") if r["team"] == name]} for n, name in enumerate(names, 1)]  # fmt: skip
        self.declare()
        self.stages()
        self.people()
        self.deals()
        self.orders()

    def read(self, name: str) -> list[dict[str, str]]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def at(self, text: str) -> str | None:
        """An instant, from the CSV's local time."""
        return stamp(dt.datetime.fromisoformat(text).replace(tzinfo=self.zone)) if text else None

    def declare(self) -> None:
        wanted: dict[tuple[str, str], tuple[str, str, str]] = {
            ("persons", "Channel"): ("enum", "leads", "channel"), ("persons", "Campaign"): ("varchar", "", ""),
            ("persons", "Range"): ("enum", "leads", "range"), ("persons", "Score"): ("double", "", ""),
            ("persons", "Test"): ("enum", "leads", "is_test"), ("persons", "Qualified on"): ("varchar", "", ""),
            ("organizations", "Customer since"): ("varchar", "", ""),
            ("organizations", "Churned on"): ("varchar", "", ""), ("organizations", "Segment"): ("enum", "customers", "segment"),
            ("organizations", "Channel"): ("enum", "customers", "channel"), ("organizations", "Campaign"): ("varchar", "", ""),
            ("organizations", "Country"): ("enum", "customers", "country"),
            ("deals", "Sales channel"): ("enum", "deals", "sales_channel"), ("deals", "Order channel"): ("enum", "orders", "channel"),
        }  # fmt: skip
        for (kind, label), (type_, table, column) in wanted.items():
            options = sorted({row[column] for row in self.read(table)} - {""}) if table else []
            self.crm.add_field(kind, label, type_, options)

    def custom(self, kind: str, **values: str) -> dict[str, Any]:
        """Values by label, options by their ids."""
        out: dict[str, Any] = {}
        for name, text in values.items():
            label = name.replace("_", " ").capitalize()
            type_ = self.crm._field(kind, label)["field_type"]
            value: Any = Decimal(text) if type_ == "double" and text else text or None
            out[label] = self.crm.option(kind, label, text) if type_ == "enum" and text else value
        return out

    def stages(self) -> None:
        self.crm.insert("pipelines", id=1, name="Sales", order_nr=1)
        self.crm.insert("pipelines", id=2, name="Orders", order_nr=2)
        for n, name in enumerate(("Qualification", "Demo", "Proposal", "Negotiation"), 1):
            self.crm.insert("stages", id=n, name=name, pipeline_id=1, order_nr=n)
        self.crm.insert("stages", id=9, name="Ordered", pipeline_id=2, order_nr=1)

    def people(self) -> None:
        for r in self.read("customers"):
            self.crm.insert("organizations", id=_number(r["id"]), name=r["id"], add_time=self.at(r["created_at"]), update_time=self.at(r["churned_at"] or r["created_at"]),
                custom=self.custom("organizations", churned_on=r["churned_at"], customer_since=r["created_at"], segment=r["segment"], channel=r["channel"], campaign=r["campaign"], country=r["country"]))  # fmt: skip
        for r in self.read("leads"):
            self.crm.insert("persons", id=_number(r["id"]), name=r["id"], add_time=self.at(r["created_at"]), update_time=self.at(r["last_touch_at"] or r["created_at"]),
                owner_id=_number(r["owner_id"]), org_id=_number(r["customer_id"]),
                custom=self.custom("persons", channel=r["channel"], campaign=r["campaign"], range=r["range"], score=r["score"], test=r["is_test"], qualified_on=r["qualified_at"]))  # fmt: skip

    def deals(self) -> None:
        crm = self.crm
        stages = {row["name"].lower(): key for key, row in crm.rows["stages"].items()}
        history: dict[str, list[dict[str, str]]] = {}
        for r in self.read("stage_history"):
            history.setdefault(r["deal_id"], []).append(r)
        for r in self.read("deals"):
            steps = sorted(history[r["id"]], key=lambda s: s["entered_at"])
            closed = self.at(r["closed_at"])
            status = r["stage"] if closed else "open"
            moved = self.at(steps[-1]["entered_at"])
            key = crm.insert("deals", id=_number(r["id"]), title=r["id"], add_time=self.at(r["created_at"]), update_time=closed or moved,
                owner_id=_number(r["owner_id"]), person_id=_number(r["lead_id"]), org_id=_number(r["customer_id"]),
                value=Decimal(r["amount"]), currency="EUR", status=status, close_time=closed, pipeline_id=1, stage_id=stages[steps[-1]["stage"]],
                stage_change_time=moved if len(steps) > 1 else None, **({f"{status}_time": closed} if closed else {}),
                custom=self.custom("deals", sales_channel=r["sales_channel"], order_channel=""))  # fmt: skip
            for before, after in pairwise(steps):
                at = dt.datetime.fromisoformat(after["entered_at"]).replace(tzinfo=self.zone)
                crm._changed(key, stages[before["stage"]], stages[after["stage"]], at)

    def orders(self) -> None:
        for r in self.read("orders"):
            at = self.at(r["ordered_at"])
            self.crm.insert("deals", id=100_000 + (_number(r["id"]) or 0), title=r["id"], add_time=at, update_time=at, org_id=_number(r["customer_id"]),
                value=Decimal(r["amount"]), currency=r["currency"], status="won", close_time=at, won_time=at, pipeline_id=2, stage_id=9,
                custom=self.custom("deals", sales_channel="", order_channel=r["channel"]))  # fmt: skip


def _number(text: str) -> int | None:
    return int(text[1:]) if text else None


def _blank(kind: str) -> dict[str, Any]:
    """The fields that a row of its kind always has."""
    common: dict[str, dict[str, Any]] = {
        "deals": {"title": "", "owner_id": None, "creator_user_id": 1, "person_id": None, "org_id": None, "pipeline_id": 1, "stage_id": 1, "value": 0, "currency": "EUR", "stage_change_time": None, "is_deleted": False, "is_archived": False, "archive_time": None, "status": "open", "probability": None, "lost_reason": None, "close_time": None, "won_time": None, "lost_time": None, "expected_close_date": None, "label_ids": [], "origin": "ManuallyCreated", "channel": None},
        "persons": {"name": "", "first_name": None, "last_name": None, "owner_id": None, "org_id": None, "emails": [], "phones": [], "is_deleted": False, "label_ids": []},
        "organizations": {"name": "", "owner_id": None, "address": None, "is_deleted": False, "label_ids": []},
        "activities": {"subject": "", "type": "call", "owner_id": None, "deal_id": None, "lead_id": None, "person_id": None, "org_id": None, "due_date": None, "due_time": None, "duration": None, "done": False, "marked_as_done_time": None, "is_deleted": False},
        "leads": {"title": "", "owner_id": None, "creator_id": 1, "person_id": None, "organization_id": None, "source_name": "API", "origin": "API", "channel": None, "label_ids": [], "value": None, "expected_close_date": None, "is_archived": False, "was_seen": False},
        "pipelines": {"name": "", "order_nr": 1, "is_deleted": False, "is_deal_probability_enabled": False},
        "stages": {"name": "", "order_nr": 1, "is_deleted": False, "deal_probability": 100, "pipeline_id": 1, "is_deal_rot_enabled": False, "days_to_rotten": None},
    }  # fmt: skip
    return dict(common[kind])


def _field(label: str, code: str, type_: str, options: list[dict[str, Any]] | None = None, *, custom: bool = False) -> dict[str, Any]:  # fmt: skip
    parts = [{"field_code": part, "field_type": "varchar"} for part in ("value", "currency")] if type_ == "monetary" else None  # fmt: skip
    return {"field_name": label, "field_code": code, "field_type": type_, "description": "", "is_custom_field": custom, "is_optional_response_field": False, "options": options, "subfields": parts}  # fmt: skip


def _standard(kind: str) -> list[dict[str, Any]]:
    labels = [{"id": 1, "label": "Hot"}, {"id": 2, "label": "Cold"}]
    out = [_field("ID", "id", "int"), _field("Labels", "label_ids", "set", labels)]
    if kind == "deals":
        out.append(_field("Channel", "channel", "enum", [{"id": 11, "label": "Campaigns"}]))
    return out


def _flat(key: str, value: Any) -> dict[str, Any]:
    """A custom field as v1 has it: choices as texts, parts beside it."""
    if isinstance(value, Mapping):
        return {key: value["value"], **{f"{key}_{name}": part for name, part in value.items() if name != "value"}}  # fmt: skip
    return {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) if isinstance(value, int) else value}  # fmt: skip


def _page(rows: Iterable[Mapping[str, Any]], cursor: str | None) -> Response:
    return Response({"success": True, "data": list(rows), "additional_data": {"next_cursor": cursor}})


def _whole(rows: Sequence[Mapping[str, Any]]) -> Response:
    return Response({"success": True, "data": list(rows)})


def _error(code: int, text: str) -> dict[str, Any]:
    return {"success": False, "error": text, "errorCode": code, "error_info": "Please check developers.pipedrive.com", "data": None}  # fmt: skip


def _wrong(code: int, text: str) -> Response:
    return Response(_error(code, text), code)


def _blocked() -> Response:
    """What Cloudflare shows to who went on after 429."""
    page = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>Sorry, you have been blocked</body></html>"  # fmt: skip
    return Response(page, 403, {"content-type": "text/html; charset=UTF-8"})


def deal_of(number: int) -> dict[str, Any]:
    """The deal of a number, the same each time."""
    at = dt.datetime(2022, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=number * 97)
    won = number % 3 == 0
    return {"id": number, **_blank("deals"), "title": f"Deal {number}", "owner_id": number % 50, "org_id": number % 9973, "person_id": number % 19997, "stage_id": 1 + number % 5, "value": (number * 7919 % 1_000_000) / 100, "add_time": stamp(at), "update_time": stamp(at), "status": "won" if won else "open", "close_time": stamp(at) if won else None, "custom_fields": {field_key("deals", "Range"): 101 + number % 3, field_key("deals", "Sales channel"): "shop"}}  # fmt: skip


def main() -> None:
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 1000
    crm = Pipedrive()
    crm.add_field("deals", "Range", "enum", ["small", "mid", "large"])
    crm.add_field("deals", "Sales channel", "varchar")
    crm.insert("pipelines", id=1, name="Sales")
    for n in range(1, 6):
        crm.insert("stages", id=n, name=f"Stage {n}")
    crm.made = (rows, deal_of)
    with crm.serving():
        print(crm.url, flush=True)
        crm.ended.wait()


if __name__ == "__main__":
    main()
