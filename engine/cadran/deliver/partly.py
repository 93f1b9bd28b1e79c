"""A run that goes on where a source does not answer: without the KPIs that need it, which are told as failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeVar

from cadran.deliver.broken import Broken, broken
from cadran.problems import Problem, ProblemsFound, errors

if TYPE_CHECKING:
    from cadran.analysis.analyse import Wanted
    from cadran.compute.results import Failed, Results
    from cadran.declare.model import Declaration
    from cadran.judge.evaluate import Rests
    from cadran.project import Project

Run = Callable[[Sequence[str], "Wanted | Literal['reports', 'all'] | None", Collection[str]], "Results"]


def partly(
    project: Project, kpis: Sequence[str], analyses: Wanted | Literal["reports", "all"] | None, run: Run
) -> Results:
    """``run`` computes some KPIs and analyses without some datasets. Raises ProblemsFound where something else is wrong than
    sources, and where no KPI is left."""
    try:
        return run(kpis, analyses, ())
    except ProblemsFound as found:
        if not _of_sources(found.problems):
            raise
        declaration, _ = project.declaration()
        assert declaration is not None  # else there would be no source
        return _without(project, declaration, kpis, analyses, run, found.problems)


Answer = TypeVar("Answer")


def around(project: Project, ask: Callable[[Collection[str]], Answer]) -> Answer:
    """What ``ask`` says, without the datasets of sources that do not answer where it does not need them: else it raises Needed.
    Raises ProblemsFound."""
    from cadran.analysis.analyse import Needed

    wrong, apart = Broken(), frozenset[str]()
    said: list[Problem] = []
    while True:
        try:
            return ask(apart)
        except Needed:
            raise ProblemsFound(said) from None
        except ProblemsFound as found:
            said = list(dict.fromkeys([*said, *found.problems]))
            declaration, _ = project.declaration()
            if declaration is None or not _of_sources(found.problems):
                raise
            now = wrong.and_also(broken(found.problems, declaration, {}))
            if now == wrong:
                raise ProblemsFound(said) from None
            wrong, apart = now, now.apart(declaration)


def _without(
    project: Project, declaration: Declaration, kpis: Sequence[str], analyses: Wanted | Literal["reports", "all"] | None, run: Run,
    problems: Sequence[Problem],
) -> Results:  # fmt: skip
    from cadran.compute.planning.selection import choose

    rests = project.dependencies(every=True)
    names, wrong, said = choose(declaration, kpis), Broken(), list(errors(problems))
    while True:
        now = wrong.and_also(broken(said, declaration, rests, names))
        left = now.without(names, declaration, rests)
        if now == wrong or not left:
            raise ProblemsFound(list(dict.fromkeys(said)))
        wrong, apart = now, now.apart(declaration)
        try:
            results = run(left, analyses, apart)
        except ProblemsFound as found:
            if not _of_sources(found.problems):
                raise
            said += errors(found.problems)
            continue
        missing = [name for name in names if name not in left]
        failed = tuple(_failed(name, declaration, rests, said) for name in missing)
        return replace(results, failed=failed, kpis=tuple(names))


def _of_sources(problems: Sequence[Problem]) -> bool:
    """Whether nothing is wrong but what sources could not do."""
    return all(problem.subject.startswith("sources.") for problem in errors(problems))


def _failed(kpi: str, declaration: Declaration, rests: Rests, said: Sequence[Problem]) -> Failed:
    """With the problems of the sources that it needs."""
    from cadran.compute.results import Failed

    mine = [
        p
        for p in dict.fromkeys(said)
        if _needs(rests.get(kpi, ()), broken([p], declaration, rests), declaration)
    ]
    return Failed(kpi, tuple(mine))


def _needs(datasets: Iterable[str], wrong: Broken, declaration: Declaration) -> bool:
    return bool(wrong.apart(declaration).intersection(datasets))
