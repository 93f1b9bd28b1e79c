"""Finding plugins by entry points, importing no more of them than a project needs.

What is installed is read from metadata. A connector or a notifier is looked for first in the plugin whose entry point
has its name, so that a project that uses only ``files`` imports only that; the others are imported when somebody asks
for a name that this does not answer, or for the listing. A plugin that is broken stops only who needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Connector
from cadran.plugins.hookspecs import GROUP
from cadran.plugins.kinds import CONTRACTS, Kind
from cadran.plugins.notifier import Notifier, Said
from cadran.plugins.synced import SyncedConnector
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
        found: type[Connector] | Problem = self._find("connector", name)
        return found

    def notifier(self, name: str) -> type[Notifier] | Problem:
        """The notifier that ``notifier: name`` means, or what stands in the way."""
        found: type[Notifier] | Problem = self._find("notifier", name)
        return found

    def config_schema(self, name: str, kind: Kind = "connector") -> Mapping[str, Any] | None:
        """JSON Schema of the settings of a connector or notifier; nothing if there is none of that name."""
        found: type[Connector] | type[Notifier] | Problem = self._find(kind, name)
        return None if isinstance(found, Problem) else found.config_schema

    def synced(self, connector: str) -> bool | None:
        """Whether its rows are kept between runs; None where there is no such connector, or it cannot be loaded."""
        found = self.connector(connector)
        return None if isinstance(found, Problem) else issubclass(found, SyncedConnector)

    def addressed(self, notifier: str) -> bool | None:
        """Whether its messages go to recipients; None where there is no such notifier, or it cannot be loaded."""
        found = self.notifier(notifier)
        return None if isinstance(found, Problem) else found.addressed

    def takes(self, notifier: str) -> frozenset[Said] | None:
        """Which messages it takes; None where there is no such notifier, or it cannot be loaded."""
        found = self.notifier(notifier)
        return None if isinstance(found, Problem) else found.kinds

    def recipient_problem(self, notifier: str, recipient: str) -> str:
        """What the notifier finds wrong with an address; empty where nothing is."""
        found = self.notifier(notifier)
        return "" if isinstance(found, Problem) else found.check_recipient(recipient)

    def version(self, name: str, kind: Kind = "connector") -> str:
        """The version of a plugin that somebody else wrote; the bundled ones have cadran's."""
        self._find(kind, name)
        owners = self._owners(kind, name, self._examined.values())
        return "" if not owners or owners[0].origin.startswith("cadran_plugins.") else str(owners[0])

    def names(self, kind: Kind = "connector") -> list[str]:
        """The names of all connectors (or notifiers) of healthy plugins, sorted."""
        return sorted({entry.name for plugin in self.listing() for entry in plugin.of(kind)})

    def listing(self) -> list[Plugin]:
        """Every plugin with what it provides or why it is broken, by name. Imports them all."""
        return sorted(self._examine(self._points()), key=lambda p: (p.name, p.distribution))

    def problems(self) -> list[Problem]:
        """What is wrong with the plugins themselves: names taken twice, and who is broken (a warning)."""
        plugins = self.listing()
        twice = [
            _twice(kind, name, owners)
            for kind in CONTRACTS
            for name in self.names(kind)
            if len(owners := self._owners(kind, name, plugins)) > 1
        ]
        return twice + [_broken(plugin) for plugin in plugins if plugin.error]

    def _find(self, kind: Kind, name: str) -> Any:
        """The class, or a problem."""
        self._examine(p for p in self._points() if p.name == name)
        owners = self._owners(kind, name, self._examined.values())  # which is all of them after a listing
        if len(owners) != 1:
            owners = self._owners(kind, name, self._examine(self._points()))
        if len(owners) > 1:
            return _twice(kind, name, owners)
        if not owners:
            return self._unknown(kind, name)
        return next(entry.load() for entry in owners[0].of(kind) if entry.name == name)

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
    def _owners(kind: Kind, name: str, plugins: Iterable[Plugin]) -> list[Plugin]:
        return [p for p in plugins if any(entry.name == name for entry in p.of(kind))]

    def _unknown(self, kind: Kind, name: str) -> Problem:
        broken = [p for p in self.listing() if p.error]
        names = self.names(kind)
        hint = suggest(name, names) or (f"there are: {listed(names)}" if names else f"no {kind} is installed")
        if broken:
            plugins = listed([str(p) for p in broken])
            hint = f"it may belong to a plugin that is broken: {plugins}; see 'cadran plugins'; {hint}"
        if self._only is not None:
            hint += f"; {LIMIT} limits the plugins to {listed(sorted(self._only))}"
        return Problem(f"unknown-{kind}", f"unknown {kind} '{name}'", hint=hint)


def _twice(kind: Kind, name: str, owners: Sequence[Plugin]) -> Problem:
    who = " and ".join(str(p) for p in owners)
    hint = f"uninstall all but one, or name those to load in {LIMIT}"
    return Problem(f"{kind}-taken-twice", f"{kind} '{name}' is provided by {who}", hint=hint)


def _broken(plugin: Plugin) -> Problem:
    message = f"plugin {plugin} is broken: {plugin.reason}"
    return Problem("broken-plugin", message, hint="see 'cadran plugins'", severity="warning")
