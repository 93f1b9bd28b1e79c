"""Where alerts stand from run to run, against a model that knows nothing of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.declare.model import AlertRule
from cadran.judge.states import TRAIL, advance, end
from cadran.state.alerting import CHANGED, GONE, RESTATED, Instance, Transition
from judge.examples import EXAMPLES, LETTERS, MONTHS, PARIS, Answer, answered, at, history, rule, run

quick = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
rules = st.builds(
    rule, hold=st.integers(1, 4), keep=st.integers(1, 3), clear=st.sampled_from([None, "value >= 4"]),
    on_missing=st.sampled_from(["keep", "alert", "ok"]),
)  # fmt: skip
letters = st.text(alphabet="".join(LETTERS), max_size=30).map(answered)


# --- a model -----------------------------------------------------------------------------------------------------------


def naive(of: AlertRule, answers: Sequence[Answer]) -> tuple[str, str, int]:
    """State, the label since when, and how often it began to fire; by looking back from each period, as people would."""
    if of.on_missing == "keep":
        told = [(n, a) for n, a in enumerate(answers) if a[0] is not None]
    else:
        breach = of.on_missing == "alert"
        told = [(n, a if a[0] is not None else (breach, not breach)) for n, a in enumerate(answers)]
    fires, since, episodes, ended = False, "", 0, -1
    for position in range(len(told)):
        stretch = []  # the breaches up to here without a break, since the last episode
        for n, (breach, _) in reversed(told[ended + 1 : position + 1]):
            if not breach:
                break
            stretch.append(n)
        if not fires and len(stretch) >= of.hold:
            fires, since, episodes = True, MONTHS[stretch[-1]], episodes + 1
        elif fires:
            newest = told[max(position - of.keep + 1, 0) : position + 1]
            over = [not b and (bool(c) if of.clear else True) for n, (b, c) in newest if MONTHS[n] > since]
            if len(over) == of.keep and all(over):
                fires, since, ended = False, "", position
        if not fires:
            since = MONTHS[stretch[-1]] if stretch else ""
    return ("firing" if fires else "pending" if since else "ok"), since, episodes


def standing(instance: Instance) -> tuple[str, str, int]:
    return instance.state, instance.since, instance.episode


def same(instance: Instance) -> Instance:
    """But for when it was looked at."""
    return replace(instance, seen=None, changed=None)


@quick
@given(rules, letters.filter(len))
def test_from_nothing(of: AlertRule, answers: Sequence[Answer]) -> None:
    instance, transitions = run(of, answers)
    assert standing(instance) == naive(of, answers)
    assert all(t.silent for t in transitions)
    assert instance.period == MONTHS[len(answers) - 1]


@quick
@given(rules, letters.filter(len), st.sets(st.integers(1, 30)))
def test_whichever_runs_are_missed_the_end_is_the_same(
    of: AlertRule, answers: Sequence[Answer], times: set[int]
) -> None:
    once, _ = run(of, answers)
    instance: Instance | None = None
    found: list[Transition] = []
    for number in [*sorted(n for n in times if n < len(answers)), len(answers)]:
        instance, transitions = run(of, answers[:number], instance, number)
        found += transitions
    assert instance is not None
    assert same(instance) == same(once)
    assert [t.before for t in found[1:]] == [t.after for t in found[:-1]]  # a chain without gaps
    silent = sum(t.silent for t in found)
    assert silent <= 10
    if silent < 10:
        assert sum(t.after == "firing" for t in found) == instance.episode


@quick
@given(rules, letters.filter(len), st.lists(st.tuples(st.integers(0, 29), st.sampled_from(list(LETTERS)))))
def test_a_restated_history_stands_where_it_would_have_stood(
    of: AlertRule, answers: Sequence[Answer], changes: list[tuple[int, str]]
) -> None:
    before, _ = run(of, answers)
    again = list(answers)
    for position, letter in changes:
        if position < len(again):
            again[position] = LETTERS[letter]
    after, transitions = run(of, again, before, 1)
    assert (after.state, after.since) == naive(of, again)[:2]
    assert [t.correction for t in transitions] == [True] * (before.state != after.state)
    once_more, nothing = run(of, again, after, 2)
    assert (same(once_more), nothing) == (same(after), [])


@quick
@given(
    rules,
    st.text(alphabet="".join(LETTERS), min_size=TRAIL + 1, max_size=60),
    st.integers(0, TRAIL - 1),
    st.sampled_from(list(LETTERS)),
)
def test_as_far_back_as_is_remembered(of: AlertRule, said: str, back: int, letter: str) -> None:
    before, _ = run(of, answered(said))
    again = said[: len(said) - 1 - back] + letter + said[len(said) - back :]
    after, _ = run(of, answered(again), before, 1)
    assert (after.state, after.since) == naive(of, answered(again))[:2]


@quick
@given(rules, letters.filter(len), letters, st.integers(1, 6))
def test_another_for_never_demotes(
    of: AlertRule, old: Sequence[Answer], new: Sequence[Answer], hold: int
) -> None:
    before, _ = run(of, old)
    after, _ = run(replace(of, hold=hold), old, before, 1)
    if before.state == "firing":
        assert standing(after) == standing(before)
    elif before.state == "pending":
        assert after.state == ("firing" if before.held >= hold else "pending")
    run(replace(of, hold=hold), [*old, *new], after, 2)


# --- what is said in words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "first", "then", "changes"),
    [
        ({}, ".", ".x", ["ok>firing 2020-02"]),
        ({"hold": 2}, ".", ".x", ["ok>pending 2020-02"]),
        ({"hold": 2}, ".x", ".xx", ["pending>firing 2020-03"]),
        ({"hold": 2}, ".x", ".x.", ["pending>ok 2020-03"]),
        ({"hold": 2}, ".", ".xx.", ["ok>pending 2020-02", "pending>firing 2020-03", "firing>ok 2020-04"]),
        ({"keep": 2}, "x", "x..", ["firing>ok 2020-03"]),
        ({"keep": 2}, "x", "x.x.", []),
        ({"clear": "value >= 4"}, "x", "x..", []),
        ({"clear": "value >= 4"}, "x", "x.c", ["firing>ok 2020-03"]),
        ({"clear": "value >= 4"}, "x", "xb", []),
        ({}, "x", "x?", []),
        ({"on_missing": "ok"}, "x", "x?", ["firing>ok 2020-02"]),
        ({"on_missing": "alert"}, ".", ".?", ["ok>firing 2020-02"]),
        ({}, "x", "x", []),
        ({}, "x.", "xx", ["ok>firing 2020-02 correction"]),
        ({}, "xx", "x.", ["firing>ok 2020-02 correction"]),
        ({}, "x.", "xx.", ["ok>firing 2020-02 correction", "firing>ok 2020-03"]),
        ({"hold": 2}, "xx", ".x", ["firing>pending 2020-02 correction"]),
    ],
)
def test_from_one_run_to_the_next(made: dict[str, object], first: str, then: str, changes: list[str]) -> None:
    of = rule(**made)
    before, _ = run(of, answered(first))
    _, transitions = run(of, answered(then), before, 1)
    said = [f"{t.before}>{t.after} {t.period}" + " correction" * t.correction for t in transitions]
    assert said == changes


def test_what_came_before_all_that_is_remembered_still_counts() -> None:
    of, said = rule(clear="value >= 4"), "x" + "." * (TRAIL + 5)
    before, _ = run(of, answered(said))
    oldest = len(said) - TRAIL
    after, transitions = run(of, answered(said[:oldest] + "?" + said[oldest + 1 :]), before, 1)
    assert (after.state, after.since, transitions) == ("firing", "2020-01", [])


def test_an_identity_outlives_its_reasons() -> None:
    of = rule(on_missing="alert")
    one, _ = run(of, answered(".?"))
    assert (one.state, one.reason) == ("firing", "no data")
    two, _ = run(of, answered(".?x"), one, 1)
    assert (two.state, two.reason, two.identity, two.episode) == ("firing", "", one.identity, 1)


def test_a_correction_says_why() -> None:
    before, _ = run(rule(), answered(".x"))
    after, _ = run(rule(), answered(".."), before, 1)
    assert (after.state, after.reason, after.fired) == ("ok", RESTATED, "2020-02")
    later, _ = run(rule(), answered("..."), after, 2)
    assert later.reason == RESTATED


@pytest.mark.parametrize(
    ("after", "state", "episode"), [("value < 4", "firing", 2), ("value   <  3", "firing", 1), ("value < 1", "ok", 1)]
)  # fmt: skip
def test_another_condition_starts_anew(after: str, state: str, episode: int) -> None:
    before, _ = run(rule(), answered("x"))
    found, transitions = run(rule(after), answered("." if state == "ok" else "x"), before, 1)
    assert (found.state, found.episode) == (state, episode)
    assert [t.instance.reason for t in transitions] == [CHANGED] * (after.split() != ["value", "<", "3"])


def test_months_that_are_not_there_any_more_change_nothing() -> None:
    before, _ = run(rule(hold=2), answered(".xx."))
    shorter = history(rule(hold=2), answered("..x"), first=3)
    after, transitions = advance(shorter, before, PARIS, at(1))
    assert ([t.after for t in transitions], after.period) == (["pending"], "2020-06")


def test_a_segment_value_that_is_gone() -> None:
    before, _ = run(rule(), answered("x"))
    after, transitions = end(before, GONE, "2020-03", at(1))
    assert (after.state, after.reason, after.period, after.trail) == ("ok", GONE, "2020-03", ())
    assert [(t.before, t.after) for t in transitions] == [("firing", "ok")]
    back, _ = run(rule(), answered("xxxx"), after, 2)
    assert (back.state, back.since, back.episode) == ("firing", "2020-04", 2)


def test_over_all_that_is_covered_each_run_judges_anew() -> None:
    of = rule()
    whole = replace(history(of, answered("x")), grain="all", periods=("all",))
    one, _ = advance(whole, None, PARIS, at(0))
    two, none = advance(whole, one, PARIS, at(1))
    three, over = advance(replace(whole, answers=answered(".")), two, PARIS, at(2))
    assert ([i.state for i in (one, two, three)], none) == (["firing", "firing", "ok"], [])
    assert [(t.correction, t.instance.reason) for t in over] == [(False, "")]
