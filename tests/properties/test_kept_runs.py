"""What is kept changes no number: a run that may use earlier ones says what a run says that knows nothing of them."""

from __future__ import annotations

import pytest

from properties.compare import EXAMPLES, on_random_project
from properties.stories import told


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5000, 5000 + EXAMPLES // 2))
def test_a_kept_result_is_the_result(number: int) -> None:
    on_random_project(number, lambda project: told(project, number, steps=6))
