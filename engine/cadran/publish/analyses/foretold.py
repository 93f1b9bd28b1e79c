"""Paces and forecasts on the terminal, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cadran.compute.results import Results, joined
from cadran.publish.analyses.forecasts import ForecastLine, ForecastView, forecast_view
from cadran.publish.analyses.pace import PaceLine, pace_groups
from cadran.publish.analyses.words import said
from cadran.publish.figures import Figures, hide
from cadran.publish.outputs import json_text, plain
from cadran.publish.wording import N_

if TYPE_CHECKING:
    from rich.console import Console

    from cadran.analysis.answers import Answers

_GAP = "  "
_MOST_LABEL = 40


# --- the terminal ----------------------------------------------------------------------------------------------------


def print_pace(results: Results, console: Console, *, locale: str = "") -> None:
    """By running period, each KPI with its figures to date, and below them where it will end and what is left."""
    figures = _figures(results, locale)
    groups = pace_groups(_answers(results).pace.values(), figures)
    if not groups:
        _print(console, said(figures.locale, "No running period"))
    for group in groups:
        _print(console, f"{group.period_text} · {group.elapsed_text} · {group.days_text}", "bold")
        rows = [_numbers(line, figures) for line in group.lines]
        for line, text in zip(group.lines, _columns(rows), strict=True):
            _print(console, text)
            for sentence in _sentences(line):
                _print(console, f"    {sentence}", "dim")
        console.print()


def _numbers(line: PaceLine, figures: Figures) -> list[str]:
    changes = [(line.change, N_("vs previous")), (line.change_year, N_("vs a year ago"))]
    compared = [f"{c.text} {said(figures.locale, w)}" if c.direction else "" for c, w in changes]
    label = f"{line.label} · {line.segment_text}" if line.segment_text else line.label
    return [label, line.value.text, *compared]


def _sentences(line: PaceLine) -> Iterator[str]:
    yield f"{line.projection_text} · {line.error_text}" if line.error_text else line.projection_text
    if line.target_text:
        yield f"{line.target_text} · {line.left_text}" if line.left_text else line.target_text


def print_forecasts(results: Results, console: Console, *, locale: str = "", segments: bool = False) -> None:
    """Each forecast by period, with the open deals behind it and how good it was before."""
    figures = _figures(results, locale)
    for answer in _answers(results).forecasts.values():
        view = forecast_view(answer, figures)
        _print(console, view.label, "bold")
        for heading, rows in _tables(view, figures.locale, segments):
            if heading:
                console.print()
                _print(console, heading, "bold")
            head, *others = _columns(rows)
            _print(console, head, "dim")
            for text in others:
                _print(console, text)
        if not view.tests:
            console.print()
            _print(console, said(figures.locale, "Not tested yet: too little history"), "dim")
        console.print()


def _tables(view: ForecastView, locale: str, segments: bool) -> Iterator[tuple[str, list[list[str]]]]:
    """Heading and rows of each, the names of columns first."""
    parts = (N_("won"), N_("open deals"), N_("still to come"), N_("forecast"))
    named = ["", *(said(locale, part) for part in parts), view.level_text]
    yield "", [named, *(_foretold(line, line.period_text) for line in view.lines)]
    if segments and view.segments:
        rows = [_foretold(line, f"{line.segment_text} · {line.period_text}") for line in view.segments]
        yield "", [named, *rows]
    if view.stages:
        heads = (
            N_("deals"),
            N_("amount"),
            N_("share won"),
            N_("days until won (median)"),
            N_("decided deals"),
        )
        stages = [
            [s.label, s.deals.text, s.amount.text, s.rate_text, s.days.text, s.decided.text]
            for s in view.stages
        ]
        yield said(locale, "Open deals by stage"), [["", *(said(locale, head) for head in heads)], *stages]
    if view.tests:
        judged = (N_("forecasts"), N_("bias"), N_("error"), N_("repeating the period before"))
        held = [said(locale, "came within %(level)s", level=level) for level in view.levels]
        tests = [
            [t.label, str(t.forecasts), t.bias_text, t.error_text, t.naive_text, *t.held] for t in view.tests
        ]
        heading = said(locale, "The same forecast at the same point of past periods")
        yield heading, [["", *(said(locale, word) for word in judged), *held], *tests]


def _foretold(line: ForecastLine, label: str) -> list[str]:
    figures = (line.won, line.open, line.new, line.value)
    return [label, *(figure.text for figure in figures), line.interval_text]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of equal columns, the first one to the left."""
    from rich.cells import cell_len, set_cell_size

    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    out = []
    for first, *others in rows:
        label = set_cell_size(first, widths[0])
        cells = [" " * (w - cell_len(c)) + c for c, w in zip(others, widths[1:], strict=True)]
        out.append(_GAP.join([label, *cells]).rstrip())
    return out


def _print(console: Console, line: str, style: str = "") -> None:
    """Data cannot talk to the terminal: control characters become spaces."""
    from rich.text import Text

    clean = "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in line)
    console.print(Text(clean, style=style), soft_wrap=True, highlight=False)


# --- JSON and CSV ----------------------------------------------------------------------------------------------------


def pace_json(results: Results) -> str:
    """``{as_of, pace}``: one item for each KPI, running period and segment value."""
    items = [
        {"kpi": answer.name, **_plain_fields(found, results.declaration.secrets)}
        for answer in _answers(results).pace.values()
        for found in answer.figures
    ]
    return _document(results, "pace", items)


def forecasts_json(results: Results) -> str:
    """``{as_of, forecasts}``: one item a forecast, with its figures, stages, tests and past forecasts."""
    secrets = results.declaration.secrets
    items = [_plain_fields(answer, secrets) for answer in _answers(results).forecasts.values()]
    return _document(results, N_("forecasts"), items)


def _document(results: Results, name: str, items: Iterable[Mapping[str, Any]]) -> str:
    lines = ",\n".join(f"    {json_text(item)}" for item in items)
    body = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "as_of": {json_text(results.as_of)},\n  "{name}": {body}\n}}\n'


def _plain_fields(item: Any, secrets: frozenset[str]) -> dict[str, Any]:
    """A value object as a mapping; a segment and its value become one."""
    out: dict[str, Any] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if field.name == "segment":
            out["segment"] = dict(zip(value, _hidden(item.segment_value, secrets), strict=True))
        elif field.name != "segment_value":
            out[field.name] = _plain_value(value, secrets)
    return out


def _plain_value(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, tuple):
        return [_plain_value(part, secrets) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return _plain_fields(value, secrets)
    return hide(value, secrets) if isinstance(value, str) else value


def _hidden(values: Iterable[str], secrets: frozenset[str]) -> list[str]:
    return [hide(value, secrets) for value in values]


PACE_COLUMNS = (
    "kpi", "grain", "period", "period_start", "period_end", "elapsed", "segment", "segment_value", "value",
    "previous", "year_ago", "projection", "low_80", "high_80", "low_95", "high_95", "periods", N_("error"), "naive_error",
    "tested", "reason", "target", "target_high", "chance", "left", "working_days", "per_day",
)  # fmt: skip
FORECAST_COLUMNS = (
    N_("forecast"), "period", "period_start", "period_end", "segment", "segment_value", N_("won"), "open", "new", "value",
    "low_80", "high_80", "low_95", "high_95",
)  # fmt: skip


def pace_csv(results: Results) -> str:
    """The columns of :data:`PACE_COLUMNS`; no data is an empty field."""
    rows = []
    for answer in _answers(results).pace.values():
        for found in answer.figures:
            made = found.projection
            rows.append(
                {
                    **_known(found, PACE_COLUMNS),
                    **(_known(made, PACE_COLUMNS) | _ends(made.intervals) if made is not None else {}),
                    "kpi": answer.name,
                    "projection": None if made is None else made.value,
                    "value": found.value,
                }
            )
    return _csv(PACE_COLUMNS, rows)


def forecasts_csv(results: Results) -> str:
    """The columns of :data:`FORECAST_COLUMNS`."""
    rows = [
        {**_known(found, FORECAST_COLUMNS), **_ends(found.intervals), "forecast": answer.name}
        for answer in _answers(results).forecasts.values()
        for found in answer.figures
    ]
    return _csv(FORECAST_COLUMNS, rows)


def _known(item: Any, columns: Sequence[str]) -> dict[str, Any]:
    found = {field.name: getattr(item, field.name) for field in fields(item) if field.name in columns}
    return {name: joined(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _ends(intervals: Iterable[Any]) -> dict[str, float]:
    return {f"{end}_{i.level * 100:.0f}": getattr(i, end) for i in intervals for end in ("low", "high")}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([plain(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()


def _figures(results: Results, locale: str) -> Figures:
    return Figures(results.declaration, locale or results.declaration.locale)


def _answers(results: Results) -> Answers:
    assert results.answers is not None, "nothing was asked"
    return results.answers
