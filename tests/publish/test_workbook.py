"""The spreadsheet: real numbers and dates in the formats of their unit, and text that stays text."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import openpyxl
import pytest

from cadran.calendar import Grain
from cadran.publish.number_formats import date_format, number_format
from cadran.publish.workbook import to_xlsx
from cadran.publish.workbook_cells import as_double

from . import fakes


def book(results: Any = None, locale: str = "fr", report: Any = None) -> Any:
    run = fakes.results() if results is None else results
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(run, run.declaration, report, locale)))


def rows(sheet: Any, head: int = 1) -> list[dict[str, Any]]:
    names = [cell.value for cell in sheet[head]]
    return [dict(zip(names, line, strict=True)) for line in sheet.iter_rows(min_row=head + 1)]


def test_the_sheets_speak_the_readers_language() -> None:
    assert book().sheetnames == ["Synthèse", "Données", "Alertes", "Qualité des données", "Définitions"]
    assert book(locale="en").sheetnames == ["Summary", "Data", "Alerts", "Data quality", "Definitions"]


def test_every_row_of_the_run_is_there_once() -> None:
    run = fakes.results()
    assert len(rows(book(run)["Données"])) == len(run.rows)


def test_numbers_and_dates_are_real() -> None:
    (line,) = [
        r
        for r in rows(book()["Données"])
        if r["Nom"].value == "revenue" and r["Du"].value == dt.datetime(2026, 3, 1) and r["Segment"].value is None
    ]  # fmt: skip
    assert line["Valeur"].value == 1201455.8
    assert line["Valeur"].number_format == "#,##0.00 [$€-40C]"
    assert line["Au"].value == dt.datetime(2026, 3, 31)
    assert line["Au"].number_format == "dd/mm/yyyy"
    assert line["Statut"].value == "à surveiller"


def test_the_summary_stands_under_its_title() -> None:
    sheet = book(report=fakes.weekly_sales())["Synthèse"]
    assert sheet["A1"].value == "Ventes : le mois en chiffres"
    (conversion,) = [r for r in rows(sheet, 5) if r["Indicateur"].value == "Taux de conversion des leads"]
    assert conversion["Valeur"].value == 0.207
    assert conversion["Valeur"].number_format == "0.0%"
    assert conversion["À faire"].value == "Revoir la qualification et les relances"


def test_differences_of_percentages_are_points() -> None:
    """``-4.3%`` of a percentage would be a relative change."""
    sheet = book(report=fakes.weekly_sales())["Synthèse"]
    (conversion,) = [r for r in rows(sheet, 5) if r["Indicateur"].value == "Taux de conversion des leads"]
    assert (conversion["Écart à l’objectif"].value, conversion["Valeur"].value) == (-4.3, 0.207)
    assert conversion["Écart à l’objectif"].number_format == '+0.0" pt";-0.0" pt";0.0" pt"'
    data = rows(book()["Données"])
    (line,) = [
        r
        for r in data
        if r["Nom"].value == "lead_conversion_rate"
        and r["Période"].value == "mars 2026"
        and not r["Segment"].value
    ]
    assert (round(line["Différence"].value, 6), line["Différence"].number_format) == (
        -1.9,
        '+0.0" pt";-0.0" pt";0.0" pt"',
    )
    (revenue,) = [r for r in rows(sheet, 5) if r["Indicateur"].value == "Chiffre d’affaires"]
    assert "€" in revenue["Écart à l’objectif"].number_format


def test_alerts_have_a_sheet() -> None:
    found = rows(book(locale="en")["Alerts"])
    said = [(r["Rule"].value, r["Segment"].value, r["Segment value"].value, r["Value"].value) for r in found]
    assert said[0] == ("very low", "channel × owner", "paid / Zoé | Müller", 0.0931)
    assert len(said) == len(fakes.alerts())
    assert "Alerts" not in book(fakes.results(alerts=()), locale="en").sheetnames


def test_the_head_stays_in_sight_and_columns_fit() -> None:
    sheet = book()["Données"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:P")
    assert sheet.column_dimensions["A"].width > 25


@pytest.mark.parametrize("text", ["=1+1", "+33 1", "-5", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    last = dt.date(2026, 3, 1)
    rows_ = fakes.rows_of("revenue", Grain.MONTH, [1], last=last, segment=("range",), value=(text,))
    rows_ += fakes.rows_of("revenue", Grain.MONTH, [1], last=last)
    (cell,) = [r["Valeur du segment"] for r in rows(book(fakes.results(rows=tuple(rows_)))["Données"]) if r["Segment"].value]  # fmt: skip
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_nothing_is_no_cell_and_the_unspeakable_is_nothing() -> None:
    assert as_double(None) is None
    assert as_double(float("inf")) is None
    assert as_double(10**400) is None
    assert as_double(D("0.1")) == 0.1
    assert as_double(2**60) == float(2**60)


def test_the_same_run_gives_the_same_bytes() -> None:
    run = fakes.results()
    assert to_xlsx(run, run.declaration, None, "en") == to_xlsx(run, run.declaration, None, "en")


def test_a_hostile_sheet_is_cut_to_what_a_cell_holds() -> None:
    project = fakes.declaration()
    kpi = replace(project.kpis["revenue"], description={"": "x" * 40_000})
    run = fakes.results(declaration=replace(project, kpis={**project.kpis, "revenue": kpi}))
    found = [r["Description"].value for r in rows(book(run)["Définitions"])]
    assert max(len(text or "") for text in found) == 32_767


@pytest.mark.parametrize(
    ("unit", "value", "french", "english"),
    [
        ("percent", D("0.207"), "0.0%", "0.0%"),
        ("percent", D("0.0004"), "0.00%", "0.00%"),
        ("EUR", 3, "#,##0.00 [$€-40C]", "[$€-409]#,##0.00"),
        ("JPY", 3, "#,##0 [$JPY-40C]", "[$¥-409]#,##0"),
        ("days", 32.44, "#,##0.0", "#,##0.0"),
        ("", 12, "#,##0", "#,##0"),
        ("percent", None, "0.0%", "0.0%"),
    ],
)
def test_number_formats(unit: str, value: Any, french: str, english: str) -> None:
    assert number_format(unit, value, "fr") == french
    assert number_format(unit, value, "en") == english


def test_date_formats() -> None:
    assert [date_format(locale) for locale in ("fr", "en", "en-GB")] == ["dd/mm/yyyy", "m/d/yyyy", "dd/mm/yyyy"]  # fmt: skip
