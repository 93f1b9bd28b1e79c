"""A folder that a team reads: ``weekly.html`` is the newest weekly report, ``weekly.2026-03-09T060000Z.html`` an older one.

What is there is listed in ``reports.json``, from which ``index.html`` is made. Every file is swapped in whole, in an order
in which nothing is named before it is there, and nothing goes while it is still named: dated files, those of stable names, the list,
the index, and only then older files leave. Processes wait for each other (a lock on ``.lock``), readers never do. A folder that is
swapped as one, by a link, would need web servers and synchronising tools to follow links, and many do not.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cadran.plugins import write_whole
from cadran_plugins.file.frozen import About, Frozen
from cadran_plugins.file.index import page

LIST, INDEX = "reports.json", "index.html"
_LOCK = ".lock"
_PATIENCE = 20  # seconds


@dataclass(frozen=True, slots=True)
class Kept:
    """One report in the folder: what it is, and the suffixes of its files."""

    about: About
    suffixes: tuple[str, ...]

    def dated(self, suffix: str) -> str:
        return f"{self.about.report}.{self.about.stamp}.{suffix}"

    def stable(self, suffix: str) -> str:
        return f"{self.about.report}.{suffix}"


class Board:
    """``keep``: how many of each report remain, the newest among them."""

    def __init__(self, folder: Path, title: str, keep: int) -> None:
        self.folder, self.title, self.keep = folder, title, keep

    def put(self, frozen: Frozen) -> Path:
        """Puts a report into the folder, as often as wanted, and gives the path of its first file: under its stable
        name if no newer one is there, else under its dated one, and the index's if it is too old to be kept. Raises
        OSError and ValueError."""
        new = Kept(frozen.about, tuple(suffix for suffix, _ in frozen.files))
        with self._alone():
            before = self._read()
            after = _joined(before, new, self.keep)
            if new not in after:
                return self.folder / INDEX
            newest = next(kept for kept in after if kept.about.report == new.about.report)
            try:
                for name in (new.dated, new.stable) if newest == new else (new.dated,):
                    for suffix, content in frozen.files:
                        write_whole(self.folder, name(suffix), content)
            except BaseException:
                self._clear([new], before)
                raise
            self._write(after)
            self._clear([*before, new], after)
        name = new.stable if newest == new else new.dated
        return self.folder / name(new.suffixes[0])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("a") as lock:
            _lock(lock.fileno())
            yield

    def _read(self) -> list[Kept]:
        """What the list says; nothing where there is none, or one that this version cannot read."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            found: dict[str, Any] = json.loads((self.folder / LIST).read_bytes())
            return [Kept(About.read(of["about"]), tuple(of["suffixes"])) for of in found["reports"]]
        return []

    def _write(self, kept: Sequence[Kept]) -> None:
        listed = json.dumps({"reports": [asdict(of) for of in kept]}, ensure_ascii=False, indent=1)
        write_whole(self.folder, LIST, listed.encode())
        write_whole(self.folder, INDEX, page(self.title, kept).encode())

    def _clear(self, before: Sequence[Kept], after: Sequence[Kept]) -> None:
        """Removes the files that are not listed any more."""
        for name in _names(before) - _names(after):
            with suppress(OSError):  # such as a folder of that name, which is somebody else's
                (self.folder / name).unlink()


def _lock(file: int) -> None:
    """Waits for who has it. Raises BlockingIOError where that takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _names(kept: Sequence[Kept]) -> set[str]:
    """The dated files, and those of stable names, which are the newest's."""
    newest = {of.about.report: of for of in reversed(kept)}
    stable = {of.stable(suffix) for of in newest.values() for suffix in of.suffixes}
    return stable | {of.dated(suffix) for of in kept for suffix in of.suffixes}


def _joined(before: Sequence[Kept], new: Kept, keep: int) -> list[Kept]:
    """By report's name, each newest first and no more than ``keep`` of it; one of the same moment is replaced."""
    at = (new.about.report, new.about.stamp)
    others = [kept for kept in before if (kept.about.report, kept.about.stamp) != at]
    same = [new, *(kept for kept in others if kept.about.report == new.about.report)]
    same.sort(key=lambda kept: kept.about.moment, reverse=True)
    rest = [kept for kept in others if kept.about.report != new.about.report]
    return sorted([*rest, *same[:keep]], key=lambda kept: kept.about.report)  # stable: newest first stays
