"""Silences in the store. Nothing is ever deleted: one that is over, or that somebody ended, stays readable."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from cadran.state.alerting import Silence
from cadran.state.store.tables import silence


def add(c: Connection, one: Silence, now: dt.datetime) -> Silence:
    """The silence with its number."""
    values = {
        "matchers": json.dumps(one.matchers, ensure_ascii=False, sort_keys=True), "starts": one.starts, "until": one.until,
        "reason": one.reason, "author": one.author, "created": now,
    }  # fmt: skip
    number = c.execute(insert(silence).values(**values)).inserted_primary_key
    assert number is not None
    return _silence(c.execute(select(silence).where(silence.c.id == number[0])).one())


def listed(c: Connection, now: dt.datetime | None = None) -> list[Silence]:
    """All silences, or those that are not over ``now`` (some may not have begun)."""
    found = [_silence(row) for row in c.execute(select(silence).order_by(silence.c.id))]
    return (
        found
        if now is None
        else [s for s in found if now < s.until and (s.expired is None or now < s.expired)]
    )


def expire(c: Connection, number: int, now: dt.datetime) -> Silence | None:
    """Ends a silence; None where there is none of this number that is not over."""
    found = next((s for s in listed(c, now) if s.number == number), None)
    if found is None:
        return None
    c.execute(update(silence).where(silence.c.id == number).values(expired=now))
    return _silence(c.execute(select(silence).where(silence.c.id == number)).one())


def _silence(row: Row[Any]) -> Silence:
    matchers = {name: tuple(values) for name, values in json.loads(row.matchers).items()}
    return Silence(matchers, row.starts, row.until, row.reason, row.author, row.id, row.created, row.expired)
