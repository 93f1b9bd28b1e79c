"""Stores that cannot be opened or used: the message says which one, the hint what to do, and no password is in either."""

from __future__ import annotations

import errno
import importlib.util
import os
import sqlite3
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from cadran.state.store import engines, migrate
from cadran.state.store.store import Store, StoreError, file_of, open_store
from cadran.state.store.tables import about, metadata
from cadran.state.store.trouble import trouble

from .conftest import Place

SECRET = "s3cr3t"


def refused(folder: Path, url: str = "", schema: str = "") -> StoreError:
    with pytest.raises(StoreError) as raised:
        open_store(folder, url, schema)
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in shown
    return raised.value


# --- an SQLite file --------------------------------------------------------------------------------------------------


def _corrupt(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 500)


def _torn(path: Path) -> None:
    open_store(path.parent.parent).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996  # the page that lists the tables
    path.write_bytes(content)


def _a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def _no_folder(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")


FILES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "corrupt": (_corrupt, "is damaged", "put a backup in its place"),
    "torn": (_torn, "is damaged", "no longer knows what it sent"),
    "a folder": (_a_folder, "cannot be opened", "let this user write the file"),
    "a file for a folder": (_no_folder, "cannot be written", "let this user write the project's folder"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_used(case: str, tmp_path: Path) -> None:
    make, message, hint = FILES[case]
    make(file_of(tmp_path))
    error = refused(tmp_path)
    assert str(tmp_path / ".cadran") in error.message
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_project_in_which_no_file_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As the system says it; whoever runs the tests may be allowed everything."""

    def refuse(path: object, *_: object) -> int:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(engines.os, "open", refuse)
    error = refused(tmp_path)
    assert error.message == f"{file_of(tmp_path)} cannot be written: {os.strerror(number)}"
    assert "let this user write the project's folder" in error.hint


def test_a_file_that_became_read_only(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreError) as raised, store.write() as c:
        c.exec_driver_sql("PRAGMA query_only = ON")
        c.execute(insert(about).values(name="a", value=""))
    store.close()
    assert raised.value.message == f"{file_of(tmp_path)} cannot be written"
    assert "set state.url to a PostgreSQL database" in raised.value.hint


@pytest.mark.parametrize("again", [False, True])
def test_a_file_that_was_taken_away_is_not_written_to(tmp_path: Path, again: bool) -> None:
    """The name is gone, or another file's, while the process still holds the old one."""
    store = open_store(tmp_path)
    for path in file_of(tmp_path).parent.iterdir():
        path.rename(tmp_path / path.name)
    if again:
        open_store(tmp_path).close()
    with pytest.raises(StoreError, match="was taken away or replaced while it was in use"), store.write():
        pytest.fail("it must not come to writing")
    store.close()


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.1)
    store = open_store(tmp_path)
    with closing(sqlite3.connect(file_of(tmp_path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as raised, store.write():
            pass
    store.close()
    assert "is busy: another process has been writing to it" in raised.value.message
    assert "on a network share SQLite's locks do not work" in raised.value.hint


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreError, match="the disk is full"), store.write() as c:
        pages = c.exec_driver_sql("PRAGMA page_count").scalar()
        c.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        c.execute(insert(about).values(name="a", value="x" * 100_000))
    with store.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM about").scalar() == 1
    store.close()


def test_an_empty_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch to a write-ahead log is the first that meets it."""
    monkeypatch.setattr(engines, "PATIENCE", 0.1)
    path = file_of(tmp_path)
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="is busy"):
            engines.make_file(path)
        assert "is busy" in refused(tmp_path).message


# --- versions --------------------------------------------------------------------------------------------------------


def _is_of(store: Store, version: str, cadran: str) -> None:
    with store.write() as c:
        c.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
        c.execute(update(about).where(about.c.name == "cadran").values(value=cadran))


def test_a_store_of_a_newer_cadran_is_refused_and_left_as_it_is(place: Place) -> None:
    store = place.open()
    _is_of(store, "0999", "9.1.0")
    error = refused(place.folder, place.url, place.schema)
    assert error.message == (
        f"{store.place} was written by a newer cadran: its tables are of version 0999, and this one knows {migrate.VERSIONS[-1]}"
    )
    assert error.hint == "install cadran 9.1.0 or newer (pip install -U cadran); nothing was changed"
    with store.read() as c:
        assert c.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0999"
    store.close()


def test_a_process_that_goes_on_while_a_newer_cadran_changes_the_tables_writes_no_more(place: Place) -> None:
    """A scheduler that was not started again after an upgrade."""
    store, newer = place.open(), place.open()
    _is_of(newer, "0999", "9.1.0")
    with pytest.raises(StoreError, match="was written by a newer cadran") as raised, store.write():
        pytest.fail("it must not come to writing")
    assert "install cadran 9.1.0 or newer" in raised.value.hint
    newer.close()
    store.close()


def test_tables_of_something_else_are_not_touched(postgres: Any, tmp_path: Path) -> None:
    postgres.run("CREATE TABLE run (speed int)")
    error = refused(tmp_path, postgres.url, postgres.name)
    assert "already holds tables of something else: run" in error.message
    assert "state.schema" in error.hint
    assert postgres.rows("SELECT count(*) FROM run") == [(0,)]


# --- what a URL can have wrong ---------------------------------------------------------------------------------------

URLS = {
    "another database": (f"mysql://u:{SECRET}@db/kpis", "s", "names a database that keeps no state: 'mysql'", "postgresql://"),
    "SQLite by URL": ("sqlite:///state.db", "s", "names an SQLite file", ".cadran/state.db"),
    "no URL": (f"db.example.com password={SECRET}", "s", "cannot be understood", "%40"),
    "a port in words": (f"postgresql://u:{SECRET}@db:port/kpis", "s", "cannot be understood", "postgresql://"),
    "no database": (f"postgresql://u:{SECRET}@db", "s", "names no database", "postgresql://"),
    "no schema": (f"postgresql://u:{SECRET}@db/kpis", "", "no state.schema", "schema: cadran_sales"),
    "a schema of PostgreSQL's": (f"postgresql://u:{SECRET}@db/kpis", "pg_mine", "'pg_mine' cannot be a schema", "cadran_sales"),
    "nobody answers": (f"postgresql://u:{SECRET}@127.0.0.1:1/kpis", "s", "cannot be reached", "the host and the port in state.url"),
    "a short name": (f"postgres://u:{SECRET}@127.0.0.1:1/kpis", "s", "cannot be reached", "the server runs"),
    "an unknown parameter": (f"postgresql://u:{SECRET}@127.0.0.1:1/kpis?sslmod=require", "s", "sslmod", "question mark"),
}  # fmt: skip


@pytest.mark.parametrize("case", URLS)
def test_a_url_that_leads_nowhere(case: str, tmp_path: Path) -> None:
    url, schema, message, hint = URLS[case]
    error = refused(tmp_path, url, schema)
    assert message in error.message
    assert hint in error.hint


def test_a_driver_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engines, "find_spec", lambda name: None if name == "psycopg" else importlib.util.find_spec(name)
    )
    error = refused(tmp_path, f"postgresql://u:{SECRET}@db/kpis", "s")
    assert error.hint == "pip install 'cadran[postgres]'"


# --- a server --------------------------------------------------------------------------------------------------------


def test_a_user_that_may_not(postgres: Any, tmp_path: Path) -> None:
    """No schema of its own, and none that it may make."""
    user = f"{postgres.name}_user"
    postgres.run(f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'")
    try:
        url = postgres.url.replace("postgres@", f"{user}:{SECRET}@", 1)
        for schema in (f"{postgres.name}_new", postgres.name):
            error = refused(tmp_path, url, schema)
            assert "may not be used: " in error.message, schema
            assert "state.url" in error.hint
        postgres.run(f"GRANT USAGE, CREATE ON SCHEMA {postgres.name} TO {user}")
        open_store(tmp_path, url, postgres.name).close()
    finally:
        postgres.run(f"DROP OWNED BY {user}", f"DROP ROLE {user}")


def test_a_database_that_is_not_there(postgres: Any, tmp_path: Path) -> None:
    url = postgres.url.rpartition("/")[0] + "/there_is_none"
    error = refused(tmp_path, url, "s")
    assert "is not there" in error.message
    assert error.hint == "create the database, or name another one in state.url"


def test_a_schema_that_is_dropped_under_a_running_process(postgres: Any, tmp_path: Path) -> None:
    store = open_store(tmp_path, postgres.url, postgres.name)
    for table in reversed(metadata.sorted_tables):
        postgres.run(f"DROP TABLE {postgres.name}.{table.name}")
    postgres.run(f"DROP TABLE {postgres.name}.alembic_version")
    with pytest.raises(StoreError, match="has lost its tables"), store.write():
        pytest.fail("it must not come to writing")
    store.close()


def test_a_server_that_goes_away_in_the_middle(postgres: Any, tmp_path: Path) -> None:
    store = open_store(tmp_path, postgres.url, postgres.name)
    with (
        pytest.raises(
            StoreError, match="went away in the middle: this step is done as a whole or not at all"
        ),
        store.write() as c,
    ):
        c.execute(insert(about).values(name="half", value=""))
        pid = c.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        postgres.run(f"SELECT pg_terminate_backend({pid})")
        c.execute(insert(about).values(name="rest", value=""))
    with store.write() as c:  # the next one has a connection again
        c.execute(insert(about).values(name="next", value=""))
        assert set(c.exec_driver_sql("SELECT name FROM about").scalars()) == {"cadran", "next"}
    store.close()


def test_a_writer_that_another_one_keeps_waiting(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.2)
    first, second = place.open(), place.open()
    with first.write(), pytest.raises(StoreError, match="is busy"), second.write():
        pass
    first.close()
    second.close()


def test_no_content_of_rows_is_in_an_error(store: Store) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError) as raised, store.write() as c:
        c.execute(insert(about).values(name="cadran", value=SECRET))
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(store)


def test_a_url_shows_in_no_representation(postgres: Any, tmp_path: Path) -> None:
    url = postgres.url.replace("postgres@", f"postgres:{SECRET}@", 1)
    store = open_store(tmp_path, url, postgres.name)
    assert SECRET not in repr(store) + repr(store.engine) + store.place
    store.close()


def test_everything_that_is_not_known_still_has_a_place_and_a_way_out() -> None:
    error = trouble("here", Exception("something new\nmore"))
    assert (error.message, error.hint) == (
        "here: something new", "see that the database is whole and reachable, then try again"
    )  # fmt: skip
