"""Reading an object's changes query by query, each beginning right behind the last row of the one before.

No cursor of the server's is kept: it runs out, and shows rows as they were or as they are, which nobody can tell. Rows are walked in the
order of their last change, so one that changes meanwhile moves ahead of us and comes again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from cadran.plugins import DataError
from cadran.plugins.http import Listing
from cadran_plugins.salesforce.objects import DELETED, ID, STAMP, Source, Values
from cadran_plugins.salesforce.session import Session
from cadran_plugins.salesforce.trouble import TooMuch

AT_ONCE = 2000  # rows that one answer holds at most
_LONGEST = 14_000  # of a query in an address; Salesforce takes addresses of 16,384 bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Right behind a row."""

    stamp: str
    id: str


@dataclass(frozen=True, slots=True)
class Step:
    """Records, the place behind them, whether there is more, and how many there were from here on when it was asked for all.

    Where that is more than one question may ask for, it is none or all that one answer holds, as another API can be asked, or not."""

    values: Values
    place: Place | None
    done: bool
    total: int


def steps(session: Session, source: Source, since: dt.datetime | None, place: Place | None) -> Iterator[Step]:
    """From the first change in the window, or from a place on."""
    limit, many = 0, 0  # the first answer counts all that there is
    listing = Listing(source.asked, at="records", beside=("done", "totalSize"))
    while True:
        try:
            answer = session.listed(soql(source, since, place, limit), listing)
        except TooMuch as error:
            if limit:
                raise
            session.context.log(f"{source.object}: {error.message}; asking for {AT_ONCE} rows at once")
            limit, many = AT_ONCE, AT_ONCE if error.code == "QUERY_TIMEOUT" else 0
            continue
        values, total = dict(zip(source.asked, answer.columns, strict=True)), answer.beside["totalSize"]
        if not answer.count and not answer.beside["done"]:
            raise DataError(f"Salesforce says that there are more rows of {source.object}, and gives none")
        behind = _behind(source, values) if answer.count else place
        if answer.count and behind == place:
            raise DataError(f"Salesforce gives the same rows of {source.object} again")
        done = bool(answer.beside["done"]) and (not limit or total < limit)
        yield Step(values, behind, done, many if limit else total)
        if done:
            return
        place, limit = behind, AT_ONCE


def soql(
    source: Source,
    since: dt.datetime | None,
    place: Place | None = None,
    limit: int = 0,
    *,
    ordered: bool = True,
) -> str:
    conditions = [f"{DELETED} = false"] if source.binned and since is None else []
    if place is not None and source.stamped:
        conditions += [f"{STAMP} >= {place.stamp}", f"({STAMP} > {place.stamp} OR {ID} > '{place.id}')"]
    elif place is not None:
        conditions.append(f"{ID} > '{place.id}'")
    elif since is not None:
        conditions.append(f"{STAMP} >= {literal(since)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = f" ORDER BY {STAMP}, {ID}" if source.stamped else f" ORDER BY {ID}"
    return f"SELECT {', '.join(source.asked)} FROM {source.object}{where}{order if ordered else ''}{f' LIMIT {limit}' if limit else ''}"


def too_long(source: Source) -> bool:
    """Whether so many fields are asked for that no address holds the query."""
    return len(quote(soql(source, None))) > _LONGEST


def literal(when: dt.datetime) -> str:
    """A time in SOQL, to the second before: that is as exact as Salesforce keeps it."""
    return when.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _behind(source: Source, values: Values) -> Place:
    """The place behind the last row."""
    stamp = literal(dt.datetime.fromisoformat(values[STAMP][-1])) if source.stamped else ""
    return Place(stamp, str(values[ID][-1]))
