"""A KPI that goes by another name keeps what was observed of it."""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import Connection, bindparam, exists, select, update

from cadran.state.store.tables import observation as o

_KEY = (o.c.grain, o.c.period, o.c.segment, o.c.segment_value)


def rename(c: Connection, old: str, new: str) -> None:
    """What was observed under the old name is the new one's; where both have revisions, they follow each other by time."""
    if not c.execute(select(exists().where(o.c.kpi == old))).scalar():
        return
    if c.execute(select(exists().where(o.c.kpi == new))).scalar():
        _merge(c, old, new)
    else:
        c.execute(update(o).where(o.c.kpi == old).values(kpi=new))


def _merge(c: Connection, old: str, new: str) -> None:
    """Rare: somebody wrote ``renamed_from`` only after runs had recorded the KPI under its new name."""
    query = select(o.c.id, o.c.known, *_KEY).where(o.c.kpi.in_([old, new]))
    rows = c.execute(query.order_by(*_KEY, o.c.known, o.c.kpi == new, o.c.revision)).all()
    numbered = []
    for _, group in groupby(rows, key=lambda row: row[2:]):
        found = list(group)
        ends = [row.known for row in found[1:]] + [None]
        numbered += [
            {"number": row.id, "place": n, "end": end}
            for n, (row, end) in enumerate(zip(found, ends, strict=True), start=1)
        ]
    # No two may have the same number at any moment, so all leave the place that they had first.
    c.execute(update(o).where(o.c.kpi.in_([old, new])).values(revision=-o.c.id, kpi=new))
    statement = update(o).where(o.c.id == bindparam("number"))
    c.execute(statement.values(revision=bindparam("place"), until=bindparam("end")), numbered)
