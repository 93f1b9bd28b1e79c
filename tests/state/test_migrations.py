"""Tables of every earlier version become today's, with all that is in them; and today's are exactly those of the code.

``versions/NNNN.sql`` is what SQLite held of the tables when that version was current, ``NNNN.json`` rows as they lay in
them (bytes as hexadecimal digits). Files of versions that were released stay as they are; a new version gets its own:
``--golden`` writes the .sql, the rows are written by hand.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Date, LargeBinary, MetaData, delete, insert, inspect, select

from cadran.state.store import engines, migrate, observations
from cadran.state.store.store import Store, file_of
from cadran.state.store.tables import metadata

from .conftest import Place

FOLDER = Path(__file__).parent / "versions"
Rows = dict[str, list[dict[str, Any]]]


def raw_engine(place: Place) -> Any:
    """Connections to a store whose tables nobody has brought anywhere yet."""
    if not place.url:
        path = file_of(place.folder)
        engines.lock_of(path)
        engines.make_file(path)
        return engines.sqlite_engine(path)
    return engines.postgres_engine(engines.postgres_url(place.url), place.schema)


def rows_of(version: str) -> Rows:
    found: Rows = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return found


def fill(engine: Any, rows: Rows) -> None:
    """Rows as they lay in the tables, whatever the code makes of them today."""
    seen = MetaData()
    seen.reflect(engine)
    with engines.writing(engine).begin() as connection:
        for table in seen.sorted_tables:
            given = [
                {name: given_as(table.c[name].type, value) for name, value in row.items()}
                for row in rows.get(table.name, [])
            ]
            if given:
                connection.execute(delete(table))
                connection.execute(insert(table), given)


def given_as(kind: object, value: Any) -> Any:
    if isinstance(kind, LargeBinary) and value is not None:
        return bytes.fromhex(value)
    return dt.date.fromisoformat(value) if isinstance(kind, Date) and value is not None else value


def held(store: Store) -> Rows:
    """All rows as they lie in the tables."""
    seen = MetaData()
    seen.reflect(store.engine)
    with store.read() as connection:
        return {
            table.name: [
                {k: v.hex() if isinstance(v, bytes | memoryview) else v for k, v in row.items()}
                for row in connection.execute(select(table)).mappings()
            ]
            for table in seen.sorted_tables
        }


def plain(rows: Rows, like: Rows) -> Rows:
    """The columns and tables that were there before, in an order that does not depend on the database."""
    cut = {
        name: [{k: str(row[k]) for k in like[name][0]} for row in rows[name]] for name in like if like[name]
    }
    return {name: sorted(found, key=str) for name, found in cut.items() if name != "about"}


@pytest.mark.parametrize("version", migrate.VERSIONS)
def test_a_store_of_any_version_is_brought_to_todays_with_all_that_is_in_it(
    version: str, place: Place
) -> None:
    engine = raw_engine(place)
    migrate.upgrade(engine, "here", place.schema, to=version)
    before = rows_of(version)
    fill(engine, before)
    engine.dispose()
    store = place.open()
    after = held(store)
    assert plain(after, before) == plain(before, before)
    assert after["alembic_version"] == [{"version_num": migrate.VERSIONS[-1]}]
    newest = rows_of(migrate.VERSIONS[-1])
    assert plain(after, newest) == plain(newest, newest)
    store.close()


@pytest.mark.parametrize("version", migrate.VERSIONS)
def test_a_file_that_an_earlier_cadran_made_is_brought_to_todays(version: str, tmp_path: Path) -> None:
    """From the very statements that made it then."""
    path = file_of(tmp_path)
    engines.lock_of(path)
    engines.make_file(path)
    with closing(sqlite3.connect(path)) as file:
        file.executescript((FOLDER / f"{version}.sql").read_text(encoding="utf-8"))
    engine = engines.sqlite_engine(path)
    fill(engine, rows_of(version))
    engine.dispose()
    store = Place(tmp_path).open()
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert differences(connection) == []
    assert plain(held(store), rows_of(version)) == plain(rows_of(version), rows_of(version))
    store.close()


def test_what_was_observed_before_there_was_an_until_is_found_as_it_was_known(place: Place) -> None:
    engine = raw_engine(place)
    migrate.upgrade(engine, "here", place.schema, to="0001")
    fill(engine, rows_of("0001"))
    engine.dispose()
    store = place.open()
    with store.read() as c:
        total = [o for o in observations.history(c, "revenue", period="2026-05") if not o.segment]
    store.close()
    assert [(str(o.value), o.state, o.known and o.known.day, o.until and o.until.day) for o in total] == [
        ("1200.50", "settling", 1, 3), ("1250.50", "final", 3, 9), ("1199", "final", 9, None)
    ]  # fmt: skip


# --- the newest version ----------------------------------------------------------------------------------------------


def differences(connection: Any) -> list[Any]:
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _: kind != "table" or name != "alembic_version",
    }
    found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return found


def shape(engine: Any) -> dict[str, Any]:
    """What the database says of its tables."""
    seen = inspect(engine)
    return {
        name: {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(name)],
            "key": seen.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted((u["name"], u["column_names"]) for u in seen.get_unique_constraints(name)),
            "indexes": sorted((i["name"], i["column_names"], bool(i["unique"])) for i in seen.get_indexes(name)),
            "foreign": sorted((f["name"], f["constrained_columns"], f["referred_table"]) for f in seen.get_foreign_keys(name)),
        }
        for name in seen.get_table_names()
        if name != "alembic_version"
    }  # fmt: skip


def test_migrations_make_exactly_the_tables_of_the_code(place: Place) -> None:
    store = place.open()
    with store.read() as connection:
        assert differences(connection) == []
    migrated = shape(store.engine)
    with store.write() as connection:
        for name in ("alembic_version", *(table.name for table in reversed(metadata.sorted_tables))):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        metadata.create_all(connection)
    made = shape(store.engine)
    store.close()
    for name, table in made.items():  # a column that was added stands last
        table["columns"].sort()
        migrated[name]["columns"].sort()
    assert migrated == made


def test_the_versions_follow_each_other_and_the_code_knows_all() -> None:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    found = [(s.revision, s.down_revision) for s in reversed(list(scripts.walk_revisions()))]
    assert [revision for revision, _ in found] == list(migrate.VERSIONS)
    assert [down for _, down in found] == [None, *migrate.VERSIONS[:-1]]


def test_a_version_does_not_change_with_the_code() -> None:
    """It imports nothing of cadran."""
    for path in sorted((migrate.MIGRATIONS / "versions").glob("v*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = [
            name
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
        ]
        assert not [name for name in names if name.startswith("cadran")], path.name


def test_each_version_has_its_files(tmp_path: Path, golden: bool) -> None:
    for version in migrate.VERSIONS:
        place = Place(tmp_path / version)
        place.folder.mkdir()
        engine = raw_engine(place)
        migrate.upgrade(engine, "here", to=version)
        engine.dispose()
        with closing(sqlite3.connect(file_of(place.folder))) as file:
            lines = [
                line for line in file.iterdump() if not line.startswith("INSERT") or "alembic_version" in line
            ]
        made = "\n".join(lines) + "\n"
        kept = FOLDER / f"{version}.sql"
        if golden and not kept.exists():
            kept.write_text(made, encoding="utf-8")
        assert kept.read_text(encoding="utf-8") == made, (
            f"version {version} has changed: make a new one instead"
        )
        assert rows_of(version).keys() >= {"run", "observation", "delivery"}
