"""A project cut down to what one test asks: the same formulas, fewer of them. What is left computes as in a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from cadran.calendar import Grain
from cadran.declare.expectations import KpiTest
from cadran.declare.model import Declaration, Source, TableRef
from cadran.formula.measures import Model, ResolvedKpi, leaf_node, leaves_in

GIVEN = "given"  # the source that all datasets of a test come from …
RATES = "given_rates"  # … and the exchange rates


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one KPI: for which periods, with or without segments, and whether its alerts are looked at."""

    grains: Collection[Grain]
    segments: bool = False
    alerts: bool = False


def asked(test: KpiTest) -> dict[str, Asked]:
    """What a test asks of each KPI."""
    found: dict[str, Asked] = {}
    for expected in test.expected:
        before = found.get(expected.kpi, Asked(()))
        grains = {*before.grains, expected.period.grain}
        found[expected.kpi] = replace(
            before, grains=grains, segments=before.segments or bool(expected.segment)
        )
    if test.kpi and test.alerts and not test.values:
        before = found.get(test.kpi, Asked(()))
        grains = {*before.grains, *(state.period.grain for state in test.alerts)}
        segments = before.segments or any(state.segment for state in test.alerts)
        found[test.kpi] = Asked(grains, segments, alerts=True)
    return found


def of_rows(declaration: Declaration) -> Declaration:
    """The project with all its datasets coming from a test's own tables."""
    datasets = {
        name: replace(dataset, tables=(TableRef(GIVEN, name, dataset.place),))
        for name, dataset in declaration.datasets.items()
    }
    rates = declaration.rates
    if rates is not None:
        rates = replace(rates, table=TableRef(RATES, "rates", rates.table.place))
    sources = {name: Source(name, "", {}, declaration.place) for name in (GIVEN, RATES)}
    return replace(declaration, sources=sources, datasets=datasets, rates=rates)


def cut(model: Model, wanted: Mapping[str, Asked]) -> Model:
    """The model with these KPIs alone."""
    kpis = {name: _kpi(model.kpis[name], part) for name, part in wanted.items()}
    return with_kpis(model, kpis.values())


def with_kpis(model: Model, kpis: Iterable[ResolvedKpi]) -> Model:
    """The model with other KPIs, and the segments that these have."""
    made = {kpi.kpi.name: kpi for kpi in kpis}
    names = {name for kpi in made.values() for segments in kpi.kpi.segments for name in segments}
    dimensions = {key: path for key, path in model.dimensions.items() if key[0] in names}
    return replace(model, kpis=made, dimensions=dimensions)


def _kpi(kpi: ResolvedKpi, part: Asked) -> ResolvedKpi:
    """Targets and comparisons matter to alerts alone; segments to none but themselves."""
    declared = replace(kpi.kpi, periods=tuple(g for g in kpi.kpi.periods if g in part.grains))
    if not part.segments:
        declared = replace(declared, segments=(), segment_places=())
    if part.alerts:
        return replace(kpi, kpi=declared)
    declared = replace(declared, targets=(), alerts=())
    return replace(kpi, kpi=declared, targets=(), rules=(), previous=kpi.value, year_ago=kpi.value)


def measures_alone(kpi: ResolvedKpi) -> dict[int, ResolvedKpi]:
    """Each measure of a KPI as a KPI of its own, by the number of its leaf; over the segment values of the whole KPI."""
    out = {}
    for number in leaves_in(kpi.value):
        never = exp.If(this=exp.false(), true=kpi.value.copy())
        tree = exp.Case(ifs=[never], default=leaf_node(number))
        declared = replace(kpi.kpi, name=f"{kpi.kpi.name} {number}", targets=(), alerts=())
        out[number] = ResolvedKpi(declared, kpi.parsed, tree, None, tree, tree)
    return out
