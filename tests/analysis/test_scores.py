"""Scores against a naive evaluator: points rule by rule, bands, the best rows, and the columns as segment and filter."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.random_rows import FIRST, SEEDS, Row, maybe, moment, written
from cadran.analysis.analyse import Wanted

PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {files: {connector: files, path: data}}
datasets:
  leads: {from: files.leads, key: id, date: created_at, where: not is_test, links: {owner: {column: owner_id, to: users}}}
  calls: {from: files.calls, key: id, date: called_at, links: {lead_id: leads}}
  users: {from: files.users, key: id}
scores:
  heat:
    dataset: leads
    show: [channel, owner.name]
    only: customer_id is null
    rules:
      - {when: visited, points: 30}
      - first:
        - {when: employees > 200, points: 25}
        - {when: employees > 20, points: 10.5}
      - {when: count(calls) >= 2, points: 20}
      - {when: "last_touch_at < now() - interval 90 day", points: -15}
    bands: {warm: 20, cold: -15, hot: 50}
kpis:
  by_band: {formula: count(leads), period: all, segment: heat_band}
  hot: {formula: "count(leads) filter (where heat >= 50)", period: all}
  points: {formula: sum(leads.heat), period: all}
"""


def _tables(chance: random.Random) -> dict[str, list[Row]]:
    leads: list[Row] = [
        {
            "id": f"L{number:03d}",
            "created_at": moment(chance, FIRST, 250),
            "last_touch_at": maybe(chance, 0.8, moment(chance, FIRST, 250)),
            "employees": maybe(chance, 0.8, chance.choice((1, 20, 21, 200, 201))),
            "visited": maybe(chance, 0.8, chance.random() < 0.5),
            "is_test": chance.random() < 0.1,
            "channel": chance.choice(("web", "shop")),
            "owner_id": maybe(chance, 0.8, chance.randrange(3)),
            "customer_id": maybe(chance, 0.3, number),
        }
        for number in range(80)
    ]
    calls: list[Row] = [
        {"id": number, "lead_id": f"L{chance.randrange(80):03d}", "called_at": moment(chance, FIRST, 250)}
        for number in range(120)
    ]
    users: list[Row] = [{"id": number, "name": f"U{number}"} for number in range(3)]
    return {"leads": leads, "calls": calls, "users": users}


def _scored(
    tables: dict[str, list[Row]], clock: dt.datetime
) -> list[tuple[Row, Decimal, tuple[int, ...], str]]:
    out = []
    for lead in tables["leads"]:
        if lead["is_test"] or lead["created_at"] > clock:  # type: ignore[operator]
            continue
        calls = sum(c["lead_id"] == lead["id"] and c["called_at"] <= clock for c in tables["calls"])  # type: ignore[operator]
        rules = {0: Decimal(30)} if lead["visited"] else {}
        employees = lead["employees"] or 0
        if employees > 200:  # type: ignore[operator]
            rules[1] = Decimal(25)
        elif employees > 20:  # type: ignore[operator]
            rules[2] = Decimal("10.5")
        if calls >= 2:
            rules[3] = Decimal(20)
        touched = lead["last_touch_at"]
        if touched is not None and touched < clock - dt.timedelta(days=90):  # type: ignore[operator]
            rules[4] = Decimal(-15)
        points = sum(rules.values(), Decimal(0))
        band = "hot" if points >= 50 else "warm" if points >= 20 else "cold"
        out.append((lead, points, tuple(rules), band))
    return sorted(out, key=lambda scored: (-scored[1], -scored[0]["created_at"].timestamp(), scored[0]["id"]))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", SEEDS)
def test_points_bands_and_the_best_are_those_of_a_walk_over_the_rows(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    tables = _tables(chance)
    clock = dt.datetime(2026, chance.randrange(1, 7), chance.randrange(1, 28), chance.randrange(24))
    project = written(tmp_path, PROJECT, tables)
    results = project.run(as_of=clock, analyses=Wanted(scores={"heat": 12}))
    expected = _scored(tables, clock)
    listed = [scored for scored in expected if scored[0]["customer_id"] is None]
    assert results.answers is not None
    answer = results.answers.scores["heat"]
    assert (answer.rows, answer.listed) == (len(expected), len(listed))
    names = {user["id"]: user["name"] for user in tables["users"]}
    assert [(b.key, b.points, b.band, b.shown, b.rules) for b in answer.best] == [
        ((lead["id"],), points, band, (lead["channel"], names.get(lead["owner_id"])), rules)
        for lead, points, rules, band in listed[:12]
    ]
    bands = Counter(band for *_, band in listed)
    assert answer.bands == {name: bands[name] for name in ("hot", "warm", "cold")}
    counted = Counter(number for *_, rules, _ in expected for number in rules)
    assert [rule.counts for rule in answer.rules] == [counted[number] for number in range(5)]
    assert (
        answer.rules[2].holds == counted[1] + counted[2]
    )  # the second of a group holds as well where the first does
    _columns_work(results, expected)


def _columns_work(results: object, expected: list[tuple[Row, Decimal, tuple[int, ...], str]]) -> None:
    """The score and its band are columns: of a segment, a filter, a sum."""
    figures = {(row.kpi, *row.segment_value): row.value for row in results}  # type: ignore[attr-defined]
    bands = Counter(band for *_, band in expected)
    assert {key[1]: value for key, value in figures.items() if key[0] == "by_band" and key[1:]} == dict(bands)
    assert figures["hot",] == bands["hot"]
    assert figures["points",] == sum(points for _, points, _, _ in expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_row_is_explained_by_the_rules_that_gave_it_points(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    tables = _tables(chance)
    expected = {scored[0]["id"]: scored for scored in _scored(tables, dt.datetime(2026, 5, 1))}
    keys = tuple(f"L{chance.randrange(80):03d}" for _ in range(5))
    answers = (
        written(tmp_path, PROJECT, tables).analyse(Wanted(scored={"heat": keys}), as_of="2026-05-01").answers
    )
    assert answers is not None
    for key, row in zip(keys, answers.scored["heat"], strict=True):
        assert row.found == (key in expected)
        if not row.found:
            continue
        lead, points, rules, band = expected[key]
        assert (row.points, row.band) == (points, band)
        assert tuple(rule.number for rule in row.rules if rule.counts) == rules
        assert dict(row.rules[1].seen) == {"employees": lead["employees"]}


def test_what_is_no_condition_is_said_with_its_place(tmp_path: Path) -> None:
    project = written(
        tmp_path, PROJECT.replace("when: visited,", "when: employees,"), _tables(random.Random(0))
    )
    (problem,) = project.check_data()
    assert problem.code == "wrong-type"
    assert problem.subject == "scores.heat"
    assert problem.message == "this is whole numbers, not a condition"
    assert problem.where is not None
    assert (problem.where.line, problem.where.column) == (14, 16)
