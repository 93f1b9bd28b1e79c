"""What a scheduler shows of itself to Prometheus. Names and units follow its naming conventions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from cadran.state.store.outbox import State

if TYPE_CHECKING:
    from cadran.deliver.work import Outcome
    from cadran.state.store.watching import Glance

_SECONDS = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600)


class Metrics:
    """Counts from when it was made; of the store, what it was at the last look."""

    def __init__(self, version: str) -> None:
        self.registry = own = CollectorRegistry()
        self._runs = Counter("cadran_runs", "Jobs by what became of one of their times.", ["job", "state"], registry=own)  # fmt: skip
        self._took = Histogram("cadran_run_duration_seconds", "From the beginning of computing to the outbox.", ["job"], buckets=_SECONDS, registry=own)  # fmt: skip
        self._sent = Counter("cadran_deliveries", "Tries to send a message, by how they ended.", ["outcome"], registry=own)  # fmt: skip
        self._outbox = Gauge("cadran_outbox_messages", "Messages in the outbox by state.", ["state"], registry=own)  # fmt: skip
        self._firing = Gauge("cadran_alerts_firing", "Alerts that fire.", registry=own)
        self._done = Gauge("cadran_job_last_success_timestamp_seconds", "The newest logical time that was done.", ["job"], registry=own)  # fmt: skip
        self._tick = Gauge("cadran_last_tick_timestamp_seconds", "When the scheduler last looked.", registry=own)  # fmt: skip
        self._store = Gauge("cadran_store_up", "Whether the state store could be used at the last look.", registry=own)  # fmt: skip
        self._file = Gauge("cadran_declaration_valid", "Whether kpis.yaml, as it is now, has no errors.", registry=own)  # fmt: skip
        Gauge("cadran_build_info", "The version of cadran.", ["version"], registry=own).labels(version).set(1)

    def outcome(self, one: Outcome) -> None:
        self._runs.labels(one.job, one.state).inc()
        if one.state == "done":
            self._took.labels(one.job).observe(one.seconds)

    def sent(self, counts: Mapping[str, int]) -> None:
        for outcome, number in counts.items():
            self._sent.labels(outcome).inc(number)

    def looked(self, seen: Glance, jobs: Collection[str], at: float) -> None:
        """``jobs`` are those that have schedules; ``at`` is in seconds since 1970."""
        for state in get_args(State):
            self._outbox.labels(state).set(seen.outbox.get(state, 0))
        self._firing.set(seen.firing)
        for job, when in seen.done.items():
            if job in jobs:
                self._done.labels(job).set(when.timestamp())
        self._tick.set(at)
        self._store.set(1)

    def store_away(self) -> None:
        self._store.set(0)

    def declared(self, valid: bool) -> None:
        self._file.set(valid)

    def text(self) -> bytes:
        """In the text format that Prometheus reads."""
        return generate_latest(self.registry)
