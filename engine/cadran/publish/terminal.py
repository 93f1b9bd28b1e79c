"""The table that ``cadran run`` prints: one line per KPI and grain, then what needs somebody's attention.

Good at 80 columns; on a wider terminal labels and sparklines take what they need. Where the output is not a
terminal nothing is cut or coloured, so it can be piped and searched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.compute.results import Quality, Results, Row
from cadran.publish.alerting import Alerts, in_order
from cadran.publish.choose import RowIndex, newest
from cadran.publish.failing import failures
from cadran.publish.figures import Figures, hide
from cadran.publish.sparkline import unicode_sparkline
from cadran.publish.wording import GRAIN, SHORT, SHORT_STATUS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cadran.declare.model import Declaration

MARKS = {
    "on_target": "✓",
    "at_risk": "▲",
    "off_target": "✗",
    "no_target": "·",
    "no_data": "–",
    "not_judged": "…",
    "failed": "!",
}
_STYLES = {"on_target": "green", "at_risk": "yellow", "off_target": "red", "failed": "red"}
_SPARK, _SHORTEST_SPARK, _LABEL = 13, 6, 24  # columns; a label gets its 24 before a sparkline its 13
_GAP = 2
_EXACT_BELOW = 10_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line: label, the right-aligned numbers, status and sparkline."""

    label: str
    numbers: tuple[str, str, str]
    status: str
    spark: str = ""
    style: str = ""
    note: str = ""  # behind the label, and never cut
    heading: bool = False


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
    grains = _newest_rows(index, declaration, results)
    sections = [_section(index, figures, rows, segments) for rows in grains.values()]
    _print_sections(console, sections)
    if not sections and not results.failed:
        _say(console, figures.gettext("No values in this range."))
    _print_failed(console, figures, results)
    _print_notes(console, figures, results)
    hidden = 0 if segments else _segment_values(index, [row for rows in grains.values() for row in rows])
    more = (_hidden(figures, hidden),) if hidden else ()
    for hint in (*more, *hints):
        _say(console, hint, style="dim")


# --- lines -----------------------------------------------------------------------------------------------------


def _newest_rows(index: RowIndex, declaration: Declaration, results: Results) -> dict[str, list[Row]]:
    """By grain: the newest final total of each KPI (the newest of all where none is final), as declared."""
    out: dict[str, list[Row]] = defaultdict(list)
    run = {row.kpi for row in results.rows}
    for name in (n for n in declaration.kpis if n in run):
        for grain in index.grains(name):
            totals = index.totals(name, grain)
            row = newest(totals) or newest(totals, include_open=True)
            if row:
                out[grain].append(row)
    return dict(out)


def _section(index: RowIndex, figures: Figures, rows: Sequence[Row], segments: bool) -> list[Line]:
    period = Counter(row.period for row in rows).most_common(1)[0][0]
    heading = figures.gettext(GRAIN[rows[0].grain])
    if period != "all":
        heading += f" · {figures.form.period(period)}"
    titles = (figures.gettext("value"), figures.gettext("change"), figures.gettext("to target"))
    lines = [Line(heading, titles, figures.gettext("status"), style="bold", heading=True)]
    for row in rows:
        totals = index.totals(row.kpi, row.grain)
        history = totals[: totals.index(row) + 1][-_SPARK:]
        trend, note = unicode_sparkline([r.value for r in history]), _note(row, figures, period)
        lines.append(_line(row, figures, figures.label(row.kpi), trend, note))
        order = figures.declaration.kpis[row.kpi].segments
        for found in index.segments(row, order).values() if segments else ():
            lines += [_line(r, figures, f"  {figures.placed(r.segment, r.segment_value)}") for r in found]
    return lines


def _line(row: Row, figures: Figures, label: str, spark: str = "", note: str = "") -> Line:
    kpi = figures.declaration.kpis[row.kpi]
    change, gap = figures.change(row.value, row.previous, kpi), figures.gap(row, kpi)
    return Line(
        label=label,
        numbers=(
            figures.form.compact(row.value, kpi.unit, above=_EXACT_BELOW),
            change.text if change.direction else "",
            gap.text if gap.direction else "",
        ),
        status=f"{MARKS[row.status]} {figures.catalogue.pgettext(SHORT, SHORT_STATUS[row.status])}",
        spark=spark,
        style=_STYLES.get(row.status, "dim"),
        note=note,
    )


def _note(row: Row, figures: Figures, usual: str) -> str:
    """The period where it is not the heading's, and what keeps it from being final."""
    notes = [figures.form.short_period(row.period)] if row.period != usual else []
    notes += [figures.state(row.state)] if row.state != "final" else []
    return f" ({', '.join(notes)})" if notes else ""


# --- layout ----------------------------------------------------------------------------------------------------


def _print_sections(console: Console, sections: Sequence[Sequence[Line]]) -> None:
    """All sections share their columns."""
    lines = [line for section in sections for line in section]
    if not lines:
        return
    label, numbers, status, spark = _widths(lines, console.width if console.is_terminal else None)
    for section in sections:
        for line in section:
            _print_line(console, line, label, numbers, status, spark)
        console.print()


def _widths(lines: Sequence[Line], width: int | None) -> tuple[int, list[int], int, int]:
    from rich.cells import cell_len

    numbers = [max(cell_len(line.numbers[i]) for line in lines) for i in range(3)]
    status = max(cell_len(line.status) for line in lines)
    label = max(cell_len(one_line(line.label) + line.note) for line in lines)
    spark = max(len(line.spark) for line in lines)
    if width is not None:
        room = width - sum(numbers) - status - 5 * _GAP
        spark = min(spark, max(_SHORTEST_SPARK, room - min(label, _LABEL)))
        label = min(label, max(12, room - spark))
    return label, numbers, status, spark


def _print_line(
    console: Console, line: Line, label: int, numbers: Sequence[int], status: int, spark: int
) -> None:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    gap = " " * _GAP
    cells = [" " * (width - cell_len(n)) + n for n, width in zip(line.numbers, numbers, strict=True)]
    out = Text(_cut(one_line(line.label), label, line.note), style="bold" if line.heading else "")
    out.append(gap + gap.join(cells) + gap, style="dim" if line.heading else "")
    out.append(set_cell_size(line.status, status), style="dim" if line.heading else line.style)
    out.append(gap + line.spark[-spark:] if line.spark else "")
    out.rstrip()
    console.print(out, soft_wrap=True, highlight=False)


def _cut(text: str, width: int, note: str = "") -> str:
    from rich.cells import cell_len, set_cell_size

    room = max(1, width - cell_len(note))
    if cell_len(text) > room:
        text = set_cell_size(text, room - 1).rstrip() + "…"
    return set_cell_size(text + note, width)


def one_line(text: str) -> str:
    """Data cannot break the table or talk to the terminal: control characters become spaces."""
    return "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in text)


def print_columns(console: Console, table: Table) -> None:
    """A table of rich's without the blanks that it fills its last column with."""
    with console.capture() as captured:
        console.print(table)
    console.file.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def _say(console: Console, line: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(one_line(line), style=style), soft_wrap=True, highlight=False)


def _print_failed(console: Console, figures: Figures, results: Results) -> None:
    """KPIs without a value since a source failed, by what has failed them."""
    found = failures(results, figures)
    for text, labels in found.items():
        _say(console, f"{MARKS['failed']} {text}", "red")
        for label in labels:
            _say(console, f"  {label}", "red")
    if found:
        console.print()


# --- below the table -------------------------------------------------------------------------------------------


def _print_notes(console: Console, figures: Figures, results: Results) -> None:
    for line in map(Alerts(figures).line, in_order(results.alerts)):
        where = f" · {line.segment_text}" if line.segment_text else ""
        since = (
            f", {figures.gettext('since')} {line.since_text}" if line.since_text != line.period_text else ""
        )
        reason = f" · {line.reason}" if line.reason else ""
        value = "" if line.kept else f" · {line.value.text}"
        mark, style = ("✗", "red") if line.state == "firing" and not line.kept else ("▲", "yellow")
        said = f"{mark} {line.state_text}, {line.severity_text} · {line.label}{where} · {line.rule}"
        _say(console, f"{said}{value} · {line.period_text}{since}{reason}", style)
    for problem in results.warnings:
        _say(console, f"▲ {figures.warning(problem)}", "yellow")
    for note in figures.notes(results.notes):
        _say(console, f"· {note}", "dim")
    if results.quarantined:
        aside = [_share(q, figures.declaration) for q in results.quality if q.quarantined]
        text = figures.ngettext(
            "%(num)s row was set aside", "%(num)s rows were set aside", results.quarantined
        )
        _say(console, f"▲ {text} ({', '.join(aside)})", "yellow")
        for quality in (q for q in results.quality if q.quarantined and q.rejected):
            reason = hide(quality.rejected[0][1], figures.declaration.secrets)
            _say(console, f"  {quality.dataset}: {reason}", "yellow")
    told = {problem.message for problem in results.warnings}
    for quality in results.quality:
        for finding in (text for text in quality.findings if text not in told):
            _say(console, f"▲ {quality.dataset} · {figures.told(finding)}", "yellow")


def _share(quality: Quality, declaration: Declaration) -> str:
    """``orders 181/300``: of how many rows, unless the dataset has a condition and does not see all of its table."""
    declared = declaration.datasets.get(quality.dataset)
    whole = declared is not None and declared.where is None
    of = f"/{quality.rows + quality.quarantined}" if whole else ""
    return f"{quality.dataset} {quality.quarantined}{of}"


def _hidden(figures: Figures, count: int) -> str:
    return figures.ngettext(
        "%(num)s segment value is not shown; add --segments",
        "%(num)s segment values are not shown; add --segments",
        count,
    )


def _segment_values(index: RowIndex, rows: Sequence[Row]) -> int:
    return sum(len(found) for row in rows for found in index.segments(row).values())
