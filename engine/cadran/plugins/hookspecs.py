"""All hooks: what a plugin may add to cadran. One signature and one line each."""

from __future__ import annotations

import pluggy

from cadran.plugins.connector import ConnectorEntry
from cadran.plugins.notifier import NotifierEntry

GROUP = "cadran"  # the entry point group that plugins are found in

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def cadran_connectors() -> list[ConnectorEntry]:  # type: ignore[empty-body]
    """The connectors that this plugin provides, each with the name that ``connector:`` calls it by."""


@hookspec
def cadran_notifiers() -> list[NotifierEntry]:  # type: ignore[empty-body]
    """The notifiers that this plugin provides, each with the name that ``notifier:`` calls it by."""
