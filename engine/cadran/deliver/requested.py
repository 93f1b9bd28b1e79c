"""Reports that somebody wants sent now: composed, put into the outbox, and sent from there like any other."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cadran.declare.model import Destination, Ready, Text
from cadran.deliver.channels import Notifiers
from cadran.deliver.made import messages
from cadran.deliver.messages import Composer, Outgoing
from cadran.deliver.post import Claim, post
from cadran.deliver.ready import unready
from cadran.problems import Problem, ProblemsFound, listed
from cadran.publish.gather import chosen_kpis
from cadran.state.store import by_hand, runs

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.state.store.outbox import Delivery
    from cadran.state.store.store import Store

_NO_WORD = re.compile(r"[^A-Za-z0-9@._+-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """A report as of a moment, for the recipients that are meant. Equal requests are one: their messages go out once."""

    report: Report
    moment: dt.datetime
    job: str


def request(
    declaration: Declaration, report: Report, moment: dt.datetime, addresses: Sequence[str], notifiers: Notifiers
) -> Request:  # fmt: skip
    """For the report's own recipients, or for ``addresses`` instead. Raises ProblemsFound where it goes nowhere."""
    job = f"send:{report.name}"
    if addresses:
        digest = hashlib.sha256("\n".join(sorted(set(addresses))).encode()).hexdigest()[:12]
        return Request(_aimed(declaration, report, addresses, notifiers), moment, f"{job}:{digest}")
    if not report.to:
        hint = (
            "name channels under its 'to', or say where with --to ADDRESS; 'cadran run' writes it to a file"
        )
        raise _problem(report, f"report '{report.name}' is sent nowhere", hint)
    return Request(report, moment, job)


def _aimed(
    declaration: Declaration, report: Report, addresses: Sequence[str], notifiers: Notifiers
) -> Report:
    """The report with other recipients, on its channels that have recipients, else on the only one that there is."""
    own = [to.channel.value for to in report.to if _addressed(declaration, to.channel.value, notifiers)]
    every = [name for name in declaration.channels if _addressed(declaration, name, notifiers)]
    if not own and len(every) != 1:
        message = f"report '{report.name}' names no channel that could send to an address"
        hint = f"name one of these under its 'to': {listed(every)}" if every else "declare a channel for mail"
        raise _problem(report, message, hint)
    for address in addresses:
        wrong = [_wrong(declaration, name, address, notifiers) for name in own or every]
        if all(wrong):
            raise _problem(report, f"--to: '{address}' {wrong[0]}", "write it like ana@example.com")
    to = tuple(Text(address, report.place) for address in addresses)
    return replace(report, to=tuple(Destination(Text(name, report.place), to) for name in own or every))


def _addressed(declaration: Declaration, channel: str, notifiers: Notifiers) -> bool:
    found = notifiers(declaration.channels[channel].notifier)
    return not isinstance(found, Problem) and found.addressed


def _wrong(declaration: Declaration, channel: str, address: str, notifiers: Notifiers) -> str:
    """What is wrong with an address for a channel; empty where nothing is."""
    found = notifiers(declaration.channels[channel].notifier)
    return "" if isinstance(found, Problem) else found.check_recipient(address)


def _problem(report: Report, message: str, hint: str) -> ProblemsFound:
    where = report.place.position()
    return ProblemsFound([Problem("no-destination", message, where, f"reports.{report.name}", hint)])


def compose(wanted: Request, composer: Composer, results: Results) -> list[Outgoing]:
    """Its messages; the same for the same request and results. Where the data is not what ``ready`` asks for, a banner says
    so: whoever sends by hand does not want to wait. Raises ProblemsFound."""
    report = wanted.report
    kpis = [kpi.name for kpi in chosen_kpis(results.declaration, report)]
    old = unready(report.ready or Ready(), results, kpis)
    banner = composer.not_ready(report, old) if old else ""
    return messages(composer, report, results, job=wanted.job, logical_time=wanted.moment, banner=banner)


def anew(store: Store, wanted: Request) -> Request:
    """The same request as one of its own, for what was sent before to be sent again."""
    number = 2
    with store.read() as c:
        while wanted.moment in runs.ran(c, f"{wanted.job}#{number}", wanted.moment):
            number += 1
    return replace(wanted, job=f"{wanted.job}#{number}")


def put(
    store: Store, declaration: Declaration, wanted: Request, made: Sequence[Outgoing], started: dt.datetime,
    now: dt.datetime, host: str,
) -> bool:  # fmt: skip
    """Into the outbox; False where the same was asked for before, so that nothing was added."""
    claim = Claim(wanted.job, wanted.moment, started, now, host=host)
    return post(store, claim, made, settings=declaration.deliveries).run is not None


def became(store: Store, made: Sequence[Outgoing]) -> list[Delivery]:
    """What the outbox says of them now."""
    with store.read() as c:
        return [row for each in made for row in by_hand.find(c, each.message.key)]


def failures(store: Store, jobs: Sequence[str]) -> list[str]:
    """The keys of messages that wait to tell an owner what of these jobs could not be delivered."""
    with store.read() as c:
        rows = [row for job in jobs for row in by_hand.listed(c, ["waiting"], job)]
    return [row.key for row in rows if row.kind == "failure"]


def file_names(report: str, made: Sequence[Outgoing]) -> list[str]:
    """What the messages are called as files, without an ending: ``weekly_sales--mail--ana@example.com``. The same for the
    same message; the digits of its key stand where a name alone would not tell it from others."""
    plain = [_plain(report, each) for each in made]
    times = Counter(name.lower() for name, _ in plain)
    return [
        f"{name}--{each.message.key[:8]}" if lossy or times[name.lower()] > 1 else name
        for (name, lossy), each in zip(plain, made, strict=True)
    ]


def _plain(report: str, outgoing: Outgoing) -> tuple[str, bool]:
    """With no letter that a file's name should not have, and whether there was one."""
    parts = [part for part in (report, outgoing.channel, outgoing.message.recipient) if part]
    kept = [_NO_WORD.sub("-", part)[:60].strip(".-") for part in parts]
    return "--".join(kept), kept != parts
