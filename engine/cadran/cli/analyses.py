"""``cadran funnels``, ``cadran cohorts`` and ``cadran scores``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from cadran.cli.common import Language, Moment, fail, problems_shown, project, root, show

if TYPE_CHECKING:
    from cadran.analysis.analyse import Wanted
    from cadran.analysis.answers import Answers
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration
    from cadran.publish.analyses.sheet import Sheet
    from cadran.publish.figures import Figures

    Made = tuple[Iterable[Sheet], Iterable[Mapping[str, Any]]]

FORMATS = ["table", "markdown", "csv", "json"]


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What all three take."""
    options = [
        click.argument("names", nargs=-1, metavar="[NAME]…"),
        click.option("--as-of", type=Moment(), help="The logical time (default: now)."),
        click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True),
        click.option(
            "--locale", type=Language(), help="Language, such as fr or en-GB (default: the project's)."
        ),
        click.pass_context,
    ]
    for option in options:
        command = option(command)  # type: ignore[operator]
    return command


@click.command()
@click.option(
    "--period", default="", help="The period of entry to show (default: the last one that is final)."
)
@_options
def funnels(
    ctx: click.Context,
    names: tuple[str, ...],
    as_of: dt.date | None,
    kind: str,
    locale: str | None,
    period: str,
) -> None:
    """Show how many reach step after step of a funnel. Without NAME: all that are declared."""
    from cadran.analysis.analyse import Wanted
    from cadran.publish.analyses import funnels as published

    def made(answers: Answers, figures: Figures) -> Made:
        blocks = [
            b
            for a in answers.funnels.values()
            if (b := published.funnel_block(a, figures, *_at(period))) is not None
        ]
        if period and not blocks:
            fail(
                f"no funnel has the period '{period}'",
                "write for instance 2026-03 or 2026-Q1, or leave it out",
            )
        return (
            (sheet for block in blocks for sheet in published.sheets(block, figures)),
            (record for a in answers.funnels.values() for record in published.records(a)),
        )

    def hint(answers: Answers, figures: Figures) -> str:
        return "" if period else published.other_periods(answers, figures)

    _shown(ctx, "funnels", names, lambda chosen: Wanted(funnels=chosen), made, as_of, kind, locale, hint)


def _at(period: str) -> tuple[str, str]:
    """A period's grain, as far as its label tells, and the label."""
    return ("quarter" if "Q" in period else "week" if "W" in period else "", period)


@click.command()
@_options
def cohorts(
    ctx: click.Context, names: tuple[str, ...], as_of: dt.date | None, kind: str, locale: str | None
) -> None:
    """Show what is left, age by age, of those who began in each period. Without NAME: all that are declared."""
    from cadran.analysis.analyse import Wanted
    from cadran.publish.analyses import cohorts as published

    def made(answers: Answers, figures: Figures) -> Made:
        blocks = [
            b for a in answers.cohorts.values() if (b := published.cohort_block(a, figures)) is not None
        ]
        return (
            (sheet for block in blocks for sheet in published.sheets(block, figures)),
            (record for a in answers.cohorts.values() for record in published.records(a)),
        )

    _shown(ctx, "cohorts", names, lambda chosen: Wanted(cohorts=chosen), made, as_of, kind, locale)


@click.command()
@click.option(
    "--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many of the best to list."
)
@_options
def scores(
    ctx: click.Context, names: tuple[str, ...], as_of: dt.date | None, kind: str, locale: str | None, top: int
) -> None:
    """List the best rows of a score, and why they are. Without NAME: of all that are declared."""
    from cadran.analysis.analyse import Wanted
    from cadran.publish.analyses import scores as published

    def made(answers: Answers, figures: Figures) -> Made:
        blocks = [published.score_block(a, figures) for a in answers.scores.values()]
        return (
            (sheet for block in blocks for sheet in published.sheets(block, figures)),
            (record for a in answers.scores.values() for record in published.records(a, figures)),
        )

    _shown(
        ctx,
        "scores",
        names,
        lambda chosen: Wanted(scores=dict.fromkeys(chosen, top)),
        made,
        as_of,
        kind,
        locale,
    )


def _shown(
    ctx: click.Context, section: str, names: tuple[str, ...], wanted: Callable[[tuple[str, ...]], Wanted],
    made: Callable[[Answers, Figures], Made], as_of: dt.date | None, kind: str, locale: str | None,
    hint: Callable[[Answers, Figures], str] | None = None,
) -> None:  # fmt: skip
    """Computes what was asked for and prints it in the wanted format."""
    from cadran.analysis.analyse import chosen
    from cadran.problems import listed
    from cadran.publish.figures import Figures

    def asked(declared: Declaration) -> Wanted:
        found = chosen(declared, section, names)
        if len(found) > 1 and kind == "csv" and section == "scores":
            fail(
                f"{listed(found)} have different columns, and CSV has one header",
                f"name one of them, as in 'cadran scores {found[0]} --format csv', or take --format json",
            )
        return wanted(found)

    with problems_shown(root(ctx)):
        results = project(ctx).analyse(asked, as_of=as_of)
        assert results.answers is not None
        figures = Figures(results.declaration, locale or results.declaration.locale)
        _print(made(results.answers, figures), kind, results)
        if hint and kind == "table" and (text := hint(results.answers, figures)):
            click.secho(f"· {text}", dim=True)
    if results.warnings:
        show(results.warnings, root(ctx))


def _print(made: Made, kind: str, results: Results) -> None:
    from cadran.publish.analyses.sheet import print_sheets, to_markdown
    from cadran.publish.analyses.written import to_csv, to_json

    sheets, records = made
    match kind:
        case "csv":
            click.echo(to_csv(records), nl=False)
        case "json":
            click.echo(to_json(records, results.as_of), nl=False)
        case "markdown":
            click.echo(to_markdown(list(sheets)), nl=False)
        case _:
            from rich.console import Console

            print_sheets(list(sheets), Console())
