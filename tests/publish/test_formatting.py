"""Numbers, money, changes and periods as they are written in French and in English."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest

from cadran.publish.formatting import Formatter, Number, difference, exact, ratio
from cadran.publish.messages import language, localized

FR, EN = Formatter("fr"), Formatter("en")
HUGE = D("12345678901234567890123456789012345678.55")


def plain(text: str) -> str:
    """Readable in a table: ``_`` for U+202F, ``~`` for U+00A0."""
    return text.replace("\u202f", "_").replace("\u00a0", "~")


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (D("0.124"), "percent", "12,4~%", "12.4%"),
        (D("0.1245"), "percent", "12,5~%", "12.5%"),
        (0.1245, "percent", "12,5~%", "12.5%"),
        (D("-0.05"), "percent", "−5,0~%", "−5.0%"),
        (D("0.0004"), "percent", "0,04~%", "0.04%"),
        (0, "percent", "0,0~%", "0.0%"),
        (D("12.5"), "percent", "1_250,0~%", "1,250.0%"),
        (D("1234.56"), "EUR", "1_235~€", "€1,235"),
        (D("999.5"), "EUR", "999,50~€", "€999.50"),
        (D("-12.5"), "EUR", "−12,50~€", "−€12.50"),
        (D("-0.001"), "EUR", "0,00~€", "€0.00"),
        (D("12.5"), "USD", "12,50~$US", "$12.50"),
        (D("12.5"), "CHF", "12,50~CHF", "CHF~12.50"),
        (D("12.5"), "JPY", "13~JPY", "¥13"),
        (D("1.2345"), "TND", "1,235~TND", "TND~1.235"),
        (HUGE, "EUR", "12_345_678_901_234_567_890_123_456_789_012_345_679~€", "€12,345,678,901,234,567,890,123,456,789,012,345,679"),
        (1234567, "", "1_234_567", "1,234,567"),
        (D("1200.00"), "", "1_200", "1,200"),
        (D("3.14159"), "", "3,14", "3.14"),
        (3.0, "", "3,00", "3.00"),
        (0.0123, "", "0,012", "0.012"),
        (45.678, "", "45,7", "45.7"),
        (1, "days", "1~jour", "1~day"),
        (1.5, "days", "1,50~jour", "1.50~days"),
        (32.44, "days", "32,4~jours", "32.4~days"),
        (12, "visits", "12~visites", "12~visits"),
        (None, "EUR", "–", "–"),
        (float("nan"), "percent", "–", "–"),
        (float("inf"), "", "–", "–"),
    ],
)  # fmt: skip
def test_values(value: Number | None, unit: str, french: str, english: str) -> None:
    assert plain(FR.value(value, unit)) == french
    assert plain(EN.value(value, unit)) == english


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (1_200_000, "", "1,2~M", "1.2M"),
        (D("1244999.99"), "EUR", "1,24~M~€", "€1.24M"),
        (D("-12500000"), "EUR", "−12,5~M~€", "−€12.5M"),
        (999_999_999, "", "1~Md", "1B"),
        (D("1500000"), "CHF", "1,5~M~CHF", "CHF~1.5M"),
        (2_000_000, "days", "2~M_j", "2M~days"),
        (999_999, "EUR", "999_999~€", "€999,999"),
        (32.44, "days", "32,4_j", "32.4~days"),
        (D("0.5"), "percent", "50,0~%", "50.0%"),
        (None, "", "–", "–"),
    ],
)
def test_compact(value: Number | None, unit: str, french: str, english: str) -> None:
    assert plain(FR.compact(value, unit)) == french
    assert plain(EN.compact(value, unit)) == english


@pytest.mark.parametrize(
    ("change", "other", "unit", "french", "english"),
    [
        (D("0.012"), D("0.2"), "percent", "+1,2~pt", "+1.2~pt"),
        (D("-0.012"), None, "percent", "−1,2~pt", "−1.2~pt"),
        (0, D("0.2"), "percent", "0,0~pt", "0.0~pt"),
        (D("1e-9"), D("0.2"), "percent", "0,0~pt", "0.0~pt"),
        (45, 1000, "EUR", "+4,5~%", "+4.5%"),
        (-45, -1000, "EUR", "−4,5~%", "−4.5%"),
        (5, 0, "", "+5", "+5"),
        (5, None, "EUR", "+5,00~€", "+€5.00"),
        (50, 4, "", "+>1_000~%", "+>1,000%"),
        (None, 4, "", "–", "–"),
    ],
)
def test_changes(change: Number | None, other: Number | None, unit: str, french: str, english: str) -> None:
    assert plain(FR.change(change, other, unit)) == french
    assert plain(EN.change(change, other, unit)) == english


@pytest.mark.parametrize(
    ("label", "french", "short_french", "english", "short_english"),
    [
        ("2026-03", "mars 2026", "mars 26", "March 2026", "Mar 26"),
        ("2026-Q1", "T1 2026", "T1 26", "Q1 2026", "Q1 26"),
        ("2026-W10", "semaine 10 de 2026", "S10", "week 10 of 2026", "W10"),
        ("2026-W01", "semaine 1 de 2026", "S1", "week 1 of 2026", "W1"),  # begins in December 2025
        ("2026-03-01", "1er mars 2026", "1 mars", "March 1, 2026", "Mar 1"),
        ("2026", "2026", "2026", "2026", "2026"),
        ("FY2026", "exercice 2026", "ex. 26", "fiscal year 2026", "FY26"),
        ("FY2026-Q1", "T1 de l’exercice 2026", "T1 ex. 26", "Q1 of fiscal year 2026", "Q1 FY26"),
        ("all", "Toutes périodes", "Toutes périodes", "Over all data", "Over all data"),
    ],
)
def test_periods(label: str, french: str, short_french: str, english: str, short_english: str) -> None:
    assert plain(FR.period(label)) == french
    assert plain(FR.short_period(label)) == short_french
    assert plain(EN.period(label)) == english
    assert plain(EN.short_period(label)) == short_english


def test_dates_and_instants() -> None:
    assert plain(FR.date(dt.date(2026, 8, 1))) == "1er août 2026"
    assert plain(FR.instant(dt.datetime(2026, 11, 22, 7, 5))) == "22 novembre 2026 à 07:05"
    assert plain(EN.instant(dt.datetime(2026, 11, 22, 7, 5))) == "November 22, 2026, 7:05_AM"
    assert plain(EN.instant(dt.datetime(2026, 11, 22))) == "November 22, 2026"


@pytest.mark.parametrize(
    ("value", "unit", "step", "most", "french"),
    [
        (D("0.25"), "percent", D("0.05"), D(1), "25~%"),
        (D("0.025"), "percent", D("0.005"), D(1), "2,5~%"),
        (D(5000), "", D(5000), D(15000), "5~k"),
        (D(1_500_000), "EUR", D(500_000), D(1_500_000), "1,5~M~€"),
        (D(0), "EUR", D(500_000), D(1_500_000), "0~€"),
        (D("0.5"), "EUR", D("0.1"), D(1), "0,5~€"),
        (D(40), "days", D(10), D(50), "40"),
    ],
)
def test_axis(value: D, unit: str, step: D, most: D, french: str) -> None:
    assert plain(FR.axis(value, unit, step, most)) == french


def test_arithmetic_is_exact() -> None:
    assert exact(0.1) == D("0.1")
    assert difference(HUGE, 1) == D("12345678901234567890123456789012345677.55")
    assert difference(None, 1) is None
    assert ratio(1, 0) is None
    assert ratio(-1, D("-4")) == D("-0.25")


def test_a_range_of_targets() -> None:
    assert plain(FR.bounds(D("0.03"), D("0.05"), "percent")) == "3,0~% – 5,0~%"
    assert plain(EN.bounds(D("0.03"), None, "percent")) == "3.0%"


def test_texts_fall_back_to_what_there_is() -> None:
    texts = {"fr": "Ventes", "en": "Sales"}
    assert localized(texts, "fr-CA") == "Ventes"
    assert localized(texts, "de") == "Sales"
    assert localized({"": "Both"}, "fr") == "Both"
    assert localized({"fr": "Ventes"}, "en") == "Ventes"
    assert localized({}, "en") == ""
    assert language("pt_BR") == "en"


@pytest.mark.parametrize(
    ("locale", "value", "unit", "said"),
    [
        ("fr", 1, "clients", "1 client"),
        ("fr", 0, "clients", "0 client"),
        ("fr", 2, "clients", "2 clients"),
        ("en", 0, "clients", "0 clients"),
        ("en", 1, "clients", "1 client"),
        ("en", -1, "clients", "−1 client"),
        ("fr", 1, "devis", "1 devis"),
        ("fr", 1, "souris", "1 souris"),
    ],
)
def test_one_of_what_a_team_counts(locale: str, value: int, unit: str, said: str) -> None:
    assert Formatter(locale).value(value, unit).replace("\u00a0", " ") == said
