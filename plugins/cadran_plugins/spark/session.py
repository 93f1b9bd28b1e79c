"""One session at a Spark Connect server, in the calendar's zone and with strict arithmetic; answers as Arrow batches.

Only the client of Spark Connect is used, without its DataFrames: nothing passes through pandas, although the client
imports it.
"""

from __future__ import annotations

import atexit
import functools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pyarrow as pa

from cadran.plugins import ConfigError, ConnectorError
from cadran_plugins.spark.address import Address
from cadran_plugins.spark.trouble import Kind, classify, translated

try:
    import pyspark
    from pyspark.sql.connect import proto
    from pyspark.sql.connect.client.core import RpcDeadlines, SparkConnectClient
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.plan import SQL
except ImportError as missing:
    raise ConfigError(
        f"Spark is read with pyspark and its parts for Spark Connect, which are not all installed ({missing.name or missing})",
        hint="pip install 'cadran[spark]'",
    ) from missing

_PATIENCE = 20.0  # seconds in which a connection that broke off may come back
_CONNECT = 30.0  # seconds for the first answer
_GOODBYE = 5.0
_T = TypeVar("_T")
# What decides the meaning of a query is said, whatever the server's administrator has chosen.
_CONF = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.caseSensitive": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.statisticalAggregate": "false",
    "spark.sql.legacy.timeParserPolicy": "EXCEPTION",
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    "spark.sql.connect.serverStacktrace.enabled": "false",
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
}


class _Policy(DefaultPolicy):
    """Tries again for a while once a server has answered, and never before."""

    def __init__(self) -> None:
        super().__init__(max_retries=None, max_backoff=2000)
        self.connected = False
        self.failing_since: float | None = None

    def can_retry(self, e: BaseException) -> bool:
        if not self.connected or not super().can_retry(e):
            return False
        now = time.monotonic()
        self.failing_since = self.failing_since or now
        return now - self.failing_since < _PATIENCE

    def answered(self) -> None:
        self.connected, self.failing_since = True, None


class Session:
    """Queries run one after the other; :meth:`cancel` may come from another thread."""

    def __init__(self, address: Address, zone: str, timeout: float) -> None:
        self.address, self.zone, self.timeout = address, zone, timeout
        self.version = ""
        self.cancelled = self._timed_out = self._lost = self._abandoned = False
        self._policy = _Policy()
        self._client: Any = None
        self._stream: Any = None  # what is being read

    def open(self) -> None:
        """Raises ConfigError."""
        _quiet()
        deadlines = RpcDeadlines(config=_CONNECT, analyze_plan=self.timeout, interrupt=_GOODBYE, release_session=_GOODBYE)  # fmt: skip
        with self.said():
            self._client = SparkConnectClient(self.address.url, rpc_deadlines=deadlines)
            _left_open(self, self._client)
            self._client.set_retry_policies([self._policy])
            self._set({"spark.sql.session.timeZone": self.zone})
            self.version = str(self._client._analyze("spark_version").spark_version)
        ours, theirs = pyspark.__version__.split(".")[0], self.version.split(".")[0]
        if ours != theirs:
            hint = f"connect to a cluster of version {ours}"
            message = f"the server runs Spark {self.version}, and cadran's client is of version {pyspark.__version__}"
            raise ConfigError(message, hint=hint, setting=("url",))
        with self.said():
            self._set(_CONF)

    def _set(self, pairs: dict[str, str]) -> None:
        wanted = proto.ConfigRequest.Set(pairs=[proto.KeyValue(key=k, value=v) for k, v in pairs.items()])
        self._client.config(
            proto.ConfigRequest.Operation(set=wanted)
        )  # what it warns of are words of our own
        self._policy.answered()

    # --- asking ------------------------------------------------------------------------------------------------------

    def schema(self, sql: str) -> Any:
        """The columns of a SELECT as Spark's StructType, without running it. Raises Spark's errors."""
        return self._within(lambda: self._client.schema(SQL(sql).to_proto(self._client)))

    def batches(self, sql: str) -> Generator[pa.Table]:
        """An answer as it comes: batches of at most a few megabytes. Raises Spark's errors, and ConnectorError.

        What has been given on is released at the server; it waits with more than a few messages that are not read.
        """
        left = self.timeout
        stream = self._stream = self._client.to_table_as_iterator(SQL(sql).to_proto(self._client), {})
        try:
            while True:
                self.goes_on()
                started = time.monotonic()
                part = self._within(lambda: next(stream, None), left)
                left = max(left - (time.monotonic() - started), 0.001)
                if part is None:
                    return
                if isinstance(part, pa.Table):
                    yield part
        finally:
            stream.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A small answer."""
        return [tuple(row.values()) for batch in self.batches(sql) for row in batch.to_pylist()]

    def goes_on(self) -> None:
        if self.cancelled:
            raise ConnectorError("the query was cancelled")

    def _within(self, work: Callable[[], _T], seconds: float | None = None) -> _T:
        """Spark Connect keeps no time itself."""
        timer = threading.Timer(self.timeout if seconds is None else seconds, self._late)
        timer.daemon = True
        timer.start()
        try:
            found = work()
        finally:
            timer.cancel()
            timer.join()
        self._policy.answered()
        return found

    def _late(self) -> None:
        self._timed_out = True
        self._interrupt()

    def cancel(self) -> None:
        self.cancelled = True
        self._interrupt()

    def _interrupt(self) -> None:
        client = self._client
        if client is None:
            return
        try:
            client.interrupt_all()
        except Exception:  # nobody answers: whoever waits for this server would wait for ever
            self._abandoned, self._policy.connected = True, False
            with suppress(Exception):
                client._channel.close()

    def close(self) -> None:
        """Ends the session, not the server, within seconds also where that does not answer. Raises nothing."""
        client, self._client = self._client, None
        if client is None:
            return
        _OPEN.discard(self)
        self._policy.connected = False  # no trying again from here on
        try:
            with suppress(Exception):
                if self._stream is not None:
                    self._stream.close()
            with suppress(Exception):
                if self.version and not self._lost and not self._abandoned:
                    client.release_session()
        finally:
            with suppress(Exception):
                client._channel.close()  # first, as what still waits for an answer would be waited for
                client.close()

    # --- errors ------------------------------------------------------------------------------------------------------

    @contextmanager
    def said(self, setting: tuple[str, ...] = ()) -> Iterator[None]:
        """Spark's errors in cadran's words."""
        try:
            yield
        except (ConnectorError, GeneratorExit):
            raise
        except Exception as error:
            if not _sparks(error) and not self._abandoned:
                raise  # a mistake of the program, not of the server
            kind = Kind.CANCELLED if self._abandoned else classify(error, connected=bool(self.version))
            if kind is Kind.CANCELLED and not self.cancelled and self._timed_out:
                kind = Kind.TIMEOUT
            self._lost = self._lost or kind is Kind.LOST
            raise translated(error, kind, self.address, self.timeout, setting) from None


def _sparks(error: BaseException) -> bool:
    import grpc
    from pyspark.errors import PySparkException

    return isinstance(error, (PySparkException, grpc.RpcError))


def _quiet() -> None:
    """Spark's client writes every error of a query to the terminal, with a page of Java."""
    import logging

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger", "pyspark.sql.connect.logging"):
        logging.getLogger(name).disabled = True


# --- the end of the program ------------------------------------------------------------------------------------------

_OPEN: set[Session] = set()


def _left_open(session: Session, client: Any) -> None:
    """A session that nobody closes must not hold up the end of the program.

    The client would say goodbye by a question without a deadline, after Python has waited for the client's threads,
    which may wait for the server for ever. So what is open is closed before threads are waited for.
    """
    atexit.unregister(client._on_exit)
    _OPEN.add(session)
    _at_the_end()


@functools.cache
def _at_the_end() -> None:
    # Functions of atexit are called only after the threads have ended, those of threading (3.9 and later) before.
    getattr(threading, "_register_atexit", atexit.register)(_close_all)


def _close_all() -> None:
    for session in list(_OPEN):
        session.close()
