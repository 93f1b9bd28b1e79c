"""Which records have changed: lists that are walked by id, so that no record moves while they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cadran.plugins import ResumeExpired, Transient, Window
from cadran.plugins.http import Http, Listing
from cadran_plugins.pipedrive.api import Some, listed, some
from cadran_plugins.pipedrive.tables import Kind

PAGE = 500  # the most that a list gives at a time
_AGAIN = 5  # so often a list of places is begun once more
#: Leads of one moment come in no order of their own, and not in the same one each time.
_SORT = "update_time ASC, id ASC"
#: For how long Pipedrive tells of deleted deals, and a day less, so that none slips through.
TOLD_OF_DELETED = dt.timedelta(days=29)


@dataclass(frozen=True, slots=True)
class Step:
    """One list to walk through; ``gone``: what stands in it is deleted."""

    path: str
    params: Mapping[str, Any]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one answer, and where reading goes on behind them."""

    records: Some
    gone: bool
    resume: dict[str, Any]


def stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def steps(kind: Kind, window: Window) -> list[Step]:
    """Live ones, then archived ones, then deleted ones: what is archived or deleted meanwhile still comes, in the later list.

    Deleted ones are asked for without a time: there are few, and nobody says that deleting counts as a change.
    """
    base: dict[str, Any] = {"sort_by": "id", "sort_direction": "asc"}
    if kind.more:
        base["include_fields"] = kind.more
    since = {} if window.since is None else {"updated_since": stamp(window.since)}
    paths = [path for path in (kind.path, kind.archived) if path]
    out = [Step(path, {**base, **since}) for path in paths]
    if kind.deleted and window.state is not None:
        out += [Step(path, {**base, "status": "deleted"}, gone=True) for path in paths]
    return out


def place(resume: Mapping[str, Any] | None, lists: int) -> tuple[int, dict[str, Any]]:
    """Which list reading goes on in, and where in it. Raises ResumeExpired for what this connector has not written."""
    if resume is None:
        return 0, {}
    number = resume.get("list")
    within = {key: value for key, value in resume.items() if key in ("cursor", "since", "start", "last")}
    kinds = {"cursor": str, "since": str, "start": int, "last": str}
    if not isinstance(number, int) or not 0 <= number <= lists or not all(isinstance(v, kinds[k]) for k, v in within.items()):  # fmt: skip
        raise ResumeExpired("where reading stood cannot be told")
    return number, within


def walk(http: Http, todo: list[Step], resume: Mapping[str, Any] | None, size: int, wanted: Listing) -> Iterator[Chunk]:  # fmt: skip
    """All lists, from where ``resume`` says."""
    first, within = place(resume, len(todo))
    cursor = within.get("cursor", "")
    for number, step in enumerate(todo[first:], first):
        for records, after in listed(http, step.path, step.params, wanted, cursor, size):
            yield Chunk(records, step.gone, {"list": number, "cursor": after} if after else {"list": number + 1})  # fmt: skip
        cursor = ""


def check_age(window: Window, now: dt.datetime) -> None:
    """Raises where deals may have been deleted of which Pipedrive does not tell any more."""
    if window.state is None:  # the whole table, or all of it since a day that somebody chose
        return
    try:
        last = dt.datetime.fromisoformat(str(window.state["read"])).astimezone(dt.UTC)
    except (KeyError, ValueError):
        raise ResumeExpired("when the last sync was cannot be told") from None
    if now - last > TOLD_OF_DELETED:
        raise ResumeExpired("the last sync is over 29 days old, and Pipedrive tells of deleted deals for 30 days only")  # fmt: skip


def leads(http: Http, kind: Kind, window: Window, resume: Mapping[str, Any] | None, wanted: Listing) -> Iterator[Chunk]:  # fmt: skip
    """Leads of both lists. They have no cursors but places, which move as rows go. A row may come twice, none is skipped."""
    first, within = place(resume, 2)
    since = "1970-01-01T00:00:00Z" if window.since is None else stamp(window.since)
    if first == 0:
        yield from _leads(http, kind.path, 0, within.get("since", since), within.get("start", 0), wanted)
        within = {}
    if first <= 1:
        yield from _archived(http, kind.archived, 1, within.get("start", 0), within.get("last", ""), wanted)


def _archived(http: Http, path: str, number: int, start: int, last: str, wanted: Listing) -> Iterator[Chunk]:
    """Archived leads can be asked for from no time on. So each page begins with the last lead of the one before: where another stands in its place,
    some are no longer in the list, those behind have moved up, and it is begun once more."""
    again = 0
    while True:
        begin = start - 1 if last else 0
        page = some(http, path, {"sort": _SORT, "start": begin, "limit": PAGE}, wanted)
        ids = page.values[("id",)]
        if last and not (page.count and ids[0] == last):
            again += 1
            if again > _AGAIN:
                raise Transient("archived leads of Pipedrive come and go while they are read")
            start, last = 0, ""
            continue
        new = page.behind(1) if last else page
        if not (_more(page) and new.count):
            yield Chunk(new, False, {"list": number + 1})
            return
        start, last = begin + page.count, str(ids[-1])
        yield Chunk(new, False, {"list": number, "start": start, "last": last})


def _more(page: Some) -> bool:
    """Whether v1 says that more follows."""
    paging = (page.beside.get("additional_data") or {}).get("pagination") or {}
    return bool(paging.get("more_items_in_collection"))


def _leads(http: Http, path: str, number: int, since: str, start: int, wanted: Listing) -> Iterator[Chunk]:
    """Each page is asked for anew from the second in which the last row of the one before changed."""
    while True:
        asked = {"sort": _SORT, "updated_since": since, "start": start, "limit": PAGE}
        page = some(http, path, asked, wanted)
        if not _more(page):
            yield Chunk(page, False, {"list": number + 1})
            return
        last = _second(str(page.values[("update_time",)][-1])) if page.count else since
        since, start = (last, 0) if last > since else (since, start + page.count)
        yield Chunk(page, False, {"list": number, "since": since, "start": start})


def _second(text: str) -> str:
    return stamp(dt.datetime.fromisoformat(text))
