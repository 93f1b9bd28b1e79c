"""Before and after a milestone for the terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cadran.analysis.answers import MilestoneAnswer, Side
from cadran.publish.analyses.fractions import number_of
from cadran.publish.analyses.milestones import MilestoneView, moved, views
from cadran.publish.figures import Figures
from cadran.publish.outputs import plain, to_text
from cadran.publish.terminal import one_line, print_columns

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"better": "green", "worse": "red"}


def print_milestones(answers: Iterable[MilestoneAnswer], figures: Figures, console: Console) -> None:
    for number, view in enumerate(views(answers, figures)):
        if number:
            console.print()
        _print(view, console)


def _print(view: MilestoneView, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    def say(text: str, style: str = "") -> None:
        console.print(Text(one_line(text), style=style), soft_wrap=True, highlight=False)

    say(view.title, "bold")
    say(view.spans)
    console.print()
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(view.titles):
        numeric = 0 < number < len(view.titles) - 1
        out.add_column(Text(title), justify="right" if numeric else "left", no_wrap=numeric)
    for row in view.rows:
        cells = [
            row.label,
            row.before,
            row.after,
            row.change,
            row.earlier,
            row.beyond,
            row.missing or row.sure,
        ]
        style = _STYLES.get(row.verdict, "dim" if row.missing else "")
        out.add_row(*(Text(one_line(c)) for c in cells[:-1]), Text(one_line(cells[-1]), style=style))
    print_columns(console, out)
    console.print()
    for note in view.notes:
        say(note, "dim")


def to_json(answers: Iterable[MilestoneAnswer], figures: Figures) -> str:
    """A list with one comparison a line. Differences of percentages are fractions of 1; numbers are not rounded."""
    answers = list(answers)
    rows = {row.kpi: row for view in views(answers, figures) for row in view.rows}
    texts = {kpi: row.missing or row.sure for kpi, row in rows.items()}
    return to_text([{**_as_dict(answer), "text": texts[answer.question.kpi]} for answer in answers])


def _as_dict(answer: MilestoneAnswer) -> dict[str, Any]:
    return {
        "kpi": answer.question.kpi,
        "milestone": answer.question.milestone,
        "day": answer.day,
        "months": answer.question.months,
        "before": _side(answer.before),
        "after": _side(answer.after),
        "change": number_of(moved(answer.before, answer.after)),
        "year_earlier": [_side(side) for side in answer.earlier],
        "year_earlier_change": number_of(moved(*answer.earlier)),
        "sure": answer.sure,
        "interval": answer.interval,
        "clear": answer.clear,
        "missing": answer.missing,
        "enough_on": answer.enough_on,
    }


def _side(side: Side) -> dict[str, Any]:
    out = {"first": side.first, "last": side.last, "months": side.months, "value": side.value}
    extra = {"hits": side.hits, "number": side.number, "deviation": side.deviation}
    return {**out, **{name: value for name, value in extra.items() if value is not None}}


COLUMNS = (
    "kpi", "milestone", "day", "months", "before", "after", "change", "year_earlier_before", "year_earlier_after",
    "year_earlier_change", "low", "high", "sure", "missing", "enough_on",
)  # fmt: skip


def to_csv(answers: Iterable[MilestoneAnswer]) -> str:
    """The columns of :data:`COLUMNS`; what is not known is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for answer in answers:
        question, earlier = answer.question, answer.earlier
        values = (
            question.kpi, question.milestone, answer.day, question.months, answer.before.value, answer.after.value,
            number_of(moved(answer.before, answer.after)), earlier[0].value, earlier[1].value, number_of(moved(*earlier)),
            *(answer.interval or (None, None)), answer.sure, answer.missing, answer.enough_on,
        )  # fmt: skip
        writer.writerow([plain(value) for value in values])
    return out.getvalue()
