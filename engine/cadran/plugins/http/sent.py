"""What is sent: a request put together, and which parts of it nobody else may read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import ConfigError, DataError
from cadran.starred import is_secret

if TYPE_CHECKING:
    import httpx

    from cadran.plugins.http.exchange import Ask

_DEFAULT = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "cadran"}
_HARMLESS = (
    "accept", "cache-control", "content-", "date", "forceusebulk", "if-", "origin", "prefer", "range", "referer", "sforce-",
    "user-agent",
)  # fmt: skip
_SHORTEST = 4  # letters of a header's value: what is shorter stands in every other word


def build(
    method: str, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str], body: Any,
    form: Mapping[str, str] | None,
) -> Ask:  # fmt: skip
    """``params`` are added to those of the URL; None among them are left out."""
    import httpx

    from cadran.plugins.http.exchange import Ask

    whole = _url(url, {k: v for k, v in (params or {}).items() if v is not None})
    sent, content = {**_DEFAULT, **headers}, b""
    if body is not None:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        sent = {"Content-Type": "application/json", **sent}
    elif form is not None:
        content = str(httpx.QueryParams(form)).encode("ascii")
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    if any(not f"{k}{v}".isprintable() for k, v in sent.items()):
        raise ConfigError("a header holds a line break or another sign that none may hold", hint="look for one at the end of a token")  # fmt: skip
    return Ask(method, whole, _once_each(sent), content)


def _url(url: str, params: Mapping[str, Any]) -> httpx.URL:
    import httpx

    try:
        if params and "?" not in url:
            return httpx.URL(url, params=params)
        whole = httpx.URL(url)
        return whole.copy_merge_params(params) if params else whole
    except (httpx.InvalidURL, ValueError):
        pass
    raise DataError(
        "this is no web address"
    )  # out here, so that the error does not carry the one that quotes it


def _once_each(headers: Mapping[str, str]) -> dict[str, str]:
    """Of headers that differ in case only, the last."""
    return dict({name.lower(): (name, value) for name, value in headers.items()}.values())


def secrets_of(headers: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """The headers' values, whole and word by word, and what stands under names of secrets in parameters and forms."""
    for name, value in headers.items():
        if not name.lower().startswith(_HARMLESS):
            yield from (word for word in {str(value), *str(value).split()} if _is_worth(word))
    for name, value in values.items():
        if is_secret(name) and str(value).strip():
            yield str(value)


def _is_worth(word: str) -> bool:
    return len(word) >= _SHORTEST and word.lower() not in ("basic", "bearer", "token", "oauth")
