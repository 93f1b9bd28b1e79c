"""What can go wrong with a Spark server, and how it is said: one sentence and a way out for each, not Spark's pages."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

from cadran.plugins import AuthError, ConfigError, ConnectorError, DataError, QueryRefused
from cadran_plugins.spark.address import Address

_URL = ("url",)
_NOISE = re.compile(r"\s*(SQLSTATE: \w+.*|To tolerate the error.*|If necessary set .*|Use [`']try_.*|\(line \d+, pos \d+\).*)", re.DOTALL)  # fmt: skip


class Kind(Enum):
    """The kinds of trouble that are told apart."""

    UNREACHABLE = "unreachable"
    UNKNOWN_HOST = "unknown host"
    TLS = "tls"
    TOKEN = "token"
    NOT_SPARK = "not spark"
    LOST = "lost"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    DENIED = "denied"
    GONE = "gone"
    TOO_LARGE = "too large"
    OTHER = "other"


class NotTaken(ConfigError, QueryRefused):
    """A query that Spark does not analyse, or that names what is not there."""


class NotComputed(DataError, QueryRefused):
    """A query that Spark could not compute to its end."""


_CONDITIONS = {
    "OPERATION_CANCELED": Kind.CANCELLED,
    "INSUFFICIENT_PERMISSIONS": Kind.DENIED,
    "PERMISSION_DENIED": Kind.DENIED,
    "INVALID_HANDLE": Kind.LOST,
    "RESPONSE_ALREADY_RECEIVED": Kind.LOST,
    "NO_ACTIVE_SESSION": Kind.LOST,
    "PARSE_": Kind.GONE,
    "INVALID_PARAMETER": Kind.OTHER,
}
_MISSING = (
    "TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND", "UNRESOLVED_", "PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA",
    "DATA_SOURCE_NOT_FOUND", "AMBIGUOUS_", "MISSING_CATALOG_ABILITY", "INVALID_SQL_SYNTAX",
    "PATH_NOT_FOUND", "FAILED_READ_FILE", "UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY", "DATATYPE_MISMATCH", "MISSING_AGGREGATION",
)  # fmt: skip


def condition(error: BaseException) -> str:
    """Spark's own name of the trouble, such as ``DIVIDE_BY_ZERO``; empty where it gives none."""
    named = getattr(error, "getCondition", None)
    found = named() if callable(named) else None
    if found:
        return str(found)
    inside = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(error))
    return inside[1] if inside else ""


def _status(error: BaseException) -> str:
    """The name of the gRPC status."""
    code: Any = getattr(error, "getGrpcStatusCode", None) or getattr(error, "code", None)
    found = code() if callable(code) else None
    return str(getattr(found, "name", ""))


def classify(error: BaseException, *, connected: bool) -> Kind:
    """``connected``: the server has answered before."""
    found, status, words = condition(error), _status(error), str(error)
    for begin, kind in _CONDITIONS.items():
        if found.startswith(begin):
            return kind
    if found.startswith(_MISSING):
        return Kind.GONE
    if "stopped SparkContext" in words:
        return Kind.LOST
    match status:
        case "UNAVAILABLE" if connected:
            return Kind.LOST
        case "UNAVAILABLE" if re.search(r"DNS|errors resolving|[Nn]ame resolution|not known", words):
            return Kind.UNKNOWN_HOST
        case "UNAVAILABLE" if re.search(r"SSL|Ssl|TLS|handshake|certificate", words):
            return Kind.TLS
        case "UNAVAILABLE":
            return Kind.UNREACHABLE
        case "UNAUTHENTICATED":
            return Kind.TOKEN
        case "PERMISSION_DENIED":
            return Kind.DENIED
        case "UNIMPLEMENTED":
            return Kind.NOT_SPARK
        case "DEADLINE_EXCEEDED":
            return Kind.TIMEOUT if connected else Kind.UNREACHABLE
        case "RESOURCE_EXHAUSTED":
            return Kind.TOO_LARGE
    return Kind.OTHER if connected or found else Kind.NOT_SPARK


def translated(
    error: BaseException, kind: Kind, address: Address, timeout: float, setting: tuple[str, ...] = ()
) -> ConnectorError:
    """``setting`` is what asked for the query, such as a table's ``sql``. No message holds the URL or the token."""
    words = reason(address.masked(str(error)))
    match kind:
        case Kind.UNREACHABLE:
            hint = "is it running, and can it be reached from here? check the host and the port in the url"
            return ConfigError("the Spark Connect server cannot be reached", hint=hint, setting=_URL)
        case Kind.UNKNOWN_HOST:
            return ConfigError("the host in the url is not known", hint="check how it is written", setting=_URL)  # fmt: skip
        case Kind.TLS:
            why = "a token is only sent encrypted, so the server has to speak TLS" if address.token else "check the server's certificate, or drop use_ssl=true"  # fmt: skip
            message = "the server and cadran cannot agree on an encrypted connection"
            return ConfigError(message, hint=why, setting=_URL)
        case Kind.TOKEN:
            hint = "check it" if address.token else "write it behind the slash: sc://host:port/;token=…"
            what = "refuses the token" if address.token else "asks for a token"
            return AuthError(f"the server {what}", hint=hint, setting=_URL)
        case Kind.NOT_SPARK:
            hint = "check the port: Spark Connect listens on 15002 unless told otherwise"
            return ConfigError("what answers at the url does not speak Spark Connect", hint=hint, setting=_URL)  # fmt: skip
        case Kind.LOST:
            message = "the connection to the Spark server was lost"
            return ConnectorError(message, hint="run again; the server may have been restarted", setting=_URL)
        case Kind.TIMEOUT:
            return ConnectorError(
                f"a query took longer than {_length(timeout)} and was stopped",
                hint="give it more with 'statement_timeout: 2 hours', or let it read less",
                setting=setting or ("statement_timeout",),
            )
        case Kind.CANCELLED:
            return ConnectorError("the query was cancelled", setting=setting)
        case Kind.DENIED:
            hint = "give it the right to read (GRANT SELECT), or use another token"
            return ConfigError(f"the user may not read this: {words}", hint=hint, setting=setting or _URL)
        case Kind.GONE:
            hint = "try it in spark-sql" if setting else "see whether the tables have changed"
            return NotTaken(f"Spark refuses the query: {words}", hint=hint, setting=setting)
        case Kind.TOO_LARGE:
            hint = "leave long columns out, with a SELECT of your own under 'tables:' ('sql:')"
            return QueryRefused("rows are too large for one message of Spark Connect", hint=hint, setting=setting)  # fmt: skip
        case Kind.OTHER:
            return NotComputed(f"Spark reports: {words}", setting=setting)


def reason(text: str) -> str:
    """The sentence in Spark's pages that says what is wrong."""
    text = text.partition("JVM stacktrace:")[0]
    found = re.search(r"\[[A-Z][A-Z0-9_.]+\]\s*(.+)", text, re.DOTALL)
    said = found[1] if found else text
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = _NOISE.sub("", lines[0]).rstrip(" .;") if lines else ""
    first = re.sub(r"^(?:\([\w.]+\)|[\w.$]+(?:Exception|Error):)\s*", "", first)
    return f"{first[:300]}…" if len(first) > 300 else first or "no reason"


def _length(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g} {unit}{'s' * (seconds != size)}"
    return f"{seconds:g} second{'s' * (seconds != 1)}"
