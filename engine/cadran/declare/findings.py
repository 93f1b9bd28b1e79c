"""Collecting problems while a declaration is read: each with its place, and named as the user calls it."""

from __future__ import annotations

from collections.abc import Sequence

from cadran.declare.document import Place
from cadran.problems import Problem, Severity

_BY_NAME = "kpis"  # a KPI is called by its name alone
NAMED = (
    "sources", "datasets", "segments", "milestones", "notes", "kpis", "scores", "funnels", "cohorts", "forecasts", "channels", "reports",
    "tests",
)  # fmt: skip


def subject_of(path: Sequence[str | int]) -> str:
    """``revenue`` for a KPI, ``datasets.orders`` for other named parts, ``calendar`` for the rest."""
    if len(path) > 1 and path[0] in NAMED:
        return str(path[1]) if path[0] == _BY_NAME else f"{path[0]}.{path[1]}"
    return str(path[0]) if path else ""


class Findings:
    """What has been found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(
        self, code: str, message: str, place: Place, hint: str = "", span: tuple[int, int] | None = None
    ) -> None:
        self._add(code, message, place, hint, "error", span)

    def warn(self, code: str, message: str, place: Place, hint: str = "") -> None:
        self._add(code, message, place, hint, "warning", None)

    def _add(
        self,
        code: str,
        message: str,
        place: Place,
        hint: str,
        severity: Severity,
        span: tuple[int, int] | None,
    ) -> None:
        where = place.position(*span) if span else place.position()
        self.problems.append(Problem(code, message, where, subject_of(place.path), hint, severity))


def line_and_column(place: Place) -> str:
    """``kpis.yaml:12:3``, for a message that names a second place."""
    return str(place.position())
