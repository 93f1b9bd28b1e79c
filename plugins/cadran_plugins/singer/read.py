"""Reading one stream: a tap's messages as pages, and whether what came was all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cadran.plugins import DataError, Deletes, End, Page, Rejected, ResumeExpired, Transient, Window
from cadran.plugins.typed.records import Records
from cadran_plugins.singer import messages
from cadran_plugins.singer.catalog import DELETED, Stream, check_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from cadran_plugins.singer.program import Program

_ROWS = 10_000  # a page at the most
_FEW = 1_000  # rows for which a state in between is worth a page
_BYTES = 16 << 20
_SECRET = 8  # letters: what is shorter may stand there by chance

Item = Page | Deletes | Rejected | End


class Lost(Transient, ResumeExpired):
    """Rows are missing, nobody knows which: reading begins anew, and does not go on behind them."""


@dataclass(slots=True)
class Reading:
    """``place`` is the window's state, or that of a page, which has been given to the tap. ``final``: whether it has to write a state at
    its end."""

    stream: Stream
    window: Window
    place: Mapping[str, Any] | None = None
    final: bool = True
    announced: int = 0
    written: int = 0
    _records: Records = field(init=False)
    _keys: Records = field(init=False)
    _rows: list[Mapping[str, Any]] = field(default_factory=list)
    _gone: list[Mapping[str, Any]] = field(default_factory=list)
    _bytes: int = 0
    _sent: int = 0
    _state: Any = None
    _vouched: bool = False  # a state stands behind all rows
    _schema: bool = False
    _version: Any = None
    _before: int = 0  # rows of earlier reads: no two places are equal

    def __post_init__(self) -> None:
        columns = self.stream.columns
        self._records = Records(columns, utc=True, key=self.stream.key)
        self._keys = Records([c for c in columns if c.name in self.stream.key], utc=True)
        self._version = (self.place or {}).get("version")
        self._before = int((self.place or {}).get("rows", 0))

    def heard(self, line: str) -> None:
        """A line of the tap's log, which may say how many rows it has written."""
        if found := messages.counted(line):
            names, rows = found
            if not names or names & {self.stream.name, self.stream.id}:
                self.announced += rows

    def items(self, program: Program) -> Iterator[Item]:
        for line in program.lines():
            said = messages.message(line)
            kind = said["type"]
            if kind == "STATE":
                self._state, self._vouched = json.loads(line).get("value"), True  # it goes back as it came
                if self._pending >= _FEW:
                    yield from self._flush(self._place(program))
            elif kind not in ("SCHEMA", "RECORD", "BATCH", "ACTIVATE_VERSION"):
                raise DataError(
                    f"the tap wrote a message of the unknown type '{kind}'",
                    hint="look for a newer version of cadran, or of the tap",
                )
            elif said.get("stream") != self.stream.name:
                continue  # what a tap has to read on its way
            elif kind == "SCHEMA":
                check_schema(self.stream, said.get("schema"))
                self._schema = True
            elif kind == "ACTIVATE_VERSION":
                self._activated(said.get("version"))
            else:
                yield from self._taken(said, len(line))
        program.check()
        self._whole()
        yield from self._flush(self._place(program, end=True))
        yield End(self._sent, self._kept(program) if self.stream.remembers else None)

    def _taken(self, said: Mapping[str, Any], size: int) -> Iterator[Item]:
        if not self._schema:
            raise DataError(
                f"the tap wrote a row of '{self.stream.name}' before its SCHEMA", hint="tell its author"
            )
        if said["type"] == "BATCH":
            for row in messages.batch(said):
                yield from self._row(row, _BYTES // _ROWS)
            return
        record = said.get("record")
        if not isinstance(record, Mapping):
            raise DataError(
                f"the tap wrote a RECORD of '{self.stream.name}' without a record", hint="tell its author"
            )
        yield from self._row(record, size)

    def _row(self, record: Mapping[str, Any], size: int) -> Iterator[Item]:
        self.written += 1
        self._vouched = False
        gone = self.stream.marks and bool(record.get(DELETED))
        if self._rows if gone else self._gone:  # of a row that went and came again, what was said last holds
            yield from self._flush(None)
        if not gone or self.stream.key:
            (self._gone if gone else self._rows).append(record)
        self._bytes += size
        if self._pending >= _ROWS or self._bytes >= _BYTES:
            yield from self._flush(None)

    @property
    def _pending(self) -> int:
        return len(self._rows) + len(self._gone)

    def _activated(self, version: Any) -> None:
        """All rows of other versions are gone: which is so by itself in a read of the whole table."""
        if self._version is None and self.place is None:
            self._version = version
        elif version != self._version:
            raise ResumeExpired(f"the tap has begun '{self.stream.name}' anew (version {version})")

    def _flush(self, place: Mapping[str, Any] | None) -> Iterator[Item]:
        """What is pending: rows, or what is gone."""
        rows, gone = self._rows, self._gone
        self._rows, self._gone, self._bytes = [], [], 0
        if gone:
            keys, aside = self._keys.batch(gone, self.stream.table)
            yield from aside
            yield Deletes(_stream(keys))
        batch, aside = self._records.batch(rows, self.stream.table)
        yield from aside
        batch = self._wanted(batch)
        if batch.num_rows or place is not None:
            self._sent += batch.num_rows
            yield Page(_stream(batch), resume=place)

    def _wanted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A tap goes by its state; where there is none, rows from before the window are left out here."""
        since, cursor = self.window.since, self.stream.cursor
        if since is None or self.window.state is not None or self.stream.method != "INCREMENTAL":
            return batch
        import pyarrow as pa
        import pyarrow.compute as pc

        column = batch.column(cursor)
        keep = pc.fill_null(pc.greater_equal(column, pa.scalar(since, column.type)), True)
        return batch.filter(keep)

    def _place(self, program: Program, end: bool = False) -> dict[str, Any] | None:
        """Where reading goes on: rows without a key would come twice, so it begins anew with them."""
        if not self.stream.key or self._state is None:
            return None
        rows = {"rows": self._before + self.written}
        return {**(self._kept(program) or {}), **rows, **({"end": True} if end else {})}

    def _kept(self, program: Program) -> dict[str, Any] | None:
        """The state as it is written to disk."""
        if self._state is None:
            return None
        text = json.dumps(self._state)
        if any(len(secret) >= _SECRET and secret in text for secret in program.context.secrets):
            hint = "such a tap cannot be used to read changes: say 'method: full'; and tell its author"
            raise DataError("the tap writes a secret into its state, which would lie on disk", hint=hint)
        return {"state": self._state, **({} if self._version is None else {"version": self._version})}

    def _whole(self) -> None:
        """Whether a tap that ended well has written all of it. Raises Transient where it has not."""
        name = self.stream.name
        if not self._schema:
            hint = "look at what it logs with 'cadran sync -v'"
            raise DataError(
                f"the tap has ended without a word about '{name}'",
                hint=hint,
                setting=("tables", self.stream.table, "stream"),
            )
        if self.announced > self.written:
            hint = "sync again; if it stays so, tell the tap's author"
            raise Lost(
                f"the tap says that it has written {self.announced} rows of '{name}', but {self.written} came",
                hint=hint,
            )
        if self.final and not self._vouched:
            hint = "so it may have broken off; if this tap never writes one, say 'final_state: false'"
            raise Transient(
                f"the tap has ended without a state behind its last rows of '{name}'",
                hint=hint,
                setting=("final_state",),
            )


def _stream(batch: pa.RecordBatch) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])
