"""Where people can read more: a report that a channel publishes under an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cadran.publish.documents import formats
from cadran.publish.gather import chosen_kpis

if TYPE_CHECKING:
    from cadran.declare.model import Channel, Declaration, Report
    from cadran.plugins.notifier import Notifier

_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Links:
    """``notifier`` gives a channel's, or nothing."""

    declaration: Declaration
    notifier: Callable[[Channel], Notifier | None]

    def of_report(self, report: Report, about: str = "") -> str:
        """Where its page is; empty where it is published nowhere."""
        if "html" not in formats(report):
            return ""
        for destination in report.to:
            found = self.notifier(self.declaration.channels[destination.channel.value])
            if found is not None and (
                link := found.link(name_for(report.name, about) if about else report.name)
            ):
                return link
        return ""

    def of_kpi(self, kpi: str) -> str:
        """Where the first report is that shows it at its newest period, at its section."""
        for report in self.declaration.reports.values():
            if report.per is None and report.period.strip().startswith("last") and self._shows(report, kpi):
                link = self.of_report(report)
                if link:
                    return f"{link}#kpi-{kpi}"
        return ""

    def _shows(self, report: Report, kpi: str) -> bool:
        return any(shown.name == kpi for shown in chosen_kpis(self.declaration, report))


def name_for(report: str, about: str) -> str:
    """The name of a report's files for one value: ``weekly-anna-roy-1f3a9c``. The digits keep apart what reads alike."""
    plain = unicodedata.normalize("NFKD", about).encode("ascii", "ignore").decode().lower()
    word = _NOT_A_WORD.sub("-", plain).strip("-")[:40]
    digits = hashlib.sha256(about.encode()).hexdigest()[:6]
    return "-".join(filter(None, (report, word, digits)))
