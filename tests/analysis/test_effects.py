"""The arithmetic of splitting a change: on any data the parts are the change, exactly, and their rounded figures too."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cadran.analysis.effects import Effect, State, half_up, is_noise, of_ratio, of_sum, rounded, stands_out

numbers = st.fractions(min_value=-1000, max_value=1000, max_denominator=100)
# Segment values appear and vanish: a denominator of 0 on a side, with or without something in the numerator.
states = st.builds(State, numbers, st.one_of(st.just(Fraction(0)), st.fractions(0, 1000, max_denominator=10)))
parts = st.lists(st.tuples(states, states), min_size=1, max_size=8)


def whole(states: list[State]) -> State:
    total = (Fraction(0), Fraction(0))
    for state in states:
        total = total[0] + state.numerator, total[1] + state.denominator
    return State(*total)


@given(parts)
def test_the_parts_of_a_ratio_are_its_change(pairs: list[tuple[State, State]]) -> None:
    then, now = whole([a for a, _ in pairs]), whole([b for _, b in pairs])
    assume(then.denominator and now.denominator)
    effects = [of_ratio(a, b, then, now) for a, b in pairs]
    assert now.rate is not None and then.rate is not None
    assert sum(e.total for e in effects) == now.rate - then.rate


@given(parts)
def test_rate_and_mix_are_those_of_the_midpoint_formula(pairs: list[tuple[State, State]]) -> None:
    then, now = whole([a for a, _ in pairs]), whole([b for _, b in pairs])
    assume(then.denominator and now.denominator)
    mean = (then.numerator / then.denominator + now.numerator / now.denominator) / 2
    for a, b in pairs:
        effect = of_ratio(a, b, then, now)
        w0, w1 = a.denominator / then.denominator, b.denominator / now.denominator
        if w0 and w1:
            r0, r1 = a.numerator / a.denominator, b.numerator / b.denominator
            assert effect == Effect((w1 + w0) / 2 * (r1 - r0), (w1 - w0) * ((r1 + r0) / 2 - mean))
        elif w1 and not a.numerator:
            assert effect == Effect(Fraction(0), w1 * (b.numerator / b.denominator - mean))
        elif w0 and not b.numerator:
            assert effect == Effect(Fraction(0), -w0 * (a.numerator / a.denominator - mean))


@given(parts)
def test_back_in_time_every_effect_is_the_opposite(pairs: list[tuple[State, State]]) -> None:
    then, now = whole([a for a, _ in pairs]), whole([b for _, b in pairs])
    assume(then.denominator and now.denominator)
    for a, b in pairs:
        forth, back = of_ratio(a, b, then, now), of_ratio(b, a, now, then)
        assert (forth.rate, forth.mix) == (-back.rate, -back.mix)


def test_by_hand() -> None:
    """The worked example of docs/why.md: 30 of 100 leads, then 33 of 150."""
    then, now = State(Fraction(30), Fraction(100)), State(Fraction(33), Fraction(150))
    web = of_ratio(State(Fraction(20), Fraction(40)), State(Fraction(18), Fraction(40)), then, now)
    paid = of_ratio(State(Fraction(10), Fraction(60)), State(Fraction(15), Fraction(110)), then, now)
    assert [round(float(x), 4) for x in (web.rate, web.mix)] == [-0.0167, -0.0287]
    assert [round(float(x), 4) for x in (paid.rate, paid.mix)] == [-0.0202, -0.0145]
    assert web.total + paid.total == Fraction(22, 100) - Fraction(30, 100)
    assert of_sum(Fraction(2), Fraction(5)).total == 3


@given(
    st.lists(numbers, max_size=12),
    st.sampled_from([Fraction(1), Fraction(1, 100), Fraction(1, 1000), Fraction(5)]),
)
def test_rounded_parts_add_up_to_the_rounded_whole(values: list[Fraction], unit: Fraction) -> None:
    found = rounded(values, unit)
    assert sum(found) == half_up(sum(values, Fraction(0)) / unit) * unit
    assert all((value / unit).denominator == 1 for value in found)
    assert all(abs(a - b) < unit for a, b in zip(values, found, strict=True))
    assert all(b == 0 for a, b in zip(values, found, strict=True) if a == 0)


@pytest.mark.parametrize(
    ("value", "whole_number"), [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("-5/2", -3), ("1/3", 0)]
)
def test_halves_go_away_from_zero(value: str, whole_number: int) -> None:
    assert half_up(Fraction(value)) == whole_number


def test_a_segment_whose_values_moved_alike_explains_nothing() -> None:
    alike = [(Effect(Fraction(6)), Fraction(6, 10)), (Effect(Fraction(4)), Fraction(4, 10))]
    apart = [(Effect(Fraction(10)), Fraction(5, 10)), (Effect(Fraction(0)), Fraction(5, 10))]
    assert stands_out(alike, Fraction(10)) == 0 < stands_out(apart, Fraction(10))


def test_what_adding_floats_loses_is_noise() -> None:
    rest = Fraction(0.1 + 0.2) - Fraction(0.1) - Fraction(0.2)
    assert rest and is_noise(rest, [Fraction(0.1), Fraction(0.2)])
    assert not is_noise(Fraction(1, 100), [Fraction(1000)])
