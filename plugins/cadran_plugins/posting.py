"""One POST to a web address that somebody gave: over TLS, to no machine of the own network, and with every way to fail told apart.

The name is looked up once, and the address that was found is the one connected to; so a name that changes its address in between (DNS
rebinding) leads nowhere else. No message holds the address' path, for with chats that is the secret.
"""

from __future__ import annotations

import email.utils
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from cadran.plugins import Deferred, NotifierError, Unknown
from cadran_plugins.patience import Patience
from cadran_plugins.web import Target

if TYPE_CHECKING:
    import httpx

_MOST = 65_536  # bytes of an answer
_SHOWN = 200  # characters of one in a message
_REDIRECTS = 3
_LATER = (408, 425, 429)
_LONGEST_WAIT = 86_400.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def post(to: Target, body: bytes, headers: Mapping[str, str], begin: Callable[[], None]) -> str:
    """Posts JSON and gives what was answered. ``begin`` is called once a connection stands, before the request goes out.

    Raises Deferred where it surely did not arrive and may later, Unknown where the connection was lost after all had gone
    out, NotifierError where it never will.
    """
    once = _Once(begin)
    try:
        return _judged(to, *_followed(to, body, headers, once))
    finally:
        once.patience.close()


def _followed(
    to: Target, body: bytes, headers: Mapping[str, str], once: _Once
) -> tuple[int, Mapping[str, str], str]:
    """What the last address says that redirects lead to."""
    url = to.url
    for _ in range(_REDIRECTS + 1):
        status, told, answer = _asked(to, url, body, headers, once)
        if status not in (307, 308):
            return status, told, answer
        url = _led_to(to, url, told.get("location", ""))
    raise NotifierError(f"{to.host} sends from one address to the next", setting=(to.setting,))


class _Once:
    """Calls ``begin`` the first time that the request itself goes out, and knows whether all of it has."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self.begin, self.begun, self.sent, self.tunnelling = begin, False, False, False
        self.patience = Patience()

    def trace(self, event: str, about: Mapping[str, Any]) -> None:
        """What httpx tells of a request as it goes; asking a proxy for a tunnel is a request too."""
        if event == "connection.connect_tcp.complete":
            self.patience.watch(about["return_value"].get_extra_info("socket"))
        if event.endswith("send_request_headers.started"):
            self.tunnelling = about["request"].method == b"CONNECT"
            if not self.tunnelling and not self.begun:
                self.begun = True
                self.begin()
        if event.endswith("send_request_body.complete") and not self.tunnelling:
            self.sent = True


def _asked(
    to: Target, url: str, body: bytes, headers: Mapping[str, str], once: _Once
) -> tuple[int, Mapping[str, str], str]:
    """One request: its status, headers and the beginning of its body."""
    import httpx

    parts = urlsplit(url)
    sent = {"content-type": "application/json", "user-agent": "cadran", "accept": "*/*", **headers}
    addresses: list[Address | None] = list(_addresses(to, parts)) if not to.proxy else [None]
    try:
        trust = ssl.create_default_context(cafile=str(to.ca_file) if to.ca_file else None)
    except OSError as error:
        raise Deferred(
            f"'ca_file' cannot be read: {error.strerror or error}", setting=("ca_file",)
        ) from error
    with httpx.Client(verify=trust, timeout=to.timeout, trust_env=False, proxy=to.proxy or None) as client:
        for place, address in enumerate(addresses):
            once.sent = False
            request = client.build_request(
                "POST", _at(parts, address), content=body, headers={**sent, "host": _host(parts)}
            )
            request.extensions |= {"trace": once.trace, "sni_hostname": parts.hostname}
            try:
                response = client.send(request, stream=True)
                with_body = _limited(response, to.timeout)
                return response.status_code, response.headers, with_body
            except httpx.ConnectError as error:
                if place + 1 == len(addresses):
                    raise _lost(to, error, once) from None
            except (httpx.TransportError, ssl.SSLError) as error:
                raise _lost(to, error, once) from None
    raise AssertionError("there is at least one address")


def _addresses(to: Target, parts: SplitResult) -> list[Address]:
    """What the name leads to, looked up once. Raises NotifierError for a machine of the own network."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Deferred(f"there is no host {host}", setting=(to.setting,)) from None
    addresses = list(
        dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    )
    if not to.allow_private and not all(map(is_public, addresses)):
        hint = "say 'allow_private: true' if that is meant"
        raise NotifierError(f"{host} lies in the own network", hint=hint, setting=(to.setting,))
    return addresses


def is_public(address: Address) -> bool:
    """Whether it is a machine of the internet: also of an IPv4 address that is written inside an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _at(parts: SplitResult, address: Address | None) -> str:
    """The address to connect to, in the place of the name."""
    if address is None:
        return parts.geturl()
    host = f"[{address}]" if address.version == 6 else str(address)
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _limited(response: httpx.Response, seconds: float) -> str:
    """The beginning of an answer. One that goes on, or never ends, is not waited for: its status has been told."""
    import httpx

    out, deadline = b"", time.monotonic() + seconds
    try:
        for piece in response.iter_raw(4096):
            out += piece
            if len(out) >= _MOST or time.monotonic() > deadline:
                break
    except httpx.TransportError:
        pass  # as with the rest of one that is too long
    finally:
        response.close()
    return out[:_MOST].decode("utf-8", "replace")


def _led_to(to: Target, url: str, location: str) -> str:
    """Where a redirect leads: within one host, scheme and port, or it is refused."""
    led = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(led)
    if not location or (before.scheme, before.netloc) != (after.scheme, after.netloc):
        hint = "write the address that it leads to, if that is meant"
        raise NotifierError(f"{to.host} sends on to another place", hint=hint, setting=(to.setting,))
    return led


def _judged(to: Target, status: int, headers: Mapping[str, str], answer: str) -> str:
    said = _said(to, answer)
    told = f"{to.host} answered {status}" + (f": {said}" if said else "")
    if 200 <= status < 300:
        return told
    if status in _LATER or status >= 500:
        raise Deferred(told, seconds=_wait(headers))
    if 300 <= status < 400:
        raise NotifierError(f"{to.host} sends on to another place", setting=(to.setting,))
    raise NotifierError(told, setting=(to.setting,) if status in (401, 403, 404, 410) else ())


def _wait(headers: Mapping[str, str]) -> float | None:
    """What Retry-After says: seconds, or a date, which is counted from the answer's own (RFC 9110)."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
        now = headers.get("date", "")
        base = email.utils.parsedate_to_datetime(now).timestamp() if now else time.time()
    except (ValueError, TypeError):
        return None
    return min(max(until - base, 0.0), _LONGEST_WAIT)


def _lost(to: Target, error: Exception, once: _Once) -> NotifierError:
    import httpx

    hint, cause = "", _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = f"its certificate does not hold: {cause.verify_message}"
        hint = "name who signed it in 'ca_file'"
    elif isinstance(cause, ssl.SSLError):
        reason = "no TLS"
    elif isinstance(error, httpx.TimeoutException):
        reason = f"no answer within {to.timeout:g} s"
    elif isinstance(error, httpx.ConnectError):
        reason = "no connection"
    else:
        reason = "the connection was lost"
    if once.sent:
        return Unknown(f"{to.host}: {reason}, after all had gone out")
    return Deferred(f"{to.host}: {reason}", hint=hint, setting=(to.setting,))


def _cause(error: BaseException) -> BaseException:
    """What was at the bottom of it."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def _said(to: Target, answer: str) -> str:
    """What was answered, on one line, without the address."""
    text = " ".join("".join(c if c.isprintable() else " " for c in answer).split())
    path = to.parts.path
    for secret in (to.url, path) if to.secret and len(path) > 1 else ():
        text = text.replace(secret, "***")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
