"""Medians, quantiles and other values that need all rows of a span at once."""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.lower import column
from cadran.compute.rows import aggregate
from cadran.compute.scan import Grouping, Scan, as_text
from cadran.compute.shared.having import join_stretches
from cadran.compute.shared.parts import conditions
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.timeline import Unshareable
from cadran.compute.timing import PERIOD


def values(reduction: Reduction, scan: Scan, stretches: str) -> exp.Select:
    """``span, segment, by_…, m0``, one pass over the rows. Raises Unshareable for filters by ``in_period``."""
    (measure,) = scan.measures
    found = conditions(measure.condition)
    if found is None or found[1]:
        raise Unshareable
    dims = {name: as_text(node.copy(), scan.kept.get(name)) for name, node in reduction.raw.items()}
    grouping = Grouping(scan.sets, dims)
    value = exp.alias_(aggregate(measure, reduction.lower, reduction.argument(measure)), "m0", quoted=True)
    span = column("span", PERIOD)
    select = reduction.select([span, *grouping.labels(), value])
    select.append("joins", join_stretches(stretches, reduction))
    return reduction.tables.attach(grouping.group(select, [span]))
