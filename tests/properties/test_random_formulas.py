"""SQL against plain Python: random formulas over random rows give the same table on both sides."""

from __future__ import annotations

import pytest
from hypothesis import given

from properties.compare import differences, engine_answers, naive_answers, profile, report
from properties.render import Project
from properties.strategies import projects


@pytest.mark.slow
@profile()
@given(projects())
def test_the_engine_agrees_with_the_naive_evaluator(project: Project) -> None:
    found = differences(project, engine_answers(project), naive_answers(project))
    assert not found, report(project, found)
