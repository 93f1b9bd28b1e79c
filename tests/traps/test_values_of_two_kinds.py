"""A text compared with a number is said in these words, at the expression that compares them; a score's rule too."""

from __future__ import annotations

from pathlib import Path

import pytest

import cadran
from cadran.compute.hints import in_plain_words

FILE = """\
version: 1
sources: {f: {connector: files, path: .}}
datasets: {leads: {from: f.leads, key: id, date: day}}
kpis: {large: {formula: count(leads) filter (where CONDITION), period: month}}
"""
SCORES = FILE.replace(" filter (where CONDITION)", "") + (
    "scores: {heat: {dataset: leads, rules: [{when: CONDITION, points: 1}], bands: {hot: 1, cold: 0}}}\n"
)
ROWS = "id,day,channel,employees\n1,2026-01-05,web,12\n2,2026-01-06,fair,3\n"
SAID = [
    ("channel > 10", "this compares text with a number"),
    ("day > 2026", "this compares a date with a number"),
    ("employees > 'many'", "the text 'many' is compared with or read as a number"),
    ("channel = 10", "the text 'web' in column 'channel' is compared with or read as a number"),
]


@pytest.mark.parametrize(("condition", "said"), SAID)
@pytest.mark.parametrize(("file", "line"), [(FILE, 4), (SCORES, 5)], ids=["filter", "score"])
def test_what_is_compared_is_said(tmp_path: Path, file: str, line: int, condition: str, said: str) -> None:
    (tmp_path / "leads.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(file.replace("CONDITION", condition), encoding="utf-8")
    project = cadran.open(tmp_path)
    with pytest.raises(cadran.ProblemsFound) as found:
        project.run(as_of="2026-06-01", analyses="all") if file is SCORES else project.run(as_of="2026-06-01")
    (problem,) = found.value.problems
    assert problem.where is not None and problem.where.line == line
    assert problem.message == said
    assert problem.hint.startswith("compare values of the same kind")


def test_other_messages_stay_as_they_are() -> None:
    for message in ("Could not convert string 'a' to INT64 today", "No function matches the given name"):
        assert in_plain_words(message) == message
