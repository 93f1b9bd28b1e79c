"""Forecasts from pipelines: by hand, against a slow evaluator on random deals, and blind to what comes later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.analysis.outlook import Forecaster, Moment, Outlook, Window
from cadran.analysis.pipeline import ANY, Chance, Deal, Passed, Pipeline, Stage, Sums, Visit

from . import naive_pipeline as naive

START = dt.datetime(2026, 1, 1)
DAY = dt.timedelta(days=1)
LENGTH = 7  # days of a period


def day(number: float) -> dt.datetime:
    return START + number * DAY


def window(period: int) -> Window:
    return Window(day(period * LENGTH), day((period + 1) * LENGTH))


def moments(now: float, steps: int = 3, back: int = 40) -> list[Moment]:
    """Now, and the same time of each week before."""
    running = int(now // LENGTH)
    return [
        Moment(day(now - n * LENGTH), tuple(window(running - n + s) for s in range(steps)), window(running - n - 1))
        for n in range(back)
    ]  # fmt: skip


# --- by hand ----------------------------------------------------------------------------------------------------------


def passed(*deals: tuple[float, float, float, bool]) -> Stage:
    return Stage([Passed(*deal) for deal in deals])


HISTORY = passed((2, 5, 100, True), (4, 4, 300, False), (6, 9, 600, True), (8, 20, 1000, False))


@pytest.mark.parametrize(
    ("age", "start", "stop", "share", "rests_on"),
    [
        (0, 0, 100, 700 / 2000, 2000**2 / 1460000),  # all four stayed longer: 100 and 600 of 2000 were won
        (0, 0, 6, 100 / 2000, 2000**2 / 1460000),
        (2, 0, 100, 600 / 1900, 1900**2 / 1450000),  # the one that stayed for 2 did not stay for longer
        (
            5,
            0,
            4,
            0,
            1600**2 / 1360000,
        ),  # the deal of 600 was won after 9, which is 4 from now: the next window
        (5, 4, 8, 600 / 1600, 1600**2 / 1360000),
        (6, 0, 100, 0, 1),  # only the lost one of 1000 is left
        (8, 0, 100, 0, 0),  # older than any
    ],
)
def test_the_chance_of_a_deal(age: float, start: float, stop: float, share: float, rests_on: float) -> None:
    ((found,),) = HISTORY.chances([age], [(start, stop)])
    assert (found.share, found.rests_on) == (pytest.approx(share), pytest.approx(rests_on))


def test_chances_do_not_depend_on_the_order_in_which_they_are_asked() -> None:
    ages, windows = [5.0, 0.0, 8.0, 2.0], [(0.0, 6.0), (6.0, 100.0)]
    one_by_one = [HISTORY.chances([age], windows)[0] for age in ages]
    assert HISTORY.chances(ages, windows) == one_by_one


def test_the_share_won_and_the_days_until_then() -> None:
    assert HISTORY.rate == 0.35
    assert HISTORY.days == pytest.approx(7 / 86400)
    assert (Stage().rate, Stage().days, Stage().chances([1.0], [(0.0, 1.0)])) == (None, None, [[Chance()]])


def test_the_stage_is_the_one_entered_last_and_few_deals_are_no_history() -> None:
    deals = [Deal(n, day(0), day(4), n % 2 == 0, 100) for n in range(10)]
    deals += [
        Deal("a", day(5), None, False, 1),
        Deal("b", day(5), None, False, 1),
        Deal("c", day(5), None, False, 1),
    ]
    visits = [Visit(n, "demo", day(1)) for n in range(10)]
    visits += [
        Visit("a", "demo", day(6)),
        Visit("b", "demo", day(6)),
        Visit("b", "offer", day(8)),
        Visit("x", "demo", day(1)),
    ]
    pipeline = Pipeline(deals, visits)
    found = {o.deal.key: o for o in pipeline.open(day(9), pipeline.history(day(9)))}
    assert (found["a"].stage, found["a"].judged_by, found["a"].age) == ("demo", "demo", 3 * 86400)
    assert (found["b"].stage, found["b"].judged_by, found["b"].age) == ("offer", ANY, 4 * 86400)
    assert (found["c"].stage, found["c"].judged_by, found["c"].age) == (ANY, ANY, 4 * 86400)


def test_what_is_won_already_is_not_taken_back() -> None:
    deals = [Deal(n, day(n), day(n + 0.5), True, 100) for n in range(70)]
    (running, *_) = Forecaster(Pipeline(deals, []), moments(66)).now()
    assert running.won == 300  # day 66 is the third one of its week
    interval = running.interval(0.95)
    assert interval is not None
    assert interval[0] >= 300


def test_a_deal_closed_at_the_very_moment_is_known_and_the_period_it_is_in_holds_it() -> None:
    deals = [Deal("a", day(0), day(7), True, 100)]
    (running, *_) = Forecaster(Pipeline(deals, []), moments(7)).now()
    assert (running.won, running.open) == (100, 0)


@pytest.mark.parametrize("values", [[], [1.0], [3.0, 0.5, 2.0, 8.0, 1.5]])
def test_sums_that_change(values: list[float]) -> None:
    sums = Sums(len(values))
    for at, value in enumerate(values):
        sums.add(at, value)
    assert [sums.below(n) for n in range(len(values) + 1)] == [
        sum(values[:n]) for n in range(len(values) + 1)
    ]


# --- random deals -----------------------------------------------------------------------------------------------------

hours = st.integers(0, 24 * 100).map(lambda hour: hour - hour % 6)  # coarse, so that times meet
stages = st.sampled_from(["demo", "offer"])


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[list[Deal], list[Visit]]:
    deals, visits = [], []
    for key in range(draw(st.integers(1, 45))):
        opened = draw(hours)
        lasts = draw(st.none() | st.integers(0, 24 * 40).map(lambda hour: hour - hour % 6))
        closed = None if lasts is None else day((opened + lasts) / 24)
        amount = float(draw(st.integers(0, 9)))
        deals.append(
            Deal(key, day(opened / 24), closed, draw(st.booleans()), amount, draw(st.sampled_from("xy")))
        )
        entered = draw(st.lists(st.tuples(stages, st.integers(0, 240)), max_size=3))
        visits += [Visit(key, stage, day((opened + after) / 24)) for stage, after in entered]
    # Which of two stages entered in the same instant is the last one, nobody can say.
    return deals, list({(v.deal, v.entered): v for v in visits}.values())


def same(found: Outlook, said: naive.Said) -> bool:
    close = {"rel": 1e-9, "abs": 1e-9}
    if found.total is None or said.value is None:
        assert (found.total, found.new) == (said.value, said.new)
        return (found.won, found.open) == (
            pytest.approx(said.won, **close),
            pytest.approx(said.open, **close),
        )
    want = (said.won, said.open, said.new, said.value, said.spread)
    have = (found.won, found.open, found.new, found.total.value, found.total.spread)
    return have == pytest.approx(want, rel=1e-9, abs=1e-6) and found.total.df == pytest.approx(
        said.df, rel=1e-6
    )


@settings(max_examples=120, deadline=None)
@given(pipelines(), st.integers(50, 100), st.sampled_from([None, "x"]))
def test_the_same_as_the_slow_evaluator(
    made: tuple[list[Deal], list[Visit]], now: int, segment: str | None
) -> None:
    deals, visits = made
    found = Forecaster(Pipeline(deals, visits), moments(now, back=20)).now(segment)
    said = naive.forecast(deals, visits, moments(now, back=20), 0, segment)
    assert all(same(f, s) for f, s in zip(found, said, strict=True)), (found, said)


@settings(max_examples=40, deadline=None)
@given(pipelines(), st.integers(70, 100))
def test_tests_are_what_would_have_been_said_and_what_came(
    made: tuple[list[Deal], list[Visit]], now: int
) -> None:
    deals, visits = made
    asked = moments(now, back=20)
    for tried in Forecaster(Pipeline(deals, visits), asked).tests():
        said = naive.forecast(deals, visits, asked, tried.at)[tried.step]
        assert same(tried.made, said)
        assert tried.came == pytest.approx(
            naive.brought(deals, asked[tried.at].windows[tried.step], dt.datetime.min, None)
        )


def known_at(
    deals: Sequence[Deal], visits: Sequence[Visit], at: dt.datetime
) -> tuple[list[Deal], list[Visit]]:
    """The data as it was then: later deals, decisions and stages are not there."""
    before = [d for d in deals if d.opened <= at]
    cut = [
        d if d.closed is not None and d.closed <= at else replace(d, closed=None, won=False) for d in before
    ]
    return cut, [v for v in visits if v.entered <= at]


@settings(max_examples=120, deadline=None)
@given(pipelines(), st.integers(50, 100))
def test_what_happens_later_changes_nothing(made: tuple[list[Deal], list[Visit]], now: int) -> None:
    deals, visits = made
    asked = moments(now, back=20)
    whole, cut = (Forecaster(Pipeline(*data), asked) for data in (made, known_at(deals, visits, day(now))))
    assert whole.now() == cut.now()
    assert list(whole.tests()) == list(cut.tests())


def test_a_deal_opened_at_the_very_moment_is_open_and_not_still_to_come() -> None:
    deals = [Deal(week, day(week * LENGTH), day(week * LENGTH + 3), True, 100) for week in range(10)]
    for running in Forecaster(Pipeline(deals, []), moments(9 * LENGTH, steps=1)).now():
        assert (running.won, running.open, running.new) == (0, 100, 0)
