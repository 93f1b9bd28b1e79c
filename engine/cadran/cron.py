"""Cron lines, with the meaning that Debian's cron gives them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a cron line, and the way out."""

    message: str
    hint: str


def problem(line: str) -> Wrong | None:
    """None where the line can be understood."""
    import datetime as dt

    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(line, dt.datetime(2026, 1, 1)))
    except CronSimError as error:
        return Wrong(f"'{line}' is not a cron line: {error}", "write it like '0 7 * * MON'")
    return None
