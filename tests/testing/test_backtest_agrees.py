"""A backtest, the tests of a project, a run, and an alert that goes on from run to run say the same of one history."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import cadran
from cadran.compute.results import Alert, Results
from cadran.judge.backtested import Backtest
from cadran.judge.states import advance, identity
from cadran.state.alerting import Instance
from cadran.testing.tried import Given, rules
from judge.examples import EXAMPLES

from .test_alerts_agree import MONTHS, PROJECT, RULES, months, rows_of

END = "2025-09-01"  # when all of MONTHS are final


def as_tested(project: cadran.Project) -> dict[str, list[str]]:
    """By rule the state after each month, as the project's tests see it."""
    (outcome,) = project.test()
    found = {name: dict.fromkeys(MONTHS, "ok") for name in RULES}
    for miss in outcome.misses:
        rule = miss.what.partition(": ")[2] or miss.what
        found[rule][miss.period] = miss.got or miss.message
    return {name: list(states.values()) for name, states in found.items()}


def as_backtested(found: Backtest) -> dict[str, list[str]]:
    """By rule whether it fires after each month."""
    out = {}
    for tried in found.tried:
        fires = dict.fromkeys(MONTHS, "ok")
        for episode in tried.episodes:
            end = MONTHS.index(episode.ended) if episode.ended else len(MONTHS)
            for month in MONTHS[MONTHS.index(episode.fired) : end]:
                fires[month] = "firing"
        out[tried.rule.name] = list(fires.values())
    return out


def stood(alerts: Sequence[Alert]) -> dict[str, tuple[str, str]]:
    return {a.rule: (a.state, a.since) for a in alerts}


def gone_on(project: cadran.Project, runs: Sequence[str], kpi: str) -> dict[str, tuple[str, str]]:
    """Where alerts stand after runs at these times, each going on from the one before."""
    known: dict[str, Instance] = {}
    for moment in runs:
        results: Results = project.run([kpi], as_of=moment)
        for one in results.judging:
            key = identity(one).key
            known[key], _ = advance(one, known.get(key), results.declaration.calendar, results.as_of)
    return {i.identity.rule: (i.state, i.since) for i in known.values() if i.state != "ok"}


@settings(max_examples=max(EXAMPLES // 10, 4), deadline=None, derandomize=True, database=None)
@given(months, st.sampled_from(["orders", "basket"]), st.sets(st.sampled_from(MONTHS[2:]), max_size=3))
def test_all_ways_agree(amounts: list[list[int]], kpi: str, missed: set[str]) -> None:
    amounts[0] = amounts[0] or [1]  # the first month is covered
    ok = {name: dict.fromkeys(MONTHS, "ok") for name in RULES}
    rows = rows_of(amounts)
    tests = {"rows": {"kpi": kpi, "given": {"orders": rows}, "alerts": ok}}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").mkdir()
        lines = ["id,day,amount", *(f"{r['id']},{r['day']},{r['amount']}" for r in rows)]
        (Path(folder) / "data" / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        file = Path(folder) / "kpis.yaml"
        file.write_text(f"{PROJECT}tests: {json.dumps(tests)}\n", encoding="utf-8")
        project = cadran.open(file, environ={})
        tested = as_tested(project)
        found, _ = project.backtest(kpi, lambda d: rules(Given(), d, kpi), as_of=END)
        run = stood(project.run([kpi], as_of=END).alerts)
        runs = [f"{month}-03" for month in MONTHS[1:] if month not in missed][::4]
        went = gone_on(project, [*runs, END], kpi)
    fires = {name: ["firing" if s == "firing" else "ok" for s in states] for name, states in tested.items()}
    assert as_backtested(found) == fires
    assert {n: s for n, (s, _) in run.items()} == {
        n: s[-1] for n, s in tested.items() if s[-1] in ("pending", "firing")
    }
    assert went == run
    assert replace(found, tried=()).ranges == {"month": (MONTHS[0], "2025-08")}
