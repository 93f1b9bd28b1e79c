"""The sample project's close rate, deal size and leads, before and after its new CRM and split by channel, without cadran."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable
from fractions import Fraction

import pytest

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import Answers, MilestoneQuestion, WhyQuestion
from shipped.sample import ROOT, Row, at, crm, leads, within

BEFORE, AFTER = (
    (dt.datetime(2025, 3, 1), dt.datetime(2025, 9, 1)),
    (dt.datetime(2025, 9, 1), dt.datetime(2026, 3, 1)),
)
COMPARED = ("close_rate", "upsell_rate", "average_deal_size", "repeat_retention")
WHY = WhyQuestion("lead_conversion_rate", "2026-06", by=("channel",))


@pytest.fixture(scope="module")
def answers() -> Answers:
    wanted = Wanted(whys=(WHY,), milestones=tuple(MilestoneQuestion(kpi, "new_crm") for kpi in COMPARED))
    found = cadran.open(ROOT, environ={}).analyse(wanted, as_of="2026-07-01").answers
    assert found is not None
    return found


def closed(low: dt.datetime, high: dt.datetime) -> list[Row]:
    return [d for d in crm("deals") if d["stage"] == "won" and low <= at(d["closed_at"]) < high]


def test_close_rate_is_a_share_of_the_deals_in_progress(answers: Answers) -> None:
    answer = answers.milestones[MilestoneQuestion("close_rate", "new_crm")]
    for side, (low, high) in ((answer.before, BEFORE), (answer.after, AFTER)):
        during = [d for d in crm("deals") if at(d["created_at"]) < high and at(d["closed_at"]) >= low]
        assert (side.hits, side.number) == (len(closed(low, high)), len(during))
    assert answer.clear and answer.interval is not None and answer.interval[0] > 0


def test_deal_size_is_a_mean(answers: Answers) -> None:
    answer = answers.milestones[MilestoneQuestion("average_deal_size", "new_crm")]
    for side, span in ((answer.before, BEFORE), (answer.after, AFTER)):
        amounts = [float(d["amount"]) for d in closed(*span) if d["amount"]]
        assert side.value is not None and float(side.value) == pytest.approx(statistics.fmean(amounts))
        assert (side.number, side.deviation) == (len(amounts), pytest.approx(statistics.stdev(amounts)))
    assert answer.clear is False


def test_upsell_rate_has_no_interval_and_retention_no_value(answers: Answers) -> None:
    upsell = answers.milestones[MilestoneQuestion("upsell_rate", "new_crm")]
    assert (upsell.missing, upsell.sure, upsell.interval) == ("", "neither", None)  # orders over customers
    for side, (low, high) in ((upsell.before, BEFORE), (upsell.after, AFTER)):
        orders = [o["customer_id"] for o in crm("orders") if low <= at(o["ordered_at"]) < high]
        often = sum(1 for c in set(orders) if orders.count(c) >= 2)
        during = [c for c in crm("customers") if at(c["created_at"]) < high and at(c["churned_at"]) >= low]
        assert side.value is not None and float(side.value) == pytest.approx(often / len(during))
    retention = answers.milestones[MilestoneQuestion("repeat_retention", "new_crm")]
    assert (retention.missing, retention.what) == ("refused", "retained")


def test_conversion_split_by_channel(answers: Answers) -> None:
    answer = answers.whys[WHY]
    (split,) = answer.splits
    counts = {m: (by(within(crm("customers"), "created_at", m)), by(within(leads(), "created_at", m))) for m in ("2026-05", "2026-06")}  # fmt: skip
    wholes = {m: (sum(n.values()), sum(d.values())) for m, (n, d) in counts.items()}
    assert answer.change == Fraction(*wholes["2026-06"]) - Fraction(*wholes["2026-05"])
    mean = (Fraction(*wholes["2026-06"]) + Fraction(*wholes["2026-05"])) / 2
    for part in split.parts:
        channel = part.segment_value[0]
        terms = []
        for month in ("2026-06", "2026-05"):
            (n, d), (whole_n, whole_d) = counts[month], wholes[month]
            assert whole_n
            terms.append((n.get(channel, 0) - mean * d.get(channel, 0)) / Fraction(whole_d))
        assert part.effect == terms[0] - terms[1]
    assert sum(part.effect for part in split.parts) == answer.change and split.rest == 0


def by(rows: Iterable[Row]) -> dict[str, int]:
    out: dict[str, int] = {}
    for row in rows:
        channel = row["channel"] or "(none)"
        out[channel] = out.get(channel, 0) + 1
    return out
