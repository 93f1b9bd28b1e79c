"""Pipedrive's API: how its lists go on, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cadran.plugins import (
    AuthError,
    ConnectorError,
    Context,
    DataError,
    QuotaExhausted,
    ResumeExpired,
    Transient,
)
from cadran.plugins.http import Answer, Http, Limit, Listing
from cadran_plugins.pipedrive.config import Settings
from cadran_plugins.pipedrive.fields import Values

_T = TypeVar("_T")
_MOST = 500  # rows that a list gives at a time
_DEAREST = 40  # tokens that no request costs more than

_TOKEN = "in Pipedrive, Personal preferences > API shows the token; a new one ends the old"
_RIGHTS = "the token's user needs to see this: ask an administrator, or use a token of theirs"
_BUDGET = (
    "the next sync goes on where this one stopped. The budget is renewed each day at midnight of Pipedrive's "
    "server and grows with the plan and its seats; Company settings > API usage shows who uses it"
)


class Forbidden(AuthError):
    """The token is good, but its user may not see this."""


class Gone(DataError):
    """What is asked for is not there, or not any more."""


def client(context: Context, settings: Settings) -> Http:
    return Http(
        context,
        (settings.host,),
        base=settings.base,
        headers={"x-api-token": settings.token, "accept": "application/json"},
        limits=(Limit(settings.burst, 2.0),) if settings.burst else (),
        account=f"pipedrive {settings.host}",
        judge=judge,
        pace=_pace,
        credential=("token",),
        timeout=settings.timeout,
    )


def _pace(answer: Answer) -> float | None:
    """Pipedrive says how many requests are left in the two seconds, and when they are over."""
    if answer.headers.get("x-ratelimit-remaining") != "0":
        return None
    reset = answer.headers.get("x-ratelimit-reset", "")
    return min(float(reset), 10.0) if reset.replace(".", "", 1).isdigit() else 2.0


def judge(answer: Answer) -> ConnectorError | None:
    """What Pipedrive says with an answer that is no success; the rest is as its status says."""
    if answer.status == 401:
        return AuthError("Pipedrive does not accept the token", hint=_TOKEN, setting=("token",))
    if answer.status == 402:
        return AuthError("the Pipedrive account is closed or not paid for", setting=("token",))
    if answer.status == 403 and "html" in answer.headers.get("content-type", ""):
        hint = (
            "wait some minutes; where it happens again, set 'burst' to 10, as other programs share the limit"
        )
        return QuotaExhausted(
            "Pipedrive has blocked requests, as too many came", hint=hint, setting=("burst",)
        )
    if answer.status == 403:
        return Forbidden(f"Pipedrive does not let the token's user see this: {_said(answer)}", hint=_RIGHTS, setting=("token",))  # fmt: skip
    if answer.status == 429 and _spent(answer):
        return QuotaExhausted("the day's budget of Pipedrive's API is used up", hint=_BUDGET)
    if answer.status == 400 and "cursor" in _said(answer).casefold():
        return ResumeExpired("Pipedrive does not know any more where the list stood")
    if answer.status in (404, 410):
        return Gone(f"Pipedrive refuses the request: {_said(answer)}")
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return DataError(f"Pipedrive refuses the request: {_said(answer)}")
    return None


def _spent(answer: Answer) -> bool:
    """Whether it is the day's budget that does not suffice: there may be some left, and less than the request costs."""
    left = answer.headers.get("x-daily-ratelimit-token-remaining", "")
    more_in_two_seconds = answer.headers.get("x-ratelimit-remaining", "0") != "0"
    return left == "0" or (left.isdigit() and int(left) < _DEAREST and more_in_two_seconds)


def _said(answer: Answer) -> str:
    try:
        told = answer.json()
    except Transient:
        return f"status {answer.status}"
    return str(told.get("error") or told) if isinstance(told, dict) else str(told)


def told(answer: Answer) -> dict[str, Any]:
    """What Pipedrive answers. A page that is none of its API's is worth another try later."""
    out = answer.json()
    if not isinstance(out, dict) or not out.get("success") or "data" not in out:
        raise Transient("Pipedrive's answer is none of its API's")
    return out


@dataclass(frozen=True, slots=True)
class Some:
    """Records of one answer: what they hold at each path, and what the answer says beside."""

    values: Values
    count: int
    beside: Mapping[str, Any]

    def behind(self, number: int) -> Some:
        """The same without the first records."""
        values = {path: column[number:] for path, column in self.values.items()}
        return Some(values, max(self.count - number, 0), self.beside)


def listing(paths: Iterable[tuple[str, ...]]) -> Listing:
    return Listing(list(dict.fromkeys(paths)), at="data", beside=("success", "additional_data"))


def some(http: Http, path: str, params: Mapping[str, Any], wanted: Listing) -> Some:
    """One answer that lists records."""
    answer = http.get(path, params=params, expect=wanted)
    found = answer.listed(wanted)
    if found is None or not found.beside.get("success"):
        page = told(answer)
        if page["data"]:
            raise Transient("Pipedrive's answer is none of its API's")
        return Some(dict.fromkeys(wanted.paths, ()), 0, page)
    return Some(dict(zip(wanted.paths, found.columns, strict=True)), found.count, found.beside)


def listed(http: Http, path: str, params: Mapping[str, Any], wanted: Listing, cursor: str = "", size: int = _MOST) -> Iterator[tuple[Some, str]]:  # fmt: skip
    """A list's pages, each with the cursor of what comes behind it: empty behind the last."""

    def ask(asked: Mapping[str, Any]) -> tuple[Some, Mapping[str, Any]]:
        page = some(http, path, asked, wanted)
        return page, page.beside

    return _pages(ask, path, {**params, "limit": size}, cursor)


def whole(http: Http, path: str) -> list[dict[str, Any]]:
    """A short list of v2, all of it, record by record."""

    def ask(asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
        page = told(http.get(path, params=asked))
        return page["data"] or [], page

    return [record for records, _ in _pages(ask, path, {"limit": _MOST}, "") for record in records]


def _pages(ask: Callable[[Mapping[str, Any]], tuple[_T, Mapping[str, Any]]], path: str, params: Mapping[str, Any], cursor: str) -> Iterator[tuple[_T, str]]:  # fmt: skip
    seen = {cursor}
    while True:
        found, beside = ask({**params, **({"cursor": cursor} if cursor else {})})
        cursor = (beside.get("additional_data") or {}).get("next_cursor") or ""
        yield found, cursor
        if not cursor:
            return
        if cursor in seen:
            raise DataError(f"Pipedrive's list {path} goes in a circle: a cursor came twice")
        seen.add(cursor)
