"""What alert rules would have done, for people and for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cadran.compute.results import joined
from cadran.judge.backtested import Backtest, Episode, Tried
from cadran.publish.analyses import written
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.figures import Figures
from cadran.publish.outputs import plain

if TYPE_CHECKING:
    from cadran.declare.model import AlertRule


def sheets(found: Backtest, figures: Figures) -> Iterator[Sheet]:
    """A table of all that a sweep has tried, or of each rule one with every time that it fires."""
    if found.name:
        yield _swept(found, figures)
        return
    for tried in found.tried:
        yield _of_rule(found, tried, figures)


def _swept(found: Backtest, figures: Figures) -> Sheet:
    heads = (
        found.name,
        figures.gettext("fires"),
        figures.gettext("periods firing"),
        figures.gettext("longest"),
        figures.gettext("messages"),
        figures.gettext("flapping"),
    )
    rows = [
        (t.given, str(t.fires), str(t.firing), str(max((e.periods for e in t.episodes), default=0)), _mails(t), str(t.again))
        for t in found.tried
    ]  # fmt: skip
    notes = [figures.gettext("flapping: how often it fires again within two periods")]
    if any(tried.messages is None for tried in found.tried):
        notes.append(_unrouted(figures))
    first = found.tried[0]
    return Sheet(
        _title(found, figures), heads, tuple(rows), _about(found, first, figures), notes=tuple(notes)
    )


def _of_rule(found: Backtest, tried: Tried, figures: Figures) -> Sheet:
    heads = (
        figures.gettext("segment"),
        figures.gettext("since"),
        figures.gettext("fires in"),
        figures.gettext("over in"),
        figures.gettext("periods"),
        figures.gettext("value"),
        figures.gettext("target"),
    )
    rows = tuple(_line(e, found.kpi, figures) for e in tried.episodes)
    rule = tried.rule
    named = "" if rule.name == " ".join(rule.when.value.split()) else f" · {figures.said(rule.name)}"
    return Sheet(
        _title(found, figures) + named, heads if rows else (), rows, _about(found, tried, figures), 4, tuple(_notes(tried, figures))
    )  # fmt: skip


def _title(found: Backtest, figures: Figures) -> str:
    return figures.label(found.kpi)


def _about(found: Backtest, tried: Tried, figures: Figures) -> str:
    """The rule, and over what it was tried."""
    form = figures.form
    rule = tried.rule
    condition = rule.when.value
    if found.name:
        condition = condition.replace(_put(tried.given), f"{{{found.name}}}", 1)
    parts = [figures.said(" ".join(condition.split())), *_more(rule, figures)]
    first, last = found.ranges.get(tried.grain, ("", ""))
    if first == last == "all":
        parts.append(figures.gettext("over all data"))
    elif first:
        parts.append(f"{form.period(first)} – {form.period(last)}")
    if not found.name and not tried.episodes:
        parts.append(figures.gettext("never fires"))
    return " · ".join(parts)


def _put(given: str) -> str:
    return f"({given})" if given.startswith("-") else given


def _more(rule: AlertRule, figures: Figures) -> Iterator[str]:
    if rule.hold > 1:
        yield figures.ngettext("for %(num)s period", "for %(num)s periods", rule.hold)
    if rule.clear is not None:
        yield figures.gettext(
            "over when %(condition)s", condition=figures.said(" ".join(rule.clear.value.split()))
        )
    if rule.keep > 1:
        yield figures.ngettext(
            "and has been for %(num)s period", "and has been for %(num)s periods", rule.keep
        )


def _line(episode: Episode, kpi: str, figures: Figures) -> tuple[str, ...]:
    form, unit = figures.form, figures.declaration.kpis[kpi].unit
    ended = form.period(episode.ended) if episode.ended else figures.gettext("still fires")
    return (
        figures.placed(episode.segment, episode.segment_value) or figures.gettext("total"), form.period(episode.since),
        form.period(episode.fired), ended, str(episode.periods), figures.figure(episode.value, unit).text,
        "–" if episode.target is None else figures.figure(episode.target, unit).text,
    )  # fmt: skip


def _notes(tried: Tried, figures: Figures) -> Iterator[str]:
    if not tried.alerts:
        yield figures.gettext("no segment value that the rule is about has rows in these periods")
        return
    times = figures.ngettext("fires once", "fires %(num)s times", tried.fires)
    among = figures.ngettext(
        "in %(num)s of %(judged)s periods",
        "in %(num)s of %(judged)s periods",
        tried.firing,
        judged=tried.judged,
    )
    if tried.alerts > 1:
        among += " " + figures.gettext("of %(alerts)s segment values together", alerts=tried.alerts)
    yield f"{times}, {among}"
    if tried.known < tried.judged:
        yield figures.gettext(
            "only %(known)s of them can be judged, the others have no value or no target", known=tried.known
        )
    if tried.again:
        yield figures.ngettext(
            "once it fires again within two periods",
            "%(num)s times it fires again within two periods",
            tried.again,
        )
    if tried.messages is None:
        yield _unrouted(figures)
    else:
        yield figures.gettext(
            "messages: %(all)s (%(firing)s firing, %(repeat)s repeated, %(resolved)s resolved)",
            all=tried.mails,
            **{str(kind): number for kind, number in tried.messages.items()},
        )


def _mails(tried: Tried) -> str:
    return "–" if tried.mails is None else str(tried.mails)


def _unrouted(figures: Figures) -> str:
    return figures.gettext("no route is declared, so no message would have been sent")


# --- for programs ------------------------------------------------------------------------------------------------------


def records(found: Backtest) -> list[dict[str, Any]]:
    """What each rule would have done; the times that it fires under ``episodes``."""
    return [
        {**_rule(found, tried), **_counted(tried), "episodes": [_episode(e) for e in tried.episodes]}
        for tried in found.tried
    ]


EPISODES = (
    "kpi", "rule", "condition", "grain", "first", "last", "segment", "segment_value", "since", "fired", "ended", "periods",
    "value", "target",
)  # fmt: skip


def to_csv(found: Backtest) -> str:
    """A line for each time that a rule fires, under :data:`EPISODES`; of a sweep one for each value."""
    if found.name:
        return written.to_csv({**_rule(found, tried), **_counted(tried)} for tried in found.tried)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EPISODES)
    for tried in found.tried:
        for e in tried.episodes:
            row = {
                **_rule(found, tried),
                **_episode(e),
                "segment": joined(e.segment),
                "segment_value": joined(e.segment_value),
            }
            writer.writerow([plain(row[name]) for name in EPISODES])
    return out.getvalue()


def _rule(found: Backtest, tried: Tried) -> dict[str, Any]:
    first, last = found.ranges.get(tried.grain, ("", ""))
    rule = tried.rule
    out: dict[str, Any] = {
        "kpi": found.kpi,
        "rule": rule.name,
        "condition": rule.when.value,
        "grain": tried.grain,
    }
    if found.name:
        out[found.name] = tried.given
    return {**out, "first": first, "last": last}


def _counted(tried: Tried) -> dict[str, Any]:
    sent = {f"messages_{kind}": number for kind, number in (tried.messages or {}).items()}
    return {
        "alerts": tried.alerts, "judged": tried.judged, "fires": tried.fires, "firing": tried.firing, "again": tried.again,
        "messages": tried.mails, **sent,
    }  # fmt: skip


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "segment": dict(zip(episode.segment, episode.segment_value, strict=True)), "since": episode.since, "fired": episode.fired,
        "ended": episode.ended, "periods": episode.periods, "value": episode.value, "target": episode.target,
    }  # fmt: skip
