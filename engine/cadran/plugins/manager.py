"""Finding plugins by entry points, importing no more of them than a project needs.

What is installed is read from metadata. A connector or a notifier is looked for first in the plugin whose entry point
has its name, so that a project that uses only ``files`` imports only that; the others are imported when somebody asks
for a name that this does not answer, or for the listing. Functions and the like come from plugins that a project names, and files of the
project are plugins once it names them. A plugin that is broken, or speaks another API, stops only who needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cadran.plugins.connector import Connector
from cadran.plugins.hookspecs import GROUP
from cadran.plugins.kinds import CONTRACTS, FOUND, LIMIT, AnyKind, Kind
from cadran.plugins.local import LocalFile, is_local
from cadran.plugins.notifier import Notifier, Said
from cadran.plugins.secrets import SecretResolver
from cadran.plugins.synced import SyncedConnector
from cadran.problems import Problem, listed, suggest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from cadran.plugins.examine import Plugin

_BUNDLED = "cadran_plugins."  # whose names are known to be different


class PluginManager:
    """The plugins of this installation, and the files that a project names. Makes no global state: each manager looks anew."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        limit = (os.environ if environ is None else environ).get(LIMIT)
        self._only = None if limit is None else {name.strip() for name in limit.split(",")} - {""}
        self._found: tuple[EntryPoint, ...] | None = None
        self._local: tuple[LocalFile, ...] = ()
        self._examined: dict[EntryPoint | LocalFile, Plugin] = {}
        self._whole: set[EntryPoint | LocalFile] = set()

    def use(self, files: Sequence[LocalFile]) -> None:
        """These files of the project are plugins from here on, in place of those before. Nothing is imported yet."""
        self._local = tuple(files)

    def named(self, name: str) -> Plugin | Problem:
        """The plugin that an entry of ``plugins:`` means: by its entry point, its distribution, or as a file."""
        if self._only is not None and name not in self._only:
            hint = f"{self._limits()}; add it there"
            return Problem("plugin-not-allowed", f"the plugin '{name}' is not to be loaded", hint=hint)
        points: Sequence[EntryPoint | LocalFile] = [p for p in self._points() if p.name == name]
        if not points and not is_local(name):
            points = [p for p in self._entry_points() if p.dist is not None and p.dist.name == name]
        if not points:
            known = sorted({p.name for p in self._points()})
            hint = suggest(name, known) or f"install it, or name one of {listed(known)}"
            return Problem("unknown-plugin", f"there is no plugin '{name}'", hint=hint)
        if len(points) > 1:
            return _twice("plugin", name, self._examine(points))
        (plugin,) = self._examine(points)
        return self._trouble(plugin) or plugin

    def connector(self, name: str) -> type[Connector] | Problem:
        """The connector that ``connector: name`` means, or what stands in the way."""
        found: type[Connector] | Problem = self._find("connector", name)
        return found

    def notifier(self, name: str) -> type[Notifier] | Problem:
        """The notifier that ``notifier: name`` means, or what stands in the way."""
        found: type[Notifier] | Problem = self._find("notifier", name)
        return found

    def secret(self, scheme: str) -> type[SecretResolver] | Problem:
        """The resolver that ``${scheme:…}`` means, or what stands in the way."""
        found: type[SecretResolver] | Problem = self._find("secret", scheme)
        return found

    def trouble(self, kind: Kind, name: str) -> Problem | None:
        """What stands in the way of a connector, notifier or secret resolver, if anything does."""
        found = self._find(kind, name)
        return found if isinstance(found, Problem) else None

    def config_schema(self, name: str, kind: Kind = "connector") -> Mapping[str, Any] | None:
        """JSON Schema of the settings of a connector or notifier; nothing if there is none of that name."""
        found: type[Connector] | type[Notifier] | Problem = self._find(kind, name)
        return None if isinstance(found, Problem) else found.config_schema

    def synced(self, connector: str) -> bool | None:
        """Whether its rows are kept between runs; None where there is no such connector, or it cannot be loaded."""
        found = self.connector(connector)
        return None if isinstance(found, Problem) else issubclass(found, SyncedConnector)

    def type_hints(self, connector: str) -> tuple[str, str]:
        """What a synced connector says can be done about texts that are wanted as numbers, and as days; else empty."""
        found = self.connector(connector)
        if isinstance(found, Problem) or not issubclass(found, SyncedConnector):
            return "", ""
        return found.number_hint, found.date_hint

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
        owners = self._owners(kind, name, self._here())
        return "" if not owners or owners[0].origin.startswith(_BUNDLED) else str(owners[0])

    def names(self, kind: Kind = "connector") -> list[str]:
        """The names of all connectors (or notifiers) of healthy plugins, sorted."""
        return sorted({entry.name for plugin in self.listing() for entry in plugin.of(kind)})

    def listing(self) -> list[Plugin]:
        """Every plugin with what it provides or why it is broken, by name. Imports them all, and loads all that they provide."""
        from cadran.plugins.examine import whole

        for plugin in self._examine(self._points()):
            if plugin.point not in self._whole:
                self._examined[plugin.point] = whole(plugin)
                self._whole.add(plugin.point)
        return sorted(self._examine(self._points()), key=lambda p: (p.name, p.distribution))

    def problems(self) -> list[Problem]:
        """What is wrong with the plugins themselves: names taken twice, and who is broken (a warning)."""
        plugins = self.listing()
        twice = [
            _twice(kind, name, owners)
            for kind in FOUND
            for name in self.names(kind)
            if len(owners := self._owners(kind, name, plugins)) > 1
        ]
        limit = Problem("plugins-limited", self._limits(), severity="warning")
        wrong = [limit] if self._only is not None and (not self._only or self._absent()) else []
        return wrong + twice + [_broken(plugin) for plugin in plugins if plugin.error]

    def clashing(self, kind: Kind, name: str) -> Problem | None:
        """That several plugins give this name. Imports those of third parties: that :meth:`connector` has found one does not tell."""
        self._examine(p for p in self._points() if not p.value.startswith(_BUNDLED))
        owners = self._owners(kind, name, self._here())
        return _twice(kind, name, owners) if len(owners) > 1 else None

    def offering(self, kind: AnyKind, name: str) -> list[str]:
        """The installed plugins that provide this, whether the project names them or not. Imports them all."""
        return [p.name for p in self._owners(kind, name, self._examine(self._entry_points()))]

    def _find(self, kind: Kind, name: str) -> Any:
        """The class, or a problem."""
        from cadran.plugins.examine import load

        self._examine(p for p in self._points() if p.name == name or isinstance(p, LocalFile))
        owners = self._owners(kind, name, self._here())  # which is all of them after a listing
        if len(owners) != 1 or isinstance(
            owners[0].point, LocalFile
        ):  # which hides nothing that is installed
            owners = self._owners(kind, name, self._examine(self._points()))
        if len(owners) > 1:
            return _twice(kind, name, owners)
        if not owners:
            return self._unknown(kind, name)
        entry = next(entry for entry in owners[0].of(kind) if entry.name == name)
        try:
            return load(kind, entry)
        except (Exception, SystemExit) as error:
            return self._fault(owners[0], error)

    def _fault(self, plugin: Plugin, error: BaseException) -> Problem:
        """What it provides cannot be loaded: the plugin is broken from here on."""
        from cadran.plugins.examine import faulty

        self._examined[plugin.point] = faulty(plugin, error)
        self._whole.add(plugin.point)
        return self._trouble(self._examined[plugin.point]) or _broken(plugin)

    @staticmethod
    def _trouble(plugin: Plugin) -> Problem | None:
        if plugin.speaks:
            return Problem("other-api", plugin.error, hint=plugin.way_out)
        if plugin.error:
            message = f"the plugin {plugin} is broken: {plugin.reason}"
            return Problem("broken-plugin", message, hint=plugin.way_out)
        return None

    def _points(self) -> tuple[EntryPoint | LocalFile, ...]:
        mine = tuple(p for p in self._local if self._only is None or p.name in self._only)
        return (*self._entry_points(), *mine)

    def _entry_points(self) -> tuple[EntryPoint, ...]:
        if self._found is None:
            from importlib.metadata import entry_points  # slow to import and to run

            points = entry_points(group=GROUP)
            self._found = tuple(p for p in points if self._only is None or self._allows(p))
        return self._found

    def _allows(self, point: EntryPoint) -> bool:
        only = self._only or set()
        return point.name in only or (point.dist is not None and point.dist.name in only)

    def _here(self) -> list[Plugin]:
        """All that has been examined and still is a plugin."""
        return [self._examined[point] for point in self._points() if point in self._examined]

    def _examine(self, points: Iterable[EntryPoint | LocalFile]) -> list[Plugin]:
        from cadran.plugins.examine import examine

        chosen = list(points)
        for point in chosen:
            if point not in self._examined:
                self._examined[point] = examine(point)
        return [self._examined[point] for point in chosen]

    @staticmethod
    def _owners(kind: AnyKind, name: str, plugins: Iterable[Plugin]) -> list[Plugin]:
        return [p for p in plugins if any(entry.name == name for entry in p.of(kind))]

    def _limits(self) -> str:
        """What the environment limits the plugins to, and which of these are not there."""
        if not self._only:
            return f"{LIMIT} is empty, so no plugin is loaded: unset it, or write the names of plugins"
        said = f"{LIMIT} limits the plugins to {listed(sorted(self._only))}"
        for name in self._absent():
            meant = suggest(name, self._installed())
            said += f"; no plugin '{name}' is installed{meant and f', {meant}'}"
        return said

    def _absent(self) -> list[str]:
        """What the environment names and is not installed; of files another project may know."""
        return sorted(n for n in self._only or () if not is_local(n) and n not in self._installed())

    @staticmethod
    def _installed() -> list[str]:
        """The names of all entry points and their distributions, whatever the environment allows."""
        from importlib.metadata import entry_points

        points = entry_points(group=GROUP)
        return sorted({p.name for p in points} | {p.dist.name for p in points if p.dist is not None})

    def _unknown(self, kind: Kind, name: str) -> Problem:
        broken = [p for p in self.listing() if p.error]
        for plugin in broken:
            if plugin.name == name or any(
                isinstance(e, CONTRACTS[kind].entry) and e.name == name for e in plugin.withholds
            ):
                return self._trouble(plugin) or _broken(plugin)
        names = self.names(kind)
        hint = suggest(name, names) or (f"there are: {listed(names)}" if names else f"no {kind} is installed")
        if broken:
            plugins = listed([str(p) for p in broken])
            hint = f"it may belong to a plugin that is broken: {plugins}; see 'cadran plugins'; {hint}"
        if self._only is not None:
            hint += f"; {self._limits()}"
        return Problem(f"unknown-{kind}", f"unknown {kind} '{name}'", hint=hint)


def _twice(kind: str, name: str, owners: Sequence[Plugin]) -> Problem:
    who = " and ".join(sorted(str(p) for p in owners))
    hint = f"uninstall all but one, or name those to load in {LIMIT}"
    return Problem(f"{kind}-taken-twice", f"{kind} '{name}' is provided by {who}", hint=hint)


def _broken(plugin: Plugin) -> Problem:
    if plugin.speaks:
        return Problem("other-api", plugin.error, hint=plugin.way_out, severity="warning")
    message = f"plugin {plugin} is broken: {plugin.reason}"
    return Problem("broken-plugin", message, hint=plugin.way_out, severity="warning")
