"""The tables of the store. A change here is a migration (``migrations/versions``); a test holds both to each other."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cadran.state.store.kinds import Figure, Instant, Names

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

#: What the store says of itself: ``cadran`` is the version that brought its tables to where they are.
about = Table(
    "about", metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)  # fmt: skip

#: A job: something that has a schedule. ``since`` is when it was first seen; times before that are nobody's.
job = Table(
    "job", metadata,
    Column("name", String(300), primary_key=True),  # report:weekly_sales, alerts
    Column("since", Instant, nullable=False),
)  # fmt: skip

#: A job at one logical time: what ``run --due`` claims by inserting it.
run = Table(
    "run", metadata,
    Column("id", Integer, primary_key=True),
    Column("job", String(300), nullable=False),
    Column("logical_time", Instant, nullable=False),
    Column("state", String(10), nullable=False),  # done | skipped | failed
    Column("reason", Text, nullable=False, default=""),
    Column("started", Instant, nullable=False),
    Column("finished", Instant, nullable=False),
    Column("host", String(300), nullable=False, default=""),
    UniqueConstraint("job", "logical_time"),
)  # fmt: skip

#: A KPI's value for one period and segment value; a value that differs from the one before is a revision of its own.
observation = Table(
    "observation", metadata,
    Column("id", Integer, primary_key=True),
    Column("kpi", String(300), nullable=False),
    Column("grain", String(20), nullable=False),
    Column("period", String(20), nullable=False),  # its label
    Column("ends", Date),  # the period's last day; NULL for all of an undated dataset
    Column("segment", Names, nullable=False),
    Column("segment_value", Names, nullable=False),
    Column("revision", Integer, nullable=False),  # 1 is the first
    Column("value", Figure),
    Column("base", Figure),
    Column("target", Figure),
    Column("target_high", Figure),
    Column("status", String(20), nullable=False),
    Column("state", String(10), nullable=False),  # settling | maturing | final
    Column("known", Instant, nullable=False),  # the logical time of the run that saw it
    Column("until", Instant),  # the logical time of the run that saw another one; NULL: it is the newest
    Column("recorded", Instant, nullable=False),  # when that was written down
    Column("run", Integer, ForeignKey("run.id")),
    UniqueConstraint("kpi", "grain", "period", "segment", "segment_value", "revision"),
    Index("ix_observation_until", "kpi", "until"),
)  # fmt: skip

#: An alert: one rule of one KPI for one segment value (or one expectation of a dataset, or a source that failed).
alert = Table(
    "alert", metadata,
    Column("identity", String(64), primary_key=True),
    Column("subject", String(10), nullable=False),  # kpi | dataset | source
    Column("name", String(300), nullable=False),  # the KPI's, the dataset's, the source's
    Column("rule", Text, nullable=False),
    Column("grain", String(20), nullable=False),
    Column("segment", Names, nullable=False),
    Column("segment_value", Names, nullable=False),
    Column("condition", String(64), nullable=False),  # digest of what state rests on
    Column("state", String(10), nullable=False),  # ok | pending | firing
    Column("since", String(40), nullable=False),  # label of the first period of the stretch
    Column("held", Integer, nullable=False),
    Column("cleared", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("period", String(40), nullable=False),  # the newest period that was judged
    Column("value", Figure),
    Column("target", Figure),
    Column("episode", Integer, nullable=False),  # how often it has begun to fire
    Column("fired", String(40), nullable=False, default=""),  # first period of the stretch for which it last fired
    Column("changed", Instant),  # the logical time of its last transition
    Column("seen", Instant, nullable=False),  # … of its last evaluation
    Column("trail", Text, nullable=False, default="[]"),  # JSON: the newest judged periods, with what was said of them
    Column("previous", Figure),  # the value of the period before
    Column("because", Text, nullable=False, default=""),  # what the change since then comes from, in words
)  # fmt: skip

#: What changed about an alert, and why; never changed itself.
transition = Table(
    "transition", metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", String(64), nullable=False, index=True),
    Column("run", Integer, ForeignKey("run.id")),
    Column("at", Instant, nullable=False),
    Column("period", String(40), nullable=False),
    Column("before", String(10), nullable=False),
    Column("after", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("value", Figure),
    Column("target", Figure),
    Column("correction", Boolean, nullable=False, default=False),  # of a period that was restated
    Column("silent", Boolean, nullable=False, default=False),  # built up by the first run, told to nobody
)  # fmt: skip

#: Who was told of which episode of an alert, by which route; ``ended`` once they were told that it is over.
told = Table(
    "told", metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("episode", Integer, nullable=False),
    Column("route", String(300), nullable=False),
    Column("channel", String(300), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("delivery", String(64), nullable=False),  # the key of the firing message
    Column("at", Instant, nullable=False),  # of the newest message about it
    Column("ended", Instant),
    UniqueConstraint("identity", "episode", "route", "channel", "recipient"),
)  # fmt: skip

#: A route's group: since when it waits to be sent for the first time, when it was last sent.
notice_group = Table(
    "notice_group", metadata,
    Column("route", String(300), primary_key=True),
    Column("group", String(600), primary_key=True),
    Column("waiting", Instant),
    Column("sent", Instant),
)  # fmt: skip

silence = Table(
    "silence", metadata,
    Column("id", Integer, primary_key=True),
    Column("matchers", Text, nullable=False),  # JSON: what is compared → the values that fit
    Column("starts", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(300), nullable=False),
    Column("created", Instant, nullable=False),
    Column("expired", Instant),  # when somebody ended it
)  # fmt: skip

#: The outbox: one message to one recipient, with the bytes that every try sends.
delivery = Table(
    "delivery", metadata,
    Column("key", String(64), primary_key=True),
    Column("run", Integer, ForeignKey("run.id")),
    Column("job", String(300), nullable=False),
    Column("kind", String(10), nullable=False),  # report | alert | failure
    Column("channel", String(300), nullable=False),
    Column("notifier", String(300), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("logical_time", Instant, nullable=False),
    Column("label", Text, nullable=False, default=""),  # the period, or the alerts, that it is about
    Column("owner", String(320), nullable=False, default=""),
    Column("content", LargeBinary),  # sealed; NULL once retention has taken it, and for what is never sent
    Column("digest", String(64), nullable=False, default=""),  # SHA-256 of the content
    # waiting | leased | retry | sent | failed | unknown | skipped | suppressed | dropped
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("where", Text, nullable=False, default=""),  # what the notifier said of where it went
    Column("attempts", Integer, nullable=False, default=0),
    Column("begun", Boolean, nullable=False, default=False),  # whether the try that holds the lease may have arrived
    Column("holder", String(80), nullable=False, default=""),
    Column("lease", Instant),  # until when the holder has it
    Column("due", Instant, nullable=False),  # not before
    Column("deadline", Instant, nullable=False),
    Column("on_unknown", String(4), nullable=False),  # wait | send
    Column("after", String(64)),  # goes out only once that one is sent, never if that one never will be
    Column("created", Instant, nullable=False),
    Column("finished", Instant),
    Column("told", Boolean, nullable=False, default=False),  # whether its final failure has been told to the owner
    Index("ix_delivery_state_due", "state", "due"),
)  # fmt: skip

#: What came of each try and of each thing that a person did; never changed.
attempt = Table(
    "attempt", metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery", String(64), ForeignKey("delivery.key"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("outcome", String(12), nullable=False),  # began | sent | retry | failed | unknown | dropped | released …
    Column("detail", Text, nullable=False, default=""),
    Column("host", String(300), nullable=False, default=""),
    Column("seconds", Integer),
)  # fmt: skip

#: A courtesy between machines: who is busy with what, until when. Correctness never rests on it.
lease = Table(
    "lease", metadata,
    Column("name", String(300), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("until", Instant, nullable=False),
)  # fmt: skip
