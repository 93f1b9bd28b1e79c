"""What can go wrong with a database, and how it is said: one sentence and a way out for each, whatever the driver's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from cadran.plugins import AuthError, ConfigError, ConnectorError, DataError, QueryRefused
from cadran_plugins.sql.address import Address
from cadran_plugins.sql.config import Settings


class Kind(Enum):
    """The kinds of trouble that drivers are asked to tell apart."""

    UNREACHABLE = "unreachable"
    UNKNOWN_HOST = "unknown host"
    PASSWORD = "password"
    NOT_FROM_HERE = "not from here"
    NO_DATABASE = "no database"
    FULL = "full"
    LOST = "lost"
    NO_CONNECTION = "no connection"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    STOPPED = "stopped by somebody else"
    SILENT = "silent"
    DENIED = "denied"
    WRITING = "writing"
    GONE = "gone"
    SYNTAX = "syntax"
    LOCKED = "locked"
    NOT_A_DATABASE = "not a database"
    OTHER = "other"


class NotTaken(ConfigError, QueryRefused):
    """A query that the database does not understand, or that names what is not there."""


class NotComputed(DataError, QueryRefused):
    """A query that the database could not compute to its end."""


Classify = Callable[[BaseException], Kind]
_URL = ("url",)


def translated(
    error: BaseException, kind: Kind, address: Address, settings: Settings, setting: tuple[str, ...] = ()
) -> ConnectorError:
    """``setting`` is what asked for the query, such as a table's ``sql``. No message holds the URL or the password."""
    words = _first_line(address.masked(_words(error)))
    match kind:
        case Kind.UNREACHABLE:
            hint = "is it running, and can it be reached from here? check the host and the port in the url"
            return ConfigError("the database server cannot be reached", hint=hint, setting=_URL)
        case Kind.UNKNOWN_HOST:
            return ConfigError(
                "the host in the url is not known", hint="check how it is written", setting=_URL
            )
        case Kind.PASSWORD:
            hint = "check both in the url; signs such as @ : / in a password are written %40 %3A %2F"
            return AuthError("the server refuses the user or the password", hint=hint, setting=_URL)
        case Kind.NOT_FROM_HERE:
            hint = "it may ask for encryption (behind the database: ?sslmode=require, or ?ssl_ca=… for MariaDB), or know this machine under another address"
            return ConfigError("the server accepts no such connection from here", hint=hint, setting=_URL)
        case Kind.NO_DATABASE:
            return ConfigError(
                "the server has no such database, or the user may not open it",
                hint="check what stands behind the last slash of the url",
                setting=_URL,
            )
        case Kind.FULL:
            return ConfigError(
                "the server takes no more connections", hint="run again later, or ask for more", setting=_URL
            )
        case Kind.NO_CONNECTION:
            return ConfigError(f"no connection to the server: {words}", hint=_advice(words), setting=_URL)
        case Kind.LOST:
            return ConnectorError("the connection to the server was lost", hint="run again", setting=_URL)
        case Kind.TIMEOUT:
            return ConnectorError(
                f"a query took longer than {_length(settings.timeout)} and was stopped",
                hint="give it more with 'statement_timeout: 10 minutes', or let it read less",
                setting=setting or ("statement_timeout",),
            )
        case Kind.CANCELLED:
            return ConnectorError("the query was cancelled", setting=setting)
        case Kind.STOPPED:
            hint = (
                "somebody there has stopped it, or a rule of the server; ask its administrator, or run again"
            )
            return ConnectorError("the server cancelled the query", hint=hint, setting=setting)
        case Kind.SILENT:
            return ConnectorError(
                f"the server has not answered for {_length(settings.timeout + settings.wait)}",
                hint="is it at work, and is the network? 'statement_timeout' and 'pool: {wait: …}' say how long it is waited for",
                setting=setting or ("statement_timeout",),
            )
        case Kind.DENIED:
            hint = "give it the right to read (GRANT SELECT), or name another user in the url"
            return ConfigError(f"the user may not read this: {words}", hint=hint, setting=setting)
        case Kind.WRITING:
            hint = "a source is only read"
            return ConfigError(f"the query would change data: {words}", hint=hint, setting=setting)
        case Kind.GONE | Kind.SYNTAX:
            hint = "try it in the database's own shell" if setting else "see whether the database has changed"
            return NotTaken(f"the database refuses the query: {words}", hint=hint, setting=setting)
        case Kind.LOCKED:
            hint = (
                "another program is writing to it; run again, or wait longer with 'pool: {wait: 2 minutes}'"
            )
            return ConnectorError("the database file is locked", hint=hint, setting=_URL)
        case Kind.NOT_A_DATABASE:
            return ConfigError(
                f"the file cannot be read as a database: {words}", hint="check the url", setting=_URL
            )
        case Kind.OTHER:
            return NotComputed(f"the database reports: {words}", setting=setting)


def _advice(words: str) -> str:
    """What to do about a connection that did not come about."""
    text = words.casefold()
    if "does not support ssl" in text or "ssl is required but" in text or "ssl connection has" in text:
        return "the server offers no encryption: leave what asks for it out of the url (sslmode, ssl…), or have it set up there"
    if "ssl negotiation" in text or "packet" in text or "protocol" in text:
        return "something else seems to listen there: check the host, the port and the kind of database in the url"
    if "option" in text or "parameter" in text or "sslmode" in text:
        return "check what stands behind the question mark of the url"
    return "check the host, the port and the parameters in the url, and whether it is this kind of database that listens there"


def _words(error: BaseException) -> str:
    """What the driver says; PyMySQL puts a number before it."""
    numbered = len(error.args) == 2 and isinstance(error.args[0], int)
    return re.sub(
        r"^[A-Z][A-Za-z ]* Error: ", "", str(error.args[1] if numbered else error)
    )  # DuckDB's kinds


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no reason"


def _length(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g} {unit}{'s' * (seconds != size)}"
    return f"{seconds:g} second{'s' * (seconds != 1)}"
