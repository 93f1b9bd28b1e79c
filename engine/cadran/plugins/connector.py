"""The contract of a connector: what a plugin author implements, and all that one imports.

A connector turns one ``sources:`` entry into tables of rows. It says what tables there are (``discover``) and
streams one of them (``read``): pages of Arrow data, records that it set aside, and an ``End`` that says how many
rows were meant to come. A stream without its ``End`` has failed, however much arrived.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, get_args

from cadran.plugins.secret import marked, masked

API = "1"

_Deletes = Literal["reported", "unseen", "never"]


class ArrowStream(Protocol):
    """Anything that speaks the Arrow PyCapsule interface (pyarrow, DuckDB, polars, nanoarrow …)."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is a DuckDB type name, or empty where it is known only after reading."""

    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``problem`` is why the columns cannot be told: an error only for whoever uses the table.

    What follows is for a :class:`~cadran.plugins.synced.SyncedConnector`, whose rows are kept between runs. ``key`` names the columns
    that tell a row from all others; they are never NULL. Without one, each read replaces the table. ``cursor`` is the column that grows
    whenever a row changes: with it only changes are read, else everything. ``lookback`` is how far behind what was last seen reading
    begins again, for a source whose changes show late. ``deletes`` says how rows that are gone show: ``reported`` by
    :class:`~cadran.plugins.synced.Deletes`, ``unseen`` in a read of the whole table, or ``never``. ``key_said`` is the setting that names
    the key, where a team does and not the source: it is doubted where many rows that differ have the same.
    """

    name: str
    columns: tuple[Column, ...] = ()
    problem: ConnectorError | None = None
    key: tuple[str, ...] = ()
    cursor: str = ""
    lookback: dt.timedelta = dt.timedelta(0)
    deletes: _Deletes = "unseen"
    key_said: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError: a word that nobody knows would be taken for another."""
        if self.deletes not in get_args(_Deletes):
            known = ", ".join(f"'{word}'" for word in get_args(_Deletes))
            raise ValueError(f"deletes of the table '{self.name}' is {self.deletes!r}: it is one of {known}")
        key: object = self.key
        if isinstance(key, str):
            raise ValueError(f"key of the table '{self.name}' is the text {key!r}: write ({key!r},)")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, in the table's column order. Decimals are decimals, never floats.

    ``part`` names the :class:`Part` that all of them belong to, where the table has several and this is known. ``resume`` is for a
    :class:`~cadran.plugins.synced.SyncedConnector`: what reading goes on with right behind this page, in values that JSON knows.
    It holds no secret, as it is written to disk.
    """

    data: ArrowStream
    part: str = ""
    resume: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class InPlace:
    """The rows are these Parquet files just as they are: the engine scans them where they lie, and loads nothing.

    All have the same columns and types. A stream that holds this holds no page; its :class:`End` counts their rows.
    """

    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a table that changes only as a whole, such as one of its files.

    ``content`` is the same exactly as long as the rows are the same, read with the same settings by the same version of
    the plugin; two parts of one table never share it unless their rows are equal. ``name`` tells the part from the others of its table and
    stays when its rows change. ``mark`` is whatever lets the connector know the part again cheaply: at the next look
    it is handed back under the part's name. None of the three holds a secret: they are written to disk.
    ``file`` is set where :meth:`Connector.read` gives the part as that Parquet file, :class:`InPlace`.
    """

    name: str
    content: str
    mark: str = ""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a table stands in the source's own SQL: a path of names (``("public", "orders")``), or a SELECT.

    The SELECT ends with its last word, so that it can be put into parentheses.
    """

    path: tuple[str, ...] = ()
    select: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record set aside (``on_bad_row: quarantine``): where it stands and why."""

    place: str  # e.g. "orders.csv:17"
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    """The stream is whole; ``rows`` is how many were sent in all pages of it.

    ``state`` is for a :class:`~cadran.plugins.synced.SyncedConnector` that keeps a place of its own (a delta link, a bookmark), in values
    that JSON knows and without a secret: the next read is handed it in :attr:`~cadran.plugins.synced.Window.state`.
    """

    rows: int
    state: Mapping[str, Any] | None = None


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _quiet(text: str) -> None:
    """Says nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What the engine hands to a connector.

    ``base`` is the folder that relative paths start from, ``allowed`` the folders that files may lie in.
    ``config`` is the source's entry without ``connector``, already checked against ``config_schema``; ``zone`` is the
    IANA name of the calendar's time zone, in which a connector that asks a server has it read and give local times.
    ``memory`` (``4 GB``, ``50%``) and ``threads`` are what a connector may use that computes in this process, such as with a DuckDB
    of its own; empty where the project does not say.

    A connector asks the ``clock`` for the time (UTC), and ``cancelled`` whether anybody still waits for it; it says what it does with
    ``log``, which masks secrets. ``hide`` is told of secrets that are no settings, such as a token that a server gave; ``secrets`` are
    these and the settings that the schema marks, and :meth:`masked` takes them out of a text. ``shared`` holds
    what sources of one run share, by whatever key: the bucket of an account's requests.
    """

    source: str
    config: Mapping[str, Any] = field(repr=False)
    base: Path
    allowed: tuple[Path, ...] = ()
    zone: str = "UTC"
    memory: str = ""
    threads: int | None = None
    clock: Callable[[], dt.datetime] = field(default=_utc, repr=False)
    log: Callable[[str], None] = field(default=_quiet, repr=False)
    cancelled: Callable[[], bool] = field(default=_never, repr=False)
    hide: Callable[[str], None] = field(default=_quiet, repr=False)
    shared: dict[Any, Any] = field(default_factory=dict, repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        told, secrets = self.hide, self.secrets

        def hide(secret: str) -> None:
            secrets.add(secret)
            told(secret)

        object.__setattr__(self, "hide", hide)

    def masked(self, text: str) -> str:
        """A text with three stars for each secret in it."""
        return masked(text, tuple(self.secrets))

    def shown(self, path: Path) -> str:
        """What messages call a file: relative to the project where it lies in it."""
        inside = path.is_relative_to(self.base) and path != self.base
        return path.relative_to(self.base).as_posix() if inside else str(path)

    def check_inside(self, path: Path, setting: Sequence[str | int]) -> None:
        """Raises :class:`ConfigError` where a path leaves the project and the folders that are allowed by name."""
        real = path.resolve()
        if not any(real.is_relative_to(folder.resolve()) for folder in (self.base, *self.allowed)):
            hint = f"add '{real if path.is_dir() else real.parent}' to 'allow_paths:', or pass it with --allow-path"
            raise ConfigError(f"{self.shown(path)} lies outside the project", hint=hint, setting=setting)


class ConnectorError(Exception):
    """Base of all errors that a connector raises on purpose.

    ``setting`` names the key of the source's config that is at fault (a path of keys), so that the message can
    point into ``kpis.yaml``; ``hint`` is the way out. ``problems`` may carry several findings at once, each a
    line of its own.
    """

    def __init__(
        self, message: str, *, hint: str = "", setting: Sequence[str | int] = (), more: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.setting, self.more = message, hint, tuple(setting), tuple(more)


class ConfigError(ConnectorError):
    """The settings cannot work: a path that does not exist, options that contradict each other."""


class DataError(ConnectorError):
    """The data is not what was declared: a malformed record, a value that is not of its column's type."""


class AuthError(ConnectorError):
    """The credentials are not accepted, or do not suffice: trying again changes nothing."""


class RateLimited(ConnectorError):
    """Too many requests; ``retry_at`` is when the next may come, where the server says so."""

    def __init__(self, message: str, *, retry_at: dt.datetime | None = None, hint: str = "", setting: Sequence[str | int] = ()) -> None:  # fmt: skip
        super().__init__(message, hint=hint, setting=setting)
        self.retry_at = retry_at


class QuotaExhausted(ConnectorError):
    """What the account may ask in a day is used up, ``until`` when. Reading stops; what has come is kept, and reading goes on there."""

    def __init__(self, message: str, *, until: dt.datetime | None = None, hint: str = "", setting: Sequence[str | int] = ()) -> None:  # fmt: skip
        super().__init__(message, hint=hint, setting=setting)
        self.until = until


class ResumeExpired(ConnectorError):
    """The source does not know any more where reading stood (a resume token, a state), or what has come lacks rows: it has to begin anew."""


class Transient(ConnectorError):
    """The source fails now, and may not later: a server error, a lost connection, an answer that breaks off."""


class SchemaChanged(ConnectorError):
    """A table is not what it was when reading began."""


class Cancelled(ConnectorError):
    """Nobody waits for the answer any more."""


class QueryRefused(ConnectorError):
    """The server does not take a query as it is written, or fails in computing it; the connection is as good as before.

    The engine then pulls the rows and computes by itself.
    """


class Connector(ABC):
    """One source. Subclasses are cheap to make: nothing is opened before ``discover`` or ``read``.

    A connector is asked one thing at a time, but not always in the same thread: several sources work side by side, and
    where ``remote`` is set, a stream may be opened and read in another thread than the one that made the connector.
    """

    api: ClassVar[str] = API
    config_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}  # settings that hold secrets: writeOnly
    #: Whether a server is asked for tables: then ``check`` relies on the columns last seen.
    remote: bool = False

    _discovered: Mapping[str, Table] | None = None

    def __init__(self, context: Context) -> None:
        self.context = context
        context.secrets.update(marked(self.config_schema, context.config))

    def close(self) -> None:  # noqa: B027 - most connectors hold nothing
        """Gives back what was opened; called once at the end of a run, also of one that failed."""

    @abstractmethod
    def discover(self) -> Sequence[Table]:
        """All tables with their columns, read as cheaply as possible (headers, not rows).

        Raises :class:`ConfigError` where the settings cannot work.
        """

    def names(self) -> Sequence[str]:
        """The tables' names alone, for suggestions. Worth overriding where that is much cheaper than :meth:`discover`."""
        return list(self._by_name())

    def table(self, name: str) -> Table | None:
        """One table of :meth:`discover`, None where there is none of that name. Worth overriding where asking for
        one table is much cheaper than asking for all."""
        return self._by_name().get(name)

    def check(self, table: str) -> None:  # noqa: B027 - most connectors can say nothing
        """Whether the settings of one table can work, as far as that is known without asking a server.

        Called instead of :meth:`table` where a ``remote`` source is not asked. Raises :class:`ConfigError`.
        """

    def _by_name(self) -> Mapping[str, Table]:
        if self._discovered is None:
            self._discovered = {table.name: table for table in self.discover()}
        return self._discovered

    def identity(self, table: str, marks: Mapping[str, str]) -> Sequence[Part] | None:  # noqa: ARG002
        """What the rows of a table are told by without reading them: its parts, all of them, in the order of
        :meth:`read`. None where that cannot be told: then what is computed from the table is not kept between runs.

        ``marks`` holds, by the names of parts, the marks that an earlier call gave. Worth overriding where a look
        costs much less than reading. Raises :class:`ConnectorError`.
        """
        return None

    @abstractmethod
    def read(self, table: str) -> Iterator[Page | InPlace | Rejected | End]:
        """The rows of one table, ending with :class:`End`. Raises :class:`ConnectorError`."""


class QueryableConnector(Connector):
    """A source that answers SQL: a database or a warehouse. The engine writes SELECTs in its dialect.

    All queries of one connector see one consistent snapshot where the server offers it, in a transaction that
    cannot write. Columns' ``type`` are DuckDB's names of what :meth:`query` delivers, empty where only the values
    tell. ``remote`` may be False for an instance that reads a local file.
    """

    remote = True

    @property
    @abstractmethod
    def dialect(self) -> str:
        """sqlglot's name of the SQL that is spoken; empty where it knows none: then rows are pulled as they are."""

    @property
    def pushdown(self) -> str:
        """``auto``, ``off``, or ``unverified``: whether the source computes, as its settings say."""
        return str(self.context.config.get("pushdown", "auto"))

    @property
    def product(self) -> str:
        """Which server it is (``PostgreSQL``, ``MariaDB``, ``SQLite``, ``DuckDB``, ``Spark``), where that is known.

        Only for these does the engine compute at the source by itself: their answers are held to its own by tests.
        """
        return ""

    @property
    def server_zone(self) -> str:
        """Empty where the server reads and gives local times in ``context.zone``; else the zone that it does so in.

        Instants are right in both cases, but local days are not those of the calendar.
        """
        return ""

    @abstractmethod
    def relation(self, table: str) -> Relation:
        """Where a table stands in a FROM clause, its names as the database writes them (quote each).

        Raises :class:`ConfigError` where there is no such table.
        """

    @abstractmethod
    def pull(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Page | End]:
        """Some columns of a table, in this order, of the rows that meet a condition in the source's own SQL.

        The values are those of :meth:`read`, and held to their columns' types in the same way.
        """

    @abstractmethod
    def query(self, sql: str) -> Iterator[Page | End]:
        """The answer of one SELECT in pages of bounded size, decimals as decimals. Raises :class:`ConnectorError`.

        One at a time: a stream is read to its :class:`End`, or closed, before the next query is asked.
        """

    def cancel(self) -> None:
        """Ends a query that runs in another thread, as soon as may be; that one raises :class:`ConnectorError`.

        Called where another source has failed, so that the run need not wait for this one. Afterwards the connector is good for nothing but :meth:`close`.
        """


@dataclass(frozen=True, slots=True)
class ConnectorEntry:
    """What a plugin returns from ``cadran_connectors``: a name, and where the class is found once it is needed.

    ``load`` is called only for a project that uses the connector, so that listing plugins imports nothing heavy.
    """

    name: str
    load: Any = field(repr=False)  # Callable[[], type[Connector]]
    summary: str = ""
