"""What HubSpot's errors mean, in words that say what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from cadran.plugins import AuthError, ConnectorError, DataError, QuotaExhausted, RateLimited, Transient
from cadran.plugins.http import Answer

_APPS = "in HubSpot: Development → Legacy apps (or Settings → Integrations → Private apps) → your app"


class NotAllowed(AuthError):
    """The token is good, and may not read this."""


def _lacks(scopes: tuple[str, ...]) -> NotAllowed:
    """``scopes``: one of them would do, or all are needed; HubSpot's message does not say it in a word of its own."""
    named = " or ".join(scopes)
    what = f"the token lacks the scope {named}" if scopes else "the token lacks a scope"
    grant = f"grant {named}" if scopes else "grant the scope that reads this"
    return NotAllowed(what, hint=f"{_APPS} → Scopes: {grant}, then sync again", setting=("token",))


class Refused(DataError):
    """HubSpot does not take the request as it is (400, 404): asking again changes nothing. ``status`` is the answer's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HubSpot refuses a request: {said}")
        self.status = status


def judge(answer: Answer, now: Callable[[], dt.datetime], zone: str = "") -> ConnectorError | None:
    """The error that an answer means, None for one that is good or means what its status says.

    The day's requests come back at midnight in the account's ``zone``.
    """
    if answer.status < 400 and answer.status != 207:
        return None
    body = _body(answer)
    said = " ".join(str(body.get("message") or f"status {answer.status}").split())[:300]
    match answer.status:
        case 207:
            return _in_part(body)
        case 401:
            hint = f"{_APPS} → Auth: copy the access token, and see that the app was not deleted"
            return AuthError("HubSpot does not accept the token", hint=hint, setting=("token",))
        case 530:  # of Cloudflare, for what does not look like a token
            hint = f"{_APPS} → Auth: copy the access token, which begins with pat-; if it is right, try again later"
            return AuthError("HubSpot does not take this for a token (530)", hint=hint, setting=("token",))
        case 403 if body.get("category") == "MISSING_SCOPES":
            return _lacks(_scopes(body))
        case 403:
            hint = f"{_APPS} → Scopes; if all are granted, ask who administers HubSpot whether it lets in only certain addresses"
            return NotAllowed(f"HubSpot does not let this token read it: {said}", hint=hint, setting=("token",))  # fmt: skip
        case 429 if body.get("policyName") == "DAILY":
            hint = "what has come is kept: sync again when the day is over, or see which apps use up the account's requests"
            return QuotaExhausted("HubSpot's requests of the day are used up", until=_midnight(now(), zone), hint=hint)  # fmt: skip
        case 423:  # HubSpot asks for two seconds at least
            return RateLimited(
                "HubSpot has locked this for a moment", retry_at=now() + dt.timedelta(seconds=2)
            )
        case 477:
            return RateLimited("HubSpot is moving the account", retry_at=_retry_at(answer, now()))
        case 400 | 404 | 405 | 414:
            return Refused(answer.status, said)
    return None


def _in_part(body: dict[str, Any]) -> Transient | None:
    """An error for a batch of which some could not be read; what is not there, or not linked to anything, is no error."""
    for error in body.get("errors") or ():
        if isinstance(error, dict) and error.get("category") != "OBJECT_NOT_FOUND":
            return Transient(f"HubSpot gives a part of what was asked for: {str(error.get('message'))[:300]}")
    return None


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except Transient:
        return {}
    return body if isinstance(body, dict) else {}


def _scopes(body: dict[str, Any]) -> tuple[str, ...]:
    contexts = [error.get("context") for error in body.get("errors") or () if isinstance(error, dict)]
    contexts.append(body.get("context"))
    for context in contexts:
        for key in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            if isinstance(context, dict) and isinstance(context.get(key), list):
                return tuple(str(scope) for scope in context[key])
    return ()


def _midnight(now: dt.datetime, zone: str) -> dt.datetime | None:
    if not zone:
        return None
    local = now.astimezone(ZoneInfo(zone))
    after = dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), ZoneInfo(zone))
    return after.astimezone(dt.UTC)


def _retry_at(answer: Answer, now: dt.datetime) -> dt.datetime | None:
    told = str(answer.headers.get("retry-after") or "")
    return now + dt.timedelta(seconds=int(told)) if told.isdigit() else None
