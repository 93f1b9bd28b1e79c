"""A KPI's recorded values as they were known at a time, asked for as people ask: by period, by segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cadran.calendar import Grain
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.state.store import observations
from cadran.state.store.observations import Observed

if TYPE_CHECKING:
    from cadran.declare.model import Declaration, Kpi
    from cadran.state.store.store import Store

_RECORDS = "'cadran run --due' and 'cadran scheduler' record what they compute"


@dataclass(frozen=True, slots=True)
class History:
    """All revisions that were known at ``known_at`` (None: now), by grain, period, segment value and revision."""

    kpi: str
    declaration: Declaration = field(repr=False)
    known_at: dt.datetime | None
    observed: tuple[Observed, ...]


def history(
    store: Store | None, declaration: Declaration, kpi: Kpi, known_at: dt.datetime | None, period: str, segment: Sequence[str]
) -> History:  # fmt: skip
    """``period`` is a label or a grain, ``segment`` are ``NAME`` or ``NAME=VALUE``, several for a cross; without any the total.

    Raises ProblemsFound where nothing was recorded that fits, with what there is.
    """
    wanted = _wanted(kpi, segment)
    if store is None:
        raise _none(kpi)
    with store.read() as c:
        found = observations.history(c, kpi.name, known_at, before=kpi.renamed_from)
        if not found:
            raise _unknown_then(kpi, known_at, observations.first_known(c, kpi.name, kpi.renamed_from))
    fits = [o for o in found if _is_of(o, wanted)]
    _check_values(kpi, wanted, found, fits)
    chosen = [o for o in fits if not period or period in (o.period, o.grain)]
    if not chosen:
        raise _no_period(kpi, period, fits)
    return History(kpi.name, declaration, known_at, tuple(chosen))


# --- segments --------------------------------------------------------------------------------------------------------


def _wanted(kpi: Kpi, asked: Sequence[str]) -> dict[str, str | None]:
    """Segment → its value, or None for all of them. Raises ProblemsFound."""
    pairs = [text.partition("=") for text in asked]
    wanted = {name.strip(): value if sign else None for name, sign, value in pairs}
    known = {frozenset(names) for names in kpi.segments}
    if not wanted or frozenset(wanted) in known:
        return wanted
    single = sorted({name for names in kpi.segments for name in names})
    for name in wanted:
        if name not in single:
            hint = suggest(name, single) or (f"segments are {listed(single)}" if single else "it has none")
            message = f"'{kpi.name}' is not cut by '{name}'"
            raise ProblemsFound([Problem("unknown-segment", message, None, "", hint)])
    crosses = [" and ".join(sorted(names)) for names in known]
    message = f"'{kpi.name}' is not cut by {' and '.join(sorted(wanted))} together"
    hint = f"it is by {listed(sorted(crosses))}"
    raise ProblemsFound([Problem("unknown-segment", message, None, "", hint)])


def _is_of(seen: Observed, wanted: dict[str, str | None]) -> bool:
    if set(seen.segment) != set(wanted):
        return False
    pairs = zip(seen.segment, seen.segment_value, strict=True)
    return all(wanted[name] in (None, value) for name, value in pairs)


def _check_values(
    kpi: Kpi, wanted: dict[str, str | None], found: Sequence[Observed], fits: Sequence[Observed]
) -> None:
    """Raises ProblemsFound for a segment value that nothing was recorded of."""
    if fits:
        return
    said = ", ".join(f"{name}={value}" if value is not None else name for name, value in wanted.items())
    names = list(wanted)
    seen = sorted({v for o in found if set(o.segment) == set(names) for v in o.segment_value})
    asked = next((value for value in wanted.values() if value is not None), "")
    hint = suggest(asked, seen) or (f"values are {listed(seen)}" if seen else _RECORDS)
    message = f"nothing has been recorded of '{kpi.name}' for {said or 'the total'}"
    raise ProblemsFound([Problem("unknown-segment-value", message, None, "", hint)])


# --- what is not there -----------------------------------------------------------------------------------------------


def _none(kpi: Kpi) -> ProblemsFound:
    message = f"nothing has been recorded of '{kpi.name}' yet"
    return ProblemsFound([Problem("no-history", message, None, "", _RECORDS)])


def _unknown_then(kpi: Kpi, known_at: dt.datetime | None, first: dt.datetime | None) -> ProblemsFound:
    if first is None or known_at is None:
        return _none(kpi)
    message = f"nothing was known of '{kpi.name}' at {known_at:%Y-%m-%d %H:%M}"
    hint = f"it has been recorded since {first.astimezone(known_at.tzinfo):%Y-%m-%d %H:%M}"
    return ProblemsFound([Problem("no-history", message, None, "", hint)])


def _no_period(kpi: Kpi, period: str, fits: Sequence[Observed]) -> ProblemsFound:
    labels = list(dict.fromkeys(o.period for o in fits))
    grains = list(dict.fromkeys(o.grain for o in fits))
    newest = [next(o.period for o in reversed(fits) if o.grain == grain) for grain in grains]
    if period in [grain.value for grain in Grain]:
        message = f"'{kpi.name}' has not been recorded by {period}"
    else:
        message = f"'{kpi.name}' has no recorded period '{period}'"
    hint = suggest(period, [*labels, *grains]) or f"the newest are {listed(newest)}"
    return ProblemsFound([Problem("unknown-period", message, None, "", hint)])
