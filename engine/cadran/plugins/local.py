"""Plugins that are files of the project itself: one file each, read only where ``kpis.yaml`` names it.

They are imported under a name that nobody else can import and that changes with what the file says, so that a process that runs for
long takes up a file as it is now, and two projects with files of one name do not meet.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from cadran.problems import suggest

_HERE = "this project"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file as the point that a plugin is found at, as an entry point is for one that is installed."""

    name: str  # as kpis.yaml writes it: ./local_plugins/quarters.py
    path: Path
    content: bytes

    @property
    def value(self) -> str:
        """Where it stands, for lists."""
        return self.name

    @property
    def digest(self) -> str:
        """What tells this content from others."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    @property
    def distribution(self) -> str:
        return _HERE

    @property
    def version(self) -> str:
        return self.digest

    def load(self) -> ModuleType:
        """The module. Raises whatever it raises."""
        place = hashlib.sha256(str(self.path).encode()).hexdigest()[:8]
        name = f"_cadran_local_{re.sub(r'[^A-Za-z0-9]', '_', self.path.stem)}_{place}_{self.digest}"
        if name in sys.modules:
            return sys.modules[name]
        module = ModuleType(name)
        module.__file__ = str(self.path)
        sys.modules[name] = module  # dataclasses and their like look there
        try:
            exec(compile(self.content, str(self.path), "exec", dont_inherit=True), module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
        return module


def is_local(name: str) -> bool:
    """Whether an entry of ``plugins:`` means a file of the project."""
    return name.startswith(("./", "../", "/")) or name.endswith(".py")


def local_file(name: str, folder: Path) -> LocalFile | tuple[str, str]:
    """The file that an entry means, or what is wrong and what to do."""
    if not name.endswith(".py"):
        return f"'{name}' is no Python file", "write for instance ./local_plugins/quarters.py"
    try:
        path, home = (folder / name).resolve(), folder.resolve()
        if not path.is_relative_to(home):
            return (
                f"'{name}' lies outside the project's folder",
                "put the file into the project's folder local_plugins; a link to elsewhere does not count",
            )
        return LocalFile(name, path, path.read_bytes())
    except FileNotFoundError:
        beside = sorted(f"{name.rpartition('/')[0]}/{file.name}" for file in path.parent.glob("*.py"))
        return f"there is no file '{name}'", suggest(
            name, beside
        ) or "paths are relative to the project's folder"
    except (OSError, ValueError) as error:
        return f"'{name[:80]}' cannot be read: {getattr(error, 'strerror', None) or error}", ""
