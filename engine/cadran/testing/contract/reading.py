"""Reading a table to the end, as the engine does, and writing down all that came."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Connector, ConnectorError, End, InPlace, Page, Rejected, Table
from cadran.plugins.synced import WHOLE, Deletes, SyncedConnector, Window
from cadran.testing.contract.check import NotKept, keeps

if TYPE_CHECKING:
    import pyarrow as pa

MOST_PAGES = 5_000  # of one read: what gives more than the stand-in can hold will never end


@dataclass
class Got:
    """What one read gave. ``error`` is what ended it instead of an ``End``."""

    table: Table
    pages: list[pa.Table] = field(default_factory=list)
    gone: list[tuple[Any, ...]] = field(default_factory=list)
    resumes: list[Mapping[str, Any] | None] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    end: End | None = None
    error: ConnectorError | None = None
    last: type[Page] | type[Deletes] | None = None  # what came last of both
    stopped: bool = False  # by the one who reads
    _rows: list[dict[str, Any]] | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        if self._rows is None or self.end is None:
            self._rows = [row for page in self.pages for row in page.to_pylist()]
        return self._rows

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        return [key_of(row, self.table) for row in self.rows]

    @property
    def by_key(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The rows as they stand in the end: of those that came twice the last."""
        return dict(zip(self.keys, self.rows, strict=True))

    def whole(self) -> Got:
        """Itself, once it is known that the read was one."""
        if self.error is not None:
            raise NotKept(
                f"reading '{self.table.name}' failed though nothing was wrong: {told(self.error)}"
            ) from self.error
        keeps(
            self.end,
            f"the stream of '{self.table.name}' stopped without an End: give End(rows) once, when all has come",
        )
        return self


def told(error: ConnectorError) -> str:
    return f"{type(error).__name__}: {error.message}"


def key_of(row: Mapping[str, Any], table: Table) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in table.key) if table.key else tuple(map(repr, row.values()))


def stream_of(connector: Connector, table: str, window: Window, resume: Mapping[str, Any] | None) -> Iterable[Any]:  # fmt: skip
    if isinstance(connector, SyncedConnector):
        return connector.changes(table, window, resume)
    return connector.read(table)


def reading(
    connector: Connector, table: Table, window: Window = WHOLE, resume: Mapping[str, Any] | None = None,
    *, between: Callable[[Got], bool | None] | None = None,
) -> Got:  # fmt: skip
    """Reads to the end. ``between`` is called after each page; reading stops where it says True."""
    got = Got(table)
    stream = stream_of(connector, table.name, window, resume)
    try:
        for item in stream:
            keeps(got.end is None, f"'{table.name}' gave something behind its End: End is the last thing")
            _take(got, item)
            if isinstance(item, Page | Deletes) and between is not None and between(got):
                got.stopped = True
                break
            keeps(len(got.pages) <= MOST_PAGES, f"reading '{table.name}' goes on and on: the same page comes again and again")  # fmt: skip
    except ConnectorError as error:
        got.error = error
    except (NotKept, KeyboardInterrupt):
        raise
    except Exception as error:
        raise NotKept(
            f"reading '{table.name}' raised {type(error).__name__}: {error}; raise a ConnectorError that says in plain words what is "
            "wrong, with a hint what to do"
        ) from error
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    if got.end is not None:
        rows = sum(page.num_rows for page in got.pages)
        keeps(got.end.rows == rows, f"'{table.name}' gave {rows} rows, and its End says {got.end.rows}: count what was sent")  # fmt: skip
    return got


def noting(rows: Callable[..., Iterable[Any]], reads: list[list[Rejected]]) -> Callable[..., Iterator[Any]]:
    """A connector's ``changes`` or ``read``, by which each read leaves a list of what it set aside."""

    def noted(*arguments: Any, **more: Any) -> Iterator[Any]:
        aside: list[Rejected] = []
        reads.append(aside)
        stream = rows(*arguments, **more)
        try:
            for item in stream:
                if isinstance(item, Rejected):
                    aside.append(item)
                yield item
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    return noted


def aside_told(reads: Sequence[Sequence[Rejected]]) -> str:
    """How many rows the read that set most aside did, and why the first of them; empty where none did."""
    most = max(reads, key=len, default=())
    if not most:
        return ""
    first = "; ".join(f"{one.place}: {one.reason}" for one in most[:3])
    return f"{len(most)} {'row was' if len(most) == 1 else 'rows were'} set aside (Rejected): {first}{'; …' if len(most) > 3 else ''}"


def _take(got: Got, item: object) -> None:
    import pyarrow as pa

    if isinstance(item, Page):
        got.last = Page
        got.pages.append(pa.table(item.data))
        got.resumes.append(_kept(item.resume))
    elif isinstance(item, Deletes):
        got.last = Deletes
        got.gone += [tuple(row.values()) for row in pa.table(item.keys).to_pylist()]
        got.resumes.append(_kept(item.resume))
    elif isinstance(item, InPlace):
        import pyarrow.parquet as pq

        got.pages += [pq.read_table(file) for file in item.files]
        got.resumes += [None for _ in item.files]
    elif isinstance(item, Rejected):
        got.rejected.append(item)
    elif isinstance(item, End):
        got.end = End(item.rows, _kept(item.state))
    else:
        raise NotKept(f"'{got.table.name}' gave {item!r}: give Page, Deletes, Rejected and End")


def _kept(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """As it comes back from the disk."""
    try:
        return None if value is None else dict(json.loads(json.dumps(value, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise NotKept(f"{value!r} is written to disk as JSON, and JSON does not know it: use text, numbers, lists and mappings") from error  # fmt: skip


def differences(
    got: Mapping[Any, Mapping[str, Any]], wanted: Mapping[Any, Mapping[str, Any]], table: Table, exact: bool = False
) -> Sequence[str]:  # fmt: skip
    """How rows by key differ from those wanted, in words. ``exact``: 1 is not 1.0, and nothing else is looked at."""
    out: list[str] = []
    if not exact:
        out += [f"the row {key} is missing" for key in wanted if key not in got]
        out += [f"the row {key} is one too many" for key in got if key not in wanted]
    same, parsed = identical if exact else alike, json_columns(table)
    for key in wanted:
        if key in got:
            out += [
                f"{name} of the row {key} is {got[key].get(name)!r}, not {value!r}"
                for name, value in wanted[key].items()
                if not (same_json if name in parsed else same)(got[key].get(name), value)
            ]
    return out


def json_columns(table: Table) -> frozenset[str]:
    return frozenset(column.name for column in table.columns if column.type.upper() == "JSON")


def same_json(one: object, other: object) -> bool:
    """Whether a column's text in JSON's words means what the case wants: a value, or a text in JSON's words as well."""
    return json_value(one) in (other, json_value(other))


def json_value(value: object) -> object:
    """What a text in JSON's words says, and any other as it is; numbers to the last digit."""
    if isinstance(value, str):
        try:
            return json.loads(value, parse_float=Decimal)
        except ValueError:
            return value
    return _exact(value)


def _exact(value: object) -> object:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(one) for name, one in value.items()}
    return [_exact(one) for one in value] if isinstance(value, list | tuple) else value


def identical(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def alike(one: object, other: object) -> bool:
    """Whether two values mean the same to somebody who does not count digits: that is another check's."""
    if isinstance(one, _NUMBERS) and isinstance(other, _NUMBERS):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


_NUMBERS = (int, float, Decimal)
