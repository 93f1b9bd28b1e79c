"""What a dataset, or a part of it, holds: counts, and the first and last of its dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

Ends = tuple[dt.date | None, dt.date | None]


@dataclass(slots=True)
class Facts:
    """What one dataset holds at the clock."""

    rows: int = 0
    undated: int = 0
    bad_intervals: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    begins: dt.date | None = None  # the first start of validity
    newest: dt.datetime | None = None  # the last date as local time
    by_date: dict[exp.Expr, Ends] = field(default_factory=dict)

    def written(self, dates: Sequence[exp.Expr]) -> dict[str, Any]:
        """As plain values, to be kept; ``dates`` says in which order those of ``by_date`` come."""
        ends = [[_text(day) for day in self.by_date.get(node, (None, None))] for node in dates]
        return {
            "rows": self.rows, "undated": self.undated, "bad_intervals": self.bad_intervals, "first": _text(self.first),
            "last": _text(self.last), "begins": _text(self.begins), "newest": _text(self.newest), "by_date": ends,
        }  # fmt: skip

    @classmethod
    def read(cls, raw: Mapping[str, Any], dates: Sequence[exp.Expr]) -> Facts:
        first, last, begins = (_day(raw[name]) for name in ("first", "last", "begins"))
        newest = None if raw["newest"] is None else dt.datetime.fromisoformat(raw["newest"])
        by_date: dict[exp.Expr, Ends] = {
            node: (_day(ends[0]), _day(ends[1])) for node, ends in zip(dates, raw["by_date"], strict=True)
        }
        return cls(raw["rows"], raw["undated"], raw["bad_intervals"], first, last, begins, newest, by_date)


def nothing(dates: Sequence[exp.Expr]) -> Facts:
    """Of no rows."""
    return Facts(by_date=dict.fromkeys(dates, (None, None)))


def merged(parts: Sequence[Facts]) -> Facts:
    """The facts of all parts together."""
    nodes = dict.fromkeys(node for part in parts for node in part.by_date)
    return Facts(
        sum(p.rows for p in parts),
        sum(p.undated for p in parts),
        sum(p.bad_intervals for p in parts),
        _least(p.first for p in parts),
        _most(p.last for p in parts),
        _least(p.begins for p in parts),
        max((p.newest for p in parts if p.newest is not None), default=None),
        {node: _both([p.by_date[node] for p in parts if node in p.by_date]) for node in nodes},
    )


def _both(ends: Sequence[Ends]) -> Ends:
    return _least(first for first, _ in ends), _most(last for _, last in ends)


def _least(days: Any) -> dt.date | None:
    return min((day for day in days if day is not None), default=None)


def _most(days: Any) -> dt.date | None:
    return max((day for day in days if day is not None), default=None)


def _text(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
