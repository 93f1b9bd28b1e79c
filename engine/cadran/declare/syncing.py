"""``sync:`` of a source whose rows are kept between runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cadran.calendar import Duration
from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Syncing

SYNC = "sync"


def syncing(said: Mapping[str, Any] | None, place: Place, found: Findings) -> Syncing:
    """What is left out, and what cannot be read, is as it is by default."""
    if not said:
        return Syncing()
    lengths = {
        name: _delta(length)
        for name in ("max_age", "lookback", "full_every")
        if (length := values.duration(said.get(name), place.child(name), found)) is not None
    }
    day = said.get("since")
    others: dict[str, Any] = {**lengths}
    others["since"] = None if day is None else values.date(day, place.child("since"), found)
    for name in ("new_columns", "type_change", "keep_deleted"):
        if said.get(name) is not None:
            others[name] = said[name]
    if "missing_column" in said:
        others["missing_column"] = said["missing_column"] or "null"  # YAML's own null is meant so as well
    return Syncing(**others)


def _delta(length: Duration) -> dt.timedelta:
    return dt.timedelta(days=length.days, seconds=length.seconds)
