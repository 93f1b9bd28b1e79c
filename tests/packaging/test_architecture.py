"""ARCHITECTURE.md and the import contracts name exactly what exists."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENGINE, PLUGINS = ROOT / "engine" / "cadran", ROOT / "plugins" / "cadran_plugins"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def _table(head: str) -> list[list[str]]:
    """The rows below the table whose first line begins with ``head``, as cells."""
    lines = TEXT[TEXT.index(f"\n{head}") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _described(head: str) -> set[str]:
    """``room/file.py`` for every file named in a table, and the files that are rooms of their own."""
    found = []
    for room, files, _ in _table(head):
        (name,) = _names(room)
        found += [f"{name}{file}" for file in _names(files)] if name.endswith("/") else [name]
    assert len(found) == len(set(found))
    return set(found)


def _modules(folder: Path) -> set[str]:
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    return {path for path in paths if not path.endswith("__init__.py")}


def _config() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def _layers() -> list[set[str]]:
    (contract,) = (c for c in _config()["contracts"] if c["type"] == "layers")
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_the_rooms_hold_exactly_the_files_that_the_table_names() -> None:
    assert _described("| room |") == _modules(ENGINE)


def test_the_plugins_hold_exactly_the_files_that_the_table_names() -> None:
    assert _described("| plugin |") == _modules(PLUGINS)


def test_the_table_lists_the_rooms_in_the_order_that_the_contracts_enforce() -> None:
    named = [_names(row[0])[0].removesuffix("/").removesuffix(".py") for row in _table("| room |")]
    rooms = [name for name in named if "/" not in name]  # compute/dialects/ is a part of compute/
    layers = _layers()[::-1]
    order = [next(i for i, layer in enumerate(layers) if room in layer) for room in rooms]
    assert order == sorted(order)
    assert set(rooms) == set().union(*layers)


def test_the_top_level_holds_what_the_table_names() -> None:
    named = {_names(row[0])[0] for row in _table("| | |")}
    tracked = _tracked()
    folders = {f"{path.split('/')[0]}/" for path in tracked if "/" in path}
    documents = {"ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "LICENSE"}
    files = {path for path in tracked if "/" not in path} - documents - {"pyproject.toml", ".gitignore"}
    assert named == folders | files


def test_the_tests_folders_exist() -> None:
    (row,) = (row for row in _table("| | |") if row[0] == "`tests/`")
    assert [n for n in _names(row[1]) if not (ROOT / "tests" / n).is_dir()] == []


def _tracked() -> Iterable[str]:
    """All files that belong to the project; without git, those that are not made by its tools."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        made = {".git", ".venv", "reports", ".cadran", "dist", "build"}
        caches = re.compile(r"\.[a-z_]+_cache|\.hypothesis|\.benchmarks")
        tops = [p for p in ROOT.iterdir() if p.name not in made and not caches.fullmatch(p.name)]
        return [
            p.relative_to(ROOT).as_posix()
            for top in tops
            for p in (top.rglob("*") if top.is_dir() else [top])
        ]
    return [path for path in listed.splitlines() if (ROOT / path).exists()]


def test_the_decisions_are_numbered_without_a_gap_and_say_context_decision_and_consequence() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequence"], (
            path.name
        )
