"""``cadran explain``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from cadran.cli.common import Moment, fail, problems_shown, project, root

if TYPE_CHECKING:
    from cadran.analysis.analyse import Wanted
    from cadran.declare.model import Declaration


@click.command()
@click.argument("name", metavar="KPI")
@click.argument("keys", nargs=-1, metavar="[KEY]…")
@click.option("--as-of", type=Moment(), help="The run's logical time (default: now).")
@click.option(
    "--analyze",
    is_flag=True,
    help="Also what each statement took: where it ran, seconds, rows and bytes given and read.",
)
@click.option(
    "--score",
    is_flag=True,
    help="KPI is the name of a score: show its rules, and which of them gave the rows with these keys their points.",
)
@click.pass_context
def explain(
    ctx: click.Context, name: str, keys: tuple[str, ...], as_of: dt.date | None, analyze: bool, score: bool
) -> None:
    """Show a KPI's formula, measures, datasets, links, periods, and the SQL as it runs."""
    if score:
        _score(ctx, name, keys, as_of)
        return
    if keys:
        fail(f"'{keys[0]}' is one name too many", "explain one KPI; keys of rows go with --score")
    with problems_shown(root(ctx)):
        click.echo(project(ctx).explain(name, as_of=as_of, analyze=analyze))


def _wanted(declared: Declaration, name: str, keys: tuple[str, ...]) -> Wanted:
    from cadran.analysis.analyse import Wanted, chosen

    chosen(declared, "scores", (name,))
    return Wanted(scores={name: 1}, scored={name: keys} if keys else {})


def _score(ctx: click.Context, name: str, keys: tuple[str, ...], as_of: dt.date | None) -> None:
    from rich.console import Console

    from cadran.publish.analyses.scores import row_sheet, rule_sheet, score_block
    from cadran.publish.analyses.sheet import print_sheets
    from cadran.publish.figures import Figures

    with problems_shown(root(ctx)):
        results = project(ctx).analyse(lambda declared: _wanted(declared, name, keys), as_of=as_of)
    assert results.answers is not None
    figures = Figures(results.declaration, results.declaration.locale)
    rules = rule_sheet(score_block(results.answers.scores[name], figures), figures)
    score = results.declaration.scores[name]
    rows = [row_sheet(row, score, figures) for row in results.answers.scored.get(name, ())]
    print_sheets(rows or [rules], Console())
    if any(not row.found for row in results.answers.scored.get(name, ())):
        raise click.exceptions.Exit(1)
