"""Scans that share their passes give the same tables, row by row and type by type, as their own statements do."""

from __future__ import annotations

import datetime as dt

import pytest

from cadran.compute.shared import filters, group
from properties.compare import EXAMPLES, engine_answers, on_random_project
from properties.render import Project
from properties.shared import held_against_their_own
from properties.vocabulary import project


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/New_York"])
def test_every_function_of_the_vocabulary(zone: str) -> None:
    with held_against_their_own() as held:
        engine_answers(project(dt.datetime(2025, 10, 31, 12), zone))
    assert not held.lines, "\n".join(held.lines)
    assert held.shared


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris"])
def test_filters_that_are_taken_apart(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_MANY", 1)
    monkeypatch.setattr(group, "_FEW", 0)  # however few rows there are
    with held_against_their_own() as held:
        engine_answers(project(dt.datetime(2025, 10, 31, 12), zone))
    assert not held.lines, "\n".join(held.lines)
    assert held.shared


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3000, 3000 + EXAMPLES))
def test_random_filters_that_are_taken_apart(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "_MANY", 1)
    monkeypatch.setattr(group, "_FEW", 0)
    on_random_project(number, unlike_their_own)


@pytest.mark.slow
@pytest.mark.parametrize("number", [3004, *range(2000, 2000 + EXAMPLES)])
def test_random_formulas(number: int) -> None:
    on_random_project(number, unlike_their_own)


def unlike_their_own(whole: Project) -> list[str]:
    with held_against_their_own() as held:
        engine_answers(whole)
    return held.lines
