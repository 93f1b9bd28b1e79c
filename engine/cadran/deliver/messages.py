"""Reports, alerts and failures as sealed messages, one for each recipient: what the outbox takes in.

A message is sealed where its run is made, and sent from there as it is: no later change of a template, a figure or a
setting reaches what was promised once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.declare.destinations import filled
from cadran.deliver import alerting, keys
from cadran.plugins.notifier import Message, Notifier, NotifierContext, NotifierError
from cadran.problems import Problem, ProblemsFound
from cadran.publish.figures import Figures, hide
from cadran.publish.letters.alerts import notice_context
from cadran.publish.letters.context import Letter
from cadran.publish.letters.failures import NotMade, Undelivered, failure_context, not_ready_words, title_of
from cadran.publish.letters.links import Links
from cadran.publish.letters.programs import alerts_for_programs, for_programs, hidden
from cadran.publish.letters.rendering import Templates
from cadran.publish.letters.reports import Made, Maker, late_words, made_words
from cadran.publish.report import variables_of

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Channel, Declaration, Destination, Report
    from cadran.judge.notices import Notice

Notifiers = Callable[[str], type[Notifier] | Problem]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to one recipient, ready to be kept: ``sealed`` is what goes out.

    ``after`` is the key of a delivery without which it does not go out; ``skipped`` says why it is not sent at all, and
    then nothing is sealed.
    """

    message: Message = field(repr=False)
    channel: str
    notifier: str
    sealed: bytes = field(repr=False)
    label: str
    owner: str = ""
    after: str = ""
    skipped: str = ""


class Composer:
    """``notifiers`` gives a notifier's class by its name; ``template_folders`` are the team's first, the shipped ones last.
    ``locale`` wins over a report's own and the project's."""

    def __init__(
        self, declaration: Declaration, notifiers: Notifiers, template_folders: Sequence[Path], *, locale: str = ""
    ) -> None:  # fmt: skip
        self.declaration, self.folders, self.locale = declaration, template_folders, locale
        self._notifiers = notifiers
        self._made: dict[str, Notifier] = {}
        self._links = Links(declaration, self._linking)

    # --- reports ---------------------------------------------------------------------------------------------------

    def report(
        self, report: Report, results: Results, *, job: str, logical_time: dt.datetime, banner: str = "", about: str = "",
        address: str = "", others: Mapping[str, str] | None = None, late: bool = False, now: dt.datetime | None = None,
    ) -> list[Outgoing]:  # fmt: skip
        """To every recipient of every channel. ``about`` is the value of ``per:`` that it is made for, ``address`` what its
        addresses have for that, ``others`` further names that recipients may be written with. ``banner`` stands on top;
        ``late`` says that it was due earlier; ``now`` is what the message is dated, else the logical time.

        Raises ProblemsFound where a template or a channel is at fault: then there is no message at all.
        """
        locale = self.locale or report.locale or self.declaration.locale
        figures = Figures(self.declaration, locale)
        maker = Maker(results, self.declaration, report, self.folders, locale, about)
        computed, banner = self._local(now) if now is not None else None, figures.said(banner)
        due_text = late_words(figures, self._local(logical_time)) if late else ""
        late_text = f"{due_text} {made_words(figures, computed)}" if due_text and computed else due_text
        whose = (
            figures.said(figures.placed([report.per.segment.value], [about])) if about and report.per else ""
        )
        banners = tuple(filter(None, (whose, late_text, banner)))
        gathered = maker.gathered()
        context = replace(gathered, banners=(*banners, *gathered.banners))
        link = self._links.of_report(report, about)
        letter = Letter(banner, late_text, figures.said(about), link)
        told = replace(letter, late_text=due_text)  # who is told in data has the time of computation there
        data = for_programs(context, told, computed, figures.form.instant(computed) if computed else "")
        words, out = _words(report, about, address, others or {}), []
        for destination in report.to:
            channel = self.declaration.channels[destination.channel.value]
            notifier = self._notifier(channel)
            made = maker.make(self._templates(channel, notifier, locale), context, letter)
            for recipient in _recipients(destination, words):
                message = Message(
                    keys.key(job, logical_time, "report", channel.name, recipient, about), "report",
                    self._local(now or logical_time), made.rendered.subject, recipient, made.rendered.parts,
                    made.documents, made.rendered.pictures, link=link, data=data, locale=locale,
                )  # fmt: skip
                label = _label(made, about)
                out.append(
                    self._sealed(
                        message, channel, notifier, label, report.owner, destination, figures.said(about)
                    )
                )
        return out

    # --- alerts ----------------------------------------------------------------------------------------------------

    def notice(
        self, notice: Notice, results: Results, *, job: str, logical_time: dt.datetime, now: dt.datetime | None = None
    ) -> Outgoing:  # fmt: skip
        """One message about a group of alerts. Raises ProblemsFound."""
        channel = self.declaration.channels[notice.channel]
        notifier, locale = self._notifier(channel), self.locale or self.declaration.locale
        figures = Figures(self.declaration, locale)
        context = notice_context(notice, results, figures, self._links.of_kpi)
        made = self._templates(channel, notifier, locale).render("alert", variables_of(context))
        links = {item.link for item in context.alerts if item.link}
        message = Message(
            keys.key(job, logical_time, "alert", channel.name, notice.recipient, alerting.about(notice)), "alert",
            self._local(now or logical_time), made.subject, notice.recipient, made.parts, pictures=made.pictures,
            thread=_thread(notice), link=links.pop() if len(links) == 1 else "",
            data=alerts_for_programs(notice, context), locale=locale,
        )  # fmt: skip
        owners = {item.owner for item in context.alerts if item.owner}
        owner = owners.pop() if len(owners) == 1 else ""
        sealed = self._sealed(message, channel, notifier, context.title, owner, None)
        return replace(sealed, after=notice.after)

    # --- failures --------------------------------------------------------------------------------------------------

    def failure(self, delivery: Undelivered, *, now: dt.datetime) -> list[Outgoing]:
        """Tells of a delivery that finally failed: over the first declared channel that is another than the one that failed
        and has an address for it, else to somebody else on the same one. A channel that cannot say it is passed over.
        Raises ProblemsFound where there was no other."""
        out: list[Outgoing] = []
        problems: list[Problem] = []
        failures = self.declaration.deliveries.failures
        for destination in sorted(failures, key=lambda one: one.channel.value == delivery.channel):
            try:
                out += self._failure(delivery, destination, now)
            except ProblemsFound as found:
                problems += found.problems
            if not all(each.skipped for each in out):
                return out
        if problems and not out:
            raise ProblemsFound(problems)
        return out

    def _failure(
        self, delivery: Undelivered, destination: Destination, now: dt.datetime
    ) -> Iterator[Outgoing]:
        """To those of a channel who are not the very ones that it could not be delivered to."""
        locale = self.locale or self.declaration.locale
        channel = self.declaration.channels[destination.channel.value]
        recipients = _recipients(destination, {"owner": delivery.owner})
        if channel.name == delivery.channel:
            recipients = [one for one in recipients if one.casefold() != delivery.recipient.casefold()]
        if not recipients:
            return
        notifier = self._notifier(channel)
        context = failure_context(delivery, Figures(self.declaration, locale))
        made = self._templates(channel, notifier, locale).render("failure", variables_of(context))
        for recipient in recipients:
            message = Message(
                keys.key(delivery.job, delivery.logical_time, "failure", channel.name, recipient, delivery.key),
                "failure", self._local(now), made.subject, recipient, made.parts, locale=locale,
                data={"delivery": delivery.key, "channel": delivery.channel, "recipient": delivery.recipient,
                      "subject": context.what, "reason": context.reason},
            )  # fmt: skip
            yield self._sealed(message, channel, notifier, delivery.label, delivery.owner, destination)

    def not_ready(self, report: Report, found: Sequence[str]) -> str:
        """What stands on top of a report whose data is not what it has to be; ``found`` says of which datasets, and why."""
        return not_ready_words(
            found, Figures(self.declaration, self.locale or report.locale or self.declaration.locale)
        )

    def not_made(
        self, job: str, logical_time: dt.datetime, owner: str, reason: str, *, now: dt.datetime, until: dt.datetime | None = None
    ) -> list[Outgoing]:  # fmt: skip
        """Tells the owner of a job that could not be done at one of its times; ``until`` is how long it is tried again.
        Raises ProblemsFound."""
        figures = Figures(self.declaration, self.locale or self.declaration.locale)
        key = keys.key(job, logical_time, "run", "", "")
        return self.failure(
            NotMade(key, job, title_of(job, figures), owner, reason, logical_time, until=until), now=now
        )

    # --- channels --------------------------------------------------------------------------------------------------

    def _sealed(
        self, message: Message, channel: Channel, notifier: Notifier, label: str, owner: str, destination: Destination | None,
        about: str = "",
    ) -> Outgoing:  # fmt: skip
        secrets = self.declaration.secrets
        message = replace(message, subject=hide(message.subject, secrets), data=hidden(message.data, secrets))
        bare = Outgoing(message, channel.name, channel.notifier, b"", hide(label, secrets), owner)
        if notifier.addressed:
            if not message.recipient:
                return replace(
                    bare,
                    skipped=f"there is no address for '{about}'" if about else "there is no address for it",
                )
            if wrong := notifier.check_recipient(message.recipient):
                return replace(bare, skipped=f"'{message.recipient}' {wrong}")
        try:
            return replace(bare, sealed=notifier.seal(message))
        except NotifierError as error:
            raise ProblemsFound([self._problem(channel, error, destination)]) from error

    def _problem(
        self, channel: Channel, error: NotifierError, destination: Destination | None = None
    ) -> Problem:
        place = channel.place.at_setting(error.setting)
        if not error.setting and destination is not None:
            place = destination.channel.place.position()
        hidden = self.declaration.unsaid
        message, hint = hide(error.message, hidden), hide(error.hint, hidden)
        return Problem("not-composed", message, place, f"channels.{channel.name}", hint)

    def _notifier(self, channel: Channel) -> Notifier:
        """Raises ProblemsFound where there is none, or its settings cannot work."""
        if channel.name not in self._made:
            found = self._notifiers(channel.notifier)
            if isinstance(found, Problem):
                raise ProblemsFound([replace(found, where=channel.place.position())])
            allowed = (self.declaration.folder.resolve(), *self.declaration.allow_paths)
            context = NotifierContext(channel.name, channel.config, channel.base.resolve(), allowed)
            try:
                self._made[channel.name] = found(context)
            except NotifierError as error:
                raise ProblemsFound([self._problem(channel, error)]) from error
        return self._made[channel.name]

    def _linking(self, channel: Channel) -> Notifier | None:
        """A channel's notifier for its links; none where it is at fault, which is told where something goes there."""
        try:
            return self._notifier(channel)
        except ProblemsFound:
            return None

    def _templates(self, channel: Channel, notifier: Notifier, locale: str) -> Templates:
        return Templates(
            channel.notifier,
            type(notifier),
            self.folders,
            self.declaration.folder,
            locale,
            self.declaration.added,
        )

    def _local(self, moment: dt.datetime) -> dt.datetime:
        return moment.astimezone(self.declaration.calendar.zone)


def _words(report: Report, about: str, address: str, others: Mapping[str, str]) -> Mapping[str, str]:
    """What recipients may be written with."""
    words = {"owner": report.owner, "report": report.name, "value": about, "address": address, **others}
    if report.per is not None:
        words[report.per.segment.value] = address or about
    return words


def _recipients(destination: Destination, words: Mapping[str, str]) -> list[str]:
    """Each once; what is empty stays, so that somebody is told that nobody was."""
    if not destination.to:
        return [""]
    return list(dict.fromkeys(filled(text.value, dict(words)) for text in destination.to))


def _label(made: Made, about: str) -> str:
    return " · ".join(filter(None, (made.context.period_text, about)))


def _thread(notice: Notice) -> str:
    """What belongs together in a mailbox: one alert from its beginning to its end, or a route's group."""
    if len(notice.alerts) == 1:
        [alert] = notice.alerts
        return hashlib.sha256(f"{alert.identity.key} {alert.episode}".encode()).hexdigest()
    return hashlib.sha256(json.dumps([notice.route, notice.group]).encode()).hexdigest()
