"""``forecasts``: what the open deals of a pipeline will bring, as derived columns and a KPI that checks its amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cadran.calendar import Grain
from cadran.declare import datasets, values
from cadran.declare.additions import Additions, quoted
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Dataset, Forecast, Kpi, Text
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections

_WRITTEN = re.compile(r"[A-Za-z_][\w.]*|.*\".*")  # what an expression takes as it is


def forecast(
    name: str, entry: Entry, made: Mapping[str, Dataset], sections: Sections, added: Additions, found: Findings
) -> Forecast | None:  # fmt: skip
    """The forecast, its columns and KPI put among ``added``; None where its datasets do not serve."""
    value, place = entry.value, entry.place
    check_name("forecast", name, entry.key, found)
    known = [
        datasets.known_dataset(value[part], place.child(part), sections, found)
        for part in ("dataset", "stages")
    ]
    deals, stages = made.get(value["dataset"]), made.get(value["stages"])
    if not all(known) or deals is None or stages is None:
        return None
    problems = [*_unfit(deals, stages, place)]
    for code, message, at, hint in problems:
        found.error(code, message, at, hint)
    if problems or deals.valid is None:
        return None
    result = Forecast(
        name=name,
        dataset=deals.name,
        stages=stages.name,
        link=next(link.name for link in stages.links.values() if link.to == deals.name),
        place=place,
        amount_column=f"{name}__amount" if "amount" in value else None,
        won_column=f"{name}__won",
        stage_column=f"{name}__stage",
        grain=Grain(value.get("period", "month")),
        horizon=value.get("horizon", 3),
        segment=value.get("segment", ""),
        label=values.localized(value.get("label")),
        description=values.localized(value.get("description")),
    )
    _add_columns(result, value, added)
    added.kpi(_amounts(result, deals.valid.start, place))
    return result


def _unfit(deals: Dataset, stages: Dataset, place: Place) -> Iterator[tuple[str, str, Place, str]]:
    """What keeps the datasets from being a pipeline: (code, message, place, hint)."""
    if not deals.key:
        message = f"a forecast tells the rows of '{deals.name}' apart, and that dataset has no key"
        yield (
            "forecast-without-key",
            message,
            place.child("dataset"),
            f"add 'key' under datasets.{deals.name}",
        )
    for dataset, key, usual in (
        (deals, "dataset", "[created_at, closed_at]"),
        (stages, "stages", "[entered_at, left_at]"),
    ):
        if dataset.valid is None:
            message = f"'{dataset.name}' does not say from when to when its rows hold"
            hint = f"add 'valid: {usual}' under datasets.{dataset.name}, with the names of its own columns"
            yield "forecast-without-valid", message, place.child(key), hint
    linked = [link for link in stages.links.values() if link.to == deals.name]
    links = [link.name for link in linked]
    if len(linked) == 1 and deals.key and len(linked[0].columns) != len(deals.key):
        message = f"'{deals.name}' holds several rows of one deal, told apart by when they begin"
        hint = "a forecast needs a dataset with one row for each deal"
        yield "forecast-of-history", message, place.child("dataset"), hint
    if len(links) != 1:
        count = "no link" if not links else f"{len(links)} links"
        message = f"'{stages.name}' has {count} to '{deals.name}'"
        hint = (
            "only one link can say which deal a row belongs to"
            if links
            else f"declare it under datasets.{stages.name}.links, such as {{deal_id: {deals.name}}}"
        )
        yield "forecast-without-link", message, place.child("stages"), hint


def _add_columns(made: Forecast, value: Mapping[str, Any], added: Additions) -> None:
    def text(key: str) -> Text:
        return values.text(value[key], made.place.child(key))

    added.column(made.dataset, made.won_column, text("won"), "condition")
    if made.amount_column is not None:
        added.column(made.dataset, made.amount_column, text("amount"))
    added.column(made.stages, made.stage_column, text("stage"))


def kpi_name(forecast: str) -> str:
    """``forecasts.NAME``: the KPI that adds up all amounts, so that they are checked as any other's are."""
    return f"forecasts.{forecast}"


def _amounts(made: Forecast, opened: Text, place: Place) -> Kpi:
    measured = f"count({made.dataset})"
    if made.amount_column is not None:
        measured = f"sum({made.dataset}.{quoted(made.amount_column)})"
    day = opened.value if _WRITTEN.fullmatch(opened.value) else quoted(opened.value)
    return Kpi(
        name=kpi_name(made.name),
        formula=Text(f"dated({measured}, {day})", Place(place.document, place.path, on_key=True)),
        place=place,
        reported=False,
        periods=(made.grain,),
        segments=((made.segment,),) if made.segment else (),
        segment_places=(place.child("segment"),) if made.segment else (),
        compare=(),
    )
