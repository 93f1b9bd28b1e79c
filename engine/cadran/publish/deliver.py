"""Takes every declared report where it belongs on this machine: to its channels there, or into the project's folder
``reports``. What goes to mailboxes and chats is left to ``cadran send``: running a project must not write to people.

Each delivery stands alone: a template that is broken or a channel that fails is told, and the others go out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.declare.settings import mask, masked
from cadran.plugins.notifier import Document, Message, Notifier, NotifierContext, NotifierError
from cadran.plugins.writing import write_whole
from cadran.problems import Problem, ProblemsFound
from cadran.publish.documents import document, formats
from cadran.publish.gather import gather
from cadran.publish.letters.context import Letter
from cadran.publish.letters.programs import for_programs

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Channel, Declaration, Report

FOLDER = "reports"
Runs = Callable[["Report", "Results"], "Results"]
Notifiers = Callable[[str], type[Notifier] | Problem]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One report at one place: ``where`` it went, or the problems that kept it from there.

    ``left`` says that it was not even tried: the channel leads away from this machine, or the report is one for each value
    of a segment, which a run does not make.
    """

    report: str
    channel: str  # empty for the folder
    where: str = ""
    problems: tuple[Problem, ...] = ()
    left: bool = False


def deliver(
    results: Results,
    declaration: Declaration,
    notifiers: Notifiers,
    *,
    locale: str = "",
    template_folders: Sequence[Path],
    of_period: Runs = lambda _, results: results,
) -> Iterator[Delivery]:
    """Renders and publishes, one after the other. ``notifiers`` gives a notifier's class by its name, ``of_period``
    the results for a report whose period lies further back than the run's own.

    A report that could not be written into the folder is a warning, for a project may well be read-only; a channel
    was asked for, so one that fails is an error.
    """
    desk = _Desk(declaration, notifiers)
    for report in declaration.reports.values():
        channels = [declaration.channels[to.channel.value] for to in report.to]
        away = [channel for channel in channels if report.per or desk.leads_away(channel)]
        here = [channel for channel in channels if channel not in away]
        yield from (Delivery(report.name, channel.name, left=True) for channel in away)
        if channels and not here:
            continue
        try:
            made = _made(of_period(report, results), declaration, report, locale, template_folders)
        except ProblemsFound as found:
            yield desk.masked(Delivery(report.name, "", problems=tuple(found.problems)))
            continue
        if not here:
            yield from map(desk.masked, desk.to_folder(made.documents))
        yield from (desk.masked(desk.to_channel(channel, made)) for channel in here)


def _made(
    results: Results, declaration: Declaration, report: Report, locale: str, folders: Sequence[Path]
) -> Message:
    """The report in all its formats, for a channel that keeps documents as they are. Raises ProblemsFound."""
    locale = locale or report.locale or declaration.locale
    context = gather(results, declaration, report, locale)
    documents = tuple(
        document(results, declaration, report, kind, locale=locale, template_folders=folders, context=context)
        for kind in formats(report)
    )
    return Message(
        _key(report.name, results.as_of), "report", results.as_of, context.title, documents=documents,
        data=for_programs(context, Letter()), locale=locale,
    )  # fmt: skip


def _key(report: str, moment: dt.datetime) -> str:
    """Nobody keeps it: what a run publishes is not remembered."""
    return hashlib.sha256(f"{report} {moment.isoformat()}".encode()).hexdigest()


class _Desk:
    """The notifiers of a project's channels, each made once and only where a report goes there."""

    def __init__(self, declaration: Declaration, notifiers: Notifiers) -> None:
        self.declaration, self.notifiers = declaration, notifiers
        self.allowed = (declaration.folder.resolve(), *declaration.allow_paths)
        self.made: dict[str, Notifier] = {}

    def leads_away(self, channel: Channel) -> bool:
        """Whether it is known to; one whose notifier cannot be found is told when it is to be used."""
        found = self.notifiers(channel.notifier)
        return not isinstance(found, Problem) and not found.local

    def to_folder(self, documents: Sequence[Document]) -> Iterator[Delivery]:
        """Into the folder for reports that name no channel."""
        for made in documents:
            try:
                where = write_whole(self.declaration.folder / FOLDER, made.file_name, made.content)
                yield Delivery(made.name, "", str(where))
            except OSError as error:
                message = f"report '{made.name}' not written: {error.strerror or error}"
                hint = "use --format html --output FILE"
                problem = Problem("not-written", message, hint=hint, severity="warning")
                yield Delivery(made.name, "", problems=(problem,))

    def to_channel(self, channel: Channel, message: Message) -> Delivery:
        report = str(message.data["report"])
        try:
            notifier = self._notifier(channel)
            where = notifier.send(notifier.seal(message), "", lambda: None)
            return Delivery(report, channel.name, str(where))
        except NotifierError as error:
            problem = _failed(channel, report, error)
        except Exception as error:  # the plugin's own fault: the other deliveries go on
            told = NotifierError(
                f"{type(error).__name__}: {error}",
                hint=f"the notifier '{channel.notifier}' has a fault; tell its author",
                setting=("notifier",),
            )
            problem = _failed(channel, report, told)
        return Delivery(report, channel.name, problems=(problem,))

    def _notifier(self, channel: Channel) -> Notifier:
        if channel.name not in self.made:
            found = self.notifiers(channel.notifier)
            if isinstance(found, Problem):
                raise NotifierError(found.message, hint=found.hint, setting=("notifier",))
            base = channel.base.resolve()
            self.made[channel.name] = found(NotifierContext(channel.name, channel.config, base, self.allowed))
        return self.made[channel.name]

    def masked(self, delivery: Delivery) -> Delivery:
        """No value from the environment in what is told."""
        hidden = self.declaration.unsaid
        if not hidden:
            return delivery
        problems = tuple(masked(delivery.problems, hidden))
        return replace(delivery, where=mask(delivery.where, hidden), problems=problems)


def _failed(channel: Channel, report: str, error: NotifierError) -> Problem:
    """A notifier's error as a problem that points at the setting which is at fault."""
    where = channel.place.at_setting(error.setting)
    message = f"report '{report}' not published: {error.message}"
    return Problem("not-published", message, where, f"channels.{channel.name}", error.hint)
