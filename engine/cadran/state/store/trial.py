"""A copy of the store that a trial may write to: what becomes of it changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, insert, select

from cadran.state.store import engines, migrate
from cadran.state.store.store import Store, file_of, open_store
from cadran.state.store.tables import about, metadata
from cadran.state.store.trouble import PATIENCE, StoreError, told, trouble

_ROWS = 10_000


@contextmanager
def copied(folder: Path, url: str = "", schema: str = "") -> Iterator[Store]:
    """The store of the project in ``folder`` as it is now, in an SQLite file that is gone afterwards; the store itself is only
    read. Raises StoreError."""
    with TemporaryDirectory(prefix="cadran-trial-") as made:
        copy = Path(made)
        if not url and file_of(folder).exists():
            _file(file_of(folder), file_of(copy))
        with closing(open_store(copy)) as store:
            if url:
                _tables(url, schema, store)
            yield store


def _file(path: Path, copy: Path) -> None:
    copy.parent.mkdir()
    try:
        with (
            closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
            ) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise trouble(str(path), error) from error


def _tables(url: str, schema: str, copy: Store) -> None:
    engines.check_schema(schema)
    engine = engines.postgres_engine(engines.postgres_url(url), schema)
    try:
        with told(f"PostgreSQL, schema {schema},"):
            _rows(engine, f"PostgreSQL, schema {schema},", copy)
    finally:
        engine.dispose()


def _rows(engine: Engine, place: str, copy: Store) -> None:
    with engines.reading(engine).begin() as source, copy.write() as target:
        version = migrate.version(source, place)
        if not version:
            return  # nothing has been done yet
        if version != migrate.VERSIONS[-1]:
            raise StoreError(
                f"{place} has tables of an earlier cadran", "call 'cadran run --due' once without --now"
            )
        for table in metadata.sorted_tables:
            if table is about:
                continue  # which is of the copy itself
            for rows in source.execute(select(table)).partitions(_ROWS):
                target.execute(insert(table), [row._asdict() for row in rows])
