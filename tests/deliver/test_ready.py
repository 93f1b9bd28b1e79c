"""Whether data is as young as a report wants it."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from cadran.calendar import Duration
from cadran.compute.results import Quality, Results
from cadran.declare.model import Ready
from cadran.deliver.ready import unready
from deliver.projects import at

DAY = Ready(Duration(days=1))


def _results(*quality: Quality) -> Results:
    dated: Any = SimpleNamespace(datasets={name: SimpleNamespace(date="day" if name != "users" else None) for name in ("orders", "leads", "users")})  # fmt: skip
    of = {"revenue": ("orders",), "leads": ("leads", "users")}
    return Results((), at("05 07:00"), dated, quality=quality, measured_on=of)


def _quality(dataset: str, newest: str | None) -> Quality:
    moment = at(newest).replace(tzinfo=None) if newest else None
    return Quality(dataset, last=moment.date() if moment else None, newest=moment)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        ("05 06:00", []),
        ("04 07:00", []),
        ("04 06:59", ["the newest row of orders is of 2026-03-04, one of the last 1 days is expected"]),
        (None, ["orders has no dated row, one of the last 1 days is expected"]),
        ("06 07:00", []),
    ],
)
def test_how_old_data_may_be(newest: str | None, expected: list[str]) -> None:
    assert unready(DAY, _results(_quality("orders", newest)), ["revenue"]) == expected


def test_only_what_the_report_measures_counts() -> None:
    old = _results(_quality("orders", "05 06:00"), _quality("leads", "01 00:00"), _quality("users", None))
    assert unready(DAY, old, ["revenue"]) == []
    assert [text.split(" is")[0] for text in unready(DAY, old, ["revenue", "leads"])] == [
        "the newest row of leads"
    ]


def test_nothing_is_asked_of_a_report_without_an_age() -> None:
    assert unready(Ready(wait=Duration(seconds=60)), _results(_quality("orders", None)), ["revenue"]) == []


def test_durations_may_be_exact() -> None:
    within = Ready(Duration(seconds=26 * 3600))
    results = _results(_quality("orders", "04 05:00"))
    assert unready(within, results, ["revenue"]) == []
    assert results.as_of - dt.timedelta(hours=26) == at("04 05:00")
