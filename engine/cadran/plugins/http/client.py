"""The client that connectors ask APIs with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cadran.plugins.connector import Cancelled, ConnectorError, Context, DataError, Transient
from cadran.plugins.http import outcome
from cadran.plugins.http.answer import Answer
from cadran.plugins.http.buckets import Limit, bucket
from cadran.plugins.http.hosts import Hosts
from cadran.plugins.http.listing import Listing
from cadran.plugins.http.outcome import Failure
from cadran.plugins.http.sent import build, secrets_of
from cadran.plugins.http.stream import Pieces
from cadran.plugins.http.waiting import LONGEST, Wait, backoff, date
from cadran.starred import in_url

if TYPE_CHECKING:
    from cadran.plugins.http.exchange import Ask, Exchange, Opened

#: What an answer means in an API's own words, as the error to raise; None: as its status says.
Judge = Callable[[Answer], ConnectorError | None]
#: The seconds for which the account should ask nothing more, as an answer's headers tell; None or 0: it may go on.
Pace = Callable[[Answer], float | None]
#: What an answer has to be.
Expect = Literal["json", "any"] | Listing

_T = TypeVar("_T")
_HELD = 256 << 20  # bytes of one answer; what is larger is streamed


class Http:
    """One source's client. ``base`` is put before paths; ``headers`` go to declared hosts alone. ``account`` names whose requests are
    counted together, and is no secret. ``renew`` is asked for headers after a 401, once (an access token that has run out).

    ``timeout`` is how many seconds the server may say nothing, ``whole`` how many an answer may take. ``credential`` names the setting
    that an :class:`~cadran.plugins.AuthError` points at. ``ca_file``, ``proxy`` and ``allow_http`` are taken from the source's settings
    (:data:`~cadran.plugins.http.SETTINGS`), ``wait`` from what the context shares, where they are not given.
    """

    def __init__(
        self, context: Context, hosts: Sequence[str], *, base: str = "", headers: Mapping[str, str] | None = None,
        limits: Sequence[Limit] = (), account: str = "", judge: Judge | None = None,
        renew: Callable[[], Mapping[str, str]] | None = None, timeout: float = 30.0, tries: int = 6,
        pace: Pace | None = None, credential: Sequence[str | int] = (), whole: float | None = None,
        ca_file: str | None = None, proxy: str | None = None, allow_http: bool | None = None, wait: Wait | None = None,
    ) -> None:  # fmt: skip
        self.context, self.hosts, self.base, self.headers = context, tuple(hosts), base, dict(headers or {})
        self.limits, self.account, self.judge, self.renew = tuple(limits), account, judge, renew
        self.timeout, self.tries, self.pace, self.credential = timeout, tries, pace, tuple(credential)
        self.whole = 4 * timeout if whole is None else whole
        config = context.config
        self._ca_file = config.get("ca_file") if ca_file is None else ca_file
        self._proxy = str((config.get("proxy") if proxy is None else proxy) or "")
        self._allow_http = bool(config.get("allow_http", False) if allow_http is None else allow_http)
        self._wait: Wait = wait or context.shared.get(Wait) or Wait()
        self._bucket = bucket(context, account, limits)
        self._skew = dt.timedelta(0)
        self._renewing = False
        self._opened: Exchange | None = None
        self._hide(self.headers)
        for secret in in_url(self._proxy):
            context.hide(secret)

    @property
    def skew(self) -> dt.timedelta:
        """How far the server's clock is ahead of ours, to about a second: zero before the first answer."""
        return self._skew

    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None,
        tries: int | None = None, expect: Expect = "json",
    ) -> Answer:  # fmt: skip
        return self.request("GET", url, params=params, headers=headers, tries=tries, expect=expect)

    def post(
        self, url: str, *, json: Any = None, data: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, repeatable: bool = True, tries: int | None = None,
        expect: Expect = "json",
    ) -> Answer:  # fmt: skip
        """``repeatable``: asking twice does no harm, as for a search. Else it is asked again only where the server did nothing."""
        return self.request("POST", url, json=json, data=data, params=params, headers=headers, repeatable=repeatable, tries=tries, expect=expect)  # fmt: skip

    def request(
        self, method: str, url: str, *, json: Any = None, data: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, repeatable: bool = True, tries: int | None = None,
        expect: Expect = "json",
    ) -> Answer:  # fmt: skip
        """``expect``: an answer that should be JSON and is not (a web page with status 200) is asked for again. A :class:`Listing`: it is
        read by :meth:`Answer.listed`.

        Raises :class:`ConnectorError`: AuthError, RateLimited, QuotaExhausted, Transient once it was tried ``tries`` times, DataError for
        what will never work, Cancelled.
        """

        def once() -> Answer | Failure:
            with self._exchange().attention.in_time():
                opened = self._open(self._ask(method, url, params, headers, json, data))
                return opened if isinstance(opened, Failure) else self._judged(opened, expect)

        return self._until_good(once, tries or self.tries, repeatable)

    def stream(
        self, url: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Pieces:  # fmt: skip
        """A large answer in pieces, of which only one is held; one that breaks off raises :class:`Transient`.

        It has begun once this returns: until then it is tried again as any other.
        """

        def once() -> Pieces | Failure:
            ask = self._ask("GET", url, params, headers)
            with self._exchange().attention.in_time():
                opened = self._open(ask)
                if isinstance(opened, Failure):
                    return opened
                if opened.status != 200 or opened.headers.get("content-type", "").startswith("text/html"):
                    judged = self._judged(opened, "json")
                    return judged if isinstance(judged, Failure) else Failure(DataError(f"{ask.host} answered {judged.status}, without what was asked for"))  # fmt: skip
            return Pieces(opened, lambda error: self._lost(error, ask.host).error, self.timeout)

        return self._until_good(once, self.tries, repeatable=True)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # --- one try ---------------------------------------------------------------------------------------------------------

    def _ask(
        self, method: str, url: str, params: Mapping[str, Any] | None, headers: Mapping[str, str] | None, json: Any = None,
        data: Mapping[str, str] | None = None,
    ) -> Ask:  # fmt: skip
        self._hide({**(headers or {})}, {**(params or {}), **(data or {})})
        full = url if "://" in url else self.base + url
        return build(method, full, params, {**self.headers, **(headers or {})}, json, data)

    def _open(self, ask: Ask) -> Opened | Failure:
        try:
            return self._exchange().open(ask)
        except ConnectorError as error:
            return Failure(error)
        except Exception as error:
            return self._lost(error, ask.host)

    def _judged(self, opened: Opened, expect: Expect) -> Answer | Failure:
        """Reads an answer whole, and says whether it is good."""
        content = self._content(opened)
        if isinstance(content, Failure):
            return content
        answer = Answer(opened.status, opened.headers, content, str(opened.ask.url), self.context.masked)
        self._clocked(answer)
        if self.pace is not None and (seconds := self.pace(answer)):
            self._bucket.close_until(self._wait.now() + seconds)
        now = self.context.clock()
        if (judged := self._judgement(answer)) is not None:
            return outcome.of_judgement(judged, answer, now)
        host = opened.ask.host
        if (failure := outcome.of_status(answer, host, now, self.credential)) is not None:
            return failure
        if expect != "any" and answer.content:
            try:
                answer.json() if expect == "json" else answer.listed(expect)
            except Transient as error:
                return Failure(Transient(f"{host} answered, but {error.message}"), again=True)
            except DataError as error:
                return Failure(error)
        return answer

    def _judgement(self, answer: Answer) -> ConnectorError | None:
        renewable = answer.status == 401 and self.renew is not None
        if self.judge is None or renewable:
            return None
        try:
            return self.judge(answer)
        except Transient:  # it looked for the API's own words, and found a web page
            return None

    def _content(self, opened: Opened) -> bytes | Failure:
        pieces, size = [], 0
        try:
            for piece in opened.pieces():
                pieces.append(piece)
                if (size := size + len(piece)) > _HELD:
                    return Failure(Transient(f"{opened.ask.host}: an answer of more than {_HELD >> 20} MB"))
        except Exception as error:
            return self._lost(error, opened.ask.host)
        finally:
            opened.close()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _lost(self, error: Exception, host: str) -> Failure:
        if isinstance(error, ConnectorError):
            return Failure(error)
        if not isinstance(error, OSError) and not type(error).__module__.startswith(
            ("httpcore", "httpx", "h11")
        ):
            raise error  # a mistake in a program is no lost connection
        return outcome.of_connection(error, host, self.timeout)

    # --- try after try ------------------------------------------------------------------------------------------------------

    def _until_good(self, once: Callable[[], _T | Failure], tries: int, repeatable: bool) -> _T:
        tried, renewed = 0, self._renewing  # the request that renews is not itself renewed
        while True:
            tried += 1
            got = once()
            if not isinstance(got, Failure):
                return got
            if got.status == 401 and self.renew is not None and not renewed:
                renewed, tried = True, tried - 1
                self._renew()
                continue
            error = self._giving_up(got, tried, tries, repeatable)
            if error is not None:
                raise outcome.without_secrets(error, self.context)

    def _giving_up(self, failure: Failure, tried: int, tries: int, repeatable: bool) -> ConnectorError | None:
        """The error to raise; None once it was waited for the next try."""
        error = failure.error
        if not failure.again or not (repeatable or failure.undone):
            return error
        wait = failure.wait or backoff(tried, limited=failure.limited)
        now = self.context.clock()
        if (stopped := outcome.too_long(failure, wait, now)) is not None:
            return stopped
        if failure.limited:
            self._bucket.close_until(self._wait.now() + wait)
        if tried >= tries:
            if tried > 1:
                error.message = f"{error.message} (tried {tried} times)"
            return error
        self.context.log(self.context.masked(f"waits {wait:.1f} s: {error.message}"))
        self._wait.pause(wait, self._check)
        return None

    def _renew(self) -> None:
        assert self.renew is not None
        self._renewing = True
        try:
            headers = self.renew()
        finally:
            self._renewing = False
        self._hide(headers)
        self.headers.update(headers)

    # --- what all tries share -----------------------------------------------------------------------------------------------

    def _exchange(self) -> Exchange:
        if self._opened is None:
            from cadran.plugins.http.exchange import Exchange
            from cadran.plugins.http.network import Attention

            hosts = Hosts(self.hosts, allow_http=self._allow_http)
            ca_file = self.context.base / str(self._ca_file) if self._ca_file else None
            self._opened = Exchange(
                hosts, Attention(self.context.cancelled, self.whole), self._turn, lambda line: self.context.log(self.context.masked(line)),
                timeout=self.timeout, ca_file=ca_file, proxy=self._proxy,
            )  # fmt: skip
        return self._opened

    def _turn(self, host: str) -> None:
        """Waits until the account may ask once more."""
        self._check()
        waited = 0.0
        while wait := self._bucket.take(self._wait.now()):
            if wait > LONGEST:
                failure = Failure(
                    Transient(f"{host} is asked no more for now: the account's requests are used up")
                )
                stopped = outcome.too_long(failure, wait, self.context.clock())
                assert stopped is not None
                raise stopped
            self._wait.pause(wait, self._check)
            waited += wait
        if waited:
            self._exchange().attention.restart()
        if waited >= 1:
            self.context.log(f"waited {waited:.1f} s: {host} takes so many requests and no more")

    def _check(self) -> None:
        if self.context.cancelled():
            raise Cancelled("nobody waits for the answer any more")

    def _clocked(self, answer: Answer) -> None:
        if (told := date(answer.headers.get("date", ""))) is not None:
            self._skew = told + dt.timedelta(seconds=0.5) - self.context.clock()  # a date has no fractions

    def _hide(self, headers: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> None:
        for secret in secrets_of(headers, values or {}):
            if secret not in self.context.secrets:
                self.context.hide(secret)
