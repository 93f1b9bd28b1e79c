"""What Salesforce means by its errors: a list of codes and words, or the answer of its login."""

from __future__ import annotations

import json
import re
from typing import Any

from cadran.plugins import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    QuotaExhausted,
    RateLimited,
    ResumeExpired,
    SchemaChanged,
    Transient,
)
from cadran.plugins.http import Answer

_LATER = {
    "SERVER_UNAVAILABLE",
    "QUERY_TIMEOUT",
    "UNABLE_TO_LOCK_ROW",
    "UNKNOWN_EXCEPTION",
    "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS",
}
_NOT_ALLOWED = {
    "INSUFFICIENT_ACCESS",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "FORBIDDEN",
}
#: More than one question may ask for, and what helps.
_TOO_MUCH = {
    "QUERY_TIMEOUT": "ask for more time from Salesforce's support, or archive what is not needed",
    "OPERATION_TOO_LARGE": "give the app's user the permission 'View All Data': without it Salesforce looks up for each record who may see it",
    "QUERY_TOO_COMPLICATED": "formula fields make a query long: take those that no KPI needs away from the app's user (field-level security); a field that the user may not see is not asked for",
}
_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
_NO_BULK = {
    "FEATURENOTENABLED",
    "INVALIDENTITY",
    "FUNCTIONALITY_NOT_ENABLED",
    "EXCEEDED_QUOTA",
    "LIMIT_EXCEEDED",
    "OPERATION_TOO_LARGE",
}


class TooMuch(DataError):
    """One question may not ask for so much. ``code`` is Salesforce's word for why."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said, hint=_TOO_MUCH[code])
        self.code = code


class WrongAudience(AuthError):
    """The login does not take a key that signs for the org's own domain."""


class Missing(DataError):
    """There is no such thing (any more)."""


class NoBulk(DataError):
    """The Bulk API does not take this, where the REST API may."""


class UnknownObject(DataError):
    """There is no such object, or this user may not see it."""


def judge(answer: Answer) -> ConnectorError | None:
    """The API's answers; a session that is over is left to whoever renews it."""
    if answer.status == 200 and "/results" in answer.url and "sforce-numberofrecords" not in answer.headers:
        return Transient("Salesforce's answer holds no results of a job")
    if answer.status < 400 or answer.status == 401:
        return None
    code, words = _first(answer)
    if not code:
        return None
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(words)
    if answer.status == 410 or (
        answer.status == 404 and answer.url.partition("?")[0].endswith(("/sobjects", "/queryAll"))
    ):
        return _no_such_version(answer.url)
    if code in _TOO_MUCH:
        return TooMuch(code, f"Salesforce says {code}: {_short(words)}")
    return meant(code, words)


def of_job(message: str) -> ConnectorError:
    """What a job that failed means: its code may stand inside of other words (``InvalidBatch : … QUERY_TIMEOUT: …``)."""
    known = _LATER | _NO_BULK | _NOT_ALLOWED | {"INVALID_FIELD", "INVALID_TYPE"}
    if (code := next((found for found in _CODE.findall(message) if found in known), None)) is None:
        code, _, words = message.partition(":")
        return meant(code.strip(), words.strip() or code)
    return meant(code, message.partition(code)[2].strip(" :") or code)


def _no_such_version(url: str) -> ConfigError:
    found = re.match(r"(https?://[^/]+/services/data)/v([0-9.]+)", url)
    where, version = (found[1], found[2]) if found else ("/services/data", "")
    hint = f"take one that it has: {where} lists them"
    return ConfigError(f"the org does not know version {version} of Salesforce's API", hint=hint, setting=("version",))  # fmt: skip


def meant(code: str, words: str) -> ConnectorError:
    if code == "INVALID_FIELD" and (field := re.search(r"No such column '(\w+)' on entity '(\w+)'", words)):
        return SchemaChanged(
            f"{field[2]} has no field {field[1]} any more, or this user may not see it",
            hint="sync again; if a KPI needs the field, give the user access to it (Setup, Permission Sets)",
        )
    if code == "INVALID_TYPE":
        found = re.search(r"sObject type '(\w+)'", words)
        return UnknownObject(
            f"there is no object {found[1] if found else ''} that this user may see".replace("  ", " ")
        )
    if code == "INVALID_QUERY_LOCATOR":
        return ResumeExpired("Salesforce does not know any more where reading stood")
    if code == "NOT_FOUND":
        return Missing("Salesforce has nothing there")
    said = f"Salesforce says {code}: {_short(words)}"
    if code in _LATER:
        return Transient(said)
    if code in _NO_BULK:
        return NoBulk(said)
    if code in _NOT_ALLOWED:
        hint = "the user of the app needs the permissions 'API Enabled' and 'View All Data'"
        if code == "API_DISABLED_FOR_ORG":
            hint = "the org's edition has no API (Professional and below sell it apart), or the app's user lacks 'API Enabled'"
        return AuthError(said, hint=hint)
    return DataError(said)


def _limit(words: str) -> ConnectorError:
    """One code for two things: too much at once, and all requests of a day."""
    if "concurrent" in words.lower():
        return RateLimited(f"Salesforce says: {_short(words)}")
    return QuotaExhausted(
        "the org has used up its API requests of 24 hours",
        hint="sync less often (sync: max_age), or ask Salesforce for more; reading goes on where it stopped",
    )


def judge_login(answer: Answer) -> ConnectorError | None:
    """The answers of the login."""
    if answer.status < 400 or answer.status >= 500 or answer.status == 429:
        return None
    said = _value(answer)
    error = str(said.get("error", "")) if isinstance(said, dict) else ""
    words = _short(str(said.get("error_description", ""))) if isinstance(said, dict) else ""
    told = f"{error}: {words}" if words else error or f"it answered {answer.status}"
    if error == "invalid_client_id":
        return AuthError(
            f"Salesforce knows no app of this client_id ({told})", hint=_ANEW, setting=("client_id",)
        )
    if error == "invalid_client":
        return AuthError(
            f"Salesforce does not accept the client_secret ({told})", hint=_ANEW, setting=("client_secret",)
        )
    if "audience" in words:
        return WrongAudience(f"Salesforce lets the app not in ({told})", hint=_POLICY)
    if "domain" in words:
        return AuthError(f"Salesforce does not take logins there ({told})", hint="domain is the org's own: YOURS.my.salesforce.com, not login.salesforce.com", setting=("domain",))  # fmt: skip
    if error == "invalid_app_access":
        hint = "in Setup, External Client App Manager, your app, Policies: let the app's user in, as 'Permitted Users' or by a permission set"
        return AuthError(f"Salesforce knows the app, and does not let its user in ({told})", hint=hint, setting=("client_id",))  # fmt: skip
    if error == "invalid_grant":
        return AuthError(f"Salesforce lets the app not in ({told})", hint=_POLICY)
    return AuthError(f"Salesforce refuses the login ({told})", hint=_POLICY)


_ANEW = "copy it anew from the app (Setup, External Client App Manager); a new app takes some minutes until it is known"
_POLICY = "the app needs the client credentials flow with a user to run as, or the user's approval of its certificate: docs/connectors/salesforce.md"


def _first(answer: Answer) -> tuple[str, str]:
    said = _value(answer)
    one = said[0] if isinstance(said, list) and said else said
    if not isinstance(one, dict):
        return "", ""
    return str(one.get("errorCode", "")), str(one.get("message", ""))


def _value(answer: Answer) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def _short(words: str) -> str:
    """The last line: those before it repeat the query."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return (lines[-1] if lines else "no reason")[:300]
