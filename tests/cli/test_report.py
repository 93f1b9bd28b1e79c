"""``cadran report``: one report as a file, its context told."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import openpyxl
import pytest

from .user import AS_OF, KPIS, call, project


def test_a_declared_report_lies_in_the_folder_of_reports(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = call(folder, "report", "monthly", *AS_OF)
    assert done.code == 0, done.all
    assert done.out == f"report 'monthly': {folder / 'reports' / 'monthly.html'}\n"
    assert "<h1>The month</h1>" in (folder / "reports" / "monthly.html").read_text()


def test_without_a_name_it_is_of_all_kpis(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = call(folder, "report", *AS_OF, "--format", "markdown", "-o", "-")
    assert done.code == 0, done.all
    assert done.out.startswith("# Key figures\n")
    assert all(f"| {name} |" in done.out for name in ("Revenue", "basket", "number"))
    assert not (folder / "reports").exists()


def test_its_own_language_or_another(tmp_path: Path) -> None:
    folder = project(tmp_path, KPIS.replace("period: last month}", "period: last month, locale: fr}"))
    own = call(folder, "report", "monthly", *AS_OF, "--format", "markdown", "-o", "-").out
    assert "## En bref" in own and "14,30" not in own and "7,30\u00a0€" in own
    other = call(
        folder, "report", "monthly", *AS_OF, "--format", "markdown", "-o", "-", "--locale", "en-GB"
    ).out
    assert "## In short" in other and "€7.30" in other and "1 July 2026" in other


def test_another_period(tmp_path: Path) -> None:
    folder = project(tmp_path)
    may = call(folder, "report", "monthly", *AS_OF, "--period", "2026-05", "--format", "markdown", "-o", "-")
    assert may.code == 0, may.all
    assert (
        "**May 2026**" in may.out
        and "€15.60" in may.out
        and "June 2026" not in may.out.split("## Data quality")[0]
    )


def test_a_period_long_past_has_its_figures(tmp_path: Path) -> None:
    orders = "id,day,amount,shop,channel\n1,2020-05-03,10.10,north,web\n2,2026-06-01,1,north,web\n"
    folder = project(tmp_path, tables={"orders": orders})
    done = call(folder, "report", *AS_OF, "--period", "2020-05", "--format", "markdown", "-o", "-")
    assert "€10.10" in done.out, done.all


def test_a_run_writes_reports_of_periods_long_past_too(tmp_path: Path) -> None:
    orders = "id,day,amount,shop,channel\n1,2020-05-03,10.10,north,web\n2,2026-06-01,1,north,web\n"
    text = KPIS.replace("period: last month}", "period: 2020-05, format: markdown}")
    folder = project(tmp_path, text, tables={"orders": orders})
    done = call(folder, "run", *AS_OF)
    assert done.code == 0, done.all
    assert "| Revenue | €10.10 |" in (folder / "reports" / "monthly.md").read_text()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["montly"], "no report 'montly'; did you mean 'monthly'?"),
        (["yearly-board"], "no report 'yearly-board'; there is monthly"),
        (
            ["monthly", "--period", "2026-13"],
            "'2026-13' is not a period; write 2026-06, 2026-W23, 2026-Q2, or 'last month'",
        ),
        (["monthly", "--period", "last fortnight"], "'last fortnight' is not a period"),
        (["monthly", "--locale", "kl"], "'kl' is not a language of reports; there are en, fr"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, args: list[str], said: str) -> None:
    done = call(project(tmp_path), "report", *args, *AS_OF)
    assert done.code == 2
    assert said in done.err


# --- formats -----------------------------------------------------------------------------------------------------


def test_a_run_writes_what_the_report_says(tmp_path: Path) -> None:
    folder = project(
        tmp_path, KPIS.replace("period: last month}", "period: last month, format: [html, markdown, xlsx]}")
    )
    done = call(folder, "run", *AS_OF)
    assert done.code == 0, done.all
    assert sorted(p.name for p in (folder / "reports").iterdir()) == [
        "monthly.html",
        "monthly.md",
        "monthly.xlsx",
    ]
    assert call(folder, "report", "monthly", *AS_OF).out.endswith("monthly.html\n")  # the first of them


def test_a_spreadsheet_on_the_way_through_a_pipe(tmp_path: Path) -> None:
    done = call(project(tmp_path), "report", "monthly", *AS_OF, "--format", "xlsx", "-o", "-")
    book = openpyxl.load_workbook(io.BytesIO(done.raw))
    assert book.sheetnames == ["Summary", "Data", "Alerts", "Data quality", "Definitions"]


def test_a_pdf_has_pages(tmp_path: Path) -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as missing:
        if os.environ.get("CADRAN_REQUIRE_BROWSER"):
            raise
        pytest.skip(f"WeasyPrint cannot be used here: {missing}")
    done = call(
        project(tmp_path), "report", "monthly", *AS_OF, "--format", "pdf", "-o", str(tmp_path / "m.pdf")
    )
    assert done.code == 0, done.all
    assert (tmp_path / "m.pdf").read_bytes().startswith(b"%PDF-")


def test_without_weasyprint_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    done = call(project(tmp_path), "report", "monthly", *AS_OF, "--format", "pdf")
    assert done.code == 2
    assert "PDF is made by WeasyPrint, which is not installed; pip install 'cadran[pdf]'" in done.err


# --- the context -------------------------------------------------------------------------------------------------


def test_the_context_is_told_without_a_project(tmp_path: Path) -> None:
    done = call(tmp_path, "report", "--context")
    assert done.code == 0, done.all
    assert "attention       list of KpiBlock       KPIs off target, then at risk" in done.out


def test_the_values_of_a_context(tmp_path: Path) -> None:
    done = call(project(tmp_path), "report", "monthly", *AS_OF, "--context-values")
    assert done.code == 0, done.all
    found = json.loads(done.out)
    assert found["kpis"][0]["value"] == {"raw": 7.3, "text": "€7.30", "short": "€7.30", "title": ""}
    assert found["as_of"].startswith("2026-07-01")


def test_the_format_is_what_the_file_is_called(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = call(folder, "report", "monthly", *AS_OF, "-o", str(folder / "x.xlsx"))
    assert done.code == 0, done.all
    assert openpyxl.load_workbook(folder / "x.xlsx").sheetnames[0] == "Summary"
    assert call(folder, "report", *AS_OF, "-o", str(folder / "x.MD")).code == 0
    assert (folder / "x.MD").read_text().startswith("# Key figures")


def test_a_format_that_its_file_denies(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = call(folder, "report", *AS_OF, "--format", "html", "-o", str(folder / "x.pdf"))
    assert done.code != 0
    assert "--format html does not fit" in done.err and "write --format pdf" in done.err
    assert not (folder / "x.pdf").exists()
