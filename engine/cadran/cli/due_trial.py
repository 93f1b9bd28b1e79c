"""``cadran run --due --now``: what would be done then, and who would be told what. It is done over a copy of the state."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from cadran.cli import due

if TYPE_CHECKING:
    from cadran.declare.model import Declaration
    from cadran.project import Project
    from cadran.state.store.outbox import Delivery
    from cadran.state.store.store import Store

_DAY = dt.timedelta(days=1)
_SHOWN = ("waiting", "leased", "retry", "skipped")


def tried(opened: Project, declaration: Declaration, kind: str, pretended: dt.datetime) -> bool:
    """Prints what would be done and sent; whether something would go wrong, as far as that is known without sending."""
    zones, bad, quiet, missed = due.zones_of(declaration), False, True, Counter[str]()
    if kind != "json":
        local = pretended.astimezone(zones[""])
        click.echo(f"trial, as if it were {local:%Y-%m-%d %H:%M}: nothing is sent, and the state stays as it is", err=True)  # fmt: skip
    with opened.trial_store(declaration) as store:
        _seen(store, declaration, pretended)
        known = {row.key for row in _rows(store, ["skipped"])}
        for outcome in opened.perform(now=_clock(pretended), store=store, trial=True):
            if outcome.state == "skipped" and kind != "json":
                missed[outcome.job] += 1
                continue
            click.echo(due.said(outcome, kind, zones), err=outcome.state in due.BAD and kind != "json")
            bad, quiet = bad or outcome.state in due.BAD, False
        for job, number in missed.items():
            click.echo(f"{job}: {number} earlier {'times are' if number > 1 else 'time is'} skipped")
        rows = [row for row in _rows(store, _SHOWN) if row.key not in known]
    for row in sorted(rows, key=lambda row: (row.job, row.channel, row.recipient, row.label)):
        click.echo(_said(row, kind))
    if quiet and not rows and kind != "json":
        click.echo("nothing would be done")
    return bad


def _seen(store: Store, declaration: Declaration, pretended: dt.datetime) -> None:
    """As if somebody had looked before: a schedule that is seen for the first time would have nothing due."""
    from cadran.deliver.jobs import jobs
    from cadran.deliver.turns import turns

    with store.write() as c:
        turns(c, jobs(declaration), min(due.now(), pretended - _DAY))


def _rows(store: Store, states: list[str] | tuple[str, ...]) -> list[Delivery]:
    from cadran.state.store import by_hand

    with store.read() as c:
        return by_hand.listed(c, states)


def _said(row: Delivery, kind: str) -> str:
    whom = f"{row.channel}, {row.recipient}" if row.recipient else row.channel
    skipped = row.state == "skipped"
    if kind == "json":
        record = {"message": row.kind, "job": row.job, "channel": row.channel, "recipient": row.recipient, "subject": row.subject,
                  "state": row.state, "reason": row.reason}  # fmt: skip
        return json.dumps(record, ensure_ascii=False)
    return (
        f"would skip {whom}: {row.subject}: {row.reason}"
        if skipped
        else f"would send to {whom}: {row.subject}"
    )


def _clock(pretended: dt.datetime) -> Callable[[], dt.datetime]:
    """One that was at ``pretended`` when this was called."""
    begun = time.monotonic()
    return lambda: pretended + dt.timedelta(seconds=time.monotonic() - begun)
