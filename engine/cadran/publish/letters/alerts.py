"""Alerts that outlived a run, as one message to one reader: figures, what they come from, what to do, how to silence them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import WhyQuestion
from cadran.judge.routes import severity_of
from cadran.judge.states import kept_from
from cadran.publish.analyses.why import sentence
from cadran.publish.context_parts import Change
from cadran.publish.figures import Figures, spaced
from cadran.publish.letters.context import AlertItem, NoticeContext
from cadran.publish.letters.silencing import silence_command
from cadran.publish.wording import N_
from cadran.state.alerting import CHANGED, GONE, NO_DATA, REMOVED, RESTATED, Instance

if TYPE_CHECKING:
    from cadran.compute.results import Results, Row
    from cadran.declare.model import AlertRule, Declaration, Kpi
    from cadran.judge.notices import Notice
    from cadran.state.alerting import Identity

MOST_ALERTS = 30  # that one message lists
KINDS: Mapping[str, str] = {
    "firing": N_("Alert"),
    "repeat": N_("Still firing"),
    "resolved": N_("Resolved"),
    "correction": N_("Correction"),
}
REASONS: Mapping[str, str] = {
    NO_DATA: N_("no data"),
    GONE: N_("no rows any more"),
    RESTATED: N_("figures of that period have changed since"),
    CHANGED: N_("the rule has changed"),
    REMOVED: N_("the rule is no longer there"),
}
GROUPED: Mapping[str, str] = {
    "kpi": N_("KPI"),
    "rule": N_("rule"),
    "severity": N_("severity"),
    "owner": N_("owner"),
}
KEPT = N_("no data any more: kept as it stood in %(period)s")
URGENCY = ("critical", "warning", "info")


def to_explain(declaration: Declaration) -> Wanted:
    """What a run is to be asked beside its KPIs, so that messages about their alerts can say what a change comes from."""
    asked = [
        WhyQuestion(kpi.name, grain.value)
        for kpi in declaration.kpis.values()
        if any(kpi.segments)
        for grain in kpi.periods
        if any(rule.grain in (None, grain) for rule in kpi.alerts)
    ]
    return Wanted(moves=tuple(asked))


def notice_context(
    notice: Notice, results: Results, figures: Figures, link: Callable[[str], str]
) -> NoticeContext:
    """``link`` gives where a report shows a KPI. A message that was held back is as of when its alerts were judged."""
    saying = _Saying(notice, figures, link)
    judged = max((a.seen for a in notice.alerts if a.seen is not None), default=results.as_of)
    as_of = judged.astimezone(figures.declaration.calendar.zone)
    items = sorted((saying.item(a) for a in notice.alerts), key=_urgent_first)
    shown, hidden = items[:MOST_ALERTS], max(0, len(items) - MOST_ALERTS)
    first = items[0] if items else None
    more = (
        figures.ngettext("%(num)s more is not listed", "%(num)s more are not listed", hidden)
        if hidden
        else ""
    )
    return NoticeContext(
        kind=notice.kind,
        kind_text=saying.kind(items),
        title=saying.title(items),
        lead=saying.lead(items),
        alerts=tuple(shown),
        hidden=hidden,
        hidden_text=more,
        group_text=" · ".join(saying.common(name, value) for name, value in notice.labels.items() if value),
        severity=first.severity if first else "warning",
        severity_text=first.severity_text if first else "",
        locale=figures.locale,
        language=figures.form.language,
        as_of=as_of,
        as_of_text=figures.form.instant(as_of),
        zone=str(figures.declaration.calendar.zone),
    )


def _urgent_first(item: AlertItem) -> tuple[bool, int, bool]:
    rank = URGENCY.index(item.severity) if item.severity in URGENCY else 1
    return item.state != "firing", rank, not item.fresh


@dataclass(frozen=True, slots=True)
class _Saying:
    notice: Notice
    figures: Figures
    link: Callable[[str], str]

    def title(self, items: list[AlertItem]) -> str:
        """``Revenue (channel: paid): 8 200 €``, or how many there are of whom."""
        if len(items) == 1:
            [item] = items
            place = f" ({item.segment_text})" if item.segment_text else ""
            value = "" if item.value.title else f" · {item.value.text}"
            return f"{item.label}{place}{value}"
        labels = list(dict.fromkeys(item.label for item in items))
        named = ", ".join(labels[:3]) + (", …" if len(labels) > 3 else "")
        count = self.figures.ngettext("%(num)s alert", "%(num)s alerts", len(items))
        return f"{count} · {named}"

    def kind(self, items: list[AlertItem]) -> str:
        """A correction says so where nothing fires any more."""
        if self.notice.kind == "correction" and not any(item.state == "firing" for item in items):
            return self.figures.ngettext("Correction, alert over", "Correction, alerts over", len(items))
        return self.figures.gettext(KINDS[self.notice.kind])

    def common(self, name: str, value: str) -> str:
        """What the alerts are grouped by."""
        figures = self.figures
        what = figures.gettext(GROUPED[name]) if name in GROUPED else figures.said(spaced(name))
        if name == "severity":
            value = figures.severity(value)
        elif name == "kpi" and value in figures.declaration.kpis:
            value = figures.label(value)
        return figures.gettext("%(what)s: %(value)s", what=what, value=figures.said(value))

    def lead(self, items: list[AlertItem]) -> str:
        gettext, ngettext, n = self.figures.gettext, self.figures.ngettext, len(items)
        match self.notice.kind:
            case "firing":
                return ngettext("%(num)s alert fires.", "%(num)s alerts fire.", n)
            case "repeat":
                return ngettext("%(num)s alert is still firing.", "%(num)s alerts are still firing.", n)
            case "resolved":
                return ngettext("%(num)s alert is over.", "%(num)s alerts are over.", n)
        changed = gettext("Figures of an earlier period have changed since; this is how it stands now.")
        over = sum(item.state != "firing" for item in items)
        return (
            f"{changed} {ngettext('%(num)s alert is over.', '%(num)s alerts are over.', over)}"
            if over
            else changed
        )

    def item(self, alert: Instance) -> AlertItem:
        who, figures = alert.identity, self.figures
        kpi = figures.declaration.kpis.get(who.name) if who.subject == "kpi" else None
        rule = self._rule(kpi, who.rule)
        unit = kpi.unit if kpi else ""
        firing = alert.state == "firing"
        severity = rule.severity if rule else severity_of(who)
        return AlertItem(
            key=who.key,
            subject=who.subject,
            name=who.name,
            label=self._label(alert, kpi),
            rule=figures.said(rule.name) if rule and rule.name != rule.when.value else "",
            condition_text=self._condition(rule, unit, who.rule),
            severity=severity,
            severity_text=figures.severity(severity),
            state="firing" if firing else "resolved",
            state_text=figures.gettext(N_("firing")) if firing else figures.gettext(N_("resolved")),
            segment_text=figures.said(figures.placed(who.segment, who.segment_value)),
            period_text=figures.form.period(alert.period) if alert.period else "",
            since_text=figures.form.period(alert.since) if alert.since else "",
            value=figures.figure(alert.value, unit),
            target=figures.figure(alert.target, unit),
            change=figures.change(alert.value, alert.previous, kpi) if kpi else Change(None, "–"),
            previous=figures.figure(alert.previous, unit),
            reason=self._kept(alert, rule) or self._reason(alert.reason),
            because=alert.because if firing else "",
            action=figures.text(kpi.action) if kpi and firing else "",
            owner=figures.said(kpi.owner) if kpi else "",
            link=self.link(who.name) if kpi else "",
            silence=self._silence(who, kpi) if firing else "",
            fresh=who.key in self.notice.fresh,
        )

    def _silence(self, of: Identity, kpi: Kpi | None) -> str:
        reason, segmented = self.figures.gettext("your reason"), kpi is not None and any(kpi.segments)
        return self.figures.said(silence_command(of, reason, segmented=segmented))

    def _rule(self, kpi: Kpi | None, name: str) -> AlertRule | None:
        return next((rule for rule in kpi.alerts if rule.name == name), None) if kpi else None

    def _label(self, alert: Instance, kpi: Kpi | None) -> str:
        who, gettext = alert.identity, self.figures.gettext
        if kpi:
            return self.figures.label(who.name)
        name = self.figures.said(who.name)
        if who.subject == "source":
            return gettext("source %(name)s", name=name)
        return gettext("dataset %(name)s", name=name)

    def _condition(self, rule: AlertRule | None, unit: str, name: str) -> str:
        if rule is not None:
            return self.figures.condition(rule, unit) or self.figures.said(rule.when.value)
        said = {
            "failed": N_("it could not be read"),
            "max_age": N_("its newest row is too old"),
            "min_rows": N_("it has too few rows"),
        }
        return self.figures.gettext(said[name]) if name in said else self.figures.said(name)

    def _kept(self, alert: Instance, rule: AlertRule | None) -> str:
        """That it stands as it stood, where the newest period has no data to judge it by."""
        kept = kept_from(alert, rule)
        return self.figures.gettext(KEPT, period=self.figures.form.period(kept)) if kept else ""

    def _reason(self, reason: str) -> str:
        return self.figures.gettext(REASONS[reason]) if reason in REASONS else self.figures.told(reason)


def place(of: Instance | Row) -> tuple[object, ...]:
    """What an alert and the row that it was judged by have in common."""
    if isinstance(of, Instance):
        who = of.identity
        return who.name, who.grain, of.period, who.segment, who.segment_value
    return of.kpi, of.grain, of.period, of.segment, of.segment_value


def because(alert: Instance, results: Results, figures: Figures) -> str:
    """What its change comes from. Of a total alone: what a segment's change comes from is not asked."""
    answers, who = results.answers, alert.identity
    if answers is None or who.subject != "kpi" or who.segment:
        return ""
    for question, answer in answers.whys.items():
        if question.kpi == who.name and answer.period == alert.period and answer.change:
            return figures.said(sentence(answer, figures))
    return ""
