"""A replay sees no future: a past clock gives what a run over the data up to that instant gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest

from naive.rows import Dataset, World
from naive.tree import Value
from properties.compare import EXAMPLES, differences, engine_answers, naive_answers, on_random_project
from properties.render import Project
from properties.vocabulary import project

CLOCKS = [
    (dt.datetime(2025, 3, 30, 12), "Europe/Paris"),  # the day of 23 hours, inside a month and a quarter
    (dt.datetime(2025, 8, 1), "America/New_York"),  # the first instant of a month
    (dt.datetime(2025, 10, 31, 23, 59, 59), "UTC"),
    (dt.datetime(2024, 12, 15, 9, 30), "America/New_York"),  # little has happened yet
    (dt.datetime(2026, 1, 20, 18), "Europe/Paris"),  # a year ago there was data
]


def truncated(whole: Project) -> Project:
    """The same project over the rows up to its clock; what lies ahead by declaration stays."""
    return replace(whole, datasets=[replace(d, rows=rows_up_to(whole, d)) for d in whole.datasets])


def rows_up_to(whole: Project, dataset: Dataset) -> list[Mapping[str, Value]]:
    column = dataset.valid[0] if dataset.valid else dataset.date
    if dataset.ahead or column is None:
        return list(dataset.rows)
    return [known(whole, dataset, row) for row in dataset.rows if not later(whole, row[column])]


def known(whole: Project, dataset: Dataset, row: Mapping[str, Value]) -> Mapping[str, Value]:
    """An interval's end, and its date, are not known before they have come."""
    if not dataset.valid:
        return row
    unknown = {column for column in (dataset.valid[1], dataset.date) if column and later(whole, row[column])}
    return {column: None if column in unknown else value for column, value in row.items()}


def later(whole: Project, value: Value) -> bool:
    instant = World((), whole.calendar, whole.clock).instant(value)
    return instant is not None and instant > whole.clock


@pytest.mark.slow
@pytest.mark.parametrize(("clock", "zone"), CLOCKS, ids=lambda value: str(value).replace(" ", "T"))
def test_every_function_of_the_vocabulary(clock: dt.datetime, zone: str) -> None:
    whole = project(clock, zone)
    answers = engine_answers(whole)
    assert any(answer.value is not None for answer in answers.values())
    lines = differences(whole, answers, engine_answers(truncated(whole)))
    assert not lines, "\n".join(lines)
    lines = differences(whole, answers, naive_answers(whole))
    assert not lines, "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1000, 1000 + EXAMPLES // 2))
def test_random_formulas(number: int) -> None:
    on_random_project(number, sees_the_future)


def sees_the_future(whole: Project) -> list[str]:
    return differences(whole, engine_answers(whole), engine_answers(truncated(whole)))
