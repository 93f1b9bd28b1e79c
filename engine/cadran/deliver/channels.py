"""The notifiers of a project's channels, made where something goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cadran.plugins.notifier import Deferred, Notifier, NotifierContext, NotifierError
from cadran.problems import Problem

if TYPE_CHECKING:
    from cadran.declare.model import Channel, Declaration
    from cadran.state.store.outbox import Delivery

Notifiers = Callable[[str], type[Notifier] | Problem]


class Channels:
    """``notifiers`` gives a notifier's class by its name, as the plugin manager does."""

    def __init__(self, declaration: Declaration, notifiers: Notifiers) -> None:
        self.declaration, self.notifiers = declaration, notifiers
        self.allowed = (declaration.folder.resolve(), *declaration.allow_paths)

    def open(self, row: Delivery) -> Notifier:
        """A notifier of the delivery's channel, new with every call: it belongs to the thread that asked for it.

        Raises Deferred where there is none, or none that works: settings can be put right before a message's deadline.
        """
        name, channel = row.channel, self.declaration.channels.get(row.channel)
        if channel is None:
            raise Deferred(f"channel '{name}' is not declared", hint="declare it, or drop what waits for it")
        if channel.notifier != row.notifier:
            message = f"channel '{name}' is now one of '{channel.notifier}', and this was sealed for '{row.notifier}'"
            raise Deferred(message, hint="declare the channel as it was until it is sent, or drop it")
        found = self.notifiers(channel.notifier)
        if isinstance(found, Problem):
            raise Deferred(found.message, hint=found.hint)
        try:
            return self._made(channel, found)
        except NotifierError as error:
            raise Deferred(error.message, hint=error.hint, setting=error.setting) from error

    def faults(self) -> Iterator[Problem]:
        """Settings that cannot work, as far as that shows without opening anything."""
        for channel in self.declaration.channels.values():
            found = self.notifiers(channel.notifier)
            if isinstance(found, Problem):
                continue  # said where the file was read
            try:
                self._made(channel, found)
            except NotifierError as error:
                where = channel.place.at_setting(error.setting)
                yield Problem("bad-channel", error.message, where, f"channels.{channel.name}", error.hint)
            except Exception as error:
                where, message = channel.place.position(), f"{type(error).__name__}: {error}"
                hint = f"the notifier '{channel.notifier}' has a fault; tell its author"
                yield Problem("bad-channel", message, where, f"channels.{channel.name}", hint)

    def _made(self, channel: Channel, kind: type[Notifier]) -> Notifier:
        return kind(NotifierContext(channel.name, channel.config, channel.base.resolve(), self.allowed))
