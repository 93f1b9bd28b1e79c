"""Problems as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
from pathlib import Path

from cadran.problem_formats import count, render
from cadran.problems import Position, Problem

LINES = {"kpis.yaml": ["version: 1", "\ta:\tsum(注文.x)", "z" * 300]}
UNKNOWN = Problem(
    "unknown-column", "unknown column 'x'", Position("kpis.yaml", 2, 12, 1), "a", "did you mean 'y'?"
)
WARNING = Problem("odd-thing", "50% odd,\nhere: there", Position("my kpis.yaml", 1, 1, 3), severity="warning")
NOWHERE = Problem("no-project", "there is no project here")


def test_text_shows_the_line_and_a_caret_also_behind_tabs_and_wide_characters() -> None:
    assert render([UNKNOWN], lines=LINES).split("\n") == [
        "kpis.yaml:2:12: a: unknown column 'x'; did you mean 'y'?",
        "        a:  sum(注文.x)",
        "                     ^",
        "1 error",
    ]


def test_text_without_a_line_at_hand() -> None:
    assert render([WARNING, NOWHERE]).split("\n") == [
        "my kpis.yaml:1:1: warning: 50% odd,\\nhere: there",
        "there is no project here",
        "1 error, 1 warning",
    ]


def test_a_long_line_is_cut_around_the_caret() -> None:
    problem = Problem("x", "x", Position("kpis.yaml", 3, 200, 90))
    _, line, caret, _ = render([problem], lines=LINES).split("\n")
    assert line.strip().startswith("…") and line.endswith("…") and len(line) < 120
    assert caret.strip("^ ") == "" and len(caret) <= len(line)


def test_lines_are_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_bytes(b"\xef\xbb\xbfone\r\nt\x1b[31mwo\r\n")
    problem = Problem("x", "bad \x1b[31m", Position("kpis.yaml", 2, 1, 1))
    assert render([problem], folder=tmp_path).split("\n") == [
        "kpis.yaml:2:1: bad \\x1b[31m",
        "    t·[31mwo",
        "    ^",
        "1 error",
    ]


def test_colour_only_if_asked_for() -> None:
    assert "\x1b" not in render([UNKNOWN, WARNING], lines=LINES)
    coloured = render([UNKNOWN, WARNING, NOWHERE], lines=LINES, colour=True)
    assert "\x1b[1;31m" in coloured and "\x1b[1;33m" in coloured and "\x1b[32m^\x1b[0m" in coloured


def test_count() -> None:
    assert count([]) == "no problems"
    assert count([UNKNOWN, NOWHERE]) == "2 errors"
    assert count([WARNING, WARNING, UNKNOWN]) == "1 error, 2 warnings"


def test_json() -> None:
    data = json.loads(render([UNKNOWN, NOWHERE, WARNING], "json"))
    assert (data["errors"], data["warnings"]) == (2, 1)
    assert data["problems"][0] == {
        "code": "unknown-column", "severity": "error", "file": "kpis.yaml", "line": 2, "column": 12, "width": 1,
        "subject": "a", "message": "unknown column 'x'", "hint": "did you mean 'y'?",
    }  # fmt: skip
    assert data["problems"][2]["file"] is None


def test_github() -> None:
    assert render([UNKNOWN, NOWHERE, WARNING], "github", prefix="team/").split("\n") == [
        "::error file=team/kpis.yaml,line=2,col=12,endColumn=13::a: unknown column 'x'; did you mean 'y'?",
        "::warning file=team/my kpis.yaml,line=1,col=1,endColumn=4::50%25 odd,%0Ahere: there",
        "::error::there is no project here",
    ]
    odd = Problem("x", "x", Position("a:b,c%.yaml", 1, 1))
    assert render([odd], "github") == "::error file=a%3Ab%2Cc%25.yaml,line=1,col=1,endColumn=2::x"


def test_sarif() -> None:
    log = json.loads(render([UNKNOWN, WARNING, NOWHERE], "sarif"))
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0" and rules == ["no-project", "odd-thing", "unknown-column"]
    first, second, third = run["results"]
    assert first["ruleIndex"] == 2 and first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 2, "startColumn": 12, "endColumn": 13}
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20kpis.yaml"
    assert "locations" not in third
