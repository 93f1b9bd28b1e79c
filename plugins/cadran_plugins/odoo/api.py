"""How Odoo is asked: the methods of its models, over ``/json/2`` or JSON-RPC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cadran.plugins import AuthError, ConfigError, ConnectorError, Context, DataError, Transient
from cadran.plugins.http import Http
from cadran_plugins.odoo.config import Settings
from cadran_plugins.odoo.tables import cut_late
from cadran_plugins.odoo.trouble import NotHere, judge

Call = Callable[[str, str, Mapping[str, Any]], Any]


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
        self._call: Call | None = None
        self._uid = 0

    def call(self, model: str, method: str, given: Mapping[str, Any] | None = None) -> Any:
        """Archived records are records, and labels those of the language that is set."""
        if self._call is None:
            self._call = self._spoken()
        context = {"lang": self.settings.language, "active_test": False}
        return self._call(model, method, {"context": context, **(given or {})})

    def records(self, model: str, domain: Sequence[Any], fields: Sequence[str], after: int = 0, size: int = 0) -> Iterator[list[dict[str, Any]]]:  # fmt: skip
        """Records in pages that are not empty, by id: whatever is written meanwhile, none moves to another page.

        A page that is not full is the last one, but for models that take out what the user may not see after the limit was applied:
        of these, ids are asked for without a limit behind it, and the records of those that there are.
        """
        size = size or self.settings.page
        while rows := self._behind(model, after, domain, fields, size):
            yield rows
            after = int(rows[-1]["id"])
            if len(rows) < size:
                break
        if len(rows) < size and cut_late(model):
            left = [int(row["id"]) for row in self._behind(model, after, domain, ["id"])]
            for start in range(0, len(left), size):
                some = left[start : start + size]
                if rows := self._behind(model, some[0] - 1, [["id", "in", some], *domain], fields):
                    yield rows

    def _behind(self, model: str, after: int, domain: Sequence[Any], fields: Sequence[str], size: int | None = None) -> list[dict[str, Any]]:  # fmt: skip
        asked = {"domain": [["id", ">", after], *domain], "fields": list(fields), "order": "id", **({"limit": size} if size else {})}  # fmt: skip
        rows = self.call(model, "search_read", asked)
        if not isinstance(rows, list):
            raise Transient("Odoo's answer is none of its API's")
        if rows and int(rows[0]["id"]) <= after:
            raise DataError(f"Odoo gives the same records of {model} again", hint="something between Odoo and cadran keeps answers that it should not")  # fmt: skip
        return rows

    def who(self) -> dict[str, Any]:
        """The user that asks."""
        uid = self.call("res.users", "context_get")["uid"]
        asked = {"domain": [["id", "=", uid]], "fields": ["name", "company_id"], "limit": 1}
        return dict(self.call("res.users", "search_read", asked)[0])

    def close(self) -> None:
        self.http.close()

    def _spoken(self) -> Call:
        if self.settings.protocol == "json2":
            return self._json2
        if self.settings.protocol == "auto":
            try:
                self._json2("res.users", "context_get", {})
            except NotHere as e:
                self._not_there(e)
            else:
                return self._json2
        return self._jsonrpc

    def _not_there(self, error: NotHere) -> None:
        """Raises unless JSON-RPC can be tried: there may be no Odoo, an older one, or one that does not know which database is meant."""
        if self.settings.database and self.settings.login:
            return
        try:
            told = self._rpc("common", "version", [])
            version = re.search(r"\d+", str(told["server_version"]))
        except (ConnectorError, KeyError, TypeError):
            raise error from None
        if version is not None and int(version[0]) >= 19:
            missing = f"has no database '{self.settings.database}'" if self.settings.database else "does not know which database is meant"  # fmt: skip
            raise ConfigError(f"Odoo {missing}", hint=_SEVERAL, setting=("database",))

    def _json2(self, model: str, method: str, given: Mapping[str, Any]) -> Any:
        headers = {"authorization": f"bearer {self.settings.key}"}
        if self.settings.names_database:
            headers["x-odoo-database"] = self.settings.database
        return self.http.post(f"/json/2/{model}/{method}", json=dict(given), headers=headers).json()

    def _jsonrpc(self, model: str, method: str, given: Mapping[str, Any]) -> Any:
        for setting in ("database", "login"):
            if not getattr(self.settings, setting):
                raise ConfigError(f"'{setting}' is missing: Odoo before 19 asks for it", hint=_BEFORE_19[setting], setting=(setting,))  # fmt: skip
        database, login, key = self.settings.database, self.settings.login, self.settings.key
        if not self._uid:
            self._uid = self._rpc("common", "authenticate", [database, login, key, {}]) or 0
            if not self._uid:
                hint = "check 'login' and 'api_key': the key is one of that user"
                raise AuthError("Odoo does not accept the login with this API key", hint=hint, setting=("api_key",))  # fmt: skip
        return self._rpc("object", "execute_kw", [database, self._uid, key, model, method, [], dict(given)])

    def _rpc(self, service: str, method: str, args: list[Any]) -> Any:
        asked = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}}  # fmt: skip
        told = self.http.post("/jsonrpc", json=asked).json()
        if not isinstance(told, dict) or "result" not in told:
            raise Transient("Odoo's answer is none of its API's")
        return told["result"]
