"""From ``cadran sync`` to the numbers of a run."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cadran.cli import cli
from cadran.plugins.connector import AuthError, Column, ConnectorError, Rejected, Transient
from cadran.problems import ProblemsFound
from cadran.project import Project
from cadran.sync.outcome import problems
from cadran.sync.outcome import reasons as alike
from cadran.sync.places import Places
from sync.fake import DEALS, Held, Plugins, World, world

SECRET = "correct-horse-battery"
PROJECT = """
version: 1
sources:
  crm: {connector: fake, token: "${TOKEN}", sync: {max_age: 1 hour, full_every: 7 days}}
datasets:
  deals: {from: crm.deals, date: changed}
kpis:
  revenue: {formula: sum(deals.amount), period: month}
  deal_count: {formula: count(deals), period: month}
"""

MORE = PROJECT.replace(
    "kpis:",
    "  others: {from: crm.others, date: changed}\nkpis:\n  others: {formula: count(others), period: month}",
)


@pytest.fixture
def of() -> World:
    of = world()
    of.now = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=3)
    for number in range(5):
        of.deal(number, amount=f"{number}.25")
        of.tables["deals"].rows[-1]["changed"] = dt.datetime(2026, 3, 1, number, tzinfo=dt.UTC)
    return of


@pytest.fixture
def opened(tmp_path: Path, of: World) -> Project:
    return project(tmp_path, of)


def project(folder: Path, of: World, text: str = PROJECT, **more: World) -> Project:
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return Project(folder / "kpis.yaml", {"TOKEN": SECRET}, _plugins=Plugins(of, **more))


def value(opened: Project, kpi: str = "revenue", **options: Any) -> Any:
    results = opened.run([kpi], as_of="2026-04-01", **options)
    [row] = [r for r in results.rows if r.kpi == kpi and r.period == "2026-03"]
    return row.value


def test_a_sync_and_then_a_run(opened: Project, of: World) -> None:
    [done] = opened.sync(now=of.clock)
    assert (done.error, done.counts.new, done.counts.rows, done.whole) == (None, 5, 5, True)
    assert value(opened, sync=False) == Decimal("11.25")
    assert value(opened, "deal_count", sync=False) == 5


def test_a_run_syncs_first_what_is_stale(opened: Project, of: World) -> None:
    assert value(opened) == Decimal("11.25")
    of.tables["deals"].rows[0] |= {
        "amount": Decimal("100.00"),
        "changed": dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    }
    assert value(opened) == Decimal("11.25")
    assert of.connected == 1, "what is fresh is not asked for"
    opened.sync()
    assert value(opened) == Decimal("111.00")
    assert of.connected == 2


def test_a_run_syncs_what_other_settings_ask_for(opened: Project, of: World) -> None:
    opened.sync()
    for change, connected in (
        ("", 1),
        ("keep_deleted: true, ", 1),  # which is to be had from what lies here
        ("keep_deleted: true, since: 2026-01-01, ", 2),
    ):
        opened.file.write_text(PROJECT.replace("max_age", f"{change}max_age"), encoding="utf-8")
        opened.run(as_of="2026-04-01")
        assert of.connected == connected
        seen = json.loads((opened.file.parent / ".cadran" / "columns.json").read_text())
        assert ("deleted_at" in seen["sources"]["crm"]["deals"]) == bool(change)
    assert of.asked[-1][1].since == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_a_run_without_sync_says_how_old_the_rows_are(opened: Project, of: World) -> None:
    opened.sync(now=of.clock)
    results = opened.run(as_of="2026-04-01", sync=False)
    [warning] = [p for p in results.warnings if p.code == "not-synced"]
    assert warning.message.endswith("UTC, 3 hours ago") and "'cadran sync crm'" in warning.hint
    assert (warning.subject, warning.where is not None and warning.where.line) == ("sources.crm", 4)
    assert of.connected == 1


@pytest.mark.parametrize("partial", [False, True])
def test_a_source_that_was_never_synced_is_one_error(tmp_path: Path, of: World, partial: bool) -> None:
    opened = project(tmp_path, of, MORE)
    assert [p.code for p in opened.check()] == ["columns-not-known"]
    if partial:
        results = opened.run(as_of="2026-04-01", sync=False, partial=True)
        assert {failed.kpi for failed in results.failed} == {"revenue", "deal_count", "others"}
        found = list(dict.fromkeys(problem for failed in results.failed for problem in failed.problems))
    else:
        with pytest.raises(ProblemsFound) as raised:
            opened.run(as_of="2026-04-01", sync=False)
        found = list(raised.value.problems)
    [problem] = found
    assert (problem.message, problem.hint) == ("source 'crm' was never synced", "run 'cadran sync crm'")
    assert (problem.subject, problem.where is not None and problem.where.line) == ("sources.crm", 4)


def test_a_table_that_was_never_synced_is_said_where_it_is_named(tmp_path: Path, of: World) -> None:
    of.tables["others"] = replace(of.tables["deals"], table=replace(DEALS, name="others"))
    opened = project(tmp_path, of, MORE)
    opened.sync(["crm.deals"])
    with pytest.raises(ProblemsFound) as raised:
        opened.run(as_of="2026-04-01", sync=False)
    [problem] = [p for p in raised.value.problems if p.severity == "error"]
    assert (problem.message, problem.hint) == (
        "table 'others' of source 'crm' was never synced",
        "run 'cadran sync crm'",
    )
    assert (problem.subject, problem.where is not None and problem.where.line) == ("datasets.others", 7)


def test_check_asks_nobody_and_knows_the_columns(opened: Project, of: World) -> None:
    opened.sync()
    of.failing = AssertionError("asked")
    connected = of.connected
    assert opened.check() == []
    text = PROJECT.replace("deals.amount", "deals.amuont")
    opened.file.write_text(text, encoding="utf-8")
    [problem, *_] = [p for p in opened.check() if p.severity == "error"]
    assert "amuont" in problem.message and "amount" in problem.hint
    assert of.connected == connected
    seen = json.loads((opened.file.parent / ".cadran" / "columns.json").read_text())
    assert seen["sources"]["crm"]["deals"]["amount"] == "DECIMAL(18,2)"


def test_the_columns_last_seen_are_those_of_all_sources(opened: Project, of: World) -> None:
    of.tables["more"] = replace(of.tables["deals"], table=replace(DEALS, name="more"))
    record = opened.file.parent / ".cadran" / "columns.json"
    opened.sync(every=True)
    once = record.read_text()
    assert list(json.loads(once)["sources"]["crm"]) == ["deals", "more"]
    opened.run(as_of="2026-04-01")
    assert record.read_text() == once, "a run does not take away what a sync has seen"


def test_kept_results_hold_as_long_as_the_rows_do(opened: Project, of: World) -> None:
    assert value(opened) == Decimal("11.25")
    opened.sync()
    results = opened.run(["revenue"], as_of="2026-04-01")
    assert sum(s.rows for s in results.scanned) == 0, "no rows were read for it"
    of.deal(9, amount="1.00")
    of.tables["deals"].rows[-1]["changed"] = dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
    opened.sync()
    assert value(opened) == Decimal("12.25")


def test_what_was_set_aside_shows_in_quality(opened: Project, of: World) -> None:
    opened.sync()
    amount = Column("amount", "VARCHAR")
    of.columns("deals", DEALS.columns[0], DEALS.columns[1], amount, DEALS.columns[3])
    for row in of.tables["deals"].rows:
        row |= {"amount": "n/a", "changed": dt.datetime(2026, 3, 5, tzinfo=dt.UTC)}
    opened.sync()
    results = opened.run(as_of="2026-04-01")
    assert any("n/a is no DECIMAL(18,2)" in str(q) for q in results.quality), results.quality


# --- what goes wrong ------------------------------------------------------------------------------------------------------


def test_a_run_whose_sync_fails_says_so_at_the_source(opened: Project, of: World) -> None:
    opened.sync(now=of.clock)
    of.failing = AuthError(f"the token {SECRET} is not accepted", hint="make a new one", setting=("token",))
    with pytest.raises(ProblemsFound) as raised:
        opened.run(as_of="2026-04-01")
    [problem] = raised.value.problems
    assert problem.message == "the token *** is not accepted"
    assert problem.where is not None and (problem.where.line, problem.where.column) == (4, 33)
    assert value(opened, sync=False) == Decimal("11.25"), "the rows of before still stand"


@pytest.mark.parametrize("setting", [(), ("token",)], ids=["at the table", "at the token"])
@pytest.mark.parametrize("told", [True, False], ids=["told at once", "told when it is read"])
def test_a_table_that_may_not_be_read_fails_only_the_kpis_that_need_it(tmp_path: Path, of: World, told: bool, setting: tuple[str, ...]) -> None:  # fmt: skip
    error = AuthError("you may not see others", setting=setting)
    of.tables = {"others": Held(replace(DEALS, name="others", problem=error if told else None), list(of.tables["deals"].rows)), **of.tables}  # fmt: skip
    of.fault = lambda table, _: raising(error) if table == "others" else None
    opened = project(tmp_path, of, MORE)
    results = opened.run(as_of="2026-04-01", partial=True)
    assert {row.kpi for row in results.rows} == {"revenue", "deal_count"}
    [failed] = results.failed
    assert (failed.kpi, [problem.message for problem in failed.problems]) == ("others", [error.message])


def raising(error: Exception) -> None:
    raise error


def test_a_source_that_fails_keeps_no_other_from_its_rows(tmp_path: Path, of: World) -> None:
    other = world()
    other.failing = Transient("the server fails")
    text = PROJECT.replace(
        "datasets:", "  erp: {connector: other}\ndatasets:\n  more: {from: erp.deals, date: changed}"
    )
    opened = project(tmp_path, of, text, other=other)
    outcomes = opened.sync()
    assert [(one.source, one.table, one.error is None) for one in outcomes] == [
        ("crm", "deals", True),
        ("erp", "deals", False),
    ]
    [problem] = problems(outcomes)
    assert (problem.message, problem.subject) == ("the server fails", "sources.erp")


def test_a_source_that_is_down_says_that_its_copy_can_be_read(opened: Project, of: World) -> None:
    opened.sync(now=of.clock)
    of.failing = Transient("the server fails", hint="try later")
    found = opened.run(as_of="2026-04-01", partial=True).failed[0].problems[0]
    assert found.message == "the server fails"
    assert (
        found.hint
        == f"try later; 'cadran --no-sync run' computes with its rows of {of.now:%Y-%m-%d %H:%M} UTC"
    )
    assert value(opened, sync=False) == Decimal("11.25")


def test_a_run_over_young_rows_says_that_the_last_sync_failed(opened: Project, of: World) -> None:
    now = of.now = dt.datetime.now(dt.UTC)
    opened.sync()
    of.failing = Transient(f"the server says {SECRET} fails")
    opened.sync(now=lambda: now + dt.timedelta(minutes=2))
    for sync in (True, False):
        results = opened.run(as_of="2026-04-01", sync=sync)
        [warning] = [p for p in results.warnings if p.code == "sync-failed"]
        assert (
            warning.message.startswith("its last sync failed at ")
            and "the server says *** fails" in warning.message
        )
        assert (
            "; these are the rows of " in warning.message and warning.hint == "'cadran sync crm' tries again"
        )
        assert (warning.subject, warning.where is not None and warning.where.line) == ("sources.crm", 4)
    of.failing = None
    opened.sync(now=lambda: now + dt.timedelta(minutes=4))
    results = opened.run(as_of="2026-04-01")
    assert not [p for p in results.warnings if p.code == "sync-failed"], "that is over"


def test_a_column_of_texts_is_put_right_in_the_file(tmp_path: Path, of: World) -> None:
    """No SELECT can be written for an API."""
    of.columns("deals", DEALS.columns[0], DEALS.columns[1], Column("amount", "VARCHAR"), DEALS.columns[3])
    for row, text in zip(of.tables["deals"].rows, ["1.50", "2.00", "3.00", "4.00", "n/a"], strict=True):
        row |= {"amount": text}
    opened = project(tmp_path, of)
    with pytest.raises(ProblemsFound) as raised:
        opened.run(as_of="2026-04-01")
    [problem] = [p for p in raised.value.problems if p.severity == "error"]
    assert problem.message.startswith("'n/a' in column 'amount' is not a number")
    assert "'sql:'" not in problem.hint and "try_cast(COLUMN as decimal(18, 2))" in problem.hint
    derived = "date: changed, columns: {sum_of_it: 'try_cast(amount as decimal(18, 2))'}"
    opened.file.write_text(PROJECT.replace("date: changed", derived).replace("deals.amount", "deals.sum_of_it"), encoding="utf-8")  # fmt: skip
    assert value(opened) == Decimal("10.50")


def test_where_no_copy_is_there_none_is_spoken_of(opened: Project, of: World) -> None:
    of.failing = Transient("the server fails", hint="try later")
    assert opened.run(as_of="2026-04-01", partial=True).failed[0].problems[0].hint == "try later"


def test_a_table_that_there_is_not_is_said_where_it_is_named(tmp_path: Path, of: World) -> None:
    text = PROJECT.replace("crm.deals", "crm.deal")
    [one] = project(tmp_path, of, text).sync()
    [problem] = one.problems
    assert problem.message == "source 'crm' has no table 'deal'" and "deals" in problem.hint
    assert problem.where is not None and problem.where.line == 6


@pytest.mark.parametrize("names, message", [
    (["cmr"], "there is no source 'cmr'"),
    (["files"], "source 'files' is read anew by each run, and has nothing to sync"),
])  # fmt: skip
def test_names_that_mean_nothing(tmp_path: Path, of: World, names: list[str], message: str) -> None:
    opened = project(
        tmp_path, of, PROJECT.replace("datasets:", "  files: {connector: files, path: .}\ndatasets:")
    )
    with pytest.raises(ProblemsFound, match=message) as raised:
        opened.sync(names)
    assert "crm" in raised.value.problems[0].hint


def test_no_secret_anywhere(opened: Project, of: World, caplog: pytest.LogCaptureFixture) -> None:
    token = "given-by-the-server"
    logged: list[str] = []
    of.resumes = False

    def strange(stream: Iterator[Any]) -> Iterator[Any]:
        yield next(stream)
        raise ConnectorError(f"no {SECRET} and no {token}", hint=token, more=[SECRET])

    plugins = opened.plugins
    assert isinstance(plugins, Plugins)
    made = plugins.fakes["fake"]
    was = made.changes

    def changes(self: Any, *args: Any) -> Any:
        self.context.hide(token)
        self.context.log(f"asking with {SECRET} and {token}")
        return was(self, *args)

    made.changes = changes  # type: ignore[method-assign]
    of.strange = strange
    [one] = opened.sync(log=logged.append)
    assert logged == ["crm: asking with *** and ***"]
    said = repr([one.problems, one.error, logged])
    assert "no *** and no ***" in said
    on_disk = b"".join(
        path.read_bytes() for path in opened.file.parent.joinpath(".cadran").rglob("*") if path.is_file()
    )
    for secret in (SECRET, token):
        assert secret not in said + caplog.text and secret.encode() not in on_disk


# --- the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def called(tmp_path: Path, of: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    project(tmp_path, of)
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setattr("cadran.project.declared.PluginManager", lambda _: Plugins(of))
    return lambda *args: CliRunner().invoke(cli, ["-C", str(tmp_path), *args])


def test_the_table(called: Any) -> None:
    done = called("sync")
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0] == "table rows new changed deleted set aside seconds"
    assert lines[1].startswith("crm.deals 5 5 0 0 0 ") and lines[1].endswith("all rows")
    assert called("sync", "--stale").stdout.splitlines()[1].split() == ["crm.deals", "fresh"]


def test_a_table_that_is_done_is_said_where_no_terminal_shows_how_it_goes(called: Any, of: World) -> None:
    [line] = called("sync").stderr.splitlines()
    assert re.fullmatch(r"crm\.deals: 5 rows read, \d+\.\d seconds", line)
    assert called("sync", "--stale").stderr == "", "nothing was read"
    of.fault = lambda _table, _page: (_ for _ in ()).throw(Transient("the server fails"))
    assert called("sync").stderr.splitlines()[0] == "crm.deals: failed"


def test_json(called: Any) -> None:
    [record] = json.loads(called("sync", "crm.deals", "--format", "json").stdout)
    assert (record["status"], record["new"], record["whole"], record["error"]) == ("synced", 5, True, None)


def test_the_reasons_of_what_was_set_aside(called: Any, of: World) -> None:
    called("sync")
    amount = Column("amount", "VARCHAR")
    of.columns("deals", DEALS.columns[0], DEALS.columns[1], amount, DEALS.columns[3])
    rows = of.tables["deals"].rows
    for row, text in zip(rows, ["0.125", "1", "n/a", f"see {SECRET}", "-"], strict=True):
        row |= {"amount": text, "changed": dt.datetime(2026, 3, 5, tzinfo=dt.UTC)}
    of.resumes = False
    rows.append({"id": None, "changed": dt.datetime(2026, 3, 5, tzinfo=dt.UTC)})
    lines = called("sync").stdout.splitlines()[2:]
    assert lines[0].startswith(
        "crm.deals: column 'amount' is VARCHAR at the source now, and DECIMAL(18,2) here"
    )
    assert lines[1:4] == [
        "crm.deals: 5 of 6 rows were set aside, and no figure counts them",
        "  deals, id 0: amount: 0.125 is no DECIMAL(18,2); 3 more like it",
        "  deals, row 2: id: the key is empty (the column is BIGINT)",
    ]
    assert "correct the values at the source" in lines[4] and len(lines) == 5
    done = called("sync", "--format", "json")
    [record] = json.loads(done.stdout)
    assert [(r["where"], r["type"], r["more"]) for r in record["reasons"]] == [
        ("deals, id 0", "DECIMAL(18,2)", 3),
        ("deals, row 2", "BIGINT", 0),
    ]
    assert record["notes"] == [lines[0].removeprefix("crm.deals: ")]
    called("sync", "--full")
    assert called("sync").stdout.count("\n") == 5, "only the row without a key is left"


@pytest.mark.parametrize("reasons, expected", [
    (["a: 'x' is no number", "a: 'y z' is no number", "a: 7 has too many digits"], [("a: 'x' is no number", 1), ("a: 7 has too many digits", 0)]),
    (["broken", "broken", "broken too"], [("broken", 1), ("broken too", 0)]),
    ([f"c{n}: x is no BIGINT" for n in range(9)], [(f"c{n}: x is no BIGINT", 0) for n in range(5)]),
    (["a: x is no DATE", "b: x is no DATE", "b: y is no DATE"], [("b: x is no DATE", 1), ("a: x is no DATE", 0)]),
    (["", ": "], [("", 0), (": ", 0)]),
    ([], []),
])  # fmt: skip
def test_reasons_that_are_alike_are_said_once(reasons: list[str], expected: list[tuple[str, int]]) -> None:
    found = alike((("deals, id 1", reason) for reason in reasons), {})
    assert [(one.reason, one.more) for one in found] == expected


def test_no_secret_in_what_was_set_aside(opened: Project, of: World) -> None:
    of.strange = lambda stream: iter(
        [Rejected(f"deals, id {SECRET}", f"amount: {SECRET} is no number"), *stream]
    )
    [one] = opened.sync()
    [aside] = one.aside
    assert (aside.place, aside.reason) == ("deals, id ***", "amount: *** is no number")


def test_what_fails_is_exit_code_2(called: Any, of: World) -> None:
    called("sync")
    of.failing = AuthError("no")
    done = called("sync")
    assert done.exit_code == 2
    assert "crm.deals" in done.stdout and "failed: the rows are those of before" in done.stdout
    assert "kpis.yaml:4:" in done.stderr


@pytest.mark.parametrize("names", [(), ("--all",)])
def test_what_fails_where_nothing_was_before(called: Any, of: World, names: tuple[str, ...]) -> None:
    of.failing = AuthError("no")
    [_, line] = called("sync", *names).stdout.splitlines()
    assert line.startswith("crm") and line.endswith("  failed; nothing was there before")


def test_all_tables_and_those_named(tmp_path: Path, of: World) -> None:
    of.tables["more"] = replace(of.tables["deals"], table=replace(DEALS, name="more"))
    opened = project(tmp_path, of)
    names = lambda outcomes: [one.table for one in outcomes]  # noqa: E731
    assert names(opened.sync()) == ["deals"]
    assert names(opened.sync(["crm.more"])) == ["more"]
    assert names(opened.sync(every=True)) == ["deals", "more"]


def test_nothing_to_sync(tmp_path: Path, of: World) -> None:
    opened = project(tmp_path, of, "version: 1\nsources: {crm: {connector: fake}}\n")
    assert opened.sync() == []


def test_the_lock_file_is_all_that_a_lock_leaves(opened: Project) -> None:
    opened.sync()
    folder = Places.of(opened.file.parent, "crm").folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "current.json",
        "lock",
        "room",
        "spool",
        "store.duckdb",
        "tables",
    ]


def test_the_last_words_of_a_program_stay_in_their_order(opened: Project, of: World) -> None:
    """Problems are sorted: lines of a log would be, too."""
    of.failing = Transient("the tap ended with 1", hint="look", more=["  b: second", "a: third"])
    [problem] = opened.sync()[0].problems
    assert (problem.message, problem.hint) == ("the tap ended with 1", "look; it said: b: second | a: third")
