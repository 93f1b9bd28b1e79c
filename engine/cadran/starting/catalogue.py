"""The shipped KPIs that a project's data can answer: those whose columns, segments and links it has.

What does not fit is cut out of the text, so that people find the files as somebody wrote them, with their comments.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cadran.problems import Problem

_SECTION = re.compile(r"[a-z_]+:\s*(#.*)?")
_ENTRY = re.compile(r"  [^\s#-]")
_LISTS = re.compile(r"(segment|read_with|show):")  # in these, one name can go and the rest stays
_NEVER = ("tests",)  # their rows are those of the sample project's tables


@dataclass(slots=True)
class File:
    """One file of KPIs by line; ``entries`` are where each entry begins, with the comments above it."""

    name: str
    lines: list[str]
    sections: list[tuple[int, str]] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, name: str, text: str) -> File:
        file = cls(name, text.splitlines())
        for number, line in enumerate(file.lines):
            if _SECTION.fullmatch(line):
                file.sections.append((number, line.partition(":")[0]))
            elif file.sections and _ENTRY.match(line):
                file.entries.append(file._with_comments(number))
        for start, section in reversed(file.sections):
            if section in _NEVER:
                file._cut(start, file._end(start, [n for n, _ in file.sections]))
        return cls.read(name, "\n".join(file.lines)) if len(file.lines) < len(text.splitlines()) else file

    @property
    def text(self) -> str:
        """Empty where no entry is left."""
        kept = _without_empty_sections(self.lines)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(kept).strip()) + "\n" if kept else ""

    def _with_comments(self, number: int) -> int:
        while number > 0 and self.lines[number - 1].startswith("  #"):
            number -= 1
        return number

    def _end(self, start: int, starts: Sequence[int]) -> int:
        after = [n for n in (*starts, *(n for n, _ in self.sections)) if n > start]
        return min(after, default=len(self.lines))

    def _cut(self, start: int, end: int) -> None:
        del self.lines[start:end]

    def _falling(self, problem: Problem) -> int | None:
        """Where the entry begins that goes as a whole with this problem; None where less goes."""
        assert problem.where is not None
        number = problem.where.line - 1
        line = self.lines[number]
        if _LISTS.search(line) and "[" in line:
            return None
        if (line.lstrip().startswith("- {") and "when:" in line) or _LISTS.match(line.strip()):
            return None
        return self.entries[bisect_right(self.entries, number) - 1]

    def cut_by(self, problems: Iterable[Problem]) -> dict[str, Problem]:
        """The names of the entries that go as a whole, each with the first of its problems."""
        out: dict[str, Problem] = {}
        for problem in problems:
            start = self._falling(problem) if problem.where is not None else None
            if start is not None:
                key = next(line for line in self.lines[start:] if _ENTRY.match(line))
                out.setdefault(key.strip().partition(":")[0], problem)
        return out

    def without(self, problems: Iterable[Problem]) -> File:
        """The file without what these problems point at: a name in a list, an alert of several, else the whole entry."""
        names: list[tuple[int, int, int]] = []
        lines: set[int] = set()
        whole: set[int] = set()
        for problem in problems:
            if problem.where is None:
                continue
            number = problem.where.line - 1
            line = self.lines[number]
            if _LISTS.search(line) and "[" in line:
                names.append((number, problem.where.column - 1, problem.where.width))
            elif (start := self._falling(problem)) is None:
                lines.add(number)
            else:
                whole.add(start)
        for number, column, width in sorted(set(names), reverse=True):
            self.lines[number] = _without_name(self.lines[number], column, width)
        gone = lines | {n for start in whole for n in range(start, self._end(start, self.entries))}
        left = [line for number, line in enumerate(self.lines) if number not in gone]
        return File.read(self.name, "\n".join(_without_empty_lists(left)))


def _without_name(line: str, column: int, width: int) -> str:
    """A list in one line without one of its items, and without what stands alone then."""
    before, after = line[:column], line[column + width :]
    inside = before.rstrip().endswith("[") or before.rstrip().endswith(",")
    if inside and after.lstrip().startswith(","):
        line = before + after.lstrip()[1:].lstrip()
    else:
        line = re.sub(r",\s*$", "", before) + after
    line = re.sub(r",?\s*\[\s*\]", "", line)
    return "" if re.fullmatch(r"\s*\w+:\s*", line) else line


def _without_empty_lists(lines: Sequence[str]) -> list[str]:
    """A key whose items have all gone goes too."""
    out: list[str] = []
    for line in reversed(lines):
        below = out[0] if out else ""
        if re.fullmatch(r"\s+alert:\s*", line) and _indent(below) <= _indent(line):
            continue
        out.insert(0, line)
    return out


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _without_empty_sections(lines: Sequence[str]) -> list[str]:
    """Sections without an entry go; nothing is left where all do."""
    out: list[str] = []
    for line in reversed(lines):
        if _SECTION.fullmatch(line) and not any(
            re.match(r"  \S", one) and not one.startswith("  #") for one in _until_section(out)
        ):
            while out and not _SECTION.fullmatch(out[0]):
                out.pop(0)
            continue
        out.insert(0, line)
    return out if any(_SECTION.fullmatch(line) for line in out) else []


def _until_section(lines: Sequence[str]) -> Iterable[str]:
    for line in lines:
        if _SECTION.fullmatch(line):
            return
        yield line


def fitting(
    files: Mapping[str, str], wrong: Callable[[Mapping[str, str]], Sequence[Problem]]
) -> tuple[dict[str, str], dict[str, Problem]]:
    """The files with what fits of them, by their names, and for each entry that does not what is wrong with it. ``wrong`` says what is
    wrong with a project that has these."""
    cut: dict[str, Problem] = {}
    found = {name: File.read(name, text) for name, text in files.items()}
    while True:
        problems = wrong({name: file.text for name, file in found.items() if file.text})
        by_file: dict[str, list[Problem]] = {}
        for problem in problems:
            if problem.where is not None and problem.where.file in found:
                by_file.setdefault(problem.where.file, []).append(problem)
        if not by_file:
            return {name: file.text for name, file in found.items() if file.text}, cut
        for name, mine in by_file.items():
            file = File.read(name, found[name].text)
            cut |= {entry: problem for entry, problem in file.cut_by(mine).items() if entry not in cut}
            found[name] = file.without(mine)
