"""Time zones by their names."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from cadran.calendar import UTC
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.problems import suggest


def zone(name: str, place: Place, found: Findings) -> ZoneInfo:
    """The zone, or UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        import zoneinfo

        hint = suggest(name, zoneinfo.available_timezones()) or "write it like Europe/Paris or UTC"
        found.error("unknown-timezone", f"unknown time zone '{name[:60]}'", place, hint)
        return UTC
