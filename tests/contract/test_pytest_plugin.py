"""The kit as a pytest plugin: what it collects, what it says, and what it costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def folder_without_a_case(folder: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests\naddopts = --cadran-connector=acme\n")
    (folder / "tests" / "conftest.py").write_text("")
    (folder / "tests" / "test_own.py").write_text("def test_own(): pass\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 4),
        (("tests",), 4),
        (("-k", "own"), 4),
        (("tests/test_own.py",), 0),
        (("tests/test_own.py::test_own",), 0),
    ],
)
def test_an_option_in_addopts_that_checks_nothing_is_an_error_unless_files_were_chosen(
    arguments: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    folder_without_a_case(tmp_path)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("finds no case" in done.stderr) == (code == 4)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("connector = ''", "unknown connector 'nobody'"),
        ("def start(self, folder): raise OSError('no port')", "the case does not start: OSError: no port"),
        ("table = None", "Mine does not say which table it changes"),
        ("secrets = 'text'", "'secrets' of Mine are texts in a tuple"),
        ("cannot = {'archive': ' '}", "'cannot' of Mine gives no reason for 'archive'"),
        (
            "cannot = {'archiv': 'no'}",
            "excuses 'archiv', which is nothing that it may excuse: wrong_credentials, clear",
        ),
    ],
)
def test_what_stops_all_checks_is_said_once(more: str, said: str, tmp_path: Path) -> None:
    done = run(
        tmp_path, "--cadran-connector=nobody", "-k", "settings_are or secrets_are or boundary", more=more
    )
    assert done.returncode == 1
    assert said in done.stdout
    assert "1 failed, 2 skipped" in done.stdout
    assert "0 kept, 1 broken, 0 not shown, 2 not run" in done.stdout
    assert "During handling" not in done.stdout
    assert done.stdout.count("_ test_") == 1


def test_an_error_of_the_fixture_is_counted_as_broken(tmp_path: Path) -> None:
    run(tmp_path)
    conftest = tmp_path / "tests" / "conftest.py"
    conftest.write_text(conftest.read_text().replace("return Mine", "return Mime"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--cadran-connector=acme",
        "-k",
        "secrets_are or boundary",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "the fixture cadran_case failed: NameError: name 'Mime' is not defined" in done.stdout
    assert "0 kept, 1 broken, 0 not shown, 1 not run" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@pytest.fixture\n", "", "finds no case: write a fixture cadran_case into the conftest.py"),
        ("@pytest.fixture\n", "", "is @pytest.fixture above it?"),
        ("def cadran_case():", "def cadran_case(fake):", "the fixture cadran_case asks for 'fake', and there is no such fixture"),
    ],
)  # fmt: skip
def test_a_fixture_that_there_is_not_is_said_without_a_traceback(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    run(tmp_path)
    conftest = tmp_path / "tests" / "conftest.py"
    conftest.write_text(conftest.read_text().replace(old, new))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cadran-connector=acme", "-k", "secrets_are"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and said in done.stdout
    assert "Traceback" not in done.stdout and "FixtureLookupError" not in done.stdout


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
