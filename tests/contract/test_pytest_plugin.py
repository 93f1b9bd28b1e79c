"""The kit as a pytest plugin: what it collects, what it says, and what it costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from contract.acme import TEMPLATE

CONFTEST = """\
import sys
sys.path[:0] = [{folders}]
import pytest
from contract.acme import Sound

class Mine(Sound):
    cannot = {{**Sound.cannot, "expire": "places do not run out"}}
    {more}

@pytest.fixture
def cadran_case():
    return Mine
"""
TESTS = Path(__file__).resolve().parents[1]


def run(folder: Path, *arguments: str, more: str = "pass") -> subprocess.CompletedProcess[str]:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    folders = ", ".join(repr(str(path)) for path in (TESTS, TEMPLATE / "src", TEMPLATE / "tests"))
    (folder / "tests" / "conftest.py").write_text(CONFTEST.format(folders=folders, more=more))
    (folder / "tests" / "test_own.py").write_text("def test_own(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_without_the_option_nothing_is_collected(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0 and "1 passed" in done.stdout
    assert "conformance" not in done.stdout


def test_with_it_the_checks_stand_beside_the_own_tests(tmp_path: Path) -> None:
    done = run(tmp_path, "--cadran-connector=acme", "-k", "test_own or boundary or secrets_are or ran_out")
    assert done.returncode == 0, done.stdout
    assert "2 kept, 0 broken, 1 not shown" in done.stdout
    assert "not shown: places that ran out are said: places do not run out" in done.stdout
    assert "3 passed, 1 skipped" in done.stdout


def test_what_is_broken_is_said_with_what_is_wanted_and_without_the_kits_own_code(tmp_path: Path) -> None:
    more = "def tie(self): raise NotImplementedError\n    del tie\n    secrets = ('another',)"
    done = run(tmp_path, "--cadran-connector=acme", "-k", "secrets_are", more=more)
    assert done.returncode == 1
    assert "none of the case's 'secrets' stands in its config()" in done.stdout
    assert "What is wanted: A setting that holds a secret" in done.stdout
    assert "rig.py" not in done.stdout


def test_a_method_that_is_neither_written_nor_excused_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "--cadran-connector=acme", "-k", "archived", more="cannot = {}")
    assert done.returncode == 1
    assert "Mine has no archive(): write it, or say in 'cannot' why it cannot be" in done.stdout


def test_without_a_case_it_is_said_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cadran-connector=acme"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "finds no case: write a fixture cadran_case into the conftest.py" in done.stderr


def test_it_costs_other_runs_nothing() -> None:
    code = (
        "import sys; import pytest; before = set(sys.modules)\n"
        "import cadran.testing.contract.pytest_plugin\n"
        "print(*sorted(m for m in set(sys.modules) - before if m != '__main__'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["cadran", "cadran.testing", "cadran.testing.contract", "cadran.testing.contract.pytest_plugin"]  # fmt: skip
