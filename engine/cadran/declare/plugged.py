"""``sources`` and ``channels``: the parts of a project that a plugin works for, each named by one key of its entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Channel, Source
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections
from cadran.declare.syncing import SYNC, syncing
from cadran.plugins.kinds import LIMIT, Kind
from cadran.plugins.notifier import Said
from cadran.plugins.secrets import SecretResolver
from cadran.problems import Problem, listed, suggest

if TYPE_CHECKING:
    from cadran.plugins.examine import Plugin
    from cadran.plugins.local import LocalFile

Schema = Mapping[str, Any]
Settings = Mapping[Kind, Mapping[str, Schema]]  # of the plugins of each kind: name → ``config_schema``

SECTIONS: Mapping[Kind, str] = {"connector": "sources", "notifier": "channels"}


class Plugins(Protocol):
    """What is installed, and the files that a project names."""

    def use(self, files: Sequence[LocalFile]) -> None:
        """These files of the project are plugins from here on, in place of those before."""

    def named(self, name: str) -> Plugin | Problem:
        """The plugin that an entry of ``plugins:`` means."""

    def secret(self, scheme: str) -> type[SecretResolver] | Problem: ...

    def trouble(self, kind: Kind, name: str) -> Problem | None:
        """What stands in the way of a connector or notifier, if anything does."""

    def config_schema(self, name: str, kind: Kind) -> Schema | None:
        """None where there is no such plugin, or it cannot be loaded."""

    def names(self, kind: Kind) -> list[str]: ...

    def synced(self, connector: str) -> bool | None:
        """Whether its rows are kept between runs; None where there is no such connector, or it cannot be loaded."""

    def type_hints(self, connector: str) -> tuple[str, str]:
        """What a synced connector says can be done about texts that are wanted as numbers, and as days; else empty."""

    def addressed(self, notifier: str) -> bool | None: ...

    def takes(self, notifier: str) -> frozenset[Said] | None: ...

    def recipient_problem(self, notifier: str, recipient: str) -> str: ...


def uses(data: Any) -> Iterator[tuple[Kind, str, str]]:
    """Kind and name of each plugin that a document asks for, and the name of the part that does."""
    for kind, section in SECTIONS.items():
        parts = data.get(section) if isinstance(data, dict) else None
        for name, part in parts.items() if isinstance(parts, dict) else ():
            if isinstance(part, dict) and isinstance(part.get(kind), str):
                yield kind, part[kind], name


def settings_of(data: Any, plugins: Plugins) -> Settings:
    """The settings of the plugins that a document asks for, as far as there are such plugins."""
    out: dict[Kind, dict[str, Schema]] = {kind: {} for kind in SECTIONS}
    for kind, plugin in sorted({(kind, plugin) for kind, plugin, _ in uses(data)}):
        found = plugins.config_schema(plugin, kind)
        if found is not None:
            out[kind][plugin] = found
    # Where it has no meaning, that is said in better words than those for a key that nobody knows.
    said = {
        plugin for kind, plugin, name in uses(data) if kind == "connector" and SYNC in data["sources"][name]
    }
    for plugin, own in out["connector"].items():
        if plugin in said or plugins.synced(plugin):
            out["connector"][plugin] = with_sync(own)
    return out


def with_sync(own: Schema) -> Schema:
    """The settings of a connector whose rows are kept between runs, and how."""
    if not isinstance(own, Mapping) or not isinstance(own.get("properties", {}), Mapping):
        return own  # it is no schema: that is said elsewhere
    how = {"description": "How the rows are kept between runs."}
    return {**own, "properties": {SYNC: how, **own.get("properties", {})}}


def check_plugins(sections: Sections, plugins: Plugins, found: Findings) -> None:
    """Every source's connector and every channel's notifier is installed and can be loaded."""
    for kind, section in SECTIONS.items():
        for entry in sections.named[section].values():
            if plugins.config_schema(entry.value[kind], kind) is None:
                _not_there(kind, entry, plugins, found)


def _not_there(kind: Kind, entry: Entry, plugins: Plugins, found: Findings) -> None:
    name, at = entry.value[kind], entry.place.child(kind)
    trouble = plugins.trouble(kind, name)
    if trouble is not None and trouble.code != f"unknown-{kind}":
        found.error(trouble.code, trouble.message, at, trouble.hint)
        return
    names = sorted(plugins.names(kind))
    hint = f"installed: {listed(names)}" if names else "none is installed"
    if trouble is not None and "broken" in trouble.hint:  # it may be what that one would provide
        hint = trouble.hint
    if trouble is not None and LIMIT in trouble.hint:  # then what is installed may not be loaded
        found.error(trouble.code, trouble.message, at, trouble.hint)
        return
    if name in names:
        message = f"the {kind} '{name}' is installed, but cannot be loaded"
        found.error(f"broken-{kind}", message, at, "'cadran plugins' says why")
    else:
        found.error(f"unknown-{kind}", f"unknown {kind} '{name}'", at, suggest(name, names) or hint)


def source(name: str, entry: Entry, folder: Path, plugins: Plugins, found: Findings) -> Source:
    check_name("source", name, entry.key, found)
    connector, config, place, base = _settings("connector", entry, folder)
    said = config.pop(SYNC, None)
    if said is not None and plugins.synced(connector) is False:
        hint = "take it out: each run reads this source anew"
        found.error("sync-of-nothing", f"the connector '{connector}' keeps no rows, so '{SYNC}:' has no meaning here", place.child(SYNC), hint)  # fmt: skip
        said = None
    return Source(name, connector, config, place, base, syncing(said, place.child(SYNC), found), *plugins.type_hints(connector))  # fmt: skip


def channel(name: str, entry: Entry, folder: Path, found: Findings) -> Channel:
    check_name("channel", name, entry.key, found)
    return Channel(name, *_settings("notifier", entry, folder))


def _settings(kind: Kind, entry: Entry, folder: Path) -> tuple[str, dict[str, Any], Place, Path]:
    config = {key: value for key, value in entry.value.items() if key != kind}
    base = (folder / entry.place.document.shown_as).parent
    return entry.value[kind], config, entry.place, base
