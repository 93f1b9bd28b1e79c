"""Belvoir's words for cadran: its seasons and its net prices, a filter, a podium, and a diary of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cadran.plugins import (
    Block,
    BlockEntry,
    FilterEntry,
    Function,
    FunctionEntry,
    Listener,
    ListenerEntry,
    RunFailed,
    RunFinished,
    hookimpl,
)


def season() -> Function:
    """Shops buy for summer from February to July."""
    return Function(
        "season(day)",
        ("date",),
        "text",
        sql={
            "duckdb": "CASE WHEN month({0}) BETWEEN 2 AND 7 THEN 'summer' ELSE 'winter' END",
            "postgres": "CASE WHEN extract(month FROM {0}) BETWEEN 2 AND 7 THEN 'summer' ELSE 'winter' END",
            "mysql": "CASE WHEN month({0}) BETWEEN 2 AND 7 THEN 'summer' ELSE 'winter' END",
            "sqlite": "CASE WHEN CAST(strftime('%m', {0}) AS INTEGER) BETWEEN 2 AND 7 THEN 'summer' ELSE 'winter' END",
        },
    )


def net() -> Function:
    """Prices hold 20 % of VAT. Nothing is said for databases: their rows are fetched."""
    return Function("net(amount)", ("number",), "number", sql={"duckdb": "{0} / 1.2"})


def growth() -> Function:
    return Function("growth(k)", ("any",), formula="{0} / previous({0}) - 1")


@hookimpl
def cadran_functions() -> list[FunctionEntry]:
    return [
        FunctionEntry("season", season, "the season that shops buy for"),
        FunctionEntry("net", net, "without VAT"),
        FunctionEntry("growth", growth, "since the period before"),
    ]


def stars(value: float | None, most: int = 5) -> str:
    return "" if value is None else "★" * max(0, min(most, round(float(value))))


@hookimpl
def cadran_filters() -> list[FilterEntry]:
    return [FilterEntry("stars", lambda: stars, "a number as stars")]


def podium(context: Mapping[str, Any]) -> dict[str, Any]:
    known = [kpi for kpi in context["kpis"] if kpi.value.raw is not None]
    return {"first": [kpi.label for kpi in sorted(known, key=lambda k: -k.value.raw)[:3]]}


@hookimpl
def cadran_blocks() -> list[BlockEntry]:
    templates = {
        "html": '<section class="podium"><ol>{% for name in first %}<li>{{ name }}</li>{% endfor %}</ol></section>\n',
        "markdown": "{% for name in first %}\n1. {{ name }}\n{% endfor %}",
    }
    return [BlockEntry("podium", lambda: Block(templates, podium), "the three largest values")]


class Diary(Listener):
    """Writes down each run where BELVOIR_DIARY says."""

    def run_finished(self, event: RunFinished) -> None:
        self._write(f"finished {', '.join(f'{kpi.name}={kpi.value}' for kpi in event.kpis)}")

    def run_failed(self, event: RunFailed) -> None:
        self._write(f"failed {'; '.join(event.failures)}")

    def _write(self, line: str) -> None:
        if path := os.environ.get("BELVOIR_DIARY"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(line + "\n")


@hookimpl
def cadran_listeners() -> list[ListenerEntry]:
    return [ListenerEntry("diary", lambda: Diary, "a line for each run")]
