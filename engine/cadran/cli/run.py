"""``cadran run``."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadran.cli.common import Day, Moment, fail, problems_shown, project, root, show, template_folders

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration

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
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write there instead of to the terminal.",
)
@click.option(
    "--locale",
    type=click.Choice(["fr", "en"]),
    help="Language of labels and numbers (default: the project's).",
)
@click.pass_context
def run(
    ctx: click.Context, kpis: tuple[str, ...], as_of: dt.date | None, since: dt.date | None, until: dt.date | None,
    segment: tuple[str, ...], all_segments: bool, kind: str, output: Path | None, locale: str | None,
) -> None:  # fmt: skip
    """Compute KPIs. Without KPI: all of the project; the table format also writes the declared reports."""
    if since and until and since > until:
        fail("--since lies after --until", "exchange them")
    if kind == "parquet" and output is None and sys.stdout.isatty():
        fail("Parquet is not text", "name a file with --output kpis.parquet")
    opened = project(ctx)
    with problems_shown(root(ctx)):
        with _progress() as progress:
            results = opened.run(
                kpis, as_of=as_of, since=since, until=until, segment=segment, progress=progress
            )
        declaration = results.declaration
        if kind == "table":
            _table(results, declaration, output, locale, all_segments or bool(segment))
            if not kpis and not segment:
                _reports(results, declaration, locale)
        else:
            _written(results, declaration, kind, output, locale)
    if results.warnings and kind != "table":
        show(results.warnings, root(ctx))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
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

    if output is None:
        print_table(results, declaration, Console(), segments=segments, locale=locale or "")
        return
    with output.open("w", encoding="utf-8") as file:
        print_table(
            results, declaration, Console(file=file, width=120), segments=segments, locale=locale or ""
        )


def _written(
    results: Results, declaration: Declaration, kind: str, output: Path | None, locale: str | None
) -> None:
    from cadran.publish.outputs import write

    content = write(
        results, declaration, kind, locale=locale or "", template_folders=template_folders(declaration)
    )
    if output is not None:
        _save(output, content)
        click.echo(f"written to {output}", err=True)
    elif isinstance(content, bytes):
        sys.stdout.buffer.write(content)
    else:
        click.echo(content, nl=False)


def _save(path: Path, content: str | bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}", "name another place with --output")


def _reports(results: Results, declaration: Declaration, locale: str | None) -> None:
    """Every declared report as ``reports/NAME.html`` (or ``.md``, as its template is) in the project."""
    from cadran.publish.report import render

    folder = declaration.folder / "reports"
    for report in declaration.reports.values():
        markdown = report.template is not None and report.template.value.endswith(".md.jinja")
        content = render(
            results, declaration, report=report, kind="markdown" if markdown else "html", locale=locale or "",
            template_folders=template_folders(declaration),
        )  # fmt: skip
        path = folder / f"{report.name}.{'md' if markdown else 'html'}"
        try:
            folder.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            click.echo(
                f"report '{report.name}' not written: {reason}; use --format html --output FILE", err=True
            )
            continue
        click.echo(f"report '{report.name}': {path}")
