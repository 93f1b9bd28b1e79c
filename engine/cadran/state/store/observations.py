"""What KPIs were, and when that was known: each value that differs from the one before is a revision of its own."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from cadran.state.store.kinds import Number
from cadran.state.store.renaming import rename
from cadran.state.store.tables import observation as observations

#: Sums of floats come out a little different each time, as rows are added in another order: that is no news.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Observed:
    """A KPI's value for one period and segment value; once it is recorded, also which revision it is and when that held.

    ``known`` is the logical time of the run that saw it first, ``until`` that of the one that saw another value (None: it is
    the newest), ``recorded`` when it was written down. ``ends`` is the period's last day.
    """

    kpi: str
    grain: str
    period: str
    ends: dt.date | None
    segment: tuple[str, ...]
    segment_value: tuple[str, ...]
    value: Number | None
    base: Number | None
    target: Number | None
    target_high: Number | None
    status: str
    state: str  # settling, maturing or final
    revision: int = 0
    known: dt.datetime | None = None
    until: dt.datetime | None = None
    recorded: dt.datetime | None = None

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
        """What it is the value of, among those of its KPI."""
        return self.grain, self.period, self.segment, self.segment_value

    def says_what(self, other: Observed) -> bool:
        """Whether both say the same."""
        numbers = ("value", "base", "target", "target_high")
        return (self.status, self.state) == (other.status, other.state) and all(
            same(getattr(self, name), getattr(other, name)) for name in numbers
        )


@dataclass(frozen=True, slots=True)
class Restated:
    """A period that was final, and whose value is another one now."""

    before: Observed
    after: Observed


class Result(Protocol):
    """What is read of a row of results; ``state`` may be ``open``."""

    kpi: str
    grain: str
    period: str
    period_end: dt.date | None
    segment: tuple[str, ...]
    segment_value: tuple[str, ...]
    value: Number | None
    base: Number | None
    target: Number | None
    target_high: Number | None
    status: Any
    state: Any


_COLUMNS = [observations.c[field.name] for field in fields(Observed)]


def of_rows(rows: Iterable[Result], since: dt.date | None = None) -> list[Observed]:
    """Rows of results as they are recorded: not what is still running, nor periods that ended before ``since``."""
    return [
        Observed(
            r.kpi, r.grain, r.period, r.period_end, r.segment, r.segment_value, r.value, r.base, r.target, r.target_high,
            r.status, r.state,
        )
        for r in rows
        if r.state != "open" and (since is None or r.period_end is None or r.period_end >= since)
    ]  # fmt: skip


def same(one: Number | None, other: Number | None) -> bool:
    """Exact numbers as they are, others but for what the order of a sum brings."""
    if one is None or other is None:
        return one is other
    if not isinstance(one, float) and not isinstance(other, float):
        return one == other
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


# --- writing ---------------------------------------------------------------------------------------------------------


def record(
    c: Connection, run: int | None, rows: Iterable[Observed], known: dt.datetime, recorded: dt.datetime,
    renamed: Mapping[str, str] | None = None, listed: Mapping[str, Collection[tuple[str, ...]]] | None = None,
) -> list[Restated]:  # fmt: skip
    """Writes down what differs from what is known; gives the periods that were final and have another value now.

    ``known`` is the run's logical time, ``recorded`` the time by the clock, ``renamed`` KPI → the name that it had before,
    ``listed`` KPI → the segments of which the rows hold every value: one that is missing has no rows any more.
    What a run of an earlier logical time brings behind a later one is no news and is passed over.
    """
    new: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    restated: list[Restated] = []
    for kpi, found in groupby(sorted(rows, key=lambda r: r.kpi), key=lambda r: r.kpi):
        if renamed and kpi in renamed:
            rename(c, renamed[kpi], kpi)
        group = list(found)
        before = _newest(c, kpi, group)
        group += _gone(group, before, (listed or {}).get(kpi, ()))
        for row in group:
            number, last = before.get(row.key, (0, None))
            if last is not None:
                assert last.known is not None
                if last.known > known or row.says_what(last):
                    continue
                ended.append({"number": number, "later": known})
                if last.state == "final" and not same(row.value, last.value):
                    restated.append(_restated(last, row, known, recorded))
            new.append(_values(row, last.revision + 1 if last else 1, known, recorded, run))
    if ended:
        statement = update(observations).where(observations.c.id == bindparam("number"))
        c.execute(statement.values(until=bindparam("later")), ended)
    if new:
        c.execute(insert(observations), new)
    return restated


def _newest(c: Connection, kpi: str, rows: Sequence[Observed]) -> dict[tuple[Any, ...], tuple[int, Observed]]:
    """The newest revision by key, with its id, of the stretch of periods that the rows are about."""
    labels: dict[str, list[str]] = {}
    for row in rows:
        labels.setdefault(row.grain, []).append(row.period)
    wanted = [
        and_(observations.c.grain == grain, observations.c.period.between(min(periods), max(periods)))
        for grain, periods in labels.items()
    ]
    query = select(observations.c.id, *_COLUMNS).where(
        observations.c.kpi == kpi, observations.c.until.is_(None), or_(*wanted)
    )
    found = ((number, Observed(*values)) for number, *values in c.execute(query))
    return {seen.key: (number, seen) for number, seen in found}


def _gone(
    rows: Sequence[Observed], before: Mapping[tuple[Any, ...], tuple[int, Observed]], listed: Collection[tuple[str, ...]]
) -> list[Observed]:  # fmt: skip
    """Segment values that had a figure in a period that was computed again, and are not listed in it now."""
    there = {row.key for row in rows}
    totals = {(row.grain, row.period): row for row in rows if not row.segment}
    return [
        replace(
            last, value=None, base=None, target=None, target_high=None, status="no_data", state=total.state
        )
        for key, (_, last) in before.items()
        if last.value and last.segment in listed and key not in there
        if (total := totals.get((last.grain, last.period)))
    ]


def _restated(before: Observed, after: Observed, known: dt.datetime, recorded: dt.datetime) -> Restated:
    now = replace(after, revision=before.revision + 1, known=known, recorded=recorded)
    return Restated(replace(before, until=known), now)


def _values(
    row: Observed, revision: int, known: dt.datetime, recorded: dt.datetime, run: int | None
) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return values | {"revision": revision, "known": known, "until": None, "recorded": recorded, "run": run}


# --- reading ---------------------------------------------------------------------------------------------------------


def history(
    c: Connection, kpi: str, known_at: dt.datetime | None = None, *, before: str = "", period: str = "", grain: str = "",
    segment: tuple[str, ...] | None = None, segment_value: tuple[str, ...] | None = None,
) -> list[Observed]:  # fmt: skip
    """All revisions that were known at a time (default: now), by grain, period, segment value and revision.

    The last of each is what held then; its ``until`` is None even where a later run saw another value. ``before`` is a name
    that the KPI had; ``period`` a label, ``segment`` () the total.
    """
    query = select(*_COLUMNS).where(observations.c.kpi.in_([kpi, before] if before else [kpi]))
    for column, wanted in (
        (observations.c.period, period or None), (observations.c.grain, grain or None), (observations.c.segment, segment),
        (observations.c.segment_value, segment_value),
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if known_at is not None:
        query = query.where(observations.c.known <= known_at)
    return list(_as_known([Observed(*row) for row in c.execute(query)], kpi, known_at))


def _as_known(found: list[Observed], kpi: str, known_at: dt.datetime | None) -> Iterator[Observed]:
    found.sort(
        key=lambda o: (
            o.grain,
            o.ends or dt.date.max,
            o.period,
            o.segment,
            o.segment_value,
            o.known,
            o.revision,
        )
    )
    for _, group in groupby(found, key=lambda o: o.key):
        for number, seen in enumerate(group, start=1):
            until = seen.until
            if until is not None and known_at is not None and until > known_at:
                until = None
            yield replace(seen, kpi=kpi, revision=number, until=until)


def first_known(c: Connection, kpi: str, before: str = "") -> dt.datetime | None:
    """The logical time of the first run that recorded the KPI, also under the name that it had before."""
    query = select(func.min(observations.c.known)).where(
        observations.c.kpi.in_([kpi, before] if before else [kpi])
    )
    return c.execute(query).scalar()
