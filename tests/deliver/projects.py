"""A project of one KPI over a few orders, and a clock that goes only where it is set."""

from __future__ import annotations

import datetime as dt
import email
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import cadran
from cadran.deliver.work import Outcome
from cadran.project import Project
from cadran.state.store import by_hand
from cadran.state.store.outbox import Delivery
from cadran.state.store.store import open_store

PARIS = ZoneInfo("Europe/Paris")
STATES = ["waiting", "leased", "retry", "sent", "failed", "unknown", "skipped", "suppressed", "dropped"]

HEAD = """
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources:
  files: {connector: files, path: data}
datasets:
  orders: {from: files.orders, key: id, date: day}
kpis:
  revenue:
    formula: sum(orders.amount)
    period: [day, month]
    segment: [owner, [owner, range]]
    unit: EUR
    alert: {name: low, when: value < 15, grain: day, scope: total}
  orders: {formula: count(orders), period: day}
channels:
  out: {notifier: file, path: out}
  told: {notifier: file, path: told}
"""
DAILY = """
reports:
  daily: {kpis: [revenue], schedule: "0 7 * * *", owner: ana@example.com, to: [out]}
"""


def at(text: str) -> dt.datetime:
    """A time of March 2026 in Paris: ``04 07:00``."""
    return dt.datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=PARIS)


@dataclass
class Clock:
    """``now`` never moves by itself; ``wait`` moves it."""

    time: dt.datetime = field(default_factory=lambda: at("04 08:00"))

    def now(self) -> dt.datetime:
        return self.time.astimezone(dt.UTC)

    def wait(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)

    def set(self, text: str) -> None:
        self.time = at(text)


@dataclass
class Small:
    folder: Path
    project: Project
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def made(cls, folder: Path, text: str = "", environ: Mapping[str, str] | None = None) -> Small:
        (folder / "data").mkdir(parents=True)
        small = cls(folder, cadran.open(folder, environ=environ or {}))
        small.write(text or DAILY)
        small.orders({day: {"ana": 10.0, "bob": 20.0} for day in range(1, 28)})
        return small

    def write(self, text: str) -> None:
        (self.folder / "kpis.yaml").write_text(HEAD + text)

    def orders(self, days: Mapping[int, Mapping[str, float]]) -> None:
        """Orders of March by owner."""
        lines = [
            f"{n}{owner},2026-03-{n:02},{owner},{'ab'[n % 2]},{amount}"
            for n, owners in days.items()
            for owner, amount in owners.items()
        ]
        (self.folder / "data" / "orders.csv").write_text("\n".join(["id,day,owner,range,amount", *lines]))

    def due(self, time: str = "") -> list[str]:
        """What becomes of what is due, and what is sent, as lines."""
        if time:
            self.clock.set(time)
        told = [_line(one) for one in self.project.perform(now=self.clock.now, host="here")]
        counts = self.project.send(now=self.clock.now)
        return told + [f"{number} {name}" for name, number in sorted(counts.items()) if number]

    def deliveries(self, *states: str) -> list[Delivery]:
        with closing(open_store(self.folder)) as store, store.read() as c:
            return sorted(by_hand.listed(c, states or STATES), key=lambda row: (row.logical_time, row.channel, row.recipient, row.label))  # fmt: skip

    def mail(self, row: Delivery) -> str:
        """Everything that is written in a mail, its attachments included."""
        with closing(open_store(self.folder)) as store, store.read() as c:
            [found] = by_hand.find(c, row.key)
        assert found.content is not None
        parts = email.message_from_bytes(found.content).walk()
        payloads = [part.get_payload(decode=True) for part in parts if not part.is_multipart()]
        texts = [payload.decode(errors="replace") for payload in payloads if isinstance(payload, bytes)]
        return "\n".join(texts)


def _line(one: Outcome) -> str:
    when = one.logical_time.astimezone(PARIS)
    late = " late" if one.late and one.state != "skipped" else ""
    return f"{one.job} {when:%d %H:%M} {one.state}{late}" + (f": {one.reason}" if one.reason else "")
