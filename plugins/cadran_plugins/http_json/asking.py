"""Asking for a page: the request as the settings and the window say it, and what its errors say to whoever wrote them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from cadran.plugins import DataError, QuotaExhausted, RateLimited, ResumeExpired, Window
from cadran.plugins.http import Answer, Http
from cadran_plugins.http_json import pages
from cadran_plugins.http_json.auth import Auth
from cadran_plugins.http_json.links import Links
from cadran_plugins.http_json.paths import put
from cadran_plugins.http_json.settings import Declared, Field
from cadran_plugins.http_json.since import written


@dataclass(slots=True)
class Asking:
    """For one read of one table."""

    table: Declared
    fields: tuple[Field, ...]
    http: Http
    auth: Auth
    window: Window
    _links: Links = field(init=False)

    def __post_init__(self) -> None:
        self._links = Links.of(self.table.url, _plain(self.table.params))

    def kept(self, link: str) -> str:
        """A link as it may lie on disk."""
        return self._links.kept(self.auth.unsigned(link))

    def page(self, spot: pages.Spot, sure: bool) -> Answer:
        """``sure``: it is a page of this read, and no place or state of an earlier one, which the server may have forgotten."""
        try:
            return self._request(spot)
        except RateLimited as error:
            if error.retry_at is None:
                raise
            raise QuotaExhausted(error.message, until=error.retry_at, hint=error.hint) from None
        except DataError as error:
            if not sure:
                raise ResumeExpired(
                    f"it is not known any more where reading stood: {error.message}"
                ) from None
            beside = "pages" if spot.link or self._counts_on(spot) else "path"
            hint = error.hint or f"look at '{beside}'" + (
                "" if spot.link else ", 'params' and the source's 'url'"
            )
            if self._counts_on(spot):
                hint += "; where the API says so behind its last page, say 'total' or 'more'"
            if spot.link and "declare" in error.message:
                hint = f"{hint}; if the machine belongs to the API, name it under 'hosts'"
            raise DataError(
                error.message, hint=hint, setting=error.setting or (*self.table.where, beside)
            ) from None

    def _counts_on(self, spot: pages.Spot) -> bool:
        """Whether it is a page behind the first of those that are counted."""
        how = self.table.pages
        return how.kind in ("offset", "page") and spot.params != pages.first(self.table).params

    def _request(self, spot: pages.Spot) -> Answer:
        table = self.table
        if spot.link:
            link = self._links.whole(spot.link)
            return self.http.request("GET", self.auth.signed(link), headers=table.headers)
        url, added = table.url, {**self._since(), **spot.params}
        body: dict[str, Any] | None = None
        query = dict(table.params)
        if table.method == "POST":
            body = json.loads(json.dumps(table.body, default=_number))
            for path, value in added.items():
                put(body, path, value)
        else:
            query |= added
        if query:
            url = f"{url}?{urlencode(_plain(query), doseq=True)}"
        answer = self.http.request(table.method, self.auth.signed(url), json=body, headers=table.headers)
        if body is not None and _path(answer.url) != _path(url):
            hint = f"write the address that it leads to: {_path(answer.url)}"
            raise DataError(f"'{table.name}' is sent on to another address, where what is asked for is lost", hint=hint, setting=(*table.where, "path"))  # fmt: skip
        return answer

    def _since(self) -> dict[str, Any]:
        cursor, since = self.table.cursor, self.window.since
        if cursor is None or since is None:
            return {}
        type_ = next((f.type for f in self.fields if f.name == cursor.column), "")
        value = written(since, cursor.format, type_)
        return {
            cursor.param: value
            if cursor.template == "{since}"
            else cursor.template.replace("{since}", str(value))
        }


def _path(url: str) -> str:
    return unquote(urlsplit(url).path) or "/"


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    def one(value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value

    return {
        k: [one(v) for v in value] if isinstance(value, list) else one(value) for k, value in params.items()
    }


def _number(value: Any) -> Any:
    """What YAML gives and JSON does not know: decimals, days."""
    return value.isoformat() if isinstance(value, dt.date) else float(value)
