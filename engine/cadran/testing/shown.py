"""Outcomes of tests as text for people, and as data for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cadran.problems import Position
from cadran.testing.figures import plain
from cadran.testing.outcomes import Miss, Outcome


def lines(outcome: Outcome, width: int = 60) -> Iterator[str]:
    """``✓ name   12 ms``, and below a failed one all that it missed."""
    sign = "✓" if outcome.passed else "✗"
    yield f"{sign} {outcome.name:<{width}}  {outcome.seconds * 1000:>5.0f} ms"
    for miss in outcome.misses:
        yield f"    {miss.where}: {miss.message}" if miss.where else f"    {miss.message}"
        yield from behind(miss)


def behind(miss: Miss) -> Iterator[str]:
    """``lost(count(customers)) = 10``, a line for each measure."""
    yield from (f"        {text} = {plain(value)}" for text, value in miss.measures)


def summary(outcomes: Sequence[Outcome]) -> str:
    count, failed = len(outcomes), sum(not o.passed for o in outcomes)
    seconds = sum(o.seconds for o in outcomes)
    what = f"{failed} of them failed" if failed else "all passed"
    return f"{count} test{'s' * (count != 1)}, {what}, in {seconds:.2f} s"


def as_json(outcomes: Sequence[Outcome]) -> str:
    failed = sum(not o.passed for o in outcomes)
    whole = {"tests": [_as_data(o) for o in outcomes], "passed": len(outcomes) - failed, "failed": failed}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _as_data(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "where": _place(outcome.where),
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 6),
        "missed": [_miss(miss) for miss in outcome.misses],
    }


def _miss(miss: Miss) -> dict[str, Any]:
    return {
        "message": miss.message,
        "where": _place(miss.where),
        "what": miss.what,
        "period": miss.period,
        "segment": miss.segment,
        "expected": miss.expected,
        "got": miss.got,
        "difference": miss.difference,
        "measures": [
            {"measure": text, "value": None if v is None else plain(v)} for text, v in miss.measures
        ],
    }


def _place(where: Position | None) -> dict[str, Any] | None:
    return None if where is None else {"file": where.file, "line": where.line, "column": where.column}
