"""``cadran report``."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cadran.cli.common import (
    Language,
    Moment,
    fail,
    failed_shown,
    listeners_shown,
    problems_shown,
    project,
    root,
    saved,
    template_folders,
)
from cadran.cli.run import progress
from cadran.problems import ProblemsFound, errors

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report, ReportFormat
    from cadran.publish.choose import Wanted

FORMATS = ["html", "markdown", "pdf", "xlsx"]
ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown", ".pdf": "pdf", ".xlsx": "xlsx"}  # fmt: skip


@click.command()
@click.argument("name", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Default: what FILE ends with, else what the report's 'format' says first, else html.",
)
@click.option("--locale", type=Language(), help="Language, such as fr or en-GB (default: the report's).")
@click.option("--as-of", type=Moment(), help="The run's logical time (default: now).")
@click.option("--period", metavar="PERIOD", help="2026-06, 2026-Q2, 'last month' (default: the report's).")
@click.option(
    "--output", "-o", metavar="FILE", help="Write there, or with - to the terminal (default: reports/NAME)."
)
@click.option("--context", is_flag=True, help="Say what templates are given: every name, type and meaning.")
@click.option("--context-values", is_flag=True, help="What this report's template is given, as JSON.")
@click.pass_context
def report(
    ctx: click.Context, name: str | None, kind: str | None, locale: str | None, as_of: dt.date | None,
    period: str | None, output: str | None, context: bool, context_values: bool,
) -> None:  # fmt: skip
    """Write one declared report, or without NAME one of all KPIs."""
    if context:
        from cadran.publish.describe import as_text

        click.echo(as_text(), nl=False)
        return
    kind = _kind(kind, output)
    if kind in ("pdf", "xlsx") and output == "-" and sys.stdout.isatty():
        fail(f"{kind} is not text", f"name a file with --output report.{kind}")
    with problems_shown(root(ctx)):
        results, found = _computed(ctx, name, as_of, period)
        if context_values:
            _values(results, found, locale or "")
        else:
            _write(results, found, cast("ReportFormat | None", kind), locale or "", output)
        listeners_shown(results, root(ctx))
        failed_shown(results, root(ctx))


def _kind(kind: str | None, output: str | None) -> str | None:
    """The format that was asked for: by --format, or by what the file's name ends with."""
    ending = Path(output or "").suffix.lower()
    meant = ENDINGS.get(ending)
    if kind and meant and kind != meant:
        fail(
            f"--format {kind} does not fit {output}",
            f"name a file that ends otherwise, or write --format {meant}",
        )
    return kind or meant


def _computed(
    ctx: click.Context, name: str | None, as_of: dt.date | None, period: str | None
) -> tuple[Results, Report | None]:
    """The run that the report is of, up to its period, and the report. Nothing is computed before its name is known."""
    from cadran.analysis.analyse import of_report
    from cadran.publish.gather import chosen_kpis

    opened = project(ctx)
    declaration, problems = opened.declaration()
    if declaration is None or errors(problems):
        raise ProblemsFound(problems)
    found = _declared(declaration, name)
    if period is not None:
        found = replace(found or _of_all(declaration), period=period)
    wanted = _wanted(found, declaration, period)
    kpis = [kpi.name for kpi in chosen_kpis(declaration, found)]
    with progress() as say:
        until = wanted.fixed.last_day if wanted.fixed else None
        analyses = of_report(found, declaration)
        return opened.run(
            kpis, as_of=as_of, until=until, progress=say, analyses=analyses, partial=True
        ), found


def _declared(declaration: Declaration, name: str | None) -> Report | None:
    from cadran.problems import listed, suggest

    if name is None:
        return None
    if name not in declaration.reports:
        names = list(declaration.reports)
        hint = suggest(name, names) or (f"there is {listed(names)}" if names else "the project declares none")
        fail(f"no report '{name}'", hint)
    return declaration.reports[name]


def _of_all(declaration: Declaration) -> Report:
    from cadran.declare.model import Report
    from cadran.publish.documents import DEFAULT_NAME

    return Report(DEFAULT_NAME, declaration.place)


def _wanted(found: Report | None, declaration: Declaration, period: str | None) -> Wanted:
    from cadran.publish.choose import Wanted

    try:
        return Wanted.of(found, declaration.calendar)
    except ValueError:
        fail(f"'{period}' is not a period", "write 2026-06, 2026-W23, 2026-Q2, or 'last month'")


def _values(results: Results, found: Report | None, locale: str) -> None:
    from cadran.publish.describe import as_json
    from cadran.publish.gather import gather

    click.echo(as_json(gather(results, results.declaration, found, locale)), nl=False)


def _write(
    results: Results, found: Report | None, kind: ReportFormat | None, locale: str, output: str | None
) -> None:
    from cadran.publish.deliver import FOLDER
    from cadran.publish.documents import document, formats

    declaration = results.declaration
    kind = kind or (formats(found)[0] if found else "html")
    made = document(
        results, declaration, found, kind, locale=locale, template_folders=template_folders(declaration)
    )
    if output == "-":
        sys.stdout.buffer.write(made.content)
        return
    path = Path(output) if output else declaration.folder / FOLDER / made.file_name
    saved(path, made.content)
    click.echo(f"report '{made.name}': {path}")
