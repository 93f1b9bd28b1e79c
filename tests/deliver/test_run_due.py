"""``cadran run --due`` from end to end: files, a mail server, exit codes, and processes that do it at the same time."""

from __future__ import annotations

import datetime as dt
import json
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

from cadran.cli import cli, due
from deliver.projects import PARIS, Small

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


def _call(folder: Path, *args: str, at: str = "") -> Result:
    """``at`` sets the clock."""
    with pytest.MonkeyPatch.context() as patch:
        if at:
            patch.setattr(due, "now", lambda: dt.datetime.fromisoformat(at).replace(tzinfo=PARIS))
        return CliRunner().invoke(cli, ["-C", str(folder), "run", "--due", *args])


def test_a_day(mailed: Small, mailbox: Mailbox) -> None:
    seen = _call(mailed.folder, at="2026-03-04T08:00")
    next_ = "report daily tomorrow at 07:00, report owners tomorrow at 07:00"
    assert (seen.exit_code, seen.output) == (0, f"nothing is due; next: {next_}\n")
    done = _call(mailed.folder, at="2026-03-05T07:00:30")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "report:daily of 2026-03-05 07:00: done, 3 messages",
        "report:owners of 2026-03-05 07:00: done, 2 messages",
        "outbox: 5 sent",
    ]
    assert sorted(mailbox.got) == ["ana@example.com", "bob@example.com"]
    assert (mailed.folder / "out" / "daily.html").exists()
    assert len(list((mailed.folder / "told").glob("owners-*.html"))) >= 2
    again = _call(mailed.folder, at="2026-03-05T07:01")
    assert (again.exit_code, again.output) == (0, f"nothing is due; next: {next_}\n")


def test_for_programs(mailed: Small) -> None:
    _call(mailed.folder, at="2026-03-04T08:00")
    done = _call(mailed.folder, "--format", "json", at="2026-03-05T09:00")
    lines = [json.loads(line) for line in done.output.splitlines()]
    assert lines[0] == {
        "job": "report:daily", "logical_time": "2026-03-05T07:00+01:00", "state": "done", "reason": "", "messages": 3, "late": True, "skipped": "",
    }  # fmt: skip
    assert lines[-1] == {"sent": 5}


def test_what_fails_is_an_exit_code(mailed: Small) -> None:
    _call(mailed.folder, at="2026-03-04T08:00")
    (mailed.folder / "data").rename(mailed.folder / "away")
    tried = _call(mailed.folder, at="2026-03-05T07:00")
    assert tried.exit_code == 2
    assert tried.output.startswith(
        "report:daily of 2026-03-05 07:00: retry: sources.files: there is no 'data'"
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


def test_now_needs_due(mailed: Small) -> None:
    refused = CliRunner().invoke(cli, ["-C", str(mailed.folder), "run", "--now", "2026-03-01"])
    assert "--now goes with --due; --as-of sets the logical time of a run" in refused.output


AT_SEVEN = """
import datetime as dt
from cadran.cli import due, main

due.now = lambda: dt.datetime.fromisoformat("2026-03-05T07:00+01:00")
main()
"""


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
    _call(mailed.folder, at="2026-03-04T08:00")
    command = [sys.executable, "-c", AT_SEVEN, "-C", str(mailed.folder), "run", "--due"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]  # fmt: skip
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    said = "".join(outputs)
    assert said.count("report:daily of 2026-03-05 07:00: done") == 1
    assert said.count("report:owners of 2026-03-05 07:00: done") == 1
    _call(mailed.folder, at="2026-03-05T07:30")
    assert sorted(mailbox.got) == ["ana@example.com", "bob@example.com"]
    if where == "sqlite":
        assert [row.state for row in mailed.deliveries()] == ["sent"] * 5


# --- what comes next ---------------------------------------------------------------------------------------------------


def test_what_comes_next(mailed: Small) -> None:
    text = PROJECT.replace('"0 7 * * *"', '{cron: "0 7 * * MON", timezone: Asia/Tokyo}', 1)
    mailed.write(text + "routes: [{to: [{channel: mail, to: ops@example.com}]}]\n")

    def listed(at: str) -> list[tuple[Any, ...]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(due, "now", lambda: dt.datetime.fromisoformat(at).replace(tzinfo=PARIS))
            said = CliRunner().invoke(cli, ["-C", str(mailed.folder), "schedule", "--format", "json"])
        assert said.exit_code == 0, said.output
        return [(o["job"], o["seen"], o["last"], o["due"], o["tried"], o["next"]) for o in json.loads(said.output)]  # fmt: skip

    monday, tomorrow = "2026-03-09T07:00+09:00", "2026-03-05T07:00+01:00"
    assert listed("2026-03-04T08:00") == [
        ("alerts", False, None, None, False, "2026-03-05T06:00+01:00"),
        ("report:daily", False, None, None, False, monday),
        ("report:owners", False, None, None, False, tomorrow),
    ]
    assert not (mailed.folder / ".cadran" / "state.db").exists()
    seen = _call(mailed.folder, at="2026-03-04T08:00")
    assert seen.output == (
        "nothing is due; next: alerts tomorrow at 06:00, report owners tomorrow at 07:00, "
        "report daily on Monday 9 March at 07:00\n"
    )
    (mailed.folder / "data").rename(mailed.folder / "away")
    _call(mailed.folder, at="2026-03-05T06:30")
    assert listed("2026-03-05T07:30")[0] == ("alerts", True, None, "2026-03-05T06:00+01:00", True, "2026-03-06T06:00+01:00")  # fmt: skip
    assert listed("2026-03-05T07:30")[2] == ("report:owners", True, None, tomorrow, False, "2026-03-06T07:00+01:00")  # fmt: skip
    (mailed.folder / "away").rename(mailed.folder / "data")
    _call(mailed.folder, at="2026-03-05T07:30")
    assert listed("2026-03-05T07:31")[2][2] == tomorrow
    table = CliRunner().invoke(cli, ["-C", str(mailed.folder), "schedule"])
    assert "2026-03-05 07:00, done" in table.output


def _written(folder: Path) -> dict[str, int]:
    """When each file was written, but those that are only kept to be fast."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != ".cadran"}


# --- a trial ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where", ["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)
def test_a_trial_sends_nothing_and_changes_nothing(
    mailed: Small,
    mailbox: Mailbox,
    where: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = PROJECT + '  folder: {kpis: [revenue], schedule: "0 7 * * *"}\n'
    if where == "postgres":
        server = request.getfixturevalue("postgres")
        monkeypatch.setenv("STATE_URL", server.url)
        text += f'state: {{url: "${{STATE_URL}}", schema: {server.name}}}\n'
    mailed.write(text)
    _call(mailed.folder, at="2026-03-04T08:00")
    before = _written(mailed.folder)
    for _ in range(2):
        tried = _call(mailed.folder, "--now", "2026-03-05T07:00", at="2026-03-04T08:01")
        assert tried.exit_code == 0, tried.output
        assert tried.output.splitlines() == [
            "trial, as if it were 2026-03-05 07:00: nothing is sent, and the state stays as it is",
            "report:daily of 2026-03-05 07:00: done, 3 messages",
            "report:owners of 2026-03-05 07:00: done, 2 messages",
            "report:folder of 2026-03-05 07:00: done, 0 messages",
            "would send to mail, ana@example.com: Key figures · March 4, 2026",
            "would send to mail, bob@example.com: Key figures · March 4, 2026",
            "would send to out: Key figures · March 4, 2026",
            "would send to told: Key figures · ana · March 4, 2026",
            "would send to told: Key figures · bob · March 4, 2026",
        ]
    assert before == _written(mailed.folder)
    assert mailbox.got == []
    done = _call(mailed.folder, at="2026-03-05T07:00")
    assert done.output.splitlines()[-1] == "outbox: 5 sent"


def test_a_trial_before_anything_was_done(mailed: Small) -> None:
    tried = _call(mailed.folder, "--now", "2026-03-06T07:00", "--format", "json", at="2026-03-04T08:00")
    lines = [json.loads(line) for line in tried.output.splitlines()]
    assert [(line["job"], line["state"]) for line in lines if "logical_time" in line] == [
        ("report:daily", "skipped"), ("report:owners", "skipped"), ("report:daily", "done"), ("report:owners", "done"),
    ]  # fmt: skip
    assert [line["recipient"] for line in lines if line.get("channel") == "mail"] == ["ana@example.com", "bob@example.com"]  # fmt: skip
    assert not (mailed.folder / ".cadran" / "state.db").exists()
