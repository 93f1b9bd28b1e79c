"""``cadran check`` and ``cadran schema``."""

from __future__ import annotations

import json

import click

from cadran.cli.common import FAILED, project, root, show
from cadran.plugins.kinds import CONTRACTS
from cadran.problems import ProblemsFound, errors


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
)
@click.option("--data", is_flag=True, help="Also load the data: types, unique keys, coverage.")
@click.pass_context
def check(ctx: click.Context, kind: str, data: bool) -> None:
    """Check kpis.yaml; every problem with its place and the way out. Exit code 2 if there is one."""
    opened = project(ctx)
    kpis = 0
    try:
        declaration, _, problems = opened.model()
        kpis = len(declaration.kpis)
        if data:
            problems = opened.check_data()
    except ProblemsFound as found:
        problems = found.problems
    if kind != "text" or problems:
        show(problems, root(ctx), kind, err=False)
    if errors(problems):
        raise click.exceptions.Exit(FAILED)
    if kind == "text" and not problems:
        click.echo(f"{opened.file.name}: {kpis} KPI{'s' * (kpis != 1)}, no problems")


@click.command()
@click.pass_context
def schema(ctx: click.Context) -> None:
    """Print the JSON Schema of kpis.yaml with the settings of all installed connectors and notifiers."""
    from cadran.declare.schema import composed

    plugins = project(ctx).plugins
    settings = {
        kind: {n: own for n in plugins.names(kind) if (own := plugins.config_schema(n, kind)) is not None}
        for kind in CONTRACTS
    }
    click.echo(json.dumps(composed(settings), indent=2, ensure_ascii=False))
