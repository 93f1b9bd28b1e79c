"""What a table's read has brought so far, on disk: it can be gone on with, and loaded as often as it takes.

``pages.arrow`` holds page after page, each a whole Arrow stream of its own; ``journal.jsonl`` says of each where it lies, its digest, and
what reading goes on with behind it. ``about.json`` says of what read all this is. A page is in the journal only once it is in
the file; one whose digest is not right (a power cut) counts as not there, with all that follow.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import DataError, End, Page, Rejected
from cadran.plugins.synced import Deletes
from cadran.plugins.typed.values import whole
from cadran.state import durable

if TYPE_CHECKING:
    import pyarrow as pa

_ABOUT, _PAGES, _JOURNAL = "about.json", "pages.arrow", "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """Of the journal: a page of rows, or of keys that are gone."""

    deletes: bool
    offset: int
    length: int
    rows: int
    digest: str
    resume: Mapping[str, Any] | None
    aside: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Spool:
    folder: Path
    about: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    ended: bool = False
    state: Mapping[str, Any] | None = None
    _aside: list[tuple[str, str]] = field(default_factory=list)  # that no line has taken yet

    # --- opening --------------------------------------------------------------------------------------------------------

    @classmethod
    def begun(cls, folder: Path, about: dict[str, Any]) -> Spool:
        """A new one; whatever lay there goes."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / _PAGES).touch()
        (folder / _JOURNAL).touch()
        durable.write(folder / _ABOUT, json.dumps(about).encode())
        return cls(folder, about)

    @classmethod
    def found(cls, folder: Path) -> Spool | None:
        """The one that an earlier sync has left, as far as it is sound; None where there is nothing to go on with."""
        try:
            spool = cls(folder, json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
            spool._take((folder / _JOURNAL).read_bytes())
            if not spool.ended:
                spool._drop_what_is_not_followed()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return spool if spool.ended or spool.lines else None

    def _take(self, journal: bytes) -> None:
        with (self.folder / _PAGES).open("rb") as pages:
            for text in journal.splitlines(keepends=True):
                if not text.endswith(b"\n"):
                    return
                raw = json.loads(text)
                if "end" in raw:
                    self.ended = raw["end"] == self.rows
                    self.state, self._aside = raw["state"], [(p, r) for p, r in raw["aside"]]
                    return
                line = Line(**{**raw, "aside": tuple((p, r) for p, r in raw["aside"])})
                pages.seek(line.offset)
                if _digest(pages.read(line.length)) != line.digest:
                    return
                self.lines.append(line)

    def _drop_what_is_not_followed(self) -> None:
        """Reading goes on behind the last page that says how: what lies behind that one comes again."""
        while self.lines and self.lines[-1].resume is None:
            self.lines.pop()
        with (self.folder / _PAGES).open("r+b") as pages:
            pages.truncate(self._size)
        durable.write(self.folder / _JOURNAL, b"".join(_written(line) for line in self.lines))

    @property
    def _size(self) -> int:
        return self.lines[-1].offset + self.lines[-1].length if self.lines else 0

    @property
    def resume(self) -> Mapping[str, Any] | None:
        return self.lines[-1].resume if self.lines else None

    @property
    def rows(self) -> int:
        return sum(line.rows for line in self.lines if not line.deletes)

    def drop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- writing --------------------------------------------------------------------------------------------------------

    def add(self, item: Page | Deletes) -> None:
        """Raises OSError."""
        deletes = isinstance(item, Deletes)
        content, rows = _stream(item.keys if isinstance(item, Deletes) else item.data)
        offset = self._size
        with (self.folder / _PAGES).open("r+b") as pages:
            pages.seek(offset)
            pages.write(content)
        line = Line(deletes, offset, len(content), rows, _digest(content), item.resume, tuple(self._aside))
        self._journal(_written(line))
        self.lines.append(line)
        self._aside = []

    def set_aside(self, record: Rejected) -> None:
        self._aside.append((whole(record.place), whole(record.reason)))

    def end(self, end: End, rows: int, table: str) -> None:
        """``rows`` is how many this stream has sent. Raises DataError, and OSError."""
        if end.rows != rows:
            hint = "sync again; if it stays so, tell the author of the connector"
            raise DataError(f"table '{table}' was to have {end.rows} rows, and {rows} came", hint=hint)
        durable.force(self.folder / _PAGES)
        all_rows = sum(line.rows for line in self.lines if not line.deletes)
        self._journal(_line({"end": all_rows, "state": end.state, "aside": self._aside}))
        durable.force(self.folder / _JOURNAL)
        self.ended, self.state = True, end.state

    def _journal(self, line: bytes) -> None:
        with (self.folder / _JOURNAL).open("ab") as file:
            file.write(line)

    # --- reading --------------------------------------------------------------------------------------------------------

    @property
    def aside(self) -> list[tuple[str, str, int]]:
        """Place and reason of the records that the connector has set aside, and how many rows and keys had come by then, those of the same
        page included."""
        out, came = [], 0
        for line in self.lines:
            came += line.rows
            out += [(place, reason, came) for place, reason in line.aside]
        return [*out, *((place, reason, came) for place, reason in self._aside)]

    def batches(self) -> Iterator[tuple[Line, list[pa.RecordBatch]]]:
        """Page after page, in their order. Raises OSError."""
        import pyarrow as pa

        with (self.folder / _PAGES).open("rb") as pages:
            for line in self.lines:
                pages.seek(line.offset)
                with pa.ipc.open_stream(pages.read(line.length)) as stream:
                    yield line, list(stream)


def _stream(data: Any) -> tuple[bytes, int]:
    """A whole Arrow stream in bytes, and its rows."""
    import pyarrow as pa

    reader = pa.RecordBatchReader.from_stream(data) if not isinstance(data, pa.RecordBatch) else None
    batches = [data] if reader is None else reader
    sink, rows = pa.BufferOutputStream(), 0
    with pa.ipc.new_stream(sink, data.schema if reader is None else reader.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return sink.getvalue().to_pybytes(), rows


def _written(line: Line) -> bytes:
    names = ("deletes", "offset", "length", "rows", "digest", "resume", "aside")
    return _line({name: getattr(line, name) for name in names})


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode() + b"\n"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
