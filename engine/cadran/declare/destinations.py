"""Where reports and alerts go: channels, recipients, and the texts in which ``{{ owner }}`` stands for who is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Channel, Destination, Text
from cadran.declare.sections import Sections
from cadran.problems import listed, suggest

_BLANK = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


class Addressed(Protocol):
    """What is known of installed notifiers."""

    def addressed(self, notifier: str) -> bool | None:
        """Whether its messages go to recipients; None where there is no such notifier, or it cannot be loaded."""

    def takes(self, notifier: str, kind: str) -> bool:
        """Whether it takes messages of a kind: reports, alerts, failures."""

    def recipient_problem(self, notifier: str, recipient: str) -> str:
        """What it finds wrong with an address; empty where nothing is."""


def destinations(value: Any, place: Place, sections: Sections, found: Findings) -> tuple[Destination, ...]:
    """Each channel once. An entry is a channel's name, or a mapping with its recipients."""
    named: dict[str, Destination] = {}
    for item, at in values.each(value, place):
        one = _destination(item, at)
        name = one.channel
        first = named.setdefault(name.value, one)
        if not sections.exists("channels", name.value):
            names = sections.names("channels")
            hint = f"there are: {listed(names)}" if names else "declare it under 'channels'"
            found.error("unknown-channel", f"unknown channel '{name.value}'", name.place, suggest(name.value, names) or hint)  # fmt: skip
        elif first is not one:
            message = f"the channel '{name.value}' is named twice"
            found.error("repeated-item", message, name.place, "keep one of them, with the recipients of both")
    return tuple(named.values())


def _destination(item: Any, place: Place) -> Destination:
    if isinstance(item, str):
        return Destination(values.text(item, place))
    to = values.texts(item["to"], place.child("to")) if "to" in item else ()
    return Destination(values.text(item["channel"], place.child("channel")), to)


def blanks(text: str) -> Iterator[str]:
    """The names that are filled in: ``owner`` of ``{{ owner }}``."""
    return (match[1] for match in _BLANK.finditer(text))


def filled(text: str, words: dict[str, str]) -> str:
    """The text with each ``{{ name }}`` replaced, by nothing where it has no value."""
    return _BLANK.sub(lambda match: words.get(match[1], ""), text).strip()


def check_blanks(to: Iterable[Text], names: Iterable[str], found: Findings) -> None:
    """What stands in braces is a name that can be filled in here."""
    known = sorted(names)
    for text in to:
        rest = _BLANK.sub("", text.value)
        if "{" in rest or "}" in rest:
            hint = f"write {{{{ name }}}}, where name is one of {listed(known)}"
            found.error("bad-recipient", f"'{text.value}' has braces that name nothing", text.place, hint)
        for name in blanks(text.value):
            if name not in known:
                hint = suggest(name, known) or f"there are: {listed(known)}"
                found.error("unknown-name", f"'{{{{ {name} }}}}' stands for nothing here", text.place, hint)


def check_kinds(
    all_of: Iterable[Destination], kind: str, channels: dict[str, Channel], plugins: Addressed, found: Findings
) -> None:  # fmt: skip
    """Messages of one kind go to channels that take such."""
    able = [c.name for c in channels.values() if plugins.takes(c.notifier, kind)]
    hint = f"these do: {listed(able)}" if able else "declare a channel for mail or chat"
    for one in all_of:
        channel = channels.get(one.channel.value)
        if channel is not None and channel.name not in able:
            what = "alerts" if kind == "alert" else "messages about failures"
            message = f"the channel '{channel.name}' takes no {what}"
            found.error("wrong-channel", message, one.channel.place, hint)


def check_channels(
    all_of: Iterable[Destination], channels: dict[str, Channel], plugins: Addressed, found: Findings
) -> None:
    """A channel that goes to recipients is given some, and another is not."""
    for one in all_of:
        channel = channels.get(one.channel.value)
        if channel is None:
            continue
        addressed = plugins.addressed(channel.notifier)
        if addressed and not one.to:
            message = f"the channel '{channel.name}' needs recipients"
            hint = f"write {{channel: {channel.name}, to: [name@example.com]}}"
            found.error("no-recipient", message, one.channel.place, hint)
        for text in one.to if addressed else ():
            wrong = "" if "{" in text.value else plugins.recipient_problem(channel.notifier, text.value)
            if wrong:
                found.error("bad-recipient", f"'{text.value}' {wrong}", text.place)
        if addressed is False and one.to:
            message = f"the channel '{channel.name}' goes to one place, so it takes no recipients"
            found.error("needless-recipient", message, one.to[0].place, "remove 'to'")
