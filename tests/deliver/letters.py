"""A project with channels of every kind, its report of the month, and alerts, for the tests of messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from cadran.compute.results import Results
from cadran.declare.document import nowhere
from cadran.declare.model import (
    AlertRule,
    Channel,
    Declaration,
    Deliveries,
    Destination,
    Report,
)
from cadran.deliver.messages import Composer
from cadran.judge.notices import Notice
from cadran.plugins.manager import PluginManager
from cadran.state.alerting import Identity, Instance
from publish import fakes

text = fakes.text
AS_OF = fakes.AS_OF
SECRET = "https://hooks.slack.com/services/T0/B0/s3cr3t"
CHANNELS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "board": ("file", {"path": "public", "url": "https://kpi.example.com"}),
    "mail": ("email", {"smtp": "smtp://kpi:hunter2@mail.example.com", "from": "KPIs <kpi@example.com>"}),
    "chat": ("slack", {"webhook": SECRET}),
    "team": ("teams", {"webhook": "https://example.com/workflow"}),
    "hook": ("webhook", {"url": "https://example.com/hook"}),
}


def report(*to: Destination, **changes: Any) -> Report:
    every = to or (Destination(text("board")), Destination(text("mail"), (text("anna@example.com"),)), *map(chat, ("chat", "team", "hook")))  # fmt: skip
    return replace(fakes.weekly_sales(), to=every, owner="ops@example.com", **changes)


def chat(channel: str) -> Destination:
    return Destination(text(channel))


def project(folder: Path, of: Report | None = None, locale: str = "en", **changes: Any) -> Declaration:
    """The made-up project of reports, with channels; what goes wrong is told to the chat."""
    channels = {n: Channel(n, kind, config, nowhere(), folder) for n, (kind, config) in CHANNELS.items()}
    rule = AlertRule("low", text("value < 22%"), nowhere(), severity="critical", hold=2)
    plain = fakes.declaration(folder, locale)
    kpis = {**plain.kpis, "lead_conversion_rate": replace(plain.kpis["lead_conversion_rate"], alerts=(rule,))}
    of = of or report()
    settings = {
        "channels": channels,
        "kpis": kpis,
        "reports": {of.name: of},
        "deliveries": Deliveries(failures=(chat("chat"),)),
    }
    return replace(plain, **{**settings, **changes})


def composer(declaration: Declaration, *folders: Path) -> Composer:
    return Composer(declaration, PluginManager({}).notifier, [*folders, fakes.TEMPLATES] if folders else [declaration.folder / "templates", fakes.TEMPLATES])  # fmt: skip


def results(declaration: Declaration, **changes: Any) -> Results:
    return fakes.results(declaration=declaration, **changes)


LOW = Instance(
    Identity("kpi", "lead_conversion_rate", "low", "month"), "digest", "firing", "2026-02", 2, 0, "", "2026-03", Decimal("0.207"),
    Decimal("0.25"), 1,
)  # fmt: skip
PAID = replace(
    LOW, identity=replace(LOW.identity, segment=("channel",), segment_value=("paid <b>&",)), value=Decimal("0.128"), since="2026-03",
)  # fmt: skip
STALE = Instance(
    Identity("source", "crm", "failed"),
    "digest",
    "firing",
    "2026-04-09",
    1,
    0,
    "connection refused",
    "2026-04-09",
    episode=1,
)


def notice(channel: str, *alerts: Instance, kind: Any = "firing", **changes: Any) -> Notice:
    recipient = "anna@example.com" if channel == "mail" else ""
    some = alerts or (LOW,)
    settings: dict[str, Any] = {"fresh": tuple(a.identity.key for a in some), "labels": {}, "after": ""}
    return Notice("critical", "{}", kind, channel, recipient, some, **{**settings, **changes})


class Failed:
    """A row of the outbox that was given up."""

    key, job, channel = "0123456789abcdef" * 4, "report:weekly_sales", "mail"
    recipient, subject, label = "anna@example.com", "Sales: the month in figures · March 2026", "March 2026"
    owner, reason, attempts = (
        "ops@example.com",
        "mail.example.com: the recipient was refused: 550 no such user",
        3,
    )
    logical_time: dt.datetime = AS_OF
