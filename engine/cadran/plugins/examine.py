"""One plugin, imported and checked: what it provides, or the traceback that says why it is broken."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from cadran.plugins import api, hookspecs
from cadran.plugins.connector import API, ConnectorEntry
from cadran.plugins.functions import Function
from cadran.plugins.kinds import CONTRACTS, AnyKind, Entry
from cadran.plugins.local import LocalFile
from cadran.plugins.notifier import NotifierEntry
from cadran.problems import listed, suggest


class PluginError(Exception):
    """The plugin was imported, but does not keep the contract."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin, installed or a file of the project. ``error`` is empty, or the traceback of what went wrong; for a plugin that speaks
    another API a sentence, and then ``speaks`` is which. What it ``withholds`` it would provide, were nothing wrong.

    Its distribution's metadata is slow to parse, and so read only where it is shown.
    """

    point: EntryPoint | LocalFile
    provides: tuple[Entry, ...] = ()
    error: str = field(default="", repr=False)
    speaks: str = ""
    withholds: tuple[Entry, ...] = ()

    def __str__(self) -> str:
        if isinstance(self.point, LocalFile):
            return self.name
        return f"{self.name} ({self.distribution} {self.version})"

    def of(self, kind: AnyKind) -> tuple[Entry, ...]:
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
        if isinstance(self.point, LocalFile):
            return self.point.distribution
        return self.point.dist.name if self.point.dist else "?"

    @property
    def version(self) -> str:
        """Of a file of the project, what tells its content from others."""
        if isinstance(self.point, LocalFile):
            return self.point.version
        return self.point.dist.version if self.point.dist else "?"

    @property
    def origin(self) -> str:
        """The module that it is."""
        return self.point.value

    @property
    def reason(self) -> str:
        """The last line of the traceback; of a file of the project, with its line there."""
        last = self.error.strip().rpartition("\n")[2].removeprefix(f"{__name__}.{PluginError.__name__}: ")
        if not isinstance(self.point, LocalFile):
            return last
        lines = re.findall(rf'File "{re.escape(str(self.point.path))}", line (\d+)', self.error)
        return f"line {lines[-1]}: {last}" if lines else last

    @property
    def way_out(self) -> str:
        """What to do about its error."""
        if not self.speaks:
            asks = self._asks
            return "see 'cadran plugins'" + (f"; it asks for {asks}" if asks else "")
        if isinstance(self.point, LocalFile):
            return f"rewrite it for API '{API}'"
        return api.way_out(api.Owner(self.distribution, self.version, self._asks), self.speaks)

    @property
    def _asks(self) -> str:
        dist = None if isinstance(self.point, LocalFile) else self.point.dist
        return api.asked_of_cadran(dist.requires) if dist is not None else ""


def examine(point: EntryPoint | LocalFile) -> Plugin:
    """Import the plugin that ``point`` names and ask it what it provides; nothing of that is loaded. Never raises."""
    plugin = Plugin(point)
    try:
        return replace(plugin, provides=tuple(_provided(point.load())))
    except (Exception, SystemExit) as error:
        return faulty(plugin, error)


def whole(plugin: Plugin) -> Plugin:
    """The plugin with all that it provides loaded once, to see whether it can be. Never raises."""
    try:
        for kind in CONTRACTS:
            for entry in plugin.of(kind):
                load(kind, entry)
    except (Exception, SystemExit) as error:
        return faulty(plugin, error)
    return plugin


def faulty(plugin: Plugin, error: BaseException) -> Plugin:
    """A plugin with what went wrong in place of what it provides."""
    if isinstance(error, api.OtherAPI):
        return Plugin(plugin.point, error=f"{plugin} {error}", speaks=error.api, withholds=plugin.provides)
    said = "".join(traceback.format_exception(error))
    return Plugin(plugin.point, error=said, withholds=plugin.provides)


def _provided(module: Any) -> list[Entry]:
    """What its hooks returned. A manager for this plugin alone: what is wrong with one stays with it."""
    if hasattr(module, api.MODULE_SAYS):
        if wrong := api.misspelt(module, api.MODULE_SAYS):
            raise PluginError(wrong)
        api.check(module, named=api.MODULE_SAYS)
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


def _checked(kind: AnyKind, entries: Any) -> list[Entry]:
    hook, wanted = CONTRACTS[kind].hook, CONTRACTS[kind].entry
    if not isinstance(entries, list) or not all(isinstance(e, wanted) for e in entries):
        raise PluginError(f"{hook}() must return a list of {wanted.__name__}, not {entries!r}")
    names = [e.name for e in entries]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise PluginError(f"{hook}() names {kind} '{twice[0]}' twice")
    return entries


def load(kind: AnyKind, entry: Entry) -> Any:
    """What the entry loads. Raises :class:`PluginError` if it is not what the contract asks for, ``OtherAPI`` if it is of another
    version of the contract, and whatever it raises itself."""
    found: Any = entry.load()
    contract = CONTRACTS[kind]
    if not contract.kept_by(found):
        raise PluginError(f"{kind} '{entry.name}' must load {contract.wanted}, not {found!r}")
    if wrong := api.misspelt(found):
        raise PluginError(f"{kind} '{entry.name}': {wrong}")
    api.check(found, f"{kind} '{entry.name}'")
    if isinstance(found, Function) and (wrong := found.miswritten(entry.name)):
        raise PluginError(f"{kind} '{entry.name}': {wrong}")
    if lacking := contract.lacks(found):
        methods = listed([f"{name}()" for name in lacking])
        raise PluginError(f"{kind} '{entry.name}': the class {found.__name__} lacks {methods}")
    return found


def _sentence(text: str, hint: str) -> str:
    return f"{text}; {hint}" if hint else text
