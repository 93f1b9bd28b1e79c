"""Alerts judged once more, and what is to be said of them: everything inside the caller's one transaction.

``judge`` reads where alerts stood and writes where they stand; ``told`` follows once a notice's message lies in the outbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.engine import Connection

from cadran.compute.results import Results
from cadran.declare.model import Declaration
from cadran.deliver.broken import Broken
from cadran.judge.evaluate import Rests, concerned, evaluate, inhibitions
from cadran.judge.notices import Alerted, Decision, Known, Notice, decide
from cadran.judge.routes import labels
from cadran.state.alerting import Instance, Told
from cadran.state.store import alerts, silences


def judge(
    c: Connection, declaration: Declaration, results: Results | None, *, logical_time: dt.datetime, run: int | None,
    broken: Broken | None = None, rests: Rests | None = None, now: dt.datetime | None = None, raising: bool = True,
) -> list[Notice]:  # fmt: skip
    """Judges what was computed, and gives the messages that follow of it, one for each recipient.

    Where something is ``broken`` there may be no ``results``, or without some KPIs; ``rests`` then says which datasets each KPI
    rests on (``Project.dependencies``). Unless ``raising``, no alert is raised about that, for it may be over soon. Without either nothing is judged: messages that have waited, and repeats, are due.
    ``now`` is the clock, where the logical time lies behind it.
    """
    rests = rests or (results.rests if results is not None else {})
    prior = alerts.load(c)
    broken = broken or Broken()
    found = evaluate(
        declaration, results, prior, logical_time, failed=broken.sources, broken=broken.datasets, rests=rests, raising=raising
    )  # fmt: skip
    if results is not None:
        found.instances = noted(found.instances, results, logical_time)
    for key, new in found.renamed.items():
        alerts.rename(c, key, new)
    alerts.save(c, (i for key, i in found.instances.items() if prior.get(key) != i))
    alerts.append(c, found.transitions, run, logical_time)
    decision = decided(c, declaration, found.instances.values(), rests, logical_time, sent=now, broken=broken)
    alerts.keep_groups(c, decision.groups)
    alerts.settle(c, decision.over, logical_time)
    return list(decision.notices)


def noted(instances: Mapping[str, Instance], results: Results, judged: dt.datetime) -> dict[str, Instance]:
    """The alerts with what messages will say of a change, also such as are held back until nothing is computed any more."""
    from cadran.publish.figures import Figures
    from cadran.publish.letters.alerts import because, place

    new = {place(i): i for i in instances.values() if i.seen == judged and i.identity.subject == "kpi"}
    rows = {at: row for row in results.rows if (at := place(row)) in new}
    figures = Figures(results.declaration, results.declaration.locale)
    out = dict(instances)
    for at, one in new.items():
        said = because(one, results, figures) if one.state == "firing" else ""
        previous = rows[at].previous if at in rows else None
        out[one.identity.key] = replace(one, previous=previous, because=said)
    return out


def decided(
    c: Connection, declaration: Declaration, instances: Iterable[Instance], rests: Rests, now: dt.datetime,
    *, sent: dt.datetime | None = None, broken: Broken | None = None,
) -> Decision:  # fmt: skip
    """What is to be said, and what is held back. Writes nothing."""
    known = Known(alerts.all_told(c), alerts.groups(c), silences.listed(c, sent or now))
    every = alerted(declaration, list(instances), rests, broken)
    return decide(
        declaration.routes, every, known, declaration.calendar, now, sent=sent, channels=declaration.channels
    )


def alerted(
    declaration: Declaration, instances: Sequence[Instance], rests: Rests, broken: Broken | None = None
) -> list[Alerted]:
    """Alerts with what routes and silences compare of them, in a settled order."""
    broken = broken or Broken()
    inhibited = inhibitions(declaration, instances, rests, broken.sources, broken.datasets)
    order = sorted(
        instances,
        key=lambda i: (i.identity.subject, i.identity.name, i.identity.rule, i.identity.segment_value),
    )
    return [
        Alerted(i, labels(i, declaration, concerned(declaration, i.identity, rests) if i.identity.subject != "kpi" else ()), inhibited.get(i.identity.key, ""))
        for i in order
    ]  # fmt: skip


def told(c: Connection, notice: Notice, key: str, *, now: dt.datetime) -> None:
    """Writes down that a notice's message lies in the outbox under this key, whether or not it will arrive.

    ``now`` is the logical time that it was decided at: repeats are counted from it, so that they keep to the schedule.
    """
    after = notice.after or key
    some = [
        Told(i.identity.key, i.episode, notice.route, notice.channel, notice.recipient, after, now)
        for i in notice.alerts
    ]
    if notice.kind in ("firing", "repeat"):
        alerts.tell(c, some)
        return
    for one in some:
        alerts.settle_after(c, one, now)


def about(notice: Notice) -> str:
    """What tells apart the messages to one recipient at one time, for the delivery's key."""
    return f"{notice.route}|{notice.group}|{notice.kind}|{notice.after}"
