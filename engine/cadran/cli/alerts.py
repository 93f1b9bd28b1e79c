"""``cadran alerts``, and ``cadran silence add``, ``list`` and ``expire``."""

from __future__ import annotations

import datetime as dt
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cadran.cli.common import FAILED, Language, Moment, console, problems_shown, project, root
from cadran.problems import ProblemsFound, errors

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cadran.declare.model import Declaration
    from cadran.state.store.store import Store

_FORMATS = click.Choice(["table", "json"])
_NOTHING = "no alert has been judged yet"
_NEVER = (
    "no alert is judged over time; 'routes:' say who hears of them, and then 'cadran run --due' judges them"
)


@click.command()
@click.argument("names", nargs=-1, metavar="[KPI | DATASET | SOURCE]…")
@click.option("--all", "every", is_flag=True, help="Also those that are ok, and what happened to each.")
@click.option("--format", "kind", type=_FORMATS, default="table", show_default=True)
@click.option("--locale", type=Language(), help="Language, such as fr or en-GB (default: the project's).")
@click.pass_context
def alerts(ctx: click.Context, names: tuple[str, ...], every: bool, kind: str, locale: str | None) -> None:
    """Show pending and firing alerts: since when, why, who was told, and what is held back from whom.

    They stand as the last 'cadran run --due' has left them; nothing is computed here, and no source is asked.
    """
    opened = project(ctx)
    with _opened(ctx, make=False) as (declaration, store):
        if store is None:
            click.echo("[]" if kind == "json" else _first(None, declaration))
            return
        from cadran.deliver.standing import check_names, none_stands, not_judged, standing
        from cadran.publish import alerts_now
        from cadran.state.store.alerts import load

        try:
            rests = opened.dependencies()
        except ProblemsFound:  # what is wrong with formulas hides no alert, only what it is inhibited by
            rests = {}
        with store.read() as c:
            judged = {one.identity.name for one in load(c).values()}
            check_names(declaration, names, judged)
            found = standing(c, declaration, rests, _now(), every=every, about=names)
            failing = not_judged(c, declaration)
            first = "" if found or names else _first(c, declaration)
    if failing:
        click.echo(failing, err=True)
    if kind == "json":
        click.echo(alerts_now.to_json(found, declaration.secrets, history=every), nl=False)
    elif not found and first:
        click.echo(first)
    elif not found:
        click.echo(none_stands(declaration, names, judged))
    else:
        from cadran.publish.analyses.sheet import print_sheets
        from cadran.publish.figures import Figures

        figures = Figures(declaration, locale or declaration.locale)
        print_sheets(list(alerts_now.sheets(found, figures)), console())


def _first(c: Connection | None, declaration: Declaration) -> str:
    """What is said where nothing has been judged; empty where something has."""
    from cadran.deliver.coming import coming, when
    from cadran.deliver.jobs import ALERTS

    now = _now()
    judging = [one for one in coming(c, declaration, now) if one.job.name == ALERTS]
    if not judging:
        return _NEVER
    [one] = judging
    if one.last is not None:
        return ""
    if one.due is not None:
        return f"{_NOTHING}; the first time is due since {one.due.astimezone(one.zone):%Y-%m-%d %H:%M}: call 'cadran run --due'"
    if one.next is None:
        return _NOTHING
    return (
        f"{_NOTHING}; the first time is {when(one.next, one.zone, now)}, if 'cadran run --due' is called then"
    )


@click.group()
def silence() -> None:
    """Have nobody hear of some alerts for a while: planned work, a known cause. They are judged as ever."""


@silence.command()
@click.option(
    "--kpi",
    "kpis",
    multiple=True,
    metavar="NAME",
    help="Alerts of this KPI; can be given again, as can the others.",
)
@click.option("--rule", "rules", multiple=True, metavar="NAME", help="Of this rule.")
@click.option(
    "--segment",
    "segments",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Of this segment, or one of its values; 'total' for those of none.",
)
@click.option("--owner", "owners", multiple=True, metavar="WHO", help="Whose KPI has this owner.")
@click.option("--severity", "severities", multiple=True, metavar="WORD", help="Of this severity.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Whose KPI has this tag.")
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="About this dataset itself.")
@click.option("--source", "sources", multiple=True, metavar="NAME", help="About this source itself.")
@click.option("--for", "length", metavar="DURATION", help="How long: 3d, 2 weeks, 12h.")
@click.option("--until", type=Moment(), help="Until when, instead: a bare date means its first instant.")
@click.option("--from", "begin", type=Moment(), help="From when on (default: now).")
@click.option("--reason", required=True, metavar="TEXT", help="Why; whoever misses the alert will read it.")
@click.option("--by", "author", default="", metavar="WHO", help="Who says so (default: who is logged in).")
@click.pass_context
def add(
    ctx: click.Context, kpis: tuple[str, ...], rules: tuple[str, ...], segments: tuple[str, ...], owners: tuple[str, ...],
    severities: tuple[str, ...], tags: tuple[str, ...], datasets: tuple[str, ...], sources: tuple[str, ...], length: str | None,
    until: dt.date | None, begin: dt.date | None, reason: str, author: str,
) -> None:  # fmt: skip
    """Silence the alerts that are all of what is given (and one of several of a kind)."""
    from cadran.deliver.silencing import silence_of, values_known
    from cadran.publish.alerts_now import matched
    from cadran.state.store import silences

    given = {
        "kpi": kpis, "rule": rules, "owner": owners, "severity": severities, "tag": tags, "dataset": datasets, "source": sources
    }  # fmt: skip
    with _opened(ctx) as (declaration, store):
        assert store is not None
        with store.read() as c:
            known = values_known(c)
        now, who = _now(), author or getpass.getuser()
        made = silence_of(
            declaration, given, segments, known=known, begin=begin, until=until, length=length or "", now=now, reason=reason, author=who
        )  # fmt: skip
        with store.write() as c:
            found = silences.add(c, made, now)
    local = found.until.astimezone(declaration.calendar.zone)
    click.echo(f"silence {found.number}: {matched(found)}, until {local:%Y-%m-%d %H:%M}")


@silence.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option("--format", "kind", type=_FORMATS, default="table", show_default=True)
@click.option("--locale", type=Language(), help="Language, such as fr or en-GB (default: the project's).")
@click.pass_context
def list_(ctx: click.Context, every: bool, kind: str, locale: str | None) -> None:
    """List silences that are active or yet to come."""
    from cadran.publish import alerts_now

    now = _now()
    found = []
    with _opened(ctx, make=False) as (declaration, store):
        if store is not None:
            from cadran.state.store import silences

            with store.read() as c:
                found = silences.listed(c, None if every else now)
    if kind == "json":
        click.echo(alerts_now.silences_json(found, declaration.secrets, now), nl=False)
    elif not found:
        click.echo("nothing is silenced")
    else:
        from cadran.publish.analyses.sheet import print_sheets
        from cadran.publish.figures import Figures

        figures = Figures(declaration, locale or declaration.locale)
        print_sheets([alerts_now.silence_sheet(found, figures, now)], console())


@silence.command()
@click.argument("number", type=int)
@click.pass_context
def expire(ctx: click.Context, number: int) -> None:
    """End a silence now; what still fires is told by the next run."""
    found = None
    with _opened(ctx, make=False) as (_, store):
        if store is not None:
            from cadran.state.store import silences

            with store.write() as c:
                found = silences.expire(c, number, _now())
    if found is None:
        click.echo(
            f"there is no silence {number} that is not over; 'cadran silence list' shows them", err=True
        )
        raise click.exceptions.Exit(FAILED)
    click.echo(f"silence {number} is over")


# --- what they share -------------------------------------------------------------------------------------------------


@contextmanager
def _opened(ctx: click.Context, *, make: bool = True) -> Iterator[tuple[Declaration, Store | None]]:
    """The declared project and its store; one that is not there yet is only made if something is to be written."""
    from cadran.state.store.store import exists, open_store

    with problems_shown(root(ctx)):
        declaration, problems = project(ctx).declaration()
        if declaration is None or errors(problems):
            raise ProblemsFound(problems)
        state, folder = declaration.state, declaration.folder
        store = open_store(folder, state.url, state.schema) if make or exists(folder, state.url) else None
        try:
            yield declaration, store
        finally:
            if store is not None:
                store.close()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
