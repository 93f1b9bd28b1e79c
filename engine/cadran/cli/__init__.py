"""The command line: arguments in, exit codes out. Commands are imported only when they are called."""

from __future__ import annotations

import gc
import importlib
import sys
from pathlib import Path

import click

# Command → (module that holds it, its one line of help): the help page imports none of them.
COMMANDS = {
    "init": ("cadran.cli.init", "Write a new project: a small one, or the KPIs of a CRM."),
    "run": ("cadran.cli.run", "Compute KPIs, print them, write the project's reports."),
    "sync": ("cadran.cli.sync", "Ask CRMs and other APIs for what has changed, and keep it."),
    "report": ("cadran.cli.report", "Write one report: HTML, Markdown, PDF or a spreadsheet."),
    "send": ("cadran.cli.send", "Send reports now: to their mailboxes, chats and folders."),
    "check": ("cadran.cli.check", "Check kpis.yaml and say everything that is wrong."),
    "test": ("cadran.cli.test", "Run the project's tests: KPIs over rows of a few lines."),
    "why": ("cadran.cli.why", "Say why a KPI changed: which segment values, by rate or by weight."),
    "compare": ("cadran.cli.compare", "Set the months before and after a milestone side by side."),
    "explain": ("cadran.cli.explain", "Show how a KPI is computed, down to the SQL."),
    "funnels": ("cadran.cli.analyses", "Show how many reach step after step of a funnel."),
    "cohorts": ("cadran.cli.analyses", "Show what is left of those who began in each period."),
    "scores": ("cadran.cli.analyses", "List the best rows of a score, and why they are."),
    "catalogue": ("cadran.cli.catalogue", "Print a page of all KPIs: what each means, an example, pitfalls."),
    "pace": ("cadran.cli.pace", "Show how running periods go, and where they will end."),
    "forecast": ("cadran.cli.forecast", "Show what open deals will bring, and how good such forecasts were."),
    "alerts": ("cadran.cli.alerts", "Show pending and firing alerts, and who was told."),
    "silence": ("cadran.cli.alerts", "Have nobody hear of some alerts for a while."),
    "backtest": ("cadran.cli.backtest", "Replay an alert rule over history, or compare thresholds."),
    "history": ("cadran.cli.history", "Show what a KPI's values were known to be at a date."),
    "outbox": ("cadran.cli.outbox", "Show what was sent to whom, try a message again, or drop one."),
    "schedule": (
        "cadran.cli.schedule",
        "Show what has a schedule: its last time, its next, and what is due.",
    ),
    "scheduler": ("cadran.cli.scheduler", "Do what is due, and send it, as long as it runs."),
    "cache": ("cadran.cli.cache", "Show what is kept of earlier runs, or forget it."),
    "schema": ("cadran.cli.check", "Print the JSON Schema of kpis.yaml, for editors."),
    "plugins": ("cadran.cli.plugins", "List the plugins, where they come from, and what is broken."),
    "plugin": ("cadran.cli.plugin", "Write a plugin of one's own: a package that works, with its tests."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from cadran.problems import suggest

            hint = suggest(args[0], COMMANDS) or f"commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command '{args[0]}'; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from cadran import __version__

        click.echo(f"cadran {__version__}")
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "folder",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder, or its YAML file.",
)
@click.option(
    "--allow-path",
    "allowed",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder outside the project that files may be read from and written to.",
)
@click.option(
    "--no-sync",
    is_flag=True,
    help="Compute from what lies here of CRMs and other APIs: nobody is asked for what has changed.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.pass_context
def cli(ctx: click.Context, folder: Path, allowed: tuple[Path, ...], no_sync: bool) -> None:
    """KPIs as code: one YAML file in; checked KPIs, targets, alerts and a report out."""
    ctx.obj = (folder, allowed, not no_sync)


def main() -> None:
    """The entry point: every expected failure is a message and exit code 2, never a traceback."""
    gc.set_threshold(100_000, 50, 50)  # a run makes hundreds of thousands of rows, and little that is garbage
    try:
        # Without standalone mode click gives the code of ctx.exit() back instead of leaving with it.
        code = cli.main(prog_name="cadran", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
