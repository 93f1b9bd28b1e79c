"""A new environment that holds cadran's wheel and whatever a test installs beside it: what somebody has who installed it.

Of the environment that the tests run in it sees the dependencies alone: a folder named by a ``.pth`` file is searched, but the
``.pth`` files in it (the checkout's editable install) are not read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_QUIET = ("--quiet", "--disable-pip-version-check", "--no-input")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Fresh:
    """``home`` is the environment's folder."""

    home: Path

    @property
    def commands(self) -> Path:
        return self.home / "bin"

    def run(self, *command: str | Path, cwd: Path, **more: str) -> Done:
        """Runs a command of the environment, whatever becomes of it; ``more`` is added to what it finds in its own."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COVERAGE", "CADRAN_"))}
        first, *rest = (str(part) for part in command)
        done = subprocess.run(
            [str(self.commands / first), *rest], cwd=cwd, env=environ | more, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def cadran(self, *arguments: str, cwd: Path, code: int = 0, **more: str) -> str:
        """What the ``cadran`` command says, in all, where it ends with this exit code."""
        done = self.run("cadran", *arguments, cwd=cwd, **more)
        assert done.code == code, done.out + done.err
        return done.out + done.err

    def install(self, *wheels: Path) -> None:
        """Installs wheels, and nothing that they depend on."""
        self._pip("install", "--no-deps", "--no-index", *map(str, wheels))

    def uninstall(self, *names: str) -> None:
        self._pip("uninstall", "--yes", *names)

    def _pip(self, verb: str, *arguments: str) -> None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self.commands / "python"),
            verb,
            *_QUIET,
            *arguments,
        ]
        done = subprocess.run(command, cwd=self.home, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr


def built(source: Path, out: Path) -> Path:
    """The wheel of a project, as ``python -m build --no-isolation`` makes it of one that hatchling builds."""
    out.mkdir(parents=True, exist_ok=True)
    code = f"import hatchling.build as b; print(b.build_wheel({str(out)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / done.stdout.splitlines()[-1]


def made(home: Path, *wheels: Path) -> Fresh:
    """A new environment with these wheels."""
    venv.create(home, with_pip=False, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    fresh = Fresh(home)
    fresh.install(*wheels)
    return fresh


@pytest.fixture(scope="module")
def cadran_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("cadran-wheel"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, cadran_wheel: Path) -> Fresh:
    """An environment with cadran alone, one for all tests of a module: what a test installs, it uninstalls."""
    return made(tmp_path_factory.mktemp("fresh") / "env", cadran_wheel)
