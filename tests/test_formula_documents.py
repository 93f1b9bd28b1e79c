"""Documents about formulas: each ``*.bad.yaml`` includes the same small shop and gives exactly its ``*.bad.txt``."""

from __future__ import annotations

from pathlib import Path

import pytest

import cadran
from cadran.problem_formats import render

DOCUMENTS = Path(__file__).parent / "documents" / "formulas"
FILES = sorted(DOCUMENTS.glob("*.bad.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_a_bad_formula_gives_exactly_these_problems(path: Path, golden: bool) -> None:
    said = render(cadran.open(path, environ={}).check(), folder=path.parent) + "\n"
    expected = path.with_suffix(".txt")
    if golden:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
    assert said != "no problems\n"


def test_every_expected_text_has_its_document() -> None:
    assert {p.with_suffix(".yaml") for p in DOCUMENTS.glob("*.bad.txt")} <= set(FILES)
