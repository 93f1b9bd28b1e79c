"""``cadran history``."""

from __future__ import annotations

import datetime as dt

import click

from cadran.cli.common import Language, Moment, console, problems_shown, project, root


@click.command()
@click.argument("kpi")
@click.option("--period", default="", metavar="PERIOD", help="2026-06, 2026-Q2 …, or a grain such as month.")
@click.option(
    "--segment",
    "segments",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="By this segment, or one of its values; several for a cross (default: the total).",
)
@click.option(
    "--known-at",
    type=Moment(),
    help="What was known then (default: now); a bare date is all of that day.",
)
@click.option(
    "--revisions", "every", is_flag=True, help="Show every revision, and not only the one that held."
)
@click.option(
    "--format", "kind", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@click.option("--locale", type=Language(), help="Language, such as fr or en-GB (default: the project's).")
@click.pass_context
def history(
    ctx: click.Context, kpi: str, period: str, segments: tuple[str, ...], known_at: dt.date | None, every: bool, kind: str,
    locale: str | None,
) -> None:  # fmt: skip
    """Show what a KPI's values were known to be, when that became known, and which were restated.

    Runs that a schedule makes write down what they compute; a value that differs from the one before is a revision, and both
    are kept. Nothing is computed here, and no source is asked.
    """
    with problems_shown(root(ctx)):
        found = project(ctx).history(kpi, period=period, segment=segments, known_at=known_at)
    from cadran.publish.analyses import history as published
    from cadran.publish.analyses.sheet import print_sheets
    from cadran.publish.figures import Figures

    lines = published.lines(found.observed, every=every)
    zone = found.declaration.calendar.zone
    if kind == "json":
        click.echo(published.to_json(found.kpi, lines, zone, found.known_at), nl=False)
    elif kind == "csv":
        click.echo(published.to_csv(lines, zone), nl=False)
    else:
        figures = Figures(found.declaration, locale or found.declaration.locale)
        print_sheets(published.sheets(lines, figures, zone, found.known_at), console())
