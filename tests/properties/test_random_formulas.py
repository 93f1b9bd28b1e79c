"""SQL against plain Python: random formulas over random rows give the same table on both sides."""

from __future__ import annotations

import pytest

from properties.compare import EXAMPLES, differences, engine_answers, naive_answers, on_random_project, report
from properties.render import Project


@pytest.mark.slow
@pytest.mark.parametrize("number", range(EXAMPLES))
def test_the_engine_agrees_with_the_naive_evaluator(number: int) -> None:
    on_random_project(number, agrees)


def agrees(project: Project) -> None:
    found = differences(project, engine_answers(project), naive_answers(project))
    assert not found, report(project, found)
