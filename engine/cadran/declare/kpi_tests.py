"""``tests:`` read and held against the project: everything that can be known without computing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cadran.calendar import Calendar, Grain, Period
from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.expectations import (
    TOTAL,
    Expected,
    ExpectedState,
    Figure,
    Given,
    KpiTest,
    Value,
    figure,
    segment,
)
from cadran.declare.findings import Findings
from cadran.declare.model import AlertRule, Kpi
from cadran.declare.sections import Entry, Sections
from cadran.problems import listed, suggest

_OWN = ("value", "base", "target", "previous", "year_ago")
_LEVELS = frozenset({"value", "target", "previous", "year_ago"})  # in percent, where the KPI is
_MOST_PLAIN = Decimal("1.5")  # above, a rate written without % is rather a slip
_EVERYTHING = Period(Grain.ALL, dt.date.min, dt.date.max)


def kpi_test(
    name: str, entry: Entry, kpis: Mapping[str, Kpi], calendar: Calendar, sections: Sections, found: Findings
) -> KpiTest:
    return _Reader(kpis, calendar, sections, found).read(name, entry)


class _Reader:
    """Reads one test; what is wrong with it goes into ``found``."""

    def __init__(
        self, kpis: Mapping[str, Kpi], calendar: Calendar, sections: Sections, found: Findings
    ) -> None:
        self.kpis, self.calendar, self.sections, self.found = kpis, calendar, sections, found

    def read(self, name: str, entry: Entry) -> KpiTest:
        value, place = entry.value, entry.place
        self._check_parts(value, entry)
        kpi = self._kpi(value["kpi"], place.child("kpi")) if "kpi" in value else None
        made = KpiTest(
            name=name,
            place=place,
            given={n: self._given(n, v, place.child("given", n)) for n, v in value.get("given", {}).items()},
            as_of=self._as_of(value, place.child("as_of")),
            expected=tuple(self._expected(value.get("expect", {}), place.child("expect"))),
            kpi=kpi.name if kpi else "",
            values=tuple(self._values(kpi, value.get("values", {}), place.child("values"))),
            alerts=tuple(self._alerts(kpi, value.get("alerts", {}), place.child("alerts"))),
            problems=values.texts(value["problems"], place.child("problems")) if "problems" in value else (),
        )
        self._check_clock(made)
        self._check_alerts(made)
        return made

    def _check_parts(self, value: Mapping[str, Any], entry: Entry) -> None:
        """Which keys need which others."""
        keys = set(value)
        if not keys & {"expect", "alerts", "problems"}:
            hint = "add 'expect:', 'alerts:' or 'problems:'"
            self.found.error("nothing-expected", "this test expects nothing", entry.key, hint)
        elif not keys & {"given", "values"}:
            hint = "add 'given:' with rows of a dataset"
            self.found.error("nothing-given", "this test gives no rows", entry.key, hint)
        rules = (
            ("alerts", {"kpi"}, "say with 'kpi:' whose alerts these are"),
            ("values", {"kpi"}, "say with 'kpi:' whose values these are"),
            ("values", {"alerts"}, "add 'alerts:', which values are there for"),
            ("expect", {"given"}, "values are what alerts are tested with; give rows instead"),
            ("problems", {"given"}, "values are what alerts are tested with; give rows instead"),
        )
        for key, needs, hint in rules:
            if key in keys and not needs & keys and keys & {"given", "values"}:
                at = entry.place.child(key, on_key=True)
                self.found.error("incomplete-test", f"'{key}' needs '{needs.pop()}'", at, hint)
        if {"given", "values"} <= keys:
            at = entry.place.child("values", on_key=True)
            self.found.error("incomplete-test", "'given' and 'values' do not go together", at, "keep one")

    # --- what is given -------------------------------------------------------------------------------------------

    def _given(self, name: str, value: Any, place: Place) -> Given:
        self._known_dataset(name, Place(place.document, place.path, on_key=True))
        if isinstance(value, str):
            if place.document.is_joined(place.path):
                hint = f"write '{name}: |', with the '|' behind the colon, and the rows below"
                message = "these lines are joined into one, so that there are no rows"
                self.found.error("joined-lines", message, place, hint)
            return Given(name, place, csv=values.text(value, place))
        if isinstance(value, dict):
            return Given(name, place, file=values.text(value["file"], place.child("file")))
        return Given(name, place, rows=tuple(self._row(row, at) for row, at in values.each(value, place)))

    def _row(self, row: Mapping[str, Any], place: Place) -> Mapping[str, str | None]:
        return {n: None if v is None else values.text(v, place.child(n)).value for n, v in row.items()}

    def _known_dataset(self, name: str, place: Place) -> None:
        known = self.sections.names("datasets")
        if self.sections.one("rates") is not None and "rates" not in known:
            known = [*known, "rates"]
        if name not in known:
            hint = suggest(name, known) or (f"there are: {listed(known)}" if known else "declare it first")
            self.found.error("unknown-dataset", f"unknown dataset '{name}'", place, hint)

    def _as_of(self, value: Mapping[str, Any], place: Place) -> dt.date | dt.datetime | None:
        text = value.get("as_of")
        if text is None:
            return None
        try:
            return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
        except ValueError:
            hint = "write 2026-07-01 or 2026-07-01T09:30"
            self.found.error("bad-date", f"'{text}' is not a date", place, hint)
            return None

    # --- what is expected ----------------------------------------------------------------------------------------

    def _expected(self, value: Mapping[str, Any], place: Place) -> Iterator[Expected]:
        for name, by_period in value.items():
            kpi = self._kpi(name, place.child(name, on_key=True))
            for label, written in by_period.items() if kpi else ():
                period = self._period(kpi, label, place.child(name, label, on_key=True))
                if period is None or kpi is None:
                    continue
                for parts, text, at in self._cells(kpi, written, place.child(name, label)):
                    number = self._figure(text, at)
                    if number is not None:
                        self._in_percent(kpi, "value", number, at)
                        yield Expected(name, period, label, parts, number, at)

    def _cells(self, kpi: Kpi, written: Any, place: Place) -> Iterator[tuple[Mapping[str, str], Any, Place]]:
        """Segment, what is written, place: of the total alone, or of each key of a mapping."""
        if not isinstance(written, dict):
            yield TOTAL, written, place
            return
        for key, text in written.items():
            parts = self._segment(kpi, key, place.child(key, on_key=True))
            if parts is not None:
                yield parts, text, place.child(key)

    def _segment(self, kpi: Kpi, key: str, place: Place) -> Mapping[str, str] | None:
        parts = segment(key)
        crosses = [" × ".join(names) for names in kpi.segments]
        if parts is None:
            first = kpi.segments[0][0] if kpi.segments else "channel"
            hint = f"write total, or a segment's value such as {first}=…"
            self.found.error("bad-segment", f"'{key}' is not a segment's value", place, hint)
        elif parts and sorted(parts) not in [sorted(names) for names in kpi.segments]:
            asked = " × ".join(parts)
            hint = suggest(asked, crosses) or (
                f"it has: {listed(crosses)}" if crosses else "it has only a total"
            )
            self.found.error("not-a-segment-of-it", f"'{kpi.name}' has no segment '{asked}'", place, hint)
        else:
            return parts
        return None

    def _figure(self, written: Any, place: Place) -> Figure | None:
        text = values.text(written, place)
        found = figure(text)
        if found is None:
            hint = "write a plain number such as 1250.5, a percentage such as 4.04%, or no data"
            self.found.error("bad-figure", f"'{text.value[:40]}' is not a figure", place, hint)
        return found

    def _in_percent(self, kpi: Kpi | None, name: str, number: Figure, place: Place) -> None:
        """A warning where 7 % seems to have been written 7."""
        in_percent = kpi is not None and kpi.unit == "percent" and name in _LEVELS
        if not in_percent or number.percent or number.value is None or abs(number.value) <= _MOST_PLAIN:
            return
        written, percent = number.text.value.strip(), format((number.value * 100).normalize(), "f")
        hint = f"write {written}%; or {percent}% if so much is meant"
        self.found.warn("percent", f"{written} is {percent} %", place, hint)

    # --- alerts --------------------------------------------------------------------------------------------------

    def _values(self, kpi: Kpi | None, value: Mapping[str, Any], place: Place) -> Iterator[Value]:
        for label, written in value.items():
            period = values.label(label, place.child(label, on_key=True), self.calendar, self.found)
            parts = written if isinstance(written, dict) else {"value": written}
            figures = {}
            for name, text in parts.items():
                at = place.child(label, name) if isinstance(written, dict) else place.child(label)
                self._known_number(name, Place(at.document, at.path, on_key=True))
                number = self._figure(text, at)
                if number is not None:
                    figures[name] = number
                    self._in_percent(kpi, name, number, at)
            if period is not None:
                yield Value(period, label, figures, place.child(label))

    def _known_number(self, name: str, place: Place) -> None:
        if name not in _OWN and not self.sections.exists("kpis", name):
            known = [*_OWN, *self.sections.names("kpis")]
            hint = suggest(name, known) or f"there are {listed(_OWN)}, and the names of KPIs"
            self.found.error("unknown-kpi", f"a condition sees no '{name}'", place, hint)

    def _alerts(self, kpi: Kpi | None, value: Mapping[str, Any], place: Place) -> Iterator[ExpectedState]:
        for name, by_period in value.items() if kpi else ():
            assert kpi is not None
            rule = self._rule(kpi, name, place.child(name, on_key=True))
            for label, written in by_period.items() if rule else ():
                period = self._period(kpi, label, place.child(name, label, on_key=True), rule)
                if period is None:
                    continue
                for parts, state, at in self._cells(kpi, written, place.child(name, label)):
                    yield ExpectedState(name, period, label, parts, state, at)

    def _rule(self, kpi: Kpi, name: str, place: Place) -> AlertRule | None:
        names = [rule.name for rule in kpi.alerts]
        if name in names:
            return kpi.alerts[names.index(name)]
        hint = suggest(name, names) or (f"its alerts are: {listed(names)}" if names else "it has no alert")
        self.found.error("unknown-alert", f"'{kpi.name}' has no alert '{name}'", place, hint)
        return None

    def _check_alerts(self, made: KpiTest) -> None:
        """States are of periods with values, and of the total."""
        if not made.values:
            return
        grains = {value.period.grain for value in made.values}
        labels = {value.period for value in made.values}
        if len(grains) > 1:
            place = made.values[1].place
            self.found.error(
                "bad-period", "the values are of several kinds of period", place, "keep one kind"
            )
        for expected in made.alerts:
            if expected.segment:
                hint = "values are of the total; to test segments, give rows"
                self.found.error("bad-segment", "these values have no segments", expected.place, hint)
            elif expected.period not in labels:
                hint = f"add it to 'values', even if it is 'no data': {expected.label}: no data"
                self.found.error("no-value", f"no value is given for {expected.label}", expected.place, hint)

    # --- names ---------------------------------------------------------------------------------------------------

    def _kpi(self, name: str, place: Place) -> Kpi | None:
        if name in self.kpis and self.kpis[name].periods:
            return self.kpis[name]
        names = [n for n, kpi in self.kpis.items() if kpi.periods]
        if name in self.kpis and not self.kpis[name].reported:
            message = f"'{name}' is a building block without a period, so it has no figures of its own"
            self.found.error("not-reported", message, place, "give it a 'period', or test a KPI that uses it")
        elif not self.sections.exists("kpis", name):
            hint = suggest(name, names) or (f"there are: {listed(names)}" if names else "declare it first")
            self.found.error("unknown-kpi", f"unknown KPI '{name}'", place, hint)
        return None

    def _period(
        self, kpi: Kpi | None, label: str, place: Place, rule: AlertRule | None = None
    ) -> Period | None:
        """A period that the KPI has, or that the rule looks at."""
        grains = kpi.periods if kpi else ()
        if rule is not None and grains:
            grains = (rule.grain or min(grains, key=lambda g: g.rank),)
        if label == Grain.ALL and Grain.ALL in grains:
            return _EVERYTHING
        period = values.label(label, place, self.calendar, self.found)
        if period is None or period.grain in grains or not grains:
            return period
        whose = f"the alert '{rule.name}'" if rule else f"'{kpi.name if kpi else ''}'"
        hint = f"it has: {listed([str(g) for g in grains])}"
        self.found.error(
            "not-a-period-of-it", f"{whose} is not by {period.grain}, which {label} is", place, hint
        )
        return None

    def _check_clock(self, made: KpiTest) -> None:
        """When everything is over cannot be told."""
        places = [e.place for e in made.expected if e.period.grain is Grain.ALL]
        places += [e.place for e in made.alerts if e.period.grain is Grain.ALL]
        if places and made.as_of is None:
            hint = "add the day on which this is asked, such as as_of: 2026-07-01"
            self.found.error("incomplete-test", "the period 'all' needs 'as_of'", places[0], hint)
