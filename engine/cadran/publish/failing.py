"""KPIs that have no value since a source failed, as people read them: by what has failed them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING

from cadran.publish.figures import Figures

if TYPE_CHECKING:
    from cadran.compute.results import Results


def failures(
    results: Results, figures: Figures, among: Collection[str] | None = None
) -> dict[str, list[str]]:
    """``2 KPIs failed · source 'crm': …`` → their labels; of building blocks nothing is said."""
    out: dict[str, list[str]] = defaultdict(list)
    for failed in results.failed:
        if figures.declaration.kpis[failed.kpi].reported and (among is None or failed.kpi in among):
            out[failed.reason].append(figures.label(failed.kpi))
    return {f"{_counted(labels, figures)} · {figures.said(reason)}": labels for reason, labels in out.items()}


def _counted(labels: Collection[str], figures: Figures) -> str:
    return figures.ngettext("%(num)s KPI failed", "%(num)s KPIs failed", len(labels))
