"""All KPIs of a project on one page of Markdown: what each means, how it is computed, an example, and what is easily misread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from cadran.declare.cohorts import kpi_name
from cadran.declare.expectations import Expected, KpiTest
from cadran.declare.model import AlertRule, Cohort, Declaration, Funnel, Kpi, Score, TargetCase, Text
from cadran.publish.analyses.funnels import step_label
from cadran.publish.analyses.scores import band_label, rule_label
from cadran.publish.figures import Figures, spaced
from cadran.publish.messages import language
from cadran.publish.wording import N_

_MOST_EXAMPLES = 3  # tests of one KPI that are named

_WORDS: Mapping[str, str] = {
    "title": N_("KPI catalogue"),
    "scores": N_("Scores"),
    "funnels": N_("Funnels"),
    "cohorts": N_("Cohorts"),
    "window": N_("window"),
    "entity": N_("who is followed"),
    "left": N_("measured at each age"),
    "size": N_("how many begin"),
    "others": N_("others"),
    "blocks": N_("Building blocks"),
    "formula": N_("formula"),
    "by": N_("by"),
    "segments": N_("broken down by"),
    "unit": N_("unit"),
    "percent": N_("percent"),
    "target": N_("target"),
    "alert": N_("alert"),
    "action": N_("what to do"),
    "pitfalls": N_("easily misread"),
    "example": N_("example"),
    "read_with": N_("read with"),
    "owner": N_("owner"),
    "up": N_("more is better"),
    "down": N_("less is better"),
    "for": N_("for %(what)s"),
    "since": N_("since %(what)s"),
    "in": N_("in %(what)s"),
    "total": N_("the total"),
    "grain": N_("by %(what)s"),
    "between": N_("between %(low)s and %(high)s"),
    "times": N_("%(what)s periods in a row"),
    "until": N_("until %(what)s"),
    "day": N_("day"),
    "week": N_("week"),
    "month": N_("month"),
    "quarter": N_("quarter"),
    "year": N_("year"),
    "all": N_("all"),
    "fiscal_quarter": N_("fiscal quarter"),
    "fiscal_year": N_("fiscal year"),
    "block_note": N_("Formulas that others use by name; they are not reported themselves."),
    "note": N_(
        "Made of `%(what)s` by `cadran catalogue`. An example is a test: `cadran test` shows that it comes out."
    ),
}


def catalogue(declaration: Declaration, locale: str = "") -> str:
    """Markdown; in the project's own language unless a locale is given."""
    return "\n".join(_Page(declaration, locale or declaration.locale).lines()) + "\n"


class _Page:
    def __init__(self, declaration: Declaration, locale: str) -> None:
        self.declaration, self.locale = declaration, locale
        self.figures = Figures(declaration, locale)

    def lines(self) -> Iterator[str]:
        yield f"# {self._say('title')}"
        yield ""
        yield self._say("note", what=self.declaration.file.name)
        for tag, kpis in self._groups().items():
            yield from ("", f"## {(tag or self._say('others')).capitalize()}")
            for kpi in kpis:
                yield from ("", *self._kpi(kpi))
        yield from self._beside()
        blocks = [kpi for kpi in self.declaration.kpis.values() if not kpi.periods]
        if blocks:
            yield from ("", f"## {self._say('blocks')}", "", self._say("block_note"), "")
            yield from (f"- `{kpi.name}`: {_code(kpi.formula.value)}" for kpi in blocks)

    def _beside(self) -> Iterator[str]:
        """Scores, funnels and cohorts, a table each."""
        declaration = self.declaration
        yield from self._section("scores", [(x, self._score(x)) for x in declaration.scores.values()])
        yield from self._section("funnels", [(x, self._funnel(x)) for x in declaration.funnels.values()])
        yield from self._section("cohorts", [(x, self._cohort(x)) for x in declaration.cohorts.values()])

    def _section(
        self, title: str, parts: Sequence[tuple[Score | Funnel | Cohort, Iterator[tuple[str, str]]]]
    ) -> Iterator[str]:
        if parts:
            yield from ("", f"## {self._say(title)}")
        for one, rows in parts:
            label = self.figures.text(one.label) or spaced(one.name)
            yield from ("", f"### {_plain(label)}", "", f"`{one.name}`")
            yield from ("", _plain(self.figures.text(one.description))) if one.description else ()
            yield from ("", "| | |", "|---|---|", *(f"| {head} | {text} |" for head, text in rows))

    def _score(self, score: Score) -> Iterator[tuple[str, str]]:
        for number, rule in enumerate(score.rules):
            label = rule_label(score, number, self.figures)
            yield f"{rule.points:+f}", f"{_plain(label)} · {_code(rule.when.value)}"
        for name, least in score.bands.items():
            yield _plain(band_label(score, name, self.figures)), f"≥ {least:f}"

    def _funnel(self, funnel: Funnel) -> Iterator[tuple[str, str]]:
        for number, step in enumerate(funnel.steps, 1):
            yield f"{number}. {_plain(step_label(step, self.figures))}", _code(step.reached.value)
        yield self._say("window"), self.figures.form.value(funnel.window.days, "days")

    def _cohort(self, cohort: Cohort) -> Iterator[tuple[str, str]]:
        yield self._say("entity"), _code(cohort.entity.value)
        for key in ("left", "size"):
            yield self._say(key), _code(self.declaration.behind[kpi_name(cohort.name, key)].formula.value)

    def _groups(self) -> dict[str, list[Kpi]]:
        """The reported KPIs by their first tag, in the order of the file."""
        out: dict[str, list[Kpi]] = {}
        for kpi in self.declaration.kpis.values():
            if kpi.periods:
                out.setdefault(kpi.tags[0] if kpi.tags else "", []).append(kpi)
        return out

    def _kpi(self, kpi: Kpi) -> Iterator[str]:
        yield f"### {_plain(self.figures.label(kpi.name))}"
        yield ""
        others = [
            _plain(text)
            for locale, text in kpi.label.items()
            if locale and language(locale) != language(self.locale)
        ]
        yield " · ".join([f"`{kpi.name}`", *(f"*{text}*" for text in others)])
        description = self.figures.text(kpi.description)
        if description:
            yield from ("", _plain(description))
        yield from ("", "| | |", "|---|---|")
        for name, text in self._rows(kpi):
            if text:
                yield f"| {self._say(name)} | {self.figures.said(text)} |"

    def _rows(self, kpi: Kpi) -> Iterator[tuple[str, str]]:
        yield "formula", _code(kpi.formula.value)
        yield "by", ", ".join(self._say(grain) for grain in kpi.periods)
        yield "segments", ", ".join(" × ".join(_plain(name) for name in names) for names in kpi.segments)
        yield "unit", ", ".join(part for part in (self._unit(kpi.unit), self._say(kpi.good)) if part)
        yield "target", "<br>".join(self._target(case) for case in kpi.targets)
        yield "alert", "<br>".join(self._alert(rule) for rule in kpi.alerts)
        yield "action", _plain(self.figures.text(kpi.action))
        yield "example", "<br>".join(self._examples(kpi))
        yield "pitfalls", _plain(self.figures.text(kpi.pitfalls))
        yield "read_with", ", ".join(_plain(self.figures.label(other.value)) for other in kpi.read_with)
        yield "owner", _plain(kpi.owner)

    def _unit(self, unit: str) -> str:
        return self._say("percent") if unit == "percent" else _plain(self.figures.form.unit_name(unit))

    # --- one cell each ----------------------------------------------------------------------------------------------

    def _target(self, case: TargetCase) -> str:
        low, high = case.low, case.high
        value = (
            _amount(case.value) if case.value else self._say("between", low=_amount(low), high=_amount(high))
        )
        fits = []
        if case.segment == "total":
            fits.append(self._say("for", what=self._say("total")))
        elif case.segment:
            fits.append(
                self._say("for", what=", ".join(f"{name} {_plain(v)}" for name, v in case.segment.items()))
            )
        fits += [self._say("grain", what=self._say(case.grain))] if case.grain else []
        fits += [self._say("in", what=case.period.value)] if case.period else []
        fits += [self._say("since", what=str(case.since))] if case.since else []
        return " ".join([value, *fits])

    def _alert(self, rule: AlertRule) -> str:
        when = _code(rule.when.value)
        parts = [when if rule.name == " ".join(rule.when.value.split()) else f"*{_plain(rule.name)}*: {when}"]
        parts += [self._say("grain", what=self._say(rule.grain))] if rule.grain else []
        if rule.scope != "each":
            parts.append(
                self._say("for", what=self._say("total") if rule.scope == "total" else ", ".join(rule.scope))
            )
        parts += [self._say("times", what=str(rule.hold))] if rule.hold > 1 else []
        parts += [self._say("until", what=_code(rule.clear.value))] if rule.clear else []
        return ", ".join(parts)

    def _examples(self, kpi: Kpi) -> Iterator[str]:
        found = [
            test for test in self.declaration.tests.values() if any(e.kpi == kpi.name for e in test.expected)
        ]
        for test in found[:_MOST_EXAMPLES]:
            yield f"{_plain(test.name)} → {self._figures(kpi, test)}"

    def _figures(self, kpi: Kpi, test: KpiTest) -> str:
        mine = [expected for expected in test.expected if expected.kpi == kpi.name]
        return ", ".join(self._figure(expected) for expected in mine)

    def _figure(self, expected: Expected) -> str:
        segment = ", ".join(f"{name} {value}" for name, value in expected.segment.items())
        figure = " ".join(expected.figure.text.value.split())
        return _plain(f"{figure} ({', '.join(part for part in (expected.label, segment) if part)})")

    def _say(self, word: str, **parts: str) -> str:
        return self.figures.gettext(_WORDS[word], **parts)


def _amount(text: Text | None) -> str:
    """A target: a plain number as it is, a formula as code."""
    written = "" if text is None else " ".join(text.value.split())
    return written if re.fullmatch(r"[-+]?[\d.]+ ?%?", written) else _code(written)


def _code(text: str) -> str:
    """A formula on one line, also within a table."""
    return f"`{' '.join(text.split())}`".replace("|", r"\|")


def _plain(text: str) -> str:
    """Text that is no markup, on one line, also within a table."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", " ".join(text.split()))
