"""``funnels``: steps that the rows of a dataset reach one after the other, as derived columns and KPIs.

A row counts for a step if it has reached this and all earlier steps, each on the day of the one before or later, and
none later than the window after the first. Days are local days, so that dates and times compare alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cadran.calendar import Duration, Grain
from cadran.declare import datasets, values
from cadran.declare.additions import Additions, quoted
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Funnel, Kpi, Step, Text
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections


def funnel(name: str, entry: Entry, sections: Sections, added: Additions, found: Findings) -> Funnel | None:
    """The funnel, its columns and KPIs put among ``added``; None where its dataset is unknown or has no key."""
    value, place = entry.value, entry.place
    check_name("funnel", name, entry.key, found)
    dataset = value["dataset"]
    if not datasets.known_dataset(dataset, place.child("dataset"), sections, found):
        return None
    if not _has_key(dataset, place, sections, found):
        return None
    segments = list(values.each(value["segment"], place.child("segment"))) if "segment" in value else []
    made = Funnel(
        name=name,
        dataset=dataset,
        place=place,
        steps=tuple(_steps(name, value["steps"], place.child("steps"), found)),
        window=_window(value["window"], place.child("window"), found),
        periods=tuple(Grain(grain) for grain, _ in values.each(value.get("period", "month"), place)),
        segments=tuple((part,) if isinstance(part, str) else tuple(part) for part, _ in segments),
        label=values.localized(value.get("label")),
        description=values.localized(value.get("description")),
    )
    _add_columns(made, added)
    _add_kpis(made, tuple(at for _, at in segments), added)
    return made


def _has_key(dataset: str, place: Place, sections: Sections, found: Findings) -> bool:
    entry = sections.named["datasets"].get(dataset)
    if entry is None or "key" in entry.value:
        return True
    message = f"a funnel counts each row of '{dataset}' once, and that dataset has no key"
    found.error("funnel-without-key", message, place.child("dataset"), f"add 'key' under datasets.{dataset}")
    return False


def _steps(funnel: str, value: dict[str, Any], place: Place, found: Findings) -> Iterator[Step]:
    if len(value) < 2:
        found.error("one-step", "a funnel has two steps or more", place, "add the step that comes next")
    for number, (name, part) in enumerate(value.items(), 1):
        at = place.child(name)
        written = isinstance(part, dict)
        reached = values.text(part["reached"], at.child("reached")) if written else values.text(part, at)
        label = values.localized(part.get("label")) if written else {}
        yield Step(name, reached, f"{funnel}__{number}", at, label)


def _window(value: str, place: Place, found: Findings) -> Duration:
    example = "write for instance 90 days"
    window = values.duration(value, place, found, example)
    if window is not None and (window.seconds or not window.days):
        found.error("bad-window", "a funnel's window is whole days", place, example)
        return Duration()
    return window or Duration()


def reached_at(step: Step) -> str:
    return f"{step.column}_at"


def _add_columns(made: Funnel, added: Additions) -> None:
    for step in made.steps:
        added.column(made.dataset, reached_at(step), step.reached, "date")
    before: Step | None = None
    for step in made.steps:
        added.made(made.dataset, step.column, _condition(made, step, before), step.place)
        before = step


def _condition(made: Funnel, step: Step, before: Step | None) -> str:
    """Whether a row counts for a step. What lies after the clock has not happened yet."""
    here = quoted(reached_at(step))
    if before is None:
        return f"coalesce({here} <= now(), false)"
    later = f"date_diff('day', {_day(before)}, {_day(step)}) >= 0"
    in_time = f"date_diff('day', {_day(made.steps[0])}, {_day(step)}) between 0 and {made.window.days}"
    return f"coalesce({quoted(before.column)} and {here} <= now() and {later} and {in_time}, false)"


def kpi_name(funnel: str, what: str, step: Step) -> str:
    """``funnels.NAME.count.STEP``: the KPI behind a figure of a step (``count``, ``days`` or ``skipped``)."""
    return f"funnels.{funnel}.{what}.{step.name}"


def _add_kpis(made: Funnel, places: tuple[Place, ...], added: Additions) -> None:
    before: Step | None = None
    for step in made.steps:
        formulas = {"count": _counted(made, f"count({made.dataset})", quoted(step.column))}
        if before is not None:
            days = f"date_diff('day', {_day(before, made.dataset)}, {_day(step, made.dataset)})"
            formulas["days"] = _counted(made, f"median({days})", quoted(step.column))
            formulas["skipped"] = _counted(made, f"count({made.dataset})", _skipped(made, step))
        for what, formula in formulas.items():
            added.kpi(
                Kpi(
                    name=kpi_name(made.name, what, step),
                    formula=Text(formula, Place(made.place.document, made.place.path, on_key=True)),
                    place=made.place,
                    reported=False,
                    periods=made.periods,
                    segments=made.segments,
                    segment_places=places,
                    compare=("previous", "year_ago") if what == "count" else (),
                    matures=made.window,
                )
            )
        before = step


def _day(step: Step, dataset: str = "") -> str:
    """The local day of a step; the cast also gives a column without any value a type."""
    column = quoted(reached_at(step))
    return f"cast({f'{dataset}.{column}' if dataset else column} as date)"


def _counted(made: Funnel, measure: str, condition: str) -> str:
    """A measure of the rows that meet a condition, dated by their first step."""
    return f"dated({measure} filter (where {condition}), {quoted(reached_at(made.steps[0]))})"


def _skipped(made: Funnel, step: Step) -> str:
    """Rows that reached a step in time, but not all of the steps before it, or not in their order."""
    here = quoted(reached_at(step))
    in_time = f"date_diff('day', {_day(made.steps[0])}, {_day(step)}) between 0 and {made.window.days}"
    return f"not {quoted(step.column)} and {here} <= now() and {in_time}"
