"""A run that goes on where a source does not answer: without the KPIs that need it, which are told as failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from cadran.analysis.analyse import Needed
from cadran.compute.planning.selection import choose
from cadran.compute.results import Failed, Results
from cadran.declare.model import Declaration
from cadran.deliver.broken import Broken, broken
from cadran.deliver.telling import RunTold
from cadran.judge.evaluate import Rests
from cadran.problems import Problem, ProblemsFound, errors
from cadran.project.declared import Declared
from cadran.project.opened import dependencies
from cadran.project.running import Run, nothing, ran


def partly(project: Declared, run: Run, told: RunTold) -> Results:
    """Raises ProblemsFound where something else is wrong than sources."""
    try:
        return ran(project, replace(run, apart=()), told)
    except ProblemsFound as found:
        if not _of_sources(found.problems):
            raise
        declaration, _ = project.declaration()
        assert declaration is not None  # else there would be no source
        return _without(project, declaration, run, told, found.problems)


Answer = TypeVar("Answer")


def around(project: Declared, ask: Callable[[Collection[str]], Answer]) -> Answer:
    """What ``ask`` says, without the datasets of sources that do not answer where it does not need them: else it raises Needed.
    Raises ProblemsFound."""
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
    project: Declared, declaration: Declaration, run: Run, told: RunTold, problems: Sequence[Problem]
) -> Results:
    rests = dependencies(project, every=True)
    names, wrong, said = choose(declaration, run.kpis), Broken(), list(errors(problems))
    while True:
        now = wrong.and_also(broken(said, declaration, rests, names))
        left = now.without(names, declaration, rests)
        if now == wrong:
            raise ProblemsFound(list(dict.fromkeys(said)))
        wrong, apart = now, now.apart(declaration)
        try:
            results = (
                ran(project, replace(run, kpis=left, apart=apart), told)
                if left
                else nothing(declaration, run)
            )
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
    mine = [
        p
        for p in dict.fromkeys(said)
        if _needs(rests.get(kpi, ()), broken([p], declaration, rests), declaration)
    ]
    return Failed(kpi, tuple(mine))


def _needs(datasets: Iterable[str], wrong: Broken, declaration: Declaration) -> bool:
    return bool(wrong.apart(declaration).intersection(datasets))
