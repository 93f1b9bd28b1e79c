"""The notifier ``acme``."""

from __future__ import annotations

from cadran.plugins import Notifier, NotifierEntry, hookimpl


def _load() -> type[Notifier]:
    from cadran_acme.notifier import AcmeNotifier

    return AcmeNotifier


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("acme", _load, "messages to Acme")]
