"""``compare:`` says which comparisons are shown; an alert sees the earlier period whatever is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

import cadran

DAYS = "id,day\n1,2025-03-01\n2,2026-02-01\n3,2026-03-01\n4,2026-03-02\n"
PROJECT = """\
version: 1
sources: {f: {connector: files, path: .}}
datasets: {t: {from: f.t, key: id, date: day}}
kpis:
  number: {formula: count(t), period: month, compare: %s, alert: {name: more, when: value > previous}}
"""


@pytest.mark.parametrize(
    ("compare", "previous", "change", "year_ago"),
    [
        ("[previous, year_ago]", 1, 1, 1),
        ("previous", 1, 1, None),
        ("year_ago", None, None, 1),
        ("[]", None, None, None),
    ],
)
def test_compare(
    tmp_path: Path, compare: str, previous: int | None, change: int | None, year_ago: int | None
) -> None:
    (tmp_path / "t.csv").write_text(DAYS, encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(PROJECT % compare, encoding="utf-8")
    results = cadran.open(tmp_path).run(as_of="2026-04-01")
    (march,) = [row for row in results if row.period == "2026-03"]
    assert (march.value, march.previous, march.change, march.year_ago) == (2, previous, change, year_ago)
    assert [(alert.rule, alert.state) for alert in results.alerts] == [("more", "firing")]


KEPT = """\
version: 1
sources: {files: {connector: files, path: .}}
datasets: {t: {from: files.t, key: id, date: day}}
kpis:
  level: {formula: avg(t.n), period: month, alert: {name: low, when: value < 10%s}}
"""


@pytest.mark.parametrize(
    ("missing", "stands"),
    [
        ("", [("firing", "2026-03", "2026-01", None)]),  # March has no row: as it stood in January
        (", on_missing: alert", [("firing", "2026-03", "", None)]),
        (", on_missing: ok", []),
    ],
)
def test_an_alert_in_a_period_without_data(tmp_path: Path, missing: str, stands: list[object]) -> None:
    (tmp_path / "t.csv").write_text("id,day,n\n1,2026-01-05,3\n2,2026-04-09,50\n", encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(KEPT % missing, encoding="utf-8")
    results = cadran.open(tmp_path).run(as_of="2026-04-10")
    assert [(a.state, a.period, a.judged, a.value) for a in results.alerts] == stands
