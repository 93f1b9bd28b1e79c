"""A tap from a package: installed once, into an environment of its own below ``.cadran``, so that it meets nothing of cadran's."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cadran.plugins import Cancelled, ConfigError, ConnectorError, Context, listed, write_whole
from cadran_plugins.singer.config import Settings
from cadran_plugins.singer.program import Program, environment, output

_MARK = "installed.json"  # written last: an environment without it is begun anew
_SILENCE = 600.0


def command(settings: Settings, context: Context) -> tuple[str, ...]:
    """The tap's program, the last of these; it is installed where it is not there yet. Raises :class:`ConnectorError`.

    Its Python is named before it: the program itself knows only where that lay when it was installed, and a project may move.
    """
    folder = _folder(settings, context)
    if not _there(folder):
        with _alone(folder, context):
            if not _there(folder):
                _install(folder, settings, context)
    program = _program(folder, settings)
    with program.open("rb") as file:
        begins = file.read(512)
    written = begins.startswith(b"#!") and b"python" in begins
    return (str(folder / "bin" / "python"), str(program)) if written else (str(program),)


def _there(folder: Path) -> bool:
    """Whole, and with a Python that is still there."""
    return (folder / _MARK).exists() and (folder / "bin" / "python").exists()


def _folder(settings: Settings, context: Context) -> Path:
    python = settings.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    said = json.dumps([settings.packages, python]).encode()
    project = context.allowed[0] if context.allowed else context.base
    return project / ".cadran" / "taps" / hashlib.sha256(said).hexdigest()[:16]


def _install(folder: Path, settings: Settings, context: Context) -> None:
    what = listed(list(settings.packages))
    context.log(f"installs {what} into {context.shown(folder)}")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _run(context, settings.python or sys.executable, "-m", "venv", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input")
        _run(context, *pip, "install", "--quiet", *settings.packages)
        there = _run(context, *pip, "list", "--format", "json")
    except ConfigError as error:
        raise ConfigError(
            f"there is no Python '{settings.python}'", hint=error.hint, setting=("python",)
        ) from None
    except Cancelled:
        raise
    except ConnectorError as error:
        hint = "look at the package's name and version, and whether its registry can be reached"
        raise ConfigError(
            f"{what} cannot be installed: {error.message}", more=error.more, hint=hint, setting=("package",)
        ) from None
    packages = {one["name"]: one["version"] for one in json.loads(there)}
    context.log(f"installed: {', '.join(f'{name} {version}' for name, version in sorted(packages.items()))}")
    write_whole(
        folder, _MARK, json.dumps({"asked": settings.packages, "packages": packages}, indent=2).encode()
    )


def _run(context: Context, *command: str) -> bytes:
    env = environment({"PYTHONNOUSERSITE": "1"}, also=("PIP_", "UV_", "XDG_"))
    with Program(command, context, silence=_SILENCE, env=env) as program:
        return output(program)


def _program(folder: Path, settings: Settings) -> Path:
    there = sorted(path.name for path in (folder / "bin").iterdir())
    taps = [name for name in there if name.startswith("tap-")]
    name = settings.executable or (taps[0] if len(taps) == 1 else "")
    if name in there:
        return folder / "bin" / name
    what = (
        f"the package has no program '{name}'"
        if name
        else "the package does not say which of its programs is the tap"
    )
    raise ConfigError(
        what,
        hint=f"say 'executable'; there are: {listed(taps or there, most=20)}",
        setting=("executable",) if name else ("package",),
    )


@contextmanager
def _alone(folder: Path, context: Context) -> Iterator[None]:
    """One process installs, and others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if context.cancelled():
                    raise Cancelled("nobody waits for the answer any more") from None
                time.sleep(0.1)
        yield
    finally:
        os.close(lock)
