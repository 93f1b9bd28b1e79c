"""What messages say to programs: plain values that JSON knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cadran.publish.figures import hide
from cadran.publish.formatting import Number, exact

if TYPE_CHECKING:
    from cadran.judge.notices import Notice
    from cadran.publish.context import ReportContext
    from cadran.publish.letters.context import AlertItem, Letter, NoticeContext


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
                "value": digits(alert.value), "target": digits(alert.target), "reason": alert.reason,
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


def for_programs(
    context: ReportContext, letter: Letter, computed: dt.datetime | None = None, computed_text: str = ""
) -> Mapping[str, Any]:
    """What a webhook and a folder are told of a report: figures as texts of their digits, and in words beside them.
    ``computed`` is when it was made, where that is known; all is as of the run's clock."""
    return {
        "report": context.name,
        "title": context.title,
        "period_text": context.period_text,
        "as_of": context.as_of.isoformat(),
        "as_of_text": context.as_of_text,
        "computed": computed.isoformat(timespec="seconds") if computed else "",
        "computed_text": computed_text,
        "late": letter.late_text,
        "warning": letter.banner,
        "summary": " · ".join(entry.text for entry in context.tally),
        "link": letter.link,
        "kpis": [
            {
                "name": kpi.name, "label": kpi.label, "period": kpi.period, "value": digits(kpi.value.raw), "unit": kpi.unit,
                "text": kpi.value.text, "target": digits(kpi.target.raw), "change": digits(kpi.change.raw),
                "status": kpi.status, "state": kpi.state,
            }
            for kpi in context.kpis
        ],
    }  # fmt: skip


def digits(value: Number | None) -> str | None:
    """A figure as a text, digit by digit: a double that reads it would round it. A double itself is said as short as tells
    it from all others."""
    found = exact(value)
    return None if found is None else format(found, "f")


def hidden(part: Any, secrets: frozenset[str]) -> Any:
    """The same without values of the environment in its texts."""
    if isinstance(part, str):
        return hide(part, secrets)
    if isinstance(part, Mapping):
        return {name: hidden(value, secrets) for name, value in part.items()}
    return [hidden(value, secrets) for value in part] if isinstance(part, list) else part
