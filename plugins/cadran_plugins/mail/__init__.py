"""The bundled ``email`` notifier: messages over SMTP, one recipient a transaction."""

from __future__ import annotations

from cadran.plugins import Notifier, NotifierEntry, hookimpl


def _load() -> type[Notifier]:
    from cadran_plugins.mail.notifier import EmailNotifier

    return EmailNotifier


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("email", _load, "Mail over SMTP")]
