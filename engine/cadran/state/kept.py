"""What earlier runs worked out, so that later ones need not: ``.cadran/kept`` in the project's folder.

An index (``index.json``, its checksum in the first line) and the Parquet files that it names, which hold results of
scans. What is damaged, of another format or of another DuckDB counts as not there. Nothing in here knows what the
results mean: they go by digests (*definitions*: of what was computed; *tokens*: of the data that it rests on), so what
does not fit any more is simply never found again, and dropped when it has not been of use for some time.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cadran.state import durable, index
from cadran.state.index import Held, Piece

_INDEX, _LOCK, _SUFFIX = "index.json", "lock", ".parquet"
_ORPHANED = 3600  # seconds until a file that no index names goes: its writer may not have come to that yet


@dataclass(frozen=True, slots=True)
class Found:
    """Where the result for one span of a measure and segment set lies."""

    file: str
    number: int
    held: Held
    label: str
    clock: str


@dataclass(slots=True)
class Kept:
    """The state of one project. ``open`` never fails; ``save`` may, with OSError."""

    folder: Path
    engine: str
    today: str
    full: bool = False  # whatever earlier runs left is passed over, and replaced by what this one makes
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    pieces: dict[str, Piece] = field(default_factory=dict)
    facts: dict[str, tuple[Any, str]] = field(default_factory=dict)  # key → value, the day of its last use
    marks: dict[str, dict[str, str]] = field(default_factory=dict)  # table → part → mark
    changed: bool = False
    readable: bool = False  # whether there was an index, and of this engine
    _where: dict[tuple[str, str, str, str], tuple[str, int]] = field(default_factory=dict)
    _sound: dict[str, bool] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _made: set[str] = field(default_factory=set)  # files that no index names yet
    _before: set[str] = field(default_factory=set)  # pieces and facts that were there when it was opened

    @classmethod
    def open(cls, folder: Path, engine: str, today: dt.date, *, full: bool = False) -> Kept:
        kept = cls(folder, engine, today.isoformat(), full)
        kept._take(index.read(folder / _INDEX, engine))
        return kept

    def _take(self, raw: Mapping[str, Any] | None) -> None:
        if raw is None:
            return
        try:
            pieces = {name: Piece.read(piece) for name, piece in raw["pieces"].items()}
            facts = {key: (value, str(used)) for key, (value, used) in raw["facts"].items()}
            self.salt, self.marks = str(raw["salt"]), {t: dict(m) for t, m in raw["marks"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return
        self.pieces, self.facts, self.readable = pieces, facts, True
        self._before = {*pieces, *facts}
        for name in pieces:
            self._remember(name)

    def _remember(self, name: str) -> None:
        piece = self.pieces[name]
        for definition, held in piece.held.items():
            for segments, at in held.sets.items():
                for number, token in enumerate(piece.tokens[at]):
                    if token is not None:
                        self._where[definition, segments, piece.spans[number], token] = name, number

    # --- results ------------------------------------------------------------------------------------------------------

    def find(self, definition: str, segments: str, span: str, token: str) -> Found | None:
        """The result for a span, if it is there and its file is whole."""
        at = self._where.get((definition, segments, span, token))
        if self.full or at is None or not self.sound(at[0]):
            return None
        piece = self.pieces[at[0]]
        held = piece.held[definition]
        if held.used != self.today:
            held.used, self.changed = self.today, True
        return Found(at[0], at[1], held, piece.labels[segments], piece.clock)

    def path(self, file: str) -> Path:
        return self.folder / f"{file}{_SUFFIX}"

    def sound(self, file: str) -> bool:
        """Whether a file is as it was written; read once a run."""
        if file not in self._sound:
            try:
                self._sound[file] = durable.checksum(self.path(file)) == self.pieces[file].checksum
            except OSError:
                self._sound[file] = False
            if not self._sound[file]:
                self._forget(file)
        return self._sound[file]

    def add(self, part: Path, piece: Piece) -> None:
        """Takes a file that was written to ``part`` (see :func:`durable.unfinished`). Raises OSError."""
        name = secrets.token_hex(10)
        piece.checksum, piece.bytes = durable.checksum(part), part.stat().st_size
        part.replace(
            self.path(name)
        )  # not forced to disk: what a power cut tears fails its checksum, and is made again
        self._made.add(name)
        self._outdate(piece)
        self.pieces[name], self._sound[name], self.changed = piece, True, True
        self._remember(name)

    def _outdate(self, newer: Piece) -> None:
        """Earlier results for the same spans will never be asked for again."""
        for name, piece in list(self.pieces.items()):
            for definition in newer.held.keys() & piece.held.keys():
                sets = newer.held[definition].sets
                for segments in sets.keys() & piece.held[definition].sets.keys():
                    pairs = zip(newer.spans, newer.tokens[sets[segments]], strict=True)
                    self._blank(piece, definition, segments, {s for s, token in pairs if token is not None})
            if not any(token for tokens in piece.tokens for token in tokens):
                self._forget(name)

    def _blank(self, piece: Piece, definition: str, segments: str, spans: Collection[str]) -> None:
        tokens = list(piece.tokens[piece.held[definition].sets[segments]])
        for number, span in enumerate(piece.spans):
            if span in spans and (token := tokens[number]) is not None:
                self._where.pop((definition, segments, span, token), None)
                tokens[number] = None
        piece.held[definition].sets[segments] = len(piece.tokens)
        piece.tokens.append(tokens)

    def _forget(self, file: str) -> None:
        piece = self.pieces.pop(file, None)
        if piece is not None:
            self._gone.add(file)
            self._where = {key: at for key, at in self._where.items() if at[0] != file}
            self.changed = True

    def belongs(self, held: Held, kpis: Collection[str]) -> None:
        """Notes whose a result is, for people to see."""
        if not set(kpis) <= set(held.kpis):
            held.kpis, self.changed = sorted({*held.kpis, *kpis}), True

    # --- facts --------------------------------------------------------------------------------------------------------

    def fact(self, key: str) -> Any:
        """What is known under a key (a digest of all that it rests on), or None."""
        known = self.facts.get(key)
        if known is None or (self.full and key in self._before):
            return None
        if known[1] != self.today:
            self.facts[key], self.changed = (known[0], self.today), True
        return known[0]

    def learn(self, key: str, value: Any) -> None:
        if self.facts.get(key) != (value, self.today) or self.full:
            self.facts[key], self.changed = (value, self.today), True
            self._before.discard(key)

    def marks_of(self, table: str) -> Mapping[str, str]:
        return {} if self.full else self.marks.get(table, {})

    def mark(self, table: str, marks: Mapping[str, str]) -> None:
        """The marks of a table's parts, for the next look."""
        if self.marks.get(table) != marks:
            self.marks[table], self.changed = dict(marks), True

    # --- keeping house ------------------------------------------------------------------------------------------------

    def clear(self, definitions: Collection[str] | None = None) -> int:
        """Forgets everything, or only some measures; returns how many were kept."""
        count = 0
        for name, piece in list(self.pieces.items()):
            gone = [d for d in piece.held if definitions is None or d in definitions]
            count += len(gone)
            for definition in gone:
                del piece.held[definition]
            if not piece.held:
                self._forget(name)
        if definitions is None:
            self.facts, self.marks = {}, {}
        self._where = {}
        for name in self.pieces:
            self._remember(name)
        self.changed = True
        return count

    def prune(self, days: int, most: int) -> None:
        """Drops what was of no use for so many days, then the files longest unused until no more than ``most`` bytes are left."""
        since = (dt.date.fromisoformat(self.today) - dt.timedelta(days=days)).isoformat()
        for name, piece in list(self.pieces.items()):
            if piece.used < since:
                self._forget(name)
        old = [key for key, (_, used) in self.facts.items() if used < since]
        for key in old:
            del self.facts[key]
        self.changed = self.changed or bool(old)
        size = sum(piece.bytes for piece in self.pieces.values())
        for name in sorted(self.pieces, key=lambda n: (self.pieces[n].used, self.pieces[n].made)):
            if size <= most:
                break
            size -= self.pieces[name].bytes
            self._forget(name)

    def save(self) -> None:
        """Writes the index, with what another process has added in the meantime, and takes away what it no longer names."""
        if not self.changed:
            return
        try:
            self._save()
        except BaseException:
            self._take_away()
            raise
        self.changed = False

    def _take_away(self) -> None:
        """What this run has made, where no index will ever name it."""
        for name in self._made:
            with suppress(OSError):
                self.path(name).unlink()

    def _save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with durable.alone(self.folder / _LOCK):
            self._merge(index.read(self.folder / _INDEX, self.engine))
            content = index.written(self.engine, self.salt, self.pieces, self.facts, self.marks)
            durable.write(self.folder / _INDEX, content)
            self._made.clear()
            self._sweep()

    def _merge(self, raw: Mapping[str, Any] | None) -> None:
        other = Kept(self.folder, self.engine, self.today)
        other._take(raw)
        for name, piece in other.pieces.items():
            if name not in self._before:
                self.pieces.setdefault(name, piece)
        self.facts |= {
            key: fact for key, fact in other.facts.items() if key not in self._before | self.facts.keys()
        }
        self.marks = {**other.marks, **self.marks}

    def _sweep(self) -> None:
        """Takes away what the index does not name: at once what this run has dropped, the rest when it is old."""
        now = dt.datetime.now().timestamp()
        for path in self._files():
            name = path.name.removesuffix(_SUFFIX)
            if name not in self.pieces and (name in self._gone or _age(path, now) > _ORPHANED):
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        for path in self.folder.iterdir():
            if path.name.endswith((_SUFFIX, durable.UNFINISHED)):
                yield path


def wipe(folder: Path) -> None:
    """Takes away everything that is kept, readable or not. Raises OSError."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name in (_INDEX, _LOCK) or path.name.endswith((_SUFFIX, durable.UNFINISHED)):
            path.unlink(missing_ok=True)


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0
