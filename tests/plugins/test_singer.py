"""``singer``: what taps write becomes rows, exactly; what a tap does wrong is noticed; and it is ended whatever happens."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins import (
    Cancelled,
    Column,
    ConfigError,
    ConnectorError,
    Context,
    DataError,
    Page,
    ResumeExpired,
    SchemaChanged,
    SyncedConnector,
    Transient,
    Window,
)
from cadran_plugins.singer import private
from cadran_plugins.singer.config import secrets
from cadran_plugins.singer.connector import SingerConnector
from cadran_plugins.singer.messages import counted
from cadran_plugins.singer.program import Program, environment
from cadran_plugins.singer.read import Lost
from cadran_plugins.singer.types import TIMESTAMPTZ, column_type

from .reading_changes import at, collect, fails, source

TAP = Path(__file__).resolve().parents[1] / "simulators" / "tap.py"
COMMAND = [sys.executable, "-I", "-S", str(TAP)]
CANARY = "pa55word-canary"
ROWS = [{"id": n, "amount": n + 0.25, "changed": f"2026-01-0{n}T00:00:00Z", "note": None} for n in (1, 2, 3)]


def tap(
    rows: Any = ROWS, table: Mapping[str, Any] | None = None, said: Mapping[str, Any] | None = None, context: Any = None, **config: Any
) -> SyncedConnector:  # fmt: skip
    """``config`` is the tap's own, ``said`` more settings of the source."""
    whole = {"rows": rows, "password": CANARY, **config}
    tables = {} if table is None else {"tables": {"orders": table}}
    return source(
        SingerConnector, {"command": COMMAND, "config": whole, **tables, **(said or {})}, **(context or {})
    )


# --- tables ------------------------------------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_catalog() -> None:
    orders, people = tap().discover()
    assert (orders.name, orders.key, orders.cursor, orders.deletes) == (
        "orders",
        ("id",),
        "changed",
        "unseen",
    )
    assert orders.columns == (
        Column("id", "BIGINT"), Column("amount", "DECIMAL(38,2)"), Column("changed", TIMESTAMPTZ), Column("note", "VARCHAR"),
    )  # fmt: skip
    assert (people.name, people.key, people.cursor) == ("people", (), "")


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({"type": "string"}, "VARCHAR"),
        ({"type": ["null", "string"], "format": "date-time"}, TIMESTAMPTZ),
        ({"type": "string", "format": "date"}, "DATE"),
        ({"type": "string", "format": "time"}, "VARCHAR"),
        ({"type": "string", "format": "uuid"}, "VARCHAR"),
        ({"type": "string", "format": "singer.decimal"}, "DECIMAL(38,9)"),
        ({"type": ["null", "integer"]}, "BIGINT"),
        ({"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}, "BIGINT"),
        ({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}, "DECIMAL(38,0)"),
        ({"type": "number"}, "DOUBLE"),
        ({"type": "number", "multipleOf": Decimal("0.01")}, "DECIMAL(38,2)"),
        ({"type": "number", "multipleOf": Decimal("1E-9")}, "DECIMAL(38,9)"),
        ({"type": "number", "multipleOf": 1}, "DECIMAL(38,0)"),
        ({"type": ["number", "integer", "null"]}, "DOUBLE"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": ["null", "object"], "properties": {}}, "JSON"),
        ({"properties": {"a": {}}}, "JSON"),
        ({"type": "array", "items": {"type": "string"}}, "JSON"),
        ({"type": ["string", "integer"]}, "JSON"),
        ({}, "JSON"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, TIMESTAMPTZ),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, "VARCHAR"),
        ({"oneOf": [{"type": "number", "multipleOf": Decimal("0.1")}, {"type": "null"}]}, "DECIMAL(38,1)"),
    ],
)
def test_the_type_of_a_column(schema: Any, type_: str) -> None:
    assert column_type(schema) == type_


@pytest.mark.parametrize(
    ("sql", "type_"),
    [("numeric(12,2)", "DECIMAL(12,2)"), ("NUMERIC (9)", "DECIMAL(9,0)"), ("double precision", "DOUBLE"), ("numeric", "DOUBLE")],
)  # fmt: skip
def test_the_databases_own_type_says_more(sql: str, type_: str) -> None:
    assert column_type({"type": "number"}, sql) == type_
    assert column_type({"type": "number"}, "", "DECIMAL(18,4)") == "DECIMAL(18,4)"


@pytest.mark.parametrize(
    ("table", "message", "where"),
    [
        ({"stream": "order"}, "the tap has no stream 'order'", "stream"),
        ({"key": "uid"}, "the stream has no column 'uid'", "key"),
        ({"cursor": "updated"}, "the stream has no column 'updated'", "cursor"),
        ({"columns": {"amnt": "decimal(12,2)"}}, "the stream has no column 'amnt'", "columns.amnt"),
        ({"columns": {"amount": "decmal"}}, "unknown type 'decmal'", "columns.amount"),
        (
            {"stream": "people", "cursor": "name"},
            "reading only changes needs to know which row each is of",
            "cursor",
        ),
    ],
)
def test_a_table_that_cannot_be_read_as_it_is_declared(
    table: dict[str, Any], message: str, where: str
) -> None:
    [found] = tap(table=table).discover()
    assert found.problem is not None
    assert found.problem.message == message and found.problem.hint
    assert found.problem.setting == ("tables", "orders", *where.split("."))


@pytest.mark.parametrize(
    ("config", "message", "where"),
    [
        ({}, "nothing says which tap is run", ()),
        ({"command": "tap-x", "package": "tap-x==1"}, "'command' and 'package' are two taps", ("package",)),
        ({"package": "tap-x"}, "the package has no version", ("package",)),
        ({"package": "tap-x>=1"}, "the package has no version", ("package",)),
        ({"package": ["tap-x==1", "--pre"]}, "'--pre' is no package", ("package",)),
        ({"command": "tap-x", "python": "python3"}, "'python' means nothing without 'package'", ("python",)),
        ({"command": "tap-x", "numbers": "text"}, "'text' holds no numbers with a point", ("numbers",)),
        ({"command": "tap-x", "tables": {"a": {"method": "incremental"}}}, "'method: incremental' needs 'cursor'", ("tables", "a", "method")),
        ({"command": "tap-x", "tables": {"a": {"method": "full", "cursor": "c"}}}, "'cursor' means nothing with 'method: full'", ("tables", "a", "cursor")),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_anything_is_run(config: dict[str, Any], message: str, where: tuple[str, ...]) -> None:  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        source(SingerConnector, config).check("a")
    assert caught.value.message == message
    assert caught.value.setting == where and caught.value.hint


def test_a_catalog_of_ones_own(tmp_path: Path) -> None:
    about = {
        "streams": [
            {
                "stream": "orders",
                "schema": {"properties": {"id": {"type": "integer"}}},
                "key_properties": ["id"],
            }
        ]
    }
    (tmp_path / "catalog.json").write_text(json.dumps(about))
    connector = tap(said={"catalog": "catalog.json"}, context={"base": tmp_path}, wrong="no catalog")
    assert [t.name for t in connector.discover()] == ["orders"]
    assert collect(connector, "orders").rows == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_catalog_that_is_not_there(tmp_path: Path) -> None:
    for name, message in (
        ("catalog.json", "catalog.json cannot be read"),
        ("../catalog.json", "lies outside the project"),
    ):
        with pytest.raises(ConfigError, match=message):
            tap(said={"catalog": name}, context={"base": tmp_path}).discover()


# --- rows ------------------------------------------------------------------------------------------------------------------


def test_rows_come_with_the_state_for_the_next_time() -> None:
    first = collect(tap(), "orders")
    assert first.rows[0] == {"id": 1, "amount": Decimal("1.25"), "changed": at("2026-01-01"), "note": None}
    assert first.column("id") == [1, 2, 3]
    assert first.end is not None and first.end.rows == 3
    assert first.end.state == {
        "state": {"bookmarks": {"orders": {"changed": "2026-01-03T00:00:00Z", "n": 1.5}}}
    }
    later = collect(tap(), "orders", Window(since=at("2026-01-03"), state=first.end.state))
    assert later.column("id") == [3]


def test_numbers_are_exact() -> None:
    raw = [
        '{"type": "RECORD", "stream": "orders", "record": {"id": 9007199254740993, "amount": 12345678901234567.89}}'
    ]
    got = collect(tap([], raw=raw), "orders")
    assert (got.rows[0]["id"], got.rows[0]["amount"]) == (9007199254740993, Decimal("12345678901234567.89"))


def test_what_does_not_fit_is_set_aside() -> None:
    raw = ['{"type": "RECORD", "stream": "orders", "record": {"id": 5, "amount": NaN}}']
    got = collect(tap(raw=raw), "orders")
    assert got.column("id") == [1, 2, 3]
    assert [one.place for one in got.rejected] == ["orders, id 5"]


def test_the_tap_is_told_what_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    connector = tap(log_to=str(log), said={"env": {"TAP_REGION": "eu"}}, context={"base": tmp_path})
    monkeypatch.setenv("SOMEBODYS_TOKEN", "x")
    collect(connector, "orders", Window(state={"state": {"a": 1}}))
    discovery, sync = map(json.loads, log.read_text().splitlines())
    assert "--discover" in discovery["argv"] and sync["state"] == {"a": 1}
    assert sync["mode"] == 0o600 and sync["cwd"] == str(tmp_path)
    assert sync["env"]["TAP_REGION"] == "eu" and "SOMEBODYS_TOKEN" not in sync["env"]
    folder = Path(sync["argv"][1]).parent
    assert not folder.exists(), "what holds the password goes again"
    orders, people = sync["catalog"]["streams"]
    top = next(m["metadata"] for m in orders["metadata"] if m["breadcrumb"] == [])
    assert (top["selected"], top["replication-method"], top["replication-key"]) == (
        True,
        "INCREMENTAL",
        "changed",
    )
    assert (
        orders["selected"] and orders["schema"]["selected"] and orders["replication_method"] == "INCREMENTAL"
    )
    assert {tuple(m["breadcrumb"]): m["metadata"]["selected"] for m in orders["metadata"]} == {
        (): True, ("properties", "id"): True, ("properties", "amount"): True, ("properties", "changed"): True, ("properties", "note"): True,
    }  # fmt: skip
    assert not people["selected"] and not any(m["metadata"]["selected"] for m in people["metadata"])


def test_an_old_tap_takes_its_catalog_by_another_name(tmp_path: Path) -> None:
    collect(tap(log_to=str(tmp_path / "log"), said={"catalog_option": "--properties"}), "orders")
    assert "properties" in json.loads((tmp_path / "log").read_text().splitlines()[1])


def test_a_whole_table_keeps_no_state() -> None:
    connector = tap(table={"method": "full"})
    [table] = connector.discover()
    assert (table.cursor, table.deletes) == ("", "unseen")
    got = collect(connector, "orders")
    assert got.end is not None and got.end.state is None and got.column("id") == [1, 2, 3]


def test_rows_that_say_that_they_are_gone() -> None:
    gone = {"id": 2, "_sdc_deleted_at": "2026-01-05T00:00:00Z"}
    back = {**ROWS[0], "note": "back"}
    rows = [*ROWS, {"id": 1, "_sdc_deleted_at": "2026-01-05T00:00:00Z"}, gone, back]
    connector = tap(rows, marks=True)
    assert connector.discover()[0].deletes == "reported"
    seen: list[tuple[str, list[int]]] = []
    for item in connector.changes("orders"):
        if hasattr(item, "keys"):
            seen.append(("gone", item.keys.to_pydict()["id"]))
        elif isinstance(item, Page):
            seen.append(("rows", item.data.to_pydict()["id"]))  # type: ignore[attr-defined]
    assert seen == [("rows", [1, 2, 3]), ("gone", [1, 2]), ("rows", [1])], "in the order in which they came"


@pytest.mark.parametrize("how", ["gzip", "none"])
def test_batches_are_read(how: str) -> None:
    got = collect(tap(batch=how), "orders")
    assert got.column("id") == [1, 2, 3] and got.rows[2]["amount"] == Decimal("3.25")


def test_a_page_goes_on_with_the_state_behind_it() -> None:
    """Rows up to a state are done with; between two states, none is promised."""
    got = collect(tap([], many=24_900, states_every=6_000), "orders")
    assert len(got.rows) == 24_900
    states = [place["state"]["bookmarks"]["orders"].get("at") for place in got.places]
    assert states == [5_999, 11_999, 17_999, 23_999, None]
    assert len({json.dumps(place) for place in got.places}) == 5
    rest = collect(tap(), "orders", Window(), got.places[-1])
    assert (
        rest.rows == [] and rest.end is not None and got.end is not None and rest.end.state == got.end.state
    )


def test_without_a_state_rows_from_before_the_window_are_left_out() -> None:
    got = collect(
        tap(said={"final_state": False}, wrong="no state"), "orders", Window(since=at("2026-01-02"))
    )
    assert got.column("id") == [2, 3] and got.end is not None and got.end.rows == 2


@pytest.mark.parametrize("activates", ["first", "last"])
def test_a_table_that_the_tap_has_begun_anew_is_read_whole(activates: str) -> None:
    first = collect(tap(version=7, activates=activates), "orders")
    assert first.end is not None and first.end.state is not None and first.end.state["version"] == 7
    window = Window(since=at("2026-01-02"), state=first.end.state)
    assert collect(tap(version=7, activates=activates), "orders", window).end is not None
    with pytest.raises(ResumeExpired, match=r"the tap has begun 'orders' anew \(version 8\)"):
        collect(tap(version=8, activates=activates), "orders", window)


def test_a_state_that_is_none() -> None:
    with pytest.raises(ResumeExpired):
        collect(tap(), "orders", Window(state={"link": "x"}))


# --- what taps do wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ("fails at once", Transient, "python ended with 3"),
        ("fails at the end", Transient, "python ended with 1"),
        ("is killed", Transient, "python was ended by signal 9"),
        ("no state", Transient, "the tap has ended without a state behind its last rows of 'orders'"),
        ("exits in the middle", Transient, "the tap has ended without a state behind its last rows of 'orders'"),
        ("fewer than it says", Lost, "the tap says that it has written 4 rows of 'orders', but 3 came"),
        ("ignores the choice", DataError, "the tap has ended without a word about 'orders'"),
        ("no schema", DataError, "the tap wrote a row of 'orders' before its SCHEMA"),
        ("lacks a column", SchemaChanged, "the stream 'orders' comes without note, which its catalog has"),
        ("a broken line", DataError, "the tap wrote a line that is no message: '{\"type\": \"RECORD\", \"stream\": \"orders\", \"rec'"),
        ("a stray line", DataError, "the tap wrote a line that is no message: 'done!'"),
        ("an unknown message", DataError, "the tap wrote a message of the unknown type 'SURPRISE'"),
        ("no row", DataError, "the tap wrote a RECORD of 'orders' without a record"),
        ("a secret in its state", DataError, "the tap writes a secret into its state, which would lie on disk"),
    ],
)  # fmt: skip
def test_what_a_tap_does_wrong(wrong: str, error: type[ConnectorError], message: str) -> None:
    found = fails(tap(wrong=wrong), "orders")
    assert type(found) is error
    assert found.message.replace(Path(sys.executable).name, "python") == message
    assert found.hint


def test_a_state_before_the_last_row_is_no_end() -> None:
    found = fails(tap(wrong="no state", states_every=2), "orders")
    assert found.message == "the tap has ended without a state behind its last rows of 'orders'"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("a cut batch", "the batch batch.jsonl cannot be read whole: EOFError"),
        ("parquet", "the tap writes batches as parquet (gzip), which cannot be read"),
        ("elsewhere", "a batch lies at s3://, and not on this machine"),
    ],
)
def test_what_is_wrong_with_a_batch(wrong: str, message: str) -> None:
    found = fails(tap(wrong=wrong, batch="gzip"), "orders")
    assert isinstance(found, DataError) and found.message == message and found.hint


def test_a_tap_that_fails_is_quoted_without_its_secrets() -> None:
    lines: list[str] = []
    found = fails(tap(wrong="fails at once", context={"log": lines.append}), "orders")
    assert list(found.more) == ["first line", "CRITICAL password *** is wrong"]
    assert CANARY not in "\n".join(lines) and any("first line" in line for line in lines)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("discovery", "the tap cannot tell its tables: python ended with 1"),
        ("no catalog", "what the tap writes with --discover is no catalog"),
    ],
)
def test_a_tap_that_cannot_tell_its_tables(wrong: str, message: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        tap(wrong=wrong).ping()
    assert caught.value.message.replace(Path(sys.executable).name, "python") == message and caught.value.hint
    assert CANARY not in f"{caught.value.more}"


def test_a_tap_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "tap").write_text("no program")
    for command, message in (
        ("tap-nowhere", "there is no program 'tap-nowhere'"),
        ("./tap", "cannot be run"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            source(SingerConnector, {"command": command}, base=tmp_path).ping()
        assert caught.value.setting == ("command",) and caught.value.hint


# --- ends ------------------------------------------------------------------------------------------------------------------


def _there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_tap_that_says_nothing_is_ended() -> None:
    found = fails(tap(wrong="hangs", said={"silence": "1s"}), "orders")
    assert isinstance(found, Transient)
    assert found.message.endswith("has said nothing for 1 seconds, and was ended")


@pytest.mark.parametrize("wrong", ["hangs", "hangs and will not end", "hangs with a child"])
def test_a_tap_and_what_it_started_ends_soon_where_nobody_waits(tmp_path: Path, wrong: str) -> None:
    stopped = threading.Event()
    pids = {"pid": str(tmp_path / "pid"), "child": str(tmp_path / "child")}
    connector = tap(wrong=wrong, context={"cancelled": stopped.is_set}, **pids)
    caught: list[BaseException] = []

    def read() -> None:
        try:
            collect(connector, "orders")
        except BaseException as error:
            caught.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.02)
    began = time.monotonic()
    stopped.set()
    reader.join()
    assert isinstance(caught[0], Cancelled)
    assert time.monotonic() - began < 5
    for file in tmp_path.iterdir():
        assert not _there(int(file.read_text()))


def test_a_tap_ends_where_its_reader_stops() -> None:
    stream = tap([], many=10**9).changes("orders")
    assert isinstance(next(stream), Page)
    with closing(stream):  # type: ignore[arg-type]
        pass


def test_a_fast_tap_waits_for_a_slow_reader() -> None:
    """A million rows to come: after the first page, no more is held than that page and what the pipe holds."""
    import resource

    stream = tap([], many=1_000_000, wide=1_000).changes("orders")
    next(stream)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    time.sleep(0.3)  # it writes as much as it can in the meantime
    for _ in range(3):
        next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 << 10  # kilobytes


def test_what_a_killed_process_has_left_goes_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, young, others = (tmp_path / name for name in ("cadran-tap-left", "cadran-tap-young", "somebodys"))
    for place in (left, young, others):
        place.mkdir()
        (place / "config.json").write_text(CANARY)
    with private.folder({"config.json": "{}"}) as used:
        for place in (left, others, used):
            os.utime(place, (0, 0))
        with private.folder({}):
            assert [place.exists() for place in (left, young, others, used)] == [False, True, True, True]
        assert (used / "config.json").stat().st_mode & 0o777 == 0o600 and used.stat().st_mode & 0o777 == 0o700


# --- small parts -----------------------------------------------------------------------------------------------------------


def test_which_of_a_taps_settings_are_secrets() -> None:
    config = {
        "host": "db.example.com", "password": "p1-canary", "api_key": "k2-canary", "user": "reader", "start_date": dt.date(2026, 1, 1),
        "credentials": {"type": "oauth", "refresh": "r3-canary", "client_secret": "c4"}, "url": "https://me:p5-canary@example.com/x",
        "tokens": ["no"], "auth_token": ["t6-canary"], "filter_schemas": ["public"], "sqlalchemy_url": "postgresql://db/x",
    }  # fmt: skip
    found = set(secrets(config))
    assert found == {
        "p1-canary",
        "k2-canary",
        "r3-canary",
        "c4",
        "p5-canary",
        "t6-canary",
        "postgresql://db/x",
    }


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ('INFO METRIC: {"type": "counter", "metric": "record_count", "value": 3, "tags": {"endpoint": "users"}}', ({"users"}, 3)),
        ('x | METRIC: {"type":"counter","metric":"record_count","value":5,"tags":{"stream":"a-b","pid":1,"context":{}}}', ({"a-b"}, 5)),
        ('METRIC: {"type": "counter", "metric": "http_request_count", "value": 3, "tags": {"endpoint": "users"}}', None),
        ('METRIC: {"type": "timer", "metric": "record_count", "value": 3, "tags": {}}', None),
        ('METRIC: {"metric": "record_count" broken}', None),
        ("record_count is 5", None),
    ],
)  # fmt: skip
def test_what_a_log_says_of_rows(line: str, rows: Any) -> None:
    found = counted(line)
    assert (found and (set(found[0]), found[1])) == rows


def test_a_line_may_be_long_and_come_in_many_pieces(tmp_path: Path) -> None:
    """Put together piece by piece, a row of 30 MB took as long as the square of its length."""
    code = "import sys\nfor part in ('a' * 3_000_000, '\\n', 'b\\n\\nc', 'd' * 70_000):\n    sys.stdout.write(part)\n    sys.stdout.flush()"
    context = Context("shop", {}, tmp_path)
    with Program([sys.executable, "-c", code], context, silence=60, env=environment({})) as program:
        lines = list(program.lines())
        program.check()
    assert lines == [b"a" * 3_000_000, b"b", b"c" + b"d" * 70_000]


def test_what_is_no_catalog_is_quoted_without_its_secrets() -> None:
    with pytest.raises(ConnectorError) as caught:
        tap(wrong="no catalog").ping()
    assert caught.value.hint.startswith("it begins with 'usage: tap [options]")
