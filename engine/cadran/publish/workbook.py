"""A report as a spreadsheet: a summary, all rows, alerts and analyses, the data's quality, the definitions. Real numbers and real dates.

Whatever is text stays text, also where it begins like a formula. A cell holds a double, as every spreadsheet's does:
beyond some fifteen figures it is rounded, and CSV and JSON are exact.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cadran.compute.results import Results, Row
from cadran.publish.context import ReportContext
from cadran.publish.context_kpi import KpiBlock
from cadran.publish.figures import Figures, spaced
from cadran.publish.gather import gather
from cadran.publish.number_formats import date_format
from cadran.publish.wording import STATE, STATUS
from cadran.publish.workbook_beside import beside
from cadran.publish.workbook_cells import Cell, Sheet, count, difference, figure

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook

    from cadran.declare.model import Declaration, Report

_LONGEST = 32_767  # characters that a cell holds
_WIDEST, _NARROWEST = 46, 9


def to_xlsx(
    results: Results, declaration: Declaration, report: Report | None, locale: str, context: ReportContext | None = None
) -> bytes:  # fmt: skip
    """The workbook's bytes; the same run gives the same bytes."""
    from xlsxwriter import Workbook

    context = context or gather(results, declaration, report, locale)
    figures = Figures(declaration, context.locale)
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with Workbook(out, options) as book:
        book.set_properties({"title": context.title, "created": context.as_of.replace(tzinfo=None)})
        writer = _Writer(book)
        for sheet in (
            _summary(context, figures),
            _data(results, context, figures),
            *beside(context, figures),
            _quality(context, figures),
            _definitions(context, figures),
        ):
            writer.write(sheet)
    return out.getvalue()  # fmt: skip


# --- sheets ------------------------------------------------------------------------------------------------------


def _summary(context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [
        gettext("Group"), gettext("KPI"), gettext("Period"), gettext("Value"), gettext("Unit"), gettext("Previous"),
        gettext("Difference"), gettext("A year ago"), gettext("Target"), gettext("Gap"), gettext("Status"),
        gettext("State"), gettext("What to do"), gettext("Owner"),
    ]  # fmt: skip
    when = f"{gettext('Data as of')} {context.as_of_text} ({context.zone})"
    tally = " · ".join(entry.text for entry in context.tally)
    sheet = Sheet(gettext("Summary"), head, above=[context.title, f"{context.period_text} · {when}", tally])
    for group in context.groups:
        for kpi in group.kpis:
            sheet.rows.append(_summarized(kpi, group.title, figures))
    return sheet


def _summarized(kpi: KpiBlock, group: str, figures: Figures) -> list[Cell]:
    state = figures.gettext(STATE[kpi.state]) if kpi.state in STATE else ""
    value, previous, year_ago, target = (
        figure(shown, kpi.unit, figures) for shown in (kpi.value, kpi.previous, kpi.year_ago, kpi.target)
    )
    change, gap = (difference(shown, kpi.unit, figures) for shown in (kpi.change, kpi.gap))
    return [
        Cell(group), Cell(kpi.label), Cell(kpi.period_text), value, Cell(kpi.unit_text), previous, change, year_ago,
        target, gap, Cell(kpi.status_text), Cell(state), Cell(kpi.action), Cell(kpi.owner),
    ]  # fmt: skip


def _data(results: Results, context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [
        gettext("KPI"), gettext("Name"), gettext("Period"), gettext("From"), gettext("To"), gettext("Segment"),
        gettext("Segment value"), gettext("Value"), gettext("Base"), gettext("Previous"), gettext("A year ago"),
        gettext("Difference"), gettext("Target"), gettext("Target up to"), gettext("Status"), gettext("State"),
    ]  # fmt: skip
    units = {kpi.name: kpi.unit for kpi in context.kpis}
    sheet = Sheet(gettext("Data"), head)
    sheet.rows = [_row(row, units[row.kpi], figures) for row in results.rows if row.kpi in units]
    return sheet


def _row(row: Row, unit: str, figures: Figures) -> list[Cell]:
    day = date_format(figures.locale)
    value, previous, year_ago, target, high = (
        figure(number, unit, figures)
        for number in (row.value, row.previous, row.year_ago, row.target, row.target_high)
    )
    return [
        Cell(figures.label(row.kpi)), Cell(row.kpi), Cell(figures.form.period(row.period)),
        Cell(row.period_start, day), Cell(row.period_end, day),
        Cell(" × ".join(spaced(name) for name in row.segment)), Cell(figures.said(figures.segment(row.segment_value, row.segment))),
        value, count(row.base, figures), previous, year_ago, difference(row.change, unit, figures), target, high,
        Cell(figures.gettext(STATUS[row.status])), Cell(figures.gettext(STATE[row.state])),
    ]  # fmt: skip


def _quality(context: ReportContext, figures: Figures) -> Sheet:
    gettext, day = figures.gettext, date_format(figures.locale)
    head = [
        gettext("Dataset"), gettext("Newest row"), gettext("Age"), gettext("Rows"), gettext("Set aside"),
        gettext("Undated"), gettext("Findings"),
    ]  # fmt: skip
    rows = [
        [Cell(q.dataset), Cell(q.last, day), Cell(q.age_text), *(count(f, figures) for f in (q.rows, q.quarantined, q.undated)), Cell("; ".join(q.findings))]
        for q in context.quality
    ]  # fmt: skip
    return Sheet(gettext("Data quality"), head, rows)


def _definitions(context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [gettext("KPI"), gettext("Name"), gettext("Description"), gettext("Formula"), gettext("Unit"), gettext("Direction"), gettext("Target"), gettext("Owner")]  # fmt: skip
    rows = [
        [
            Cell(text)
            for text in (
                k.label,
                k.name,
                k.description,
                k.formula,
                k.unit_text,
                k.good_text,
                "; ".join(map(str, k.targets)),
                k.owner,
            )
        ]
        for k in context.kpis
    ]
    return Sheet(gettext("Definitions"), head, rows)


# --- writing -----------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.looks: dict[tuple[str, str], Format] = {}

    def write(self, sheet: Sheet) -> None:
        page = self.book.add_worksheet(sheet.name[:31])
        for line, text in enumerate(sheet.above):
            page.write_string(line, 0, text[:_LONGEST], self._look("title" if not line else "", ""))
        top = len(sheet.above) + 1 if sheet.above else 0
        for column, text in enumerate(sheet.head):
            page.write_string(top, column, text, self._look("head", ""))
        for line, cells in enumerate(sheet.rows, top + 1):
            for column, cell in enumerate(cells):
                self._write_cell(page, line, column, cell)
        page.freeze_panes(top + 1, 0)
        if sheet.rows:
            page.autofilter(top, 0, top + len(sheet.rows), len(sheet.head) - 1)
        for column, width in enumerate(_widths(sheet)):
            page.set_column(column, column, width)

    def _write_cell(self, page: Any, line: int, column: int, cell: Cell) -> None:
        match cell.value:
            case None | "":
                return
            case dt.date():
                page.write_datetime(line, column, cell.value, self._look("", cell.shown))
            case str():
                # A quote prefix keeps it text also after somebody has edited the cell.
                quoted = cell.value[0] in "=+-@"
                page.write_string(
                    line, column, cell.value[:_LONGEST], self._look("quoted" if quoted else "", "")
                )
            case _:
                page.write_number(line, column, cell.value, self._look("", cell.shown))

    def _look(self, kind: str, shown: str) -> Format:
        if (kind, shown) not in self.looks:
            look = self.book.add_format({"num_format": shown} if shown else {})
            styles: dict[str, Callable[[], Any]] = {
                "title": lambda: (look.set_bold(), look.set_font_size(16)),
                "head": lambda: (look.set_bold(), look.set_bottom(1), look.set_text_wrap(), look.set_align("top")),
                "quoted": look.set_quote_prefix,
            }  # fmt: skip
            styles.get(kind, lambda: None)()
            self.looks[kind, shown] = look
        return self.looks[kind, shown]


def _widths(sheet: Sheet) -> list[int]:
    """As wide as the longest text of a column, within reason; numbers as they are shown."""
    widths = [len(text) + 3 for text in sheet.head]
    for cells in sheet.rows:
        for column, cell in enumerate(cells):
            length = len(cell.value) if isinstance(cell.value, str) else 12 if cell.value is not None else 0
            widths[column] = max(widths[column], length + 1)
    return [min(max(width, _NARROWEST), _WIDEST) for width in widths]
