"""Reading a synced source as ``cadran sync`` does, without what it does with the rows."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest

from cadran.plugins import (
    WHOLE,
    ConnectorError,
    Context,
    Deletes,
    End,
    Page,
    Rejected,
    SyncedConnector,
    Window,
)
from cadran.plugins.http import Wait


@dataclass
class Got:
    """``places``: what reading goes on with behind each page."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    places: list[Mapping[str, Any]] = field(default_factory=list)
    end: End | None = None

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def source(
    made: type[SyncedConnector], config: Mapping[str, Any], base: Path | None = None, **context: Any
) -> SyncedConnector:
    """A connector whose settings are checked as the engine checks them."""
    jsonschema.Draft202012Validator(made.config_schema).validate(config)
    return made(Context("erp", config, base or Path(), **{"shared": {Wait: NoWait()}, **context}))


class NoWait(Wait):
    """Time passes at once."""

    def __init__(self) -> None:
        self.waited = 0.0

    def now(self) -> float:
        return time.monotonic() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds


def collect(
    connector: SyncedConnector,
    table: str,
    window: Window = WHOLE,
    resume: Mapping[str, Any] | None = None,
    stop: Callable[[Got], bool] = lambda _: False,
) -> Got:
    """A whole stream, or as much of it as comes before ``stop``. The connector gives back what it opened."""
    with closing(connector):
        return _collected(connector, table, window, resume, stop)


def _collected(
    connector: SyncedConnector,
    table: str,
    window: Window,
    resume: Mapping[str, Any] | None,
    stop: Callable[[Got], bool],
) -> Got:
    got = Got()
    for item in connector.changes(table, window, resume):
        assert got.end is None, "nothing comes behind the end"
        if isinstance(item, Page | Deletes):
            data = item.data if isinstance(item, Page) else item.keys
            rows = pa.RecordBatchReader.from_stream(data).read_all().to_pylist()
            (got.rows if isinstance(item, Page) else got.deleted).extend(rows)
            if item.resume is not None:
                got.places.append(item.resume)
        elif isinstance(item, Rejected):
            got.rejected.append(item)
        else:
            got.end = item
        if stop(got):
            return got
    assert got.end is not None, "a stream ends with its End"
    return got


def fails(connector: SyncedConnector, table: str, *args: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        collect(connector, table, *args)
    return caught.value


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
