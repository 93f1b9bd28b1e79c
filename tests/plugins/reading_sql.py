"""Reading databases through the connector as the engine does, for the tests in this folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from cadran.plugins import ConnectorError, Context, End, Page
from cadran_plugins.sql.connector import SqlConnector

from .reading import Read

SETTINGS = jsonschema.Draft202012Validator(SqlConnector.config_schema)


@contextmanager
def opened(
    url: str, base: Path = Path("/nowhere"), *, zone: str = "UTC", **config: Any
) -> Iterator[SqlConnector]:
    """A connector, its settings checked as the engine checks them, closed at the end."""
    config = {"url": url, **config}
    SETTINGS.validate(config)
    connector = SqlConnector(Context("wh", config, base, (), zone))
    try:
        yield connector
    finally:
        connector.close()


def collect(stream: Iterator[Page | End]) -> Read:
    """A whole stream: at least one page, all of the same types, and its end."""
    pages: list[pa.Table] = []
    ends: list[int] = []
    for part in stream:
        assert not ends, "nothing comes behind the end"
        if isinstance(part, Page):
            pages.append(pa.RecordBatchReader.from_stream(part.data).read_all())
        else:
            ends.append(part.rows)
    assert len({page.schema for page in pages}) == 1
    whole = pa.concat_tables(pages)
    assert ends == [whole.num_rows]
    rows = [tuple(row) for row in zip(*(c.to_pylist() for c in whole.columns), strict=True)]
    return Read(whole.schema.names, [str(t) for t in whole.schema.types], rows)


def read(url: str, table: str, base: Path = Path("/nowhere"), **config: Any) -> Read:
    with opened(url, base, **config) as connector:
        return collect(connector.read(table))


def asked(url: str, query: str, base: Path = Path("/nowhere"), **config: Any) -> Read:
    with opened(url, base, **config) as connector:
        return collect(connector.query(query))


def failure(url: str, table: str, base: Path = Path("/nowhere"), **config: Any) -> ConnectorError:
    """What reading a table raises."""
    with pytest.raises(ConnectorError) as caught:
        read(url, table, base, **config)
    return caught.value


def sqlite(folder: Path, script: str, name: str = "shop.sqlite") -> str:
    """The URL of a new file."""
    with closing(sqlite3.connect(folder / name)) as database:
        database.executescript(script)
    return f"sqlite:///{name}"
