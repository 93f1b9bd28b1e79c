"""``cadran cache`` and ``cadran cache clear``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cadran.cli.common import problems_shown, project, root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cadran.compute.keeping.account import Line


@click.group(invoke_without_command=True)
@click.pass_context
def cache(ctx: click.Context) -> None:
    """Show what is kept of which KPI, so that its final periods need not be computed again."""
    if ctx.invoked_subcommand is not None:
        return
    opened = project(ctx)
    lines, unread = opened.cache(), opened.unread_cache()
    if unread:
        click.echo(
            f"{_size(unread)} were kept by another version of cadran or of DuckDB, and are not used; 'cadran cache clear' takes them away"
        )
        return
    if not lines:
        click.echo("nothing is kept; 'cadran run' keeps the results of final periods")
        return
    for text in _table(lines):
        click.echo(text)
    total = sum(line.bytes for line in lines)
    click.echo(
        f"\n{sum(line.results for line in lines)} results, {_size(total)}; 'cadran cache clear' forgets them"
    )


@cache.command()
@click.argument("kpis", nargs=-1, metavar="[KPI]…")
@click.pass_context
def clear(ctx: click.Context, kpis: tuple[str, ...]) -> None:
    """Forget what is kept, of all or of some KPIs: the next run computes it again."""
    with problems_shown(root(ctx)):
        opened = project(ctx)
        unread = opened.unread_cache()
        count = opened.clear_cache(kpis)
    if unread and not kpis:
        click.echo(f"{_size(unread)} of another version of cadran or of DuckDB taken away")
        return
    click.echo(f"{count} result{'s' * (count != 1)} forgotten")


def _table(lines: Sequence[Line]) -> list[str]:
    head = ("KPI", "dataset", "by", "results", "since", "last used", "size")
    rows = [(i.kpi, i.dataset, i.grain, str(i.results), i.since, i.used, _size(i.bytes)) for i in lines]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    right = (3, 6)
    return [
        "  ".join(cell.rjust(w) if at in right else cell.ljust(w) for at, (cell, w) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in [head, *rows]
    ]  # fmt: skip


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
