"""What the commands share: opening the project, printing problems, dates on the command line."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from rich.console import Console

    from cadran.compute.results import Results
    from cadran.declare.model import Declaration
    from cadran.project import Project

FAILED = 2
_WIDE = 200


def project(ctx: click.Context) -> Project:
    from cadran.project import open as open_project

    folder, allowed, syncing = ctx.obj
    opened = open_project(folder, allow_paths=allowed)
    opened.syncing = syncing
    return opened


def root(ctx: click.Context) -> Path:
    """The folder that file names in problems are relative to."""
    folder: Path = ctx.obj[0]
    return folder if folder.is_dir() else folder.parent


def show(
    problems: Iterable[Problem], folder: Path, kind: str = "text", *, err: bool = True,
    lines: Mapping[str, Sequence[str]] | None = None,
) -> None:  # fmt: skip
    """``lines`` are those of texts that are not files, by what problems call them."""
    from cadran.problem_formats import render

    stream = sys.stderr if err else sys.stdout
    click.echo(
        render(
            list(problems),
            kind,
            lines=lines,
            folder=folder,
            colour=kind == "text" and stream.isatty(),
            prefix=prefix_of(folder) if kind != "text" else "",
        ).rstrip("\n"),
        err=err,
    )


def prefix_of(folder: Path) -> str:
    """What comes before file names for programs, which look from where the command ran."""
    return "" if folder == Path() else f"{folder.as_posix()}/"


@contextmanager
def problems_shown(folder: Path) -> Iterator[None]:
    """Turns ProblemsFound into messages and exit code 2."""
    try:
        yield
    except ProblemsFound as found:
        show(found.problems, folder)
        raise click.exceptions.Exit(FAILED) from None


def failed_shown(results: Results, folder: Path) -> None:
    """What kept KPIs of a run from being computed, and exit code 2; nothing where all were."""
    if results.failed:
        show(dict.fromkeys(p for failed in results.failed for p in failed.problems), folder)
        raise click.exceptions.Exit(FAILED)


def listeners_shown(results: Results, folder: Path) -> None:
    """What went wrong with the listeners of plugins, which stands in no report."""
    show((problem for problem in results.warnings if problem.code == "listener"), folder)


def console() -> Console:
    """For tables; where the output is no terminal they are as wide as they need."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def template_folders(declaration: Declaration) -> list[Path]:
    """The team's own templates, then the shipped ones."""
    from cadran import resources

    return resources.template_folders(declaration.folder)


def fail(message: str, hint: str = "") -> NoReturn:
    raise click.UsageError(f"{message}; {hint}" if hint else message)


def saved(path: Path, content: str | bytes, option: str = "--output") -> None:
    """Writes a file that an option names; a failure is the option's."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}", f"name another place with {option}")


class Moment(click.ParamType[dt.date]):
    """``2026-07-01`` or ``2026-07-01T09:30`` (in the project's zone, or with an offset)."""

    name = "DATE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date | dt.datetime:
        if isinstance(value, dt.date):
            return value
        text = str(value)
        try:
            return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"'{text}' is not a date; write 2026-07-01 or 2026-07-01T09:30", param, ctx)


class Day(Moment):
    """``2026-07-01``; a month or a year stands for its first day."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        text = str(value)
        for suffix in ("", "-01", "-01-01"):
            with suppress(ValueError):
                return dt.date.fromisoformat(text + suffix)
        return self.fail(f"'{text}' is not a date; write 2026-07-01 or 2026-07", param, ctx)


class Language(click.ParamType[str]):
    """``fr``, or with a region ``fr-CH``: a language that there is a catalogue of."""

    name = "LOCALE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from cadran.publish.messages import LANGUAGES

        text = str(value)
        if text.replace("_", "-").partition("-")[0].lower() not in LANGUAGES:
            self.fail(f"'{text}' is not a language of reports; there are {', '.join(LANGUAGES)}", param, ctx)
        return text


def answer_options(command: Callable[..., None]) -> Callable[..., None]:
    """What commands that answer one question take: the clock, the format, the language."""
    for option in (
        click.option(
            "--locale", type=Language(), help="Language, such as fr or en-GB (default: the project's)."
        ),
        click.option(
            "--format",
            "kind",
            type=click.Choice(["table", "json", "csv"]),
            default="table",
            show_default=True,
        ),
        click.option(
            "--as-of",
            type=Moment(),
            help="The run's logical time (default: now); a bare date is its first instant.",
        ),
    ):
        command = option(command)
    return command
