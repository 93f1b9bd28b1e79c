"""Which rows of a dataset a scan can see at all, so that no others need be pulled from a database."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from sqlglot import exp

from cadran.compute.placing.places import Reach
from cadran.compute.placing.used import Where
from cadran.compute.scanning.rows import DATES, RowsBuilder
from cadran.compute.scanning.scan import Scan
from cadran.declare.model import TableRef
from cadran.formula.measures import ref_of

_SLACK = dt.timedelta(days=2)  # for zones, and for what is cut within a day
_SEES_ALL = ("new",)  # looks for the first row ever


def reach_of(scan: Scan, select: exp.Expr, rows: RowsBuilder, tables: tuple[TableRef, ...]) -> tuple[Where, Reach] | None:  # fmt: skip
    """The table that holds the scan's rows and the days that its spans lie in; None where other rows count as well.

    Other rows count where a window function, a lookup, a link or a snapshot's search looks at the dataset again.
    """
    found = rows.model.datasets[scan.dataset]
    date = scan.date if scan.date is not None else found.date
    if scan.timing != "flow" or date is None or len(tables) != 1 or not scan.spans:
        return None
    if any(m.function in _SEES_ALL or m.other is not None for m in scan.measures):
        return None
    path, name = ref_of(date)
    if path or name in found.derived or rows.kind(scan.dataset, date) not in DATES or _seen_again(select, scan.dataset):  # fmt: skip
        return None
    low, high = min(s.before for s in scan.spans), max(s.end for s in scan.spans)
    if low <= dt.date(2, 1, 1) or high >= dt.date(9999, 1, 1):
        return None
    return (tables[0].source, tables[0].table), Reach(name, low - _SLACK, high + _SLACK)


def _seen_again(select: exp.Expr, dataset: str) -> bool:
    steps = [c for c in select.find_all(exp.CTE) if c.alias == dataset or c.alias.startswith(f"{dataset}_")]
    names = {step.alias for step in steps}
    uses = Counter(t.name for t in select.find_all(exp.Table) if not t.db and t.name in names)
    return any(n > 1 for n in uses.values()) or any(step.find(exp.Window) for step in steps)
