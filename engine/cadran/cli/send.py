"""``cadran send``."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cadran.cli.common import (
    FAILED,
    Moment,
    fail,
    listeners_shown,
    problems_shown,
    project,
    root,
    template_folders,
)
from cadran.cli.run import progress

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.deliver.messages import Composer, Outgoing
    from cadran.deliver.requested import Request
    from cadran.project import Project
    from cadran.state.store.outbox import Delivery


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="REPORT…")
@click.option("--as-of", type=Moment(), help="The run's logical time (default: now).")
@click.option("--to", "addresses", multiple=True, metavar="ADDRESS", help="To this address instead of the report's own; can be given again.")  # fmt: skip
@click.option(
    "--dry-run", "folder", metavar="FOLDER", type=click.Path(path_type=Path), help="Write what would be sent there, one file a recipient, and send nothing."
)  # fmt: skip
@click.option("--again", is_flag=True, help="Send it anew, also to those who have it already.")
@click.pass_context
def send(
    ctx: click.Context, names: tuple[str, ...], as_of: dt.date | None, addresses: tuple[str, ...], folder: Path | None,
    again: bool,
) -> None:  # fmt: skip
    """Send declared reports now, to everybody whom they name, whatever their schedule says.

    The same report as of the same moment goes to nobody twice, so a call that was interrupted can be repeated. What cannot
    be delivered now is tried again by 'cadran run --due'; 'cadran outbox list' shows it.
    """
    from cadran.deliver import requested
    from cadran.deliver.messages import Composer
    from cadran.project.clock import clock_of

    if again and folder is not None:
        fail("--again and --dry-run exclude each other")
    with problems_shown(root(ctx)):
        opened = project(ctx).pinned()
        declaration = opened.declaration()[0]
        assert declaration is not None  # a pinned one has no errors
        reports = [_declared(declaration, name) for name in dict.fromkeys(names)]
        moment = clock_of(declaration, as_of).instant
        composer = Composer(declaration, opened.plugins.notifier, template_folders(declaration))
        wanted = [requested.request(declaration, each, moment, addresses, opened.plugins.notifier) for each in reports]  # fmt: skip
        if folder is not None:
            for each in wanted:
                _written(
                    opened,
                    each,
                    requested.compose(each, composer, _computed(opened, declaration, each)),
                    folder,
                )
        elif not _sent(opened, declaration, composer, wanted, again):
            raise click.exceptions.Exit(FAILED)


def _declared(declaration: Declaration, name: str) -> Report:
    from cadran.problems import listed, suggest

    if name not in declaration.reports:
        known = list(declaration.reports)
        hint = suggest(name, known) or (f"there is {listed(known)}" if known else "the project declares none")
        fail(f"no report '{name}'", hint)
    return declaration.reports[name]


def _computed(opened: Project, declaration: Declaration, wanted: Request) -> Results:
    """What the report shows, up to its period."""
    from cadran.analysis.analyse import of_report
    from cadran.publish.choose import Wanted
    from cadran.publish.gather import chosen_kpis

    report = wanted.report
    fixed = Wanted.of(report, declaration.calendar).fixed
    kpis = [kpi.name for kpi in chosen_kpis(declaration, report)]
    with progress() as say:
        results = opened.run(
            kpis, as_of=wanted.moment, until=fixed.last_day if fixed else None, progress=say,
            analyses=of_report(report, declaration),
        )  # fmt: skip
    listeners_shown(results, opened.file.parent)
    return results


def _written(opened: Project, wanted: Request, messages: Sequence[Outgoing], folder: Path) -> None:
    """The bytes that a sending would send, as files."""
    from cadran.deliver.requested import file_names
    from cadran.plugins.notifier import Notifier
    from cadran.plugins.writing import write_whole

    names = file_names(wanted.report.name, messages)
    for name, each in zip(names, messages, strict=True):
        if each.skipped:
            click.echo(
                f"report '{wanted.report.name}', {_addressee(each.channel, each.message.recipient)}: skipped, {each.skipped}",
                err=True,
            )
            continue
        kind = opened.plugins.notifier(each.notifier)
        suffix = kind.sealed_suffix if isinstance(kind, type) else Notifier.sealed_suffix
        try:
            click.echo(str(write_whole(folder, f"{name}.{suffix}", each.sealed)))
        except OSError as error:
            fail(f"cannot write into {folder}: {error.strerror or error}", "name another folder with --dry-run")  # fmt: skip


def _sent(
    opened: Project, declaration: Declaration, composer: Composer, wanted: Sequence[Request], again: bool
) -> bool:
    """Composes all of them before anything is promised, and promises all before the first goes; says whether everything
    has arrived."""
    from cadran.deliver import requested
    from cadran.deliver.sender import send_due, sender_of

    with closing(opened.store(declaration)) as store:
        if again:
            wanted = [requested.anew(store, each) for each in wanted]
        started = _now()
        made = [
            (each, requested.compose(each, composer, _computed(opened, declaration, each))) for each in wanted
        ]
        for each, messages in made:
            if not requested.put(store, declaration, each, messages, started, _now(), socket.gethostname()):
                at = each.moment.isoformat(timespec="minutes")
                click.echo(f"report '{each.report.name}' as of {at} was asked for before; --again sends it anew", err=True)  # fmt: skip

        def send_now(keys: Sequence[str]) -> None:
            send_due(sender_of(store, declaration, opened.plugins.notifier, composer, _now, keys=keys))

        send_now([message.message.key for _, messages in made for message in messages])
        if failures := requested.failures(store, [each.job for each in wanted]):
            send_now(failures)
        rows = [row for _, messages in made for row in requested.became(store, messages)]
    for row in rows:
        name = f"report '{_report_of(row.job)}', " if row.state == "skipped" or len(wanted) > 1 else ""
        click.echo(name + _said(row), err=row.state != "sent")
    return all(row.state in ("sent", "skipped") for row in rows)


def _said(row: Delivery) -> str:
    words = {"retry": "not sent yet", "unknown": "may have arrived", "failed": "not delivered"}
    reason = row.where if row.state == "sent" else row.reason
    return ": ".join((_addressee(row.channel, row.recipient), ", ".join(filter(None, (words.get(row.state, row.state), reason)))))  # fmt: skip


def _report_of(job: str) -> str:
    return job.split(":")[1].partition("#")[0]


def _addressee(channel: str, recipient: str) -> str:
    return f"{channel}, {recipient}" if recipient else channel


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
