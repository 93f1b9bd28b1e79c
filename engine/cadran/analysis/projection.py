"""Where a running period will end, from what past ones held at the same elapsed part and in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cadran.analysis.statistics import Prediction, predicted_by_line, predicted_mean, student_t_below
from cadran.compute.results import Row

FITTED = 12  # final periods behind a projection
LEAST = 6
TESTED = 12  # past periods that are projected again, to see how well that goes


@dataclass(frozen=True, slots=True)
class Past:
    """A final period: its value at the same elapsed part, None without data, and its final one."""

    so_far: float | None
    final: float


def project(past: Sequence[Past], so_far: float | None) -> Prediction | None:
    """The final value of a period that has come so far, from final ones; None where there are fewer than six.

    Ordinary least squares of the final value on that at the same elapsed part; where those do not vary, or there are too
    few of them, the mean of the final values.
    """
    if len(past) < LEAST:
        return None
    pairs = [(p.so_far, p.final) for p in past if p.so_far is not None]
    if so_far is not None and len(pairs) >= LEAST:
        line = predicted_by_line([x for x, _ in pairs], [y for _, y in pairs], so_far)
        if line is not None:
            return line
    return predicted_mean([p.final for p in past])


def tried_before(past: Sequence[Past]) -> Iterator[tuple[float, float, float]]:
    """Each of the last periods as it would have been projected from those before it, at the same elapsed part.

    Gives (projected, final, the final value of the period before).
    """
    for at in range(max(LEAST, len(past) - TESTED), len(past)):
        made = project(past[max(0, at - FITTED) : at], past[at].so_far)
        if made is not None:
            yield made.value, past[at].final, past[at - 1].final


def error(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The mean absolute percentage error of (foretold, came); what came to 0 is left out, as it has no percentage."""
    errors = [abs(foretold - came) / abs(came) for foretold, came in pairs if came]
    return sum(errors) / len(errors) if errors else None


def chance(made: Prediction, running: Row, *, up: bool, floor: float | None) -> float | None:
    """The probability that the final value meets the target, by the distribution behind the interval."""
    if running.target is None:
        return None
    low, high = float(running.target), running.target_high
    if high is not None:
        return max(0.0, _below(made, float(high), floor) - _below(made, low, floor))
    below = _below(made, low, floor)
    return 1 - below if up else below


def _below(made: Prediction, value: float, floor: float | None) -> float:
    if floor is not None and value <= floor:
        return 0.0
    if not made.spread:
        return float(made.value <= value)
    return student_t_below((value - made.value) / made.spread, made.df)
