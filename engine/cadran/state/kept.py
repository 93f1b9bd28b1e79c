"""What earlier runs worked out, so that later ones need not: ``.cadran/kept`` in the project's folder.

An index (``index.json``, its checksum in the first line) and the Parquet files that it names, which hold results of
scans. What is damaged, of another format or of another DuckDB counts as not there. Nothing in here knows what the
results mean: they go by digests (*definitions*: of what was computed; *tokens*: of the data that it rests on), so what
does not fit any more is simply never found again, and dropped when it has not been of use for some time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cadran.state import durable

FORMAT = 1  # raised when the same definition would give other results, or the files are laid out anew
_INDEX, _LOCK, _SUFFIX = "index.json", "lock", ".parquet"
_ORPHANED = (
    3600  # seconds until a file that no index names is taken away: its writer may not have come to that yet
)


@dataclass(slots=True)
class Held:
    """One measure within a file: its columns, and for each segment set the tokens of the spans."""

    value: str  # the column's name, empty where only rows were counted
    behind: str
    type: str
    kpis: list[str]
    sets: dict[str, int]  # definition of a segment set → which list of tokens
    used: str  # the day


@dataclass(slots=True)
class Piece:
    """One file: the results of one scan, for some spans and measures."""

    checksum: str
    bytes: int
    dataset: str
    grain: str
    made: str
    spans: list[str]  # the key of each span, by its number in the file
    held: dict[str, Held]  # definition of a measure → where it is
    labels: dict[str, str]  # definition of a segment set → its label in the file
    tokens: list[list[str | None]]

    @property
    def used(self) -> str:
        return max((h.used for h in self.held.values()), default=self.made)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Piece:
        return cls(**{**raw, "held": {d: Held(**h) for d, h in raw["held"].items()}})


@dataclass(frozen=True, slots=True)
class Found:
    """Where the result for one span of a measure and segment set lies."""

    file: str
    number: int
    held: Held
    label: str


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
    _where: dict[tuple[str, str, str, str], tuple[str, int]] = field(default_factory=dict)
    _sound: dict[str, bool] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _before: set[str] = field(default_factory=set)  # pieces and facts that were there when it was opened

    @classmethod
    def open(cls, folder: Path, engine: str, today: dt.date, *, full: bool = False) -> Kept:
        kept = cls(folder, engine, today.isoformat(), full)
        kept._take(_read(folder / _INDEX, engine))
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
        self.pieces, self.facts = pieces, facts
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
        return Found(at[0], at[1], held, piece.labels[segments])

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
        durable.settle(part, self.path(name))
        self._outdate(piece)
        self.pieces[name], self._sound[name], self.changed = piece, True, True
        self._remember(name)

    def _outdate(self, newer: Piece) -> None:
        """Earlier results for the same spans will never be asked for again."""
        spans = set(newer.spans)
        for name, piece in list(self.pieces.items()):
            for definition in newer.held.keys() & piece.held.keys():
                for segments in newer.held[definition].sets.keys() & piece.held[definition].sets.keys():
                    self._blank(piece, definition, segments, spans)
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
        self.folder.mkdir(parents=True, exist_ok=True)
        with durable.alone(self.folder / _LOCK):
            self._merge(_read(self.folder / _INDEX, self.engine))
            durable.write(self.folder / _INDEX, self._written())
            self._sweep()
        self.changed = False

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

    def _written(self) -> bytes:
        for piece in self.pieces.values():
            _compact(piece)
        body = json.dumps({
            "format": FORMAT, "engine": self.engine, "salt": self.salt, "facts": self.facts, "marks": self.marks,
            "pieces": {name: asdict(piece) for name, piece in self.pieces.items()},
        }, separators=(",", ":")).encode()  # fmt: skip
        return hashlib.sha256(body).hexdigest().encode() + b"\n" + body

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


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0


def _compact(piece: Piece) -> None:
    """Each list of tokens once, and none that nothing points to."""
    lists: dict[tuple[str | None, ...], int] = {}
    for held in piece.held.values():
        for segments, at in held.sets.items():
            held.sets[segments] = lists.setdefault(tuple(piece.tokens[at]), len(lists))
    piece.tokens = [list(tokens) for tokens in lists]


def _read(path: Path, engine: str) -> Mapping[str, Any] | None:
    """The index, or None where there is none that can be trusted."""
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        raw = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return None
    fits = isinstance(raw, dict) and raw.get("format") == FORMAT and raw.get("engine") == engine
    return raw if fits else None


def digest(*parts: object) -> str:
    """A digest of values whose text says all about them: strings, numbers, tuples, lists and mappings of these."""
    return hashlib.blake2b(
        json.dumps(parts, separators=(",", ":"), sort_keys=True, default=_plain).encode(), digest_size=16
    ).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Set):
        return sorted(value)
    return list(value) if isinstance(value, Iterable) else str(value)
