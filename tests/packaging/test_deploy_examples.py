"""The examples of docs/deploy can be read, and call commands that there are."""

from __future__ import annotations

import ast
import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from cadran.cli import cli

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
EXAMPLES = sorted(path.name for path in FOLDER.iterdir())


def _containers(value: Any) -> Iterator[list[str]]:
    """The arguments of each container, wherever it stands."""
    if isinstance(value, dict):
        if "image" in value:
            yield value["args"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _containers(item)


def _calls(name: str) -> list[list[str]]:
    """The arguments of every call of cadran in an example."""
    text = (FOLDER / name).read_text()
    if name in ("deployment.yaml", "cronjob.yaml"):
        return list(_containers(yaml.safe_load(text)))
    if name == "Dockerfile":
        return [
            json.loads(line.removeprefix("CMD ")) for line in text.splitlines() if line.startswith("CMD ")
        ]
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = re.findall(r"(?:^|[\s\"/])cadran ((?:-C \S+ )?(?:run|scheduler)\b[^\">&\n]*)", "\n".join(lines))
    return [call.split() for call in found]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if not name.endswith(".timer")])
def test_the_commands_are_there(name: str) -> None:
    calls = _calls(name)
    assert calls
    for call in calls:
        args = call[2:] if call[0] == "-C" else call
        command = cli.get_command(click.Context(cli), args[0])
        assert command is not None
        with command.make_context(args[0], list(args[1:])) as made:
            assert args[0] != "run" or made.params["due"]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith((".service", ".timer"))])
def test_units_can_be_read(name: str) -> None:
    units = configparser.ConfigParser(strict=False)
    units.read(FOLDER / name)
    assert "Unit" in units


def test_the_dag_can_be_read() -> None:
    ast.parse((FOLDER / "airflow_dag.py").read_text())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_document_names_each(name: str) -> None:
    assert f"deploy/{name}" in (FOLDER.parent / "deploy.md").read_text()
