"""``.cadran/columns.json``: the columns of remote sources as last seen, so that ``check`` need not ask a server.

The text is sorted, one column a line, so that a team can commit and merge it. It holds names and types of tables and
columns: nothing of where the data lies, and no name that came from the environment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cadran.declare.settings import mask
from cadran.plugins.connector import Column, Table
from cadran.plugins.writing import write_whole

FOLDER, NAME = ".cadran", "columns.json"
_VERSION = 1
Seen = Mapping[str, Mapping[str, Table]]  # source → table → its columns


class Unreadable(Exception):
    """The record is there and says nothing that can be used."""


def read(project: Path) -> Seen:
    """What was last seen; empty where there is no record. Raises Unreadable."""
    try:
        text = (project / FOLDER / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from error
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise Unreadable(f"it is not of version {_VERSION}")
    try:
        return {
            source: {name: _table(name, columns) for name, columns in tables.items()}
            for source, tables in data["sources"].items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable("it does not have the form of this file") from error


def _table(name: str, columns: Mapping[str, str]) -> Table:
    if not all(isinstance(kind, str) for kind in columns.values()):
        raise TypeError
    return Table(name, tuple(Column(column, kind) for column, kind in columns.items()))


def write(project: Path, seen: Seen, secrets: Iterable[str]) -> None:
    """Replaces the record, unless it says the same already. Raises OSError."""
    hidden = list(secrets)
    kept = {
        source: {
            name: {c.name: c.type for c in sorted(table.columns, key=lambda c: c.name)}
            for name, table in sorted(tables.items())
            if mask(name, hidden) == name
        }
        for source, tables in sorted(seen.items())
    }
    text = json.dumps({"version": _VERSION, "sources": kept}, indent=2, ensure_ascii=False) + "\n"
    file = project / FOLDER / NAME
    try:
        if file.read_text(encoding="utf-8") == text:
            return
    except (OSError, ValueError):
        pass
    write_whole(file.parent, NAME, text.encode())


def add(project: Path, seen: Seen, secrets: Iterable[str]) -> None:
    """Takes tables in beside those that are there. What cannot be read or written is let be: it is only a help."""
    if not seen:
        return
    try:
        before = read(project)
        write(
            project, {**before, **{s: {**before.get(s, {}), **tables} for s, tables in seen.items()}}, secrets
        )
    except (OSError, Unreadable):
        return


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
