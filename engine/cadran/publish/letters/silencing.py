"""The command that silences one alert, as its message tells it: to be copied into a terminal as it stands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadran.state.alerting import Identity

LENGTH = "7d"


def silence_command(of: Identity, reason: str, *, segmented: bool = False) -> str:
    """For a week from when it is given; of a KPI's alert with its segment value, or, where the KPI is ``segmented``, of its total
    alone, so that the others are still heard. ``reason`` is what the reader puts a reason of their own in the place of."""
    words = ["cadran", "silence", "add", f"--{of.subject}", of.name]
    if of.subject == "kpi":
        words += ["--rule", of.rule]
        for name, value in zip(of.segment, of.segment_value, strict=True):
            words += ["--segment", f"{name}={value}"]
        if segmented and not of.segment:
            words += ["--segment", "total"]
    words += ["--for", LENGTH, "--reason", reason]
    return shlex.join(" ".join(word.split()) for word in words)
