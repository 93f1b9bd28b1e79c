"""Where alerts stand right now, with who was told of them and why somebody is not. Reads, and writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.engine import Connection

from cadran.declare.model import Declaration
from cadran.deliver.alerting import alerted, decided
from cadran.judge.evaluate import Rests
from cadran.judge.overview import Event, Stand
from cadran.judge.routes import rule_of, silenced_by
from cadran.judge.states import kept_from
from cadran.state.alerting import Told
from cadran.state.store import alerts, silences

_ORDER = {"firing": 0, "pending": 1, "ok": 2}
_SEVERITY = {"critical": 0, "warning": 1, "info": 2}


def standing(
    c: Connection, declaration: Declaration, rests: Rests, now: dt.datetime, *, every: bool = False, about: Iterable[str] = ()
) -> list[Stand]:  # fmt: skip
    """Pending and firing alerts, the firing and the critical ones first; with ``every`` also those that are ok, and the history
    of all. ``about`` names KPIs, datasets or sources."""
    instances = list(alerts.load(c).values())
    withheld = decided(c, declaration, instances, rests, now).withheld
    every_told = alerts.all_told(c, ended=True)
    told, fates = _by_alert(every_told), alerts.fates(c, every_told)
    active, names = silences.listed(c, now), set(about)
    history = _history(c) if every else {}
    out = []
    for alert in alerted(declaration, instances, rests):
        instance, key = alert.instance, alert.key
        if (instance.state == "ok" and not every) or (names and instance.identity.name not in names):
            continue
        rule = rule_of(instance, declaration) if instance.identity.subject == "kpi" else None
        out.append(
            Stand(
                instance, next(iter(alert.labels["severity"]), ""), alert.labels["owner"], rule.when.value if rule else "",
                [t for t in told.get(key, ()) if t.episode == instance.episode], fates, withheld.get(key, ()),
                silenced_by(active, alert.labels, now), history.get(key, ()),
                kept_from(instance, rule),
            )
        )  # fmt: skip
    return sorted(out, key=lambda s: (_ORDER[s.instance.state], _SEVERITY.get(s.severity, 1)))


def _by_alert(told: Iterable[Told]) -> dict[str, list[Told]]:
    out: dict[str, list[Told]] = {}
    for one in told:
        out.setdefault(one.identity, []).append(one)
    return out


def _history(c: Connection) -> dict[str, list[Event]]:
    out: dict[str, list[Event]] = {}
    for e in alerts.events(c):
        event = Event(e.at, e.period, e.before, e.after, e.reason, e.correction, e.silent)
        out.setdefault(e.identity, []).append(event)
    return out
