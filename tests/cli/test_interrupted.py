"""Ctrl-C, connections that break and servers that fall silent: each run ends soon, with one message and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from between import between
from servers import Server

WAYS = pytest.mark.parametrize("size", [1, 2], ids=["psycopg", "adbc"])
PATIENCE = 30.0  # seconds; only a failure takes so long
SOON = 15.0  # from Ctrl-C to the end: well before the half minute that the servers sleep
KPIS = """\
version: 1
sources: {{{sources}}}
datasets: {{{datasets}}}
kpis: {{{kpis}}}
"""
_ACTIVE = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()"
    " AND wait_event = 'PgSleep'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database() AND state = 'User sleep'",
}


def active(server: Server) -> list[Any]:
    """Connections that work at a query that sleeps."""
    return [row[0] for row in server.rows(_ACTIVE[server.engine.dialect.name])]


def project(folder: Path, sources: dict[str, str]) -> Path:
    """One KPI on each source's table ``slow``."""
    text = KPIS.format(
        sources=", ".join(f"{n}: {{connector: sql, {settings}}}" for n, settings in sources.items()),
        datasets=", ".join(f"d{n}: {{from: {n}.slow, date: day}}" for n in sources),
        kpis=", ".join(f"k{n}: {{formula: sum(d{n}.v) + sum(d{n}.z), period: month}}" for n in sources),
    )
    (folder / "kpis.yaml").write_text(text)
    return folder


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Such a project's run, as from a shell."""
    dates = ("--as-of", "2025-12-01", "--since", "2025-01", "--until", "2025-01")
    command = [sys.executable, "-m", "cadran", "-C", str(folder), "run", *dates, "--format", "csv"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(said: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not said():
        assert process.poll() in (None, 130), process.communicate()[1]
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.05)
    time.sleep(0.5)  # people press Ctrl-C while a run waits, not in the instant in which it begins to


def ended(process: subprocess.Popen[str], within: float) -> tuple[int, str]:
    """The code and what was said aloud, never a traceback."""
    started = time.monotonic()
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err and "Exception" not in err
    assert time.monotonic() - started < within, err
    return process.returncode, err.strip()


@pytest.fixture
def slow(postgres: Server) -> Iterator[Server]:
    postgres.run(
        "create table days (day date)",
        "insert into days values ('2025-01-05')",
        "create view slow as select day, 1 as v, length(pg_sleep(30)::text) as z from days",
    )
    yield postgres
    for pid in active(postgres):  # a server notices only when it answers that nobody is there any more
        postgres.run(f"select pg_terminate_backend({pid}, 5000)")


@pytest.fixture
def slow_too(mariadb: Server) -> Iterator[Server]:
    mariadb.run(
        "create table days (day date)", "insert into days values ('2025-01-05')",
        "create view slow as select day, 1 as v, sleep(30) as z from days",
    )  # fmt: skip
    yield mariadb
    for thread in active(mariadb):
        mariadb.run(f"kill {thread}")


def wh(url: str, size: int = 2, more: str = "") -> str:
    return f"url: '{url}', pool: {{size: {size}, wait: 1s}}{more}"


# --- Ctrl-C ---------------------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("answers", [True, False], ids=["works", "is silent"])
def test_ctrl_c_while_postgres(slow: Server, size: int, answers: bool, tmp_path: Path) -> None:
    with between(slow.url) as (proxy, url), running(project(tmp_path, {"a": wh(url, size)})) as process:
        until(lambda: active(slow), process)
        if not answers:
            proxy.passing.clear()
        process.send_signal(signal.SIGINT)
        assert ended(process, SOON) == (130, "stopped")
        if answers:
            until(lambda: not active(slow), process)


@pytest.mark.parametrize("answers", [True, False], ids=["works", "is silent"])
def test_ctrl_c_while_mariadb(slow_too: Server, answers: bool, tmp_path: Path) -> None:
    with between(slow_too.url) as (proxy, url), running(project(tmp_path, {"a": wh(url)})) as process:
        until(lambda: active(slow_too), process)
        if not answers:
            proxy.passing.clear()
        process.send_signal(signal.SIGINT)
        assert ended(process, SOON) == (130, "stopped")


@WAYS
@pytest.mark.parametrize("answers", [True, False], ids=["work", "are silent"])
def test_ctrl_c_while_two_servers(
    slow: Server, slow_too: Server, size: int, answers: bool, tmp_path: Path
) -> None:
    with between(slow.url) as (one, first), between(slow_too.url) as (two, second):
        folder = project(tmp_path, {"a": wh(first, size), "b": wh(second)})
        with running(folder) as process:
            until(
                lambda: slow.connections() and slow_too.connections() and (active(slow) or active(slow_too)),
                process,
            )
            if not answers:
                one.passing.clear()
                two.passing.clear()
            process.send_signal(signal.SIGINT)
            assert ended(process, SOON) == (130, "stopped")


def test_a_second_ctrl_c_ends_at_once(slow: Server, tmp_path: Path) -> None:
    """Sooner than one alone, which gives the server time to end what it is at: both in this run, as machines are noisy."""
    patient = _interrupted(slow, tmp_path / "once", times=1)
    assert _interrupted(slow, tmp_path / "twice", times=2) < patient


def _interrupted(slow: Server, folder: Path, *, times: int) -> float:
    """Seconds from the last interrupt to the end of a run whose server hears nothing any more."""
    folder.mkdir()
    before = len(active(slow))  # a server that hears nothing is still at what the last run asked
    with between(slow.url) as (proxy, url), running(project(folder, {"a": wh(url)})) as process:
        until(lambda: len(active(slow)) > before, process)
        proxy.passing.clear()
        for number in range(times):
            time.sleep(0.5 * bool(number))
            process.send_signal(signal.SIGINT)
        last = time.monotonic()
        assert ended(process, SOON) == (130, "stopped")
    return time.monotonic() - last


# --- the server ends it ---------------------------------------------------------------------------------------------


@WAYS
def test_an_administrator_cancels_the_query(slow: Server, size: int, tmp_path: Path) -> None:
    """It is not computed here instead."""
    with running(project(tmp_path, {"a": wh(slow.url, size)})) as process:
        until(lambda: active(slow), process)
        slow.run(f"select pg_cancel_backend({active(slow)[0]})")
        code, err = ended(process, SOON)
    assert code == 2 and "the server cancelled the query" in err


def test_an_administrator_kills_a_query_of_mariadb(slow_too: Server, tmp_path: Path) -> None:
    with running(project(tmp_path, {"a": wh(slow_too.url)})) as process:
        until(lambda: active(slow_too), process)
        slow_too.run(f"kill query {active(slow_too)[0]}")
        code, err = ended(process, SOON)
    assert code == 2 and "the server cancelled the query" in err


@WAYS
def test_a_connection_that_breaks(slow: Server, size: int, tmp_path: Path) -> None:
    with between(slow.url) as (proxy, url), running(project(tmp_path, {"a": wh(url, size)})) as process:
        until(lambda: active(slow), process)
        proxy.cut()
        code, err = ended(process, SOON)
    assert code == 2 and "the connection to the server was lost" in err


def test_a_connection_to_mariadb_that_breaks(slow_too: Server, tmp_path: Path) -> None:
    with between(slow_too.url) as (proxy, url), running(project(tmp_path, {"a": wh(url)})) as process:
        until(lambda: active(slow_too), process)
        proxy.cut()
        code, err = ended(process, SOON)
    assert code == 2 and "the connection to the server was lost" in err


@WAYS
def test_a_server_that_falls_silent(slow: Server, size: int, tmp_path: Path) -> None:
    settings = ", statement_timeout: 3s"
    with (
        between(slow.url) as (proxy, url),
        running(project(tmp_path, {"wh": wh(url, size, settings)})) as process,
    ):
        until(lambda: active(slow), process)
        proxy.passing.clear()
        code, err = ended(process, 4 + 2 * SOON)
    assert code == 2 and "the server has not answered for 4 seconds" in err
    assert "statement_timeout" in err and "wh" in err
