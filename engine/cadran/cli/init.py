"""``cadran init``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cadran.cli.common import fail, problems_shown


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
@click.option("--force", is_flag=True, help="Write over the kpis.yaml that is there.")
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
    for name in made.files:
        click.echo(f"written: {target / name}")
    if made.left_out:
        click.echo(f"{made.kpis} KPIs; left out, as they need what is not there: {', '.join(made.left_out)}")
    if made.account:
        click.echo(f"the fields are those of {made.account}")
    steps = [
        "cadran check",
        *(["cadran sync", "cadran run"] if connector else ["cadran run --as-of 2026-04-01"]),
    ]
    click.echo(f"next: {', then '.join(steps)}")
