"""The shipped sales forecast against the same method over the files, read with the standard library."""

from __future__ import annotations

import datetime as dt

import pytest

import cadran
from cadran.analysis.analyse import Wanted
from cadran.analysis.answers import ForecastAnswer
from cadran.analysis.outlook import Forecaster, Moment, Window
from cadran.analysis.pipeline import Deal, Pipeline, Visit
from shipped.sample import FAR, ROOT, at, crm, span

AS_OF = dt.datetime(2026, 6, 15)


@pytest.fixture(scope="module")
def answer() -> ForecastAnswer:
    wanted = Wanted(forecasts=("sales_forecast",))
    answers = cadran.open(ROOT / "kpis.yaml").analyse(wanted, as_of=AS_OF.isoformat()).answers
    assert answers is not None
    return answers.forecasts["sales_forecast"]


def pipeline() -> Pipeline:
    deals = [
        Deal(d["id"], at(d["created_at"]), None if at(d["closed_at"]) == FAR else at(d["closed_at"]), d["stage"] == "won", float(d["amount"]))
        for d in crm("deals")
    ]  # fmt: skip
    return Pipeline(
        deals, (Visit(v["deal_id"], v["stage"], at(v["entered_at"])) for v in crm("stage_history"))
    )


def month(back: int) -> Window:
    index = 2026 * 12 + 5 - back
    return Window(*span(f"{index // 12}-{index % 12 + 1:02d}"))


def test_the_sales_forecast(answer: ForecastAnswer) -> None:
    elapsed = AS_OF - month(0).start
    moments = [
        Moment(
            min(month(n).start + elapsed, month(n).stop), (month(n), month(n - 1), month(n - 2)), month(n + 1)
        )
        for n in range(28)
    ]
    forecaster = Forecaster(pipeline(), moments)
    total = [f for f in answer.figures if not f.segment]
    for figures, outlook in zip(total, forecaster.now(), strict=True):
        assert outlook.total is not None
        assert (figures.won, figures.open, figures.new, figures.value) == pytest.approx(
            (outlook.won, outlook.open, outlook.new, outlook.total.value)
        )
    assert len(answer.past) == len(list(forecaster.tests())) == 36


def test_what_was_won_is_what_the_files_say(answer: ForecastAnswer) -> None:
    won = sum(
        float(d["amount"])
        for d in crm("deals")
        if d["stage"] == "won" and month(0).start <= at(d["closed_at"]) <= AS_OF
    )
    assert answer.figures[0].won == pytest.approx(won)
    open_deals = [d for d in crm("deals") if at(d["created_at"]) <= AS_OF < at(d["closed_at"])]
    assert sum(stage.deals for stage in answer.stages) == len(open_deals)
    assert sum(stage.amount for stage in answer.stages) == pytest.approx(
        sum(float(d["amount"]) for d in open_deals)
    )
    for past in answer.past:
        start, stop = span(past.period)
        came = sum(
            float(d["amount"])
            for d in crm("deals")
            if d["stage"] == "won" and start <= at(d["closed_at"]) < stop
        )
        assert past.came == pytest.approx(came)


def test_it_is_better_than_repeating_the_month_before(answer: ForecastAnswer) -> None:
    for test in answer.tests:
        assert test.error is not None
        assert test.naive_error is not None
        assert test.error < test.naive_error
