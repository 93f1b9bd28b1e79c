"""``cadran plugin new``."""

from __future__ import annotations

from pathlib import Path

import click

from cadran.cli.common import problems_shown


@click.group()
def plugin() -> None:
    """Write a plugin: a connector, a notifier, or functions. 'cadran plugins' lists those that are installed."""


@plugin.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["connector", "notifier", "functions"]),
    default="connector",
    show_default=True,
    help="What it brings.",
)
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where to write it (default: ./cadran-NAME).",
)
def new(name: str, kind: str, folder: Path | None) -> None:
    """Write a package that works, with its tests: change it into your own, step by step."""
    from importlib.metadata import entry_points

    from cadran.plugins.hookspecs import GROUP
    from cadran.plugins.making import names, write

    with problems_shown(Path()):
        made = names(name, frozenset(point.name for point in entry_points(group=GROUP)))
        target = folder or Path(made.distribution)
        written = write(made, kind, target)
    click.echo(
        f"written: {target} ({len(written)} files), the {kind if kind != 'functions' else 'plugin'} '{made.plugin}'"
    )
    click.echo(f"next: cd {target}, then pip install -e '.[dev]', then pytest")
    click.echo(f"how it goes on: {target / 'README.md'}, and docs/plugins.md of cadran's repository")
