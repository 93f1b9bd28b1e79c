"""Which scans share their passes; those that cannot are handed back, to be made by statements of their own."""

from __future__ import annotations

from collections.abc import Sequence

from cadran.compute.embedded import QueryError
from cadran.compute.scan import Scan
from cadran.compute.shared.group import Group, Run
from cadran.compute.shared.timeline import Unshareable


def share(run: Run, scans: Sequence[Scan]) -> list[Scan]:
    """Makes the tables of all scans that can share; returns the others."""
    groups: dict[tuple[object, ...], list[Scan]] = {}
    left: list[Scan] = []
    for scan in scans:
        if scan.timing == "flow" and scan.spans:
            groups.setdefault((scan.dataset, scan.date), []).append(scan)
        else:
            left.append(scan)
    for group in groups.values():
        left += _make(run, group)
    return left


def _make(run: Run, scans: Sequence[Scan]) -> list[Scan]:
    """Whatever DuckDB refuses here is tried again by each scan's own statement, which says what is wrong."""
    try:
        group = Group(run, scans)
        group.prepare()
    except (Unshareable, QueryError):
        return list(scans)
    left = []
    for scan in scans:
        try:
            group.make(scan)
        except (Unshareable, QueryError):
            run.session.drop([scan.spans_table, scan.name])
            left.append(scan)
    return left
