"""Finding plugins by entry points, importing no more of them than a project needs.

What is installed is read from metadata. A connector is looked for first in the plugin whose entry point has its
name, so that a project that uses only ``files`` imports only that; the others are imported when somebody asks for
a name that this does not answer, or for the listing. A plugin that is broken stops only who needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Connector
from cadran.plugins.hookspecs import GROUP
from cadran.problems import Problem, listed, suggest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from cadran.plugins.examine import Plugin

LIMIT = "CADRAN_PLUGINS"  # names of entry points, separated by commas; unset: all


class PluginManager:
    """The plugins of this installation. Makes no global state: each manager looks anew."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        limit = (os.environ if environ is None else environ).get(LIMIT)
        self._only = None if limit is None else {name.strip() for name in limit.split(",")}
        self._found: tuple[EntryPoint, ...] | None = None
        self._examined: dict[EntryPoint, Plugin] = {}

    def connector(self, name: str) -> type[Connector] | Problem:
        """The connector that ``connector: name`` means, or what stands in the way."""
        self._examine(p for p in self._points() if p.name == name)
        owners = self._owners(name, self._examined.values())  # which is all of them after a listing
        if len(owners) != 1:
            owners = self._owners(name, self._examine(self._points()))
        if len(owners) > 1:
            return _twice(name, owners)
        if not owners:
            return self._unknown(name)
        found: type[Connector] = next(e.load() for e in owners[0].connectors if e.name == name)
        return found

    def config_schema(self, name: str) -> Mapping[str, Any] | None:
        """JSON Schema of the connector's settings; nothing if there is no such connector."""
        found = self.connector(name)
        return None if isinstance(found, Problem) else found.config_schema

    def names(self) -> list[str]:
        """The names of all connectors of healthy plugins, sorted."""
        return sorted({entry.name for plugin in self.listing() for entry in plugin.connectors})

    def listing(self) -> list[Plugin]:
        """Every plugin with what it provides or why it is broken, by name. Imports them all."""
        return sorted(self._examine(self._points()), key=lambda p: (p.name, p.distribution))

    def problems(self) -> list[Problem]:
        """What is wrong with the plugins themselves: names taken twice, and who is broken (a warning)."""
        plugins = self.listing()
        twice = [_twice(n, owners) for n in self.names() if len(owners := self._owners(n, plugins)) > 1]
        return twice + [_broken(plugin) for plugin in plugins if plugin.error]

    def _points(self) -> tuple[EntryPoint, ...]:
        if self._found is None:
            from importlib.metadata import entry_points  # slow to import and to run

            points = entry_points(group=GROUP)
            self._found = tuple(p for p in points if self._only is None or p.name in self._only)
        return self._found

    def _examine(self, points: Iterable[EntryPoint]) -> list[Plugin]:
        from cadran.plugins.examine import examine

        chosen = list(points)
        for point in chosen:
            if point not in self._examined:
                self._examined[point] = examine(point)
        return [self._examined[point] for point in chosen]

    @staticmethod
    def _owners(name: str, plugins: Iterable[Plugin]) -> list[Plugin]:
        return [p for p in plugins if any(entry.name == name for entry in p.connectors)]

    def _unknown(self, name: str) -> Problem:
        broken = [p for p in self.listing() if p.error]
        names = self.names()
        hint = suggest(name, names) or (
            f"there are: {listed(names)}" if names else "no connector is installed"
        )
        if broken:
            plugins = listed([str(p) for p in broken])
            hint = f"it may belong to a plugin that is broken: {plugins}; see 'cadran plugins'; {hint}"
        if self._only is not None:
            hint += f"; {LIMIT} limits the plugins to {listed(sorted(self._only))}"
        return Problem("unknown-connector", f"unknown connector '{name}'", hint=hint)


def _twice(name: str, owners: Sequence[Plugin]) -> Problem:
    who = " and ".join(str(p) for p in owners)
    hint = f"uninstall all but one, or name those to load in {LIMIT}"
    return Problem("connector-taken-twice", f"connector '{name}' is provided by {who}", hint=hint)


def _broken(plugin: Plugin) -> Problem:
    message = f"plugin {plugin} is broken: {plugin.reason}"
    return Problem("broken-plugin", message, hint="see 'cadran plugins'", severity="warning")
