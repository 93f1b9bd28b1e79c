"""Which messages about alerts go to whom: a pure function of what changed, of the routes, and of who was told what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cadran.state.alerting import Instance


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about a group of alerts to one recipient.

    ``kind``: firing (something new fires), repeat, resolved, correction (of a period that was restated). A resolved notice
    is about alerts that one earlier message told of; it goes out ``after`` that delivery, and never without it.
    """

    route: str
    group: str  # the group's key: JSON of what it is grouped by
    kind: Literal["firing", "repeat", "resolved", "correction"]
    channel: str
    recipient: str = ""  # empty where the channel is itself the address
    alerts: tuple[Instance, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)  # what it is grouped by
    after: str = ""
