"""How problems are printed: for people, for programs, and for the services that show them beside the code.

The text form is ``file:line:column: subject: message; hint`` with the line and a caret under it. ``json`` is for
programs, ``github`` for annotations in GitHub Actions, ``sarif`` (2.1.0) for everything that reads that standard.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cadran.problems import Position, Problem, in_order
from cadran.starred import starred

Lines = Mapping[str, Sequence[str]]  # file as shown in positions -> its lines

_INDENT = "    "
_WIDEST = 110  # a longer line is cut around the caret
_TAB = 4
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_RED, _YELLOW, _GREEN, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[1;33m", "\x1b[32m", "\x1b[1m", "\x1b[0m"


def render(
    problems: Sequence[Problem],
    form: str = "text",
    *,
    lines: Lines | None = None,
    folder: Path | None = None,
    colour: bool = False,
    prefix: str = "",
) -> str:
    """All problems in one of :data:`FORMATS`, without a final line break.

    Source lines come from ``lines``, else from the files under ``folder``. ``prefix`` is put before file names in
    the formats that must name files from the repository's root.
    """
    ordered = in_order(problems)
    if form == "text":
        return as_text(ordered, lines or {}, folder, colour)
    return FORMATS[form](ordered, prefix)


# --- text ----------------------------------------------------------------------------------------------------------


def as_text(
    problems: Sequence[Problem], lines: Lines, folder: Path | None = None, colour: bool = False
) -> str:
    """Each problem with its line and a caret, and at the end how many there are."""
    known: dict[str, Sequence[str]] = {file: starred(text) for file, text in lines.items()}
    out = []
    for problem in problems:
        out.append(_headline(problem, colour))
        if problem.where is not None:
            out += _excerpt(problem.where, _lines_of(problem.where.file, known, folder), colour)
    out.append(count(problems))
    return "\n".join(out)


def count(problems: Sequence[Problem]) -> str:
    """``2 errors, 1 warning``; ``no problems`` where there are none."""
    parts = []
    for severity in ("error", "warning"):
        number = sum(problem.severity == severity for problem in problems)
        if number:
            parts.append(f"{number} {severity}{'s' * (number > 1)}")
    return ", ".join(parts) or "no problems"


def _headline(problem: Problem, colour: bool) -> str:
    text = printable(str(problem))
    if not colour:
        return text
    place = f"{printable(str(problem.where))}:" if problem.where else ""
    tone = _YELLOW if problem.severity == "warning" else _RED
    return f"{_BOLD}{place}{_PLAIN}{tone}{text[len(place) :]}{_PLAIN}"


def _lines_of(file: str, known: dict[str, Sequence[str]], folder: Path | None) -> Sequence[str]:
    if file not in known:
        known[file] = []
        if folder is not None:
            with suppress(OSError, ValueError):  # a line that cannot be shown is left out; the problem is not
                text = (folder / file).read_text(encoding="utf-8-sig", errors="replace")
                known[file] = starred(_LINE_BREAK.split(text))
    return known[file]


def _excerpt(where: Position, lines: Sequence[str], colour: bool) -> list[str]:
    """The source line and the caret line; nothing where the file is not at hand."""
    if not 0 < where.line <= len(lines) or not lines[where.line - 1].strip():
        return []
    line, start = lines[where.line - 1].rstrip("\r\n"), where.column - 1
    end = max(start + 1, min(start + where.width, len(line)))
    line, start, end = _cut(line, start, end)
    shown, offsets = _on_screen(line)
    first = offsets[min(start, len(line))]
    width = max(1, offsets[min(end, len(line))] - first)
    caret = "^" * width
    return [
        f"{_INDENT}{shown}".rstrip(),
        f"{_INDENT}{' ' * first}{_GREEN + caret + _PLAIN if colour else caret}",
    ]


def _cut(line: str, start: int, end: int) -> tuple[str, int, int]:
    """A long line cut so that the caret's place stays in sight."""
    if len(line) <= _WIDEST:
        return line, start, end
    end = min(end, start + _WIDEST // 2)
    first = max(0, min(start - _WIDEST // 3, len(line) - _WIDEST))
    last = first + _WIDEST
    before, after = "…" if first else "", "…" if last < len(line) else ""
    moved = first - len(before)
    return f"{before}{line[first:last]}{after}", start - moved, end - moved


def _on_screen(line: str) -> tuple[str, list[int]]:
    """The line as it can be shown, and the screen column of each of its characters (and of its end)."""
    shown, offsets, column = [], [], 0
    for char in line:
        offsets.append(column)
        if char == "\t":
            text = " " * (_TAB - column % _TAB)
        else:
            text = char if char.isprintable() or unicodedata.category(char) in ("Zs", "Cf", "Co") else "·"
        shown.append(text)
        column += len(text) if char == "\t" else _width(char)
    return "".join(shown), [*offsets, column]


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def printable(text: str) -> str:
    """Without control characters, which could change what a terminal shows."""
    return "".join(c if c.isprintable() or c == " " else repr(c)[1:-1] for c in text)


# --- for programs --------------------------------------------------------------------------------------------------


def as_json(problems: Sequence[Problem], prefix: str = "") -> str:
    """An object with ``problems``, ``errors`` and ``warnings``; lines and columns count from 1."""
    return json.dumps(as_data(problems, prefix), indent=2, ensure_ascii=False)


def as_data(problems: Sequence[Problem], prefix: str = "") -> dict[str, Any]:
    entries = [_entry(problem, prefix) for problem in in_order(problems)]
    numbers = {f"{s}s": sum(p.severity == s for p in problems) for s in ("error", "warning")}
    return {"problems": entries, **numbers}


def _entry(problem: Problem, prefix: str) -> dict[str, Any]:
    where = problem.where
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": prefix + where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "width": where.width if where else None,
        "subject": problem.subject,
        "message": problem.message,
        "hint": problem.hint,
    }


def _sentence(problem: Problem) -> str:
    """The problem without its place, for formats that carry the place themselves."""
    subject = f"{problem.subject}: " if problem.subject else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{subject}{problem.message}{hint}"


def as_github(problems: Sequence[Problem], prefix: str = "") -> str:
    """Workflow commands, one a line (docs.github.com: "Workflow commands for GitHub Actions")."""
    return "\n".join(_annotation(problem, prefix) for problem in problems)


def _annotation(problem: Problem, prefix: str) -> str:
    place = ""
    if where := problem.where:
        parts = {"file": prefix + where.file, "line": where.line, "col": where.column}
        parts["endColumn"] = where.column + where.width
        place = " " + ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in parts.items())
    return f"::{problem.severity}{place}::{_escaped(_sentence(problem))}"


def _escaped(text: str, more: str = "") -> str:
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def as_sarif(problems: Sequence[Problem], prefix: str = "") -> str:
    """A SARIF 2.1.0 log with one run; each code is a rule."""
    from cadran import __version__

    codes = sorted({problem.code for problem in problems})
    rules = [{"id": code, "shortDescription": {"text": code.replace("-", " ")}} for code in codes]
    driver = {"name": "cadran", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, codes.index(problem.code), prefix) for problem in problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(problem: Problem, rule: int, prefix: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _sentence(problem)},
    }
    if where := problem.where:
        region = {
            "startLine": where.line,
            "startColumn": where.column,
            "endColumn": where.column + where.width,
        }
        location = {"artifactLocation": {"uri": quote(prefix + where.file)}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _text_without_lines(problems: Sequence[Problem], _prefix: str = "") -> str:
    return as_text(problems, {})


FORMATS: dict[str, Callable[[Sequence[Problem], str], str]] = {
    "text": _text_without_lines,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}
