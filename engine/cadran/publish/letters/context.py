"""What the templates of messages are given beside what a report's have. Each class says what its fields mean, a line a field."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cadran.publish.context_parts import Change, Figure


@dataclass(frozen=True, slots=True)
class Letter:
    """How a report comes as a message; its templates have the report's own variables too.

    banner: a warning that stands on top, such as of stale data; empty for none
    late_text: that it was due earlier, in words; empty where it is in time
    about_text: the segment value that it is made for; empty for a report of all
    link: where the report can be read in full; empty where that cannot be said
    attached: names of the files that come with it
    rows: how many rows a table shows at most; what is left out is in an attached file
    charts: how many charts it shows at most
    """

    banner: str = ""
    late_text: str = ""
    about_text: str = ""
    link: str = ""
    attached: tuple[str, ...] = ()
    rows: int = 40
    charts: int = 6


@dataclass(frozen=True, slots=True)
class AlertItem:
    """One alert of a message.

    key: what tells it apart, for programs
    subject: kpi, dataset or source: what it is about
    name: as in kpis.yaml
    label: for people
    rule: the rule's name; empty where it has none but its condition
    condition_text: the rule's condition, in words where it is simple
    severity: critical, warning, info, or a word of the team's
    severity_text: for people
    state: firing or resolved
    state_text: for people
    segment_text: the segment and its value; empty for the total
    period_text: the period that it was judged at, in words
    since_text: the period that it began with, in words
    value: the KPI's value there
    target: its target there
    change: the value against the period before
    previous: the value of the period before
    reason: why it stands although no figure says so, in words; mostly empty
    because: what the change comes from, in a sentence or two; may be empty
    action: what is to be done; only while it fires
    owner: who answers for the KPI
    link: where a report shows it; empty where that cannot be said
    silence: the command that silences it; only while it fires
    fresh: whether its reader has not heard of it before
    """

    key: str
    subject: str
    name: str
    label: str
    rule: str
    condition_text: str
    severity: str
    severity_text: str
    state: str
    state_text: str
    segment_text: str
    period_text: str
    since_text: str
    value: Figure
    target: Figure
    change: Change
    previous: Figure
    reason: str
    because: str
    action: str
    owner: str
    link: str
    silence: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class NoticeContext:
    """The variables of the templates of alerts.

    kind: firing, repeat, resolved or correction
    kind_text: the kind for people
    title: what it is about, in one line
    lead: the same as a sentence or two
    alerts: its alerts, those that need most attention first
    hidden: how many more there are than are listed
    hidden_text: that in words; empty where there are none
    group_text: what they have in common, in words; may be empty
    severity: the most urgent severity among them
    severity_text: for people
    locale: such as fr or fr-CH
    language: such as fr
    as_of: the run's clock
    as_of_text: the clock in words
    zone: the calendar's time zone
    """

    kind: str
    kind_text: str
    title: str
    lead: str
    alerts: tuple[AlertItem, ...]
    hidden: int
    hidden_text: str
    group_text: str
    severity: str
    severity_text: str
    locale: str
    language: str
    as_of: dt.datetime
    as_of_text: str
    zone: str


@dataclass(frozen=True, slots=True)
class FailureContext:
    """The variables of the templates that tell an owner of a message that could not be delivered.

    what: the subject of that message
    label: the period, or the alerts, that it is about
    channel: the channel that it was to go to
    recipient: who was to get it; empty where the channel is itself the address
    reason: why it did not arrive, in words
    due_text: the time that it is of, in words
    attempts: how often it was tried
    show: the command that shows it
    retry: the command that has it tried again
    locale: such as fr or fr-CH
    language: such as fr
    title: what this message is about, in one line
    heading: the same in two words, for its subject
    again_text: until when a report that could not be made is tried again; empty where it is given up
    """

    what: str
    label: str
    channel: str
    recipient: str
    reason: str
    due_text: str
    attempts: int
    show: str
    retry: str
    locale: str
    language: str
    title: str
    heading: str = ""
    again_text: str = ""
