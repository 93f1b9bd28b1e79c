"""``cadran backtest``."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import click

from cadran.cli.common import FAILED, Day, answer_options, fail, project, root, show
from cadran.cli.run import progress
from cadran.problems import ProblemsFound


@click.command()
@click.argument("kpi")
@click.option("--rule", default="", metavar="NAME", help="One of the KPI's rules (default: all of them).")
@click.option(
    "--when", default="", metavar="CONDITION", help="A condition of your own, or another one for --rule."
)
@click.option("--clear", metavar="CONDITION", help="When it is over.")
@click.option("--for", "hold", type=click.IntRange(1), metavar="N", help="Periods that it has to hold for.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Periods that it has to be over for.")
@click.option("--scope", metavar="total | each | SEGMENT,…", help="Which segment values it is about.")
@click.option("--grain", metavar="PERIOD", help="Which of the KPI's periods (default: the finest).")
@click.option("--severity", metavar="WORD", help="What routes take it for.")
@click.option(
    "--on-missing", type=click.Choice(["keep", "alert", "ok"]), help="What periods without data count as."
)
@click.option(
    "--sweep",
    nargs=2,
    metavar="CONDITION RANGE",
    help="Compare thresholds: 'value < {x} * target' x=80%..98%:2%",
)
@click.option("--since", type=Day(), help="First period (default: all that there are).")
@click.option("--until", type=Day(), help="Last period.")
@answer_options
@click.pass_context
def backtest(
    ctx: click.Context, kpi: str, rule: str, when: str, clear: str | None, hold: int | None, keep: int | None, scope: str | None,
    grain: str | None, severity: str | None, on_missing: Literal["keep", "alert", "ok"] | None, sweep: tuple[str, str] | None,
    since: dt.date | None, until: dt.date | None, as_of: dt.date | None, kind: str, locale: str | None,
) -> None:  # fmt: skip
    """Replay alert rules over a KPI's history, written in the file or not: when they would have fired, and what they would
    have sent.

    Every figure is that of today's data. Messages are counted as the project's routes would have sent them, at the times at
    which its alerts are judged.
    """
    from cadran.testing import tried

    if sweep and when:
        fail("--sweep has a condition already", "leave --when out")
    if since and until and since > until:
        fail("--since lies after --until", "exchange them")
    given = tried.Given(
        rule, when, clear, hold, keep, scope, grain, severity, on_missing, *(sweep or ("", ""))
    )
    try:
        swept = tried.sweep(given)
        with progress() as say:
            found, results = project(ctx).backtest(
                kpi, lambda declaration: tried.rules(given, declaration, kpi), since=since, until=until, as_of=as_of,
                given=swept.values if swept else (), name=swept.name if swept else "", progress=say,
            )  # fmt: skip
    except ProblemsFound as wrong:
        show(wrong.problems, root(ctx), lines=tried.lines_of(given))
        raise click.exceptions.Exit(FAILED) from None
    from cadran.publish import backtests

    if kind == "table":
        from rich.console import Console

        from cadran.publish.analyses.sheet import print_sheets
        from cadran.publish.figures import Figures

        figures = Figures(results.declaration, locale or results.declaration.locale)
        print_sheets(list(backtests.sheets(found, figures)), Console())
    else:
        from cadran.publish.analyses.written import to_json

        text = backtests.to_csv(found) if kind == "csv" else to_json(backtests.records(found), results.as_of)
        click.echo(text, nl=False)
    if results.warnings:
        show(results.warnings, root(ctx))
