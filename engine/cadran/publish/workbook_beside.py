"""A spreadsheet's sheets beside its KPIs, each only where the report has something for it: alerts, funnels, cohorts, scores."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from cadran.publish.analyses.funnels import FunnelBlock
from cadran.publish.context import ReportContext
from cadran.publish.context_parts import Figure
from cadran.publish.figures import Figures
from cadran.publish.formatting import ratio
from cadran.publish.wording import STATE
from cadran.publish.workbook_cells import Cell, Sheet, count, figure


def beside(context: ReportContext, figures: Figures) -> Iterator[Sheet]:
    sheets = (_alerts, _funnels, _cohorts, _scores)
    yield from (sheet for make in sheets if (sheet := make(context, figures)).rows)


def _alerts(context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [
        gettext("KPI"), gettext("Rule"), gettext("Condition"), gettext("Severity"), gettext("State"), gettext("Period"),
        gettext("Since"), gettext("Segment"), gettext("Segment value"), gettext("Value"), gettext("Target"),
        gettext("Note"), gettext("What to do"),
    ]  # fmt: skip
    units = {kpi.name: kpi.unit for kpi in context.kpis}
    rows = [
        [
            Cell(a.label), Cell(a.rule), Cell(a.condition_text or a.condition), Cell(a.severity_text),
            Cell(a.state_text), Cell(a.period_text), Cell(a.since_text), Cell(a.segment_name), Cell(a.segment_value),
            figure(a.value, units[a.kpi], figures), figure(a.target, units[a.kpi], figures), Cell(a.reason),
            Cell(a.action),
        ]
        for a in context.alerts
    ]  # fmt: skip
    return Sheet(gettext("Alerts"), head, rows)


# --- analyses ------------------------------------------------------------------------------------------------------


def _funnels(context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [
        figures.ngettext("Funnel", "Funnels", 1), gettext("Entered in"), gettext("State"), gettext("Segment"), gettext("Segment value"),
        gettext("Step"), gettext("How many"), gettext("Of the step before"), gettext("Of the first"),
    ]  # fmt: skip
    rows = [row for block in context.funnels for row in _steps(block, figures)]
    return Sheet(gettext("Funnels"), head, rows)


def _steps(block: FunnelBlock, figures: Figures) -> Iterator[list[Cell]]:
    """A line for each step of each period, then of each segment value in the shown one."""
    lines = [(line.label, "", "", line) for line in block.periods]
    lines += [(block.period_text, of.label, line.label, line) for of in block.segments for line in of.rows]
    for period, segment, value, line in lines:
        where = [Cell(period), Cell(figures.gettext(STATE[line.state])), Cell(segment), Cell(value)]
        for number, step in enumerate(block.steps):
            of = (
                [_share(line.counts[number], line.counts[n]) for n in (number - 1, 0)]
                if number
                else [None, None]
            )
            shares = [figure(share, "percent", figures) for share in of]
            yield [Cell(block.label), *where, Cell(step.label), count(line.counts[number], figures), *shares]


def _share(part: Figure, whole: Figure) -> Decimal | None:
    return ratio(part.raw, whole.raw)


def _cohorts(context: ReportContext, figures: Figures) -> Sheet:
    gettext = figures.gettext
    head = [
        gettext("Cohorts"), gettext("Segment value"), gettext("Began in"), gettext("How many"), gettext("Age"),
        gettext("Period"), gettext("Value"), gettext("Rate"), gettext("State"),
    ]  # fmt: skip
    rows = []
    for block in context.cohorts:
        unit = figures.declaration.cohorts[block.name].unit
        for matrix in block.matrices:
            for row in matrix.rows:
                for age, cell in zip(block.ages, row.cells, strict=False):
                    value = figure(cell.value, "" if cell.is_share else unit, figures)
                    rows.append([
                        Cell(block.label), Cell(matrix.label), Cell(row.period_text), count(row.size, figures),
                        count(age, figures), Cell(cell.period_text), value, figure(cell.rate, unit, figures),
                        Cell(figures.gettext(STATE[cell.state])),
                    ])  # fmt: skip
    return Sheet(gettext("Cohorts"), head, rows)


def _scores(context: ReportContext, figures: Figures) -> Sheet:
    """The best rows of all scores; what each shows of its rows has a column, which others leave empty."""
    gettext = figures.gettext
    shown = list(dict.fromkeys(head for block in context.scores for head in block.heads))
    rows = []
    for block in context.scores:
        for best in block.best:
            of = dict(zip(block.heads, (best.key, *best.shown), strict=True))
            rows.append([
                Cell(block.label), *(Cell(of.get(head, "")) for head in shown), Cell(best.band_label),
                count(best.points, figures), Cell(", ".join(best.reasons)),
            ])  # fmt: skip
    head = [
        figures.ngettext("Score", "Scores", 1),
        *shown,
        gettext("Band"),
        gettext("Points"),
        gettext("Why"),
    ]
    return Sheet(gettext("Scores"), head, rows)
