"""A report as a message: its texts fitted to what mail readers show, and what is attached."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.plugins.notifier import Document
from cadran.publish.documents import document, formats
from cadran.publish.gather import gather
from cadran.publish.letters.attached import attachments, rows_document
from cadran.publish.letters.context import Letter
from cadran.publish.letters.inline import MOST_BYTES
from cadran.publish.letters.links import name_for
from cadran.publish.letters.rendering import Rendered, Templates
from cadran.publish.report import variables_of

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.publish.context import ReportContext
    from cadran.publish.figures import Figures

_FEWEST = 3  # rows of a table below which fewer help no more


@dataclass(frozen=True, slots=True)
class Made:
    """A report's texts and files for one notifier."""

    rendered: Rendered
    documents: tuple[Document, ...]
    context: ReportContext


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes one report for as many notifiers as it goes to; what they share is made once."""

    results: Results
    declaration: Declaration
    report: Report
    folders: Sequence[Path]
    locale: str
    about: str = ""  # the value that it is made for: its files then have names of their own

    def gathered(self) -> ReportContext:
        return gather(self.results, self.declaration, self.report, self.locale)

    def make(self, templates: Templates, context: ReportContext, letter: Letter) -> Made:
        """Raises ProblemsFound for templates, its own or the notifier's, that are at fault."""
        documents = self._documents(templates.notifier.documents, context)
        rendered, cut = self._fitting(templates, context, letter, documents)
        if (
            cut
            and not any(d.suffix in ("csv", "xlsx") for d in documents)
            and templates.notifier.documents != "none"
        ):
            rows = rows_document(self.results, self.declaration, self.report, self.locale)
            documents.append(self._named(rows))
            rendered, _ = self._fitting(templates, context, letter, documents)
        return Made(rendered, tuple(documents), context)

    def _documents(self, taken: str, context: ReportContext) -> list[Document]:
        if taken == "none":
            return []
        args = (self.results, self.declaration, self.report)
        whole = [
            document(*args, kind, locale=self.locale, template_folders=self.folders, context=context)
            for kind in (formats(self.report) if taken == "all" else ())
        ]
        more = [kind for kind in self.report.attach if kind not in {made.suffix for made in whole}]
        return [self._named(made) for made in (*whole, *attachments(more, *args, self.locale, self.folders))]

    def _named(self, made: Document) -> Document:
        return replace(made, name=name_for(made.name, self.about)) if self.about else made

    def _fitting(
        self, templates: Templates, context: ReportContext, letter: Letter, documents: Sequence[Document]
    ) -> tuple[Rendered, bool]:
        """With as many rows as there is room for, and whether that left some out."""
        letter = replace(letter, attached=tuple(d.file_name for d in documents))
        while True:
            made = templates.render("report", {**variables_of(context), **variables_of(letter)})
            if made.size(templates.notifier.parts) <= MOST_BYTES or letter.rows <= _FEWEST:
                return made, longest_table(context) > letter.rows
            letter = replace(letter, rows=letter.rows * 2 // 3)


def longest_table(context: ReportContext) -> int:
    tables = (len(t.rows) + t.hidden for kpi in context.attention for t in kpi.segments)
    return max([len(context.kpis), *tables])


def late_words(figures: Figures, due: dt.datetime) -> str:
    return figures.gettext("This report was due on %(when)s.", when=figures.form.instant(due))


def made_words(figures: Figures, computed: dt.datetime) -> str:
    """What follows that."""
    return figures.gettext("It was computed on %(when)s.", when=figures.form.instant(computed))
