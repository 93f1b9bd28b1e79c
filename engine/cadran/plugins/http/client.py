"""The client that connectors ask APIs with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.plugins.connector import AuthError, ConnectorError, Context, DataError, Transient
from cadran.plugins.http.answer import Answer


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds, of one account."""

    requests: int
    seconds: float


#: What an answer means in an API's own words, as the error to raise; None: as its status says.
Judge = Callable[[Answer], ConnectorError | None]


class Http:
    """One source's client. ``base`` is put before paths; ``headers`` go to declared hosts alone. ``account`` names whose requests are
    counted together, and is no secret. ``renew`` is asked for headers after a 401, once (an access token that has run out).
    """

    def __init__(
        self, context: Context, hosts: Sequence[str], *, base: str = "", headers: Mapping[str, str] | None = None,
        limits: Sequence[Limit] = (), account: str = "", judge: Judge | None = None,
        renew: Callable[[], Mapping[str, str]] | None = None, timeout: float = 30.0, tries: int = 6,
    ) -> None:  # fmt: skip
        self.context, self.hosts, self.base, self.headers = context, tuple(hosts), base, dict(headers or {})
        self.limits, self.account, self.judge, self.renew = tuple(limits), account, judge, renew
        self.timeout, self.tries = timeout, tries
        self._client: Any = None

    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, tries: int | None = None
    ) -> Answer:  # fmt: skip
        return self.request("GET", url, params=params, headers=headers, tries=tries)

    def post(
        self, url: str, *, json: Any = None, data: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, repeatable: bool = True, tries: int | None = None,
    ) -> Answer:  # fmt: skip
        """``repeatable``: asking twice does no harm, as for a search."""
        return self.request("POST", url, json=json, data=data, params=params, headers=headers, repeatable=repeatable, tries=tries)  # fmt: skip

    def request(
        self, method: str, url: str, *, json: Any = None, data: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, repeatable: bool = True, tries: int | None = None,
    ) -> Answer:  # fmt: skip
        """Raises :class:`ConnectorError`: AuthError, RateLimited, QuotaExhausted, Transient once it was tried ``tries`` times, DataError for
        what will never work."""
        import httpx

        if self._client is None:
            self._client = httpx.Client(timeout=self.timeout, trust_env=False)
        del repeatable, tries
        full = url if "://" in url else self.base + url
        got = self._client.request(method, full, json=json, data=data, params=params, headers={**self.headers, **(headers or {})})  # fmt: skip
        answer = Answer(got.status_code, got.headers, got.content, str(got.url))
        if self.judge is not None and (error := self.judge(answer)) is not None:
            raise error
        if answer.status in (401, 403):
            raise AuthError(f"the server answered {answer.status}")
        if answer.status >= 500 or answer.status == 429:
            raise Transient(f"the server answered {answer.status}")
        if answer.status >= 300:
            raise DataError(f"the server answered {answer.status}")
        return answer

    def stream(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[bytes]:  # fmt: skip
        """A large answer in pieces; one that breaks off raises :class:`Transient`."""
        yield self.get(url, params=params, headers=headers).content

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
