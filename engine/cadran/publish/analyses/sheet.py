"""A table as text: what the terminal prints and Markdown shows of an analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


_ENDLESS = 1000  # columns: what is piped on is not folded


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table.

    title: what it is called
    heads: the heads of its columns
    rows: its rows, all texts
    about: a sentence about it
    words: so many columns at the beginning are words, the others numbers
    notes: what stands below it
    last: so many columns at the end are words again
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    about: str = ""
    words: int = 1
    notes: tuple[str, ...] = ()
    last: int = 0


def print_sheets(sheets: Sequence[Sheet], console: Console) -> None:
    """One below the other; nothing is cut, so that output can be piped and searched."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not console.is_terminal:
        console.width = _ENDLESS
    for sheet in sheets:
        console.print()
        console.print(Text(sheet.title, style="bold"))
        if sheet.about:
            console.print(Text(sheet.about, style="dim"))
        if not sheet.heads:
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for number, head in enumerate(sheet.heads):
            wordy = number < sheet.words or number >= len(sheet.heads) - sheet.last
            table.add_column(Text(head), justify="left" if wordy else "right", overflow="fold")
        for row in sheet.rows:
            table.add_row(*map(Text, row))
        console.print(table)
        for note in sheet.notes:
            console.print(Text(f"· {note}", style="dim"))


def to_markdown(sheets: Sequence[Sheet], level: int = 3) -> str:
    """The same as Markdown tables."""
    out: list[str] = []
    for sheet in sheets:
        out += [f"{'#' * level} {_escaped(sheet.title)}", ""]
        out += [_escaped(sheet.about), ""] if sheet.about else []
        ends = len(sheet.heads) - sheet.last
        if not sheet.heads:
            continue
        rule = ["---" if n < sheet.words or n >= ends else "---:" for n in range(len(sheet.heads))]
        lines = [sheet.heads, tuple(rule), *sheet.rows]
        out += [f"| {' | '.join(_escaped(cell) for cell in line)} |" for line in lines]
        out += ["", *(f"{_escaped(note)}  " for note in sheet.notes)]
        out += [""] if sheet.notes else []
    return "\n".join(out)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
