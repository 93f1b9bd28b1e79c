"""Where reports and alerts go: channels, recipients, and the texts in which ``{{ owner }}`` stands for who is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Channel, Destination, Text
from cadran.declare.sections import Sections
from cadran.plugins.notifier import Said
from cadran.problems import listed, suggest

_BLANK = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


_CALLED: Mapping[Said, str] = {"report": "reports", "alert": "alerts", "failure": "messages about failures"}


class Addressed(Protocol):
    """What is known of installed notifiers."""

    def addressed(self, notifier: str) -> bool | None:
        """Whether its messages go to recipients; None where there is no such notifier, or it cannot be loaded."""

    def takes(self, notifier: str) -> frozenset[Said] | None:
        """Which messages it takes; None where there is no such notifier, or it cannot be loaded."""

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


def check_channels(
    kind: Said,
    to: Iterable[Destination],
    channels: Mapping[str, Channel],
    plugins: Addressed,
    found: Findings,
) -> None:
    """Each channel takes what it is sent; one that goes to recipients is given some, and another is not."""
    for one in to:
        channel = channels.get(one.channel.value)
        if channel is None:
            continue
        takes = plugins.takes(channel.notifier)
        if takes is not None and kind not in takes:
            able = [n for n, c in channels.items() if kind in (plugins.takes(c.notifier) or ())]
            hint = (
                f"these do: {listed(able)}" if able else "declare a channel for mail or a chat, and name that"
            )
            message = f"the channel '{channel.name}' takes no {_CALLED[kind]}"
            found.error("wrong-channel", message, one.channel.place, hint)
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


def check_failures(failures: Sequence[Destination], used: Iterable[Destination], found: Findings) -> None:
    """What fails on a channel can be told over another. Nobody asks for that who names no channel for failures."""
    if not failures:
        return
    names = [one.channel.value for one in failures]
    for name in dict.fromkeys(one.channel.value for one in used):
        if all(other == name for other in names):
            message = f"what cannot be delivered over '{name}' is told over '{name}' alone, which may be what is broken"
            hint = "name another channel as well"
            found.warn("told-over-itself", message, failures[0].channel.place, hint)


def check_owner(
    owner: str,
    place: Place,
    to: Iterable[Destination],
    channels: Mapping[str, Channel],
    plugins: Addressed,
    found: Findings,
) -> None:
    """An owner to whom ``{{ owner }}`` sends has an address there."""
    for one in to:
        channel = channels.get(one.channel.value)
        if channel is None or not plugins.addressed(channel.notifier):
            continue
        for text in one.to:
            if {*blanks(text.value)} != {"owner"}:
                continue
            if not owner:
                message = f"'{text.value}' sends it to nobody, for it has no owner"
                found.warn("no-owner", message, text.place, "give the report an 'owner'")
                return
            recipient = filled(text.value, {"owner": owner})
            if wrong := plugins.recipient_problem(channel.notifier, recipient):
                hint = f"give an address that '{channel.name}' can send to, or write one instead of {{{{ owner }}}}"
                found.error(
                    "bad-recipient", f"'{recipient}' {wrong}, and '{text.value}' sends there", place, hint
                )
                return
