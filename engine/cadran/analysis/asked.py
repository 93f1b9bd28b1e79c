"""What a question about a change asks for: which KPI at which period, by which segments, and how much has to be computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cadran.analysis.answers import Value, WhyQuestion
from cadran.analysis.asking import Asking
from cadran.calendar import Grain, Period
from cadran.compute.cells.computed import finest
from cadran.compute.planning.selection import choose
from cadran.compute.planning.settling import Settling
from cadran.declare.model import Kpi
from cadran.formula.measures import At, ResolvedKpi, Rolling, Shift, Transform, leaves_in
from cadran.formula.ratio import NotARatio
from cadran.problems import Problem, ProblemsFound, listed, suggest

_A_YEAR = {Grain.DAY: 366, Grain.WEEK: 53, Grain.MONTH: 12, Grain.QUARTER: 4, Grain.FISCAL_QUARTER: 4}


@dataclass(frozen=True, slots=True)
class Asked:
    """``period`` is None for the newest final one; ``periods`` how many up to the clock are computed, so that segment
    values which only the earlier period had are among them."""

    kpi: ResolvedKpi
    grain: Grain
    period: Period | None
    segments: tuple[Value, ...]
    periods: int


def asked_of(question: WhyQuestion, asking: Asking) -> Asked:
    """Raises ProblemsFound."""
    resolved = asking.model.kpis[named(question.kpi, asking)]
    grain, period = _when(question, resolved.kpi, asking)
    segments = _segments(question, resolved.kpi)
    oldest = period or _last_final(resolved, grain, asking)
    now = asking.calendar.period(grain, asking.clock.today)
    back = 1 if question.against == "previous" else _A_YEAR.get(grain, 1)
    reach = max(
        _reach(asking.model.leaves[n].transforms, grain, oldest, asking) for n in leaves_in(resolved.value)
    )
    return Asked(resolved, grain, period, segments, between(oldest, now, asking) + back + reach + 2)


def named(name: str, asking: Asking) -> str:
    (kpi, *others) = choose(asking.declaration, [name])
    if others or kpi != name:
        raise ProblemsFound([Problem("arguments", f"'{name}' is not one KPI", None, "", "name a KPI")])
    return kpi


def _when(question: WhyQuestion, kpi: Kpi, asking: Asking) -> tuple[Grain, Period | None]:
    grains = [g for g in kpi.periods if g is not Grain.ALL]
    if not grains:
        message = f"'{kpi.name}' has one value over all that is covered, so nothing comes before it"
        raise ProblemsFound(
            [Problem("no-period", message, kpi.place.position(), kpi.name, "give it another 'period'")]
        )
    if question.period in [str(g) for g in Grain]:
        return _having(Grain(question.period), kpi, grains), None
    if not question.period:
        return finest(grains), None
    try:
        period = asking.calendar.parse(question.period)
    except ValueError as error:
        raise ProblemsFound([Problem("bad-period", str(error))]) from None
    if period.start > asking.clock.today:
        hint = f"it is {asking.clock.today.isoformat()}"
        raise ProblemsFound([Problem("bad-period", f"{question.period} has not begun", None, kpi.name, hint)])
    return _having(period.grain, kpi, grains), period


def _having(grain: Grain, kpi: Kpi, grains: Sequence[Grain]) -> Grain:
    if grain not in grains:
        hint = f"it is computed by {listed([str(g) for g in grains])}"
        message = f"'{kpi.name}' is not computed by {grain}"
        raise ProblemsFound([Problem("bad-period", message, kpi.place.position(), kpi.name, hint)])
    return grain


def _segments(question: WhyQuestion, kpi: Kpi) -> tuple[Value, ...]:
    by_content = {tuple(sorted(s)): s for s in reversed(kpi.segments) if s}
    known = tuple(s for s in kpi.segments if s and by_content[tuple(sorted(s))] is s)
    if not known:
        message = f"'{kpi.name}' has no segment to split a change by"
        hint = "give it one, as in 'segment: channel'"
        raise ProblemsFound([Problem("no-segment", message, kpi.place.position(), kpi.name, hint)])
    if question.by is None:
        return known
    chosen = by_content.get(tuple(sorted(question.by)))
    if chosen is None:
        name, names = " / ".join(question.by), [" / ".join(s) for s in known]
        hint = suggest(name, names) or f"it has {listed(names)}; others are added under 'segment:'"
        message = f"'{kpi.name}' has no segment '{name}'"
        raise ProblemsFound([Problem("unknown-segment", message, kpi.place.position(), kpi.name, hint)])
    return (chosen,)


# --- how far back -----------------------------------------------------------------------------------------------------


def _last_final(kpi: ResolvedKpi, grain: Grain, asking: Asking) -> Period:
    """A period that is final for sure, with none much newer; which one exactly the run will tell."""
    until = Settling(asking.declaration, asking.model, asking.clock).final_until(kpi)
    return asking.calendar.shift(asking.calendar.period(grain, until), -2)


def between(earlier: Period, later: Period, asking: Asking) -> int:
    """How many periods lie from one to the other."""
    return len(asking.calendar.range(earlier.grain, earlier.start, later.start)) - 1


def _reach(transforms: tuple[Transform, ...], grain: Grain, oldest: Period, asking: Asking) -> int:
    """How many periods before its own a measure looks at, at the most."""
    periods = 0
    for transform in transforms:
        match transform:
            case Shift(count):
                periods += abs(count)
            case Rolling(count):
                periods += count
            case At(day):
                first = asking.calendar.period(grain, min(day, oldest.start))
                periods += between(first, oldest, asking) + 1
            case _:
                periods += _A_YEAR.get(grain, 1)
    return periods


# --- what cannot be split ---------------------------------------------------------------------------------------------

_HINT = "the change of a count, a sum, an average, or a ratio of these can be split"


def not_split(found: NotARatio, kpi: ResolvedKpi) -> Problem:
    """Why a KPI's change cannot be split over segment values, at the part of its formula that is at fault."""
    messages = {
        "statistic": f"a change of {found.what}() has no parts that belong to segment values",
        "product": "a product of measures has no parts that belong to segment values",
        "denominators": "ratios with different denominators, added up, have no parts that belong to segment values",
        "total": "total() is the same for every segment value, so a change of it has no parts",
        "function": f"a change of {found.what} has no parts that belong to segment values",
    }
    hints = {
        "statistic": f"{_HINT}; a mean beside it, avg(…), is a KPI that can be asked about",
        "product": f"{_HINT}; make its factors KPIs of their own, and ask for each of them",
        "denominators": f"{_HINT}; make the ratios KPIs of their own, and ask for each of them",
        "total": f"{_HINT}; ask for the KPI that total() is taken of",
        "function": _HINT,
    }
    origin = found.leaf.measure.origin if found.leaf is not None else None
    place = origin.parsed.position(origin.node) if origin is not None else kpi.parsed.position()
    return Problem("cannot-split", messages[found.why], place, kpi.kpi.name, hints[found.why])
