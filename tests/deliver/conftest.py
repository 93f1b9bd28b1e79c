"""Small projects with schedules, on a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deliver.projects import Small


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Small]:
    """Makes a project in a folder of its own."""

    def make(text: str = "", **parts: str) -> Small:
        return Small.made(tmp_path / "project", text, **parts)

    return make
