"""Listeners hear of runs, syncs and messages; whatever they do, a run is as it would be without them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins import telling as patience
from cadran.plugins.added import Added
from cadran.plugins.connector import ConnectorError
from cadran.plugins.listeners import (
    Event,
    Listener,
    ListenerEntry,
    MessageSent,
    RunFailed,
    RunFinished,
    RunStarted,
    SourceSynced,
)
from cadran.plugins.telling import Telling
from cadran.problems import ProblemsFound
from cadran.sync.outcome import Counts, Synced
from cadran.sync.telling import tell

APRIL = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
EVENTS: list[Event] = [
    RunStarted("kpis.yaml", APRIL, ("sales",)),
    RunFinished("kpis.yaml", APRIL, 1.5),
    RunFailed("kpis.yaml", APRIL, 0.5, ("no",)),
    SourceSynced("kpis.yaml", "crm", 2.0, ("deals",), 3, 1),
    MessageSent("kpis.yaml", "mail", "report", "sent"),
]


class Ear(Listener):
    """Hears everything."""

    heard: list[Any] = []  # noqa: RUF012

    def run_started(self, event: RunStarted) -> None:
        self.heard.append((threading.current_thread().name, event))

    run_finished = run_failed = source_synced = message_sent = run_started  # type: ignore[assignment]


class Raises(Listener):
    def run_started(self, event: RunStarted) -> None:
        raise ValueError("password is correct-horse\nand more")


class Exits(Listener):
    def run_started(self, event: RunStarted) -> None:
        raise SystemExit(3)


class Hangs(Listener):
    patience = 0.05
    over = threading.Event()

    def run_started(self, event: RunStarted) -> None:
        self.over.wait(30)

    run_finished = run_started  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def nothing_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    Ear.heard.clear()
    assert (patience._MOST, patience._SLOW) == (5, 2)
    monkeypatch.setattr(patience, "_MOST", 60.0)  # a busy machine is no fault
    monkeypatch.setattr(patience, "_SLOW", 60.0)


def telling(*kinds: type[Listener]) -> Telling:
    added = {
        kind.__name__: Added(
            "listener", ListenerEntry(kind.__name__, lambda kind=kind: kind), "belvoir", "1.0"
        )  # type: ignore[misc]
        for kind in kinds
    }
    return Telling(added, lambda text: text.replace("correct-horse", "***"))


def test_everything_is_heard_in_order_and_in_another_thread() -> None:
    told = telling(Ear)
    assert [told.tell(event) for event in EVENTS] == [[]] * 5
    assert [event for _, event in Ear.heard] == EVENTS
    assert {name for name, _ in Ear.heard} == {"listener Ear"}


def test_one_that_fails_is_warned_of_and_the_others_hear_it_all_the_same() -> None:
    told = telling(Raises, Exits, Ear)
    assert [p.message for p in told.tell(EVENTS[0])] == [
        "the listener 'Raises' of belvoir 1.0 failed: ValueError: password is ***",
        "the listener 'Exits' of belvoir 1.0 failed: SystemExit: 3",
    ]
    assert told.tell(EVENTS[1]) == [] and len(Ear.heard) == 2  # it is told what comes next


def test_one_that_hangs_is_left_behind() -> None:
    told = telling(Hangs, Ear)
    assert told.tell(EVENTS[4]) == []  # loaded, and nothing hangs there
    (warning,) = told.tell(EVENTS[0])
    assert (
        warning.message
        == "the listener 'Hangs' of belvoir 1.0 took longer than 0.05 seconds, and is told nothing more"
    )
    assert warning.severity == "warning"
    assert told.tell(EVENTS[1]) == [] and len(Ear.heard) == 3
    Hangs.over.set()


class Waits(Listener):
    patience = 600.0

    def run_started(self, event: RunStarted) -> None:
        Hangs.over.wait(0.06)


def test_one_that_is_slow_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    Hangs.over.clear()
    told = telling(Waits)
    monkeypatch.setattr(patience, "_SLOW", 0.05)
    (warning,) = told.tell(EVENTS[0])
    assert (
        warning.message
        == "the listener 'Waits' of belvoir 1.0 took 0.1 seconds, which the run has waited for"
    )


@pytest.mark.parametrize("first", [True, False])
def test_no_listener_has_more_than_five_seconds_not_even_to_be_loaded(
    first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hangs.over.clear()
    told = telling(Waits)
    if not first:
        assert told.tell(EVENTS[4]) == []
    monkeypatch.setattr(patience, "_MOST", 0.01)
    (warning,) = told.tell(EVENTS[0])
    assert "took longer than 0.01 seconds, and is told nothing more" in warning.message


def test_one_that_cannot_be_loaded_is_warned_of() -> None:
    (warning,) = Telling({"x": Added("listener", ListenerEntry("x", lambda: 1 / 0), "belvoir", "1.0")}).tell(
        EVENTS[0]
    )  # type: ignore[arg-type,return-value]
    assert warning.message == "the listener 'x' of belvoir 1.0 failed: ZeroDivisionError: division by zero"


def test_where_nobody_listens_nothing_is_started() -> None:
    before = threading.active_count()
    assert telling().tell(EVENTS[0]) == []
    assert threading.active_count() == before


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_events_are_frozen(event: Event) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.project = "x"  # type: ignore[misc]


# --- a run ----------------------------------------------------------------------------------------------------------------

LOCAL = """
from cadran.plugins import Listener, ListenerEntry, hookimpl
class Diary(Listener):
    heard = []
    def run_started(self, event): self.heard.append(event)
    run_failed = message_sent = source_synced = run_started
    def run_finished(self, event):
        self.heard.append(event)
        %s
@hookimpl
def cadran_listeners(): return [ListenerEntry("diary", lambda: Diary)]
"""
PROJECT = """\
version: 1
plugins: ./local_plugins/diary.py
sources: {files: {connector: files, path: "${FOLDER}"}}
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis:
  sales: {formula: sum(orders.amount), period: month, target: 5, alert: value < 11}
"""


def project(folder: Path, then: str = "pass", data: str = "data") -> cadran.Project:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "orders.csv").write_text("id,day,amount\n1,2026-01-05,10.50\n2,2026-02-06,20\n")
    (folder / "local_plugins").mkdir(exist_ok=True)
    (folder / "local_plugins" / "diary.py").write_text(LOCAL % then)
    (folder / "kpis.yaml").write_text(PROJECT)
    return cadran.open(folder, environ={"FOLDER": data})


def heard(made: cadran.Project) -> list[Any]:
    declaration, _ = made.declaration()
    assert declaration is not None
    found: list[Any] = declaration.added.listeners["diary"].load().heard
    return found


def test_a_run_tells_that_it_begins_and_what_came_of_it(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.run(["sales"], as_of=dt.date(2026, 2, 1))
    started, finished = heard(made)
    first = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    assert started == RunStarted(str(made.file.absolute()), first, ("sales",))
    (kpi,) = finished.kpis
    assert (kpi.name, kpi.period, kpi.value, kpi.status) == ("sales", "2026-01", "10.50", "on_target")
    assert finished.alerts == 1 and finished.seconds > 0 and finished.as_of == first


def test_a_run_says_which_kpis_it_computes_and_as_of_when(tmp_path: Path) -> None:
    made = project(tmp_path)
    made.file.write_text(
        made.file.read_text()
        + "  by_tag: {formula: count(orders), period: month, tags: [core]}\ncalendar: {timezone: Europe/Paris}\n"
    )
    for kpis, names in (((), ("sales", "by_tag")), (("tag:core",), ("by_tag",))):
        made.run(kpis, as_of="2026-02-01")
        started, finished = heard(made)[-2:]
        assert started.kpis == names and {kpi.name for kpi in finished.kpis} == set(names)
        assert started.as_of.isoformat() == finished.as_of.isoformat() == "2026-02-01T00:00:00+01:00"
    made.run()
    assert all(event.as_of.utcoffset() is not None for event in heard(made))


def test_a_run_that_fails_tells_why_without_secrets(tmp_path: Path) -> None:
    made = project(tmp_path, data="data-of-the-secret-service")
    with pytest.raises(ProblemsFound):
        made.run()
    started, failed = heard(made)
    assert isinstance(started, RunStarted) and isinstance(failed, RunFailed)
    assert failed.as_of == started.as_of and failed.failures and "secret-service" not in repr(failed)
    with pytest.raises(ProblemsFound):
        project(tmp_path).run(["no_such_kpi"])
    *_, asked = heard(made)
    assert (asked.failures, asked.as_of) == (("unknown KPI 'no_such_kpi'",), None)


def test_a_listener_that_fails_is_a_warning_of_the_run(tmp_path: Path) -> None:
    sound = project(tmp_path).run(as_of=dt.date(2026, 2, 1))
    harmed = project(tmp_path, "1 / 0").run(as_of=dt.date(2026, 2, 1))
    assert harmed.rows == sound.rows
    (warning,) = harmed.warnings
    assert warning.message.endswith("failed: ZeroDivisionError: division by zero") and sound.warnings == ()


@pytest.mark.parametrize("command", ["run", "report", "send"])
def test_a_listener_that_cannot_be_called_is_said_by_every_command(command: str, tmp_path: Path) -> None:
    made = project(tmp_path)
    plugin = tmp_path / "local_plugins" / "diary.py"
    plugin.write_text(plugin.read_text().replace("run_started(self, event)", "run_started(self)"))
    with made.file.open("a") as file:
        file.write("channels: {board: {notifier: file, path: public}}\nreports: {monthly: {to: [board]}}\n")
    args = {"run": [], "report": ["--output", str(tmp_path / "x.html")], "send": ["monthly"]}[command]
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), command, *args], env={"FOLDER": "data"})
    assert done.exit_code == 0, done.output
    assert "the listener 'diary' of ./local_plugins/diary.py" in done.output.replace("\n", " ")
    assert "takes 1 positional argument but 2 were given" in done.output


def test_a_sync_tells_of_each_source_that_was_asked(tmp_path: Path) -> None:
    made = project(tmp_path)
    declaration, _ = made.declaration()
    assert declaration is not None
    tell(declaration, [
        Synced("crm", "deals", Counts(new=2, changed=1, deleted=1), 1.5), Synced("crm", "owners", Counts(new=1), 0.5),
        Synced("shop", "orders", error=ConnectorError("it does not answer")), Synced("old", "x", fresh=True),
    ])  # fmt: skip
    file = str(made.file.absolute())
    assert heard(made) == [
        SourceSynced(file, "crm", 2.0, ("deals", "owners"), 4, 1),
        SourceSynced(file, "shop", 0.0, ("orders",), failure="it does not answer"),
    ]


def test_a_sender_tells_of_each_try(tmp_path: Path) -> None:
    made = project(tmp_path)
    with made.file.open("a") as file:
        file.write("channels: {board: {notifier: file, path: public}}\nreports: {monthly: {to: [board]}}\n")
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "send", "monthly"], env={"FOLDER": "data"})
    assert done.exit_code == 0, done.output
    (sent,) = (event for event in heard(made) if isinstance(event, MessageSent))
    assert sent == MessageSent(str(made.file.absolute()), "board", "report", "sent")
