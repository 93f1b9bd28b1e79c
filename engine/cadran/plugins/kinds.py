"""What a plugin can provide. Each kind is one line here; finding, checking and listing know no more about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cadran.plugins.connector import Connector, ConnectorEntry
from cadran.plugins.notifier import Notifier, NotifierEntry

Kind = Literal["connector", "notifier"]  # also the key that names one in kpis.yaml
Entry = ConnectorEntry | NotifierEntry


@dataclass(frozen=True, slots=True)
class Contract:
    """The hook that a plugin answers, what it returns a list of, and what such an entry loads."""

    hook: str
    entry: type[Entry]
    base: type[Connector] | type[Notifier]


CONTRACTS: Mapping[Kind, Contract] = {
    "connector": Contract("cadran_connectors", ConnectorEntry, Connector),
    "notifier": Contract("cadran_notifiers", NotifierEntry, Notifier),
}
