"""Whether a run of the sample project and ``by_hand.py`` say the same: counts and decimals exactly, floats to nine digits.

Compared are every KPI's ``value`` in every period and segment, and ``previous``, ``year_ago`` and ``target`` in every
period that is over; every count, median and skipped row of the funnel; every size and value of the cohorts; points and
band of every row that a score lists.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path

Key = tuple[str, ...]
Record = Mapping[str, str]
RELATIVE = Decimal("1e-9")
PLACES = 6  # of a decimal at most: cents times a rate of four places


@dataclass(frozen=True, slots=True)
class Answer:
    """What one kind of line is known by, and what of it is compared, always or in periods that are over."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    when_over: tuple[str, ...] = ()


ANSWERS = {
    "kpis": Answer("kpis", ("kpi", "period", "segment", "segment_value"), ("value",), ("previous", "year_ago", "target")),
    "funnels": Answer("funnels", ("funnel", "period", "segment", "segment_value", "step"), ("count", "median_days", "skipped")),
    "cohorts": Answer("cohorts", ("cohorts", "segment", "segment_value", "cohort", "age"), ("size", "value")),
    "scores": Answer("scores", ("score", "id"), ("points", "band")),
}  # fmt: skip


def read(file: Path) -> list[Record]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def differences(answer: Answer, ours: Iterable[Record], by_hand: Iterable[Record]) -> list[str]:
    """One line for each value that is not the same; first, by name, what one of both does not have at all."""
    here, there = _by_key(answer, ours), _by_key(answer, by_hand)
    missing = [
        f"{name}: by_hand.py does not compute it" for name in _names(here) if name not in _names(there)
    ]
    more = [f"{name}: by_hand.py computes it, and the project has no such thing" for name in _names(there) if name not in _names(here)]  # fmt: skip
    if missing or more:
        return missing + more
    return [line for key in sorted(here.keys() | there.keys()) for line in _lines(answer, key, here, there)]


def _by_key(answer: Answer, records: Iterable[Record]) -> dict[Key, Record]:
    rows = list(records)
    found = {tuple(row[name] for name in answer.keys): row for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"{answer.name}: some lines are there twice")
    return found


def _names(found: Mapping[Key, Record]) -> dict[str, None]:
    """KPIs, funnels … in their order."""
    return dict.fromkeys(key[0] for key in found)


def _lines(answer: Answer, key: Key, ours: Mapping[Key, Record], by_hand: Mapping[Key, Record]) -> Iterator[str]:  # fmt: skip
    said = " ".join(filter(None, key))
    if key not in ours or key not in by_hand:
        yield f"{said}: only {'by_hand.py' if key in by_hand else 'cadran'} has this line"
        return
    here, there = ours[key], by_hand[key]
    over = here.get("state") != "open"
    for column in (*answer.columns, *(answer.when_over if over else ())):
        if not same(here[column], there[column]):
            yield f"{said} {column}: cadran says {here[column] or 'nothing'}, by_hand.py {there[column] or 'nothing'}"


def same(one: str, other: str) -> bool:
    """Whole numbers and decimals must be equal; where either is a float, nine digits must. Words are equal as they are.

    >>> same("12.50", "12.5"), same("3", "4"), same("0.1234567890123", "0.1234567890124"), same("", "0"), same("hot", "hot")
    (True, False, True, False, True)
    """
    if one == other or not one or not other:
        return one == other
    a, b = Decimal(one), Decimal(other)
    exact = _places(one) <= PLACES and _places(other) <= PLACES
    return a == b or (not exact and abs(a - b) <= RELATIVE * max(abs(a), abs(b)))


def _places(text: str) -> int:
    """Digits behind the point; what is written with an exponent is a float."""
    return 99 if "e" in text.lower() else len(text.partition(".")[2])


def some(lines: list[str], most: int = 20) -> str:
    """The first lines, and how many there are."""
    return "\n".join([*islice(lines, most), f"{len(lines)} differ"]) if lines else ""
