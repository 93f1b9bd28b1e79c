"""What a report's message says to programs: plain values that JSON knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cadran.publish.formatting import exact

if TYPE_CHECKING:
    from cadran.publish.context import ReportContext


def for_programs(context: ReportContext, link: str) -> Mapping[str, Any]:
    """What a webhook tells of a report: numbers as numbers where JSON can hold them exactly, texts beside them."""
    return {
        "report": context.name,
        "title": context.title,
        "period_text": context.period_text,
        "computed": context.as_of.isoformat(),
        "computed_text": context.as_of_text,
        "summary": " · ".join(entry.text for entry in context.tally),
        "link": link,
        "kpis": [
            {
                "name": kpi.name, "label": kpi.label, "period": kpi.period, "value": number(kpi.value.raw), "unit": kpi.unit,
                "text": kpi.value.text, "target": number(kpi.target.raw), "change": number(kpi.change.raw),
                "status": kpi.status, "state": kpi.state,
            }
            for kpi in context.kpis
        ],
    }  # fmt: skip


def number(value: Any) -> int | float | str | None:
    """A decimal as a text, digit by digit: a double would round it."""
    found = exact(value)
    if found is None:
        return None
    return int(value) if isinstance(value, int) else value if isinstance(value, float) else format(found, "f")
