"""One request on its way, and the answer as it comes: to declared hosts only, redirects followed by hand."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from cadran.plugins.connector import ConfigError, DataError
from cadran.plugins.http.hosts import Hosts, name
from cadran.plugins.http.network import Attention, Backend

_REDIRECTS = 5
_LED = (301, 302, 303, 307, 308)
_CONNECT = 10.0
_PACKED = 4096
_IDLE = 20.0  # seconds after which a connection is not used again: servers close theirs about then


@dataclass(frozen=True, slots=True)
class Ask:
    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> str:
        return name(self.url)

    @property
    def shown(self) -> str:
        return f"{self.method} {self.host}{self.url.path}"

    def led_to(self, status: int, location: str) -> Ask:
        """What is asked after a redirect: the same, or a GET where that is what the status means."""
        url = self.url.join(location)
        if status in (307, 308) or self.method == "GET":
            return replace(self, url=url)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "content-type"}
        return Ask("GET", url, headers)


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose head has come. Whoever opened it closes it."""

    ask: Ask
    status: int
    headers: httpx.Headers
    _raw: httpcore.Response = field(repr=False)

    def pieces(self) -> Iterator[bytes]:
        """The content, unpacked."""
        if "content-encoding" not in self.headers:
            return iter(self._raw.iter_stream())
        return self._unpacked()

    def _unpacked(self) -> Iterator[bytes]:
        """What is packed more than once may unpack into a million times as much, at once."""
        codings = [word for word in self.headers["content-encoding"].split(",") if word.strip() != "identity"]
        if len(codings) > 1:
            raise httpx.DecodingError("packed more than once")
        yield from httpx.Response(self.status, headers=self.headers, stream=_Bytes(self._raw)).iter_bytes()

    def close(self) -> None:
        self._raw.close()


class _Bytes(httpx.SyncByteStream):
    def __init__(self, raw: httpcore.Response) -> None:
        self._raw = raw

    def __iter__(self) -> Iterator[bytes]:
        """In small pieces: each may unpack into a thousand times as much."""
        for piece in self._raw.iter_stream():
            for start in range(0, len(piece), _PACKED):
                yield piece[start : start + _PACKED]


class Exchange:
    """The connections of one client. ``turn`` is called before each request that goes out, also of a redirect."""

    def __init__(
        self, hosts: Hosts, attention: Attention, turn: Callable[[str], None], log: Callable[[str], None], *,
        timeout: float, ca_file: Path | None, proxy: str,
    ) -> None:  # fmt: skip
        self.hosts, self.attention, self._turn, self._log = hosts, attention, turn, log
        self._timeouts = {
            "connect": min(timeout, _CONNECT),
            "read": timeout,
            "write": timeout,
            "pool": timeout,
        }
        self._ca_file, self._proxy = ca_file, _proxy(proxy) if proxy else None
        self._pools: dict[bytes, httpcore.ConnectionPool] = {}

    def open(self, ask: Ask) -> Opened:
        """Sends it. Raises httpcore's errors, and :class:`DataError` for a redirect that must not be followed."""
        self.hosts.check(ask.url)
        for _ in range(_REDIRECTS + 1):
            opened = self._sent(ask)
            location = opened.headers.get("location", "")
            if opened.status not in _LED or not location:
                return opened
            opened.close()
            before, ask = ask, _led(ask, opened.status, location)
            self.hosts.check(ask.url, before.url)
        raise DataError(f"{ask.host} sends on from one address to the next")

    def _sent(self, ask: Ask) -> Opened:
        self._turn(ask.host)
        started = time.perf_counter()
        raw, port = ask.url.raw_host, ask.url.port
        url = httpcore.URL(scheme=ask.url.raw_scheme, host=raw, port=port, target=ask.url.raw_path)
        headers = [(b"Host", ask.url.netloc), *((k.encode("ascii"), v.encode()) for k, v in ask.headers.items())]  # fmt: skip
        if ask.content or ask.method != "GET":
            headers.append((b"Content-Length", str(len(ask.content)).encode()))
        request = httpcore.Request(ask.method, url, headers=headers, content=ask.content, extensions={"timeout": self._timeouts})  # fmt: skip
        try:
            answer = self._pool(url.scheme).handle_request(request)
        except Exception as error:
            self._log(f"{ask.shown}: {type(error).__name__} after {_ms(started)} ms")
            raise
        self._log(f"{ask.shown}: {answer.status} in {_ms(started)} ms")
        return Opened(ask, answer.status, httpx.Headers(answer.headers), answer)

    def _pool(self, scheme: bytes) -> httpcore.ConnectionPool:
        """The connections of one scheme: reading all certificates takes longer than twenty requests."""
        if scheme not in self._pools:
            trust = _trust(self._ca_file) if scheme == b"https" else None
            self._pools[scheme] = httpcore.ConnectionPool(
                ssl_context=trust, proxy=self._proxy, keepalive_expiry=_IDLE, max_keepalive_connections=10,
                network_backend=Backend(self.attention),
            )  # fmt: skip
        return self._pools[scheme]

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def _led(ask: Ask, status: int, location: str) -> Ask:
    try:
        return ask.led_to(status, location)
    except httpx.InvalidURL:
        pass
    raise DataError(f"{ask.host} sends on to something that is no web address")


def _ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        reason = error.strerror or "it holds no certificates"
    raise ConfigError(f"'ca_file' cannot be read: {reason}", setting=("ca_file",))


def _proxy(address: str) -> httpcore.Proxy:
    """Raises ConfigError, which does not quote it: it may hold a password."""
    try:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
            port = f":{parts.port}" if parts.port else ""
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return httpcore.Proxy(f"{parts.scheme}://{host}{port}", auth=auth)
    except ValueError:
        pass
    raise ConfigError("this is no address of a proxy", hint="write http://host:3128", setting=("proxy",))
