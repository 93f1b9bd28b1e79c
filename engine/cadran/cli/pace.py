"""``cadran pace``."""

from __future__ import annotations

import datetime as dt

import click

from cadran.cli.common import answer_options, problems_shown, project, root, show


@click.command()
@click.argument("kpis", nargs=-1, metavar="[KPI | tag:NAME]…")
@click.option("--segments", is_flag=True, help="Also for each value of the KPIs' segments.")
@answer_options
@click.pass_context
def pace(
    ctx: click.Context, kpis: tuple[str, ...], as_of: dt.date | None, segments: bool, kind: str, locale: str | None
) -> None:  # fmt: skip
    """Show how running periods go: to date, where they will probably end, and what is left to the target.

    Without KPI: all of the project. The value to date stands beside that of the period before and of a year ago at the
    same elapsed part. The projection comes from the last 12 final periods, with the interval that holds 80 % and with
    how far off the same projection was in past periods. What is left of an amount or a count is spread over the working
    days that are left: Monday to Friday without the calendar's holidays, today included.
    """
    from cadran.analysis.analyse import Wanted
    from cadran.publish.analyses import foretold

    with problems_shown(root(ctx)):
        results = project(ctx).analyse(Wanted(pace=kpis or ("*",), pace_segments=segments), as_of=as_of)
        if kind == "table":
            from rich.console import Console

            foretold.print_pace(results, Console(), locale=locale or "")
        else:
            click.echo({"json": foretold.pace_json, "csv": foretold.pace_csv}[kind](results), nl=False)
    if results.warnings:
        show(results.warnings, root(ctx))
