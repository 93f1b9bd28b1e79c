"""What comes with a report's message as files: the rows as CSV, the spreadsheet, the page, the paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.compute.results import COLUMNS, as_tuples
from cadran.plugins.notifier import Document
from cadran.publish.documents import document
from cadran.publish.figures import hide
from cadran.publish.gather import chosen_kpis
from cadran.publish.outputs import plain

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Attached, Declaration, Report

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def attachments(
    kinds: Sequence[Attached], results: Results, declaration: Declaration, report: Report, locale: str, folders: Sequence[Path]
) -> list[Document]:  # fmt: skip
    """In the order asked for, each once. Raises ProblemsFound."""
    return [
        rows_document(results, declaration, report, locale)
        if kind == "csv"
        else document(results, declaration, report, kind, locale=locale, template_folders=folders)
        for kind in dict.fromkeys(kinds)
    ]


def rows_document(results: Results, declaration: Declaration, report: Report, locale: str) -> Document:
    """The rows of the report's KPIs as CSV for a spreadsheet: UTF-8 with its mark, and no text that it would compute."""
    from cadran.publish.figures import Figures

    names = {kpi.name for kpi in chosen_kpis(declaration, report)}
    rows = [row for row in results.rows if row.kpi in names]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for values in as_tuples(rows):
        writer.writerow(
            [harmless(hide(v, declaration.secrets)) if isinstance(v, str) else plain(v) for v in values]
        )
    title = Figures(declaration, locale or report.locale or declaration.locale).text(report.title)
    return Document(report.name, title or report.name, "csv", out.getvalue().encode("utf-8-sig"))


def harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula, as it takes it for a text: with a quote before it.

    Numbers are no texts here, so ``-5.2`` stays a number. Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
