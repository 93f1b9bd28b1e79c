"""``cadran sync``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from cadran.cli.common import FAILED, problems_shown, project, root, show
from cadran.cli.run import progress

if TYPE_CHECKING:
    from cadran.sync.outcome import Aside, Synced

_REASONS = 3  # of each table; --format json has more
_WAY_OUT = "correct the values at the source, or give the column a type that holds them where the source's settings name it"

_WAY_OUT_OF_FORMAT = (
    "correct 'format:' of the column where the source's settings name it, or the values at the source"
)


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE | SOURCE.TABLE]…")
@click.option("--full", is_flag=True, help="Ask for all rows, and not only for what has changed.")
@click.option(
    "--stale", is_flag=True, help="Only where the last sync is longer ago than the source's max_age."
)
@click.option(
    "--all", "every", is_flag=True, help="All tables that a source has, not only those that datasets use."
)
@click.option("--format", "kind", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--verbose", "-v", is_flag=True, help="Also say what connectors do.")
@click.pass_context
def sync(
    ctx: click.Context,
    sources: tuple[str, ...],
    full: bool,
    stale: bool,
    every: bool,
    kind: str,
    verbose: bool,
) -> None:
    """Ask for what has changed in CRMs and other APIs, and keep it for runs. Without SOURCE: all that datasets use."""
    from cadran.sync.outcome import problems

    log = _aloud if verbose else _quiet
    done = _quiet if sys.stderr.isatty() and not verbose else _aloud  # a terminal has the bar
    opened = project(ctx)
    with problems_shown(root(ctx)), progress() as say:
        outcomes = opened.sync(sources, full=full, stale=stale, every=every, progress=say, log=log, done=done)
    if kind == "json":
        click.echo(json.dumps([_record(one) for one in outcomes], indent=2, ensure_ascii=False))
    else:
        _table(outcomes)
        _notes(outcomes)
    if wrong := problems(outcomes):
        show(wrong, root(ctx))
        raise click.exceptions.Exit(FAILED)


def _aloud(text: str) -> None:
    click.echo(text, err=True)


def _quiet(_: str) -> None: ...


def _record(one: Synced) -> dict[str, Any]:
    error = None if one.error is None else {"message": one.error.message, "hint": one.error.hint}
    counts = one.counts
    return {
        "source": one.source, "table": one.table, "status": _status(one), "rows": counts.rows, "new": counts.new,
        "changed": counts.changed, "deleted": counts.deleted, "set_aside": counts.aside, "whole": one.whole, "resumed": one.resumed,
        "seconds": round(one.seconds, 3), "error": error, "notes": list(one.notes),
        "reasons": [{"where": a.place, "reason": a.reason, "type": a.type, "more": a.more} for a in one.aside],
    }  # fmt: skip


def _status(one: Synced) -> str:
    if one.error is not None:
        return "failed"
    return "fresh" if one.fresh else "synced"


def _table(outcomes: list[Synced]) -> None:
    if not outcomes:
        click.echo("nothing to sync: no dataset uses a source that keeps its rows")
        return
    head = ("table", "rows", "new", "changed", "deleted", "set aside", "seconds", "")
    rows = [head, *(_line(one) for one in outcomes)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    for row in rows:
        cells = [c.rjust(w) if 0 < at < 7 else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        click.echo("  ".join(cells).rstrip())


def _line(one: Synced) -> tuple[str, ...]:
    name, counts = f"{one.source}.{one.table}".rstrip("."), one.counts
    if one.error is not None or one.fresh:
        before = "failed: the rows are those of before" if one.there else "failed; nothing was there before"
        return (name, "", "", "", "", "", "", "fresh" if one.error is None else before)
    notes = ["all rows"] * one.whole + ["went on where an earlier sync stopped"] * one.resumed
    numbers = (counts.rows, counts.new, counts.changed, counts.deleted, counts.aside)
    return (name, *(f"{n:,}" for n in numbers), f"{one.seconds:.1f}", ", ".join(notes))


def _notes(outcomes: list[Synced]) -> None:
    """Why rows were set aside, and where the copy is something else than the source."""
    for one in outcomes:
        name, count = f"{one.source}.{one.table}", one.counts.aside
        for note in one.notes:
            click.echo(f"{name}: {note}")
        if one.aside:
            whole = count + one.counts.rows
            click.echo(f"{name}: {count:,} of {whole:,} rows {'was' if count == 1 else 'were'} set aside, and no figure counts {'it' if count == 1 else 'them'}")  # fmt: skip
            for aside in one.aside[:_REASONS]:
                click.echo(f"  {_reason(aside)}")
            by_format = all("'format: " in aside.reason for aside in one.aside)
            click.echo(f"  {_WAY_OUT_OF_FORMAT if by_format else _WAY_OUT}")


def _reason(one: Aside) -> str:
    kind = f" (the column is {one.type})" if one.type and one.type not in one.reason else ""
    more = f"; {one.more:,} more like it" if one.more else ""
    return f"{one.place}: {one.reason}{kind}{more}"
