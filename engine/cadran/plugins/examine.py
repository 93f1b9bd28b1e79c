"""One plugin, imported and checked: what it provides, or the traceback that says why it is broken."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from cadran.plugins import hookspecs
from cadran.plugins.connector import API, Connector, ConnectorEntry
from cadran.plugins.kinds import CONTRACTS, Entry, Kind
from cadran.plugins.notifier import Notifier, NotifierEntry
from cadran.problems import suggest


class PluginError(Exception):
    """The plugin was imported, but does not keep the contract."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin. ``error`` is empty, or the traceback of what went wrong.

    Its distribution's metadata is slow to parse, and so read only where it is shown.
    """

    point: EntryPoint
    provides: tuple[Entry, ...] = ()
    error: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"

    def of(self, kind: Kind) -> tuple[Entry, ...]:
        """What it provides of one kind."""
        return tuple(entry for entry in self.provides if isinstance(entry, CONTRACTS[kind].entry))

    @property
    def connectors(self) -> tuple[ConnectorEntry, ...]:
        return tuple(entry for entry in self.provides if isinstance(entry, ConnectorEntry))

    @property
    def notifiers(self) -> tuple[NotifierEntry, ...]:
        return tuple(entry for entry in self.provides if isinstance(entry, NotifierEntry))

    @property
    def name(self) -> str:
        return self.point.name

    @property
    def distribution(self) -> str:
        return self.point.dist.name if self.point.dist else "?"

    @property
    def version(self) -> str:
        return self.point.dist.version if self.point.dist else "?"

    @property
    def origin(self) -> str:
        """The module that it is."""
        return self.point.value

    @property
    def reason(self) -> str:
        """The last line of the traceback."""
        return self.error.strip().rpartition("\n")[2]


def examine(point: EntryPoint) -> Plugin:
    """Import the plugin that ``point`` names and ask it what it provides. Never raises."""
    try:
        return Plugin(point, tuple(_provided(point.load())))
    except (Exception, SystemExit):
        return Plugin(point, error=traceback.format_exc())


def _provided(module: Any) -> list[Entry]:
    """What its hooks returned. A manager for this plugin alone: what is wrong with one stays with it."""
    pm = pluggy.PluginManager(hookspecs.GROUP)
    pm.add_hookspecs(hookspecs)
    pm.register(module)
    callers = pm.get_hookcallers(module) or []
    for caller in callers:
        if not caller.has_spec():
            known = [contract.hook for contract in CONTRACTS.values()]
            raise PluginError(_sentence(f"there is no hook '{caller.name}'", suggest(caller.name, known)))
    if not callers:
        raise PluginError("it implements no hook; is @hookimpl of cadran.plugins missing?")
    return [
        entry
        for kind, contract in CONTRACTS.items()
        for entries in getattr(pm.hook, contract.hook)()
        for entry in _checked(kind, entries)
    ]


def _checked(kind: Kind, entries: Any) -> list[Entry]:
    hook, wanted = CONTRACTS[kind].hook, CONTRACTS[kind].entry
    if not isinstance(entries, list) or not all(isinstance(e, wanted) for e in entries):
        raise PluginError(f"{hook}() must return a list of {wanted.__name__}, not {entries!r}")
    names = [e.name for e in entries]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise PluginError(f"{hook}() names {kind} '{twice[0]}' twice")
    for entry in entries:
        load(kind, entry)
    return entries


def load(kind: Kind, entry: Entry) -> type[Connector] | type[Notifier]:
    """The entry's class; raises :class:`PluginError` if it is not one of this version of the contract."""
    found, base = entry.load(), CONTRACTS[kind].base
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(f"{kind} '{entry.name}' must load a subclass of {base.__name__}, not {found!r}")
    if found.api != API:
        raise PluginError(
            f"{kind} '{entry.name}' is written for API {found.api!r}, this cadran speaks {API!r}"
        )
    return found


def _sentence(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text
