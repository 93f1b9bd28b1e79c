"""What the words of results are called for people: statuses, states, grains, severities, in English for the catalogues."""

from __future__ import annotations

from collections.abc import Mapping


def N_(message: str) -> str:
    """Marks a message to be translated where it is said, not here."""
    return message


def NC_(context: str, message: str) -> str:  # noqa: ARG001
    """The same for a message whose translation depends on where it stands."""
    return message


STATUS: Mapping[str, str] = {
    "on_target": N_("on target"),
    "at_risk": N_("at risk"),
    "off_target": N_("off target"),
    "no_target": N_("no target"),
    "no_data": N_("no data"),
    "not_judged": N_("not judged yet"),
    "failed": N_("failed"),
}
SHORT = "in a narrow column"  # the context of the short forms, for gettext's pgettext
SHORT_STATUS: Mapping[str, str] = {
    "on_target": NC_("in a narrow column", "on target"),
    "at_risk": NC_("in a narrow column", "at risk"),
    "off_target": NC_("in a narrow column", "off target"),
    "no_target": NC_("in a narrow column", "no target"),
    "no_data": NC_("in a narrow column", "no data"),
    "not_judged": NC_("in a narrow column", "open"),
    "failed": NC_("in a narrow column", "failed"),
}
STATE: Mapping[str, str] = {
    "final": N_("final"),
    "settling": N_("settling"),
    "open": N_("in progress"),
    "maturing": N_("maturing"),
}
ALERT: Mapping[str, str] = {"pending": N_("pending"), "firing": N_("firing")}
SEVERITY: Mapping[str, str] = {"critical": N_("critical"), "warning": N_("warning"), "info": N_("info")}
GRAIN: Mapping[str, str] = {
    "day": N_("Daily"),
    "week": N_("Weekly"),
    "month": N_("Monthly"),
    "quarter": N_("Quarterly"),
    "year": N_("Yearly"),
    "fiscal_quarter": N_("By fiscal quarter"),
    "fiscal_year": N_("By fiscal year"),
    "all": N_("Over all data"),
}
GOOD: Mapping[str, str] = {"up": N_("higher is better"), "down": N_("lower is better")}
STAND_IN: Mapping[str, str] = {"(none)": N_("(none)"), "(other)": N_("(other)")}  # what the engine calls them
UNIT: Mapping[str, str] = {  # what CRMs count
    "customers": N_("customers"),
    "leads": N_("leads"),
    "deals": N_("deals"),
    "orders": N_("orders"),
    "visits": N_("visits"),
    "logins": N_("logins"),
    "comments": N_("comments"),
    "points": N_("points"),
}
