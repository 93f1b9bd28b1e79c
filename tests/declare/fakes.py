"""Plugins that are there without being installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cadran.declare.plugged import Schema
from cadran.plugins.examine import Plugin, examine
from cadran.plugins.kinds import Kind
from cadran.plugins.local import LocalFile
from cadran.plugins.notifier import Notifier, Said
from cadran.plugins.secrets import SecretResolver
from cadran.problems import Problem

ANY: Schema = {"type": "object"}


@dataclass(frozen=True)
class Installed:
    """Connectors and notifiers by name, with their settings; the ``broken`` ones cannot be loaded."""

    connectors: Mapping[str, Schema] = field(default_factory=dict)
    notifiers: Mapping[str, Schema] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # connectors whose rows are kept between runs
    local: list[LocalFile] = field(default_factory=list)

    def use(self, files: Sequence[LocalFile]) -> None:
        self.local[:] = files

    def named(self, name: str) -> Plugin | Problem:
        for file in self.local:
            if file.name == name:
                plugin = examine(file)
                broken = f"the plugin {name} is broken: {plugin.reason}"
                return Problem("broken-plugin", broken, hint=plugin.way_out) if plugin.error else plugin
        return Problem("unknown-plugin", f"there is no plugin '{name}'", hint="install it")

    def secret(self, scheme: str) -> type[SecretResolver] | Problem:
        return Problem("unknown-secret", f"unknown secret '{scheme}'", hint="there are: file")

    def trouble(self, kind: Kind, name: str) -> Problem | None:
        return None

    def synced(self, connector: str) -> bool | None:
        return None if connector not in self.connectors else connector in self.kept

    def type_hints(self, connector: str) -> tuple[str, str]:
        return "", ""

    def _of(self, kind: Kind) -> Mapping[str, Schema]:
        return {"connector": self.connectors, "notifier": self.notifiers}.get(kind, {})

    def config_schema(self, name: str, kind: Kind) -> Schema | None:
        return self._of(kind).get(name)

    def names(self, kind: Kind) -> list[str]:
        return [*self._of(kind), *self.broken]

    def addressed(self, notifier: str) -> bool | None:
        return None if notifier not in self.notifiers else notifier == "mail"

    def takes(self, notifier: str) -> frozenset[Said] | None:
        if notifier not in self.notifiers:
            return None
        return frozenset({"report"}) if notifier == "file" else Notifier.kinds

    def recipient_problem(self, notifier: str, recipient: str) -> str:
        return "" if "@" in recipient else "is no address"


NOTHING = Installed()
USUAL = Installed({"files": ANY, "shop": ANY}, {"file": ANY, "mail": ANY, "chat": ANY})
