"""SQL against plain Python: random formulas over random rows give the same table on both sides."""

from __future__ import annotations

import pytest

from properties.compare import EXAMPLES, differences, engine_answers, naive_answers, on_random_project
from properties.render import Project


@pytest.mark.slow
@pytest.mark.parametrize("number", range(EXAMPLES))
def test_the_engine_agrees_with_the_naive_evaluator(number: int) -> None:
    on_random_project(number, unlike_python)


def unlike_python(project: Project) -> list[str]:
    return differences(project, engine_answers(project), naive_answers(project))
