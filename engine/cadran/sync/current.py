"""``current.json``: which files are the tables of a source now. It is replaced as a whole, so readers need no lock."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cadran.plugins.connector import Column, Rejected
from cadran.state import durable
from cadran.sync.places import Places

_FORMAT = 1


class Unreadable(Exception):
    """The file is there and says nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One table as runs read it. ``content`` is a digest of its file and of what was set aside, ``config`` one of the settings of its sync."""

    file: str
    content: str
    version: int
    rows: int
    synced_at: dt.datetime
    columns: tuple[Column, ...]
    aside: int = 0
    cursor: str = ""
    with_deleted: bool = False
    config: str = ""

    def to_json(self) -> dict[str, Any]:
        out = asdict(self) | {"synced_at": self.synced_at.isoformat()}
        return out | {"columns": [[c.name, c.type] for c in self.columns]}

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Shown:
        columns = tuple(Column(str(name), str(kind)) for name, kind in raw["columns"])
        when = dt.datetime.fromisoformat(raw["synced_at"])
        return cls(**{**raw, "columns": columns, "synced_at": when})


@dataclass(frozen=True, slots=True)
class Current:
    """``old`` are files that were tables once, and until when: a run may still read them."""

    tables: Mapping[str, Shown] = field(default_factory=dict)
    old: Mapping[str, dt.datetime] = field(default_factory=dict)


def read(places: Places) -> Current:
    """Nothing where the source was never synced. Raises Unreadable."""
    try:
        raw = json.loads(places.current.read_text(encoding="utf-8"))
        if raw["format"] != _FORMAT:
            raise Unreadable(f"it is of another version of cadran (format {raw['format']})")
        tables = {name: Shown.read(shown) for name, shown in raw["tables"].items()}
        return Current(tables, {file: dt.datetime.fromisoformat(when) for file, when in raw["old"].items()})
    except FileNotFoundError:
        return Current()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable("it does not have the form of this file") from error


def write(places: Places, current: Current) -> None:
    """Raises OSError."""
    content = {
        "format": _FORMAT,
        "tables": {name: shown.to_json() for name, shown in sorted(current.tables.items())},
        "old": {file: when.isoformat() for file, when in sorted(current.old.items())},
    }
    durable.write(places.current, json.dumps(content, indent=1, ensure_ascii=False).encode())


def aside_file(table: Path) -> Path:
    """Beside a table's file: the records that were set aside."""
    return table.with_suffix(".aside.json")


def read_aside(table: Path) -> list[Rejected]:
    """Raises OSError, and ValueError where the file is damaged."""
    raw = json.loads(aside_file(table).read_text(encoding="utf-8"))
    return [Rejected(place, reason) for place, reason in raw]
