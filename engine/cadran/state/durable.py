"""Files that are whole or not there at all: written beside their place, forced to disk, then moved onto it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 10.0  # seconds until a process that stays where only one may be is not waited for any more
UNFINISHED = ".part"  # the suffix of a file that is still being written


def unfinished(path: Path) -> Path:
    """Where to write what will be ``path``: a name that no other process takes."""
    return path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED}")


def write(path: Path, content: bytes) -> None:
    """Raises OSError; then what stood at ``path`` still stands."""
    part = unfinished(path)
    try:
        part.write_bytes(content)
        settle(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def settle(part: Path, path: Path) -> None:
    """Moves a written file to its place, once the disk has it."""
    force(part)
    part.replace(path)
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def force(path: Path) -> None:
    """Returns once the disk has the file's content. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def checksum(path: Path) -> str:
    """Of the file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits until no other process is in here with the same file; one that dies leaves it. Raises OSError, also where one stays."""
    with path.open("ab") as file:
        if sys.platform == "win32":
            yield  # the last one wins: what the other kept is computed again
            return
        import fcntl

        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as busy:
                if time.monotonic() >= until:
                    raise TimeoutError(errno.ETIMEDOUT, "another run holds the lock") from busy
            time.sleep(0.05)
        yield
