"""Why a KPI of the catalogue is left out, in words: what the project would have to hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cadran.problems import Problem

_DATASETS = {
    "costs": "no costs, such as ad spend",
    "deals": "no deals",
    "leads": "no leads",
    "lines": "no lines of orders",
    "orders": "no orders",
    "pipeline": "no weekly snapshots of the pipeline",
    "quotas": "no quotas",
    "sessions": "no visits of a web site or portal",
    "surveys": "no answers to surveys",
    "tickets": "no support tickets",
    "visits": "no visits of a shop",
}
_COLUMNS = {
    ("leads", "qualified"): "no score of leads, or other mark of the qualified",
    ("customers", "order_count"): _DATASETS["orders"],
    ("customers", "churned_at"): "no date on which a customer left",
    ("customers", "created_at"): "no date on which a customer came",
}
_INTERVALS = {"customers": _COLUMNS["customers", "churned_at"]}
_QUOTED = re.compile(r"'([^']*)'")


def lacking(names: Sequence[str], cut: Mapping[str, Problem]) -> dict[str, tuple[str, ...]]:
    """KPIs by what is missing. ``cut`` holds what was wrong with each; where that is another KPI, what is missing is what that one lacks."""
    out: dict[str, tuple[str, ...]] = {}
    for name in names:
        reason = _reason(name, cut)
        out[reason] = (*out.get(reason, ()), name)
    return out


def _reason(name: str, cut: Mapping[str, Problem]) -> str:
    seen = {name}
    while (problem := cut.get(name)) is not None:
        named = _QUOTED.findall(problem.message)
        if problem.code == "unknown-kpi" and named and named[0] in cut and named[0] not in seen:
            name = named[0]
            seen.add(name)
            continue
        return _words(problem, named)
    return "not in your data"


def _words(problem: Problem, named: Sequence[str]) -> str:
    match problem.code, named:
        case "unknown-dataset", [dataset, *_]:
            return _DATASETS.get(dataset, f"no dataset {dataset}")
        case "unknown-column", [column, dataset, *_]:
            return _COLUMNS.get((dataset, column), f"no {column} of {dataset}")
        case "no-interval", [dataset, *_]:
            return _INTERVALS.get(dataset, f"no 'valid:' of {dataset}")
    return problem.message
