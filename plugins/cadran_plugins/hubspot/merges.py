"""Records that were merged: both are gone at once, and only the new one that took them in says so."""

from __future__ import annotations

from cadran.plugins import Transient
from cadran_plugins.hubspot.api import Api
from cadran_plugins.hubspot.block import Asked, Block
from cadran_plugins.hubspot.trouble import NotAllowed

_MAY_MERGE = ("contacts", "companies", "deals")
_SEARCHED = 200


def noting(kind: str) -> tuple[str, ...]:
    """The properties that say which ids a record took in: ``12;34``, and in contacts also ``12:1700000000000;34:…``."""
    if kind not in _MAY_MERGE:
        return ()
    return ("hs_merged_object_ids", *(("hs_calculated_merged_vids",) if kind == "contacts" else ()))


def merged(kind: str, records: Block) -> list[str]:
    """Ids of records that were merged into these: HubSpot shows them nowhere else."""
    noted = [ids for name in noting(kind) for ids in records.values.get(name, ()) if ids]
    own = set(records.ids) if noted else ()
    found = (gone.split(":")[0].strip() for ids in noted for gone in ids.split(";"))
    return [gone for gone in dict.fromkeys(found) if gone and gone not in own]


def merged_since(api: Api, kind: str, cursor: str, since: int) -> list[str]:
    """Ids of records that took others in, among those changed from ``since`` (milliseconds) on; none where the token may not look."""

    def look() -> list[str]:
        found: dict[str, None] = {}
        there = {str(each["name"]) for each in api.properties(kind)} if noting(kind) else ()
        for name in noting(kind):
            if name not in there:
                continue  # a search for a property that is not there is refused
            above, more = "0", True
            while more:
                filters = [
                    {"propertyName": cursor, "operator": "GTE", "value": str(since)},
                    {"propertyName": "hs_object_id", "operator": "GT", "value": above},
                    {"propertyName": name, "operator": "HAS_PROPERTY"},
                ]
                records, more = api.search(kind, filters, Asked(), _SEARCHED)
                if more and (not records or int(records.ids[-1]) <= int(above)):
                    raise Transient(f"HubSpot's search of merged {kind} does not come to an end")
                found.update(dict.fromkeys(records.ids))
                above = records.ids[-1] if records else above
        return list(found)

    try:
        return api.lately(kind, since, look)
    except NotAllowed:
        return []
