"""The daemon: it looks when something is due, survives what goes wrong, says how it is, and ends when it is asked to."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cadran.deliver.health import alive, listening, ready
from cadran.deliver.logs import Lines
from cadran.deliver.metrics import Metrics
from cadran.deliver.scheduler import Scheduler
from cadran.deliver.sender import Sender
from cadran.problems import ProblemsFound
from cadran.project import Project
from cadran.state.store.trouble import StoreError
from deliver.projects import DAILY, Small, at

Make = Callable[..., Small]
FULL = bool(os.environ.get("CADRAN_FULL"))
TICKS = 10_000 if FULL else 120


def _scheduler(made: Small, looks: int = 10**9, every: float = 60.0) -> Scheduler:
    """On the project's clock, which each wait moves; it ends after so many looks."""
    stop = threading.Event()
    left = [looks]

    def wait(seconds: float) -> None:
        made.clock.wait(seconds)
        left[0] -= 1
        if not left[0]:
            stop.set()

    return Scheduler(made.project, Metrics("1"), made.clock.now, wait, stop, "here", every)


def _metric(scheduler: Scheduler, line: str) -> float | None:
    found = re.search(rf"^{re.escape(line)} (\S+)$", scheduler.metrics.text().decode(), re.MULTILINE)
    return float(found[1]) if found else None


def test_a_day(small: Make) -> None:
    """It waits for what is due, but no longer than it is told to."""
    made = small()
    made.clock.set("05 06:58")
    scheduler = _scheduler(made)
    scheduler._reload()
    assert scheduler.look() == 60.0
    made.clock.wait(60)
    made.clock.wait(30.5)
    assert scheduler.look() == 29.5, "until the report is due"
    made.clock.wait(29.5)
    scheduler.look()
    assert [row.state for row in made.deliveries()] == ["sent"]
    assert _metric(scheduler, 'cadran_runs_total{job="report:daily",state="done"}') == 1
    assert _metric(scheduler, 'cadran_deliveries_total{outcome="sent"}') == 1
    assert _metric(scheduler, 'cadran_outbox_messages{state="sent"}') == 1
    assert _metric(scheduler, 'cadran_outbox_messages{state="retry"}') == 0
    last = _metric(scheduler, 'cadran_job_last_success_timestamp_seconds{job="report:daily"}')
    assert last == at("05 07:00").timestamp()
    scheduler._close()


def test_it_goes_on_where_it_was_ended(small: Make) -> None:
    made = small()
    made.clock.set("05 06:50")
    _scheduler(made, 15).run()
    made.clock.set("06 06:55")
    _scheduler(made, 10).run()
    assert [(row.state, row.label) for row in made.deliveries()] == [("sent", "March 4, 2026"), ("sent", "March 5, 2026")]  # fmt: skip


def test_a_file_with_errors_at_the_start(small: Make) -> None:
    made = small("\nreports: {daily: {kpis: [revenue], schedule: 7am}}\n")
    with pytest.raises(ProblemsFound, match="not a cron line"):
        _scheduler(made, 1).run()


@pytest.mark.parametrize(
    ("broken", "said"),
    [("reports: [", "a value is missing"), ("kpis: {x: sum(orders.amont)}\n", "'kpis' is written twice"), ("reports: {daily: {kpis: [x]}}\n", "unknown KPI 'x'")],
)  # fmt: skip
def test_while_the_file_has_errors_the_last_one_holds(
    small: Make, broken: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = small()
    made.clock.set("05 06:58")
    scheduler = _scheduler(made)
    scheduler._reload()
    scheduler.look()
    made.write(broken)
    scheduler.look()
    assert said in scheduler.health.problem
    assert len(caplog.records) == 1, "said once"
    made.clock.set("05 07:00")
    scheduler.look()
    assert [row.state for row in made.deliveries()] == ["sent"]
    assert said in scheduler.health.problem, "and shown as long as it is so"
    assert _metric(scheduler, "cadran_declaration_valid") == 0
    made.write(DAILY.replace("0 7", "30 7"))
    scheduler.look()
    assert scheduler.health.problem == ""
    assert _metric(scheduler, "cadran_declaration_valid") == 1
    made.clock.set("06 07:30")
    scheduler.look()
    assert len(made.deliveries()) == 2
    scheduler._close()


def test_a_store_that_is_away(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    made.clock.set("05 06:58")
    whole, away = Project.store, [True]

    def store(self: Project, declaration: Any) -> Any:
        if away[0]:
            raise StoreError("the database db does not answer", "start it")
        return whole(self, declaration)

    monkeypatch.setattr(Project, "store", store)
    scheduler = _scheduler(made, every=300)
    scheduler._reload()
    assert scheduler.look() == 300
    assert "the database db does not answer" in scheduler.health.problem
    assert _metric(scheduler, "cadran_store_up") == 0
    assert not ready(scheduler, made.clock.now())
    assert alive(scheduler, made.clock.now())
    away[0] = False
    scheduler.look()
    assert (scheduler.health.problem, _metric(scheduler, "cadran_store_up")) == ("", 1)
    assert ready(scheduler, made.clock.now())
    scheduler._close()


def test_a_sender_that_fails_does_not_end_the_daemon(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    scheduler = _scheduler(made)
    scheduler._reload()

    def send_due(_: Sender) -> None:
        raise StoreError("the connection was lost")

    monkeypatch.setattr("cadran.deliver.scheduler.send_due", send_due)
    scheduler.look()
    assert "the connection was lost" in scheduler.health.problem
    assert not scheduler.stop.is_set()
    scheduler._close()


def test_a_fault_ends_nothing(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small()
    scheduler = _scheduler(made)
    scheduler._reload()
    logging.getLogger("cadran.scheduler").disabled = True
    monkeypatch.setattr("cadran.deliver.scheduler.glance", lambda _: 1 / 0)
    try:
        assert scheduler.look() == 60
    finally:
        logging.getLogger("cadran.scheduler").disabled = False
    assert scheduler.health.problem == "ZeroDivisionError: division by zero"
    monkeypatch.undo()
    scheduler.look()
    assert scheduler.health.problem == ""
    scheduler._close()


# --- over HTTP -------------------------------------------------------------------------------------------------------


def _asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_over_http(small: Make) -> None:
    made = small()
    scheduler = _scheduler(made)
    scheduler._reload()
    with listening(scheduler, "127.0.0.1", 0, made.clock.now) as port:
        assert _asked(port, "/readyz")[0] == 503, "it has not looked yet"
        assert _asked(port, "/healthz")[0] == 200
        scheduler.look()
        status, body = _asked(port, "/readyz")
        assert (status, json.loads(body)["status"]) == (200, "ok")
        assert _asked(port, "/metrics?x=1")[1].startswith("# HELP cadran_runs_total")
        assert _asked(port, "/")[0] == 404
        made.clock.wait(3600)
        assert _asked(port, "/readyz")[0] == 503, "it has not looked for an hour"
        scheduler.health.began = made.clock.now() - dt.timedelta(hours=3)
        assert _asked(port, "/healthz")[0] == 503, "it hangs"
    scheduler._close()


# --- logs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "text"])
def test_no_secret_is_logged(kind: Any) -> None:
    lines = Lines(kind, lambda: frozenset({'pass"word', "s3cret-w0rd"}))
    record = logging.makeLogRecord({"msg": "no answer from s3cret-w0rd", "reason": 'it said pass"word', "levelname": "ERROR"})  # fmt: skip
    line = lines.format(record)
    assert "s3cret" not in line
    assert "word" not in line.replace("s3cret-w0rd", "")
    if kind == "json":
        assert json.loads(line)["message"] == "no answer from ***"


def test_a_traceback_is_one_line_of_json() -> None:
    try:
        raise ValueError("here")
    except ValueError:
        record = logging.makeLogRecord({"msg": "fault", "exc_info": sys.exc_info()})
    line = Lines("json", frozenset).format(record)
    assert "\n" not in line
    assert "ValueError: here" in json.loads(line)["traceback"]


# --- as a process ---------------------------------------------------------------------------------------------------


@contextmanager
def _process(folder: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cadran", "-C", str(folder), "scheduler", "--log", "json", *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_asked_to(small: Make, sent: signal.Signals) -> None:
    made = small(DAILY.replace("0 7 * * *", "* * * * *"))
    with _process(made.folder, "--listen", "none") as process:
        assert process.stderr is not None
        first = json.loads(process.stderr.readline())
        assert (first["message"], first["jobs"]) == ("started", ["report:daily"])
        process.send_signal(sent)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 0
        assert json.loads(rest.splitlines()[-1])["message"] == "stopped"


def test_a_port_that_is_taken(small: Make) -> None:
    made = small()
    scheduler = _scheduler(made)
    scheduler._reload()
    with listening(scheduler, "127.0.0.1", 0, made.clock.now) as port, _process(made.folder, "--listen", f"127.0.0.1:{port}") as process:  # fmt: skip
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said


# --- for a long time -------------------------------------------------------------------------------------------------


def _held() -> tuple[int, int]:
    """Open files, and resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return len(list(Path("/proc/self/fd").iterdir())), pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def test_soak(small: Make) -> None:
    """Day after day: no file stays open, no memory is kept, and the state file is no larger than what is kept."""
    made = small(
        """
state: {keep: {runs: 4 days, observations: 10 days, deliveries: 2 days}}
routes: [{to: [{channel: mail, to: [ops@example.com]}]}]
reports:
  daily: {kpis: [revenue], schedule: "0 7 * * *", to: [out]}
""".replace(
            "state:",
            '  mail: {notifier: email, smtp: "smtp+plain://127.0.0.1:1", from: kpi@example.com}\nstate:',
        )
    )
    made.clock.set("02 00:00")
    scheduler = _scheduler(made, every=3600.0)
    scheduler._reload()
    held: list[tuple[int, int]] = []
    sizes: list[int] = []
    begun = time.monotonic()
    for tick in range(TICKS):
        made.clock.wait(scheduler.look())
        assert scheduler.health.problem == ""
        if tick % (TICKS // 8) == TICKS // 8 - 1:
            held.append(_held())
            sizes.append((made.folder / ".cadran" / "state.db").stat().st_size)
    scheduler._close()
    print(f"{TICKS} looks in {time.monotonic() - begun:.0f} s; files and MB: {held}; state: {sizes}")
    assert _metric(scheduler, 'cadran_runs_total{job="report:daily",state="done"}') is not None
    files = [count for count, _ in held[2:]]
    assert max(files) - min(files) <= 2
    assert held[-1][1] - held[3][1] < 40
    assert sizes[-1] <= 1.3 * max(sizes[:5])
