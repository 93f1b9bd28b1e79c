"""``cadran plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, project
from cadran.plugins.kinds import CONTRACTS

if TYPE_CHECKING:
    from cadran.plugins.examine import Plugin


@click.command()
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the plugins: name, version, where from, what they provide; a broken one with its traceback. Exit code 2 if one is."""
    manager = project(ctx).plugins
    listing = manager.listing()
    for plugin in listing:
        what = "BROKEN" if plugin.error else _provided(plugin)
        click.echo(f"{plugin.name}  {plugin.distribution} {plugin.version}  {plugin.origin}  {what}")
        if plugin.error:
            click.echo("\n".join(f"    {line}" for line in plugin.error.rstrip().splitlines()))
    if not listing:
        click.echo("no plugins; reinstall cadran, or see CADRAN_PLUGINS")
    problems = manager.problems()
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems or any(p.error for p in listing):
        raise click.exceptions.Exit(FAILED)


def _provided(plugin: Plugin) -> str:
    """``connectors: crm, shop; notifiers: chat``."""
    parts = [
        f"{kind}s: {', '.join(entry.name for entry in entries)}"
        for kind in CONTRACTS
        if (entries := plugin.of(kind))
    ]
    return "; ".join(parts) or "nothing"
