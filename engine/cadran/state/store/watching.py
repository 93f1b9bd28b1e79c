"""The store at a glance, for who watches over it: what lies in the outbox, what fires, when each job was last done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from cadran.state.store.tables import alert, delivery, run


@dataclass(frozen=True, slots=True)
class Glance:
    """``outbox`` counts messages by state, ``done`` has the newest logical time that was done by job; ``due`` is when the
    outbox has something to do next."""

    outbox: Mapping[str, int] = field(default_factory=dict)
    firing: int = 0
    done: Mapping[str, dt.datetime] = field(default_factory=dict)
    due: dt.datetime | None = None


def glance(c: Connection) -> Glance:
    outbox = select(delivery.c.state, func.count()).group_by(delivery.c.state)
    firing = select(func.count()).select_from(alert).where(alert.c.state == "firing")
    done = select(run.c.job, func.max(run.c.logical_time)).where(run.c.state == "done").group_by(run.c.job)
    due = select(func.min(delivery.c.due)).where(delivery.c.state.in_(("waiting", "retry")))
    return Glance(
        {row[0]: row[1] for row in c.execute(outbox)}, c.execute(firing).scalar_one(),
        {row[0]: row[1] for row in c.execute(done)}, c.execute(due).scalar(),
    )  # fmt: skip
