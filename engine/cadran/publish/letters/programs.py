"""What messages say to programs: plain values that JSON knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cadran.publish.figures import hide
from cadran.publish.formatting import exact

if TYPE_CHECKING:
    from cadran.judge.notices import Notice
    from cadran.publish.context import ReportContext
    from cadran.publish.letters.context import AlertItem, NoticeContext


def alerts_for_programs(notice: Notice, context: NoticeContext) -> Mapping[str, Any]:
    """What a webhook tells of alerts: all of them, with the texts of those that a message lists."""
    listed = {item.key: item for item in context.alerts}
    return {
        "notice": notice.kind,
        "title": context.title,
        "group": dict(notice.labels),
        "alerts": [
            {
                "alert": alert.identity.key, "subject": alert.identity.subject, "name": alert.identity.name,
                "rule": alert.identity.rule, "grain": alert.identity.grain,
                "segment": dict(zip(alert.identity.segment, alert.identity.segment_value, strict=True)),
                "state": "firing" if alert.state == "firing" else "resolved", "period": alert.period, "since": alert.since,
                "value": number(alert.value), "target": number(alert.target), "reason": alert.reason,
                **_texts(listed.get(alert.identity.key)),
            }
            for alert in notice.alerts
        ],
    }  # fmt: skip


def _texts(item: AlertItem | None) -> Mapping[str, str]:
    if item is None:
        return {}
    names = ("label", "severity", "condition_text", "because", "action", "owner", "link", "silence")
    texts = {name: getattr(item, name) for name in names}
    return {
        **texts,
        "value_text": item.value.text,
        "target_text": item.target.text,
        "change_text": item.change.text,
    }


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


def hidden(part: Any, secrets: frozenset[str]) -> Any:
    """The same without values of the environment in its texts."""
    if isinstance(part, str):
        return hide(part, secrets)
    if isinstance(part, Mapping):
        return {name: hidden(value, secrets) for name, value in part.items()}
    return [hidden(value, secrets) for value in part] if isinstance(part, list) else part
