"""The files of a new project: which are there already, and how they are written without losing any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cadran.plugins.writing import write_whole
from cadran.problems import Problem, ProblemsFound

FILE = "kpis.yaml"
IGNORING = ".gitignore"
_IGNORED = (
    ".cadran/",
    "reports/",
)  # copies of what sources hold, which are customers' data, and what is made of them


def refuse(folder: Path, names: Iterable[str]) -> None:
    """Raises ProblemsFound where one of the files is there."""
    if there := [name for name in names if (folder / name).exists()]:
        hint = "name another folder, or write over it with --force, which keeps a copy beside"
        message = f"in {folder} there is already: {', '.join(there)}"
        raise ProblemsFound([Problem("project-there", message, None, "", hint)])


def replaced(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the files, and keeps what else was there under the names that are given back: ``kpis.yaml.bak``, then ``….bak2``."""
    kept = []
    for name, text in files.items():
        there = folder / name
        if there.is_file() and there.read_bytes() != text.encode():
            kept.append(_beside(folder, name))
            write_whole(there.parent, (folder / kept[-1]).name, there.read_bytes())
    write(folder, files)
    return tuple(kept)


def _beside(folder: Path, name: str) -> str:
    number, out = 1, f"{name}.bak"
    while (folder / out).exists():
        number += 1
        out = f"{name}.bak{number}"
    return out


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        write_whole(folder / Path(name).parent, Path(name).name, text.encode())


def ignore(folder: Path) -> bool:
    """Keeps what is no source out of Git, where nobody has said what is; gives whether that was written."""
    if (folder / IGNORING).exists():
        return False
    (folder / IGNORING).write_text("".join(f"{name}\n" for name in _IGNORED), encoding="utf-8")
    return True


def ignores(folder: Path) -> bool:
    """Whether the file that is there keeps the copies out."""
    lines = (folder / IGNORING).read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.strip().strip("/") in (".cadran", ".cadran/*", "**/.cadran") for line in lines)


def read(folder: Path) -> dict[str, str]:
    """The YAML and CSV files of a folder, by their names in it."""
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in (".yaml", ".csv") and "examples" not in file.parts
    )
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}
