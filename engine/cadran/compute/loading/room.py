"""What computing may use of the machine: memory, threads, and a folder that rows are spilled to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cadran.compute.loading.embedded import OutOfRoom
from cadran.compute.loading.sources import relative
from cadran.declare.model import Compute, Declaration
from cadran.problems import Problem, ProblemsFound

_HOME, _OWN = ".cadran", "spill"


@contextmanager
def room(declaration: Declaration) -> Iterator[Mapping[str, str]]:
    """DuckDB's settings for a run. Raises ProblemsFound where the folder cannot be used, and where room runs out inside.

    DuckDB makes its own folder in there once it has to spill, and removes it at the end; what a run that was killed has left
    is removed by the next that spills.
    """
    compute = declaration.compute
    settings = {"memory_limit": compute.memory, "threads": str(compute.threads or "")}
    with _spilling(declaration) as folder:
        settings |= {"temp_directory": str(folder or ""), "max_temp_directory_size": compute.spill_limit}
        try:
            yield {name: value for name, value in settings.items() if value or name == "temp_directory"}
        except OutOfRoom as error:
            raise ProblemsFound([_problem(compute, error)]) from error


@contextmanager
def _spilling(declaration: Declaration) -> Iterator[Path | None]:
    """Where to spill. The folders that it takes to get there stand from here on, and go again with nothing in them."""
    compute, default = declaration.compute, declaration.folder.absolute() / _HOME
    if not compute.spilling:
        yield None
        return
    above = compute.spill or default
    made: list[Path] = []
    try:
        made = _make(above)
    except OSError as error:
        if compute.spill is not None:
            raise ProblemsFound([_unusable(declaration, error)]) from error
        above = Path(tempfile.mkdtemp(prefix="cadran-"))  # a project that cannot be written to
        made = [above]
    try:
        yield above / _OWN
    finally:
        for folder in (above / _OWN, *made):  # DuckDB leaves its own where a run that was killed has made it
            with suppress(OSError):  # another run is there, or has left something
                folder.rmdir()


def _make(folder: Path) -> list[Path]:
    """Makes a folder with all above it; those that were not there, the innermost first. Raises OSError."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied")
    return missing


def _unusable(declaration: Declaration, error: OSError) -> Problem:
    assert declaration.compute.spill is not None
    folder = relative(declaration.compute.spill, declaration.folder)
    message, hint = f"nothing can be spilled to {folder}: {error.strerror or error}", "name a folder that can be written to, or off"  # fmt: skip
    return _at(declaration.compute, "spill", "unusable-folder", message, hint)


def _problem(compute: Compute, error: OutOfRoom) -> Problem:
    """The setting to raise."""
    if error.disk and compute.spill_limit:
        message = f"the {compute.spill_limit} that may be spilled to disk are used up"
        hint = "raise 'compute: {spill_limit: …}', or 'memory'"
        return _at(compute, "spill_limit", "out-of-disk", message, hint)
    if error.disk:
        message = "the disk has no room left for what has to be spilled"
        hint = "make room there, name another folder with 'compute: {spill: …}', or raise 'memory'"
        return _at(compute, "spill", "out-of-disk", message, hint)
    used = compute.memory or f"{error.limit} (80% of this machine's)"
    message = f"the {used} of memory that computing may use do not suffice"
    hint = "raise 'compute: {memory: …}', or lower 'threads', each of which needs some of it"
    if not compute.spilling:
        hint += "; or let rows be spilled to disk: drop 'spill: off'"
    return _at(compute, "memory", "out-of-memory", message, hint)


def _at(compute: Compute, key: str, code: str, message: str, hint: str) -> Problem:
    """At the setting, where it is written down."""
    where = None
    if compute.place is not None:
        with suppress(KeyError, IndexError, TypeError):
            where = compute.place.child(key).position()
        where = where or compute.place.position()
    return Problem(code, message, where, "compute", hint)
