"""Writing a file so that who reads it sees the old one or the new one, and never half of either."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LONGEST = 255  # bytes, as file systems have it


def is_file_name(name: str) -> bool:
    """Whether ``name`` is the name of a file in a folder, and no way out of it; hidden files are none either."""
    return (
        bool(name)
        and not name.startswith(".")
        and name.isprintable()
        and not {"/", "\\"}.intersection(name)
        and len(name.encode("utf-8")) <= _LONGEST
    )


def write_whole(folder: Path, name: str, content: bytes) -> Path:
    """Writes ``folder/name``, making the folder where there is none, and gives the path.

    The bytes go to a file beside it, which then takes its place; if anything fails, what was there stays as it was.
    A link of that name is replaced, not followed. Raises OSError, and ValueError for a name that is no file's.
    """
    if not is_file_name(name):
        raise ValueError(f"'{name[:80]}' cannot be the name of a file")
    folder.mkdir(parents=True, exist_ok=True)
    target, beside = folder / name, folder / f".{os.urandom(8).hex()}.tmp"
    try:
        with beside.open("xb") as file:  # not tempfile's: that is readable by nobody but its owner
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.is_file() and not target.is_symlink():
            with suppress(OSError):  # some file systems know no permissions
                beside.chmod(target.stat().st_mode & 0o777)
        os.replace(beside, target)  # noqa: PTH105 - the word that says it
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    return target
