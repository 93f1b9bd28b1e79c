"""Who is asked, with which credentials, and what is said of them."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import logging
import traceback
import warnings
from collections.abc import Iterator
from urllib.parse import urlsplit

from cadran.plugins.connector import AuthError, Connector, ConnectorError
from cadran.plugins.synced import SyncedConnector
from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.checks.settings import named_secrets
from cadran.testing.contract.proxy import Kind
from cadran.testing.contract.reading import Got, reading, told
from cadran.testing.contract.rig import Rig
from cadran.testing.contract.watching import connections, declared, forms, logging_to

_SOON = 10.0


def _ask(connector: Connector) -> None:
    """The first that is asked of a source."""
    if isinstance(connector, SyncedConnector):
        connector.ping()
    else:
        connector.discover()


@check(needs=("wrong_credentials",))
def wrong_credentials_are_told_at_once(rig: Rig) -> None:
    """Credentials that are not let in are an AuthError within ten seconds, and nothing is asked a second time: no account is locked.

    One renewal of an access token is allowed, as it asks something else in between.
    """
    connector = rig.make(rig.case.wrong_credentials(rig.url))
    error = _raised(rig, connector)
    if rig.proxy is not None and not rig.proxy.asked and not isinstance(error, AuthError):
        raise NotKept(
            f"wrong credentials gave {told(error)}, and no request came to the stand-in at {urlsplit(rig.url).netloc}: does 'hosts' name it? It has "
            f"{list(getattr(connector, 'hosts', ()))}; take it from the settings, and ask the address that config(url) gives"
        ) from error
    keeps(
        isinstance(error, AuthError),
        f"wrong credentials gave {told(error)}: raise AuthError, so that nobody tries again and the message can say which setting it is",
    )
    if rig.proxy is not None:
        asked = [one.same for one in rig.proxy.asked]
        twice = next((one for one, then in itertools.pairwise(asked) if one == then), None)
        keeps(
            twice is None and len(asked) <= 4,
            f"with wrong credentials {len(asked)} requests were made: {[f'{m} {t}' for m, t, _ in asked[:5]]}; do not try again after a "
            "401 or 403",
        )
    table = rig.case.table
    later = rig.make(rig.case.wrong_credentials(rig.url))
    got = _read_blindly(later, table)
    keeps(isinstance(got, AuthError), f"reading '{table}' with wrong credentials gave {got!r}: raise AuthError there as well")  # fmt: skip


def _raised(rig: Rig, connector: Connector) -> ConnectorError:
    def attempt() -> ConnectorError:
        try:
            _ask(connector)
        except ConnectorError as error:
            return error
        except Exception as error:
            raise NotKept(f"wrong credentials raised {type(error).__name__}: {error}; raise AuthError") from error  # fmt: skip
        raise NotKept("wrong credentials were taken for good: ping() asks something that needs them, and raises AuthError")  # fmt: skip

    return rig.within(_SOON, attempt, f"wrong credentials were not told within {_SOON:.0f} seconds: do not try again after a 401 or 403")  # fmt: skip


def _read_blindly(connector: Connector, table: str) -> object:
    """What reading a table gives without having asked for anything before."""
    try:
        return list(connector.changes(table) if isinstance(connector, SyncedConnector) else connector.read(table))  # fmt: skip
    except ConnectorError as error:
        return error


@check()
def asking_changes_nothing(rig: Rig) -> None:
    """``ping`` and ``discover`` change nothing at the source, and ``ping`` says what the account is called."""
    held = rig.rows(rig.case.table)
    connector = rig.make()
    if isinstance(connector, SyncedConnector):
        name = connector.ping()
        keeps(isinstance(name, str) and name.strip(), f"ping() gave {name!r}: give what people call the account")  # fmt: skip
    connector.discover()
    keeps(
        rig.rows(rig.case.table) == held,
        f"ping() or discover() changed '{rig.case.table}' at the source: they only ask",
    )
    if rig.proxy is not None:
        wrote = [one for one in rig.proxy.asked if one.method in ("PUT", "PATCH", "DELETE")]
        keeps(not wrote, f"ping() or discover() sent {[f'{w.method} {w.target}' for w in wrote]}: they only ask")  # fmt: skip


@check("http")
def only_declared_hosts_are_asked(rig: Rig) -> None:
    """No machine is contacted that ``hosts`` does not name, whatever a redirect or the address of a next page says.

    A server that was taken over, or an answer that somebody changed on its way, must not lead credentials elsewhere.
    """
    from cadran.testing.contract.proxy import Proxy

    with connections() as made:
        rig.read(connector=rig.make()).whole()
    connector = rig.make()
    hosts = getattr(connector, "hosts", None)
    if hosts is None:
        raise NotShown("it is no SyncedConnector, and so declares no hosts")
    keeps(not isinstance(hosts, str) and all(isinstance(host, str) and host for host in hosts), f"hosts is {hosts!r}: give a list of 'host' or 'host:port'")  # fmt: skip
    own = urlsplit(rig.http.upstream).port  # the proxy's own way to the stand-in
    others = sorted(
        {f"{host}:{port}" for host, port in made if port != own and not declared(host, port, hosts)}
    )
    keeps(not others, f"{', '.join(others)} was contacted, and 'hosts' does not name it: it has {list(hosts)}")  # fmt: skip
    trap = Proxy(host="localhost")
    try:
        for kind in ("redirect", "elsewhere"):
            rig.http.faults.clear()
            rig.http.fault(kind, 1_000, location=trap.url)
            rig.within(60.0, lambda: _whatever_comes(rig), "reading went on for a minute")
            way = "a redirect" if kind == "redirect" else "the address of the next page"
            keeps(not trap.asked, f"{way} to another host was followed: {_came(rig, trap)}; ask only 'hosts', as cadran.plugins.http does")  # fmt: skip
    finally:
        trap.close()


def _came(rig: Rig, trap: object) -> str:
    asked = getattr(trap, "asked", ())
    text = json.dumps([dict(one.headers) for one in asked]) + str([one.target for one in asked])
    held = any(form in text for secret in rig.case.secrets for form in forms(secret))
    return f"{len(asked)} requests came there{', with the credentials in them' if held else ''}"


def _whatever_comes(rig: Rig) -> None:
    """Asks for all there is, in spite of errors; what has been discovered before is known."""
    connector = rig.make()
    assert isinstance(connector, SyncedConnector)
    faults, rig.http.faults = rig.http.faults, []
    table = rig.table(connector)
    rig.http.faults = faults
    with contextlib.suppress(ConnectorError):
        connector.ping()
    reading(connector, table)
    with contextlib.suppress(ConnectorError):
        connector.discover()


@check()
def no_secret_is_told(rig: Rig) -> None:
    """No secret stands in an error, a log of any library, a place to go on from, or what a connector is printed as: neither where it logs in
    nor where a page fails.

    Also where the server's error repeats the request: mask what it says, as cadran.plugins.http does; keep keys out of addresses,
    which libraries log.
    """
    named_secrets(rig)
    for where, text in _said(rig):
        for secret in rig.case.secrets:
            held = next((form for form in forms(secret) if form in text), None)
            keeps(held is None, f"a secret stands in {where}: {_around(text, held or '')}")


def _around(text: str, held: str) -> str:
    at = text.find(held)
    return f"{text[max(at - 60, 0) : at]}***{text[at + len(held) : at + len(held) + 60]}"


def _said(rig: Rig) -> Iterator[tuple[str, str]]:
    lines: list[str] = []
    out = io.StringIO()
    handler, root = logging_to(lines), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    errors: list[BaseException] = []
    got: list[Got] = []
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), warnings.catch_warnings(record=True) as warned:  # fmt: skip
            warnings.simplefilter("always")
            for fault in _troubles(rig):
                _once(rig, fault, errors, got)
            for fault in _troubles_of_pages(rig):
                for late in (False, True):
                    _page(rig, fault, errors, got, late=late)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    yield from (("a log", line) for line in lines)
    yield "what is printed", out.getvalue()
    yield from (("a warning", str(one.message)) for one in warned)
    for error in errors:
        yield "an error", "".join(traceback.format_exception(error)) + " ".join(map(_whole, _chain(error)))
    for one in got:
        yield "a place to go on from", json.dumps([one.resumes, one.end.state if one.end else None])
        yield "a record set aside", str(one.rejected)
    yield "what the connector is printed as", repr(rig.make())


def _troubles(rig: Rig) -> Iterator[tuple[str, int] | None]:
    yield None
    if rig.proxy is not None:
        yield from (("error", status) for status in (400, 401, 403, 404, 500))
        yield from ((kind, 0) for kind in ("html", "drop", "truncated"))


def _troubles_of_pages(rig: Rig) -> Iterator[tuple[Kind, int]]:
    if rig.proxy is not None:
        yield from (
            ("limited", 429),
            ("error", 400),
            ("error", 500),
            ("html", 200),
            ("odd", 200),
            ("drop", 0),
            ("truncated", 0),
        )


def _page(
    rig: Rig, fault: tuple[Kind, int], errors: list[BaseException], got: list[Got], *, late: bool
) -> None:
    """A read that fails at its first page, or behind it, in whatever way the connector fails then."""
    rig.http.faults.clear()
    kind, status = fault

    def fail(_: Got | None = None) -> None:
        if not rig.http.faults:
            rig.http.fault(kind, 1_000, status=status, echo=True)

    try:
        connector = rig.make()
        table = rig.table(connector)
        if not late:
            fail()
        read = reading(connector, table, between=fail if late else None)
        got.append(read)
        if read.error is not None:
            errors.append(read.error)
    except Exception as error:
        errors.append(error.__cause__ if isinstance(error, NotKept) and error.__cause__ else error)
    rig.http.faults.clear()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it, as far as a traceback shows them."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _once(rig: Rig, fault: tuple[str, int] | None, errors: list[BaseException], got: list[Got]) -> None:
    connector = rig.make()
    if fault is not None:
        rig.http.faults.clear()
        rig.http.fault(fault[0], 1_000, status=fault[1] or 500, echo=True)  # type: ignore[arg-type]
    try:
        _ask(connector)
        read = reading(connector, rig.table(connector))
        got.append(read)
        if read.error is not None:
            errors.append(read.error)
    except Exception as error:  # also what another check finds: here only the words matter
        errors.append(error.__cause__ if isinstance(error, NotKept) and error.__cause__ else error)


def _whole(error: BaseException) -> str:
    if isinstance(error, ConnectorError):
        return f"{error.message} {error.hint} {error.setting} {error.more} {error!r}"  # notes stand in the traceback
    return repr(error)
