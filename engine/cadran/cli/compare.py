"""``cadran compare``."""

from __future__ import annotations

import datetime as dt

import click

from cadran.cli.common import answer_options, console, problems_shown, project, root, show


@click.command()
@click.argument("kpis", nargs=-1, required=True, metavar="KPI…")
@click.option("--milestone", required=True, metavar="NAME", help="One of the project's milestones.")
@click.option(
    "--months", type=int, default=6, show_default=True, help="How many months on each side, 6 or more."
)
@answer_options
@click.pass_context
def compare(
    ctx: click.Context, kpis: tuple[str, ...], milestone: str, months: int, as_of: dt.date | None, kind: str,
    locale: str | None,
) -> None:  # fmt: skip
    """Set the months before a milestone beside those after it, and say how sure a change is."""
    from cadran.analysis.analyse import Wanted
    from cadran.analysis.answers import MilestoneQuestion
    from cadran.publish.analyses.milestone_outputs import print_milestones, to_csv, to_json
    from cadran.publish.figures import Figures

    questions = tuple(MilestoneQuestion(kpi, milestone, months) for kpi in dict.fromkeys(kpis))
    with problems_shown(root(ctx)):
        results = project(ctx).analyse(Wanted(milestones=questions), as_of=as_of)
    assert results.answers is not None
    answers = list(results.answers.milestones.values())
    figures = Figures(results.declaration, locale or results.declaration.locale)
    if kind == "table":
        print_milestones(answers, figures, console())
    else:
        click.echo(to_json(answers, figures) if kind == "json" else to_csv(answers), nl=False)
    if results.warnings:
        show(results.warnings, root(ctx))
