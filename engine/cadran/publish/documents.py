"""A report as a finished document: HTML, Markdown, PDF or a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.plugins.notifier import Document
from cadran.publish.figures import Figures
from cadran.publish.report import render, template_name

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report, ReportFormat
    from cadran.publish.context import ReportContext

SUFFIXES: dict[ReportFormat, str] = {"html": "html", "markdown": "md", "pdf": "pdf", "xlsx": "xlsx"}
DEFAULT_NAME = "report"  # of the one that is not declared


def formats(report: Report) -> tuple[ReportFormat, ...]:
    """As what a report is written: what it says, else Markdown where its own template is that, else HTML."""
    if report.formats:
        return report.formats
    own = report.template.value if report.template else ""
    return ("markdown",) if own and template_name(report, "markdown") == own else ("html",)


def document(
    results: Results,
    declaration: Declaration,
    report: Report | None,
    kind: ReportFormat,
    *,
    locale: str = "",
    template_folders: Sequence[Path],
    context: ReportContext | None = None,
) -> Document:
    """The report in one format; without ``report``, one of all KPIs. ``context`` is what was gathered for it already, where
    it was. Raises ProblemsFound."""
    locale = locale or (report.locale if report else "") or declaration.locale
    figures = Figures(declaration, locale)
    title = figures.text(report.title) if report else ""
    content = _content(results, declaration, report, kind, locale, template_folders, context)
    name = report.name if report else DEFAULT_NAME
    return Document(name, title or figures.gettext("Key figures"), SUFFIXES[kind], content)


def _content(
    results: Results,
    declaration: Declaration,
    report: Report | None,
    kind: ReportFormat,
    locale: str,
    folders: Sequence[Path],
    context: ReportContext | None,
) -> bytes:
    if kind == "xlsx":
        from cadran.publish.workbook import to_xlsx

        return to_xlsx(results, declaration, report, locale, context)
    if kind == "pdf":
        from cadran.publish.pdf import to_pdf

        return to_pdf(
            render(results, declaration, report=report, locale=locale, paper=True, template_folders=folders)
        )  # fmt: skip
    text = render(
        results,
        declaration,
        report=report,
        kind=kind,
        locale=locale,
        template_folders=folders,
        context=context,
    )
    return text.encode()
