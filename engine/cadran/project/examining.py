"""What a project's data is like, and what is wrong with it: every dataset loaded and looked at, every KPI computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadran.compute.cells.computed import Request
from cadran.compute.examining.found import Found, found, unmet
from cadran.compute.planning.selection import choose
from cadran.problems import Problem, ProblemsFound, in_order
from cadran.project.clock import clock_of
from cadran.project.computing import engine
from cadran.project.declared import Declared
from cadran.project.opened import Opened, opened

if TYPE_CHECKING:
    from cadran.plugins.manager import PluginManager


def examined(project: Declared) -> tuple[list[Problem], list[Found]]:
    """All problems that are known, and what was found in each dataset (nothing where there are errors)."""
    known: list[Problem] = []
    try:
        with opened(project, comparisons=False, files=True) as over:
            known = over.problems
            datasets, warnings = _looked_at(over.checked(), project.plugins)
            unwritten = over.sources.remember()
            return in_order([*known, *warnings, *unwritten]), datasets
    except ProblemsFound as raised:
        return in_order([*known, *raised.problems]), []


def _looked_at(over: Opened, plugins: PluginManager) -> tuple[list[Found], list[Problem]]:
    """Whether a KPI uses a dataset or not. Raises ProblemsFound."""
    declaration = over.declaration
    with engine(over, clock_of(declaration, None), declaration.datasets) as made:
        warnings = made.examine_all()
        computed = made.compute(Request(choose(declaration, ())))
        quality = made.examiner.quality(list(over.model.datasets))
        warnings += unmet(declaration, quality)
        if any(report.per for report in declaration.reports.values()):
            from cadran.deliver.addresses import unaddressed
            from cadran.project.judging import judged

            results = judged(declaration, computed, clock_of(declaration, None), ())
            warnings += unaddressed(declaration, results, plugins)
        return found(made, quality), warnings
