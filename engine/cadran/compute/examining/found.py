"""What ``check --data`` found in each dataset: rows, dates, types, and links that lead nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.engine import Engine
from cadran.compute.lower import both, column
from cadran.compute.results import Quality
from cadran.compute.scanning.rows import EMPTY, Joined
from cadran.declare.model import Declaration
from cadran.formula.measures import ref_node
from cadran.problems import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """One dataset at the run's clock. ``first`` and ``last`` are None where no row has a date."""

    dataset: str
    rows: int
    quarantined: int
    undated: int
    first: dt.date | None
    last: dt.date | None
    columns: Mapping[str, str]  # name → DuckDB type (empty where there is no value), the derived ones last
    unmatched: Mapping[
        str, int
    ]  # link → rows whose key has no counterpart; those with an empty key do not count


def found(engine: Engine, quality: Iterable[Quality]) -> list[Found]:
    """Of each of these datasets; they have been examined before."""
    return [
        Found(
            q.dataset, q.rows, q.quarantined, q.undated, q.first, q.last,
            {name: "" if kind == EMPTY else kind for name, kind in engine.types_of(q.dataset).items()}, dict(_unmatched(engine, q.dataset)),
        )
        for q in quality
    ]  # fmt: skip


def _unmatched(engine: Engine, name: str) -> Iterator[tuple[str, int]]:
    builder = engine.rows
    for link, (columns, target) in engine.model.datasets[name].links.items():
        key = engine.model.datasets[target].key
        needs = builder.needs(name, [ref_node((link,), part) for part in key])
        tables = builder.build(needs)
        joined = Joined(builder, name, tables.final[name], tables.final)
        lost = exp.Is(this=column(key[0], joined.alias((link,))), expression=exp.null())
        given = [exp.Not(this=exp.Is(this=joined.column((), c), expression=exp.null())) for c in columns]
        select = joined.select(exp.Count(this=exp.Star())).where(both(lost, *given), copy=False)
        yield link, int(engine.session.rows(tables.attach(select))[0][0])


def unmet(declaration: Declaration, quality: Iterable[Quality]) -> list[Problem]:
    """What datasets were expected to hold and do not, as warnings."""
    hint = "see whether the source is up to date"
    return [
        Problem("expectation", finding, declaration.datasets[q.dataset].place.position(), f"datasets.{q.dataset}", hint, "warning")
        for q in quality
        for finding in q.findings
    ]  # fmt: skip
