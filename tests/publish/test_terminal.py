"""The table on the terminal: fits, is plain when piped, and cannot be broken by data."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from cadran.calendar import Grain
from cadran.compute.results import Results
from cadran.publish.terminal import print_table

from . import fakes


def printed(
    *,
    width: int = 80,
    terminal: bool = True,
    results: Results | None = None,
    colour: bool = False,
    **settings: Any,
) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    print_table(
        fakes.results() if results is None else results,
        fakes.declaration(),
        console,
        **{"locale": "en", **settings},
    )
    return out.getvalue()


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_eighty_columns(matches: Callable[[str, str], None], locale: str) -> None:
    text = printed(locale=locale)
    matches(f"table_{locale}.txt", text)
    table = text.split("\n✗")[0]
    assert max(cell_len(line) for line in table.splitlines()) <= 80


def test_piped_with_segments(matches: Callable[[str, str], None]) -> None:
    text = printed(terminal=False, segments=True)
    matches("table_piped.txt", text)
    assert "…" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_the_status_is_a_word_not_only_a_colour() -> None:
    assert "✗ off target" in printed(colour=True)
    assert "\x1b[31m" in printed(colour=True)
    assert "\x1b" not in printed()


def test_a_period_that_differs_is_never_cut() -> None:
    text = printed(locale="fr")
    assert "Des leads au… (janv. 26)" in text


def test_hidden_segments_are_hinted_at() -> None:
    assert "41 segment values are not shown; add --segments" in printed()
    assert "--segments" not in printed(segments=True)
    assert printed(hints=["look there"]).rstrip().endswith("look there")


def test_data_cannot_write_to_the_terminal() -> None:
    rows = fakes.rows_of(
        "revenue", Grain.MONTH, [1], last=dt.date(2026, 3, 1), segment=("range",), value=("[red]\x1b[2J\nx",)
    ) + fakes.rows_of("revenue", Grain.MONTH, [1], last=dt.date(2026, 3, 1))
    text = printed(results=fakes.results(rows=tuple(rows), alerts=()), segments=True)
    assert "\x1b" not in text
    assert "  range: [red] [2J x" in text


def test_only_an_open_period() -> None:
    rows = fakes.rows_of("revenue", Grain.MONTH, [1], last=dt.date(2026, 4, 1), states={-1: "open"})
    assert "Revenue (in progress)" in printed(results=fakes.results(rows=tuple(rows)))


def test_an_empty_run() -> None:
    text = printed(results=Results((), fakes.AS_OF, fakes.declaration()))
    assert text == "No values in this range.\n"
