"""From raw numbers to the figures and changes of a report, for one locale and one project's declared texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cadran.publish.conditions import Words
from cadran.publish.context_parts import Change, Figure, Verdict
from cadran.publish.formatting import Formatter, Number, difference, exact
from cadran.publish.messages import Catalogue, catalogue, filled, localized
from cadran.publish.retold import retold
from cadran.publish.wording import SEVERITY, STAND_IN, STATE

if TYPE_CHECKING:
    from cadran.compute.results import Note, Row
    from cadran.declare.model import AlertRule, Declaration, Kpi, Score
    from cadran.problems import Problem

HIDDEN = "•••"
_MOST_LABELS = 4  # KPIs that one note names


def hide(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the values that came from the environment.

    One of up to three characters is only hidden where it is the whole text: a ``1`` would blank every number.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if text == secret:
            return HIDDEN
        if len(secret) > 3:
            text = text.replace(secret, HIDDEN)
    return text


@dataclass(frozen=True, slots=True)
class Figures:
    """Formats values for one locale and says their meaning in words."""

    declaration: Declaration
    locale: str

    @property
    def form(self) -> Formatter:
        return Formatter(self.locale)

    @property
    def catalogue(self) -> Catalogue:
        return catalogue(self.locale)

    def gettext(self, message: str, **values: object) -> str:
        """A message in the reader's language, with its placeholders filled."""
        return filled(self.catalogue.gettext(message), values)

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        return filled(self.catalogue.ngettext(one, many, number), {"num": number, **values})

    def said(self, text: str) -> str:
        return hide(text, self.declaration.secrets)

    def text(self, texts: Mapping[str, str]) -> str:
        return self.said(localized(texts, self.locale))

    def label(self, name: str) -> str:
        """A KPI's label, or its name in words."""
        kpi = self.declaration.kpis.get(name)
        return (self.text(kpi.label) if kpi else "") or spaced(name)

    def figure(self, value: Number | None, unit: str = "") -> Figure:
        title = "" if exact(value) is not None else self.gettext("no data")
        return Figure(value, self.form.value(value, unit), self.form.compact(value, unit), title)

    def target(self, row: Row, unit: str) -> Figure:
        text = self.form.bounds(row.target, row.target_high, unit)
        title = "" if exact(row.target) is not None else self.gettext("no target")
        short = text if row.target_high is not None else self.form.compact(row.target, unit)
        return Figure(row.target, text, short, title)

    def change(self, value: Number | None, other: Number | None, kpi: Kpi) -> Change:
        raw = difference(value, other)
        return self.change_of(raw, other, kpi)

    def change_of(self, raw: Decimal | None, other: Number | None, kpi: Kpi) -> Change:
        """A difference that is already known; ``other`` is what it is relative to."""
        if raw is None:
            return Change(None, "–")
        text = self.form.change(raw, other, kpi.unit)
        if not raw:
            return Change(raw, text, "flat", "same")
        verdict: Verdict = "better" if (raw > 0) == (kpi.good == "up") else "worse"
        return self._moved(raw, text, verdict)

    def gap(self, row: Row, kpi: Kpi) -> Change:
        """How far the value is from its target; from the nearer end of a range, nothing inside it."""
        if row.target_high is None:
            return self.change(row.value, row.target, kpi)
        below, above = difference(row.value, row.target), difference(row.value, row.target_high)
        if below is None or above is None:
            return Change(None, "–")
        raw, other = (below, row.target) if below < 0 else (above, row.target_high)
        if below >= 0 >= above:
            return Change(Decimal(0), self.gettext("in range"), "flat", "same")
        return self._moved(raw, self.form.change(raw, other, kpi.unit), "worse")

    def _moved(self, raw: Decimal, text: str, verdict: Verdict) -> Change:
        said = self.gettext("better") if verdict == "better" else self.gettext("worse")
        return Change(raw, text, "up" if raw > 0 else "down", verdict, said)

    def segment(self, values: Sequence[str], names: Sequence[str]) -> str:
        """The values of the segments ``names`` as people read them."""
        return " · ".join(self._value(v, name) for v, name in zip(values, names, strict=True))

    def _value(self, value: str, segment: str) -> str:
        if value in STAND_IN:
            return self.gettext(STAND_IN[value])
        score = self._banded(segment)
        return self.band(score, value) if score else value

    def _banded(self, segment: str) -> Score | None:
        """The score whose bands are the values of a segment, wherever it lives."""
        declared = self.declaration.segments.get(segment)
        columns = (
            {path.value.rpartition(".")[2] for path in declared.paths.values()} if declared else {segment}
        )
        found = (score for score in self.declaration.scores.values() if columns == {f"{score.name}_band"})
        return next(found, None)

    def band(self, score: Score, band: str) -> str:
        return self.text(score.band_labels.get(band, {})) or spaced(band)

    def state(self, state: str) -> str:
        """What keeps a period from being final; empty if nothing does."""
        return "" if state == "final" else self.gettext(STATE[state])

    def placed(self, names: Sequence[str], values: Sequence[str]) -> str:
        """``channel: paid · owner: Zoé``; empty for a total."""
        pairs = zip(names, values, strict=True)
        say = "%(what)s: %(value)s"
        return " · ".join(
            self.gettext(say, what=spaced(name), value=self.segment([value], [name])) for name, value in pairs
        )

    def condition(self, rule: AlertRule, unit: str) -> str:
        """A rule's condition in words; empty where it is not simple."""
        return self.words(rule.when.value, unit, rule.hold)

    def words(self, condition: str, unit: str, hold: int = 1) -> str:
        """A condition in words; empty where it is not simple."""
        return self.said(Words(self.locale, unit).of(condition, hold))

    def severity(self, severity: str) -> str:
        return self.gettext(SEVERITY[severity]) if severity in SEVERITY else self.said(severity)

    def unit(self, unit: str) -> str:
        """A unit by itself."""
        return self.form.unit_name(unit)

    def events(self) -> dict[dt.date, list[str]]:
        """Milestones and notes by their day, in order; a day's notes stand for its milestones' bare names."""
        named: dict[dt.date, list[str]] = {}
        for name, day in self.declaration.milestones.items():
            named.setdefault(day, []).append(self.said(spaced(name)))
        noted = {day: [self.text(texts)] for day, texts in self.declaration.notes.items()}
        return {day: noted.get(day) or named[day] for day in sorted({*named, *noted})}

    def notes(self, notes: Iterable[Note]) -> list[str]:
        """``Revenue, Orders · rows of orders that changed …``: what is said of several KPIs is said once."""
        whose: dict[tuple[str, str, dt.date | None], list[str]] = {}
        for note in notes:
            whose.setdefault((note.kind, note.dataset, note.since), []).append(self.label(note.kpi))
        return [f"{self._some(labels)} · {self._note(*what)}" for what, labels in whose.items()]

    def _note(self, kind: str, dataset: str, since: dt.date | None) -> str:
        return noted(self.catalogue, kind, dataset, self.form.date(since) if since is not None else "")

    def _some(self, labels: Sequence[str]) -> str:
        """All of a few labels; of many the first ones, and how many there are."""
        if len(labels) <= _MOST_LABELS:
            return ", ".join(labels)
        shown = ", ".join(labels[: _MOST_LABELS - 1])
        return f"{shown} … ({self.gettext('%(num)s KPIs', num=len(labels))})"

    def told(self, text: str) -> str:
        """A warning or finding of the run in the reader's language, as far as it is one of ours."""
        return self.said(retold(text, self.locale))

    def warning(self, problem: Problem) -> str:
        """A warning of the run: its place, what it is about, what is wrong, and the way out."""
        place = f"{problem.where} · " if problem.where else ""
        subject = f"{problem.subject} · " if problem.subject else ""
        hint = f" ({self.told(problem.hint)})" if problem.hint else ""
        return f"{place}{subject}{self.told(problem.message)}{hint}"

    def age(self, last: dt.date | None, today: dt.date) -> str:
        """``3 days ago``; empty where nothing is dated, or dated ahead."""
        days = (today - last).days if last else -1
        return "" if days < 0 else self.form.ago(days)


def noted(messages: Catalogue, kind: str, dataset: str, since: object) -> str:
    """What a run says of how a KPI's values are to be read; ``since`` as it is to be shown."""
    if kind == "clock":
        return messages.gettext("rests on now(): computed from all rows in every run")
    text = messages.gettext(
        "rows of %(dataset)s that changed in periods which ended before %(since)s are not looked at again"
    )
    return text % {"dataset": dataset, "since": since}


def spaced(name: str) -> str:
    """``lead_source`` as people read it: ``lead source``."""
    return name.replace("_", " ")
