"""Where the copy of a source lies: ``.cadran/sources/NAME/``, and who may write there."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cadran.plugins.connector import Cancelled

FOLDER = Path(".cadran", "sources")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]{0,59}")
_TAKEN = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")  # by Windows
_LOOK = 0.05  # seconds between two looks at a lock that somebody has


def safe(name: str) -> str:
    """What a table's files are called: its own name where that is harmless everywhere, else one made of it, and no other's."""
    if _PLAIN.fullmatch(name) and not _TAKEN.fullmatch(name):
        return name
    slug = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:40]
    return f"{slug or 'table'}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one source."""

    folder: Path

    @classmethod
    def of(cls, project: Path, source: str) -> Places:
        return cls(project / FOLDER / safe(source))

    @property
    def store(self) -> Path:
        return self.folder / "store.duckdb"

    @property
    def current(self) -> Path:
        return self.folder / "current.json"

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    @property
    def room(self) -> Path:
        """Where the database puts what memory does not hold."""
        return self.folder / "room"

    @property
    def anew(self) -> str:
        """The way out of a copy that cannot be used."""
        return f"take {self.folder} away: the next sync reads all anew"

    def spool(self, table: str) -> Path:
        return self.folder / "spool" / safe(table)


@contextmanager
def alone(places: Places, cancelled: Callable[[], bool], waiting: Callable[[], None]) -> Iterator[bool]:
    """Waits until no other process works on the source; gives whether that took waiting. One that dies leaves it.

    Raises :class:`~cadran.plugins.connector.Cancelled`, and OSError.
    """
    places.folder.mkdir(parents=True, exist_ok=True)
    with (places.folder / "lock").open("ab") as file:
        if sys.platform == "win32":
            yield False  # the database itself lets nobody else in
            return
        import fcntl

        waited = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waited:
                    waiting()
                waited = True
            if cancelled():
                raise Cancelled("stopped while another process worked on the source")
            time.sleep(_LOOK)
        yield waited
