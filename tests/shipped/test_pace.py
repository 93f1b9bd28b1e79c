"""The shipped KPIs' paces: what a past period held at the same elapsed part is what a run at that time said."""

from __future__ import annotations

import datetime as dt

import pytest

import cadran
from cadran.analysis.analyse import EVERY, Wanted
from cadran.analysis.asking import Found
from cadran.analysis.pace import PaceAnalysis
from cadran.compute.results import Number, Row
from shipped.sample import ROOT

NOW = dt.datetime(2026, 6, 15, 10, 30)
Key = tuple[str, str, tuple[str, ...], tuple[str, ...]]


@pytest.fixture(scope="module")
def so_far() -> dict[Key, Number | None]:
    """Of every KPI with a projection: the value of each period at the same elapsed part as the running one."""
    seen: dict[Key, Number | None] = {}
    read = PaceAnalysis._so_far

    def noted(self: PaceAnalysis, row: Row, found: Found) -> Number | None:
        value = read(self, row, found)
        seen[self.kpi, row.period, row.segment, row.segment_value] = value
        return value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PaceAnalysis, "_so_far", noted)
        wanted = Wanted(pace=(EVERY,), pace_segments=True)
        answers = cadran.open(ROOT / "kpis.yaml").analyse(wanted, as_of=NOW.isoformat()).answers
    assert answers is not None
    later = {(a.name, f.segment) for a in answers.pace.values() for f in a.figures if f.reason == "later"}
    assert {name for name, segment in later if not segment} == {
        "lead_conversion_60d", "prospect_rate", "lost_after_first_order",
    }  # fmt: skip
    return {key: value for key, value in seen.items() if (key[0], key[2]) not in later}


@pytest.mark.slow
@pytest.mark.parametrize("month", ["2026-03", "2025-11"])
def test_the_same_elapsed_part_is_what_was_known_then(so_far: dict[Key, Number | None], month: str) -> None:
    then = f"{month}-{NOW:%dT%H:%M}"
    rows = [r for r in cadran.open(ROOT / "kpis.yaml").run(as_of=then) if r.period == month]
    shared = [
        (r, so_far[key]) for r in rows if (key := (r.kpi, r.period, r.segment, r.segment_value)) in so_far
    ]
    assert len({row.kpi for row, _ in shared}) > 15
    for row, value in shared:
        assert value == (None if row.value is None else pytest.approx(row.value)), row
