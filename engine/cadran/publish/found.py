"""What ``check --data`` found, as lines for people and as data for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cadran.declare.settings import mask

if TYPE_CHECKING:
    from cadran.compute.examining.found import Found

_WIDTH = 110


def as_lines(datasets: Sequence[Found], secrets: Iterable[str] = ()) -> str:
    """A head line for each dataset, its columns with their types, and the links with rows that lead nowhere."""
    lines = [line for found in datasets for line in _lines(found)]
    return mask("\n".join(lines), secrets)


def _lines(found: Found) -> Iterator[str]:
    facts = [_count(found.rows, "row")]
    if found.first is not None and found.last is not None:
        facts.append(f"{found.first} to {found.last}")
    elif found.first is not None:
        facts.append(f"from {found.first}")
    if found.undated:
        facts.append(f"{found.undated:,} without a date")
    if found.quarantined:
        facts.append(f"{found.quarantined:,} set aside")
    yield f"{found.dataset}: {', '.join(facts)}"
    columns = ", ".join(
        f"{name} {kind or '(no value)'}".replace(" ", "\0") for name, kind in found.columns.items()
    )
    wrapped = textwrap.wrap(
        columns, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False
    )
    yield from (line.replace("\0", " ") for line in wrapped)
    for link, rows in found.unmatched.items():
        if rows:
            yield f"    link {link}: {_count(rows, 'row')} without a match"


def as_data(datasets: Sequence[Found]) -> list[dict[str, Any]]:
    return [
        {
            "dataset": found.dataset,
            "rows": found.rows,
            "quarantined": found.quarantined,
            "undated": found.undated,
            "first": found.first and found.first.isoformat(),
            "last": found.last and found.last.isoformat(),
            "columns": dict(found.columns),
            "unmatched": dict(found.unmatched),
        }
        for found in datasets
    ]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
