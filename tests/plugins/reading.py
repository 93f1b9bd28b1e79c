"""Reading files through the connector as the engine does, for the tests in this folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cadran.plugins import Connector, ConnectorError, Context, End, InPlace, Page, Rejected, Table
from cadran_plugins.files.connector import FilesConnector

SETTINGS = jsonschema.Draft202012Validator(FilesConnector.config_schema)


@dataclass
class Read:
    """A whole stream. ``types`` are Arrow's names."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]
    rejected: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[Any]:
        return [row[self.columns.index(name)] for row in self.rows]


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def source(folder: Path, allowed: tuple[Path, ...] = (), **config: Any) -> Connector:
    """A connector over ``folder``, its settings checked as the engine checks them."""
    SETTINGS.validate(config)
    return FilesConnector(Context("files", config, folder, allowed))


def collect(connector: Connector, table: str) -> Read:
    pages: list[pa.Table] = []
    rejected: list[str] = []
    ends: list[int] = []
    for part in connector.read(table):
        assert not ends, "nothing comes behind the end"
        if isinstance(part, Page):
            pages.append(pa.RecordBatchReader.from_stream(part.data).read_all())
        elif isinstance(part, InPlace):
            pages += [pq.read_table(file) for file in part.files]
        elif isinstance(part, Rejected):
            rejected.append(f"{part.place}: {part.reason}")
        elif isinstance(part, End):
            ends.append(part.rows)
    whole = pa.concat_tables(pages)
    assert ends == [whole.num_rows]
    names = whole.schema.names
    rows = list(zip(*(whole.column(i).to_pylist() for i in range(len(names))), strict=True))
    return Read(names, [str(t) for t in whole.schema.types], rows, rejected)


def read(folder: Path, content: str | bytes, *, name: str = "t.csv", **config: Any) -> Read:
    """The one table of a folder with the one file ``name``."""
    write(folder, {name: content})
    return collect(source(folder, path=name, **config), name.split(".")[0])


def failure(folder: Path, content: str | bytes, *, name: str = "t.csv", **config: Any) -> list[str]:
    """Every line of the error that reading the file raises, the hint last."""
    with pytest.raises(ConnectorError) as caught:
        read(folder, content, name=name, **config)
    return lines(caught.value)


def lines(error: ConnectorError) -> list[str]:
    return [error.message, *error.more, *([error.hint] if error.hint else [])]


def described(connector: Connector) -> dict[str, Table]:
    return {table.name: table for table in connector.discover()}
