"""``cadran run --due``: what is due is done, and what waits in the outbox is sent."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, fail, problems_shown, project, root

if TYPE_CHECKING:
    from cadran.deliver.work import Outcome
    from cadran.state.store.store import Store

#: Outcomes of jobs, and of tries to send, that a call fails for.
_BAD = ("failed", "retry")
_BAD_TRIES = ("failed", "unknown")


def run_due(ctx: click.Context, kind: str, pretended: dt.date | None) -> None:
    """Exit code 2 where a job could not be done, or a message not be delivered or perhaps not.

    What went wrong goes to the standard error, for a cron to mail it.
    """
    from cadran.problems import ProblemsFound, errors
    from cadran.project import clock_of
    from cadran.state.store.retention import tidy

    with problems_shown(root(ctx)):
        opened = project(ctx)
        declaration, problems = opened.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        now = clock(clock_of(declaration, pretended).instant if pretended is not None else None)
        bad = False
        with closing(opened.store(declaration)) as store:
            if pretended is not None:
                _check_pretended(store, now())
            for outcome in opened.perform(now=now, store=store):
                click.echo(said(outcome, kind), err=outcome.state in _BAD and kind != "json")
                bad = bad or outcome.state in _BAD
            counts = opened.send(now=now, store=store)
            if pretended is None:  # a clock that only pretends to be later must not take anything away
                tidy(store, declaration.state.keep, now())
        if counts or kind == "json":
            click.echo(sent(counts, kind))
    if bad or any(counts[name] for name in _BAD_TRIES):
        raise click.exceptions.Exit(FAILED)


def _check_pretended(store: Store, pretended: dt.datetime) -> None:
    """A state that is in use is no place to try out the future: what is done or skipped there would not be done in its time."""
    from cadran.deliver.turns import looked

    real = dt.datetime.now(dt.UTC)
    with store.read() as c:
        seen = looked(c)
    if seen is not None and seen <= real < pretended:
        fail(
            "--now lies ahead, and what is due until then would count as done",
            "try it in a copy of the folder without .cadran and with a 'state' of its own",
        )


def clock(pretended: dt.datetime | None) -> Callable[[], dt.datetime]:
    """The clock, or one that was at ``pretended`` when this was called."""
    if pretended is None:
        return lambda: dt.datetime.now(dt.UTC)
    begun = time.monotonic()
    return lambda: pretended + dt.timedelta(seconds=time.monotonic() - begun)


def said(outcome: Outcome, kind: str) -> str:
    """One line."""
    at = outcome.logical_time.isoformat(timespec="minutes")
    if kind == "json":
        record = {
            "job": outcome.job, "logical_time": at, "state": outcome.state, "reason": outcome.reason,
            "messages": outcome.messages, "late": outcome.late,
        }  # fmt: skip
        return json.dumps(record, ensure_ascii=False)
    messages = (
        f", {outcome.messages} message{'s' * (outcome.messages != 1)}" if outcome.state == "done" else ""
    )
    late = ", late" if outcome.late and outcome.state == "done" else ""
    return f"{outcome.job} of {at}: {outcome.state}{messages}{late}" + (
        f": {outcome.reason}" if outcome.reason else ""
    )


def sent(counts: Counter[str], kind: str) -> str:
    if kind == "json":
        return json.dumps(
            {"sent": counts["sent"], **{k: v for k, v in sorted(counts.items()) if k != "sent"}}
        )
    return "outbox: " + ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)
