"""Takes every declared report where it belongs: to its channels, or into the project's folder ``reports``.

Each delivery stands alone: a template that is broken or a channel that fails is told, and the others go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.declare.settings import mask
from cadran.plugins.notifier import Document, Notifier, NotifierContext, NotifierError
from cadran.plugins.writing import write_whole
from cadran.problems import Problem, ProblemsFound
from cadran.publish.documents import document, formats

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Channel, Declaration, Report

FOLDER = "reports"
Runs = Callable[["Report", "Results"], "Results"]
Notifiers = Callable[[str], type[Notifier] | Problem]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One report at one place: ``where`` it went, or the problems that kept it from there."""

    report: str
    channel: str  # empty for the folder
    where: str = ""
    problems: tuple[Problem, ...] = ()


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
        try:
            rows = of_period(report, results)
        except ProblemsFound as found:
            yield desk.masked(Delivery(report.name, "", problems=tuple(found.problems)))
            continue
        for kind in formats(report):
            try:
                made = document(rows, declaration, report, kind, locale=locale, template_folders=template_folders)  # fmt: skip
            except ProblemsFound as found:
                yield desk.masked(Delivery(report.name, "", problems=tuple(found.problems)))
                continue
            yield from map(desk.masked, desk.everywhere(made, report))


class _Folder(Notifier):
    """Where reports go that name no channel."""

    def publish(self, document: Document) -> str:
        try:
            return str(write_whole(self.context.base / FOLDER, document.file_name, document.content))
        except OSError as error:
            reason = error.strerror or str(error)
            raise NotifierError(reason, hint="use --format html --output FILE") from error


class _Desk:
    """The notifiers of a project's channels, each made once and only where a report goes there."""

    def __init__(self, declaration: Declaration, notifiers: Notifiers) -> None:
        self.declaration, self.notifiers = declaration, notifiers
        self.allowed = (declaration.folder.resolve(), *declaration.allow_paths)
        self.folder = _Folder(NotifierContext("", {}, declaration.folder, self.allowed))
        self.made: dict[str, Notifier] = {}

    def everywhere(self, document: Document, report: Report) -> Iterator[Delivery]:
        if not report.to:
            yield self.to_folder(document)
        for name in report.to:
            yield self.to_channel(self.declaration.channels[name.channel.value], document)

    def to_folder(self, document: Document) -> Delivery:
        try:
            return Delivery(document.name, "", self.folder.publish(document))
        except NotifierError as error:
            message = f"report '{document.name}' not written: {error.message}"
            problem = Problem("not-written", message, hint=error.hint, severity="warning")
            return Delivery(document.name, "", problems=(problem,))

    def to_channel(self, channel: Channel, document: Document) -> Delivery:
        try:
            return Delivery(document.name, channel.name, str(self._notifier(channel).publish(document)))
        except NotifierError as error:
            problem = _failed(channel, document, error)
        except Exception as error:  # the plugin's own fault: the other deliveries go on
            told = NotifierError(
                f"{type(error).__name__}: {error}",
                hint=f"the notifier '{channel.notifier}' has a fault; tell its author",
                setting=("notifier",),
            )
            problem = _failed(channel, document, told)
        return Delivery(document.name, channel.name, problems=(problem,))

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
        problems = tuple(
            replace(p, message=mask(p.message, hidden), hint=mask(p.hint, hidden)) for p in delivery.problems
        )
        return replace(delivery, where=mask(delivery.where, hidden), problems=problems)


def _failed(channel: Channel, document: Document, error: NotifierError) -> Problem:
    """A notifier's error as a problem that points at the setting which is at fault."""
    try:
        where = channel.place.child(*error.setting).position()
    except (KeyError, IndexError, TypeError):
        where = channel.place.position()
    message = f"report '{document.name}' not published: {error.message}"
    return Problem("not-published", message, where, f"channels.{channel.name}", error.hint)
