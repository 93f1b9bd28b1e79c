"""``cadran test``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadran.cli.common import prefix_of, problems_shown, project, root, saved

if TYPE_CHECKING:
    from cadran.testing.outcomes import Outcome

MISSED = 1


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option(
    "--kpi", "kpis", multiple=True, metavar="KPI", help="Only tests about this KPI; may be repeated."
)
@click.option(
    "--junit",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the outcomes as JUnit XML, for CI systems.",
)
@click.option("--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def test(
    ctx: click.Context, names: tuple[str, ...], kpis: tuple[str, ...], junit: Path | None, kind: str
) -> None:
    """Run the project's tests: its KPIs over rows of a few lines, whose figures are known.

    NAME is a test's name; * stands for anything. Exit code 1 if a test fails, 2 if the project cannot be read.
    """
    outcomes: list[Outcome] = []
    with problems_shown(root(ctx)):
        for outcome in project(ctx).test(names, kpis=kpis):
            outcomes.append(outcome)
            if kind == "text":
                _show(outcome)
    _end(outcomes, kind, chosen=bool(names or kpis))
    if junit is not None:
        from cadran.testing.junit import as_xml

        saved(junit, as_xml(outcomes, prefix_of(root(ctx))), "--junit")
    if not all(outcome.passed for outcome in outcomes):
        raise click.exceptions.Exit(MISSED)


def _show(outcome: Outcome) -> None:
    from cadran.testing.shown import lines

    for line in lines(outcome):
        click.echo(line)


def _end(outcomes: list[Outcome], kind: str, *, chosen: bool) -> None:
    from cadran.testing.shown import as_json, summary

    if kind == "json":
        click.echo(as_json(outcomes))
    elif not outcomes:
        what = "no test is about that" if chosen else "there are no tests"
        click.echo(f"{what}; write them under 'tests:'")
    else:
        click.echo(summary(outcomes))
