"""The table that ``cadran run`` prints: one line per KPI and grain, then what needs somebody's attention.

Good at 80 columns; on a wider terminal labels and sparklines take what they need. Where the output is not a
terminal nothing is cut, coloured or drawn with lines, so it can be piped and searched.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cadran.compute.results import Results, Row
from cadran.publish.charts import unicode_sparkline
from cadran.publish.choose import RowIndex, newest
from cadran.publish.figures import Figures

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cadran.declare.model import Declaration, Kpi

MARKS = {"on_target": "✓", "at_risk": "▲", "off_target": "✗", "no_target": "·", "no_data": "–"}
_STYLES = {"on_target": "green", "at_risk": "yellow", "off_target": "red"}
_SPARK, _SHORTEST_SPARK = 13, 6
_GAP = 2

Line = tuple[str, str, str, str, str, str]  # label, value, change, to target, status, name of the status


def print_table(
    results: Results,
    declaration: Declaration,
    console: Console,
    *,
    segments: bool = False,
    locale: str = "",
    hints: Sequence[str] = (),
) -> None:
    """Prints the newest final period of every KPI and grain; with ``segments`` their values below, indented."""
    figures = Figures(declaration, locale or declaration.locale)
    index = RowIndex(results)
    sections = _sections(index, declaration, results)
    for (_, period), rows in sections.items():
        _print_section(console, figures, index, period, rows, segments)
    if not sections:
        console.print(figures.words["no_rows"], highlight=False)
    _print_notes(console, figures, results)
    hidden = 0 if segments else _segment_values(index, sections.values())
    more = (f"{hidden} {figures.words['segments_hidden']}",) if hidden else ()
    for hint in (*more, *hints):
        _say(console, hint, style="dim")


def _sections(
    index: RowIndex, declaration: Declaration, results: Results
) -> dict[tuple[str, str], list[tuple[Row, list[Row]]]]:
    """The newest final row of each KPI and grain with its history, by grain and period in order of declaration."""
    out: dict[tuple[str, str], list[tuple[Row, list[Row]]]] = defaultdict(list)
    run = {row.kpi for row in results.rows}
    for name in [n for n in declaration.kpis if n in run]:
        for grain in index.grains(name):
            totals = index.totals(name, grain)
            row = newest(totals) or newest(totals, include_open=True)
            if row:
                out[grain, row.period].append((row, totals[: totals.index(row) + 1]))
    return dict(out)


def _print_section(
    console: Console,
    figures: Figures,
    index: RowIndex,
    period: str,
    rows: Sequence[tuple[Row, list[Row]]],
    segments: bool,
) -> None:
    first = rows[0][0]
    heading = f"{figures.words[first.grain]} · {figures.form.period(period)}"
    if period == "all":
        heading = figures.words["all"]
    _say(console, heading, style="bold")
    table: list[tuple[Line, str]] = []
    for row, history in rows:
        kpi = figures.declaration.kpis[row.kpi]
        table.append((_line(row, kpi, figures, _label(row, figures)), _spark(history)))
        if segments:
            table += [
                (_line(r, kpi, figures, f"  {figures.segment(r.segment_value)}"), "")
                for found in index.segments(row).values()
                for r in found
            ]
    _print_lines(console, table)
    console.print()


def _label(row: Row, figures: Figures) -> str:
    state = figures.state(row.state)
    return f"{figures.label(row.kpi)} ({state})" if state else figures.label(row.kpi)


def _spark(history: Sequence[Row]) -> str:
    return unicode_sparkline([r.value for r in history[-_SPARK:]])


def _line(row: Row, kpi: Kpi, figures: Figures, label: str) -> Line:
    change, gap = figures.change(row.value, row.previous, kpi), figures.gap(row, kpi)
    status = f"{MARKS[row.status]} {figures.words[f'short_{row.status}']}"
    to_target = gap.text if gap.direction else ""
    value = figures.form.compact(row.value, kpi.unit, above=10_000_000)
    return label, value, change.text if change.direction else "", to_target, status, row.status


# --- layout ----------------------------------------------------------------------------------------------------


def _print_lines(console: Console, table: Sequence[tuple[Line, str]]) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    widths = [max(cell_len(_one_line(line[i])) for line, _ in table) for i in range(5)]
    spark = max(len(shape) for _, shape in table)
    if console.is_terminal:
        fixed = sum(widths[1:]) + _GAP * 5
        spark = max(min(spark, console.width - fixed - widths[0]), min(spark, _SHORTEST_SPARK))
        widths[0] = min(widths[0], max(12, console.width - fixed - spark))
    for line, shape in table:
        out = Text(_cut(_one_line(line[0]), widths[0]))
        for text, width in zip(line[1:4], widths[1:4], strict=True):
            out.append(" " * (_GAP + width - cell_len(text)) + text)
        out.append(" " * _GAP + set_cell_size(line[4], widths[4]), style=_STYLES.get(line[5], "dim"))
        out.append(" " * _GAP + shape[-spark:] if shape else "")
        _print(console, out)


def _cut(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def _one_line(text: str) -> str:
    """Data cannot break the table or talk to the terminal: control characters become spaces."""
    return "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in text)


def _say(console: Console, line: str, style: str = "") -> None:
    from rich.text import Text

    _print(console, Text(_one_line(line), style=style))


def _print(console: Console, text: Text) -> None:
    text.rstrip()
    console.print(text, soft_wrap=True, highlight=False)


# --- below the table -------------------------------------------------------------------------------------------


def _print_notes(console: Console, figures: Figures, results: Results) -> None:
    words = figures.words
    for alert in sorted(results.alerts, key=lambda a: (a.state != "firing", a.severity != "critical")):
        line = figures.alert(alert)
        where = f" · {line.segment_text}" if line.segment_text else ""
        since = f", {words['since']} {line.since_text}" if line.since_text != line.period_text else ""
        reason = f" · {line.reason}" if line.reason else ""
        mark, style = ("✗", "red") if alert.state == "firing" else ("▲", "yellow")
        said = f"{mark} {line.state_text}, {line.severity_text} · {line.label}{where} · {line.rule}"
        _say(console, f"{said} · {line.value.text} · {line.period_text}{since}{reason}", style)
    for problem in results.warnings:
        _say(console, f"▲ {figures.said(str(problem))}", "yellow")
    if results.quarantined:
        aside = [f"{q.dataset} {q.quarantined}" for q in results.quality if q.quarantined]
        text = words["rows_aside" if results.quarantined > 1 else "row_aside"]
        _say(console, f"▲ {results.quarantined} {text} ({', '.join(aside)})", "yellow")
    for quality in results.quality:
        for finding in quality.findings:
            _say(console, f"▲ {quality.dataset} · {figures.said(finding)}", "yellow")


def _segment_values(index: RowIndex, sections: Iterable[Sequence[tuple[Row, list[Row]]]]) -> int:
    shown = [row for rows in sections for row, _ in rows]
    return sum(len(found) for row in shown for found in index.segments(row).values())
