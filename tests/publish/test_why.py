"""Explanations of changes in words and tables, in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest

from cadran.analysis.answers import Answers, WhyAnswer, WhyPart, WhyQuestion, WhySplit
from cadran.analysis.effects import State, of_ratio
from cadran.publish.analyses.why import explained, for_report, sentence
from cadran.publish.figures import Figures
from cadran.publish.sandbox import environment

from . import fakes

Golden = Callable[[str, str], None]
FR, EN = (Figures(fakes.declaration(), locale) for locale in ("fr", "en"))


def ratio(kpi: str = "lead_conversion_rate", **parts: tuple[int, int, int, int]) -> WhyAnswer:
    """Each part as numerator and denominator, then and now."""
    then = State(*(Fraction(sum(p[i] for p in parts.values())) for i in (0, 1)))
    now = State(*(Fraction(sum(p[i] for p in parts.values())) for i in (2, 3)))
    made = []
    for name, (n0, d0, n1, d1) in parts.items():
        a, b = State(Fraction(n0), Fraction(d0)), State(Fraction(n1), Fraction(d1))
        effect = of_ratio(a, b, then, now)
        weights = Fraction(d0) / then.denominator, Fraction(d1) / now.denominator
        value = "(none)" if name == "none" else name
        made.append(WhyPart((value,), effect.total, effect.rate, effect.mix, a.rate, b.rate, *weights))
    made.sort(key=lambda p: -abs(p.effect))
    question = WhyQuestion(kpi, "2026-03")
    split = WhySplit(("channel",), tuple(made))
    return WhyAnswer(question, "month", "2026-03", "2026-02", "final", then.rate, now.rate, False, (split,))


def total(kpi: str = "revenue", rest: int = 0, **parts: tuple[int, int]) -> WhyAnswer:
    then, now = (Fraction(sum(p[i] for p in parts.values())) for i in (0, 1))
    made = [
        WhyPart((n,), Fraction(b - a), None, None, Fraction(a), Fraction(b), Fraction(a) / then if then else None, Fraction(b) / now)
        for n, (a, b) in parts.items()
    ]  # fmt: skip
    split = WhySplit(("range",), tuple(sorted(made, key=lambda p: -abs(p.effect))), Fraction(rest))
    question = WhyQuestion(kpi, "2026-03")
    return WhyAnswer(question, "month", "2026-03", "2026-02", "final", then, now + rest, True, (split,))


BY_HAND = ratio(web=(20, 40, 18, 40), paid=(10, 60, 15, 110))


@pytest.mark.parametrize(
    ("answer", "english", "french"),
    [
        (
            BY_HAND,
            "Lead conversion rate, March 2026: −8.0 pt against February 2026. "
            "By channel: web −4.5 pt (rate and weight), paid −3.5 pt (rate and weight).",
            "Taux de conversion des leads, mars 2026 : −8,0 pt par rapport à février 2026. "
            "Par channel : web −4,5 pt (taux et poids), paid −3,5 pt (taux et poids).",
        ),
        (
            ratio(web=(20, 40, 12, 40), paid=(10, 60, 10, 60)),
            "Lead conversion rate, March 2026: −8.0 pt against February 2026. By channel: web −8.0 pt (lower rate), paid 0.0 pt.",
            "Taux de conversion des leads, mars 2026 : −8,0 pt par rapport à février 2026. "
            "Par channel : web −8,0 pt (taux plus bas), paid 0,0 pt.",
        ),
        (
            ratio(none=(0, 0, 18, 24), paid=(10, 60, 10, 60)),
            "Lead conversion rate, March 2026: +16.7 pt against February 2026. "
            "By channel: (none) +14.3 pt (new), paid +2.4 pt (less weight).",
            "Taux de conversion des leads, mars 2026 : +16,7 pt par rapport à février 2026. "
            "Par channel : (non renseigné) +14,3 pt (nouveau), paid +2,4 pt (moins de poids).",
        ),
        (
            total(small=(1000, 4000), large=(2000, 1500), mid=(10, 20)),
            "Revenue, March 2026: +€2,510 against February 2026. By range: small +€3,000, others −€490.",
            "Chiffre d’affaires, mars 2026 : +2 510 € par rapport à février 2026. Par range : small +3 000 €, autres −490 €.",
        ),
        (
            total(small=(10, 10)),
            "Revenue, March 2026: €0.00 against February 2026. By range: no clear part.",
            "Chiffre d’affaires, mars 2026 : 0,00 € par rapport à février 2026. Par range : aucune part nette.",
        ),
        (
            replace(BY_HAND, missing="then", splits=()),
            "Lead conversion rate: no data in February 2026, so there is nothing to compare with.",
            "Taux de conversion des leads : aucune donnée en février 2026, donc rien à comparer.",
        ),
        (
            replace(BY_HAND, missing="then", against_period="", splits=()),
            "Lead conversion rate: the year before has no such period.",
            "Taux de conversion des leads : l’année précédente n’a pas cette période.",
        ),
    ],
)
def test_sentences(answer: WhyAnswer, english: str, french: str) -> None:
    assert plain(sentence(answer, EN)) == english
    assert plain(sentence(answer, FR)) == french


def plain(text: str) -> str:
    return re.sub("[\u00a0\u202f]", " ", text)


def test_shown_parts_add_up_to_the_shown_change() -> None:
    parts = {f"c{i}": (i, 30 + i, 2 * i % 7, 31 + i * i) for i in range(14)}
    for answer in (ratio(**parts), total("revenue", 3, **{n: (p[0], p[1]) for n, p in parts.items()})):
        why = explained(answer, EN)
        (table,) = why.tables
        assert len(table.lines) == 9 + bool(answer.additive)
        assert sum(number(line.effect) for line in table.lines) == number(table.total)
        for line in table.lines:
            assert not line.rate or number(line.rate) + number(line.mix) == number(line.effect)
        assert table.lines[8].label == "6 others"


def number(text: str) -> Fraction:
    return Fraction(re.sub(r"[^\d.-]", "", text.replace("−", "-")))


@pytest.mark.parametrize(
    ("state", "note"),
    [
        ("final", ""),
        ("open", "in progress: compared with the same elapsed part of February 2026"),
        ("maturing", "still maturing: the value may yet change"),
        ("settling", "not settled yet: the value may yet change"),
    ],
)
def test_what_is_not_final_says_so(
    state: Literal["final", "open", "maturing", "settling"], note: str
) -> None:
    assert explained(replace(BY_HAND, state=state), EN).note == note


def test_a_report_explains_a_handful_in_the_order_that_it_is_given() -> None:
    report = replace(fakes.weekly_sales(), period="2026-03", kpis=())
    still = replace(total("cac", small=(5, 5)), question=WhyQuestion("cac", "2026-03"))
    elsewhere = replace(total(small=(1, 3)), question=WhyQuestion("revenue", "2026-02"))  # another report's
    answers = Answers(whys={a.question: a for a in (elsewhere, still, BY_HAND, total(small=(1, 2)))})
    chosen = for_report(answers, report, ["revenue", "cac", "lead_conversion_rate", "revenue"], EN)
    assert [(why.kpi, why.period_text) for why in chosen] == [
        ("revenue", "March 2026"),
        ("lead_conversion_rate", "March 2026"),
    ]


def test_what_is_in_no_denominator_has_no_cause() -> None:
    why = explained(ratio("cac", web=(20, 40, 18, 40), none=(7, 0, 90, 0)), EN)
    assert [(line.label, line.cause) for line in why.tables[0].lines] == [
        ("(none)", ""),
        ("web", "lower value"),
    ]


@pytest.mark.parametrize(("kind", "suffix"), [("html", "html"), ("markdown", "md")])
@pytest.mark.parametrize("locale", ["en", "fr"])
def test_blocks(kind: Literal["html", "markdown"], suffix: str, locale: str, matches: Golden) -> None:
    figures = FR if locale == "fr" else EN
    evil = total(small=(1000, 4000), **{"<b>|x": (2000, 1500), "mid": (10, 20)}, rest=7)
    second = replace(BY_HAND, splits=(*BY_HAND.splits, *evil.splits))
    env = environment([fakes.TEMPLATES], kind)
    body = "{% for v in views %}{{ why.change(v) }}{% endfor %}"
    template = env.from_string('{% import "_why.' + suffix + '.jinja" as why %}' + body)
    text = template.render(views=[explained(second, figures), explained(evil, figures)])
    assert "<b>|x" not in text
    matches(f"why_{locale}.{suffix}", text)
