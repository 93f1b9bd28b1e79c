"""Problems of KPIs that funnels and cohorts rest on, said of the funnels and cohorts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cadran.declare.cohorts import kpi_name
from cadran.declare.findings import subject_of
from cadran.declare.model import Declaration
from cadran.formula.measures import Leaf, ResolvedKpi, leaves_in
from cadran.problems import Problem


def check_cohorts(
    declaration: Declaration, kpis: Mapping[str, ResolvedKpi], leaves: Sequence[Leaf]
) -> Iterator[Problem]:
    """What is measured of cohorts is measured of the rows in which their members are found."""
    for cohort in declaration.cohorts.values():
        left = kpis.get(kpi_name(cohort.name, "left"))
        if left is None:
            continue
        others = dict.fromkeys(leaves[n].measure.dataset for n in leaves_in(left.value))
        for dataset in others:
            if dataset != cohort.dataset:
                message = f"the formula is about '{dataset}', and the cohorts of {cohort.entity.value} about '{cohort.dataset}'"
                hint = f"measure '{cohort.dataset}', or follow an entity of '{dataset}'"
                place = left.parsed.position()
                yield Problem("cohort-elsewhere", message, place, subject_of(cohort.place.path), hint)


def as_declared(problems: Iterable[Problem], declaration: Declaration) -> list[Problem]:
    """Each problem once, with the subject that its user knows; a cohort's own segment is none that he declared."""
    columns = {cohort.column for cohort in declaration.cohorts.values()}
    kept = (p for p in problems if p.code != "segment-out-of-reach" or not _names(p, columns))
    behind = declaration.behind
    said = (
        replace(p, subject=subject_of(behind[p.subject].place.path)) if p.subject in behind else p
        for p in kept
    )
    return list(dict.fromkeys(said))


def _names(problem: Problem, columns: Iterable[str]) -> bool:
    return any(f"'{column}'" in problem.message for column in columns)
