"""The text of a file and its lines. A line ends where editors end it: at LF, CRLF or CR."""

from __future__ import annotations

import re
from pathlib import Path

from cadran.problems import Position, Problem, ProblemsFound

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def split_lines(text: str) -> list[str]:
    if "\r" not in text:
        return text.split("\n")
    return _LINE_BREAK.split(text)


def line_starts(text: str) -> list[int]:
    return [0] + [found.end() for found in _LINE_BREAK.finditer(text)]


def read_text(path: Path, shown_as: str) -> str:
    """The text of a UTF-8 file. Raises :class:`ProblemsFound`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ProblemsFound([_unreadable(error, shown_as)]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        message = "the file is not UTF-8 text"
        where = Position(shown_as, line, column)
        raise ProblemsFound(
            [Problem("not-utf8", message, where, hint="save it with the encoding UTF-8")]
        ) from None


def _unreadable(error: OSError, shown_as: str) -> Problem:
    where = Position(shown_as, 1, 1)
    if isinstance(error, FileNotFoundError):
        asked = Path(str(error.filename or ""))
        twin = asked.with_suffix(".yml" if asked.suffix == ".yaml" else ".yaml") if asked.suffix else asked
        found = (
            f"there is a {twin.name}: rename it, or name it with -C"
            if twin != asked and twin.exists()
            else ""
        )
        hint = found or "check the name and the folder"
        return Problem("file-not-found", "this file does not exist", where, hint=hint)
    if isinstance(error, IsADirectoryError):
        return Problem(
            "file-not-found", "this is a folder, not a file", where, hint="name the YAML file in it"
        )
    return Problem("file-unreadable", f"this file cannot be read ({error.strerror})", where)
