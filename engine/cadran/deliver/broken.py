"""Sources and datasets that a run could not use, told from its problems; and the KPIs that can be computed without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cadran.declare.model import RATES, Declaration
from cadran.judge.evaluate import Rests
from cadran.problems import Problem, errors


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong, by source that did not answer and by dataset whose rows are at fault."""

    sources: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sources or self.datasets)

    def apart(self, declaration: Declaration) -> frozenset[str]:
        """The datasets that nothing can be computed of."""
        fed = {n for n, d in declaration.datasets.items() if any(t.source in self.sources for t in d.tables)}
        if declaration.rates is not None and declaration.rates.table.source in self.sources:
            fed.add(RATES)
        return frozenset({*self.datasets, *fed})

    def without(self, kpis: Sequence[str], declaration: Declaration, rests: Rests) -> list[str]:
        """The KPIs that rest on nothing of it."""
        apart = self.apart(declaration)
        return [kpi for kpi in kpis if kpi in rests and not apart.intersection(rests[kpi])]

    def and_also(self, other: Broken) -> Broken:
        return Broken({**self.sources, **other.sources}, {**self.datasets, **other.datasets})


def broken(
    problems: Iterable[Problem], declaration: Declaration, rests: Rests, asked: Iterable[str] = ()
) -> Broken:
    """``rests`` says which datasets each KPI rests on; ``asked`` are those that the problems come of. Empty where something
    else is wrong as well."""
    sources: dict[str, list[str]] = {}
    datasets: dict[str, list[str]] = {}
    wrong = errors(problems)
    of_kpis = {p.subject for p in wrong if not p.datasets and p.subject in declaration.kpis}
    for problem in wrong:
        section, _, name = problem.subject.partition(".")
        named: Iterable[str] = problem.datasets
        if not named and section == "sources" and name in declaration.sources:
            sources.setdefault(name, []).append(problem.message)
            continue
        if not named and section == "datasets" and name in declaration.datasets:
            named = (name,)
        if not named and problem.subject in of_kpis:
            named = _behind(problem.subject, {*asked} - of_kpis, rests)
        if not named:
            return Broken()
        for dataset in named:
            datasets.setdefault(dataset, []).append(_said(problem))
    return Broken(_joined(sources), _joined(datasets))


def _behind(kpi: str, well: Iterable[str], rests: Rests) -> Iterable[str]:
    """The datasets of a KPI that nothing rests on of which all is well; all of them, if there are none."""
    mine = {*rests.get(kpi, ())}
    return sorted(mine.difference(*(rests.get(other, ()) for other in well)) or mine)


def _said(problem: Problem) -> str:
    """A dataset's own problem, or whose it is."""
    section, _, name = problem.subject.partition(".")
    return (
        problem.message
        if name and section in ("sources", "datasets")
        else f"{problem.subject}: {problem.message}"
    )


def _joined(some: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: "; ".join(dict.fromkeys(said)) for name, said in some.items()}
