"""Which scans share their passes; those that cannot are handed back, to be made by statements of their own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from cadran.compute.loading.embedded import QueryError
from cadran.compute.scanning.scan import Scan
from cadran.compute.shared import intervals
from cadran.compute.shared.group import Group
from cadran.compute.shared.intervals import IntervalGroup
from cadran.compute.shared.run import Run
from cadran.compute.shared.timeline import Unshareable

Kind = type[Group] | type[IntervalGroup]


def share(run: Run, scans: Sequence[Scan]) -> list[Scan]:
    """Makes the tables of all scans that can share; returns the others."""
    groups: dict[tuple[Kind, str, exp.Expr | None], list[Scan]] = {}
    left: list[Scan] = []
    for scan in scans:
        kind = _kind(run, scan)
        if kind is None:
            left.append(scan)
        else:
            groups.setdefault((kind, scan.dataset, scan.date), []).append(scan)
    for (kind, _, _), group in groups.items():
        left += _make(run, group, kind)
    return left


def _kind(run: Run, scan: Scan) -> Kind | None:
    """The kind of group that a scan can be in."""
    if not scan.spans:
        return None
    if scan.timing == "flow":
        return Group
    if run.builder.rows.model.datasets[scan.dataset].snapshot or not intervals.shares(run, scan):
        return None
    return IntervalGroup


def _make(run: Run, scans: Sequence[Scan], kind: Kind) -> list[Scan]:
    """Whatever DuckDB refuses here is tried again by each scan's own statement, which says what is wrong."""
    try:
        group = kind(run, scans)
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
