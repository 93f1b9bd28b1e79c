"""What an owner is told of a message that could not be delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from cadran.publish.letters.context import FailureContext

if TYPE_CHECKING:
    from cadran.publish.figures import Figures


class Undelivered(Protocol):
    """What is asked of a delivery that finally failed: a row of the outbox."""

    @property
    def key(self) -> str: ...
    @property
    def job(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def logical_time(self) -> dt.datetime: ...


@dataclass(frozen=True, slots=True)
class NotMade:
    """A job that could not be done at one of its times, told as what could not be delivered: there is no channel, and nothing
    was sent."""

    key: str
    job: str
    subject: str
    owner: str
    reason: str
    logical_time: dt.datetime
    channel: str = ""
    recipient: str = ""
    label: str = ""
    attempts: int = 0
    until: dt.datetime | None = None  # it is tried again until then


def title_of(job: str, figures: Figures) -> str:
    """What people call a job: the report's title."""
    report = figures.declaration.reports.get(job.removeprefix("report:"))
    return (figures.text(report.title) or report.name) if report is not None else figures.gettext("Alerts")


def not_ready_words(found: Sequence[str], figures: Figures) -> str:
    """What stands on top of a report whose data is not what it has to be; ``found`` says of which datasets, and why."""
    what = "; ".join(figures.told(text) for text in found)
    return figures.gettext("Not all of its data is up to date: %(what)s.", what=what)


def failure_context(delivery: Undelivered, figures: Figures) -> FailureContext:
    context = _of_delivery(delivery, figures)
    return _of_job(delivery, context, figures) if isinstance(delivery, NotMade) else context


def _of_job(job: NotMade, context: FailureContext, figures: Figures) -> FailureContext:
    name = job.job.removeprefix("report:")
    at = job.logical_time.astimezone(figures.declaration.calendar.zone).isoformat(timespec="minutes")
    by_hand = f"cadran report {name} --as-of {at}" if name in figures.declaration.reports else "cadran run"
    title = figures.gettext("A report could not be made")
    again = ""
    if job.until is not None:
        until = figures.form.instant(job.until.astimezone(figures.declaration.calendar.zone))
        again = figures.gettext("It is tried again until %(time)s.", time=until)
    heading = figures.gettext("Not made")
    return replace(
        context, show="cadran check --data", retry=by_hand, title=title, heading=heading, again_text=again
    )


def _of_delivery(delivery: Undelivered, figures: Figures) -> FailureContext:
    said, zone = figures.said, figures.declaration.calendar.zone
    return FailureContext(
        what=said(delivery.subject),
        label=said(delivery.label),
        channel=delivery.channel,
        recipient=said(delivery.recipient),
        reason=said(delivery.reason),
        due_text=figures.form.instant(delivery.logical_time.astimezone(zone)),
        attempts=delivery.attempts,
        show=f"cadran outbox show {delivery.key[:12]}",
        retry=f"cadran outbox retry {delivery.key[:12]}",
        locale=figures.locale,
        language=figures.form.language,
        title=figures.gettext("A message could not be delivered"),
        heading=figures.gettext("Not delivered"),
    )
