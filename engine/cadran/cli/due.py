"""``cadran run --due``: what is due is done, and what waits in the outbox is sent. With ``--now`` it is only tried."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from cadran.cli.common import FAILED, problems_shown, project, root

if TYPE_CHECKING:
    from cadran.declare.model import Declaration
    from cadran.deliver.work import Outcome
    from cadran.project import Project
    from cadran.state.store.store import Store

#: Outcomes of jobs, and of tries to send, that a call fails for.
BAD = ("failed", "retry")
_BAD_TRIES = ("failed", "unknown")


def run_due(ctx: click.Context, kind: str, pretended: dt.date | None) -> None:
    """Exit code 2 where a job could not be done, or a message not be delivered or perhaps not.

    What went wrong goes to the standard error, for a cron to mail it.
    """
    from cadran.problems import ProblemsFound, errors
    from cadran.project.clock import clock_of

    with problems_shown(root(ctx)):
        opened = project(ctx)
        declaration, problems = opened.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        if pretended is not None:
            from cadran.cli.due_trial import tried

            bad = tried(opened, declaration, kind, clock_of(declaration, pretended).instant)
        else:
            bad = _done(opened, declaration, kind)
    if bad:
        raise click.exceptions.Exit(FAILED)


def _done(opened: Project, declaration: Declaration, kind: str) -> bool:
    """Whether something went wrong."""
    from cadran.state.store.retention import tidy

    bad, quiet, zones = False, True, zones_of(declaration)
    with closing(opened.store(declaration)) as store:
        for outcome in opened.perform(now=now, store=store):
            click.echo(said(outcome, kind, zones), err=outcome.state in BAD and kind != "json")
            bad, quiet = bad or outcome.state in BAD, False
        counts = opened.send(now=now, store=store)
        tidy(store, declaration.state.keep, now())
        if counts or kind == "json":
            click.echo(sent(counts, kind))
        elif quiet:
            click.echo(_nothing(store, declaration))
    return bad or any(counts[name] for name in _BAD_TRIES)


def _nothing(store: Store, declaration: Declaration) -> str:
    from cadran.deliver.coming import coming, next_words

    with store.read() as c:
        following = next_words(coming(c, declaration, now()), now())
    if not following:
        return "nothing is due: no report has a 'schedule', and no 'routes' say who hears of alerts"
    return f"nothing is due; next: {following}"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def zones_of(declaration: Declaration) -> dict[str, ZoneInfo]:
    """By job, the zone that its schedule is written in; under "" the project's."""
    from cadran.deliver.jobs import jobs

    return {"": declaration.calendar.zone, **{job.name: job.schedule.zone for job in jobs(declaration)}}


def said(outcome: Outcome, kind: str, zones: dict[str, ZoneInfo]) -> str:
    """One line, with times as the job's schedule has them."""
    at = outcome.logical_time.astimezone(zones.get(outcome.job, zones[""]))
    if kind == "json":
        record = {
            "job": outcome.job, "logical_time": at.isoformat(timespec="minutes"), "state": outcome.state, "reason": outcome.reason,
            "messages": outcome.messages, "late": outcome.late, "skipped": outcome.skipped,
        }  # fmt: skip
        return json.dumps(record, ensure_ascii=False)
    messages = (
        f", {outcome.messages} message{'s' * (outcome.messages != 1)}" if outcome.state == "done" else ""
    )
    if outcome.skipped:
        messages += f", some sent to nobody ({outcome.skipped})"
    late = ", late" if outcome.late and outcome.state == "done" else ""
    return f"{outcome.job} of {at:%Y-%m-%d %H:%M}: {outcome.state}{messages}{late}" + (
        f": {outcome.reason}" if outcome.reason else ""
    )


def sent(counts: Counter[str], kind: str) -> str:
    if kind == "json":
        return json.dumps(
            {"sent": counts["sent"], **{k: v for k, v in sorted(counts.items()) if k != "sent"}}
        )
    return "outbox: " + ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
