"""The command that silences one alert, as its message tells it: to be copied into a terminal as it stands."""

from __future__ import annotations

import datetime as dt
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadran.state.alerting import Identity

DAYS = 7


def silence_command(of: Identity, now: dt.datetime) -> str:
    """For a week from ``now``; of a KPI's alert with its segment, so that the others are still heard."""
    until = (now + dt.timedelta(days=DAYS)).date().isoformat()
    matchers = [f"kpi={of.name}" if of.subject == "kpi" else f"{of.subject}={of.name}"]
    if of.subject == "kpi":
        matchers.append(f"rule={of.rule}")
        pairs = zip(of.segment, of.segment_value, strict=True)
        matchers += [f"{name}={value}" for name, value in pairs] or ["segment=total"]
    words = [
        "cadran", "silence", "add", *(one_line(m) for m in matchers), "--until", until, "--reason", "…",
    ]  # fmt: skip
    return shlex.join(words)


def one_line(text: str) -> str:
    return " ".join(text.split())
