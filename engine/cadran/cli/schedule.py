"""``cadran schedule``."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING

import click

from cadran.cli import due
from cadran.cli.common import console, problems_shown, project, root

if TYPE_CHECKING:
    from cadran.deliver.coming import Coming


@click.command()
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def schedule(ctx: click.Context, kind: str) -> None:
    """List what has a schedule: what became of its last time, what is due since when, and when it is next.

    Times are those of each schedule's zone. Nothing is done here; 'cadran run --due' does what is due.
    """
    from cadran.deliver.coming import coming
    from cadran.problems import ProblemsFound, errors
    from cadran.publish.analyses.sheet import Sheet, print_sheets
    from cadran.state.store.store import exists

    with problems_shown(root(ctx)):
        opened = project(ctx)
        declaration, problems = opened.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        if exists(declaration.folder, declaration.state.url):
            with closing(opened.store(declaration)) as store, store.read() as c:
                found = coming(c, declaration, due.now())
        else:
            found = coming(None, declaration, due.now())
    if kind == "json":
        click.echo(json.dumps([_record(one) for one in found], ensure_ascii=False, indent=2))
    elif not found:
        click.echo(
            "nothing has a schedule: no report has a 'schedule', and no 'routes' say who hears of alerts"
        )
    else:
        heads = ("job", "schedule", "zone", "last", "now", "next")
        title = f"{len(found)} {'job' if len(found) == 1 else 'jobs'}"
        print_sheets([Sheet(title, heads, tuple(map(_row, found)), words=len(heads))], console())


def _row(one: Coming) -> tuple[str, ...]:
    last = (
        ""
        if one.last is None
        else f"{one.last.logical_time.astimezone(one.zone):%Y-%m-%d %H:%M}, {one.last.state}"
    )
    if one.due is not None:
        state = (
            f"{'tried in vain' if one.tried else 'due'} since {one.due.astimezone(one.zone):%Y-%m-%d %H:%M}"
        )
    else:
        state = "" if one.seen else "begins with the first 'cadran run --due'"
    return (
        one.job.name, one.job.schedule.cron.value, one.zone.key, last, state,
        "" if one.next is None else f"{one.next.astimezone(one.zone):%a %Y-%m-%d %H:%M}",
    )  # fmt: skip


def _record(one: Coming) -> dict[str, object]:
    def text(moment: dt.datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(one.zone).isoformat(timespec="minutes")

    return {
        "job": one.job.name, "schedule": one.job.schedule.cron.value, "timezone": one.zone.key, "seen": one.seen,
        "last": text(one.last.logical_time if one.last else None), "last_state": one.last.state if one.last else None,
        "last_reason": one.last.reason if one.last else None, "due": text(one.due), "tried": one.tried, "next": text(one.next),
    }  # fmt: skip
