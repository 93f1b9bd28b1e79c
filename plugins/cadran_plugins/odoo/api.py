"""How Odoo is asked: the methods of its models, over ``/json/2`` or JSON-RPC."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from cadran.plugins import AuthError, ConfigError, ConnectorError, Context, DataError, Transient
from cadran.plugins.http import Answer, Expect, Http, Listing
from cadran_plugins.odoo.config import Settings
from cadran_plugins.odoo.fields import Values
from cadran_plugins.odoo.tables import cut_late
from cadran_plugins.odoo.trouble import NotHere, judge

Call = Callable[[str, str, Mapping[str, Any], Expect], Answer]

_SEVERAL = "where a server has several databases write 'database'; leave it out for Odoo Online"
_BEFORE_19 = {
    "database": "its name is the first part of the address, or stands at the address with /web/database/manager",
    "login": "write the login of the user whose key it is, such as kpi@belvoir.example",
}


class Api:
    """One database, asked as one user. Which protocol it speaks is found out with the first request."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self.settings = settings
        self.http = Http(
            context, (settings.host,), base=settings.base, account=f"odoo {settings.host}", judge=judge,
            timeout=settings.timeout, credential=("api_key",),
        )  # fmt: skip
        self._uid = 0

    def call(self, model: str, method: str, given: Mapping[str, Any] | None = None) -> Any:
        """Archived records are records, and labels those of the language that is set."""
        return self._value(self._asked(model, method, given))

    def columns(self, model: str, domain: Sequence[Any], fields: Sequence[str], after: int = 0, size: int = 0, links: Collection[str] = ()) -> Iterator[Values]:  # fmt: skip
        """Records in pages that are not empty, by id: whatever is written meanwhile, none moves to another page. Of ``links``, ids without
        names.

        A page that is not full is the last one, but for models that take out what the user may not see after the limit was applied:
        of these, ids are asked for without a limit behind it, and the records of those that there are.
        """
        count = size = size or self.settings.page
        listing = self._listing(("id", *fields), links)  # Odoo gives ids unasked
        while count == size:
            values = self._behind(model, after, domain, fields, listing, size)
            if count := len(values["id"]):
                yield values
                after = int(values["id"][-1])
        if cut_late(model):
            left = [
                int(id_) for id_ in self._behind(model, after, domain, ["id"], self._listing(["id"]))["id"]
            ]
            for start in range(0, len(left), size):
                some = left[start : start + size]
                values = self._behind(model, some[0] - 1, [["id", "in", some], *domain], fields, listing)
                if values["id"]:
                    yield values

    def records(self, model: str, domain: Sequence[Any], fields: Sequence[str], after: int = 0, size: int = 0) -> Iterator[list[dict[str, Any]]]:  # fmt: skip
        """The same, record by record."""
        for values in self.columns(model, domain, fields, after, size):
            yield [dict(zip(values, record, strict=True)) for record in zip(*values.values(), strict=True)]

    def _listing(self, names: Sequence[str], links: Collection[str] = ()) -> Listing:
        at = "result" if self._way == self._jsonrpc else ""
        return Listing(tuple(dict.fromkeys(names)), at=at, firsts=links)

    def _behind(self, model: str, after: int, domain: Sequence[Any], fields: Sequence[str], listing: Listing, size: int | None = None) -> Values:  # fmt: skip
        asked = {"domain": [["id", ">", after], *domain], "fields": list(fields), "order": "id", **({"limit": size} if size else {})}  # fmt: skip
        found = self._asked(model, "search_read", asked, listing).listed(listing)
        if found is None:
            raise Transient("Odoo's answer is none of its API's")
        values = {path[0]: column for path, column in zip(listing.paths, found.columns, strict=True)}
        if found.count and int(values["id"][0]) <= after:
            raise DataError(f"Odoo gives the same records of {model} again", hint="something between Odoo and cadran keeps answers that it should not")  # fmt: skip
        return values

    def who(self) -> dict[str, Any]:
        """The user that asks."""
        uid = self.call("res.users", "context_get")["uid"]
        asked = {"domain": [["id", "=", uid]], "fields": ["name", "company_id"], "limit": 1}
        return dict(self.call("res.users", "search_read", asked)[0])

    def close(self) -> None:
        self.http.close()

    @cached_property
    def _way(self) -> Call:
        """How it is asked. Raises what says that there is no Odoo."""
        if self.settings.protocol == "json2":
            return self._json2
        if self.settings.protocol == "auto":
            try:
                self._json2("res.users", "context_get", {}, "json")
            except NotHere as e:
                self._not_there(e)
            else:
                return self._json2
        return self._jsonrpc

    def _asked(
        self, model: str, method: str, given: Mapping[str, Any] | None = None, expect: Expect = "json"
    ) -> Answer:
        context = {"lang": self.settings.language, "active_test": False}
        return self._way(model, method, {"context": context, **(given or {})}, expect)

    def _value(self, answer: Answer) -> Any:
        told = answer.json()
        if self._way == self._json2:
            return told
        if not isinstance(told, dict) or "result" not in told:
            raise Transient("Odoo's answer is none of its API's")
        return told["result"]

    def _not_there(self, error: NotHere) -> None:
        """Raises unless JSON-RPC can be tried: there may be no Odoo, an older one, or one that does not know which database is meant."""
        if self.settings.database and self.settings.login:
            return
        try:
            told = self._rpc("common", "version", [], "json").json()["result"]
            version = re.search(r"\d+", str(told["server_version"]))
        except (ConnectorError, KeyError, TypeError):
            raise error from None
        if version is not None and int(version[0]) >= 19:
            missing = f"has no database '{self.settings.database}'" if self.settings.database else "does not know which database is meant"  # fmt: skip
            raise ConfigError(f"Odoo {missing}", hint=_SEVERAL, setting=("database",))

    def _json2(self, model: str, method: str, given: Mapping[str, Any], expect: Expect) -> Answer:
        headers = {"authorization": f"bearer {self.settings.key}"}
        if self.settings.names_database:
            headers["x-odoo-database"] = self.settings.database
        return self.http.post(f"/json/2/{model}/{method}", json=dict(given), headers=headers, expect=expect)

    def _jsonrpc(self, model: str, method: str, given: Mapping[str, Any], expect: Expect) -> Answer:
        for setting in ("database", "login"):
            if not getattr(self.settings, setting):
                raise ConfigError(f"'{setting}' is missing: Odoo before 19 asks for it", hint=_BEFORE_19[setting], setting=(setting,))  # fmt: skip
        database, login, key = self.settings.database, self.settings.login, self.settings.key
        if not self._uid:
            self._uid = self._value(self._rpc("common", "authenticate", [database, login, key, {}], "json")) or 0  # fmt: skip
            if not self._uid:
                hint = "check 'login' and 'api_key': the key is one of that user"
                raise AuthError("Odoo does not accept the login with this API key", hint=hint, setting=("api_key",))  # fmt: skip
        args: list[Any] = [database, self._uid, key, model, method, [], dict(given)]
        return self._rpc("object", "execute_kw", args, expect)

    def _rpc(self, service: str, method: str, args: list[Any], expect: Expect) -> Answer:
        asked = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}}  # fmt: skip
        return self.http.post("/jsonrpc", json=asked, expect=expect)
