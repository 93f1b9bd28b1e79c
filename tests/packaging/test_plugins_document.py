"""docs/plugins.md names every hook with its signature, every check, every error and every method of a case."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from cadran import plugins
from cadran.cli import cli
from cadran.plugins import hookspecs
from cadran.plugins.connector import ConnectorError
from cadran.testing import Case
from cadran.testing.contract.running import all_checks

FILE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
TEXT = FILE.read_text(encoding="utf-8")
BEGIN, END = "<!-- checks -->\n", "<!-- /checks -->"


def _table() -> str:
    rows = [
        f"| {c.name.replace('_', ' ')} | {' '.join(c.wants.split(chr(10) * 2)[0].split())} |"
        for c in all_checks()
    ]
    return "\n".join(["| check | |", "|---|---|", *rows]) + "\n"


def test_the_checks_are_those_of_the_suite(golden: bool) -> None:
    begin, end = TEXT.index(BEGIN) + len(BEGIN), TEXT.index(END)
    if golden:
        FILE.write_text(TEXT[:begin] + _table() + TEXT[end:], encoding="utf-8")
    else:
        assert TEXT[begin:end] == _table(), "make golden writes the table anew"


def test_every_hook_is_there_with_its_signature() -> None:
    [block] = re.findall(r"^```python hooks\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("cadran_")}
    signatures = [f"def {name}{inspect.signature(hook)}".replace("'", "") for name, hook in hooks.items()]
    assert [line for line in block.splitlines() if line] == signatures


def test_every_error_of_a_connector_is_there() -> None:
    names = [name for name in plugins.__all__ if isinstance(getattr(plugins, name), type)]
    errors = [n for n in names if issubclass(getattr(plugins, n), ConnectorError) and n != "ConnectorError"]
    assert [name for name in errors if f"| `{name}` |" not in TEXT] == []


def test_every_method_of_a_case_is_there() -> None:
    own = [name for name in vars(Case) if not name.startswith("_")]
    assert [name for name in own if not re.search(rf"\b{name}\b", TEXT)] == []


def test_what_it_imports_can_be_imported() -> None:
    for body in re.findall(r"^```python[^\n]*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^ *(from cadran\.[\w.]+ import .*)$", body, re.MULTILINE):
            exec(line.split("#")[0].strip(), {})


def test_the_command_of_the_walk_is_there() -> None:
    assert cli.get_command(None, "plugin") is not None  # type: ignore[arg-type]
