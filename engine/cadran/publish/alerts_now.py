"""Where alerts stand, and silences, as tables and as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cadran.publish.analyses.sheet import Sheet
from cadran.publish.figures import Figures, hide, spaced
from cadran.publish.letters.alerts import KEPT
from cadran.publish.outputs import to_text
from cadran.publish.wording import ALERT, N_

if TYPE_CHECKING:
    from cadran.judge.notices import Withheld
    from cadran.judge.overview import Event, Stand
    from cadran.state.alerting import Instance, Silence, Told

_STATE = {**ALERT, "ok": N_("ok")}
_REASON = {
    "no data": N_("no data"),
    "gone": N_("no rows any more"),
    "restated": N_("figures were restated"),
    "the rule has changed": N_("the rule has changed"),
    "the rule is no longer there": N_("the rule is no longer there"),
}
_FATE = {
    **dict.fromkeys(("waiting", "leased", "retry"), N_("not sent yet")),
    **dict.fromkeys(("skipped", "suppressed", "dropped"), N_("not sent")),
    "failed": N_("could not be delivered"),
    "unknown": N_("may not have arrived"),
}
_RULE = {"failed": N_("cannot be read"), "max_age": N_("too old"), "min_rows": N_("too few rows")}


def sheets(stands: Sequence[Stand], figures: Figures) -> Iterator[Sheet]:
    """A line for each alert; below it what happened to those whose history is known."""
    heads = (
        figures.gettext("alert"), figures.gettext("rule"), figures.gettext("severity"), figures.gettext("status"), figures.gettext("since"), figures.gettext("last judged"), figures.gettext("value"), figures.gettext("target"), figures.gettext("why"), figures.gettext("told")
    )  # fmt: skip
    rows = tuple(_line(stand, figures) for stand in stands)
    yield Sheet(figures.gettext("Alerts"), heads, rows, words=6, last=2)
    past = [(stand, event) for stand in stands for event in stand.history]
    if past:
        events = sorted(past, key=lambda pair: (pair[1].at, _named(pair[0].instance, figures)))
        named = (
            figures.gettext("when"),
            figures.gettext("alert"),
            figures.gettext("rule"),
            figures.gettext("period"),
            figures.gettext("change"),
            figures.gettext("why"),
        )
        yield Sheet(
            figures.gettext("History"),
            named,
            tuple(_event(stand, e, figures) for stand, e in events),
            words=6,
        )


def _line(stand: Stand, figures: Figures) -> tuple[str, ...]:
    one, form = stand.instance, figures.form
    kpi = figures.declaration.kpis.get(one.identity.name) if one.identity.subject == "kpi" else None
    unit = kpi.unit if kpi else ""
    value = target = ""
    if one.identity.subject == "kpi":
        value = figures.figure(one.value, unit).text
        target = "" if one.target is None else figures.figure(one.target, unit).text
    since = form.period(one.since) if one.since else ""
    return (
        _named(one, figures), _rule(one, figures), figures.severity(stand.severity) if stand.severity else "",
        figures.gettext(_STATE[one.state]), since, form.period(one.period) if one.period else "", value, target,
        _why(stand, figures), _told(stand, figures),
    )  # fmt: skip


def _named(one: Instance, figures: Figures) -> str:
    who = one.identity
    if who.subject == "source":
        return figures.gettext("source %(name)s", name=who.name)
    if who.subject == "dataset":
        return figures.gettext("dataset %(name)s", name=who.name)
    place = figures.placed(who.segment, who.segment_value)
    return f"{figures.label(who.name)} · {place}" if place else figures.label(who.name)


def _rule(one: Instance, figures: Figures) -> str:
    rule = one.identity.rule
    return (
        figures.gettext(_RULE[rule])
        if one.identity.subject != "kpi" and rule in _RULE
        else figures.said(rule)
    )


def _why(stand: Stand, figures: Figures) -> str:
    reason = stand.instance.reason
    if reason:
        return figures.gettext(_REASON[reason]) if reason in _REASON else figures.told(reason)
    if stand.kept:
        return figures.gettext(KEPT, period=figures.form.period(stand.kept))
    if stand.condition and " ".join(stand.condition.split()) != stand.instance.identity.rule:
        return figures.said(" ".join(stand.condition.split()))
    return ""


def _told(stand: Stand, figures: Figures) -> str:
    """Who was told, and why somebody is not."""
    parts = []
    if stand.told:
        names = dict.fromkeys(_reached(t, stand, figures) for t in stand.told)
        parts.append(", ".join(names))
    parts += [_held(why, stand, figures) for why in stand.withheld]
    return "; ".join(dict.fromkeys(parts))


def _reached(told: Told, stand: Stand, figures: Figures) -> str:
    """Whom a message goes to, and whether it has arrived; one that is remembered no more has."""
    name = figures.said(told.recipient or spaced(told.channel))
    fate = stand.fates.get(told.delivery, "sent")
    return name if fate == "sent" else f"{name} ({figures.gettext(_FATE[fate])})"


def _held(why: Withheld, stand: Stand, figures: Figures) -> str:
    kind, what = why
    match kind:
        case "silenced":
            assert stand.silence is not None
            until = _moment(stand.silence.until, figures)
            return figures.gettext(
                "silenced until %(time)s (%(number)s)", time=until, number=stand.silence.number
            )
        case "inhibited":
            section, _, name = what.partition(" ")
            text = N_("held back: source %(name)s cannot be read") if section == "source" else N_("held back: dataset %(name)s is not as it should be")  # fmt: skip
            return figures.gettext(text, name=name)
        case "muted":
            return figures.gettext("route is quiet now")
        case "waiting":
            until = _moment(dt.datetime.fromisoformat(what), figures)
            return figures.gettext("waits for others of its group until %(time)s", time=until)
        case "no recipient":
            return figures.gettext("nobody to tell: no %(name)s", name=spaced(what))
    return figures.gettext("no route")


def _event(stand: Stand, event: Event, figures: Figures) -> tuple[str, ...]:
    states = [figures.gettext(_STATE[state]) for state in (event.before, event.after)]
    why = figures.gettext(_REASON[event.reason]) if event.reason in _REASON else figures.told(event.reason)
    if event.silent:
        why = figures.gettext("seen by the first run, told to nobody")
    one = stand.instance
    return (
        _moment(event.at, figures), _named(one, figures), _rule(one, figures),
        figures.form.period(event.period) if event.period else "", " → ".join(states), why,
    )  # fmt: skip


def _moment(when: dt.datetime, figures: Figures) -> str:
    return figures.form.instant(when.astimezone(figures.declaration.calendar.zone))


# --- silences ----------------------------------------------------------------------------------------------------------


def silence_sheet(silences: Iterable[Silence], figures: Figures, now: dt.datetime) -> Sheet:
    heads = (
        figures.gettext("number"),
        figures.gettext("alerts"),
        figures.gettext("from"),
        figures.gettext("until"),
        figures.gettext("status"),
        figures.gettext("by"),
        figures.gettext("reason"),
    )
    rows = tuple(
        (
            str(s.number), figures.said(matched(s)), _moment(s.starts, figures), _moment(s.expired or s.until, figures),
            figures.gettext(_silence_state(s, now)), figures.said(s.author), figures.said(s.reason),
        )
        for s in silences
    )  # fmt: skip
    return Sheet(figures.gettext("Silences"), heads, rows, words=7)


def matched(silence: Silence) -> str:
    """``kpi=leads, channel=paid``: what alerts lie under it."""
    return ", ".join(
        value if name == "segment" else f"{name}={value}" for name, values in silence.matchers.items() for value in values
    )  # fmt: skip


def _silence_state(silence: Silence, now: dt.datetime) -> str:
    if silence.expired is not None and silence.expired <= now:
        return N_("ended")
    if now < silence.starts:
        return N_("not yet")
    return N_("active") if now < silence.until else N_("over")


# --- JSON --------------------------------------------------------------------------------------------------------------


def to_json(stands: Iterable[Stand], secrets: frozenset[str], *, history: bool = False) -> str:
    """A list with an object for each alert; times in UTC."""
    return to_text([_record(stand, secrets, history) for stand in stands])


def _record(stand: Stand, secrets: frozenset[str], history: bool) -> dict[str, Any]:
    one, who = stand.instance, stand.instance.identity
    out: dict[str, Any] = {
        "key": who.key, "subject": who.subject, "name": who.name, "rule": hide(who.rule, secrets), "grain": who.grain,
        "segment": dict(zip(who.segment, who.segment_value, strict=True)), "severity": hide(stand.severity, secrets),
        "owners": [hide(owner, secrets) for owner in stand.owners], "state": one.state, "since": one.since, "fired": one.fired,
        "period": one.period, "kept_from": stand.kept, "value": one.value, "target": one.target, "reason": hide(one.reason, secrets),
        "condition": hide(stand.condition, secrets), "episode": one.episode, "changed": one.changed, "judged": one.seen,
        "told": [_told_record(t, stand, secrets) for t in stand.told],
        "withheld": [{"why": kind, "by": hide(what, secrets)} for kind, what in stand.withheld],
    }  # fmt: skip
    if history:
        out["history"] = [_event_record(e, secrets) for e in stand.history]
    return out


def _told_record(told: Told, stand: Stand, secrets: frozenset[str]) -> dict[str, Any]:
    return {
        "channel": told.channel, "recipient": hide(told.recipient, secrets), "route": hide(told.route, secrets), "at": told.at,
        "ended": told.ended, "delivery": told.delivery, "state": stand.fates.get(told.delivery, ""),
    }  # fmt: skip


def _event_record(event: Event, secrets: frozenset[str]) -> dict[str, Any]:
    return {
        "at": event.at, "period": event.period, "before": event.before, "after": event.after, "reason": hide(event.reason, secrets),
        "correction": event.correction, "silent": event.silent,
    }  # fmt: skip


def silences_json(silences: Iterable[Silence], secrets: frozenset[str], now: dt.datetime) -> str:
    return to_text(
        [
            {
                "number": s.number, "matchers": {name: [hide(v, secrets) for v in values] for name, values in s.matchers.items()},
                "starts": s.starts, "until": s.until, "expired": s.expired, "state": _silence_state(s, now),
                "author": hide(s.author, secrets), "reason": hide(s.reason, secrets), "created": s.created,
            }
            for s in silences
        ]
    )  # fmt: skip
