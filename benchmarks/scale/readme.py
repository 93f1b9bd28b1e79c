"""Figures put into README.md between two marks, so that what stands there is what was measured."""

from __future__ import annotations

from pathlib import Path

from benchmarks.scale.children import HERE

README = HERE / "README.md"


def put(name: str, text: str, file: Path = README) -> None:
    """Replaces what stands between ``<!-- name -->`` and ``<!-- /name -->``; at the end where there is no such place."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole = file.read_text(encoding="utf-8")
    if begin not in whole or end not in whole:
        whole = f"{whole.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = whole.partition(begin)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
