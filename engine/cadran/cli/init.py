"""``cadran init``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadran.cli.common import fail, problems_shown

if TYPE_CHECKING:
    from cadran.starting.init import Made


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--connector",
    metavar="NAME",
    default="",
    help="Begin with the catalogue of KPIs over a CRM: hubspot, salesforce, pipedrive, odoo.",
)
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="A setting of the source, such as proxy=http://proxy.example:3128; may be repeated.",
)
@click.option(
    "--force", is_flag=True, help="Write over files that are there; copies of them are kept beside."
)
@click.pass_context
def init(
    ctx: click.Context, folder: Path | None, connector: str, settings: tuple[str, ...], force: bool
) -> None:
    """Write a new project into FOLDER (default: here). With --connector, the account is asked which fields it has: its token has to be
    in the environment."""
    from cadran.starting.init import init as begin

    target = folder or ctx.obj[0]
    pairs = [setting.partition("=") for setting in settings]
    if wrong := [key for key, sign, _ in pairs if not sign or not key.isidentifier()]:
        fail(
            f"--set {wrong[0]} says no value",
            "write --set KEY=VALUE, such as --set proxy=http://proxy.example:3128",
        )
    if pairs and not connector:
        fail("--set goes with --connector")
    with problems_shown(target):
        made = begin(
            target, connector, os.environ, settings={key: value for key, _, value in pairs}, force=force
        )
    _told(made, target)
    steps = ["check", *(["sync", "run"] if connector else ["run --as-of 2026-04-01"])]
    there = "cadran" if target.resolve() == Path.cwd() else f"cadran -C {shlex.quote(str(target))}"
    click.echo(f"next: {', then '.join(f'{there} {step}' for step in steps)}")


def _told(made: Made, target: Path) -> None:
    """What was written, what it takes for what, and what it has not."""
    for name in made.files:
        click.echo(f"written: {target / name}")
    for name in made.kept:
        click.echo(f"{target / name}: what was there before")
    if not made.ignored:
        click.echo(
            f"{target / '.gitignore'} is there: write .cadran/ into it, where copies of your source's data are kept"
        )
    if made.account:
        click.echo(f"the fields are those of {made.account}")
    if made.assumed:
        click.echo("taken for granted; change in kpis.yaml what is different with you:")
    for one in made.assumed:
        click.echo(f"  {one}")
    if made.account:
        click.echo(f"{made.kpis} KPIs, without targets, alerts and owners: those are yours to write")
    if made.left_out:
        click.echo("left out:")
    for reason, names in made.left_out.items():
        click.echo(f"  {reason}: {', '.join(names)}")
