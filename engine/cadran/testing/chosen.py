"""Which tests of a project are run."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from cadran.declare.expectations import KpiTest
from cadran.declare.model import Declaration
from cadran.problems import Problem, ProblemsFound, listed, suggest


def chosen(declaration: Declaration, names: Sequence[str], kpis: Sequence[str]) -> list[KpiTest]:
    """In the order of the file. Raises ProblemsFound for a name that no test has, and for an unknown KPI."""
    problems = [*_unknown_tests(declaration, names), *_unknown_kpis(declaration, kpis)]
    if problems:
        raise ProblemsFound(problems)
    return [
        test
        for test in declaration.tests.values()
        if (not names or any(_is_called(test.name, name) for name in names))
        and (not kpis or set(kpis) & set(test.kpis))
    ]


def _unknown_tests(declaration: Declaration, names: Sequence[str]) -> list[Problem]:
    known = list(declaration.tests)
    wrong = [name for name in names if not any(_is_called(test, name) for test in known)]
    hint = f"tests are {listed(known)}" if known else "there are none; write them under 'tests:'"
    return [
        Problem("unknown-test", f"no test is called '{name}'", hint=suggest(name, known) or hint)
        for name in wrong
    ]


def _unknown_kpis(declaration: Declaration, kpis: Sequence[str]) -> list[Problem]:
    known = list(declaration.kpis)
    return [
        Problem(
            "unknown-kpi", f"unknown KPI '{name}'", hint=suggest(name, known) or f"KPIs are {listed(known)}"
        )
        for name in kpis
        if name not in known
    ]


def _is_called(test: str, name: str) -> bool:
    return test == name or fnmatchcase(test, name)
