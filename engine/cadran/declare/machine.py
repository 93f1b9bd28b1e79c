"""``compute:``, what computing may use of the machine: memory, threads, room to spill rows to disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from cadran.declare.findings import Findings
from cadran.declare.model import Compute
from cadran.declare.sections import Entry

_SIZE = re.compile(r"([0-9.]+) ?([KMGT])(I?)B")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
_LEAST = 64_000_000  # bytes: with less there is not even room for what cannot be spilled
_MOST = 1024  # threads
_OFF = "off"


def compute(entry: Entry, folder: Path, allowed: Sequence[Path], found: Findings) -> Compute:
    """``folder`` is the project's; ``allowed`` are those outside it that it may use."""
    value, place = entry.value, entry.place
    memory, limit = value.get("memory", ""), value.get("spill_limit", "")
    if memory and not memory.endswith("%") and in_bytes(memory) < _LEAST:
        found.error("too-little-memory", f"{memory} of memory are too little", place.child("memory"), "write 64 MB or more")  # fmt: skip
        memory = ""
    if value.get("spill") == _OFF and limit:
        hint = "drop it, or name a folder to spill to"
        found.error("nothing-to-limit", "nothing is spilled, so there is nothing to limit", place.child("spill_limit"), hint)  # fmt: skip
    return Compute(
        memory,
        _threads(entry, found),
        value.get("spill") != _OFF,
        _folder(entry, folder, allowed, found),
        limit,
        place,
    )


def _threads(entry: Entry, found: Findings) -> int | None:
    written = entry.value.get("threads")
    if written is None or int(written) <= _MOST:
        return None if written is None else int(written)
    message, hint = (
        f"{written} threads are too many",
        f"write {_MOST} or less; more than there are cores is of no use",
    )
    found.error("too-many-threads", message, entry.place.child("threads"), hint)
    return None


def in_bytes(size: str) -> int:
    """``4 GB`` is 4·10⁹, ``4 GiB`` 4·2³⁰."""
    match = _SIZE.fullmatch(size.upper())
    assert match is not None, "its form was checked"
    return int(Decimal(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2]])


def _folder(entry: Entry, folder: Path, allowed: Sequence[Path], found: Findings) -> Path | None:
    """Relative to the file that names it, and inside the project or a folder that is allowed by name."""
    text: str = entry.value.get("spill", _OFF)
    if text == _OFF:
        return None
    place = entry.place.child("spill")
    try:
        path: Path = ((folder / entry.place.document.shown_as).parent / text).resolve()
    except (OSError, ValueError) as error:
        found.error("bad-path", f"'{text[:80]}' cannot be used as a path: {error}", place)
        return None
    if not any(path.is_relative_to(parent.resolve()) for parent in (folder, *allowed)):
        hint = "add it to 'allow_paths:', or pass it with --allow-path"
        found.error("outside-project", f"{text} lies outside the project", place, hint)
        return None
    return path
