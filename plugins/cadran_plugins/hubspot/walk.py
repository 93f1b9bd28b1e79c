"""The way through all records of an object, or through those that have changed, page by page, and on from any page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cadran.plugins import DataError, ResumeExpired, Transient, Window
from cadran_plugins.hubspot.api import Api
from cadran_plugins.hubspot.block import Asked, Block
from cadran_plugins.hubspot.merges import merged_since
from cadran_plugins.hubspot.trouble import Refused

#: How far search is behind what was written, with room to spare.
LOOKBACK = dt.timedelta(minutes=10)
_SEARCHED = 200
_PLACES = ("live", "linked", "bin", "end")


@dataclass(frozen=True, slots=True)
class Step:
    """A page: records that are there, or that lie in the recycling bin; ``resume`` is what the next page begins with."""

    records: Block
    gone: bool
    resume: Mapping[str, Any]


def cursor(kind: str) -> str:
    return "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"


def lookback(api: Api) -> dt.timedelta:
    """What is seen last is told by HubSpot's clock, and held against ours: where ours is ahead, reading begins again earlier by as much."""
    ahead = -api.http.skew
    return LOOKBACK + dt.timedelta(
        minutes=ahead // dt.timedelta(minutes=1) + 1 if ahead > dt.timedelta(minutes=1) else 0
    )


def walk(
    api: Api,
    kind: str,
    asked: Asked,
    window: Window,
    resume: Mapping[str, Any] | None = None,
    *,
    binned: bool = True,
) -> Iterator[Step]:
    """First what is there, then what is linked to records that were merged since, then (where ``binned`` is wanted) what was archived.

    Pages are told by ids, never by positions: a record that changes while others are read stays where it is. Search gives its hits in
    the order of their ids as well, each time the first behind the last one, so that none of its 10,000 hits a query stands in the way.
    """
    at = dict(resume) if resume is not None else {"at": "live"}
    if at.get("at") not in _PLACES or not all(isinstance(v, str) for v in at.values()):
        raise ResumeExpired(f"{kind}: this is no place to go on from")
    if at["at"] == "live":
        after = "end" if not binned else "linked" if asked.linked and not window.whole else "bin"
        steps = _listed(api, kind, asked, at) if window.whole else _searched(api, kind, asked, window, at)
        for records, following in steps:
            at = {"at": "live", **following} if following else {"at": after}
            yield Step(records, False, at)
    if at["at"] == "linked":
        for records, following in _relinked(api, kind, asked, window, at):
            at = {"at": "linked", **following} if following else {"at": "bin"}
            yield Step(records, False, at)
        at = {"at": "bin"}
    if at["at"] == "bin":
        since = None if window.whole else _since(window)
        only = replace(asked, linked=())  # nothing in the bin is linked to anything
        for records, following in _listed(api, kind, only, at, archived=True):
            if since is not None:
                lately = [place for place, at_ in enumerate(records.archived_at) if _after(at_, since)]
                records = records.at(lately)
            yield Step(records, True, {"at": "bin", **following} if following else {"at": "end"})


def _listed(
    api: Api, kind: str, asked: Asked, at: Mapping[str, str], *, archived: bool = False
) -> Iterator[tuple[Block, Mapping[str, str]]]:
    after, first = at.get("after", ""), True
    while True:
        try:
            records, following = api.page(kind, asked, after, archived=archived)
        except Refused as error:
            if first and after and error.status == 400:
                raise ResumeExpired(f"HubSpot does not know any more where reading {kind} stood") from None
            raise
        yield records, {"after": following} if following else {}
        if not following:
            return
        after, first = following, False


def _searched(
    api: Api, kind: str, asked: Asked, window: Window, at: Mapping[str, str]
) -> Iterator[tuple[Block, Mapping[str, str]]]:
    by, above = cursor(kind), _above(kind, at)
    bounds = [{"propertyName": by, "operator": "GTE", "value": str(_millis(_since(window)))}]
    if window.until is not None:  # by HubSpot's clock; what changes from then on is for the next time
        bounds.append(
            {"propertyName": by, "operator": "LTE", "value": str(_millis(window.until + api.http.skew))}
        )
    while True:
        behind = {"propertyName": "hs_object_id", "operator": "GT", "value": above}
        records, more = api.search(kind, [*bounds, behind], asked, 100 if asked.history else _SEARCHED)
        ids = list(map(int, records.ids))
        if any(one >= other for one, other in zip([int(above), *ids], ids, strict=False)):
            raise DataError(f"HubSpot's search of {kind} gives its pages out of order, or one of them twice")
        if asked.history:
            wanted = set(records.ids)
            full = api.records(kind, asked, sorted(wanted, key=int))
            records = full.at([place for place, id_ in enumerate(full.ids) if id_ in wanted])
        if more and not ids:
            raise Transient(f"HubSpot's search of {kind} says that there is more, and gives nothing")
        _link(api, kind, asked, records)
        above = str(ids[-1]) if ids else above
        yield records, {"above": above} if more else {}
        if not more:
            return


def _relinked(
    api: Api, kind: str, asked: Asked, window: Window, at: Mapping[str, str]
) -> Iterator[tuple[Block, Mapping[str, str]]]:
    """Records whose other ends were merged: they are not changed by it, and name ids that are there no more."""
    above = int(_above(kind, at))
    found: set[int] = set()
    for other in asked.linked:
        into = merged_since(api, other, cursor(other), _millis(_since(window)))
        links = api.links(other, kind, into) if into else {}
        found.update(int(id_) for each in links.values() for id_, _ in each)
    left = sorted(id_ for id_ in found if id_ > above)
    while left:
        now, left = left[: asked.at_once], left[asked.at_once :]
        records = api.records(kind, asked, [str(id_) for id_ in now])
        _link(api, kind, asked, records)
        yield records, {"above": str(now[-1])} if left else {}


def _link(api: Api, kind: str, asked: Asked, records: Block) -> None:
    for other in asked.linked:
        found = api.links(kind, other, records.ids) if records else {}
        records.links[other] = [found.get(id_, []) for id_ in records.ids]


def _above(kind: str, at: Mapping[str, str]) -> str:
    if not (above := at.get("above", "0")).isdigit():
        raise ResumeExpired(f"{kind}: this is no place to go on from")
    return above


def _since(window: Window) -> dt.datetime:
    if not isinstance(window.since, dt.datetime):
        raise ResumeExpired("the time of the last read is not known any more")
    return window.since


def _millis(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)


def _after(text: str, since: dt.datetime) -> bool:
    """Where it is not said when a record was archived, it may be lately."""
    try:
        return not text or dt.datetime.fromisoformat(text) >= since
    except ValueError:
        return True
