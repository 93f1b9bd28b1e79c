"""A stand-in for Odoo: ``/json/2`` as 19 has it, and JSON-RPC as all have; domains, names of linked records, archived ones.

``python -m tests.simulators.odoo --rows 1000000`` serves opportunities that are made as they are asked for.
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulators.base import Fault, Handler, Request, Response, Simulator

KEY = "odoo-5e1fd3a9c07b4426-canary"
LOGIN = "kpi@belvoir.example"
DATABASE = "belvoir"
UID = 7

Row = dict[str, Any]


def _fields(**kinds: str) -> dict[str, dict[str, Any]]:
    """``kind`` is a type, ``many2one:model`` or ``selection:a,b``; a label stands behind ``|``."""
    out: dict[str, dict[str, Any]] = {}
    for name, kind in kinds.items():
        kind, _, label = kind.partition("|")
        type_, _, more = kind.partition(":")
        told: dict[str, Any] = {"type": type_, "string": label or name.removesuffix("_id").replace("_", " ").capitalize(), "store": name not in _UNSTORED, "manual": name.startswith("x_")}  # fmt: skip
        if type_ in ("many2one", "many2many", "one2many"):
            told["relation"] = more
        elif type_ == "selection":
            told["selection"] = [[key, key.capitalize()] for key in more.split(",")]
        elif more:
            told["digits"] = [int(n) for n in more.split(",")]
        out[name] = told
    return out


_UNSTORED = ("credit", "order_line", "company_currency", "tracking_value_ids")
#: Models whose searches drop what the user may not see after the limit was applied: mail.message and mail.activity up to version 18.
_CUT_LATE = ("mail.message", "mail.activity")
_LOG = {"id": "integer", "create_date": "datetime", "write_date": "datetime"}
MODELS: Mapping[str, Mapping[str, str]] = {
    "crm.lead": {"name": "char", "type": "selection:lead,opportunity", "active": "boolean", "stage_id": "many2one:crm.stage", "team_id": "many2one:crm.team", "user_id": "many2one:res.users", "partner_id": "many2one:res.partner", "company_id": "many2one:res.company", "expected_revenue": "monetary", "company_currency": "many2one:res.currency", "probability": "float", "priority": "selection:0,1,2,3", "date_open": "datetime", "date_closed": "datetime", "date_last_stage_update": "datetime", "date_conversion": "datetime", "date_deadline": "date", "source_id": "many2one:utm.source", "medium_id": "many2one:utm.medium", "campaign_id": "many2one:utm.campaign", "lost_reason_id": "many2one:crm.lost.reason", "country_id": "many2one:res.country", "email_from": "char", "description": "html", "tag_ids": "many2many:crm.tag"},
    "crm.stage": {"name": "char", "sequence": "integer", "is_won": "boolean", "team_id": "many2one:crm.team"},
    "crm.team": {"name": "char", "active": "boolean"},
    "crm.lost.reason": {"name": "char", "active": "boolean"},
    "crm.tag": {"name": "char"},
    "res.partner": {"name": "char", "active": "boolean", "is_company": "boolean", "customer_rank": "integer", "parent_id": "many2one:res.partner", "commercial_partner_id": "many2one:res.partner", "user_id": "many2one:res.users", "country_id": "many2one:res.country", "email": "char", "city": "char", "image_1920": "binary", "credit": "monetary"},
    "res.users": {"name": "char", "login": "char", "active": "boolean", "partner_id": "many2one:res.partner", "company_id": "many2one:res.company", "sale_team_id": "many2one:crm.team"},
    "res.company": {"name": "char", "currency_id": "many2one:res.currency"},
    "res.currency": {"name": "char", "active": "boolean"},
    "res.country": {"name": "char", "code": "char"},
    "utm.source": {"name": "char"}, "utm.medium": {"name": "char", "active": "boolean"}, "utm.campaign": {"name": "char", "active": "boolean"},
    "sale.order": {"name": "char", "state": "selection:draft,sent,sale,cancel", "partner_id": "many2one:res.partner", "user_id": "many2one:res.users", "team_id": "many2one:crm.team", "opportunity_id": "many2one:crm.lead", "date_order": "datetime", "currency_id": "many2one:res.currency", "amount_untaxed": "monetary", "amount_tax": "monetary", "amount_total": "monetary", "order_line": "one2many:sale.order.line"},
    "sale.order.line": {"order_id": "many2one:sale.order", "product_id": "many2one:product.product", "name": "char", "product_uom_qty": "float:16,2", "price_unit": "float:16,2", "discount": "float:16,2", "price_subtotal": "monetary", "currency_id": "many2one:res.currency"},
    "product.product": {"name": "char", "active": "boolean"},
    "mail.activity": {"res_model": "char", "res_id": "integer", "activity_type_id": "many2one:mail.activity.type", "summary": "char", "user_id": "many2one:res.users", "date_deadline": "date", "active": "boolean", "date_done": "date"},
    "mail.activity.type": {"name": "char", "active": "boolean"},
    "mail.message": {"model": "char", "res_id": "integer", "date": "datetime", "author_id": "many2one:res.partner", "mail_activity_type_id": "many2one:mail.activity.type", "subject": "char", "body": "html", "tracking_value_ids": "one2many:mail.tracking.value"},
    "mail.tracking.value": {"field_id": "many2one:ir.model.fields", "old_value_integer": "integer", "old_value_char": "char", "new_value_integer": "integer", "new_value_char": "char", "mail_message_id": "many2one:mail.message"},
    "ir.model.fields": {"name": "char", "model": "char"},
}  # fmt: skip


class Odoo(Simulator):
    """``version`` 19 and later speak ``/json/2``. ``denied`` are models that the key's user may not read, ``absent`` those of modules
    that are not installed, ``hidden`` records (model, id) that rules keep from this user. ``online``: as Odoo Online, which takes no
    header with a database's name. ``alone``: the server has this one database, and none needs to be named."""

    def __init__(self, *, version: int = 19) -> None:
        super().__init__()
        self.version = version
        self.fields = {model: _fields(**{**_LOG, **kinds}) for model, kinds in MODELS.items()}
        self.rows: dict[str, dict[int, Row]] = {model: {} for model in MODELS}
        self.denied: set[str] = set()
        self.absent: set[str] = set()
        self.hidden: set[tuple[str, int]] = set()
        self.online, self.alone = False, True
        self.made: tuple[int, Callable[[int], Row]] | None = None  # opportunities made as they are asked for
        if version < 17:
            self.fields["mail.tracking.value"]["field"] = self.fields["mail.tracking.value"].pop("field_id")
        self.insert("res.currency", id=1, name="EUR")
        self.insert("res.company", id=1, name="Belvoir", currency_id=1)
        self.insert("res.users", id=UID, name="KPI robot", login=LOGIN, company_id=1)

    # -- what happens in the database ----------------------------------------------------------------------------

    def insert(self, model: str, /, **values: Any) -> int:
        """A new record; links are ids. ``write_date`` has microseconds, which nobody is shown."""
        rows, now = self.rows[model], self.clock.astimezone(dt.UTC).replace(tzinfo=None)
        key = int(values.pop("id", 0)) or max(rows, default=0) + 1
        start: Row = {"active": True} if "active" in self.fields[model] else {}
        rows[key] = row = {**start, "id": key, "create_date": now, "write_date": now, **values}
        if model == "crm.lead":  # computed whenever the stage is written, by create too; date_closed is not
            row.setdefault("date_last_stage_update", row["create_date"])
        elif model == "res.partner":
            parent = None if row.get("is_company") else rows.get(row.get("parent_id") or 0)
            row.setdefault("commercial_partner_id", parent["commercial_partner_id"] if parent else key)
        return key

    def update(self, model: str, key: int, /, **values: Any) -> None:
        row = self.rows[model][key]
        moved = row.get("stage_id"), values.get("stage_id", row.get("stage_id"))
        if model == "crm.lead" and moved[0] != moved[1]:
            self.tracked(key, moved[0], moved[1], self.clock)
            row["date_last_stage_update"] = self.clock.astimezone(dt.UTC).replace(tzinfo=None)
        row |= {"write_date": self.clock.astimezone(dt.UTC).replace(tzinfo=None), **values}

    def write_lead(self, key: int, **values: Any) -> None:
        """As ``crm.lead`` writes (addons/crm/models/crm_lead.py): a stage that is won makes the probability 100; who is won or archived
        gets a closing date, and another one when what was won is archived later. Up to 14 any other probability takes it away again."""
        row, now = self.rows["crm.lead"][key], self.clock.astimezone(dt.UTC).replace(tzinfo=None)
        won = self.rows["crm.stage"].get(values.get("stage_id", 0), {}).get("is_won", False)
        if won:
            values["probability"] = 100
        chance = values.get("probability", 0)
        if chance >= 100 or not values.get("active", True):
            if not (won and self.rows["crm.stage"][row["stage_id"]].get("is_won")):
                values["date_closed"] = now
        elif chance > 0 or (self.version <= 14 and "probability" in values):
            values["date_closed"] = None
        self.update("crm.lead", key, **values)

    def archive_lead(self, key: int) -> None:
        """The action "Archive". Up to 18 it makes the probability 0 as well, so that nothing tells it from the button "Lost"."""
        self.write_lead(key, active=False)
        if self.version < 19:
            self.write_lead(key, probability=0)

    def lose(self, key: int) -> None:
        """The button "Lost"."""
        self.archive_lead(key)
        self.write_lead(key, lost_reason_id=None, **({"probability": 0} if self.version >= 19 else {}))

    def delete(self, model: str, key: int) -> None:
        del self.rows[model][key]

    def archive(self, model: str, key: int) -> None:
        self.update(model, key, active=False)

    def tie(self, model: str, keys: Iterable[int], moment: dt.datetime) -> None:
        """Several records written in one second: each in another microsecond, the later ids first."""
        for n, key in enumerate(sorted(keys, reverse=True)):
            self.rows[model][key]["write_date"] = moment.astimezone(dt.UTC).replace(tzinfo=None, microsecond=n + 1)  # fmt: skip

    def add_field(self, model: str, name: str, kind: str, label: str) -> None:
        self.fields[model] |= _fields(**{name: f"{kind}|{label}"})

    def retype_field(self, model: str, name: str, kind: str) -> None:
        self.fields[model] |= _fields(**{name: f"{kind}|{self.fields[model][name]['string']}"})

    def remove_field(self, model: str, name: str) -> None:
        del self.fields[model][name]
        for row in self.rows[model].values():
            row.pop(name, None)

    def tracked(self, lead: int, old: int | None, new: int | None, moment: dt.datetime) -> None:
        """What the chatter keeps of a change of stage."""
        at = moment.astimezone(dt.UTC).replace(tzinfo=None)
        fields = self.rows["ir.model.fields"]
        if not fields:
            self.insert("ir.model.fields", id=1, name="stage_id", model="crm.lead")
            self.insert("ir.model.fields", id=2, name="user_id", model="crm.lead")
        names = self.rows["crm.stage"]
        message = self.insert("mail.message", model="crm.lead", res_id=lead, date=at)
        which = "field_id" if self.version >= 17 else "field"
        self.insert("mail.tracking.value", **{which: 1}, mail_message_id=message, old_value_integer=old or 0, new_value_integer=new or 0, old_value_char=names.get(old or 0, {}).get("name"), new_value_char=names.get(new or 0, {}).get("name"))  # fmt: skip

    # -- what the server answers -----------------------------------------------------------------------------------

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {("POST", r"/json/2/([\w.]+)/(\w+)"): self._json2, ("POST", r"/jsonrpc"): self._jsonrpc}

    def limited(self, fault: Fault) -> Response:
        return Response(b"<html><body>429 Too Many Requests</body></html>", 429, {"content-type": "text/html"})  # fmt: skip

    def quota(self, fault: Fault) -> Response:
        """Odoo has no daily quota: a proxy in front of it may have."""
        return Response(b"<html><body>429 Too Many Requests</body></html>", 429, {"content-type": "text/html", "retry-after": "28800"})  # fmt: skip

    def error(self, fault: Fault) -> Response:
        return Response(_wrong("builtins.RuntimeError", "boom"), fault.status)

    def _json2(self, request: Request, model: str, method: str) -> Response:
        named = request.headers.get("x-odoo-database")
        if (
            self.version < 16
        ):  # whatever is posted as JSON is taken for JSON-RPC and answered so (odoo/http.py, JsonRequest)
            told = _wrong("werkzeug.exceptions.NotFound", "404 Not Found: …")
            error = {"code": 404, "message": "404: Not Found", "data": told}
            return Response({"jsonrpc": "2.0", "id": None, "error": error}, 404)
        # Without a database no address is known but those of any; Odoo Online finds it by the host, and its router knows no header.
        if self.version < 19 or (named not in (None, DATABASE)) or (named is None and not self.alone) or (named and self.online):  # fmt: skip
            page = (
                b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>Not Found</body></html>"
            )
            return Response(page, 404, {"content-type": "text/html; charset=utf-8"})
        if request.headers.get("authorization", "").casefold() != f"bearer {KEY}":
            return Response(_wrong("werkzeug.exceptions.Unauthorized", "Invalid apikey", ["Invalid apikey", 401]), 401)  # fmt: skip
        try:
            given = dict(request.json or {})
            return Response(self._call(model, method, given))
        except _Refused as e:
            return Response(_wrong(e.name, str(e)), e.status)

    def _jsonrpc(self, request: Request) -> Response:
        asked = request.json
        params = asked["params"]
        try:
            result = self._rpc(params["service"], params["method"], list(params["args"]))
        except _Refused as e:
            error = {"code": 200, "message": "Odoo Server Error", "data": _wrong(e.name, str(e))}
            return Response({"jsonrpc": "2.0", "id": asked["id"], "error": error})
        return Response({"jsonrpc": "2.0", "id": asked["id"], "result": result})

    def _rpc(self, service: str, method: str, args: list[Any]) -> Any:
        if (service, method) == ("common", "version"):
            return {"server_version": f"{self.version}.0", "server_version_info": [self.version, 0, 0, "final", 0, ""]}  # fmt: skip
        if args[0] != DATABASE:
            raise _Refused(f'database "{args[0]}" does not exist', "psycopg2.OperationalError", 500)
        if (service, method) == ("common", "authenticate"):
            return UID if args[1:3] == [LOGIN, KEY] else False
        if args[1:3] != [UID, KEY]:
            raise _Refused("Access Denied", "odoo.exceptions.AccessDenied", 403)
        model, called, positional, named = args[3], args[4], args[5], args[6] if len(args) > 6 else {}
        order = {"search_read": ("domain", "fields"), "search_count": ("domain",), "fields_get": ("allfields", "attributes"), "context_get": ()}  # fmt: skip
        return self._call(model, called, {**dict(zip(order[called], positional, strict=False)), **named})

    def _call(self, model: str, method: str, given: dict[str, Any]) -> Any:
        if model not in self.rows or model in self.absent:
            raise _Refused(f"the model '{model}' does not exist", "werkzeug.exceptions.NotFound", 404)
        # fields_get tells everybody what there would be to read (odoo/models.py).
        if model in self.denied and method != "fields_get":
            raise _Refused(f"You are not allowed to access '{model}' records.", "odoo.exceptions.AccessError", 403)  # fmt: skip
        context = given.pop("context", {})
        if self.version >= 17 and context.get("lang", "en_US") not in ("en_US", "fr_FR"):
            raise _Refused(f"Invalid language code: {context['lang']}", "odoo.exceptions.UserError", 422)
        if (model, method) == ("res.users", "context_get"):
            return {"lang": "fr_FR", "tz": "Europe/Paris", "uid": UID}
        if method == "fields_get":
            wanted = given.get("attributes")
            return {name: {k: v for k, v in told.items() if not wanted or k in wanted} for name, told in self.fields[model].items()}  # fmt: skip
        if method == "search_count":
            return len(list(self._found(model, given.get("domain", []), context)))
        if method != "search_read":
            raise _Refused(f"The method '{model}.{method}' does not exist", "builtins.AttributeError", 422)
        return self._search_read(model, given, context)

    def _search_read(self, model: str, given: dict[str, Any], context: Mapping[str, Any]) -> list[Row]:
        unknown = set(given) - {"domain", "fields", "offset", "limit", "order"}
        if unknown:
            raise _Refused(f"got an unexpected keyword argument '{min(unknown)}'", "builtins.TypeError", 422)  # fmt: skip
        fields = given.get("fields") or list(self.fields[model])
        for name in fields:
            if name not in self.fields[model]:
                raise _Refused(f"Invalid field '{name}' on model '{model}'", "builtins.ValueError", 422)
        if self.made is not None and model == "crm.lead":
            return [self._shown(model, row, fields) for row in self._of_made(given)]
        rows = list(self._found(model, given.get("domain") or [], context))
        for part in reversed((given.get("order") or "id").split(",")):
            name, _, way = part.strip().partition(" ")
            rows.sort(key=lambda r, name=name: (r.get(name) is not None, r.get(name)), reverse=way.strip() == "desc")  # type: ignore[misc]  # fmt: skip
        start, limit = given.get("offset") or 0, given.get("limit")
        late = model in _CUT_LATE and self.version < 19
        rows = rows if late else [r for r in rows if self._visible(model, r)]
        page = rows[start : None if limit is None else start + limit]
        return [self._shown(model, r, fields) for r in page if not late or self._visible(model, r)]

    def _visible(self, model: str, row: Row) -> bool:
        """Messages and activities are seen by who sees the record that they stand with."""
        of = row.get("model") or row.get("res_model")
        return (model, row["id"]) not in self.hidden and (of, row.get("res_id")) not in self.hidden

    def _found(self, model: str, domain: list[Any], context: Mapping[str, Any]) -> Iterator[Row]:
        tests_active = any(isinstance(term, list) and term[0] == "active" for term in domain)
        hidden = "active" in self.fields[model] and context.get("active_test", True) and not tests_active
        for row in self.rows[model].values():
            if (not hidden or row["active"]) and self._meets(model, row, domain):
                yield row

    def _meets(self, model: str, row: Row, domain: list[Any]) -> bool:
        """Prefix notation; what stands side by side is joined by AND."""
        stack: list[bool] = []
        for term in reversed(domain):
            if term == "!":
                stack.append(not stack.pop())
            elif term in ("&", "|"):
                one, two = stack.pop(), stack.pop()
                stack.append((one and two) if term == "&" else (one or two))
            else:
                stack.append(self._holds(model, row, *term))
        return all(stack)

    def _holds(self, model: str, row: Row, path: str, operator: str, wanted: Any) -> bool:
        first, _, rest = path.partition(".")
        told = self.fields[model].get(first)
        if told is None:
            raise _Refused(f"Invalid field {model}.{first} in leaf", "builtins.ValueError", 422)
        value = self._value(model, row, first)
        if rest:
            linked = self.rows[told["relation"]].get(value or 0)
            return linked is not None and self._holds(told["relation"], linked, rest, operator, wanted)
        if told["type"] == "datetime" and isinstance(wanted, str):
            wanted = dt.datetime.fromisoformat(wanted)
        value = (False if told["type"] == "boolean" else None) if value is None else value
        if operator in ("in", "not in"):
            return (value in wanted) == (operator == "in")
        if operator in ("=", "!="):
            return ((value == wanted) or (value is None and wanted is False)) == (operator == "=")
        compare = {">": lambda: value > wanted, ">=": lambda: value >= wanted, "<": lambda: value < wanted, "<=": lambda: value <= wanted}  # fmt: skip
        return value is not None and bool(compare[operator]())

    def _value(self, model: str, row: Row, name: str) -> Any:
        """A field's value, of those that are not stored as well."""
        if (model, name) == ("crm.lead", "company_currency"):
            return self.rows["res.company"][row.get("company_id") or 1]["currency_id"]
        if (model, name) == ("mail.message", "tracking_value_ids"):
            return [k for k, r in self.rows["mail.tracking.value"].items() if r["mail_message_id"] == row["id"]] or None  # fmt: skip
        return row.get(name)

    def _shown(self, model: str, row: Row, fields: Sequence[str]) -> Row:
        """As Odoo writes values: false for none, a link as its id and name, times in UTC without saying so."""
        out: Row = {"id": row["id"]}
        for name in fields:
            told, value = self.fields[model][name], self._value(model, row, name)
            if told["type"] == "many2one" and value:
                linked = self.rows[told["relation"]].get(value, {})
                out[name] = [value, linked.get("name") or f"{told['relation']},{value}"]
            elif told["type"] in ("many2many", "one2many"):
                out[name] = value or []
            elif told["type"] in ("integer", "float", "monetary"):
                out[name] = value if value is not None else 0 if told["type"] == "integer" else 0.0
            elif isinstance(value, dt.datetime):
                out[name] = value.strftime("%Y-%m-%d %H:%M:%S")
            else:
                out[name] = False if value is None else value
        return out

    def _of_made(self, given: Mapping[str, Any]) -> list[Row]:
        assert self.made is not None
        count, make = self.made
        after = max((term[2] for term in given.get("domain") or [] if term[:2] == ["id", ">"]), default=0)
        return [make(n) for n in range(after + 1, min(after + int(given.get("limit") or 1000), count) + 1)]

    # -- the sample's CRM --------------------------------------------------------------------------------------------

    def fill(self, folder: Path) -> None:
        """The sample's CSV files, as Belvoir would have them in Odoo.

        A lead stays one, and its opportunity links to it ("Lead"); a lost opportunity is archived with probability 0, a won one moves to
        the stage "Won". Channels are UTM mediums, orders sales orders. What Odoo has no field for are fields made in Studio.
        """
        _Sample(self, folder).fill()


class _Refused(Exception):
    def __init__(self, message: str, name: str, status: int) -> None:
        super().__init__(message)
        self.name, self.status = name, status


def _wrong(name: str, message: str, arguments: list[Any] | None = None) -> Row:
    return {"name": name, "message": message, "arguments": arguments or [message], "context": {}, "debug": "Traceback (most recent call last):\n  …"}  # fmt: skip


class _Sample:
    def __init__(self, odoo: Odoo, folder: Path, zone: str = "Europe/Paris") -> None:
        self.odoo, self.folder, self.zone = odoo, folder, ZoneInfo(zone)
        self.ids: dict[tuple[str, str], int] = {("res.currency", "EUR"): 1}

    def fill(self) -> None:
        self.declare()
        for r in self.read("users"):
            self.odoo.insert("res.users", id=_USERS + self.number(r["id"]), name=r["name"], login=r["id"], company_id=1, sale_team_id=self.named("crm.team", r["team"]))  # fmt: skip
        for n, name in enumerate((*_STAGES, "Won"), 1):
            self.odoo.insert("crm.stage", id=n, name=name, sequence=n, is_won=name == "Won")
        self.partners()
        self.leads()
        self.deals()
        self.orders()

    def read(self, name: str) -> list[dict[str, str]]:
        with (self.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def at(self, text: str) -> dt.datetime | None:
        """The instant of the CSV's local time, in UTC."""
        return dt.datetime.fromisoformat(text).replace(tzinfo=self.zone).astimezone(dt.UTC).replace(tzinfo=None) if text else None  # fmt: skip

    def number(self, text: str) -> int:
        return int(text[1:]) if text else 0

    def link(self, text: str, offset: int = 0) -> int | None:
        return offset + int(text[1:]) if text else None

    def named(self, model: str, name: str, **more: Any) -> int | None:
        """The record of that name, made when it is first needed."""
        if not name:
            return None
        if (model, name) not in self.ids:
            self.ids[model, name] = self.odoo.insert(model, name=name, **more)
        return self.ids[model, name]

    def declare(self) -> None:
        odoo, lead, partner = self.odoo, "crm.lead", "res.partner"
        odoo.add_field(lead, "x_studio_lead_id", "many2one:crm.lead", "Lead")
        odoo.add_field(lead, "x_studio_range", "selection:small,mid,large", "Range")
        odoo.add_field(lead, "x_studio_score", "float", "Score")
        odoo.add_field(lead, "x_studio_test", "boolean", "Test")
        odoo.add_field(lead, "x_studio_qualified_at", "datetime", "Qualified at")
        odoo.add_field(lead, "x_studio_sales_channel", "selection:web,shop,field", "Sales channel")
        odoo.add_field(partner, "x_studio_customer_since", "datetime", "Customer since")
        odoo.add_field(partner, "x_studio_churned_at", "datetime", "Churned at")
        odoo.add_field(partner, "x_studio_segment", "selection:small,mid,large", "Segment")
        odoo.add_field(partner, "x_studio_channel", "many2one:utm.medium", "Channel")
        odoo.add_field(partner, "x_studio_campaign", "many2one:utm.campaign", "Campaign")
        odoo.add_field("sale.order", "x_studio_sales_channel", "selection:web,shop", "Sales channel")

    def partners(self) -> None:
        for r in self.read("customers"):
            self.odoo.insert("res.partner", id=self.number(r["id"]), name=r["id"], is_company=True, customer_rank=1,
                country_id=self.named("res.country", r["country"], code=r["country"]), x_studio_customer_since=self.at(r["created_at"]),
                x_studio_churned_at=self.at(r["churned_at"]), x_studio_segment=r["segment"] or None,
                x_studio_channel=self.named("utm.medium", r["channel"]), x_studio_campaign=self.named("utm.campaign", r["campaign"]))  # fmt: skip
        self.odoo.insert("res.partner", name="A supplier", is_company=True, customer_rank=0)

    def leads(self) -> None:
        for r in self.read("leads"):
            self.odoo.insert("crm.lead", id=self.number(r["id"]), name=r["id"], type="lead", create_date=self.at(r["created_at"]), stage_id=1,
                medium_id=self.named("utm.medium", r["channel"]), campaign_id=self.named("utm.campaign", r["campaign"]),
                user_id=self.link(r["owner_id"], _USERS), partner_id=self.link(r["customer_id"]), x_studio_range=r["range"] or None,
                x_studio_score=Decimal(r["score"]), x_studio_test=r["is_test"] == "true", x_studio_qualified_at=self.at(r["qualified_at"]))  # fmt: skip

    def deals(self) -> None:
        history: dict[str, list[dict[str, str]]] = {}
        for r in self.read("stage_history"):
            history.setdefault(r["deal_id"], []).append(r)
        stages = {name.lower(): n for n, name in enumerate((*_STAGES, "Won"), 1)}
        for r in self.read("deals"):
            steps = sorted(history[r["id"]], key=lambda s: s["entered_at"])
            closed, won = self.at(r["closed_at"]), r["stage"] == "won"
            key = self.odoo.insert("crm.lead", id=_DEALS + self.number(r["id"]), name=r["id"], type="opportunity", create_date=self.at(r["created_at"]),
                active=r["stage"] != "lost", probability=Decimal(100 if won else 0 if r["stage"] == "lost" else 30), date_closed=closed,
                stage_id=stages["won" if won else steps[-1]["stage"]], user_id=self.link(r["owner_id"], _USERS), partner_id=self.link(r["customer_id"]),
                expected_revenue=Decimal(r["amount"]), x_studio_lead_id=self.link(r["lead_id"]), x_studio_sales_channel=r["sales_channel"])  # fmt: skip
            stays = [(stages[s["stage"]], self.at(s["entered_at"])) for s in steps] + ([(stages["won"], closed)] if won else [])  # fmt: skip
            for (old, _), (new, at) in pairwise(stays):
                assert at is not None
                self.odoo.tracked(key, old, new, at.replace(tzinfo=dt.UTC))

    def orders(self) -> None:
        for r in self.read("orders"):
            self.odoo.insert("sale.order", id=self.number(r["id"]), name=r["id"], state="sale", partner_id=self.link(r["customer_id"]),
                date_order=self.at(r["ordered_at"]), currency_id=self.named("res.currency", r["currency"]), amount_untaxed=Decimal(r["amount"]),
                amount_tax=Decimal(0), amount_total=Decimal(r["amount"]), x_studio_sales_channel=r["channel"])  # fmt: skip
        self.odoo.insert(
            "sale.order", name="a quotation", state="draft", partner_id=1, amount_untaxed=Decimal(999)
        )


_USERS, _DEALS = 100, 1_000_000  # where ids begin, so that they are nobody else's
_STAGES = ("Qualification", "Demo", "Proposal", "Negotiation")


def opportunity_of(number: int) -> Row:
    """The opportunity of a number, the same each time."""
    at = dt.datetime(2022, 1, 1) + dt.timedelta(seconds=number * 97)
    return {"id": number, "name": f"Opportunity {number}", "type": "opportunity", "active": True, "create_date": at, "write_date": at, "user_id": number % 50, "partner_id": number % 9973, "stage_id": 1 + number % 5, "expected_revenue": (number * 7919 % 1_000_000) / 100, "probability": 30.0, "date_closed": at if number % 3 == 0 else None}  # fmt: skip


def main() -> None:
    rows = int(sys.argv[sys.argv.index("--rows") + 1]) if "--rows" in sys.argv else 1000
    odoo = Odoo()
    odoo.made = (rows, opportunity_of)
    with odoo.serving():
        print(odoo.url, flush=True)
        odoo.ended.wait()


if __name__ == "__main__":
    main()
