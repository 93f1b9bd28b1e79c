"""What teams run to see that their KPIs mean what they think: the ``tests:`` of a project.

For authors of plugins: ``Case``, by which a connector's tests hold it to its contract (``pytest --cadran-connector=NAME``, docs/plugins.md).
"""

from cadran.testing.contract.case import Case

__all__ = ["Case"]
