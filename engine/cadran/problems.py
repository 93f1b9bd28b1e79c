"""What is wrong, where, and what to do about it.

Problems are values: every room collects them, and only the edge (command line, API) raises or prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text file; ``line`` and ``column`` count from 1, ``width`` is the caret's length."""

    file: str
    line: int
    column: int
    width: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    ``code`` is a stable kebab-case name of the kind of problem (``unknown-column``), ``subject`` what it is
    about as the user calls it (a KPI's name, ``datasets.orders``), ``hint`` the way out. ``datasets`` are those whose rows
    are at fault, where the subject does not say so.
    """

    code: str
    message: str
    where: Position | None = None
    subject: str = ""
    hint: str = ""
    severity: Severity = "error"
    datasets: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        subject = f"{self.subject}: " if self.subject else ""
        warning = "warning: " if self.severity == "warning" else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}{warning}{subject}{self.message}{hint}"


class ProblemsFound(Exception):
    """Raised at the edge; carries every problem, sorted by position."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = in_order(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by position (those without one last), each once."""
    unique = dict.fromkeys(problems)
    last = Position("\uffff", 0, 0)
    return sorted(unique, key=lambda p: (p.where or last, p.severity, p.message))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop a run."""
    return [p for p in problems if p.severity == "error"]


# Words of the file format and the language as French teams write them first.
_IN_FRENCH = {
    "jour": "day", "quotidien": "day", "semaine": "week", "hebdomadaire": "week", "mois": "month", "mensuel": "month",
    "trimestre": "quarter", "trimestriel": "quarter", "année": "year", "annee": "year", "an": "year", "annuel": "year",
    "tout": "all", "objectif": "target", "cible": "target", "formule": "formula", "période": "period", "periode": "period",
    "unité": "unit", "unite": "unit", "alerte": "alert", "libellé": "label", "libelle": "label", "valeur": "value",
    "haut": "up", "bas": "down", "somme": "sum", "moyenne": "avg", "médiane": "median", "mediane": "median",
    "nb": "count", "nombre": "count", "compte": "count", "précédent": "previous", "precedent": "previous",
}  # fmt: skip


def suggest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'amount'?`` if something known is close to ``name``, else the empty string."""
    folded = {k.casefold(): k for k in known}
    meant = _IN_FRENCH.get(name.casefold(), "")
    if meant in folded:
        return f"did you mean '{folded[meant]}'?"
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean '{folded[close[0]]}'?" if close else ""


def listed(names: Sequence[str], most: int = 8) -> str:
    """``a, b, c`` for use in a hint, cut after ``most``."""
    shown = ", ".join(names[:most])
    return f"{shown}, …" if len(names) > most else shown
