"""``cadran plugins``."""

from __future__ import annotations

import click

from cadran.cli.common import FAILED, project


@click.command()
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the plugins: name, version, where from, connectors; a broken one with its traceback. Exit code 2 if one is."""
    manager = project(ctx).plugins
    listing = manager.listing()
    for plugin in listing:
        what = (
            f"connectors: {', '.join(e.name for e in plugin.connectors)}"
            if plugin.connectors
            else "no connectors"
        )
        click.echo(
            f"{plugin.name}  {plugin.distribution} {plugin.version}  {plugin.origin}  {'BROKEN' if plugin.error else what}"
        )
        if plugin.error:
            click.echo("\n".join(f"    {line}" for line in plugin.error.rstrip().splitlines()))
    if not listing:
        click.echo("no plugins; reinstall cadran, or see CADRAN_PLUGINS")
    problems = manager.problems()
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems or any(p.error for p in listing):
        raise click.exceptions.Exit(FAILED)
