"""``cadran forecast``."""

from __future__ import annotations

import datetime as dt

import click

from cadran.cli.common import answer_options, problems_shown, project, root, show


@click.command()
@click.argument("names", nargs=-1, metavar="[FORECAST]…")
@click.option("--segments", is_flag=True, help="Also for each value of the forecast's segment.")
@answer_options
@click.pass_context
def forecast(
    ctx: click.Context, names: tuple[str, ...], as_of: dt.date | None, segments: bool, kind: str, locale: str | None
) -> None:  # fmt: skip
    """Show what open deals, and those still to come, will bring in the next periods.

    Without FORECAST: all that kpis.yaml declares under 'forecasts'. Only what was known at --as-of is used. Below stand
    the open deals by stage, and how far off the same forecast would have been at the same point of past periods.
    """
    from cadran.analysis.analyse import Wanted
    from cadran.publish.analyses import foretold

    with problems_shown(root(ctx)):
        results = project(ctx).analyse(Wanted(forecasts=names or ("*",)), as_of=as_of)
        if kind == "table":
            from rich.console import Console

            foretold.print_forecasts(results, Console(), locale=locale or "", segments=segments)
        else:
            write = {"json": foretold.forecasts_json, "csv": foretold.forecasts_csv}[kind]
            click.echo(write(results), nl=False)
    if results.warnings:
        show(results.warnings, root(ctx))
