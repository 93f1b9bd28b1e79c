"""``cadran why``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cadran.cli.common import answer_options, console, problems_shown, project, root, show

if TYPE_CHECKING:
    from cadran.analysis.answers import WhyAnswer
    from cadran.publish.figures import Figures


@click.command()
@click.argument("kpi")
@click.option(
    "--period",
    default="",
    metavar="PERIOD",
    help="2026-06, 2026-Q2 …, or a grain for its last final period (default: the finest).",
)
@click.option(
    "--against", type=click.Choice(["previous", "year_ago"]), default="previous", show_default=True,
    help="What it is compared with.",
)  # fmt: skip
@click.option(
    "--by", metavar="SEGMENT", help="Split by this segment of the KPI; a cross as 'channel / range'."
)
@click.option(
    "--all", "every", is_flag=True, help="Show the tables of all segments, and not the most telling one."
)
@answer_options
@click.pass_context
def why(
    ctx: click.Context, kpi: str, period: str, against: str, by: str | None, every: bool, as_of: dt.date | None, kind: str,
    locale: str | None,
) -> None:  # fmt: skip
    """Explain a KPI's change: what each value of a segment brought to it, by its own rate and by its weight."""
    from cadran.analysis.analyse import Wanted
    from cadran.analysis.answers import WhyQuestion
    from cadran.publish.figures import Figures

    segment = tuple(part.strip() for part in by.split(" / ")) if by is not None else None
    question = WhyQuestion(kpi, period, "year_ago" if against == "year_ago" else "previous", segment)
    with problems_shown(root(ctx)):
        results = project(ctx).analyse(Wanted(whys=(question,)), as_of=as_of)
    assert results.answers is not None
    answers = list(results.answers.whys.values())
    figures = Figures(results.declaration, locale or results.declaration.locale)
    _shown(kind, answers, figures, every)
    if results.warnings:
        show(results.warnings, root(ctx))


def _shown(kind: str, answers: Sequence[WhyAnswer], figures: Figures, every: bool) -> None:
    from cadran.publish.analyses.why_outputs import print_why, to_csv, to_json

    if kind == "table":
        print_why(answers, figures, console(), every=every)
    else:
        click.echo(to_json(answers, figures) if kind == "json" else to_csv(answers), nl=False)
