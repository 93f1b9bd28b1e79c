"""What the plugins that a project names add to it: functions, filters, blocks and listeners, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cadran.plugins.kinds import ADDED, AddedKind, Entry

if TYPE_CHECKING:
    from cadran.plugins.examine import Plugin


@dataclass(frozen=True, slots=True)
class Added:
    """One of them. ``plugin`` is what the project calls its plugin, ``version`` tells it from what it was before."""

    kind: AddedKind
    entry: Entry = field(repr=False)
    plugin: str
    version: str

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def where_from(self) -> str:
        """``belvoir 1.0``."""
        return f"{self.plugin} {self.version}"

    def load(self) -> Any:
        """What the entry is for. Raises whatever that raises, and PluginError where it does not keep the contract."""
        from cadran.plugins.examine import load

        return load(self.kind, self.entry)


@dataclass(frozen=True, slots=True)
class Additions:
    """All of a project, by kind and name."""

    functions: Mapping[str, Added] = field(default_factory=dict)
    filters: Mapping[str, Added] = field(default_factory=dict)
    blocks: Mapping[str, Added] = field(default_factory=dict)
    listeners: Mapping[str, Added] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.functions or self.filters or self.blocks or self.listeners)


def added_by(plugin: Plugin) -> list[Added]:
    """What a plugin adds to a project that names it."""
    return [Added(kind, entry, plugin.name, plugin.version) for kind in ADDED for entry in plugin.of(kind)]
