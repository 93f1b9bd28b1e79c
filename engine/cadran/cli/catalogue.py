"""``cadran catalogue``."""

from __future__ import annotations

from pathlib import Path

import click

from cadran.cli.common import FAILED, Language, project, root, saved, show
from cadran.problems import errors


@click.command()
@click.option("--locale", type=Language(), help="Language of the page (default: the project's).")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write there instead of to the terminal.",
)
@click.pass_context
def catalogue(ctx: click.Context, locale: str | None, output: Path | None) -> None:
    """Print a page of all KPIs in Markdown: definition, formula, target, alert, an example from the tests, pitfalls."""
    from cadran.publish.catalogue import catalogue as page

    declaration, problems = project(ctx).declaration()
    if declaration is None or errors(problems):
        show(problems, root(ctx))
        raise click.exceptions.Exit(FAILED)
    text = page(declaration, locale or "")
    if output is None:
        click.echo(text, nl=False)
    else:
        saved(output, text)
