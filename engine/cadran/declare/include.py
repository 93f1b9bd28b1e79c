"""``include:``: the other files of a project, found, read and kept inside the project's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings, line_and_column

_PATTERN = frozenset("*?[")
MOST_FILES = 1000


def included(document: Document, file: Path, folder: Path, found: Findings) -> Iterator[tuple[Path, Place]]:
    """The files that a document asks for, each with the place that names it. All paths are resolved."""
    data: Any = document.data
    value = data.get("include") if isinstance(data, dict) else None
    place = Place(document, ("include",))
    if isinstance(value, str):
        yield from _files(value, place, file, folder, found)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            if isinstance(part, str):
                yield from _files(part, place.child(index), file, folder, found)


def _files(
    text: str, place: Place, file: Path, folder: Path, found: Findings
) -> Iterator[tuple[Path, Place]]:
    if not text.strip():
        return  # the schema says so
    try:
        paths = _matches(text, file) if _PATTERN.intersection(text) else [(file.parent / text).resolve()]
        for path in paths[:MOST_FILES]:
            if not path.is_relative_to(folder):
                message = f"'{text}' lies outside the project's folder"
                found.error("include-outside", message, place, "move it into the folder of the main file")
            elif not path.is_file():
                found.error(
                    "include-missing", f"there is no file '{text}'", place, "paths are relative to this file"
                )
            else:
                yield path, place
    except (OSError, ValueError, NotImplementedError, RuntimeError) as error:
        found.error("include-missing", f"'{text[:80]}' cannot be used as a path: {error}", place)
        return
    if not paths:
        hint = "paths are relative to this file"
        found.error("include-missing", f"no file fits the pattern '{text}'", place, hint)


def _matches(pattern: str, file: Path) -> list[Path]:
    """The files of a pattern, without the one that asks."""
    matches = (path.resolve() for path in file.parent.glob(pattern) if path.is_file())
    return sorted({path for path in matches if path != file})


def circle(chain: list[tuple[Path, Place]], place: Place, found: Findings) -> None:
    """Reports that a file includes one that it is itself included by."""
    by = ", ".join(line_and_column(p) for _, p in chain) or "itself"
    message = f"this file is already being read (included at {by})" if chain else "this file includes itself"
    found.error("include-circle", message, place, "remove one of the includes")
