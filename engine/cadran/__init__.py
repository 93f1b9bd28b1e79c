"""cadran: KPIs as code.

The Python API is one call: ``cadran.open("kpis.yaml").run(as_of=...)``; see :mod:`cadran.project`.
Nothing heavy is imported until a name is used, so that the command line starts quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadran.compute.results import Results as Results
    from cadran.problems import Problem as Problem
    from cadran.problems import ProblemsFound as ProblemsFound
    from cadran.project import Project as Project
    from cadran.project import open as open  # noqa: A004

__all__ = ["Problem", "ProblemsFound", "Project", "Results", "open"]
__version__ = "0.1.0"

_HOMES = {
    "Problem": "cadran.problems",
    "ProblemsFound": "cadran.problems",
    "Project": "cadran.project",
    "Results": "cadran.compute.results",
    "open": "cadran.project",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    try:
        return getattr(import_module(_HOMES[name]), name)
    except KeyError:
        raise AttributeError(f"module 'cadran' has no attribute {name!r}") from None
