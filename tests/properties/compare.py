"""Runs a random project through the engine and through the naive evaluator, and says where they differ."""

from __future__ import annotations

import math
import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, seed, settings

from cadran.project import open as open_project
from naive.arithmetic import power_of_ten
from naive.evaluator import UNKNOWN, Evaluator
from naive.output import Answer, Key, run
from naive.rows import World
from naive.tree import Agg, Arith, Column, Kept, Node, Num, Ref, Timed, children
from properties.render import Project
from properties.strategies import projects

EXAMPLES = int(os.environ.get("CADRAN_EXAMPLES", "12"))


Check = Callable[[Project], list[str]]  # what is wrong with a project's answers, a line each


def on_random_project(number: int, check: Check) -> None:
    """Checks the random project of this number; one that fails is made smaller and printed.

    A search of its own for each number: in one long search hypothesis spends most examples on near copies. Nor does
    it know which KPIs and rows a failure needs, so the project is made smaller here.
    """

    @seed(number)
    @settings(
        max_examples=1,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(projects())
    def run_it(project: Project) -> None:
        assume(any(dataset.rows for dataset in project.datasets))  # hypothesis begins with an empty project
        expect_nothing(check, project)

    run_it()


def expect_nothing(check: Check, project: Project) -> None:
    if faults(check, project):
        small = smaller(check, project)
        lines = faults(check, small)
        raise AssertionError(f"{len(lines)} differences\n" + "\n".join(lines[:20]) + f"\n\n{small}")


def faults(check: Check, project: Project) -> list[str]:
    """What ``check`` finds; an error that either side raises is a finding too."""
    try:
        return check(project)
    except Exception as error:
        return ["".join(traceback.format_exception(error))]


def smaller(check: Check, project: Project, tries: int = 60) -> Project:
    """A project with one KPI and few rows that still fails."""
    for kpi in project.kpis:
        if kpi.grains:
            alone = replace(project, kpis=[k for k in project.kpis if not k.grains or k is kpi])
            if faults(check, alone):
                project = alone
                break
    size = 16
    while size:
        for position, dataset in enumerate(project.datasets):
            for start in range(0, len(dataset.rows), size):
                rows = [*dataset.rows[:start], *dataset.rows[start + size :]]
                fewer = [*project.datasets]
                fewer[position] = replace(dataset, rows=rows)
                candidate = replace(project, datasets=fewer)
                tries -= 1
                if tries >= 0 and faults(check, candidate):
                    return smaller(check, candidate, tries)
        size //= 2
    return project


def engine_answers(project: Project) -> dict[Key, Answer]:
    """Every row of a run of the engine."""
    with tempfile.TemporaryDirectory() as folder:
        return answers_of(project.write(Path(folder)), project)


def answers_of(file: Path, project: Project) -> dict[Key, Answer]:
    """Every row of a run of this file, which declares the project."""
    found = open_project(file).run(as_of=project.clock, since=project.since, until=project.until)
    answers: dict[Key, Answer] = {}
    for row in found:
        key = Key(row.kpi, str(row.grain), row.period, tuple(row.segment), tuple(row.segment_value))
        assert key not in answers, f"two rows for {key}"
        answers[key] = Answer(row.value, row.base, row.previous, row.year_ago, row.change, row.state)
    return answers


def naive_answers(project: Project) -> dict[Key, Answer]:
    world = World(project.datasets, project.calendar, project.clock)
    return run(Evaluator(world, project.kpis), project.since, project.until)


def differences(
    project: Project, engine: Mapping[Key, Answer], naive: Mapping[Key, Answer], *, exact: bool = True
) -> list[str]:
    """One line for each row that only one side has, or that the two sides fill differently.

    Without ``exact`` all numbers are compared as floats: for data that was stored as such.
    """
    formulas = {kpi.name: kpi.formula for kpi in project.kpis}
    lines = []
    for key in sorted(engine.keys() | naive.keys(), key=astuple):
        a, b = engine.get(key), naive.get(key)
        if a is None or b is None:
            lines.append(
                f"{key}: only the {'naive evaluator' if a is None else 'engine'} has it: {shown(a or b)}"
            )
            continue
        whole = exact and not floating(formulas[key.kpi], project, formulas)
        for name in ("value", "base", "previous", "year_ago", "change", "state"):
            one, other = getattr(a, name), getattr(b, name)
            if (
                name == "state" and a.value is b.value is None
            ):  # which datasets it waits for is nobody's concern
                one, other = str(one == "open"), str(other == "open")
            if not same(one, other, whole and name != "base"):
                lines.append(f"{key} {name}: engine {one!r}, naive {other!r}")
    return lines


def floating(node: Node, project: Project, formulas: Mapping[str, Node]) -> bool:
    """Whether a formula's values are floats: averages and the like, doubles, divisions by more than a power of ten."""
    match node:
        case Agg(func, dataset, arg):
            doubles = isinstance(arg, Column) and project.types[dataset].get(arg.path) == "double"
            return func in ("avg", "median", "quantile", "stddev") or (doubles and func != "count")
        case Timed(of=of) | Kept(of=of):
            return floating(of, project, formulas)
        case Arith("/", _, right) if not (isinstance(right, Num) and power_of_ten(right.value)):
            return True
        case Ref(name):
            return floating(formulas[name], project, formulas)
        case _:
            return any(floating(child, project, formulas) for child in children(node))


def shown(answer: Answer | None) -> str:
    return "" if answer is None else f"value {answer.value}, previous {answer.previous}, {answer.state}"


def same(engine: Any, naive: Any, exact: bool) -> bool:
    """Exact numbers must be exact and equal; floats may differ in the last digits."""
    if naive is UNKNOWN:
        return True
    if engine is None or naive is None or isinstance(naive, str):
        return bool(engine == naive)
    if exact:
        return isinstance(engine, int | Decimal) and Fraction(engine) == Fraction(naive)
    return isinstance(engine, int | float | Decimal) and math.isclose(
        engine, naive, rel_tol=1e-9, abs_tol=1e-9
    )
