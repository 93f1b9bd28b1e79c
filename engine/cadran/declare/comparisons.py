"""``compare: {milestone: new_crm, months: 6}`` of a report: which milestone it looks back at, and how far."""

from __future__ import annotations

from cadran.declare import values
from cadran.declare.crosschecks import known_kpi
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Comparison
from cadran.declare.sections import Sections
from cadran.problems import listed, suggest

FEWEST, MOST = 6, 120


def comparison(
    value: dict[str, object], place: Place, sections: Sections, found: Findings
) -> Comparison | None:
    """None where it names no milestone that there is."""
    milestone, months = values.text(value["milestone"], place.child("milestone")), value.get("months", FEWEST)
    assert isinstance(months, int)
    if not FEWEST <= months <= MOST:
        message = f"before and after are compared over {FEWEST} to {MOST} months, not {months}"
        hint = "fewer show more chance than change" if months < FEWEST else "write for instance 12"
        found.error("bad-months", message, place.child("months"), hint)
        return None
    if not sections.exists("milestones", milestone.value):
        names = sections.names("milestones")
        hint = f"there are: {listed(names)}" if names else "declare it under 'milestones'"
        message = f"unknown milestone '{milestone.value}'"
        found.error("unknown-milestone", message, milestone.place, suggest(milestone.value, names) or hint)
        return None
    kpis = values.texts(value["kpis"], place.child("kpis")) if "kpis" in value else ()
    known = [known_kpi(kpi.value, kpi.place, sections, found) for kpi in kpis]
    return Comparison(
        milestone, months, tuple(kpi for kpi, is_known in zip(kpis, known, strict=True) if is_known)
    )
