"""What an owner is told of a message that could not be delivered."""

from __future__ import annotations

import datetime as dt
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


def failure_context(delivery: Undelivered, figures: Figures) -> FailureContext:
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
    )
