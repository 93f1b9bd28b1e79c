"""What one part of a project says about another: names that must exist, and names that must not."""

from __future__ import annotations

from collections.abc import Mapping

from cadran.declare.document import Place
from cadran.declare.findings import Findings, line_and_column
from cadran.declare.model import Kpi
from cadran.declare.sections import Sections
from cadran.problems import listed, suggest


def check_kpis(kpis: Mapping[str, Kpi], sections: Sections, found: Findings) -> None:
    """``read_with`` and ``renamed_from``."""
    former: dict[str, Place] = {}
    for kpi in kpis.values():
        for other in kpi.read_with:
            known_kpi(other.value, other.place, sections, found)
        if not kpi.renamed_from:
            continue
        at = kpi.place.child("renamed_from")
        if sections.exists("kpis", kpi.renamed_from):
            message = f"'{kpi.renamed_from}' still exists, so this KPI cannot have been it"
            found.error("bad-rename", message, at, "drop 'renamed_from', or the old KPI")
        elif kpi.renamed_from in former:
            message = f"'{kpi.renamed_from}' already became another KPI at {line_and_column(former[kpi.renamed_from])}"
            found.error("bad-rename", message, at, "only one KPI can carry on its history")
        former.setdefault(kpi.renamed_from, at)


def known_kpi(name: str, place: Place, sections: Sections, found: Findings) -> bool:
    if sections.exists("kpis", name):
        return True
    names = sections.names("kpis")
    hint = suggest(name, names) or (f"there are: {listed(names)}" if names else "declare it under 'kpis'")
    found.error("unknown-kpi", f"unknown KPI '{name}'", place, hint)
    return False
