"""A folder that nobody else can look into, for what a tap is told. It goes with the tap, and one that was killed with cadran goes next time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "cadran-tap-"
_LOCK = ".lock"
_YOUNG = 60.0  # seconds in which a folder may not be locked yet by whoever makes it


@contextmanager
def folder(files: Mapping[str, str]) -> Iterator[Path]:
    """With these files in it, which their owner alone can read."""
    _clear(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        made = Path(name)
        lock = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for file, content in files.items():
                opened = os.open(made / file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
                with os.fdopen(opened, "w", encoding="utf-8") as writing:
                    writing.write(content)
            yield made
        finally:
            os.close(lock)


def _clear(beside: Path) -> None:
    """Takes away what processes have left that are no more: a lock goes with whoever held it."""
    for left in beside.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if (
                left.is_symlink()
                or left.stat().st_uid != os.getuid()
                or time.time() - left.stat().st_mtime < _YOUNG
            ):
                continue
            lock = os.open(left / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(lock)
