"""One KPI of a report: its figures, chart, segment tables and neighbours, out of the rows of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup

from cadran.compute.results import Alert, Row
from cadran.publish.alerting import Alerts
from cadran.publish.choose import RowIndex, Wanted, newest
from cadran.publish.context_alerts import RuleLine
from cadran.publish.context_kpi import KpiBlock, MarkerNote
from cadran.publish.context_parts import Beside, HistoryPoint, OtherPeriod
from cadran.publish.drawing import Chart
from cadran.publish.figures import Figures
from cadran.publish.formatting import exact
from cadran.publish.segments import Tables
from cadran.publish.series import Marker, Point, Series
from cadran.publish.sparkline import sparkline, unicode_sparkline
from cadran.publish.target_words import target_line
from cadran.publish.wording import GOOD, GRAIN, SHORT, SHORT_STATUS, STATUS

if TYPE_CHECKING:
    from cadran.declare.model import AlertRule, Kpi

_TO_DO = ("off_target", "at_risk")
_MOST_BARS = 40
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Builds blocks; ``listed`` are the names of the KPIs that the report has."""

    figures: Figures
    index: RowIndex
    wanted: Wanted
    listed: frozenset[str]
    alerts: Mapping[str, Sequence[Alert]]
    groups: Mapping[str, str]  # KPI -> its group's title
    paper: bool = False
    failed: Mapping[str, str] = field(default_factory=dict)  # KPI -> why it has no values

    def block(self, kpi: Kpi) -> KpiBlock:
        figures, row = self.figures, self.index.shown(kpi.name, self.wanted)
        known = row is not None
        row = row or self._without_values(kpi.name)
        history = self.index.history(row, self.wanted) if known else []
        markers = self._markers(history)
        points = [self._point(r, kpi) for r in history]
        shown = next((i for i, r in enumerate(history) if r is row), -1)
        alerts, standing = Alerts(figures), self.alerts.get(kpi.name, ())
        return KpiBlock(
            name=kpi.name,
            label=figures.label(kpi.name),
            description=figures.text(kpi.description),
            unit=kpi.unit,
            unit_text=figures.unit(kpi.unit),
            good=kpi.good,
            good_text=figures.gettext(GOOD[kpi.good]),
            formula=figures.said(kpi.formula.value),
            owner=figures.said(kpi.owner),
            tags=tuple(figures.said(tag) for tag in kpi.tags),
            group=self.groups.get(kpi.name, ""),
            grain=row.grain,
            grain_text=figures.gettext(GRAIN[row.grain]) if row.grain else "",
            period=row.period,
            period_text=figures.form.period(row.period) if row.period else self._why_none(kpi.name),
            state=row.state,
            state_text=figures.state(row.state),
            value=figures.figure(row.value, kpi.unit),
            base=figures.figure(row.base),
            previous=figures.figure(row.previous, kpi.unit),
            change=figures.change(row.value, row.previous, kpi),
            year_ago=figures.figure(row.year_ago, kpi.unit),
            change_year=figures.change(row.value, row.year_ago, kpi),
            target=figures.target(row, kpi.unit),
            target_high=row.target_high,
            gap=figures.gap(row, kpi),
            status=row.status,
            status_text=figures.gettext(STATUS[row.status]),
            status_short=figures.catalogue.pgettext(SHORT, SHORT_STATUS[row.status]),
            action=figures.text(kpi.action) if row.status in _TO_DO else "",
            read_with=tuple(self._beside(name.value) for name in kpi.read_with),
            sparkline=Markup(
                sparkline(points, key=f"spark-{kpi.name}", title=self._chart_title(kpi, history), shown=shown)
            ),
            trend=unicode_sparkline([r.value for r in history[: shown + 1][-13:]]),
            chart=self._chart(kpi, history, points, shown, markers),
            markers=tuple(note for note, _ in markers),
            history=tuple(self._history_point(r, kpi) for r in history),
            other_periods=self._other_periods(kpi, row),
            segments=Tables(figures, self.index).of(kpi, row),
            alerts=tuple(alerts.line(alert) for alert in standing),
            alert_groups=alerts.groups(standing),
            rules=tuple(self._rule(kpi, rule) for rule in kpi.alerts),
            targets=tuple(target_line(case, figures) for case in kpi.targets),
            quarantined=row.quarantined,
        )

    def _without_values(self, kpi: str) -> Row:
        return Row(kpi, "", "", None, None, status="failed" if kpi in self.failed else "no_data")

    def _why_none(self, kpi: str) -> str:
        gettext = self.figures.gettext
        return (
            gettext("Failed: %(reason)s", reason=self.failed[kpi])
            if kpi in self.failed
            else gettext("No final period yet.")
        )

    # --- series ------------------------------------------------------------------------------------------------

    def _point(self, row: Row, kpi: Kpi) -> Point:
        form, state = self.figures.form, self.figures.state(row.state)
        value = self.figures.figure(row.value, kpi.unit)
        note = f" ({state})" if state else ""
        return Point(
            label=form.short_period(row.period),
            title=self.figures.gettext(
                "%(what)s: %(value)s", what=form.period(row.period) + note, value=value.title or value.text
            ),
            value=row.value,
            text=value.short,
            provisional=row.state != "final",
            target=row.target,
            target_high=row.target_high,
            target_text=self.figures.target(row, kpi.unit).short,
        )

    def _history_point(self, row: Row, kpi: Kpi) -> HistoryPoint:
        return HistoryPoint(
            period=row.period,
            period_text=self.figures.form.period(row.period),
            value=self.figures.figure(row.value, kpi.unit),
            target=self.figures.target(row, kpi.unit),
            status=row.status,
            status_text=self.figures.gettext(STATUS[row.status]),
            state=row.state,
            state_text=self.figures.state(row.state),
        )

    def _chart_title(self, kpi: Kpi, history: Sequence[Row]) -> str:
        label = self.figures.label(kpi.name)
        if not history:
            return label
        first, last = (self.figures.form.period(r.period) for r in (history[0], history[-1]))
        return f"{label}, {first} – {last}"

    def _chart(
        self,
        kpi: Kpi,
        history: Sequence[Row],
        points: Sequence[Point],
        shown: int,
        markers: Sequence[tuple[MarkerNote, float]],
    ) -> Chart:
        marked = tuple(
            Marker(note.letter, f"{note.text}, {note.date_text}", place) for note, place in markers
        )
        word = self.figures.gettext("target")
        series = Series(
            tuple(points), kpi.unit, self.figures.locale, shown, _kind(kpi, history), marked, word
        )
        return Chart(
            series,
            f"chart-{kpi.name}",
            self._chart_title(kpi, history),
            self._chart_said(kpi, history),
            self.paper,
        )

    def _chart_said(self, kpi: Kpi, history: Sequence[Row]) -> str:
        """The first value, the last, the least and the most, for who does not see the chart."""
        known = [(n, r) for r in history if (n := exact(r.value)) is not None]
        if not known:
            return ""
        first, last, least, most = known[0], known[-1], min(known, key=_number), max(known, key=_number)
        values = {
            name: f"{self.figures.form.value(row.value, kpi.unit)} ({self.figures.form.period(row.period)})"
            for name, (_, row) in {"first": first, "last": last, "least": least, "most": most}.items()
        }
        return self.figures.gettext(
            "First %(first)s, last %(last)s, lowest %(least)s, highest %(most)s.", **values
        )

    def _markers(self, history: Sequence[Row]) -> list[tuple[MarkerNote, float]]:
        """Milestones and notes within the charted time, a letter for each day, with its place from 0 to 1."""
        out: list[tuple[MarkerNote, float]] = []
        for day, texts in self.figures.events().items():
            place = _place(day, history)
            if place is not None:
                letter = chr(ord("A") + len(out) % 26)
                note = MarkerNote(letter, " · ".join(texts), day, self.figures.form.date(day))
                out.append((note, place))
        return out

    def _rule(self, kpi: Kpi, rule: AlertRule) -> RuleLine:
        said = self.figures.said
        words = self.figures.condition(rule, kpi.unit)
        return RuleLine(said(rule.name), said(rule.when.value), words, self.figures.severity(rule.severity))

    # --- neighbours --------------------------------------------------------------------------------------------

    def _other_periods(self, kpi: Kpi, shown: Row) -> tuple[OtherPeriod, ...]:
        out = []
        for grain in self.index.grains(kpi.name):
            row = newest(self.index.totals(kpi.name, grain), self.wanted.include_open)
            fixed = self.wanted.fixed
            if fixed:
                past = [
                    r for r in self.index.totals(kpi.name, grain) if r.period_end and r.period_end < fixed.end
                ]
                row = newest(past, self.wanted.include_open)
            if row is None or grain == shown.grain:
                continue
            out.append(
                OtherPeriod(
                    grain=grain,
                    period=row.period,
                    period_text=self.figures.form.period(row.period),
                    value=self.figures.figure(row.value, kpi.unit),
                    change=self.figures.change(row.value, row.previous, kpi),
                    status=row.status,
                    status_text=self.figures.gettext(STATUS[row.status]),
                )
            )
        return tuple(out)

    def _beside(self, name: str) -> Beside:
        kpi, figures = self.figures.declaration.kpis[name], self.figures
        row = self.index.shown(name, self.wanted) or self._without_values(name)
        return Beside(
            name=name,
            label=figures.label(name),
            value=figures.figure(row.value, kpi.unit),
            change=figures.change(row.value, row.previous, kpi),
            period_text=figures.form.period(row.period) if row.period else "",
            status=row.status,
            status_text=figures.gettext(STATUS[row.status]),
            in_report=name in self.listed,
        )


def _number(pair: tuple[Decimal, Row]) -> Decimal:
    return pair[0]


def _kind(kpi: Kpi, history: Sequence[Row]) -> Literal["line", "bar"]:
    """What is exact is an amount or a count: bars. Rates, averages and long series are lines."""
    counted = kpi.unit != "percent" and not any(isinstance(r.value, float) for r in history)
    return "bar" if counted and len(history) <= _MOST_BARS else "line"


def _place(day: dt.date, history: Sequence[Row]) -> float | None:
    for i, row in enumerate(history):
        if row.period_start and row.period_end and row.period_start <= day <= row.period_end:
            length = (row.period_end + _DAY - row.period_start).days
            return (i + (day - row.period_start).days / length) / len(history)
    return None
