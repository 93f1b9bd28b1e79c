"""A project as its file declares it: what everything else here begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cadran.declare.load import load
from cadran.declare.model import Declaration
from cadran.plugins.manager import PluginManager
from cadran.plugins.offered import with_offers
from cadran.problems import Problem, ProblemsFound, errors


@dataclass(slots=True)
class Declared:
    """The file with all that says how it is read, which happens anew with each question unless it is pinned."""

    file: Path
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_paths: tuple[Path, ...] = ()
    syncing: bool = True
    _plugins: PluginManager | None = None
    _pinned: tuple[Declaration, list[Problem]] | None = field(default=None, repr=False)

    @property
    def plugins(self) -> PluginManager:
        if self._plugins is None:
            self._plugins = PluginManager(self.environ)
        return self._plugins

    @property
    def _folder(self) -> Path:
        return self.file.absolute().parent

    def declaration(self) -> tuple[Declaration | None, list[Problem]]:
        """What the file says, and what is wrong with it before any formula is read."""
        if self._pinned is not None:
            return self._pinned
        declaration, problems = load(
            self.file, environ=self.environ, plugins=self.plugins, allow_paths=self.allow_paths
        )
        naming = declaration is not None and bool(declaration.plugin_places)
        return declaration, with_offers(problems, self.plugins, naming=naming)

    def _whole(self) -> Declaration:
        """Raises ProblemsFound where the file has errors."""
        declaration, problems = self.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        return declaration
