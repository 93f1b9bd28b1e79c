"""Small projects with schedules on a clock that tests set; ``matches(name, text)`` compares text with a golden.

``--golden`` writes the file under ``goldens/`` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from deliver.projects import Small

FOLDER = Path(__file__).parent / "goldens"


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Small]:
    """Makes a project in a folder of its own."""

    def make(text: str = "", **parts: str) -> Small:
        return Small.made(tmp_path / "project", text, **parts)

    return make


@pytest.fixture
def matches(golden: bool) -> Callable[[str, str], None]:
    def compare(name: str, text: str) -> None:
        path = FOLDER / name
        if golden:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert path.exists(), f"{name} is missing; write it with --golden"
        assert text == path.read_bytes().decode()

    return compare
