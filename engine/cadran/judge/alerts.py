"""Alert rules over a series of judged periods: a pure function of the rule and the answers of its conditions.

The states are Prometheus' (``ok → pending → firing``), on a calendar of final periods: a rule fires once its
condition has held for ``for`` consecutive ones, and stays until ``clear`` holds (or the condition no longer does).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cadran.declare.model import AlertRule
from cadran.state.alerting import NO_DATA, AlertState

Answers = tuple[bool | None, bool | None]  # whether the condition holds and whether clear does; None: unknown


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands after its last judged period; ``since`` is the label of the one at which the stretch began."""

    state: AlertState = "ok"
    since: str = ""
    held: int = 0
    cleared: int = 0
    reason: str = ""


_OK = Standing()


def step(rule: AlertRule, before: Standing, period: str, breach: bool | None, clear: bool | None) -> Standing:
    """The standing after one more final period. ``None`` is an unknown condition (no data)."""
    reason = ""
    if breach is None:
        if rule.on_missing == "keep":
            return before
        breach = rule.on_missing == "alert"
        clear = not breach
        reason = NO_DATA if breach else ""
    if before.state == "firing":
        return _firing(rule, before, breach, clear, reason)
    if not breach:
        return _OK
    held = before.held + 1
    return Standing("firing" if held >= rule.hold else "pending", before.since or period, held, 0, reason)


def _firing(rule: AlertRule, before: Standing, breach: bool, clear: bool | None, reason: str) -> Standing:
    over = bool(clear) if rule.clear is not None else not breach
    if not over or breach:
        return Standing("firing", before.since, before.held + breach, 0, reason)
    cleared = before.cleared + 1
    if cleared >= rule.keep:
        return _OK
    return Standing("firing", before.since, before.held, cleared, before.reason)


def standings(
    rule: AlertRule, answers: Iterable[tuple[str, bool | None, bool | None]], standing: Standing | None = None
) -> Iterator[tuple[str, Standing]]:
    """The standing after each final period, given as (label, condition, clear) in order."""
    standing = standing or Standing()
    for period, breach, clear in answers:
        standing = step(rule, standing, period, breach, clear)
        yield period, standing


def replay(rule: AlertRule, answers: Iterable[tuple[str, bool | None, bool | None]]) -> Standing:
    """The standing after all of them."""
    last = Standing()
    for _, standing in standings(rule, answers):
        last = standing
    return last
