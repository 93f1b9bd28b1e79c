"""``cadran check`` and ``cadran schema``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, prefix_of, project, root, show
from cadran.declare.settings import mask
from cadran.problems import Problem, ProblemsFound, errors
from cadran.publish.found import as_data as datasets_as_data
from cadran.publish.found import as_lines

if TYPE_CHECKING:
    from cadran.compute.examining.found import Found


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
)
@click.option(
    "--data", is_flag=True, help="Also load the data: types, unique keys; says what each dataset holds."
)
@click.pass_context
def check(ctx: click.Context, kind: str, data: bool) -> None:
    """Check kpis.yaml; every problem with its place and the way out. Exit code 2 if there is one."""
    opened = project(ctx)
    kpis = 0
    found: list[Found] = []
    secrets: frozenset[str] = frozenset()
    try:
        if data:
            problems, found = opened.examine()
            declared, _ = opened.declaration()
        else:
            declared, _, problems = opened.model(files=True)
        if declared is not None:
            kpis, secrets = len(declared.kpis), declared.secrets
    except ProblemsFound as raised:
        problems = raised.problems
    if kind == "json" and data:
        _as_json(problems, found, prefix_of(root(ctx)), secrets)
    elif kind != "text" or problems:
        show(problems, root(ctx), kind, err=False)
    if errors(problems):
        raise click.exceptions.Exit(FAILED)
    if kind == "text":
        if not problems:
            click.echo(f"{opened.file.name}: {kpis} KPI{'s' * (kpis != 1)}, no problems")
        if found:
            click.echo("\n" + as_lines(found, secrets))


def _as_json(
    problems: Sequence[Problem], found: Sequence[Found], prefix: str, secrets: Iterable[str]
) -> None:
    from cadran.problem_formats import as_data

    whole = as_data(problems, prefix) | {"datasets": datasets_as_data(found)}
    click.echo(mask(json.dumps(whole, indent=2, ensure_ascii=False), secrets))


@click.command()
@click.pass_context
def schema(ctx: click.Context) -> None:
    """Print the JSON Schema of kpis.yaml with the settings of all installed connectors and notifiers."""
    from cadran.declare.plugged import SECTIONS, with_sync
    from cadran.declare.schema import composed

    plugins = project(ctx).plugins
    settings = {
        kind: {n: own for n in plugins.names(kind) if (own := plugins.config_schema(n, kind)) is not None}
        for kind in SECTIONS
    }
    kept = {name: with_sync(own) for name, own in settings["connector"].items() if plugins.synced(name)}
    settings["connector"] |= kept
    click.echo(json.dumps(composed(settings), indent=2, ensure_ascii=False))
