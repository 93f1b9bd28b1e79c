"""The last sync of a source that failed, kept beside its copy: a run over rows that are young enough says so all the same."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cadran.state import durable
from cadran.sync.places import Places


@dataclass(frozen=True, slots=True)
class Failure:
    """When it was, what was said (without secrets), and of which tables."""

    at: dt.datetime
    message: str
    tables: tuple[str, ...]


def write(places: Places, failure: Failure) -> None:
    """Beside a copy that is there. It is worth no error: where nothing can be written, the next sync says more."""
    content = {
        "at": failure.at.isoformat(),
        "message": failure.message,
        "tables": list(failure.tables),
    }
    with suppress(OSError):
        durable.write(_file(places), json.dumps(content, ensure_ascii=False).encode())


def read(places: Places) -> Failure | None:
    """None where none failed, and where that cannot be told."""
    try:
        raw = json.loads(_file(places).read_text(encoding="utf-8"))
        at = dt.datetime.fromisoformat(raw["at"])
        return Failure(at, str(raw["message"]), tuple(map(str, raw["tables"]))) if at.tzinfo else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _file(places: Places) -> Path:
    return places.folder / "failed.json"


def of(at: dt.datetime, failed: Sequence[tuple[str, str]]) -> Failure:
    """From table and message of each that failed."""
    messages = dict.fromkeys(message for _, message in failed)
    return Failure(at, "; ".join(messages), tuple(table for table, _ in failed))
