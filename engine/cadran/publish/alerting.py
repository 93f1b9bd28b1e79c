"""Alerts for people: one by one, and one entry for each rule of a KPI, however many segment values it holds at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cadran.publish.context_alerts import AlertGroup, AlertLine, AlertSegment
from cadran.publish.figures import Figures, spaced
from cadran.publish.wording import ALERT

if TYPE_CHECKING:
    from cadran.compute.results import Alert
    from cadran.declare.model import Kpi


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Firing first, critical first, otherwise as they come."""
    return sorted(alerts, key=lambda a: (a.state != "firing", a.severity != "critical"))


@dataclass(frozen=True, slots=True)
class Alerts:
    """Says alerts in one locale."""

    figures: Figures

    def line(self, alert: Alert) -> AlertLine:
        figures = self.figures
        kpi = figures.declaration.kpis.get(alert.kpi)
        unit = kpi.unit if kpi else ""
        kept = bool(alert.judged) and alert.judged != alert.period
        return AlertLine(
            kpi=alert.kpi,
            label=figures.label(alert.kpi),
            rule=figures.said(alert.rule),
            condition=figures.said(alert.condition),
            condition_text=self._said_in_words(alert, kpi),
            severity=alert.severity,
            severity_text=figures.severity(alert.severity),
            state=alert.state,
            state_text=self._state(alert, kept),
            period=alert.period,
            period_text=figures.form.period(alert.period),
            since_text=figures.form.period(alert.since),
            segment_name=" × ".join(spaced(name) for name in alert.segment),
            segment_value=" / ".join(
                figures.segment([value], [name])
                for name, value in zip(alert.segment, alert.segment_value, strict=True)
            ),
            segment_text=figures.placed(alert.segment, alert.segment_value),
            value=figures.figure(alert.value, unit),
            target=figures.figure(alert.target, unit),
            reason=self._reason(alert, kept),
            kept=kept,
            action=figures.text(kpi.action) if kpi and alert.state == "firing" else "",
        )

    def _state(self, alert: Alert, kept: bool) -> str:
        if kept and alert.state == "firing":
            return self.figures.gettext("kept")
        return self.figures.gettext(ALERT[alert.state])

    def _reason(self, alert: Alert, kept: bool) -> str:
        figures = self.figures
        if kept:
            judged = figures.form.period(alert.judged)
            return figures.gettext("no data any more: kept as it stood in %(period)s", period=judged)
        return figures.gettext("no data") if alert.reason == "no data" else figures.said(alert.reason)

    def _said_in_words(self, alert: Alert, kpi: Kpi | None) -> str:
        """The condition in words, with for how many periods it has to hold where the rule is known."""
        rules = (
            [r for r in kpi.alerts if (r.name, r.when.value) == (alert.rule, alert.condition)] if kpi else []
        )
        if rules and kpi:
            return self.figures.condition(rules[0], kpi.unit)
        return self.figures.words(alert.condition, kpi.unit if kpi else "")

    # --- one entry for each rule -------------------------------------------------------------------------------

    def groups(self, alerts: Iterable[Alert]) -> tuple[AlertGroup, ...]:
        """By KPI, rule and state, in the order of each one's first alert."""
        found: dict[tuple[str, str, str, str], list[Alert]] = {}
        for alert in alerts:
            found.setdefault((alert.kpi, alert.rule, alert.condition, alert.state), []).append(alert)
        return tuple(_action_once(self._group(of) for of in found.values()))

    def _group(self, alerts: Sequence[Alert]) -> AlertGroup:
        lines = [self.line(alert) for alert in alerts]
        first, figures = lines[0], self.figures
        values = [line for line in lines if line.segment_name]
        kept = all(line.kept for line in lines)
        state = first.state_text if kept else figures.gettext(ALERT[first.state])
        return AlertGroup(
            kpi=first.kpi,
            label=first.label,
            rule=first.rule if first.rule != first.condition else "",
            condition=first.condition,
            condition_text=first.condition_text,
            severity=first.severity,
            severity_text=first.severity_text,
            state=first.state,
            state_text=state,
            kept=kept,
            period_text=first.period_text,
            since_text=self._since(alerts),
            count_text=self._counted(len(values)),
            total=next((line for line in lines if not line.segment_name), None),
            segments=self._by_segment(values),
            action=first.action,
        )  # fmt: skip

    def _counted(self, values: int) -> str:
        if values < 2:
            return ""
        return self.figures.ngettext("%(num)s segment value", "%(num)s segment values", values)

    def _by_segment(self, lines: Iterable[AlertLine]) -> tuple[AlertSegment, ...]:
        found: dict[str, list[AlertLine]] = {}
        for line in lines:
            found.setdefault(line.segment_name, []).append(line)
        say = "%(what)s: %(value)s"
        return tuple(
            AlertSegment(name, self.figures.gettext(say, what=name, value="").rstrip(), tuple(of))
            for name, of in found.items()
        )

    def _since(self, alerts: Sequence[Alert]) -> str:
        """The labels of one grain sort as their periods do."""
        first = min(alert.since for alert in alerts)
        if first == alerts[0].period:
            return ""
        text = self.figures.form.period(first)
        several = len({alert.since for alert in alerts}) > 1
        return self.figures.gettext("%(period)s at the earliest", period=text) if several else text


def _action_once(groups: Iterable[AlertGroup]) -> Iterator[AlertGroup]:
    told: set[str] = set()
    for group in groups:
        yield group if group.kpi not in told else replace(group, action="")
        if group.action:
            told.add(group.kpi)
