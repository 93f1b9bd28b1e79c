"""Blocks of paces and forecasts in reports: words in both languages, bars in place, values escaped."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Literal

import pytest

from cadran.analysis.answers import (
    ForecastAnswer,
    ForecastFigures,
    ForecastStage,
    ForecastTest,
    Interval,
    PaceAnswer,
    PaceFigures,
    Projection,
)
from cadran.declare.document import nowhere
from cadran.declare.model import Forecast
from cadran.publish.analyses.forecasts import forecast_view
from cadran.publish.analyses.pace import likely, pace_view, whole_percent
from cadran.publish.analyses.words import said as words
from cadran.publish.figures import Figures
from cadran.publish.sandbox import environment

from . import fakes

FIRST, LAST = dt.date(2026, 4, 1), dt.date(2026, 4, 30)
MADE = Projection(900.0, (Interval(0.8, 800, 1000), Interval(0.95, 700, 1100)), 12, 0.1, 0.2, 12, 0.75)


def running(**changes: Any) -> PaceFigures:
    figures = PaceFigures(
        "month", "2026-04", FIRST, LAST, 0.25, (), (), 500, 400, 450, MADE, "", 1000, None, 500, 10, 50, True
    )
    return replace(figures, **changes)


def figures(locale: str) -> Figures:
    made = Forecast(
        "sales", "deals", "stages", "deals", nowhere("sales"), label={"en": "Sales", "fr": "Ventes"}
    )
    return Figures(replace(fakes.declaration(), forecasts={"sales": made}), locale)


def left(kpi: str, locale: str = "en", **changes: Any) -> str:
    (group,) = pace_view([PaceAnswer(kpi, (running(**changes),))], figures(locale)).groups
    return group.lines[0].left_text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("kpi", "changes", "english", "french"),
    [
        ("new_customers", {}, "500 to go, 50 per working day", "reste 500, soit 50 par jour ouvré"),
        ("new_customers", {"working_days": 0, "per_day": None}, "500 to go, no working day left", "reste 500, plus aucun jour ouvré"),
        ("new_customers", {"left": 0, "per_day": None}, "reached so far", "atteint à ce jour"),
        ("new_customers", {"left": -3, "per_day": None}, "reached so far", "atteint à ce jour"),
        ("new_customers", {"left": None, "per_day": None}, "", ""),
        ("lead_conversion_rate", {"left": 0.032, "per_day": None, "spreads": False}, "3.2 pt missing", "il manque 3,2 pt"),
        ("sales_cycle", {"left": 4, "per_day": None, "spreads": False}, "4 days below the limit", "4 jours sous la limite"),
        ("sales_cycle", {"left": -4, "per_day": None}, "exceeded by 4 days", "dépassé de 4 jours"),
        ("sales_cycle", {"left": 40, "per_day": 4}, "40 days may still come, 4 days per working day", "encore 40 jours possibles, soit 4 jours par jour ouvré"),
    ],
)  # fmt: skip
def test_what_is_left_in_words(kpi: str, changes: dict[str, Any], english: str, french: str) -> None:
    assert left(kpi, "en", **changes) == english
    assert left(kpi, "fr", **changes) == french


@pytest.mark.parametrize(
    ("reason", "english", "french"),
    [
        ("few", "no projection: fewer than 6 final periods", "pas de projection : moins de 6 périodes définitives"),
        ("later", "no projection: what its rows count for is known only later", "pas de projection : ce que valent ses lignes n’est connu que plus tard"),
    ],
)  # fmt: skip
def test_why_there_is_no_projection(reason: str, english: str, french: str) -> None:
    for locale, said in (("en", english), ("fr", french)):
        answer = PaceAnswer("new_customers", (running(projection=None, reason=reason),))
        assert pace_view([answer], figures(locale)).groups[0].lines[0].projection_text == said


def test_a_bar_from_nothing_to_the_largest_of_all() -> None:
    view = pace_view([PaceAnswer("new_customers", (running(),))], figures("en"))
    bullet = view.groups[0].lines[0].bullet
    assert bullet is not None
    assert (bullet.value, bullet.low, bullet.projection) == (49.0, 78.4, 88.2)  # of 1020
    assert (bullet.high, bullet.target) == (98.0, 98.0)
    below = running(projection=replace(MADE, intervals=(Interval(0.8, -5, 1000),)))
    (group,) = pace_view([PaceAnswer("new_customers", (below,))], figures("en")).groups
    assert group.lines[0].bullet is None


@pytest.mark.parametrize(
    ("chance", "text"), [(0.0, "< 1%"), (0.009, "< 1%"), (0.01, "1%"), (0.5, "50%"), (0.99, "99%"), (1.0, "> 99%")]
)  # fmt: skip
def test_nothing_is_certain(chance: float, text: str) -> None:
    assert likely(chance, figures("en")) == text
    assert whole_percent(None, figures("en")) == "–"


def forecast(label: str = "demo") -> ForecastAnswer:
    interval = (Interval(0.8, 900, 1600), Interval(0.95, 600, 2000))
    shown = [
        ForecastFigures("2026-04", FIRST, LAST, (), (), 400, 700, 100, 1200, interval),
        ForecastFigures("2026-05", FIRST, LAST, (), (), 0, 300, None, None),
        ForecastFigures("2026-04", FIRST, LAST, ("owner",), (label,), 400, 700, 100, 1200, interval),
    ]
    stages = (ForecastStage(label, 3, 1500.0, 0.4, 12.6, 80), ForecastStage("", 1, 10.0, None, None, 0))
    tests = (ForecastTest(0, 12, 0.04, 0.12, 0.3, {0.8: 0.75, 0.95: 1.0}),)
    return ForecastAnswer("sales", "month", "EUR", tuple(shown), stages, tests, ())


def test_a_forecast_in_lines() -> None:
    view = forecast_view(forecast(), figures("en"))
    assert (view.label, view.level_text, view.levels) == ("Sales", "80%", ("80%", "95%"))
    april, may = view.lines
    assert april.stack is not None
    assert (april.stack.won, april.stack.open, april.stack.new) == (25.0, 43.8, 6.2)  # of 1600
    assert (april.stack.low, april.stack.high) == (56.2, 100.0)
    assert (may.value.text, may.interval_text, may.new.text) == ("–", "", "–")
    assert [s.label for s in view.stages] == ["demo", "(no stage)"]
    assert (view.tests[0].bias_text, view.tests[0].held) == ("+4%", ("75%", "100%"))


@pytest.mark.parametrize("kind", ["html", "markdown"])
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_blocks_show_all_and_escape_what_is_not_ours(kind: Literal["html", "markdown"], locale: str) -> None:
    suffix = "html" if kind == "html" else "md"
    source = (
        f'{{% from "_pace.{suffix}.jinja" import pace_block %}}{{% from "_forecast.{suffix}.jinja" import forecast_block %}}'
        "{{ pace_block(pace) }}{{ forecast_block(forecast) }}"
    )
    odd = "<b>*x*</b>"
    answers = [PaceAnswer("new_customers", (running(segment=("owner",), segment_value=(odd,)),))]
    said = figures(locale)
    shown = {"pace": pace_view(answers, said), "forecast": forecast_view(forecast(odd), said)}
    text = environment([fakes.TEMPLATES], kind).from_string(source).render(shown)
    assert "<b>*x*</b>" not in text
    assert ("&lt;b&gt;*x*&lt;/b&gt;" if kind == "html" else r"&lt;b>\*x\*&lt;/b>") in text
    assert words(locale, "Open deals by stage").replace("’", "’") in text
    nothing = {"pace": pace_view([], said), "forecast": shown["forecast"]}
    assert words(locale, "No running period") in environment([fakes.TEMPLATES], kind).from_string(
        source
    ).render(nothing)


def test_styles_are_short_and_link_to_nothing() -> None:
    source = '{% from "_pace.html.jinja" import pace_style %}{% from "_forecast.html.jinja" import forecast_style %}{{ pace_style() }}{{ forecast_style() }}'
    css = environment([fakes.TEMPLATES], "html").from_string(source).render()
    assert "url(" not in css
    assert ".bullet" in css
    assert ".stack" in css
