"""The engine's own DuckDB: tables are loaded, then the outside is shut off and the configuration locked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
from sqlglot import exp

from cadran.compute.hints import in_plain_words
from cadran.compute.loading.scanned import Read, Tally
from cadran.compute.results import Measured, Scanned
from cadran.formula.functions import NONE, Functions
from cadran.plugins.connector import Column, DataError, End, InPlace, Page, Rejected

_ANSWER = "answer_from_elsewhere"  # to a question whose rows are only looked at
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*")
_INTERNAL = re.compile(r"\s*\n\s*(LINE \d+:|Candidate|Possible|Did you mean).*", re.DOTALL)


class QueryError(Exception):
    """DuckDB refused a statement; ``message`` in its words, without its excerpt of the SQL."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class OutOfRoom(QueryError):
    """Memory does not suffice (``limit`` is how much there is), or ``disk`` for what had to be spilled."""

    def __init__(self, message: str, limit: str, *, disk: bool) -> None:
        super().__init__(message)
        self.limit, self.disk = limit, disk


class Session:
    """One run's database, in memory. Not shared between threads. With ``record`` it keeps what it ran, for ``explain``.

    With ``counting`` (and with ``record``) it counts what statements read. ``settings`` are DuckDB's, by name, ``functions``
    those of the project's plugins, which statements may call.
    """

    def __init__(
        self, zone: str, *, record: bool = False, counting: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}), functions: Functions = NONE,
    ) -> None:  # fmt: skip
        self.functions = functions
        self._connection = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        for name, value in settings.items():
            self._connection.execute(f"SET {name} = {exp.Literal.string(value).sql('duckdb')}")
        self._connection.execute(f"SET TimeZone = '{zone}'")
        self._connection.execute("SET python_enable_replacements = false")
        self._schemas: set[str] = set()
        self._in_place: dict[
            tuple[str, str], dict[Path, object]
        ] = {}  # table → its files, as they were when read
        self._empty: dict[tuple[str, str], list[str]] = {}
        self._columns: dict[tuple[str, str], dict[str, str]] = {}
        self._pending: dict[tuple[str, str], Callable[[], None]] = {}
        self._begins: dict[tuple[str, str], dict[str, int]] = {}  # table → part → number of its first row
        self.statements: dict[str, str] = {}
        self.measured: dict[str, Measured] = {}
        self.recording = record
        self._tally = Tally(self._connection, self._source_of, counting=counting or record)
        self._keywords: frozenset[str] = frozenset()
        if record:
            words = self._connection.execute(
                "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
            )
            self._keywords = frozenset(str(row[0]) for row in words.fetchall())

    def close(self) -> None:
        self._connection.close()

    def lock(self, folder: Path | None = None) -> None:
        """No file but those scanned in place and those in ``folder``, no network, no setting can be reached from here on."""
        files = [file for files in self._in_place.values() for file in files]
        self._connection.execute(f"SET allowed_paths = {_paths(files)}")
        if folder is not None:
            inside = exp.array(exp.Literal.string(f"{folder.as_posix()}/")).sql("duckdb")
            self._connection.execute(f"SET allowed_directories = {inside}")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    # --- loading --------------------------------------------------------------------------------------------------------

    def load(
        self,
        source: str,
        table: str,
        stream: Iterable[Page | InPlace | Rejected | End],
        columns: Sequence[Column],
        empty: Sequence[str] | None = None,
    ) -> list[Rejected]:
        """Creates ``source.table`` from a connector's stream. A stream without its End has failed.

        ``empty`` names the text columns without any value, where that is known.
        """
        name = self._named(source, table)
        rejected: list[Rejected] = []
        rows, size, created, ended = 0, 0, False, None
        for item in stream:
            if isinstance(item, Rejected):
                rejected.append(item)
            elif isinstance(item, End):
                ended = item
            elif isinstance(item, InPlace):
                rows += self._view(source, table, item.files)
                created = True
            else:
                self._begins.setdefault((source, table), {}).setdefault(item.part, rows)
                size += int(getattr(item.data, "nbytes", 0))
                rows += self._append(name, item, created)
                created = True
        if ended is None or ended.rows != rows:
            raise _broken_off(table, ended, rows)
        if (source, table) not in self._in_place:
            self._tally.came(source, rows, size)
        if not created:
            self._create(name, {c.name: c.type or "VARCHAR" for c in columns})
        if empty is None:
            self._find_empty(source, table)
        else:
            self._empty[source, table] = list(empty)
        return rejected

    def declare(
        self,
        source: str,
        table: str,
        columns: Mapping[str, str],
        empty: Sequence[str],
        files: Sequence[Path],
        fetch: Callable[[], None],
    ) -> None:
        """``source.table`` as it is known to be. Rows that do not lie in ``files`` are loaded by ``fetch`` once a statement asks for them."""
        name = self._named(source, table)
        self._empty[source, table] = list(empty)
        if files:
            self._view(source, table, files, count=False)
            return
        self._create(name, columns)

        def replaced() -> None:
            self._run(f"DROP TABLE {name}")
            fetch()
            if self.columns(source, table) != dict(columns):
                raise DataError(f"table '{table}' was changed while it was read", hint="run again")

        self._pending[source, table] = replaced

    def _named(self, source: str, table: str) -> str:
        if source not in self._schemas:
            self._connection.execute(f"CREATE SCHEMA {exp.to_identifier(source, quoted=True).sql('duckdb')}")
            self._schemas.add(source)
            self._tally.know(source)
        self._columns.pop((source, table), None)  # it is about to be made
        return _name(source, table)

    def _create(self, name: str, columns: Mapping[str, str]) -> None:
        listed = ", ".join(
            f"{exp.to_identifier(c, quoted=True).sql('duckdb')} {kind}" for c, kind in columns.items()
        )
        self._connection.execute(f"CREATE TABLE {name} ({listed})")

    def _append(self, name: str, page: Page, created: bool) -> int:
        self._connection.register("incoming_page", page.data)
        verb = f"INSERT INTO {name} BY NAME" if created else f"CREATE TABLE {name} AS"
        with self._roomy():
            done = self._connection.execute(f"{verb} SELECT * FROM incoming_page").fetchall()
        self._connection.unregister("incoming_page")
        return int(done[0][0])

    def _view(self, source: str, table: str, files: Sequence[Path], *, count: bool = True) -> int:
        """A table that is Parquet files where they lie; only these stay within reach once the outside is shut off."""
        self._in_place[source, table] = {file: _state(file) for file in files}
        name, scan = self._named(source, table), exp.Select(expressions=[exp.Star()])
        scan = scan.from_(parquet(files), copy=False)
        try:
            self._run(f"CREATE VIEW {name} AS {scan.sql('duckdb')}")
            return int(self._run(f"SELECT count(*) FROM {name}")[0][0]) if count else 0
        except QueryError as error:
            raise DataError(error.message, hint="see whether something else writes to these files") from None

    def _source_of(self, files: str) -> str | None:
        """The source whose files a scan reads, by a text that begins with the first of them."""
        return next((s for (s, _), known in self._in_place.items() if any(files.startswith(str(f)) for f in known)), None)  # fmt: skip

    @property
    def scanned(self) -> list[Scanned]:
        """What was read and fetched so far, by source."""
        return self._tally.totals

    def files(self, source: str, table: str) -> tuple[Path, ...]:
        """The files of a table that is scanned where they lie."""
        return tuple(self._in_place.get((source, table), ()))

    def begins(self, source: str, table: str) -> Mapping[str, int]:
        """The number of the first row of each part of a table, as far as its connector told parts."""
        self.fetch(exp.table_(table, db=source, quoted=True))
        return self._begins.get((source, table), {})

    def changed(self) -> list[tuple[str, str, Path]]:
        """Source, table and file of whatever is scanned in place and is not what it was when the run began."""
        return [
            (source, table, file)
            for (source, table), files in self._in_place.items()
            for file, state in files.items()
            if _state(file) != state
        ]

    def columns(self, source: str, table: str) -> dict[str, str]:
        """Column → DuckDB type of a loaded table."""
        key = (source, table)
        if key not in self._columns:
            name = exp.table_(table, db=source, quoted=True).sql("duckdb")
            found = {str(row[0]): str(row[1]) for row in self._run(f"DESCRIBE {name}")}
            if source == "temp":  # there, a table may be made anew under its name
                return found
            self._columns[key] = found
        return dict(self._columns[key])

    def empty_columns(self, source: str, table: str) -> list[str]:
        """The text columns of a loaded table that hold no value at all."""
        return self._empty.get((source, table), [])

    def _find_empty(self, source: str, table: str) -> None:
        """Looks for one value in each column, which costs nothing where there is one."""
        names = [name for name, kind in self.columns(source, table).items() if kind == "VARCHAR"]
        if not names:
            return
        found = self.rows(exp.Select(expressions=[_any_value(source, table, name) for name in names]))[0]
        empty = [name for name, value in zip(names, found, strict=True) if value is None]
        if empty:
            self._empty[source, table] = empty

    # --- tables of elsewhere ------------------------------------------------------------------------------------------------

    def shadow(self, source: str, table: str, columns: Sequence[Column]) -> None:
        """An empty table with the columns of one that lies elsewhere, so that statements over it have types here."""
        self._create(self._named(source, table), {c.name: c.type or "VARCHAR" for c in columns})

    def refill(
        self, source: str, table: str, columns: Sequence[str], stream: Iterable[Page | End],
        spent: Callable[[], float] | None = None,
    ) -> int:  # fmt: skip
        """Puts rows into a shadow, in place of what it held. Gives their number.

        ``spent`` tells how long the source took, where that is not how long this takes.
        """
        name = _name(source, table)
        listed = ", ".join(exp.to_identifier(c, quoted=True).sql("duckdb") for c in columns)
        self._connection.execute(f"DELETE FROM {name}")
        with self._measuring(f"{source}.{table}", source, spent) as taken:
            taken += self._take(f"{name} ({listed})", table, stream)
        return taken[0]

    def receive(
        self, table: str, types: Mapping[str, str], stream: Iterable[Page | End], place: str = "",
        spent: Callable[[], float] | None = None,
    ) -> None:  # fmt: skip
        """A temporary table that holds an answer from elsewhere, in the columns and types that are expected."""
        name = exp.to_identifier(table, quoted=True).sql("duckdb")
        listed = ", ".join(f"{exp.to_identifier(c, quoted=True).sql('duckdb')} {t}" for c, t in types.items())
        self._connection.execute(f"CREATE TEMP TABLE {name} ({listed})")
        try:
            with self._measuring(table, place, spent) as taken:
                taken += self._take(name, table, stream)
        except BaseException:
            self._connection.execute(f"DROP TABLE {name}")
            raise

    def answer(self, types: Sequence[str], stream: Iterable[Page | End], place: str) -> list[tuple[Any, ...]]:
        """The rows of an answer from elsewhere, as this database would have given them."""
        self.receive(_ANSWER, {f"c{i}": kind for i, kind in enumerate(types)}, stream, place)
        try:
            return self._run(f"SELECT * FROM {_ANSWER}")
        finally:
            self._connection.execute(f"DROP TABLE {_ANSWER}")

    @contextmanager
    def _measuring(self, name: str, place: str, spent: Callable[[], float] | None) -> Iterator[list[int]]:
        """Inside, rows and bytes are put into the list."""
        taken: list[int] = []
        started = time.perf_counter()
        yield taken
        self._tally.came(place, *taken)
        self.measure(name, place, spent() if spent else time.perf_counter() - started, *taken)

    def _take(self, into: str, what: str, stream: Iterable[Page | End]) -> tuple[int, int]:
        """Puts a stream's rows into a table. Gives how many, and their bytes as far as the pages tell."""
        rows, size, ended = 0, 0, None
        for item in stream:
            if isinstance(item, End):
                ended = item
            else:
                size += int(getattr(item.data, "nbytes", 0))
                self._connection.register("incoming_page", item.data)
                try:
                    done = self._run(f"INSERT INTO {into} SELECT * FROM incoming_page")
                finally:
                    self._connection.unregister("incoming_page")
                rows += int(done[0][0])
        if ended is None or ended.rows != rows:
            raise _broken_off(what, ended, rows)
        return rows, size

    def described(self, select: exp.Expr) -> list[tuple[str, str]]:
        """Name and type of a SELECT's columns, without running it."""
        return [(str(row[0]), str(row[1])) for row in self._run(f"DESCRIBE {self._sql(select)}")]

    # --- asking ---------------------------------------------------------------------------------------------------------

    def rows(self, select: exp.Expr, name: str = "") -> list[tuple[Any, ...]]:
        self.fetch(select)
        sql = self._text(select, name)
        with self._tally.watching(sql):
            return self._run(sql)

    def write(self, select: exp.Expr, file: Path) -> None:
        """The answer of ``select`` as a Parquet file within the folder that :meth:`lock` left open."""
        path = exp.Literal.string(str(file)).sql("duckdb")
        self._run(f"COPY ({self._sql(select)}) TO {path} (FORMAT parquet, COMPRESSION zstd)")

    def fetch(self, select: exp.Expr) -> None:
        """Loads the tables of a statement that are only declared so far."""
        if not self._pending:
            return
        for table in select.find_all(exp.Table):
            fetch = self._pending.pop((table.db, table.name), None)
            if fetch is not None:
                fetch()

    def create(self, table: str, select: exp.Expr) -> None:
        """A temporary table holding the answer of ``select``."""
        self.fetch(select)
        started, sql = time.perf_counter(), self._text(select, table)
        with self._tally.watching(sql) as read:
            done = self._run(
                f"CREATE TEMP TABLE {exp.to_identifier(table, quoted=True).sql('duckdb')} AS\n{sql}"
            )
        self.measure(table, "", time.perf_counter() - started, int(done[0][0]), read=read)

    def measure(
        self, name: str, place: str, seconds: float, rows: int, size: int = 0, *, read: Read | None = None
    ) -> None:
        """Keeps, for ``explain``, what a statement took."""
        read = read or Read()
        if self.recording and name != _ANSWER:
            self.measured[name] = Measured(name, place, seconds, rows, size, read.rows, read.bytes)

    def fill(
        self,
        table: str,
        columns: Mapping[str, str],
        rows: Sequence[Sequence[object]],
        shown: Container[str] | None = None,
    ) -> None:
        """A small temporary table of the engine's own making; ``explain`` shows it (or its ``shown`` columns) as a table."""
        name = exp.to_identifier(table, quoted=True).sql("duckdb")
        kinds = [(exp.to_identifier(c, quoted=True).sql("duckdb"), kind) for c, kind in columns.items()]
        if rows:  # as parameters, which costs a fifth of planning the values one by one
            listed = ", ".join(
                f"unnest(CAST(${i} AS {kind}[])) AS {c}" for i, (c, kind) in enumerate(kinds, 1)
            )
            values = [list(of_column) for of_column in zip(*rows, strict=True)]
            self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {listed}", values)
        else:
            listed = ", ".join(f"{c} {kind}" for c, kind in kinds)
            self._run(f"CREATE OR REPLACE TEMP TABLE {name} ({listed})")
        if self.recording:
            wanted = [i for i, name in enumerate(columns) if shown is None or name in shown]
            self.statements[table] = _as_comment(
                [list(columns)[i] for i in wanted], [[row[i] for i in wanted] for row in rows]
            )

    def drop(self, tables: Iterable[str]) -> None:
        """Forgets temporary tables, those that there are."""
        for table in tables:
            self._run(f"DROP TABLE IF EXISTS temp.{exp.to_identifier(table, quoted=True).sql('duckdb')}")
            self.statements.pop(table, None)

    def types(self, select: exp.Expr) -> dict[str, str]:
        """Column → type of a SELECT, without running it."""
        return {str(row[0]): str(row[1]) for row in self._run(f"DESCRIBE {self._sql(select)}")}

    def clear(self, *, loaded: bool = True) -> None:
        """Forgets what was computed, and what was ``loaded`` as well: room for another computation."""
        listed = self._run("SELECT table_name, schema_name, temporary FROM duckdb_tables()")
        names = [_name("temp" if own else schema, table) for table, schema, own in listed if own or loaded]
        if names:
            self._run("; ".join(f"DROP TABLE {name}" for name in names))
        if loaded:
            self._empty.clear()
            self._columns.clear()
            self._begins.clear()

    def note(self, name: str, text: str) -> None:
        """Keeps, for ``explain``, what was done elsewhere."""
        if self.recording:
            self.statements[name] = text

    def remark(self, name: str, text: str) -> None:
        """Puts a line before a statement that is kept for ``explain``."""
        if self.recording and name in self.statements:
            self.statements[name] = f"{text}\n{self.statements[name]}"

    def _text(self, select: exp.Expr, name: str) -> str:
        if name and self.recording:
            self.statements[name] = self._readable(select)
        return self._sql(select)

    def _sql(self, select: exp.Expr) -> str:
        return self.functions.as_duckdb(select).sql("duckdb")

    def _readable(self, select: exp.Expr) -> str:
        """The same statement for a reader: laid out, and without the quotes that no name needs."""
        select = self.functions.as_duckdb(select).copy()
        for name in select.find_all(exp.Identifier):
            if _SIMPLE.fullmatch(name.this) and name.this not in self._keywords:
                name.set("quoted", False)
        return select.sql("duckdb", pretty=True, max_text_width=100)

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._roomy():
                return self._connection.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise QueryError(_plain(str(error))) from error

    @contextmanager
    def _roomy(self) -> Iterator[None]:
        """Tells when memory or disk run out."""
        try:
            yield
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            said = str(error)
            disk = "max_temp_directory_size" in said or "No space left" in said
            if not disk and isinstance(error, duckdb.IOException):
                raise
            [(limit,)] = self._connection.execute("SELECT current_setting('memory_limit')").fetchall()
            raise OutOfRoom(_plain(said.partition("\n")[0]), str(limit), disk=disk) from error


def parquet(files: Sequence[Path]) -> exp.Expr:
    """Parquet files as a table, without the columns that DuckDB would make of a folder's name such as year=2026."""
    paths = exp.array(*(exp.Literal.string(str(file)) for file in files))
    plain = exp.EQ(this=exp.column("hive_partitioning"), expression=exp.false())
    return exp.Table(this=exp.Anonymous(this="read_parquet", expressions=[paths, plain]))


def _paths(files: Iterable[Path]) -> str:
    return exp.array(*(exp.Literal.string(str(file)) for file in files)).sql("duckdb")


def _state(file: Path) -> object:
    """What changes whenever a file is written, replaced or removed."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _any_value(source: str, table: str, name: str) -> exp.Expr:
    value = exp.column(name, quoted=True)
    known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
    one = exp.Select(expressions=[value]).from_(exp.table_(table, db=source, quoted=True), copy=False)
    return exp.Subquery(this=one.where(known, copy=False).limit(1, copy=False))


def _name(source: str, table: str) -> str:
    return exp.table_(table, db=source, quoted=True).sql("duckdb")


def _broken_off(table: str, ended: End | None, rows: int) -> DataError:
    expected = "an end" if ended is None else f"{ended.rows} rows"
    hint = "run again; if it stays so, tell the connector's author"
    return DataError(f"table '{table}' broke off: {expected} expected, {rows} rows came", hint=hint)


def _as_comment(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned under their names, each line a SQL comment."""
    cells = [
        list(names),
        *([("" if v is None else str(v)).removesuffix(" 00:00:00") for v in row] for row in rows),
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    return "\n".join(
        ("--   " + "  ".join(v.ljust(w) for v, w in zip(row, widths, strict=True))).rstrip() for row in cells
    )


def _plain(message: str) -> str:
    """DuckDB's message without its kind, its excerpt of the SQL, and its advice about SQL."""
    message = _INTERNAL.sub("", message).strip()
    return in_plain_words(re.sub(r"^[A-Z][A-Za-z -]* Error: ", "", message))
