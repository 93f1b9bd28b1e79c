"""``cadran outbox list``, ``show``, ``retry`` and ``drop``."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, console, fail, problems_shown, project, root, saved

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.declare.model import Declaration
    from cadran.state.store.outbox import Delivery
    from cadran.state.store.store import Store

STATES = ["waiting", "leased", "retry", "sent", "failed", "unknown", "skipped", "suppressed", "dropped"]


@click.group()
def outbox() -> None:
    """Show what was sent to whom and what was not, have a message sent again, or drop one."""


@outbox.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only these; can be given again.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Also what was sent, skipped, suppressed or dropped.")
@click.option("--job", default="", metavar="JOB", help="Only of this job, such as report:weekly_sales.")
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def list_(ctx: click.Context, states: tuple[str, ...], everything: bool, job: str, kind: str) -> None:
    """List what still has to go out, what failed, and what may not have arrived; the newest first."""
    from cadran.publish import outbox as shown
    from cadran.publish.analyses.sheet import print_sheets
    from cadran.state.store import by_hand

    if states and everything:
        fail("--all and --state exclude each other")
    wanted = STATES if everything else states or by_hand.OPEN
    with _opened(ctx) as (declaration, store):
        rows = []
        if store is not None:
            with store.read() as c:
                rows = by_hand.listed(c, wanted, job)
    if kind == "json":
        click.echo(shown.to_json(rows), nl=False)
    elif rows:
        print_sheets([shown.sheet(rows, declaration.calendar.zone)], console())
    else:
        click.echo("nothing" if states or everything or job else "nothing waits, and nothing failed; --all lists everything")  # fmt: skip


@outbox.command()
@click.argument("key")
@click.option("--content", is_flag=True, help="The bytes that are sent, as they are.")
@click.option("--output", "-o", metavar="FILE", help="With --content: write them there.")
@click.option("--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def show(ctx: click.Context, key: str, content: bool, output: str | None, kind: str) -> None:
    """Show one delivery and every try; the first digits of its KEY are enough."""
    from cadran.publish import outbox as shown
    from cadran.state.store import by_hand

    if output and not content:
        fail("--output is for the content", "add --content")
    with _opened(ctx) as (declaration, store):
        row = _found(store, key)
        if content:
            _write(row, output)
            return
        assert store is not None
        with store.read() as c:
            history = by_hand.attempts(c, row.key)
    if kind == "json":
        click.echo(shown.to_json([row], [history]), nl=False)
    else:
        click.echo(shown.one(row, history, declaration.calendar.zone), nl=False)


@outbox.command()
@click.argument("keys", nargs=-1, metavar="[KEY]…")
@click.option("--unknown", is_flag=True, help="All of which nobody knows whether they arrived.")
@click.option("--failed", is_flag=True, help="All that could not be delivered.")
@click.pass_context
def retry(ctx: click.Context, keys: tuple[str, ...], unknown: bool, failed: bool) -> None:
    """Have messages sent again, with the same bytes; the next 'cadran run --due' takes them.

    One that is 'unknown' may have arrived: ask its recipient first, or accept that it comes twice.
    """
    from cadran.state.store import by_hand

    if not (keys or unknown or failed):
        fail("nothing to retry", "name KEYs, or give --unknown or --failed")
    states = [state for state, wanted in (("unknown", unknown), ("failed", failed)) if wanted]
    with _opened(ctx) as (declaration, store):
        rows = [_found(store, key) for key in keys]
        if store is not None and states:
            with store.read() as c:
                rows += by_hand.listed(c, states)
        now = dt.datetime.now(dt.UTC)
        length = declaration.deliveries.deadline
        until = now + dt.timedelta(days=length.days, seconds=length.seconds)
        _each(store, rows, lambda c, row: by_hand.retry(c, row.key, now, until), "is sent again")


@outbox.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays beside the delivery.")
@click.pass_context
def drop(ctx: click.Context, keys: tuple[str, ...], reason: str) -> None:
    """Have messages never sent; what was to follow them is not sent either."""
    from cadran.state.store import by_hand

    if not reason.strip():
        fail("--reason says nothing", "say why, for whoever looks later")
    with _opened(ctx) as (_, store):
        rows = [_found(store, key) for key in keys]
        now = dt.datetime.now(dt.UTC)
        _each(store, rows, lambda c, row: by_hand.drop(c, row.key, now, reason.strip()), "is dropped")


# --- what they share -------------------------------------------------------------------------------------------------


@contextmanager
def _opened(ctx: click.Context) -> Iterator[tuple[Declaration, Store | None]]:
    """The declared project and its store, which is not made where there is none yet."""
    from cadran.problems import ProblemsFound, errors
    from cadran.state.store.store import exists

    with problems_shown(root(ctx)):
        opened = project(ctx)
        declaration, problems = opened.declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        store = opened.store(declaration) if exists(declaration.folder, declaration.state.url) else None
        try:
            yield declaration, store
        finally:
            if store is not None:
                store.close()


def _found(store: Store | None, start: str) -> Delivery:
    """The delivery whose key begins so."""
    from cadran.state.store import by_hand

    found = []
    if store is not None:
        with store.read() as c:
            found = by_hand.find(c, start)
    if not found:
        fail(f"no delivery's key begins with '{start}'", "'cadran outbox list --all' shows them")
    if len(found) > 1:
        fail(f"several deliveries' keys begin with '{start}'", "give more digits")
    return found[0]


def _each(store: Store | None, rows: list[Delivery], act: Callable[[Connection, Delivery], str], done: str) -> None:  # fmt: skip
    """Acts on each and says what came of it; exit code 2 where one was refused."""
    from cadran.publish.outbox import SHORT, to

    refused = False
    for row in {row.key: row for row in rows}.values():
        assert store is not None
        with store.write() as c:
            why = act(c, row)
        refused = refused or bool(why)
        name = f"{row.key[:SHORT]}  {row.subject}, {to(row)}"
        click.echo(f"{name}: not done, {why}" if why else f"{name}: {done}", err=bool(why))
    if not rows:
        click.echo("there is none")
    if refused:
        raise click.exceptions.Exit(FAILED)


def _write(row: Delivery, output: str | None) -> None:
    if row.content is None:
        fail(f"the content of {row.key[:12]} is not there", "it is not kept for long, and what is skipped has none")  # fmt: skip
    if output:
        saved(Path(output), row.content)
    else:
        sys.stdout.buffer.write(row.content)
