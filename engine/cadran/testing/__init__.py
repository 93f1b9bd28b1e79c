"""What teams run to see that their KPIs mean what they think: the ``tests:`` of a project.

For authors of plugins: ``Case``, by which a connector's tests hold it to its contract (``pytest --cadran-connector=NAME``, docs/plugins.md).
It is imported once somebody asks for it, as pytest loads a module below here in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cadran.testing.contract.case import Case as Case

__all__ = ["Case"]


def __getattr__(name: str) -> Any:
    if name == "Case":
        from cadran.testing.contract.case import Case

        return Case
    raise AttributeError(f"module 'cadran.testing' has no attribute {name!r}")
