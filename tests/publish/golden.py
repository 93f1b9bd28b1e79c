"""Compares text with a file under ``goldens/``; ``CADRAN_GOLDEN=1`` writes the file instead."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "goldens"


def check(name: str, text: str, rewrite: bool = False) -> None:
    path = FOLDER / name
    if rewrite or os.environ.get("CADRAN_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert path.exists(), f"{path.name} is missing; write it with CADRAN_GOLDEN=1"
    assert text == path.read_bytes().decode()
