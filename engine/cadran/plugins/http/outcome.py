"""What became of one try: an error, and whether asking again may help."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from cadran.plugins.connector import (
    AuthError,
    ConfigError,
    ConnectorError,
    Context,
    DataError,
    RateLimited,
    Transient,
)
from cadran.plugins.http.answer import Answer
from cadran.plugins.http.said import said
from cadran.plugins.http.waiting import LONGEST, retry_after

_LATER = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Failure:
    """``again``: whether asking again may help; ``wait``: the seconds that the server asks for; ``undone``: whether it did nothing of
    what was asked."""

    error: ConnectorError
    again: bool = False
    wait: float | None = None
    limited: bool = False
    undone: bool = False
    status: int = 0


def of_status(answer: Answer, host: str, now: dt.datetime, setting: Sequence[str | int]) -> Failure | None:
    """What the status says; None for an answer that is good."""
    status = answer.status
    if 200 <= status < 300:
        return None
    words = said(answer.content, answer.masked)
    told = f"{host} answered {status}" + (f": {words}" if words else "")
    if status in (401, 403):
        hint = "check that the credentials are right, have not run out, and may read what is asked for"
        return Failure(AuthError(told, hint=hint, setting=setting), status=status)
    if status in _LATER or status >= 500:
        wait = retry_after(answer.headers, now)
        limited = status == 429
        error = RateLimited(told, hint="wait a while and go on") if limited else Transient(told)
        return Failure(error, True, wait, limited, undone=limited, status=status)
    return Failure(DataError(told), status=status)


def of_judgement(error: ConnectorError, answer: Answer, now: dt.datetime) -> Failure:
    """What the connector made of an answer."""
    wait = retry_after(answer.headers, now)
    limited = isinstance(error, RateLimited)
    if isinstance(error, RateLimited) and error.retry_at is not None:
        wait = max(wait or 0.0, (error.retry_at - now).total_seconds())
    again = isinstance(error, Transient | RateLimited)
    return Failure(error, again, wait, limited, undone=limited, status=answer.status)


def too_long(failure: Failure, wait: float, now: dt.datetime) -> ConnectorError | None:
    """The error that stops instead of a wait that nobody would sit through."""
    if wait <= LONGEST:
        return None
    until = now + dt.timedelta(seconds=min(wait, 10 * 86400.0))
    message = f"{failure.error.message.rstrip('.')}; it may be asked again from {until.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC on"
    return RateLimited(message, retry_at=until, hint="go on then: what has come is kept")


def of_connection(error: Exception, host: str, timeout: float) -> Failure:
    """What a connection that failed means."""
    import httpcore
    import httpx

    cause = _bottom(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "name a file with the certificates of who signed it in 'ca_file'"
        return Failure(ConfigError(f"the certificate of {host} does not hold: {cause.verify_message}", hint=hint, setting=("ca_file",)))  # fmt: skip
    undone = isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | httpcore.PoolTimeout | httpcore.ProxyError)  # fmt: skip
    if isinstance(cause, ssl.SSLError) and undone:
        return Failure(Transient(f"{host} does not agree on TLS"), True, undone=True)
    hint = "check the address, the network, and whether a proxy is needed" if undone else ""
    if isinstance(error, httpcore.ProxyError):
        reason = "the proxy does not let it through"
    elif isinstance(error, httpcore.TimeoutException):
        whole = str(error) == "the answer as a whole"
        reason = "the answer did not end in time" if whole else f"no answer within {timeout:g} s"
    elif undone:
        reason = "no connection"
    elif isinstance(error, httpx.DecodingError):
        reason = "the answer is packed in a way that cannot be unpacked"
    elif isinstance(error, httpcore.RemoteProtocolError) and "complete" in str(error):
        reason = "the answer breaks off"
    else:
        reason = "the connection was lost"
    return Failure(Transient(f"{host}: {reason}", hint=hint), True, undone=undone)


def without_secrets(error: ConnectorError, context: Context) -> ConnectorError:
    """The same error, its words masked, and without the errors that it came from: these may hold what was sent."""
    error.message, error.hint = context.masked(error.message), context.masked(error.hint)
    error.more = tuple(map(context.masked, error.more))
    error.args = (error.message,)
    error.__cause__ = error.__context__ = None
    return error


def _bottom(error: BaseException) -> BaseException:
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error
