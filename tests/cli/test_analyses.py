"""``cadran funnels``, ``cohorts``, ``scores`` and ``explain --score``: what they print, and what they say of mistakes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from .user import AS_OF, call, project

KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
locale: en
sources: {files: {connector: files, path: data}}
datasets:
  leads: {from: files.leads, key: id, date: created_at, links: {customer_id: customers}}
  customers: {from: files.customers, key: id, date: created_at}
  orders: {from: files.orders, key: id, date: day, links: {customer_id: customers}}
kpis: {all_leads: count(leads)}
scores:
  heat:
    label: {fr: Intérêt, en: Interest}
    dataset: leads
    show: [channel, employees]
    only: customer_id is null
    rules:
      - {when: visited, points: 30, label: {fr: a vu les prix, en: saw the prices}}
      - first:
        - {when: employees > 200, points: 25}
        - {when: employees > 20, points: 10}
      - {when: employees > 5000, points: 1, adds: true}
    bands: {hot: 50, cold: 0}
    band_labels: {hot: {fr: chaud}, cold: {fr: froid}}
funnels:
  journey:
    label: {fr: Parcours, en: Journey}
    description: {fr: Du lead au client., en: From lead to customer.}
    dataset: leads
    window: 30 days
    steps:
      lead: created_at
      qualified: {reached: qualified_on, label: {fr: qualifié}}
      customer: customers.created_at
    segment: channel
cohorts:
  back: {label: {fr: Reviennent, en: Come back}, entity: orders.customer_id, ages: 3}
"""
TABLES = {
    "leads": """\
id,created_at,qualified_on,channel,employees,visited,customer_id
L1,2026-05-02 10:00:00,2026-05-03,web,250,true,C1
L2,2026-05-04 10:00:00,2026-05-04,web,30,true,
L3,2026-05-31 23:00:00,,shop,300,true,
L4,2026-05-06 10:00:00,,shop,3,false,C2
L5,2026-06-10 10:00:00,2026-06-11,web,,false,
""",
    "customers": "id,created_at\nC1,2026-05-20\nC2,2026-05-21\n",
    "orders": "id,day,customer_id\n1,2026-04-02,C1\n2,2026-05-02,C1\n3,2026-05-03,C2\n4,2026-06-03,C1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, KPIS, TABLES)


CALLS = {
    "funnels": ["funnels"],
    "cohorts": ["cohorts"],
    "scores": ["scores", "heat", "--top", "2"],
    "scored": ["explain", "--score", "heat", "L1", "L5", "L9"],
    "rules": ["explain", "--score", "heat"],
}


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("name", CALLS)
def test_what_is_printed(folder: Path, name: str, locale: str, golden: bool) -> None:
    text = (folder / "kpis.yaml").read_text(encoding="utf-8").replace("locale: en", f"locale: {locale}")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    done = call(folder, *CALLS[name], *AS_OF)
    expected = Path(__file__).parent / "goldens" / f"{name}_{locale}.txt"
    if golden:
        expected.write_text(done.out, encoding="utf-8")
    assert done.out == expected.read_text(encoding="utf-8")
    assert done.code == (1 if name == "scored" else 0)  # L9 is nobody's key


@pytest.mark.parametrize("name", ["funnels", "cohorts", "scores"])
def test_a_locale_on_the_command_line_goes_before_the_projects(folder: Path, name: str) -> None:
    assert call(folder, name, "--locale", "fr", *AS_OF).out != call(folder, name, *AS_OF).out


def test_records_for_programs_are_exact(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call(folder, "funnels", "--format", "csv", *AS_OF).out)))
    may = [r for r in rows if r["period"] == "2026-05" and not r["segment"]]
    assert [(r["step"], r["count"], r["of_previous"], r["median_days"], r["skipped"]) for r in may] == [
        ("lead", "4", "", "", "0"),
        ("qualified", "2", "0.5", "0.5", "0"),
        ("customer", "1", "0.5", "17.0", "1"),
    ]
    states = {r["period"]: r["state"] for r in rows}  # the last of May was 30 days and nights ago
    assert states == {"2026-05": "final", "2026-06": "maturing", "2026-07": "open"}
    cells = call(folder, "cohorts", "--format", "json", *AS_OF).json()["rows"]
    assert [(c["cohort"], c["age"], c["value"], c["rate"]) for c in cells if c["cohort"] == "2026-04"] == [
        ("2026-04", 0, 1, 1.0),
        ("2026-04", 1, 1, 1.0),
        ("2026-04", 2, 1, 1.0),
        ("2026-04", 3, 0, 0.0),
    ]
    best = call(folder, "scores", "--format", "json", "--top", "1", *AS_OF).json()["rows"]
    assert best == [
        {
            "score": "heat",
            "id": "L3",
            "points": 55,
            "band": "hot",
            "channel": "shop",
            "employees": 300,
            "rules": ["visited", "employees > 200"],
        }
    ]


def test_one_score_is_csv_without_its_name(folder: Path) -> None:
    out = call(folder, "scores", "--format", "csv", "--top", "1", *AS_OF).out
    assert out.splitlines()[0] == "score,id,points,band,channel,employees,rules"


def test_quotes_of_a_formula_are_not_part_of_a_column(folder: Path) -> None:
    file = folder / "kpis.yaml"
    text = file.read_text(encoding="utf-8")
    quoted = text.replace("show: [channel, employees]", "show: ['\"channel\"', 'customers.\"created_at\"']")
    file.write_text(quoted, encoding="utf-8")
    head = call(folder, "scores", "--format", "csv", *AS_OF).out.splitlines()[0]
    assert head == "score,id,points,band,channel,customers.created_at,rules"


def test_two_scores_are_no_csv(folder: Path) -> None:
    file = folder / "kpis.yaml"
    text = file.read_text(encoding="utf-8")
    more = "scores:\n  other: {dataset: leads, rules: [{when: visited, points: 1}]}\n"
    file.write_text(text.replace("scores:\n", more), encoding="utf-8")
    said = call(folder, "scores", "--format", "csv", *AS_OF)
    assert said.code != 0
    assert "name one of them" in said.err


def test_bands_of_a_segment_have_their_labels(folder: Path) -> None:
    file = folder / "kpis.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        "{all_leads: count(leads)}", "{all_leads: {formula: count(leads), period: month, segment: heat_band}}"
    )
    file.write_text(text, encoding="utf-8")
    out = call(folder, "run", "--segments", "--locale", "fr", *AS_OF).out
    assert "heat band : chaud" in out, out


def test_funnels_name_another_period_where_there_are_several(folder: Path) -> None:
    file = folder / "kpis.yaml"
    text = file.read_text(encoding="utf-8")
    assert "--period" not in call(folder, "funnels", *AS_OF).out
    file.write_text(
        text.replace("window: 30 days", "window: 30 days\n    period: [month, quarter]"), encoding="utf-8"
    )
    assert "other periods: --period 2026-Q" in call(folder, "funnels", *AS_OF).out
    assert "other periods" not in call(folder, "funnels", "--period", "2026-05", *AS_OF).out


def test_markdown_is_a_table(folder: Path) -> None:
    out = call(folder, "cohorts", "--format", "markdown", *AS_OF).out
    assert out.startswith("### Come back\n")
    assert "| Began in | How many | 0 | 1 | 2 | 3 |\n| --- | ---: | ---: | ---: | ---: | ---: |\n" in out


MISTAKES = {
    ("funnels", "jurney"): "unknown funnel 'jurney'; did you mean 'journey'?",
    ("scores", "heet", "heat"): "unknown score 'heet'; did you mean 'heat'?",
    ("cohorts", "x"): "unknown cohort 'x'; there are: back",
    ("funnels", "--period", "2031-01"): "no funnel has the period '2031-01'; write for instance 2026-03",
    (
        "explain",
        "all_leads",
        "heat",
    ): "'heat' is one name too many; explain one KPI; keys of rows go with --score",
    ("explain", "--score", "het"): "unknown score 'het'; did you mean 'heat'?",
    ("scores", "--top", "0"): "0 is not in the range x>=1",
}


@pytest.mark.parametrize("args", MISTAKES, ids=" ".join)
def test_mistakes_are_said(folder: Path, args: tuple[str, ...]) -> None:
    done = call(folder, *args)
    assert done.code == 2
    assert MISTAKES[args] in done.err


def test_where_nothing_is_declared(tmp_path: Path) -> None:
    done = call(project(tmp_path), "funnels")
    assert done.code == 2
    assert "no funnels are declared; declare one under 'funnels:'" in done.err


def test_what_is_wrong_in_the_file_comes_first(folder: Path) -> None:
    text = (folder / "kpis.yaml").read_text(encoding="utf-8").replace("qualified_on,", "qualifed_on,")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    done = call(folder, "scores")
    assert done.code == 2
    assert (
        "funnels.journey: unknown column 'qualifed_on' in dataset 'leads'; did you mean 'qualified_on'?"
        in done.err
    )


def test_a_spreadsheet_holds_what_the_report_shows(folder: Path) -> None:
    done = call(folder, "report", *AS_OF, "--locale", "en", "-o", str(folder / "x.xlsx"))
    assert done.code == 0, done.all
    book = openpyxl.load_workbook(folder / "x.xlsx")
    assert book.sheetnames == [
        "Summary",
        "Data",
        "Funnels",
        "Cohorts",
        "Scores",
        "Data quality",
        "Definitions",
    ]
    steps = [[cell.value for cell in line] for line in book["Funnels"].iter_rows()]
    assert ["Journey", "May 2026", "final", None, None, "qualifié", 2, 0.5, 0.5] in steps
    assert ["Journey", "May 2026", "final", "channel", "web", "qualifié", 2, 1, 1] in steps
    cells = [[cell.value for cell in line] for line in book["Cohorts"].iter_rows()]
    assert cells[1][:1] + cells[1][3:] == ["Come back", 1, 0, "April 2026", 1, 1, "final"]
    best = [[cell.value for cell in line] for line in book["Scores"].iter_rows()]
    assert best[:2] == [
        ["Score", "id", "channel", "employees", "Band", "Points", "Why"],
        ["Interest", "L3", "shop", "300", "chaud", 55, "+30 saw the prices, +25 employees > 200"],
    ]
