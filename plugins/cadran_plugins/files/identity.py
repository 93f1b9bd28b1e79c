"""Whether files still hold what they held at an earlier look: by size and times where those can be trusted, else by content.

A file that was changed within moments of a look may be changed again without its times telling (they are coarser than
they seem), so its mark is one that no later look takes at its word. Git does the same with its index.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cadran.plugins import Part
from cadran_plugins.files.locate import Source, TableFiles, split

_RACY = 2_000_000_000  # ns; the coarsest times in use (FAT) come in steps of two seconds
_UNSURE = "-"
_MUCH = 16_000_000  # bytes; below that, threads are not worth starting


def parts(table: TableFiles, marks: Mapping[str, str]) -> list[Part] | None:
    """One part for each file of a table; None where a file cannot be read (reading it says why)."""
    try:
        if len(table.files) < 2 or sum(source.path.stat().st_size for source in table.files) < _MUCH:
            return [_part(table, source, marks) for source in table.files]
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing leaves the interpreter's lock alone
            return list(pool.map(lambda source: _part(table, source, marks), table.files))
    except OSError:
        return None


def _part(table: TableFiles, source: Source, marks: Mapping[str, str]) -> Part:
    times, _, checksum = marks.get(source.part, "").rpartition(" ")
    found = _times(source.path)
    if not checksum or found != times or found == _UNSURE:
        checksum = _checksum(source.path)
        found = found if _times(source.path) == found else _UNSURE
    known = split(source.path)
    return Part(
        source.part,
        f"{known[1] if known else table.format}:{checksum}",
        f"{found} {checksum}",
        source.path if table.format == "parquet" else None,
    )


def _times(path: Path) -> str:
    """Which file it is (a link may have come to lead to another), its size and times, or what never equals those of another look."""
    look = time.time_ns()
    stat = path.stat()
    if max(stat.st_mtime_ns, stat.st_ctime_ns) > look - _RACY:
        return _UNSURE
    return f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
