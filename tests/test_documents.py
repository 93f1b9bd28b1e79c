"""Documents that explain themselves: ``*.good.yaml`` is accepted, ``*.bad.yaml`` gives exactly ``*.bad.txt``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cadran.declare.load import load
from cadran.problem_formats import render
from declare.fakes import Installed

DOCUMENTS = Path(__file__).parent / "documents"
ENVIRONMENT = {"SHOP_TOKEN": "correct-horse-battery", "SHOP_TOKENS": "a;b", "EMPTY": ""}
FILES: dict[str, Any] = {
    "type": "object",
    "required": ["path"],
    "properties": {
        "path": {"type": "string", "description": "The folder that holds the files."},
        "delimiter": {"type": "string", "minLength": 1, "maxLength": 1},
        "nulls": {"type": "array", "items": {"type": "string"}},
        "on_bad_row": {"enum": ["fail", "quarantine"]},
    },
    "additionalProperties": False,
}
SHOP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "pattern": "^key-"},
        "pages": {"type": "integer", "minimum": 1},
    },
    "additionalProperties": False,
}
CRM: dict[str, Any] = {
    "type": "object",
    "properties": {"token": {"type": "string", "writeOnly": True}},
    "additionalProperties": False,
}
FOLDER: dict[str, Any] = {
    "type": "object",
    "required": ["path"],
    "properties": {"path": {"type": "string", "description": "The folder to write into."}},
    "additionalProperties": False,
}
INSTALLED = Installed(
    {"files": FILES, "shop": SHOP, "crm": CRM},
    {"file": FOLDER, "mail": {"type": "object"}, "chat": {"type": "object"}},
    broken=("broken",),
    kept=("crm",),
)


def check_file(path: Path) -> str:
    """What ``cadran check`` says about a file."""
    _, problems = load(
        path,
        environ=ENVIRONMENT,
        plugins=INSTALLED,
    )
    return render(problems, folder=path.parent)


def documents(kind: str) -> list[Any]:
    return [pytest.param(path, id=path.name) for path in sorted(DOCUMENTS.glob(f"*.{kind}.yaml"))]


@pytest.mark.parametrize("path", documents("good"))
def test_a_good_document_has_no_problems(path: Path) -> None:
    assert check_file(path) == "no problems"


@pytest.mark.parametrize("path", documents("bad"))
def test_a_bad_document_gives_exactly_these_problems(path: Path, golden: bool) -> None:
    said = check_file(path) + "\n"
    expected = path.with_suffix(".txt")
    if golden:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")
    assert said != "no problems\n"


def test_every_expected_text_has_its_document() -> None:
    texts = {path.with_suffix(".yaml") for path in DOCUMENTS.glob("*.bad.txt")}
    assert texts <= set(DOCUMENTS.glob("*.bad.yaml"))
