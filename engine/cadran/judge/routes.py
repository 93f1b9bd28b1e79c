"""Which route an alert takes, to whom it leads, and when it is quiet: pure functions of what is declared.

What is compared of an alert: ``subject`` (kpi, dataset, source) and under that word its name, ``rule severity owner tag grain``,
``segment`` (``channel``, ``channel=paid``; ``total`` for a total), ``value`` (of a segment), and each segment by its own name.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cadran.declare.destinations import blanks, filled
from cadran.declare.model import AlertRule, Declaration, Mute, Route
from cadran.state.alerting import FAILED, Identity, Instance, Silence

Labels = Mapping[str, tuple[str, ...]]
_DAY = dt.timedelta(days=1)
_LONG = 400  # days


def rule_of(instance: Instance, declaration: Declaration) -> AlertRule | None:
    """The rule that an alert about a KPI comes of; None where it is no longer declared."""
    kpi = declaration.kpis.get(instance.identity.name)
    return next((r for r in kpi.alerts if r.name == instance.identity.rule), None) if kpi else None


def severity_of(who: Identity) -> str:
    """Of an alert about data, for which nobody declares one."""
    return "critical" if who.rule == FAILED else "warning"


def labels(instance: Instance, declaration: Declaration, concerned: Iterable[str] = ()) -> Labels:
    """What is compared of an alert. ``concerned`` are the KPIs behind which a source or dataset stands: their owners hear of it."""
    who = instance.identity
    out: dict[str, tuple[str, ...]] = dict(zip(who.segment, ((v,) for v in who.segment_value), strict=True))
    out |= {"subject": (who.subject,), who.subject: (who.name,), "rule": (who.rule,), "grain": (who.grain,)}
    if who.subject != "kpi":
        owners = (declaration.kpis[name].owner for name in concerned if name in declaration.kpis)
        return {
            **out, "severity": (severity_of(who),), "owner": tuple(dict.fromkeys(filter(None, owners)))
        }  # fmt: skip
    kpi, rule = declaration.kpis.get(who.name), rule_of(instance, declaration)
    pairs = tuple(f"{name}={value}" for name, value in zip(who.segment, who.segment_value, strict=True))
    return {
        **out, "was": (kpi.renamed_from,) if kpi and kpi.renamed_from else (), "severity": (rule.severity,) if rule else (), "owner": (kpi.owner,) if kpi and kpi.owner else (),
        "tag": kpi.tags if kpi else (), "segment": (*who.segment, *pairs) or ("total",), "value": who.segment_value,
    }  # fmt: skip


def matches(wanted: Mapping[str, Sequence[str]], found: Labels) -> bool:
    """Whether all that is compared has one of the values that fit."""
    return all(set(values) & set(found.get(name, ())) for name, values in wanted.items())


def routes_of(routes: Iterable[Route], found: Labels) -> Iterator[Route]:
    """The first route that matches, and each further one that does as long as the one before goes on."""
    for route in routes:
        if matches(route.match, found):
            yield route
            if not route.goes_on:
                return


def group_of(route: Route, found: Labels) -> dict[str, str]:
    """What an alert is grouped by in a route."""
    return {name: " / ".join(found.get(name, ())) for name in route.group_by}


# --- recipients --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    channel: str
    address: str = ""  # empty where the channel is itself the address


def recipients(route: Route, found: Labels) -> tuple[list[Recipient], list[str]]:
    """Who hears of an alert by a route, each once; and the names that recipients are made of but the alert does not have."""
    out: dict[Recipient, None] = {}
    missing: dict[str, None] = {}
    for destination in route.to:
        if not destination.to:
            out[Recipient(destination.channel.value)] = None
        for template in destination.to:
            addresses, without = addressed(template.value, found)
            out |= dict.fromkeys(Recipient(destination.channel.value, a) for a in addresses)
            missing |= dict.fromkeys(without)
    return list(out), list(missing)


def addressed(template: str, found: Labels) -> tuple[list[str], list[str]]:
    """``{{ owner }}`` and its like replaced by what the alert has of that name, once for each; and the names without a value.

    Nothing else is a template here, and what a name stands for is not looked at again. It has to be one plain line.
    """
    values = {name: [v.strip() for v in found.get(name, ()) if _is_plain(v)] for name in blanks(template)}
    missing = [name for name, plain in values.items() if not plain]
    choices = itertools.product(*values.values())
    return [filled(template, dict(zip(values, chosen, strict=True))) for chosen in choices], missing


def _is_plain(value: str) -> bool:
    return bool(value.strip()) and value.strip().isprintable()


# --- when nobody hears -------------------------------------------------------------------------------------------------


def is_muted(route: Route, zone: ZoneInfo, now: dt.datetime) -> bool:
    """Whether one of the route's mute times holds, by the local clock of its own zone or of ``zone``."""
    local = now.astimezone(route.zone or zone)
    return any(_is_quiet(mute, local.date(), local.time()) for mute in route.mute)


def mute_ends(route: Route, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    """When a route that is quiet is no longer so; None where that lies more than a year ahead."""
    zone = route.zone or zone
    times = sorted({dt.time.min, *(mute.end for mute in route.mute if mute.end is not None)})
    first = now.astimezone(zone).date()
    for day in (first + n * _DAY for n in range(_LONG)):
        for time in times:
            end = dt.datetime.combine(day, time, zone)
            if end > now and not is_muted(route, zone, end):
                return end
    return None


def _is_quiet(mute: Mute, day: dt.date, time: dt.time) -> bool:
    start, end = mute.start or dt.time.min, mute.end
    if end is None or start < end:
        return _is_of(mute, day) and start <= time and (end is None or time < end)
    # Over midnight: what is left of the day before belongs to that day.
    return (_is_of(mute, day) and time >= start) or (_is_of(mute, day - _DAY) and time < end)


def _is_of(mute: Mute, day: dt.date) -> bool:
    of_week = not mute.days or day.isoweekday() in mute.days
    return of_week and (mute.first is None or mute.first <= day) and (mute.last is None or day <= mute.last)


def silenced_by(silences: Iterable[Silence], found: Labels, now: dt.datetime) -> Silence | None:
    """The silence that an alert lies under, the one that lasts longest. It may know the KPI by an earlier name."""
    found = {**found, "kpi": (*found.get("kpi", ()), *found.get("was", ()))}
    fitting = [s for s in silences if is_active(s, now) and matches(s.matchers, found)]
    return max(fitting, key=lambda s: s.until, default=None)


def is_active(silence: Silence, now: dt.datetime) -> bool:
    return silence.starts <= now < silence.until and (silence.expired is None or silence.expired > now)
