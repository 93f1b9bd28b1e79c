"""What the index of kept results holds, and how it is written and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1  # raised when the same definition would give other results, or the files are laid out anew


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
    clock: str  # of the run that made it
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


def written(
    engine: str, salt: str, pieces: Mapping[str, Piece], facts: Mapping[str, Any], marks: Mapping[str, Any]
) -> bytes:
    """The index as a file: a checksum, then JSON in one line."""
    for piece in pieces.values():
        _compact(piece)
    body = json.dumps(
        {
            "format": FORMAT, "engine": engine, "salt": salt, "facts": facts, "marks": marks,
            "pieces": {name: asdict(piece) for name, piece in pieces.items()},
        },
        separators=(",", ":"),
    ).encode()  # fmt: skip
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _compact(piece: Piece) -> None:
    """Each list of tokens once, and none that nothing points to."""
    lists: dict[tuple[str | None, ...], int] = {}
    for held in piece.held.values():
        for segments, at in held.sets.items():
            held.sets[segments] = lists.setdefault(tuple(piece.tokens[at]), len(lists))
    piece.tokens = [list(tokens) for tokens in lists]


def read(path: Path, engine: str) -> Mapping[str, Any] | None:
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
