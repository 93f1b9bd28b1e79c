"""Where alerts stand right now, with who was told of them and why somebody is not. Reads, and writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy.engine import Connection

from cadran.declare.model import Declaration
from cadran.declare.settings import mask
from cadran.deliver.alerting import alerted, decided
from cadran.deliver.jobs import ALERTS
from cadran.judge.evaluate import Rests
from cadran.judge.overview import Event, Stand
from cadran.judge.routes import rule_of, silenced_by
from cadran.judge.states import kept_from
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.state.alerting import Told
from cadran.state.store import alerts, runs, silences

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


def check_names(declaration: Declaration, names: Iterable[str], known: Iterable[str] = ()) -> None:
    """``known`` are alerts' names of which nothing may be declared any more. Raises ProblemsFound for one that there is not."""
    there = [*declaration.kpis, *declaration.datasets, *declaration.sources, *known]
    wrong = [name for name in names if name not in there]
    if wrong:
        raise ProblemsFound([
            Problem("unknown-name", f"there is no KPI, dataset or source '{name}'", None, "", suggest(name, there) or f"KPIs are {listed(list(declaration.kpis))}")
            for name in wrong
        ])  # fmt: skip


def none_stands(declaration: Declaration, names: Sequence[str], judged: Iterable[str]) -> str:
    """Why no alert is shown of these names, or of any: all is well, they have no rule, or nobody has looked yet."""
    if not names:
        return "nothing is pending or firing; --all shows what has been judged"
    ruled = {kpi.name for kpi in declaration.kpis.values() if kpi.alerts}
    said = []
    for name in names:
        if name in declaration.kpis and name not in ruled:
            said.append(f"{name} has no 'alert'")
        elif name in declaration.kpis and name not in {*judged}:
            said.append(f"{name} has not been judged yet")
        else:
            said.append(f"nothing is pending or firing of {name}")
    return "; ".join(said)


def not_judged(c: Connection, declaration: Declaration) -> str:
    """Since when alerts could not be judged, all or some of them, and why; empty where the last judging went well."""
    found = runs.failing(c, ALERTS)
    if found is None:
        return ""
    first, last = found
    since = first.logical_time.astimezone(declaration.calendar.zone)
    why = next((run.reason for run in (last, first) if run.reason), "")
    return f"alerts cannot all be judged since {since:%Y-%m-%d %H:%M}: {mask(why, declaration.unsaid)}"
