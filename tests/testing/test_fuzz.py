"""Whatever rows are given, and whatever is expected of them: an outcome with a message, never a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cadran

PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources: {f: {connector: files, path: data}}
rates: {from: f.rates}
datasets:
  a: {from: [f.a, f.b], key: id, date: day, valid: [day, till], where: not test, columns: {big: v > 5}, money: {v: cur}}
  snap: {from: f.snap, key: [day, id], date: day, snapshot: true}
  plain: {from: f.plain, key: id}
kpis:
  n: {formula: count(a), period: [month, all], segment: cur, alert: [{name: x, when: value > 3 and change > 1}]}
  v: {formula: sum(a.v), period: [month, quarter]}
  m: {formula: median(a.v) / count(a), period: week}
  o: {formula: opening(count(a)) + lost(count(a)), period: month}
  c: {formula: closing(sum(snap.v)), period: month}
  p: {formula: sum(plain.v), period: all}
"""
ODD = [
    "", "0", "1", "2.5", "-3", "007", "2026-01-05", "2026-02-30", "9999-12-31", "0001-01-01", "1999-12-31 23:59:59", "true",
    "2026-01-05T10:00:00+02:00", "NaN", "inf", "1e5", "1" * 41, "3." + "1" * 45, "x", "a,b", 'q"q', "é\u202f", "EUR", "CHF", " 1",
]  # fmt: skip
COLUMNS = {
    "a": {"id": ["1", "2", "3"], "day": ["2026-01-05", "2026-02-03"], "till": ["", "2026-02-01"], "test": ["false"], "v": ["1", "2.5"], "cur": ["EUR", "CHF"]},
    "snap": {"id": ["1", "2"], "day": ["2026-01-05"], "v": ["1"]},
    "plain": {"id": ["1", "2"], "v": ["1"]},
    "rates": {"date": ["2026-01-01"], "currency": ["CHF"], "rate": ["1.1"]},
}  # fmt: skip


def rows(dataset: str) -> st.SearchStrategy[list[dict[str, str | None]]]:
    one = {
        name: st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.sampled_from(ODD)).map(
            lambda text: text or None
        )
        for name, usual in COLUMNS[dataset].items()
    }
    return st.lists(st.fixed_dictionaries({}, optional=one).filter(bool), max_size=3)


figures = st.sampled_from(["1", "2.5", "15%", "no data", "-3.25%", "1" + "0" * 29])
expected = st.fixed_dictionaries(
    {"n": st.fixed_dictionaries({"2026-01": figures, "all": figures})},
    optional={name: st.just({label: "1"}) for name, label in (("v", "2026-Q1"), ("m", "2026-W02"), ("o", "2026-02"), ("c", "2026-01"), ("p", "all"))},
)  # fmt: skip
given_rows = st.fixed_dictionaries(
    {"a": rows("a")}, optional={name: rows(name) for name in ("snap", "plain", "rates")}
)
of_figures = st.fixed_dictionaries({"given": given_rows, "expect": expected, "as_of": st.just("2026-03-01")})
of_problems = st.fixed_dictionaries({"given": given_rows, "problems": st.just(["key"])})
of_alerts = st.fixed_dictionaries(
    {"kpi": st.just("n"), "values": st.fixed_dictionaries({"2026-01": figures, "2026-03": figures}), "alerts": st.just({"x": {"2026-01": "ok", "2026-03": "firing"}})},
)  # fmt: skip
tests = st.lists(st.one_of(of_figures, of_problems, of_alerts), min_size=4, max_size=8)


@settings(
    max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(tests)
def test_there_is_always_an_outcome(found: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kpis.yaml"
        named = json.dumps({f"test {i}": test for i, test in enumerate(found)})
        file.write_text(f"{PROJECT}tests: {named}\n", encoding="utf-8")
        outcomes = list(cadran.open(file, environ={}).test())
    assert [outcome.name for outcome in outcomes] == [f"test {i}" for i in range(len(found))]
    for outcome in outcomes:
        assert all(miss.message and miss.where is not None for miss in outcome.misses)
