"""The bundled ``file`` notifier: a folder with the newest of each report, older ones, and an index of them all."""

from __future__ import annotations

from cadran.plugins import Notifier, NotifierEntry, hookimpl


def _load() -> type[Notifier]:
    from cadran_plugins.file.notifier import FileNotifier

    return FileNotifier


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("file", _load, "Reports as files in a folder, with an index of them")]
