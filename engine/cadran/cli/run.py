"""``cadran run``."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from cadran.cli.common import (
    FAILED,
    Day,
    Language,
    Moment,
    fail,
    failed_shown,
    problems_shown,
    project,
    root,
    saved,
    show,
    template_folders,
)
from cadran.problems import Problem, errors, listed

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.project import Project

FORMATS = ["table", "csv", "json", "parquet", "markdown", "html"]


@click.command()
@click.argument("kpis", nargs=-1, metavar="[KPI | tag:NAME]…")
@click.option(
    "--as-of", type=Moment(), help="The run's logical time (default: now); a bare date is its first instant."
)
@click.option("--since", type=Day(), help="First period to show (default: the last 13 of each grain).")
@click.option("--until", type=Day(), help="Last period to show.")
@click.option(
    "--segment",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Only this segment, or one of its values; may be repeated.",
)
@click.option(
    "--segments", "all_segments", is_flag=True, help="Show the segments' values in the table as well."
)
@click.option("--full", is_flag=True, help="Compute everything anew, whatever earlier runs have kept.")
@click.option(
    "--no-sync", is_flag=True, help="Compute from what lies here, and ask no CRM or API for what has changed."
)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write there instead of to the terminal.",
)
@click.option(
    "--locale",
    type=Language(),
    help="Language of labels and numbers, such as fr or en-GB (default: the project's).",
)
@click.option(
    "--verbose", "-v", is_flag=True, help="Also say what the run had of each source: rows and bytes."
)
@click.option("--due", is_flag=True, help="Do what is due by the schedules of reports and alerts, and send what waits in the outbox.")  # fmt: skip
@click.option(
    "--now",
    type=Moment(),
    help="With --due: only say what would be done then and who would be told; nothing is sent, and the state stays as it is.",
)
@click.pass_context
def run(
    ctx: click.Context, kpis: tuple[str, ...], as_of: dt.date | None, since: dt.date | None, until: dt.date | None,
    segment: tuple[str, ...], all_segments: bool, full: bool, no_sync: bool, kind: str, output: Path | None, locale: str | None,
    verbose: bool, due: bool, now: dt.date | None,
) -> None:  # fmt: skip
    """Compute KPIs. Without KPI: all of the project; the table format also publishes the declared reports."""
    if due:
        from cadran.cli.due import run_due

        others = {"KPI": kpis, "--as-of": as_of, "--since": since, "--until": until, "--segment": segment, "--output": output, "--full": full, "--no-sync": no_sync}  # fmt: skip
        if given := [name for name, value in others.items() if value]:
            fail(f"--due and {given[0]} exclude each other", "schedules say what is computed as of when")
        if kind not in ("table", "json"):
            fail(f"--due has no format {kind}", "leave --format out, or write --format json")
        run_due(ctx, kind, now)
        return
    if now is not None:
        fail("--now goes with --due", "--as-of sets the logical time of a run")
    if since and until and since > until:
        fail("--since lies after --until", "exchange them")
    if kind == "parquet" and output is None and sys.stdout.isatty():
        fail("Parquet is not text", "name a file with --output kpis.parquet")
    opened = project(ctx)
    with problems_shown(root(ctx)):
        with progress() as say:
            results = opened.run(
                kpis,
                as_of=as_of,
                since=since,
                until=until,
                segment=segment,
                full=full,
                sync=not no_sync,
                counting=verbose,
                progress=say,
                analyses=None if kpis or segment else _shown(kind),
                partial=True,
            )
        declaration = results.declaration
        if kind == "table":
            _table(results, declaration, output, locale, all_segments or bool(segment))
            if not kpis and not segment:
                _reports(opened, results, locale, root(ctx))
        else:
            _written(results, declaration, kind, output, locale)
    if results.warnings and kind != "table":
        show(results.warnings, root(ctx))
    if kind in ("csv", "parquet"):  # which have no room for them that is sure to be read
        _notes(results, locale or declaration.locale)
    if verbose:
        from cadran.publish.scanned import in_all

        click.echo(f"scanned: {in_all(results.scanned)}", err=True)
    failed_shown(results, root(ctx))


def _shown(kind: str) -> Literal["reports", "all"] | None:
    """The analyses that go with a format: the table comes with the declared reports, a page shows them all."""
    if kind == "table":
        return "reports"
    return "all" if kind in ("markdown", "html") else None


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A bar on stderr, once the run has taken a second; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    started = time.monotonic()
    bar = None

    def say(text: str) -> None:
        nonlocal bar
        if bar is None and time.monotonic() - started > 1:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.add_task("", total=None)
            bar.start()
        if bar is not None:
            bar.update(bar.task_ids[0], description=text)

    try:
        yield say
    finally:
        if bar is not None:
            bar.stop()


def _table(
    results: Results, declaration: Declaration, output: Path | None, locale: str | None, segments: bool
) -> None:
    from rich.console import Console

    from cadran.publish.terminal import print_table

    text = None if output is None else io.StringIO()
    console = Console() if text is None else Console(file=text, width=120)
    print_table(results, declaration, console, segments=segments, locale=locale or "")
    if output is not None and text is not None:
        saved(output, text.getvalue())


def _written(
    results: Results, declaration: Declaration, kind: str, output: Path | None, locale: str | None
) -> None:
    from cadran.publish.outputs import write

    content = write(
        results, declaration, kind, locale=locale or "", template_folders=template_folders(declaration)
    )
    if output is not None:
        saved(output, content)
        click.echo(f"written to {output}", err=True)
    elif isinstance(content, bytes):
        sys.stdout.buffer.write(content)
    else:
        click.echo(content, nl=False)


def _notes(results: Results, locale: str) -> None:
    from cadran.publish.figures import Figures

    figures = Figures(results.declaration, locale)
    for note in figures.notes(results.notes):
        click.echo(f"· {note}", err=True)


def _reports(opened: Project, results: Results, locale: str | None, folder: Path) -> None:
    """Every declared report, and where it went; exit code 2 if one could not be made or published."""
    from cadran.publish.deliver import deliver

    declaration = results.declaration
    problems: list[Problem] = []
    left: list[str] = []
    for delivery in deliver(
        results, declaration, opened.plugins.notifier,
        locale=locale or "", template_folders=template_folders(declaration),
        of_period=lambda report, found: _reaching_back(opened, report, found),
    ):  # fmt: skip
        problems += delivery.problems
        if delivery.left:
            left.append(f"'{delivery.report}' to {delivery.channel}")
        elif not delivery.problems:
            click.echo(f"report '{delivery.report}': {delivery.where}")
    if left:
        click.echo(f"not sent by a run: {listed(left)}; 'cadran send' does that", err=True)
    if problems:
        show(problems, folder)
    if errors(problems):
        raise click.exceptions.Exit(FAILED)


def _reaching_back(opened: Project, report: Report, results: Results) -> Results:
    """The run's results, or where a report's fixed period lies before them, those up to that period."""
    from cadran.publish.choose import Wanted
    from cadran.publish.gather import chosen_kpis

    declaration = results.declaration
    wanted = Wanted.of(report, declaration.calendar)
    if not results.rows and results.failed:  # nor would there be any then: sources are not asked once more
        return results
    if wanted.fixed is None or any(row.period == wanted.label for row in results.rows):
        return results
    names = [kpi.name for kpi in chosen_kpis(declaration, report)]
    return opened.run(names, as_of=results.as_of, until=wanted.fixed.last_day, partial=True)
