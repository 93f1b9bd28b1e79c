"""The same answers from rows in a database, and from what an earlier run has kept; what people read names the KPI."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import Answers, MilestoneQuestion, WhyQuestion

from . import test_why as why

QUESTIONS = Wanted(
    whys=tuple(
        WhyQuestion(name, "2026-03")
        for name in ("revenue", "basket", "web_share", "per_customer", "per_lead")
    ),
    milestones=tuple(MilestoneQuestion(name, "start") for name in ("basket", "web_share", "buyers")),
)


def made(folder: Path) -> cadran.Project:
    project, _, _ = why.made(folder, random.Random(5))
    text = project.file.read_text(encoding="utf-8")
    project.file.write_text(
        text.replace("kpis:\n", "milestones: {start: 2025-09-01}\nkpis:\n"), encoding="utf-8"
    )
    return project


def answers(project: cadran.Project) -> Answers:
    found = project.analyse(QUESTIONS, as_of=why.AS_OF).answers
    assert found is not None
    return found


def in_sqlite(project: cadran.Project) -> cadran.Project:
    folder = project.file.parent
    with sqlite3.connect(folder / "orders.sqlite") as base:
        for name in ("orders", "leads"):
            lines = (folder / "data" / f"{name}.csv").read_text(encoding="utf-8").splitlines()
            rows = [
                [None if v == "" else v.replace("\x00", ",") for v in unquoted(line).split(",")]
                for line in lines
            ]
            kinds = {"id": "INTEGER", "day": "DATE", "amount": "DECIMAL(12,2)", "weight": "REAL"}
            columns = ", ".join(f"{c} {kinds.get(c or '', 'TEXT')}" for c in rows[0])
            base.execute(f"CREATE TABLE {name} ({columns})")
            base.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows[1:])
    base.close()
    text = project.file.read_text(encoding="utf-8")
    start, end = text.index("sources: "), text.index("datasets:")
    source = 'sources: {files: {connector: sql, url: "sqlite:///orders.sqlite"}}\n'
    project.file.write_text(text[:start] + source + text[end:], encoding="utf-8")
    return cadran.open(folder, environ={})


def unquoted(line: str) -> str:
    parts = line.split('"')
    return "".join(p.replace(",", "\x00") if i % 2 else p for i, p in enumerate(parts))


def test_from_a_database(tmp_path: Path) -> None:
    project = made(tmp_path)
    here = answers(project)
    there = answers(in_sqlite(project))
    for question, answer in here.whys.items():
        other = there.whys[question]
        assert [s.segment for s in other.splits] == [s.segment for s in answer.splits] and answer.splits
        for one, two in zip(answer.splits[0].parts, other.splits[0].parts, strict=True):
            assert (one.segment_value, round(float(one.effect), 9)) == (
                two.segment_value,
                round(float(two.effect), 9),
            )
    for milestone, compared in here.milestones.items():
        assert compared.missing == ""
        assert there.milestones[milestone].interval == pytest.approx(compared.interval)
        assert there.milestones[milestone].sure == compared.sure


def test_from_what_was_kept(tmp_path: Path) -> None:
    project = made(tmp_path)
    first = answers(project)
    again = project.analyse(QUESTIONS, as_of=why.AS_OF)
    assert again.answers == first
    names = {name for reuse in again.reuse if reuse.kept for name in reuse.kpis}
    assert names == {"revenue", "basket", "web_share", "per_customer", "per_lead", "buyers"}
    assert {line.kpi for line in project.cache()} == names
