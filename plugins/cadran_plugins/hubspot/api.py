"""HubSpot's API, request by request. Answers come back in one form, however they were asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from cadran.plugins import ConnectorError, Context, DataError, Transient
from cadran.plugins.http import Answer, Http, Limit
from cadran_plugins.hubspot.block import Asked, Block, Links, block, listing, together
from cadran_plugins.hubspot.config import Settings
from cadran_plugins.hubspot.trouble import NotAllowed, judge

#: The longest list of names that goes into an address; with more, the records are asked for by their ids.
_ADDRESS = 6_000
_GENERAL, _SEARCH = Limit(100, 10), Limit(5, 1)
_STILL_TRUE = dt.timedelta(minutes=2)  # for so long what one table asked is good for the next
#: Of all companies of a record, how HubSpot says which one is primary: by number, and by name.
_PRIMARY = {
    ("contacts", "companies"): (1, "contact_to_company"),
    ("deals", "companies"): (5, "deal_to_company"),
}

Linked = dict[str, list[tuple[str, bool]]]


class Api:
    """One account. Search has a bucket of its own: HubSpot counts it apart."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self.version, self.zone = settings.version, ""
        self._peeked: dict[str, ConnectorError | None] = {}
        self._properties: dict[str, list[Mapping[str, Any]]] = {}
        self._clock, self._looked = context.clock, dict[str, tuple[dt.datetime, int, list[str]]]()
        self._listing = cache(listing)
        account = "hubspot:" + hashlib.sha256(settings.token.encode()).hexdigest()[:16]

        def client(name: str, limit: Limit) -> Http:
            return Http(
                context, [settings.host], base=settings.url, headers={"authorization": f"Bearer {settings.token}"},
                limits=[limit], account=name, judge=lambda answer: judge(answer, context.clock, self.zone), timeout=settings.timeout, credential=("token",),
            )  # fmt: skip

        self.http, self._searching = client(account, _GENERAL), client(f"{account}:search", _SEARCH)

    def close(self) -> None:
        self.http.close()
        self._searching.close()

    # --- the account -----------------------------------------------------------------------------------------------------

    def account(self) -> Mapping[str, Any]:
        found = _object(self.http.get("/account-info/v3/details"))
        if found.get("timeZone") in zoneinfo.available_timezones():
            self.zone = str(found["timeZone"])
        return found

    def properties(self, kind: str) -> list[Mapping[str, Any]]:
        if kind not in self._properties:
            self._properties[kind] = _results(self.http.get(f"/crm/v3/properties/{kind}"))[0]
        return self._properties[kind]

    def pipelines(self, kind: str = "deals") -> list[Mapping[str, Any]]:
        return _results(self.http.get(f"/crm/v3/pipelines/{kind}"))[0]

    def owners(self, after: str = "", *, archived: bool = False) -> tuple[list[Mapping[str, Any]], str]:
        params = {"limit": 100, "archived": _bool(archived)} | ({"after": after} if after else {})
        return _results(self.http.get("/crm/v3/owners", params=params))

    # --- records -----------------------------------------------------------------------------------------------------------

    def peek(self, kind: str) -> None:
        """Raises what reading the object would raise; asked once."""
        if kind not in self._peeked:
            try:
                _results(self.http.get(self._path(kind), params={"limit": 1}))
                self._peeked[kind] = None
            except (NotAllowed, DataError) as error:
                self._peeked[kind] = error
        if (found := self._peeked[kind]) is not None:
            raise found

    def page(self, kind: str, asked: Asked, after: str = "", *, archived: bool = False) -> tuple[Block, str]:
        """The records behind ``after`` in the order of their ids, and what to go on with, if there are more."""
        names = ",".join(asked.properties)
        params: dict[str, Any] = {"limit": asked.at_once, "archived": _bool(archived)}
        if after:
            params["after"] = after
        if asked.linked:
            params["associations"] = ",".join(asked.linked)
        fits = len(names) <= _ADDRESS
        if fits and names:
            params["properties"] = names
        if fits and asked.history:
            params["propertiesWithHistory"] = ",".join(asked.history)
        here = asked if fits else Asked(linked=asked.linked)
        answer = self.http.get(self._path(kind), params=params, expect=self._listing(here))
        found, links, following = self._block(answer, here)
        if following and following == after:
            raise DataError(f"HubSpot's pages of {kind} go round in circles: page '{after}' points to itself")
        for other in asked.linked:
            found.links[other] = self._inline(kind, other, found.ids, links[other])
        if not fits:
            full = self.records(kind, asked, found.ids, archived=archived)
            places = {id_: place for place, id_ in enumerate(found.ids)}
            links = found.at([places[id_] for id_ in full.ids if id_ in places]).links
            found = full.at([place for place, id_ in enumerate(full.ids) if id_ in places])
            found.links = links
        return found, following

    def search(
        self, kind: str, filters: Sequence[Mapping[str, str]], asked: Asked, limit: int
    ) -> tuple[Block, bool]:
        """The first that meet all filters, in the order of their ids, without history and links; and whether there are more."""
        by_id = {
            "propertyName": "hs_object_id",
            "direction": "ASCENDING",
        }  # as an object: texts are taken, and not minded
        body = {
            "filterGroups": [{"filters": list(filters)}], "sorts": [by_id], "properties": list(asked.properties),
            "limit": limit, "after": "0",
        }  # fmt: skip
        here = Asked(asked.properties)
        answer = self._searching.post(f"{self._path(kind)}/search", json=body, expect=self._listing(here))
        found, _, following = self._block(answer, here)
        return found, bool(following)

    def lately(self, kind: str, since: int, look: Callable[[], list[str]]) -> list[str]:
        """What ``look`` finds, or what it found a moment ago, from an earlier time on."""
        at, before, found = self._looked.get(kind, (self._clock(), since + 1, []))
        if before > since or self._clock() - at > _STILL_TRUE:
            at, found = self._clock(), look()
            self._looked[kind] = at, since, found
        return found

    def records(self, kind: str, asked: Asked, ids: Sequence[str], *, archived: bool = False) -> Block:
        """Those of these ids that are there, without their links."""
        out: list[Block] = []
        here = Asked(asked.properties, asked.history)
        for start in range(0, len(ids), asked.at_once):
            inputs = [{"id": each} for each in ids[start : start + asked.at_once]]
            body = {"inputs": inputs, "properties": list(asked.properties), "propertiesWithHistory": list(asked.history)}  # fmt: skip
            answer = self.http.post(
                f"{self._path(kind)}/batch/read", params={"archived": _bool(archived)}, json=body, expect=self._listing(here),
            )  # fmt: skip
            out.append(self._block(answer, here)[0])
        return together(out, here)

    def _block(self, answer: Answer, asked: Asked) -> tuple[Block, Mapping[str, Sequence[Any]], str]:
        found = answer.listed(self._listing(asked))
        if found is None:
            raise Transient("HubSpot's answer holds no results")
        return *block(asked, found), _following(found.beside)

    def links(self, kind: str, other: str, ids: Sequence[str]) -> Linked:
        """The records of another object that each is linked to, all of them."""
        out: Linked = {}
        left = [{"id": each} for each in ids]
        while left:
            batch, left = left[:1000], left[1000:]
            answer = self.http.post(f"/crm/v4/associations/{kind}/{other}/batch/read", json={"inputs": batch})
            for each in _results(answer)[0]:
                here = str(each["from"]["id"])
                out.setdefault(here, []).extend(_link(kind, other, link) for link in each["to"])
                if following := _following(each):
                    if {"id": here, "after": following} in batch:
                        raise DataError(
                            f"HubSpot's pages of links go round in circles: '{following}' points to itself"
                        )
                    left.append({"id": here, "after": following})
        return out

    def _inline(self, kind: str, other: str, ids: Sequence[str], found: Sequence[Any]) -> list[Links]:
        """The links that a page of records brings along. Where there are more of one record, they are asked for."""
        _, primary = _PRIMARY.get((kind, other), (0, ""))
        out: list[Links] = [_brought(part, primary) if part else [] for part in found]
        more = [id_ for id_, part in zip(ids, found, strict=True) if part and _following(part)]
        if more:
            whole = self.links(kind, other, more)
            out = [whole.get(id_, links) for id_, links in zip(ids, out, strict=True)]
        return out

    def _path(self, kind: str) -> str:
        return f"/crm/v3/objects/{kind}" if self.version == "v3" else f"/crm/objects/{self.version}/{kind}"


def _link(kind: str, other: str, link: Mapping[str, Any]) -> tuple[str, bool]:
    number, _ = _PRIMARY.get((kind, other), (0, ""))
    types = link.get("associationTypes") or ()
    primary = any(t.get("category") == "HUBSPOT_DEFINED" and t.get("typeId") == number for t in types)
    return str(link["toObjectId"]), primary


def _brought(part: Mapping[str, Any], primary: str) -> list[tuple[str, bool]]:
    links: dict[str, bool] = {}  # one that has several labels stands there several times
    for link in part.get("results") or ():
        id_ = str(link["id"])
        links[id_] = links.get(id_, False) or link.get("type") == primary
    return list(links.items())


def _object(answer: Answer) -> Mapping[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise Transient("HubSpot's answer is not what it should be")
    return found


def _results(answer: Answer) -> tuple[list[Mapping[str, Any]], str]:
    """What an answer lists, and what to go on with."""
    found = _object(answer)
    if not isinstance(found.get("results"), list):
        raise Transient("HubSpot's answer holds no results")
    return found["results"], _following(found)


def _following(found: Mapping[str, Any]) -> str:
    return str(((found.get("paging") or {}).get("next") or {}).get("after") or "")


def _bool(value: bool) -> str:
    return "true" if value else "false"


def first(links: Links) -> str | None:
    """The primary of several, else the one with the lowest id, which was there first."""
    if not links:
        return None
    return min(links, key=lambda link: (not link[1], len(link[0]), link[0]))[0]
