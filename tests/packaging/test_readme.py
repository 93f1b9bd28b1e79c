"""The README's examples run, and print what it says that they print.

A fenced block names what it is: ``yaml kpis.yaml`` is that file, ``console`` holds commands behind ``$`` and their
output, ``python`` is a doctest, ``yaml kpis`` are KPIs of the sample project, as are the formulas of the table.
"""

from __future__ import annotations

import datetime as dt
import doctest
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)


def _blocks(language: str) -> list[tuple[str, str]]:
    return [(name, body) for kind, name, body in _BLOCK.findall(TEXT) if kind == language]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the README shows."""
    folder = tmp_path_factory.mktemp("readme")
    for kind, name, body in _BLOCK.findall(TEXT):
        if kind in ("yaml", "csv") and "." in name:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
    return folder


def _plain(text: str) -> list[str]:
    """Lines as they look: all kinds of spaces alike, none at the end."""
    return [re.sub(r"[\u00a0\u202f]", " ", line).rstrip() for line in text.strip("\n").splitlines()]


def _timeless(lines: list[str]) -> list[str]:
    """Whatever time it took."""
    return [re.sub(r" +\d+ ms$|\d+\.\d+ s$", "…", line) for line in lines]


def _said(folder: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    program, *arguments = shlex.split(command)
    assert program == "cadran"
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "120")
    return CliRunner().invoke(cli, arguments, prog_name="cadran").output


@pytest.mark.parametrize(
    ("command", "output"), [pair for _, body in _blocks("console") for pair in _COMMAND.findall(body)]
)
def test_a_command_prints_what_the_readme_shows(
    command: str, output: str, example: Path, monkeypatch: pytest.MonkeyPatch, golden: bool
) -> None:
    said = _plain(_said(example, command, monkeypatch))
    if golden:
        text = README.read_text(encoding="utf-8")
        after = "\n\n" if output.endswith("\n\n") else "\n"
        text = text.replace(f"$ {command}\n{output}", f"$ {command}\n" + "\n".join(said) + after)
        README.write_text(text, encoding="utf-8")
    else:
        assert _timeless(said) == _timeless(_plain(output))


def test_the_python_example_runs(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(example)
    ((_, body),) = _blocks("python")
    test = doctest.DocTestParser().get_doctest(body, {}, "README.md", "README.md", 0)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failures.append)
    assert "".join(failures) == ""


def _formulas() -> Iterator[str]:
    table = TEXT[TEXT.index("| to know | write |") :].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        yield from re.findall(r"`([^`]+)`", line.split("|", 2)[2])


def test_what_the_readme_says_can_be_written_computes_on_the_sample_project(tmp_path: Path) -> None:
    for folder in ("data", "kpis"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shipped = (ROOT / "kpis.yaml").read_text(encoding="utf-8")
    lines = [f"  tour_{n}: {{formula: {json.dumps(f)}, period: month}}\n" for n, f in enumerate(_formulas())]
    ((_, fragment),) = ((name, body) for name, body in _blocks("yaml") if name == "kpis")
    (tmp_path / "kpis.yaml").write_text(f"{shipped}kpis:\n{''.join(lines)}{fragment}", encoding="utf-8")
    project = cadran.open(tmp_path)
    assert [str(p) for p in project.check()] == []
    names = [f"tour_{n}" for n in range(len(lines))]
    assert len(names) > 20
    results = project.run([*names, "win_rate"], as_of=dt.date(2026, 7, 1))
    with_value = {row.kpi for row in results if row.value is not None}
    assert with_value == {*names, "win_rate"}


def test_the_readme_lists_every_command_and_no_other() -> None:
    assert set(re.findall(r"\| `cadran (\w+)", TEXT)) == set(COMMANDS)


def test_the_readme_names_only_files_that_exist() -> None:
    shown = {name for _, name, _ in _BLOCK.findall(TEXT)} | {
        "reports/monthly.html",
        ".venv/bin/cadran",
        "report.html",
    }
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`([\w./-]+(?:\.(?:md|yaml|html|csv)|/))`", prose))
    assert {name for name in named - shown - {"reports/"} if not (ROOT / name).exists()} == set()
