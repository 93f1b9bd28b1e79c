"""``cadran explain``."""

from __future__ import annotations

import datetime as dt

import click

from cadran.cli.common import Moment, problems_shown, project, root


@click.command()
@click.argument("kpi")
@click.option("--as-of", type=Moment(), help="The run's logical time (default: now).")
@click.option(
    "--analyze",
    is_flag=True,
    help="Also what each statement took: where it ran, seconds, rows and bytes given and read.",
)
@click.pass_context
def explain(ctx: click.Context, kpi: str, as_of: dt.date | None, analyze: bool) -> None:
    """Show a KPI's formula, measures, datasets, links, periods, and the SQL as it runs."""
    with problems_shown(root(ctx)):
        click.echo(project(ctx).explain(kpi, as_of=as_of, analyze=analyze))
