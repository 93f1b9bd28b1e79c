"""The whole flow, and the Python API: ``cadran.open("kpis.yaml").run(as_of=…)``.

Declare → formula → compute → judge; publishing is done with the :class:`~cadran.compute.results.Results` that a run returns.
"""

from __future__ import annotations

from cadran.project.api import Project, open  # noqa: A004 - the name is the API: cadran.open(…)

__all__ = ["Project", "open"]
