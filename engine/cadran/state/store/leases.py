"""Who is busy with what, until when: a courtesy between machines, so that not all do the same work to throw it away."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, or_, select, update

from cadran.state.store.adding import unless_there
from cadran.state.store.tables import lease as leases


def take(c: Connection, name: str, holder: str, now: dt.datetime, seconds: float) -> bool:
    """Whether ``holder`` has the lease from now on, for so many seconds: it was free, had run out, or was its own."""
    until = now + dt.timedelta(seconds=seconds)
    free = or_(leases.c.holder == holder, leases.c.until <= now)
    taken = c.execute(update(leases).where(leases.c.name == name, free).values(holder=holder, until=until))
    if taken.rowcount:
        return True
    new = c.execute(unless_there(c, leases).values(name=name, holder=holder, until=until))
    return bool(new.rowcount)


def held(c: Connection, name: str, now: dt.datetime) -> bool:
    """Whether somebody has the lease."""
    return (
        c.execute(select(leases.c.until).where(leases.c.name == name, leases.c.until > now)).first()
        is not None
    )


def release(c: Connection, name: str, holder: str) -> None:
    """Gives a lease back; one that somebody else has taken since stays theirs."""
    c.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def until(c: Connection, name: str) -> dt.datetime | None:
    """When a lease runs out, or ran out; None where nobody has taken it."""
    found: dt.datetime | None = c.execute(select(leases.c.until).where(leases.c.name == name)).scalar()
    return found
