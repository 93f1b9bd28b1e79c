"""``matches(name, text)`` compares text with a file under ``goldens/``; ``--golden`` writes the file instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "goldens"


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
