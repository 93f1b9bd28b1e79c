"""``cadran plugins``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, project
from cadran.plugins.kinds import CONTRACTS
from cadran.problems import ProblemsFound

if TYPE_CHECKING:
    from cadran.plugins.examine import Plugin
    from cadran.plugins.manager import PluginManager


@click.command()
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the plugins: name, version, where from, what they provide; a broken one with its traceback. Exit code 2 if one is.

    Functions, filters, blocks and listeners are only used by projects that name the plugin under 'plugins:'.
    """
    manager = _with_local_files(ctx)
    listing = manager.listing()
    for plugin in listing:
        what = "BROKEN" if plugin.error else _provided(plugin)
        what = f"OTHER API: {plugin.way_out}" if plugin.speaks else what
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


def _with_local_files(ctx: click.Context) -> PluginManager:
    """The plugins that are installed, and the files that the project names, if this is the folder of one. No setting is looked up."""
    from cadran.declare.document import Document
    from cadran.declare.extensions import named
    from cadran.declare.findings import Findings

    opened, found = project(ctx), Findings()
    if opened.file.is_file():
        with suppress(ProblemsFound):
            named(
                Document.load(opened.file, opened.file.name),
                opened.file.resolve().parent,
                opened.plugins,
                found,
            )
    for problem in found.problems:
        click.echo(str(problem), err=True)
    return opened.plugins


def _provided(plugin: Plugin) -> str:
    """``connectors: crm, shop; notifiers: chat``."""
    parts = [
        f"{kind}s: {', '.join(entry.name for entry in entries)}"
        for kind in CONTRACTS
        if (entries := plugin.of(kind))
    ]
    return "; ".join(parts) or "nothing"
