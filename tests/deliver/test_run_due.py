"""``cadran run --due`` from end to end: files, a mail server, exit codes, and processes that do it at the same time."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner, Result

from cadran.cli import cli
from deliver.projects import Small

PROJECT = """
  mail: {notifier: email, smtp: "${SMTP}", from: kpi@example.com}
reports:
  daily:
    kpis: [revenue]
    schedule: "0 7 * * *"
    owner: boss@example.com
    to: [out, {channel: mail, to: [ana@example.com, bob@example.com]}]
  owners: {kpis: [revenue], schedule: "0 7 * * *", per: owner, to: [told]}
"""


@dataclass
class Mailbox:
    """What a server on this machine was given: by whom each message was to be read."""

    port: int = 0
    got: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture
def mailed(small: Callable[..., Small], mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setenv("SMTP", f"smtp+plain://127.0.0.1:{mailbox.port}")
    return small(PROJECT)


def _call(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(folder), "run", "--due", *args])


def test_a_day(mailed: Small, mailbox: Mailbox) -> None:
    seen = _call(mailed.folder, "--now", "2026-03-04T08:00")
    assert (seen.exit_code, seen.output) == (0, "")
    done = _call(mailed.folder, "--now", "2026-03-05T07:00:30")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "report:daily of 2026-03-05T06:00+00:00: done, 3 messages",
        "report:owners of 2026-03-05T06:00+00:00: done, 2 messages",
        "outbox: 5 sent",
    ]
    assert sorted(mailbox.got) == ["ana@example.com", "bob@example.com"]
    assert (mailed.folder / "out" / "daily.html").exists()
    assert len(list((mailed.folder / "told").glob("owners-*.html"))) >= 2
    again = _call(mailed.folder, "--now", "2026-03-05T07:01")
    assert (again.exit_code, again.output) == (0, "")


def test_for_programs(mailed: Small) -> None:
    _call(mailed.folder, "--now", "2026-03-04T08:00")
    done = _call(mailed.folder, "--now", "2026-03-05T09:00", "--format", "json")
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert lines[0] == {
        "job": "report:daily", "logical_time": "2026-03-05T06:00+00:00", "state": "done", "reason": "", "messages": 3, "late": True,
    }  # fmt: skip
    assert lines[-1] == {"sent": 5}


def test_what_fails_is_an_exit_code(mailed: Small) -> None:
    _call(mailed.folder, "--now", "2026-03-04T08:00")
    (mailed.folder / "data").rename(mailed.folder / "away")
    tried = _call(mailed.folder, "--now", "2026-03-05T07:00")
    assert tried.exit_code == 2
    assert tried.output.startswith(
        "report:daily of 2026-03-05T06:00+00:00: retry: sources.files: there is no 'data'"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--as-of", "2026-03-01"), "--due and --as-of exclude each other; schedules say what is computed as of when"),
        (("revenue",), "--due and KPI exclude each other"),
        (("--format", "csv"), "--due has no format csv; leave --format out, or write --format json"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(mailed: Small, args: tuple[str, ...], message: str) -> None:
    refused = _call(mailed.folder, *args)
    assert refused.exit_code == 2
    assert message in refused.output


def test_the_future_is_not_tried_on_a_state_in_use(mailed: Small) -> None:
    """What is done or skipped there would not be done in its time."""
    ahead = (dt.datetime.now(dt.UTC) + dt.timedelta(days=40)).isoformat()
    assert _call(mailed.folder).exit_code == 0
    refused = _call(mailed.folder, "--now", ahead)
    assert refused.exit_code == 2
    assert (
        "--now lies ahead, and what is due until then would count as done; try it in a copy" in refused.output
    )
    assert mailed.deliveries() == []
    shutil.rmtree(mailed.folder / ".cadran")
    assert _call(mailed.folder, "--now", ahead).exit_code == 0, "nothing rests on a new one"


def test_now_needs_due(mailed: Small) -> None:
    refused = CliRunner().invoke(cli, ["-C", str(mailed.folder), "run", "--now", "2026-03-01"])
    assert "--now goes with --due; --as-of sets the logical time of a run" in refused.output


@pytest.mark.parametrize(
    "where", ["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)
def test_several_machines_at_once(
    mailed: Small,
    mailbox: Mailbox,
    where: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes first does it; nobody is told anything twice."""
    if where == "postgres":
        server = request.getfixturevalue("postgres")
        monkeypatch.setenv("STATE_URL", server.url)
        mailed.write(PROJECT + f'state: {{url: "${{STATE_URL}}", schema: {server.name}}}\n')
    _call(mailed.folder, "--now", "2026-03-04T08:00")
    command = [sys.executable, "-m", "cadran", "-C", str(mailed.folder), "run", "--due", "--now", "2026-03-05T07:00"]  # fmt: skip
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]  # fmt: skip
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    said = "".join(outputs)
    assert said.count("report:daily of 2026-03-05T06:00+00:00: done") == 1
    assert said.count("report:owners of 2026-03-05T06:00+00:00: done") == 1
    _call(mailed.folder, "--now", "2026-03-05T07:30")
    assert sorted(mailbox.got) == ["ana@example.com", "bob@example.com"]
    if where == "sqlite":
        assert [row.state for row in mailed.deliveries()] == ["sent"] * 5
