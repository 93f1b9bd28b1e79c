"""Before and after a milestone in words and tables, in both languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest

from cadran.analysis.answers import Answers, MilestoneAnswer, MilestoneQuestion, Side
from cadran.analysis.intervals import shares
from cadran.declare.model import Comparison
from cadran.publish.analyses.milestones import for_report, views
from cadran.publish.figures import Figures
from cadran.publish.sandbox import environment

from . import fakes
from .test_why import number, plain

Golden = Callable[[str, str], None]
FR, EN = (Figures(fakes.declaration(), locale) for locale in ("fr", "en"))
BEFORE = Side(dt.date(2025, 3, 1), dt.date(2025, 8, 31), 6)
AFTER = Side(dt.date(2025, 9, 1), dt.date(2026, 2, 28), 6)


def share(hits: int, number: int, others: int, of: int, earlier: tuple[float | None, float | None] = (None, None)) -> MilestoneAnswer:  # fmt: skip
    interval = shares(others, of, hits, number)
    years = [replace(s, value=value) for s, value in zip((BEFORE, AFTER), earlier, strict=True)]
    return MilestoneAnswer(
        MilestoneQuestion("lead_conversion_rate", "new_crm"), dt.date(2025, 9, 1),
        replace(BEFORE, value=hits / number, hits=hits, number=number),
        replace(AFTER, value=others / of, hits=others, number=of), (years[0], years[1]),
        sure="interval" if interval else "few", interval=interval,
    )  # fmt: skip


def money(before: str, after: str, interval: tuple[float, float] | None = None) -> MilestoneAnswer:
    answer = share(1, 2, 1, 2)
    return replace(
        answer, question=MilestoneQuestion("revenue", "new_crm"), before=replace(BEFORE, value=Decimal(before)),
        after=replace(AFTER, value=Decimal(after)), sure="interval" if interval else "neither", interval=interval,
    )  # fmt: skip


CLEAR = share(60, 200, 90, 210, (0.25, 0.26))
NOTHING = replace(CLEAR, missing="refused", refused="neighbours", what="retained")


@pytest.mark.parametrize(
    ("answer", "english", "french"),
    [
        (CLEAR, "clear: +3.5 pt to +21.8 pt", "net : +3,5 pt à +21,8 pt"),
        (share(60, 200, 66, 210), "no clear change: −7.5 pt to +10.3 pt", "pas d’évolution nette : −7,5 pt à +10,3 pt"),
        (share(3, 10, 5, 9), "too few to tell (10 before, 9 after)", "trop peu pour conclure (10 avant, 9 après)"),
        (money("1000", "1200.5"), "cannot be said: neither a share nor a mean", "indéterminée : ni une part ni une moyenne"),
        (money("100", "120", (-3.25, 43.25)), "no clear change: −€3.25 to +€43.25", "pas d’évolution nette : −3,25 € à +43,25 €"),
        (NOTHING, "retained() compares a period with the one before, which several months together do not have",
         "retained() compare une période à la précédente, ce que plusieurs mois réunis n’ont pas"),
        (replace(CLEAR, missing="after", after=replace(AFTER, months=4), enough_on=dt.date(2026, 3, 1)),
         "not enough yet: 4 of 6 months after; enough on March 1, 2026", "pas encore assez : 4 mois sur 6 après ; assez le 1er mars 2026"),
        (replace(CLEAR, missing="before", before=replace(BEFORE, months=2)),
         "not enough: 2 of 6 months before", "pas assez : 2 mois sur 6 avant"),
        (replace(CLEAR, missing="data"), "no data on one side", "aucune donnée d’un côté"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_change(answer: MilestoneAnswer, english: str, french: str) -> None:
    for figures, text in ((EN, english), (FR, french)):
        (view,) = views([answer], figures)
        (row,) = view.rows
        assert plain(row.missing or row.sure) == text
        assert bool(row.missing) == (not row.change)


@pytest.mark.parametrize("year_ago", [0.2504, 0.2505, 0.2509, 0.4])
def test_the_shown_change_is_that_of_a_year_earlier_and_what_lies_beyond(year_ago: float) -> None:
    (view,) = views([share(60, 200, 90, 210, (0.25, year_ago))], EN)
    (row,) = view.rows
    assert number(row.earlier) + number(row.beyond) == number(row.change)


def test_beyond_what_the_season_does_every_year() -> None:
    (view,) = views([CLEAR, share(60, 200, 90, 210)], EN)
    known, unknown = view.rows
    assert [plain(t) for t in (known.before, known.after, known.change, known.earlier, known.beyond)] == [
        "30.0%", "42.9%", "+12.9 pt", "+1.0 pt", "+11.9 pt",
    ]  # fmt: skip
    assert (known.verdict, unknown.earlier, unknown.beyond) == ("better", "no data", "–")


@pytest.mark.parametrize(("kind", "suffix"), [("html", "html"), ("markdown", "md")])
@pytest.mark.parametrize("locale", ["en", "fr"])
def test_blocks(kind: Literal["html", "markdown"], suffix: str, locale: str, matches: Golden) -> None:
    env = environment([fakes.TEMPLATES], kind)
    body = "{% for view in views %}{{ milestones.compared(view) }}{% endfor %}"
    template = env.from_string('{% import "_milestones.' + suffix + '.jinja" as milestones %}' + body)
    found = views([CLEAR, money("1000", "1200.5"), NOTHING], FR if locale == "fr" else EN)
    matches(f"milestones_{locale}.{suffix}", template.render(views=found))


def test_a_report_shows_its_own_comparison() -> None:
    report = replace(fakes.weekly_sales(), kpis=(), compare=Comparison(fakes.text("new_crm")))
    longer = replace(CLEAR, question=MilestoneQuestion("lead_conversion_rate", "new_crm", 12))
    answers = Answers(milestones={a.question: a for a in (longer, CLEAR)})
    (view,) = for_report(answers, report, EN)
    assert [row.kpi for row in view.rows] == ["lead_conversion_rate"] and "span of 6 months" in view.spans
    assert for_report(answers, fakes.weekly_sales(), EN) == []
