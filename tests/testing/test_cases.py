"""Projects with tests that explain themselves: ``cases/*.yaml`` beside what ``cadran test`` prints of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cadran.cli import cli

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def printed(file: Path) -> str:
    """What is said, without the times that it took; an exit code other than 0 is added."""
    done = CliRunner().invoke(cli, ["-C", str(file), "test"])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    text = re.sub(r" +\d+ ms$", "", done.output, flags=re.MULTILINE)
    return re.sub(r", in [\d.]+ s$", "", text, flags=re.MULTILINE) + f"exit code {done.exit_code}\n"


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_case_prints_what_it_should(file: Path, golden: bool) -> None:
    said, expected = printed(file), file.with_suffix(".txt")
    if golden:
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_every_printed_text_has_its_case() -> None:
    texts = {path.with_suffix(".yaml") for path in (Path(__file__).parent / "cases").glob("*.txt")}
    assert texts == set(CASES)


def test_nothing_is_written_beside_the_cases() -> None:
    folder = Path(__file__).parent / "cases"
    assert {path.name for path in folder.iterdir() if path.suffix not in (".yaml", ".txt")} == {"parts"}
