"""``cohorts``: what becomes of those who began in one period, at each age, as derived columns and KPIs."""

from __future__ import annotations

import re

from cadran.calendar import Grain
from cadran.declare import datasets, values
from cadran.declare.additions import Additions, quoted
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Cohort, Kpi, Text
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections

_PLAIN = re.compile(r'(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))*')


def cohort(name: str, entry: Entry, sections: Sections, added: Additions, found: Findings) -> Cohort | None:
    """The cohorts, their columns and KPIs put among ``added``; None where they cannot be understood."""
    value, place = entry.value, entry.place
    check_name("cohort", name, entry.key, found)
    entity = values.text(value["entity"], place.child("entity"))
    dataset, dot, _ = entity.value.partition(".")
    if not dot:
        message = f"'{entity.value}' does not say of which dataset"
        found.error("bad-entity", message, entity.place, "write dataset.column, such as orders.customer_id")
        return None
    if not datasets.known_dataset(dataset, entity.place, sections, found):
        return None
    if "since" in value and "size" not in value:
        message = "'since' is given, but not how many begin in a period"
        at = place.child("since", on_key=True)
        found.error("missing-size", message, at, "add 'size', such as count(customers)")
    segments = values.texts(value["segment"], place.child("segment")) if "segment" in value else ()
    made = Cohort(
        name=name,
        dataset=dataset,
        entity=entity,
        place=place,
        grain=Grain(value.get("period", "month")),
        ages=value.get("ages", 12),
        segments=tuple(segment.value for segment in segments),
        unit=value.get("unit", "percent"),
        column=f"{name}__began",
        label=values.localized(value.get("label")),
        description=values.localized(value.get("description")),
    )
    began = _began(value, made, sections, found)
    if began is None:
        return None
    added.column(dataset, f"{name}__since", began, "date")
    # The cast gives a column without any value a type.
    since = f"cast({quoted(f'{name}__since')} as timestamp)"
    trunc = f"cast(date_trunc('{made.grain}', {since}) as date)"
    added.made(dataset, made.column, trunc, place)
    _add_kpis(made, value, tuple(segment.place for segment in segments), added)
    return made


def _began(value: dict[str, object], made: Cohort, sections: Sections, found: Findings) -> Text | None:
    """When an entity began: as declared, or the date of its first row."""
    if "since" in value:
        return values.text(value["since"], made.place.child("since"))
    entry = sections.named["datasets"].get(made.dataset)
    date = entry.value.get("date") if entry is not None else None
    if date is None:
        message = f"the dataset '{made.dataset}' has no date, so nobody's first row is known"
        found.error("missing-date", message, made.entity.place, "add 'since': when an entity begins")
        return None
    _, _, column = made.entity.value.partition(".")
    place = Place(made.place.document, made.entity.place.path, on_key=True)
    return Text(f"min({_as_expression(str(date))}) over (partition by {column})", place)


def _as_expression(path: str) -> str:
    """A column as ``date:`` names it, where a name with a space stands without the quotes that expressions need."""
    return path if _PLAIN.fullmatch(path) else quoted(path)


def kpi_name(cohort: str, what: str) -> str:
    """``cohorts.NAME.left`` by age, or ``cohorts.NAME.size``."""
    return f"cohorts.{cohort}.{what}"


def _add_kpis(made: Cohort, value: dict[str, object], places: tuple[Place, ...], added: Additions) -> None:
    own = Place(made.place.document, made.entity.place.path, on_key=True)
    for what, key, default in (
        ("left", "formula", f"active({made.entity.value})"),
        ("size", "size", f"new({made.entity.value})"),
    ):
        formula = values.text(value[key], made.place.child(key)) if key in value else Text(default, own)
        by = [(s,) for s in made.segments]
        segments = [(made.column,), *((s, made.column) for s in made.segments)] if what == "left" else by
        added.kpi(
            Kpi(
                name=kpi_name(made.name, what),
                formula=formula,
                place=made.place,
                reported=False,
                periods=(made.grain,),
                segments=tuple(segments),
                segment_places=(own, *places) if what == "left" else places,
                compare=(),
            )
        )
