"""A project over files, moved into a database: its tables copied with their types, its ``sources:`` pointing there."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp

from cadran.compute.loading.embedded import Session
from cadran.compute.loading.sources import Sources
from cadran.compute.placing.places import Places, Pushed, SourceFailed
from cadran.project import Project
from servers import Server
from spark_server import SparkServer

_SOURCES = re.compile(r"^sources:.*?(?=^\S)", re.MULTILINE | re.DOTALL)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


@dataclass(frozen=True)
class Copied:
    """One table: its columns with their DuckDB types, and its rows."""

    source: str
    name: str
    types: dict[str, str]
    rows: Sequence[tuple[Any, ...]]
    arrow: Any


class Target(Protocol):
    """A database that tables are copied into; each source of the project is a place of its own in it."""

    connector: str

    def put(self, table: Copied) -> None: ...

    def settings(self, source: str) -> str:
        """What ``kpis.yaml`` says of the source."""


def tables(project: Project) -> Iterator[Copied]:
    """Every table of a project, as the embedded engine sees it."""
    declaration, problems = project.declaration()
    assert declaration is not None, problems
    session = Session(str(declaration.calendar.zone))
    sources = Sources(declaration, project.plugins)
    with closing(session), closing(sources):
        for dataset in declaration.datasets.values():
            sources.columns(dataset)
        sources.check_rates()
        _, remotes = sources.load(session, declaration.datasets, lambda _: None)
        places = Places(session, remotes)
        found = session._run(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('main', 'temp')"
        )
        for source, name in found:
            places.pull_whole(source, name)
            quoted = f'"{source}"."{name}"'
            rows = session._run(f"SELECT * FROM {quoted}")
            arrow = session._connection.sql(f"SELECT * FROM {quoted}").to_arrow_table()
            yield Copied(source, name, session.columns(source, name), rows, arrow)


def moved(
    project: Project,
    target: Target,
    folder: Path,
    *,
    pushdown: str = "auto",
    beside: Mapping[str, str] | None = None,
) -> Path:
    """The file of the same project over the database. The folder is the target's, too.

    ``beside`` are the settings of sources that are not moved.
    """
    beside = beside or {}
    sources = []
    for table in tables(project):
        if table.source not in beside:
            target.put(table)
            sources.append(table.source)
    lines = [
        f"  {s}: {{connector: {target.connector}, pushdown: {pushdown}, {target.settings(s)}}}"
        for s in dict.fromkeys(sources)
    ]
    lines += [f"  {name}: {{{settings}}}" for name, settings in beside.items()]
    text = project.file.read_text(encoding="utf-8")
    text = _SOURCES.sub(lambda _: "sources:\n" + "\n".join(lines) + "\n\n", text)
    for included in _included(project):
        (folder / included).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.file.parent / included, folder / included)
    file = folder / f"kpis-{pushdown}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _included(project: Project) -> list[str]:
    declaration, problems = project.declaration()
    assert declaration is not None, problems
    return [document.shown_as for document in declaration.documents[1:]]


@dataclass(frozen=True)
class Seen:
    """What databases did not compute: figures would not show it, since it is computed here."""

    refused: list[str]  # a line for each statement that a server did not take
    here: set[str]  # why statements were not sent


@contextmanager
def refusals() -> Iterator[list[str]]:
    """What databases refuse inside."""
    with watched() as seen:
        yield seen.refused


@contextmanager
def watched() -> Iterator[Seen]:
    seen = Seen([], set())
    noted, written = Places._refused, Places.pushed

    def refused(places: Places, name: str, failed: SourceFailed) -> None:
        noted(places, name, failed)
        sql = places.statements.get(name, "")
        seen.refused.append(f"{failed.source} refused {name or 'a question'}: {failed.error.message}\n{sql}")

    def pushed(places: Places, select: exp.Expr, name: str = "") -> Pushed | None:
        found = written(places, select, name)
        if found is None and name in places.reasons:
            seen.here.add(places.reasons[name])
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Places, "_refused", refused)
        patch.setattr(Places, "pushed", pushed)
        yield seen


# --- targets ---------------------------------------------------------------------------------------------------------


class Postgres:
    """A schema for each source."""

    connector = "sql"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.schemas: list[str] = []

    def _schema(self, source: str) -> str:
        schema = f"{self.server.name}_{source}"
        if schema not in self.schemas:
            self.server.run(f'CREATE SCHEMA "{schema}"')
            self.schemas.append(schema)
        return schema

    def put(self, table: Copied) -> None:
        name = f'"{self._schema(table.source)}"."{table.name}"'
        columns = ", ".join(f"{_q(c)} {self._type(t)}" for c, t in table.types.items())
        self.server.run(f"CREATE TABLE {name} ({columns})")
        with closing(self.server.engine.raw_connection()) as raw:
            driver = raw.driver_connection
            with driver.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in table.rows:
                    copy.write_row(row)
            driver.commit()

    @staticmethod
    def _type(kind: str) -> str:
        others = {"VARCHAR": "text", '"NULL"': "text", "DOUBLE": "double precision", "TINYINT": "smallint", "TIMESTAMP WITH TIME ZONE": "timestamptz"}  # fmt: skip
        return others.get(kind, kind.replace("DECIMAL", "numeric"))

    def settings(self, source: str) -> str:
        return f"url: '{self.server.url}', schema: {self._schema(source)}"

    def drop(self) -> None:
        self.server.run(*(f'DROP SCHEMA "{schema}" CASCADE' for schema in self.schemas))


class MariaDB:
    """One database, a name before each table. Its collation does not tell capitals apart."""

    connector = "sql"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.databases: list[str] = []

    def _database(self, source: str) -> str:
        name = f"{self.server.name}_{source}"
        if name not in self.databases:
            self.server.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
            self.databases.append(name)
        return name

    def put(self, table: Copied) -> None:
        name = f"`{self._database(table.source)}`.`{table.name}`"
        columns = ", ".join(f"{_q(c, chr(96))} {self._type(t)} NULL" for c, t in table.types.items())
        self.server.run("SET SESSION time_zone = '+00:00'", f"CREATE TABLE {name} ({columns})")
        with closing(self.server.engine.raw_connection()) as raw, raw.cursor() as cursor:
            cursor.execute("SET SESSION time_zone = '+00:00'")
            marks = ", ".join(["%s"] * len(table.types))
            rows = [[_utc(value) for value in row] for row in table.rows]
            for start in range(0, len(rows), 5000):
                cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", rows[start : start + 5000])
            raw.commit()

    @staticmethod
    def _type(kind: str) -> str:
        others = {"VARCHAR": "varchar(400)", '"NULL"': "varchar(10)", "TIMESTAMP": "datetime(6)", "TIMESTAMP WITH TIME ZONE": "timestamp(6)"}  # fmt: skip
        return others.get(kind, kind)

    def settings(self, source: str) -> str:
        return f"url: '{self.server.url.replace(self.server.name, self._database(source))}'"

    def drop(self) -> None:
        self.server.run(*(f"DROP DATABASE `{name}`" for name in self.databases))


class Sqlite:
    """A file for each source; decimals are floats there, and instants local times."""

    connector = "sql"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, table: Copied) -> None:
        with closing(sqlite3.connect(self.folder / f"{table.source}.sqlite")) as database:
            columns = ", ".join(f"{_q(c)} {self._type(t)}" for c, t in table.types.items())
            database.execute(f'CREATE TABLE "{table.name}" ({columns})')
            marks = ", ".join("?" * len(table.types))
            rows = [[_plain(value) for value in row] for row in table.rows]
            database.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)
            database.commit()

    @staticmethod
    def _type(kind: str) -> str:
        others = {
            "VARCHAR": "TEXT COLLATE NOCASE",
            '"NULL"': "TEXT",
            "TIMESTAMP": "DATETIME",
            "TIMESTAMP WITH TIME ZONE": "DATETIME",
        }
        return "INTEGER" if kind in _WHOLE else others.get(kind, kind)

    def settings(self, source: str) -> str:
        return f"url: 'sqlite:///{source}.sqlite'"


class Duckdb:
    """A file for each source."""

    connector = "sql"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, table: Copied) -> None:
        with closing(duckdb.connect(str(self.folder / f"{table.source}.duckdb"))) as database:
            columns = ", ".join(f'{_q(c)} {t.replace(chr(34) + "NULL" + chr(34), "VARCHAR")}' for c, t in table.types.items())  # fmt: skip
            database.execute(f'CREATE TABLE "{table.name}" ({columns})')
            database.register("copied", table.arrow)
            database.execute(f'INSERT INTO "{table.name}" SELECT * FROM copied')

    def settings(self, source: str) -> str:
        return f"url: 'duckdb:///{source}.duckdb'"


class Spark:
    """A schema for each source; the tables are Parquet files in the test's folder."""

    connector = "spark"

    def __init__(self, server: SparkServer, name: str, folder: Path) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.schemas: list[str] = []
        self.unnamed: dict[
            str, dict[str, Path]
        ] = {}  # source → tables whose names Spark's own catalog refuses

    def _schema(self, source: str) -> str:
        schema = f"{self.name}_{source}"
        if schema not in self.schemas:
            self.server.run(f"CREATE SCHEMA `{schema}`")
            self.schemas.append(schema)
        return schema

    def put(self, table: Copied) -> None:
        schema = self._schema(table.source)
        place = self.folder / schema / str(len(list(self.folder.rglob("*.parquet"))))
        place.mkdir(parents=True)
        rows = table.arrow
        for i, column in enumerate(rows.schema):
            if pa.types.is_null(column.type):
                rows = rows.set_column(i, column.name, rows.column(i).cast(pa.string()))
        pq.write_table(rows, place / "rows.parquet")
        if re.fullmatch(r"\w+", table.name, re.ASCII):
            self.server.run(f"CREATE TABLE `{schema}`.`{table.name}` USING parquet LOCATION '{place}'")
        else:
            self.unnamed.setdefault(table.source, {})[table.name] = place

    def settings(self, source: str) -> str:
        files = [f"'{n}': {{path: '{place}'}}" for n, place in self.unnamed.get(source, {}).items()]
        tables = f", tables: {{{', '.join(files)}}}" if files else ""
        return f"url: '{self.server.url}', schema: {self._schema(source)}{tables}"

    def drop(self) -> None:
        self.server.run(*(f"DROP SCHEMA `{schema}` CASCADE" for schema in self.schemas))


def _utc(value: object) -> object:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date) else value


def _q(name: str, sign: str = '"') -> str:
    return sign + name.replace(sign, 2 * sign) + sign
