"""Explanations of changes for the terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cadran.analysis.answers import WhyAnswer, WhyPart
from cadran.compute.results import joined
from cadran.publish.analyses.fractions import number_of
from cadran.publish.analyses.why import explained
from cadran.publish.analyses.why_view import Why, WhyTable
from cadran.publish.analyses.words import said
from cadran.publish.figures import Figures
from cadran.publish.outputs import plain, to_text
from cadran.publish.terminal import one_line, print_columns

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = (
    "kpi", "period", "against", "segment", "segment_value", "then", "now", "weight_then", "weight_now", "rate", "mix",
    "effect", "state",
)  # fmt: skip
REST = "(not split)"
_STYLES = {"better": "green", "worse": "red"}


def print_why(
    answers: Iterable[WhyAnswer], figures: Figures, console: Console, *, every: bool = False
) -> None:
    """The sentence, then the most telling table, or ``every`` one."""
    for answer in answers:
        _print(explained(answer, figures), figures.locale, console, every)


def _print(why: Why, locale: str, console: Console, every: bool) -> None:
    from rich.text import Text

    def say(text: str, style: str = "") -> None:
        console.print(Text(one_line(text), style=style), soft_wrap=True, highlight=False)

    say(why.sentence, "bold")
    if why.note:
        say(why.note, "yellow")
    for table in why.tables if every else why.tables[:1]:
        console.print()
        _print_table(why, table, console)
    if len(why.tables) > 1 and not every:
        console.print()
        others = ", ".join(table.by for table in why.tables[1:])
        say(said(locale, "also by %(segments)s; add --by or --all", segments=others), "dim")


def _print_table(why: Why, table: WhyTable, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    split = bool(table.rate_title)
    titles = [table.title, *why.titles, why.words.weight]
    titles += [table.rate_title, why.words.mix] if split else []
    out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate([*titles, why.words.effect]):
        out.add_column(
            Text(one_line(title)),
            justify="right" if number else "left",
            no_wrap=bool(number),
            overflow="ellipsis",
        )
    for line in table.lines:
        cells = [line.label, line.before, line.now, line.weight, *([line.rate, line.mix] if split else [])]
        out.add_row(
            *(Text(one_line(c)) for c in cells), Text(line.effect, style=_STYLES.get(line.verdict, ""))
        )
    sums = [why.words.change, why.before, why.now, "", *([""] * (2 * split)), table.total]
    out.add_row(*(Text(one_line(c), style="bold") for c in sums))
    print_columns(console, out)


# --- for programs -----------------------------------------------------------------------------------------------------


def to_json(answers: Iterable[WhyAnswer], figures: Figures) -> str:
    """A list: each change with its splits, most telling first. Differences of percentages are fractions of 1."""
    return to_text([_as_dict(answer, figures) for answer in answers])


def _as_dict(answer: WhyAnswer, figures: Figures) -> dict[str, Any]:
    return {
        "kpi": answer.question.kpi,
        "period": answer.period,
        "against": answer.against_period,
        "state": answer.state,
        "then": number_of(answer.then),
        "now": number_of(answer.now),
        "change": number_of(answer.change),
        "missing": answer.missing,
        "sentence": explained(answer, figures).sentence,
        "splits": [
            {
                "segment": list(split.segment),
                "rest": number_of(split.rest),
                "parts": [_part(split.segment, part) for part in split.parts],
            }
            for split in answer.splits
        ],
    }


def _part(segment: Sequence[str], part: WhyPart) -> dict[str, Any]:
    values = dict(zip(segment, part.segment_value, strict=True))
    return {"segment": values, **_numbers(part)}


def _numbers(part: WhyPart) -> dict[str, Any]:
    names = ("then", "now", "weight_then", "weight_now", "rate", "mix", "effect")
    return {name: number_of(getattr(part, name)) for name in names}


def to_csv(answers: Iterable[WhyAnswer]) -> str:
    """The columns of :data:`COLUMNS`: the total first (its ``effect`` is the change), then each value of each segment."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval=None)
    writer.writeheader()
    for answer in answers:
        head = {"kpi": answer.question.kpi, "period": answer.period, "against": answer.against_period}
        for row in _rows(answer):
            writer.writerow({k: plain(v) for k, v in {**head, **row, "state": answer.state}.items()})
    return out.getvalue()


def _rows(answer: WhyAnswer) -> Iterator[dict[str, Any]]:
    yield {"then": number_of(answer.then), "now": number_of(answer.now), "effect": number_of(answer.change)}
    for split in answer.splits:
        for part in split.parts:
            yield {
                "segment": joined(split.segment),
                "segment_value": joined(part.segment_value),
                **_numbers(part),
            }
        if split.rest != Fraction(0):
            rest = number_of(split.rest)
            yield {"segment": joined(split.segment), "segment_value": REST, "effect": rest}
