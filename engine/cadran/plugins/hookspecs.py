"""All hooks: what a plugin may add to cadran. One signature and one line each."""

from __future__ import annotations

import pluggy

from cadran.plugins.connector import ConnectorEntry
from cadran.plugins.functions import FunctionEntry
from cadran.plugins.listeners import ListenerEntry
from cadran.plugins.notifier import NotifierEntry
from cadran.plugins.secrets import SecretEntry
from cadran.plugins.templating import BlockEntry, FilterEntry

GROUP = "cadran"  # the entry point group that plugins are found in

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def cadran_connectors() -> list[ConnectorEntry]:  # type: ignore[empty-body]
    """The connectors that this plugin provides, each with the name that ``connector:`` calls it by."""


@hookspec
def cadran_notifiers() -> list[NotifierEntry]:  # type: ignore[empty-body]
    """The notifiers that this plugin provides, each with the name that ``notifier:`` calls it by."""


@hookspec
def cadran_secrets() -> list[SecretEntry]:  # type: ignore[empty-body]
    """The secret resolvers that this plugin provides, each with the scheme that ``${scheme:reference}`` calls it by."""


@hookspec
def cadran_functions() -> list[FunctionEntry]:  # type: ignore[empty-body]
    """The functions that this plugin adds to the formulas of projects that name it under ``plugins:``."""


@hookspec
def cadran_filters() -> list[FilterEntry]:  # type: ignore[empty-body]
    """The filters that this plugin adds to the templates of projects that name it under ``plugins:``."""


@hookspec
def cadran_blocks() -> list[BlockEntry]:  # type: ignore[empty-body]
    """The blocks that reports of projects which name this plugin under ``plugins:`` may show with ``blocks:``."""


@hookspec
def cadran_listeners() -> list[ListenerEntry]:  # type: ignore[empty-body]
    """The listeners that are told of runs, syncs and messages of projects that name this plugin under ``plugins:``."""
