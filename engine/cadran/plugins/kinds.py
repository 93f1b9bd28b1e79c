"""What a plugin can provide. Each kind is one line here; finding, checking and listing know no more about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cadran.plugins.connector import Connector, ConnectorEntry
from cadran.plugins.functions import Function, FunctionEntry
from cadran.plugins.listeners import Listener, ListenerEntry
from cadran.plugins.notifier import Notifier, NotifierEntry
from cadran.plugins.secrets import SecretEntry, SecretResolver
from cadran.plugins.templating import Block, BlockEntry, FilterEntry

#: Found by its name in any plugin that is there; for the first two that is also the key that names one in kpis.yaml.
Kind = Literal["connector", "notifier", "secret"]
#: Taken only from plugins that the project names under ``plugins:``, as they change what a project means or does.
AddedKind = Literal["function", "filter", "block", "listener"]
AnyKind = Literal["connector", "notifier", "secret", "function", "filter", "block", "listener"]
Entry = (
    ConnectorEntry | NotifierEntry | SecretEntry | FunctionEntry | FilterEntry | BlockEntry | ListenerEntry
)


@dataclass(frozen=True, slots=True)
class Contract:
    """The hook that a plugin answers, what it returns a list of, and what such an entry loads: a class that is a ``base``, or,
    where it is ``made`` already, such a value; without a ``base`` anything that can be called."""

    hook: str
    entry: type[Entry]
    base: type[Any] | None
    made: bool = False

    def kept_by(self, found: object) -> bool:
        """Whether what was loaded is what the contract asks for."""
        if self.base is None:
            return callable(found)
        if self.made:
            return isinstance(found, self.base)
        return isinstance(found, type) and issubclass(found, self.base)

    @staticmethod
    def lacks(found: object) -> tuple[str, ...]:
        """The methods that a class would have to write, and does not: nothing could be made of it."""
        return tuple(sorted(getattr(found, "__abstractmethods__", ()))) if isinstance(found, type) else ()

    @property
    def wanted(self) -> str:
        """What has to be loaded, in words."""
        if self.base is None:
            return "a function"
        return f"a {self.base.__name__}" if self.made else f"a subclass of {self.base.__name__}"


CONTRACTS: Mapping[AnyKind, Contract] = {
    "connector": Contract("cadran_connectors", ConnectorEntry, Connector),
    "notifier": Contract("cadran_notifiers", NotifierEntry, Notifier),
    "secret": Contract("cadran_secrets", SecretEntry, SecretResolver),
    "function": Contract("cadran_functions", FunctionEntry, Function, made=True),
    "filter": Contract("cadran_filters", FilterEntry, None, made=True),
    "block": Contract("cadran_blocks", BlockEntry, Block, made=True),
    "listener": Contract("cadran_listeners", ListenerEntry, Listener),
}
LIMIT = "CADRAN_PLUGINS"  # the variable that says what may be loaded: names of entry points, separated by commas; unset: all
FOUND: tuple[Kind, ...] = ("connector", "notifier", "secret")
ADDED: tuple[AddedKind, ...] = ("function", "filter", "block", "listener")
