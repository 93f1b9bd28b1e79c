"""Sources that are asked side by side: they work at the same time, and nothing of what a run says depends on how fast."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest

import cadran
from cadran.compute.engine import Engine
from cadran.compute.loading.beside import Beside, Errand
from cadran.plugins import (
    Column,
    Connector,
    ConnectorError,
    End,
    Page,
    QueryableConnector,
    QueryRefused,
    Relation,
    Table,
)
from cadran.problems import ProblemsFound
from servers import Server

PATIENCE = 20.0  # seconds; only a failure takes so long


class Meeting:
    """Whoever arrives waits until all are there."""

    def __init__(self, parties: int) -> None:
        self._barrier, self.held = threading.Barrier(parties), 0

    def join(self) -> None:
        self._barrier.wait(PATIENCE)
        self.held += 1


def asked(source: str, *items: object, before: Callable[[], object] = lambda: None) -> Errand:
    """An errand that gives these items, raises those that are errors, and does something before the first."""

    def stream() -> Iterator[object]:
        before()
        for item in items:
            if isinstance(item, Exception):
                raise item
            yield item

    return Errand(source, stream)


def no_cancel(*sources: str) -> dict[str, Callable[[], None]]:
    return {source: lambda: None for source in sources}


# --- side by side -----------------------------------------------------------------------------------------------------


def test_sources_work_at_the_same_time() -> None:
    meeting = Meeting(2)
    errands = {name: asked(name, name, before=meeting.join) for name in ("a", "b")}
    with closing(Beside(errands, no_cancel("a", "b"))) as beside:
        assert [list(beside.stream(name)) for name in ("a", "b")] == [["a"], ["b"]]
    assert meeting.held == 2


def test_a_source_is_asked_one_thing_at_a_time() -> None:
    at_work = threading.Lock()

    def alone() -> Iterator[object]:
        assert at_work.acquire(blocking=False)
        yield threading.current_thread().name
        at_work.release()

    errands = {n: Errand("a", alone) for n in range(20)}
    with closing(Beside(errands, no_cancel("a"))) as beside:
        assert {name for n in errands for name in beside.stream(n)} == {"cadran a"}


def test_a_source_waits_once_many_pages_lie_ready_and_goes_on_when_they_are_taken() -> None:
    sent: list[int] = []

    def pages() -> Iterator[int]:
        for n in range(1000):
            sent.append(n)
            yield n

    with closing(Beside({"x": Errand("a", pages)}, no_cancel("a"))) as beside:
        stream = beside.stream("x")
        assert next(stream) == 0
        assert len(sent) < 50
        assert list(stream) == list(range(1, 1000))


def test_an_answer_that_is_not_read_to_its_end_holds_up_nobody() -> None:
    errands = {"long": asked("a", *range(1000)), "next": asked("a", "n")}
    with closing(Beside(errands, no_cancel("a"), together=False)) as beside:
        assert next(beside.stream("long")) == 0
        assert list(beside.stream("next")) == ["n"]


def test_a_source_that_is_needed_for_another_question_finishes_first() -> None:
    errands = {"long": asked("a", *range(1000)), "next": asked("a", "n")}
    with closing(Beside(errands, no_cancel("a"))) as beside:
        beside.settle("a")
        assert len(list(beside.stream("long"))) == 1000
        assert list(beside.stream("next")) == ["n"]


# --- errors -----------------------------------------------------------------------------------------------------------


def test_the_first_error_of_the_plan_is_raised_whichever_came_first() -> None:
    late = threading.Event()
    errands = {
        "first": asked("a", ConnectorError("of the first"), before=lambda: late.wait(PATIENCE)),
        "second": asked("b", ConnectorError("of the second"), before=late.set),
    }
    with (
        closing(Beside(errands, no_cancel("a", "b"))) as beside,
        pytest.raises(ConnectorError, match="of the first"),
    ):
        list(beside.stream("first"))


def test_one_that_fails_ends_all_that_stand_behind_it() -> None:
    running, cancelled = threading.Event(), threading.Event()

    def until_cancelled() -> None:
        running.set()
        assert cancelled.wait(PATIENCE)

    errands = {
        "fails": asked("a", ConnectorError("no"), before=lambda: running.wait(PATIENCE)),
        "runs": asked("b", "b", before=until_cancelled),
        "never begins": asked("b", before=lambda: pytest.fail("it was asked")),
    }
    with (
        closing(Beside(errands, {"a": lambda: None, "b": cancelled.set})) as beside,
        pytest.raises(ConnectorError, match="no"),
    ):
        list(beside.stream("fails"))
    assert cancelled.is_set()


def test_what_stands_before_it_goes_on() -> None:
    failed = threading.Event()
    errands = {
        "goes on": asked("a", "whole", before=lambda: failed.wait(PATIENCE)),
        "fails": asked("b", ConnectorError("no"), before=failed.set),
    }
    with closing(
        Beside(errands, {"a": lambda: pytest.fail("it was cancelled"), "b": lambda: None})
    ) as beside:
        assert list(beside.stream("goes on")) == ["whole"]
        with pytest.raises(ConnectorError, match="no"):
            list(beside.stream("fails"))


def test_a_refusal_ends_nobody_else() -> None:
    errands = {"refused": asked("a", QueryRefused("no")), "next": asked("a", "n"), "other": asked("b", "o")}
    with closing(Beside(errands, no_cancel("a", "b"))) as beside:
        with pytest.raises(QueryRefused):
            list(beside.stream("refused"))
        assert [*beside.stream("next"), *beside.stream("other")] == ["n", "o"]


def test_finishing_lets_what_runs_end_by_itself_and_begins_nothing_more() -> None:
    running, go_on = threading.Event(), threading.Event()

    def until_told() -> None:
        running.set()
        assert go_on.wait(PATIENCE)

    errands = {
        "runs": asked("a", before=until_told),
        "never begins": asked("a", before=lambda: pytest.fail("it was asked")),
    }
    beside = Beside(errands, {"a": lambda: pytest.fail("it was cancelled")})
    assert running.wait(PATIENCE)
    threading.Timer(0.05, go_on.set).start()
    beside.finish()
    beside.close()
    assert go_on.is_set()


def test_closing_ends_what_still_runs() -> None:
    cancelled = threading.Event()
    beside = Beside({"x": asked("a", before=lambda: cancelled.wait(PATIENCE))}, {"a": cancelled.set})
    beside.close()
    assert not [t for t in threading.enumerate() if t.name == "cadran a"]


# --- a run over several sources ---------------------------------------------------------------------------------------

KPIS = """\
version: 1
sources:
  shop: {connector: made, rows: 3}
  web: {connector: made, rows: 5}
  files: {connector: files, path: data}
datasets:
  orders: {from: shop.orders, key: id, date: day}
  visits: {from: web.orders, key: id, date: day}
  costs: {from: files.costs, key: id, date: day}
kpis:
  orders: {formula: count(orders), period: month}
  visits: {formula: count(visits), period: month}
  costs: {formula: sum(costs.amount), period: month}
"""
TYPES = {"id": "BIGINT", "day": "DATE", "amount": "BIGINT"}


class Made(QueryableConnector):
    """So many orders of January, in a DuckDB of its own, which it is also asked in."""

    dialect = "duckdb"
    product = "DuckDB"
    beside: ClassVar[
        Callable[[str], None]
    ]  # called with the source's name by each question asked in a thread
    config_schema: ClassVar[dict[str, Any]] = {"properties": {"rows": {"type": "integer"}}}
    cancelled: ClassVar[list[str]]

    def discover(self) -> Sequence[Table]:
        return [Table("orders", tuple(Column(c, t) for c, t in TYPES.items()))]

    def relation(self, table: str) -> Relation:
        columns = "i AS id, DATE '2026-01-01' + i::INTEGER AS day, 1::BIGINT AS amount"
        return Relation(select=f"SELECT {columns} FROM range({self.context.config['rows']}) t(i)")

    def read(self, table: str) -> Iterator[Page | End]:
        return self.query(self.relation(table).select)

    def pull(self, table: str, columns: Sequence[str], where: str = "") -> Iterator[Page | End]:
        rows = f"({self.relation(table).select})"
        return self.query(f"SELECT {', '.join(columns)} FROM {rows} {f'WHERE {where}' if where else ''}")

    def query(self, sql: str) -> Iterator[Page | End]:
        if threading.current_thread() is not threading.main_thread():
            type(self).beside(self.context.source)
        with duckdb.connect() as database:
            found: pa.Table = database.sql(sql).to_arrow_table()
        yield Page(found)
        yield End(found.num_rows)

    def cancel(self) -> None:
        self.cancelled.append(self.context.source)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., cadran.Project]:
    """A project over two made sources and a file, and what a made one does when it is asked in a thread."""

    def made(beside: Callable[[str], None], text: str = KPIS, connector: Any = Made) -> cadran.Project:
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "costs.csv").write_text("id,day,amount\n1,2026-01-05,2.50\n")
        (tmp_path / "kpis.yaml").write_text(text)
        project = cadran.open(tmp_path, environ={})
        kind = type("Made", (connector,), {"beside": staticmethod(beside), "cancelled": []})
        known, schema = project.plugins.connector, project.plugins.config_schema
        monkeypatch.setattr(project.plugins, "connector", lambda n: kind if n == "made" else known(n))
        monkeypatch.setattr(project.plugins, "config_schema", lambda n, k: kind.config_schema if n == "made" else schema(n, k))  # fmt: skip
        return project

    return made


def january(project: cadran.Project, **how: Any) -> dict[str, str]:
    results = project.run(as_of=dt.date(2026, 2, 1), until=dt.date(2026, 1, 1), full=True, **how)
    return {row.kpi: str(row.value) for row in results}


FIGURES = {"orders": "3", "visits": "5", "costs": "2.50"}


def test_two_sources_are_examined_and_scanned_at_the_same_time(opened: Callable[..., cadran.Project]) -> None:
    meeting = Meeting(2)
    held: list[int] = []

    def progress(text: str) -> None:
        if text.startswith("scanning"):
            held.append(meeting.held)

    assert january(opened(lambda _: meeting.join()), progress=progress) == FIGURES
    assert (held[0], meeting.held) == (4, 6)  # rows and keys of both, then a scan of both


def test_scans_here_go_on_while_sources_work(
    opened: Callable[..., cadran.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "sharing", False)
    examined, begun = threading.Event(), threading.Event()
    waited: list[bool] = []

    def progress(text: str) -> None:
        (begun if text.startswith("scanning costs") else examined).set() if "scanning" in text else None

    def work(_: str) -> None:
        if examined.is_set():
            waited.append(begun.wait(PATIENCE))

    assert january(opened(work), progress=progress) == FIGURES
    assert waited == [True, True]


def test_nothing_is_asked_twice(opened: Callable[..., cadran.Project]) -> None:
    asked: list[tuple[str, str]] = []

    class Noting(Made):
        def query(self, sql: str) -> Iterator[Page | End]:
            asked.append((self.context.source, sql))
            yield from super().query(sql)

    assert january(opened(lambda _: None, connector=Noting)) == FIGURES
    assert len(asked) == len(set(asked)) == 6


@pytest.mark.parametrize("first", ["shop", "web"])
def test_what_a_run_says_does_not_depend_on_who_is_first(
    opened: Callable[..., cadran.Project], first: str
) -> None:
    def in_turn(source: str) -> None:
        if source != first:
            assert done.wait(PATIENCE)
        else:
            done.set()

    done = threading.Event()
    text = opened(in_turn).explain("orders", as_of=dt.date(2026, 2, 1))
    both = KPIS.replace("count(orders), p", "count(orders) / count(visits), p")
    done.clear()
    explained = opened(in_turn, both).explain("orders", as_of=dt.date(2026, 2, 1))
    assert explained.index("-- runs at shop") < explained.index("-- runs at web")
    assert "-- runs at shop" in text


def test_the_error_of_one_source_ends_the_other(opened: Callable[..., cadran.Project]) -> None:
    at_work = threading.Event()

    def work(source: str) -> None:
        if source == "shop":
            assert at_work.wait(PATIENCE)
            raise ConnectorError("the connection was lost")
        at_work.set()

    project = opened(work)
    with pytest.raises(ProblemsFound) as found:
        january(project)
    assert [str(p) for p in found.value.problems] == ["kpis.yaml:3:9: sources.shop: the connection was lost"]
    assert not [t for t in threading.enumerate() if t.name.startswith("cadran ")]


def test_rows_are_pulled_from_two_sources_at_the_same_time(opened: Callable[..., cadran.Project]) -> None:
    meeting = Meeting(2)
    pulled = type("Pulled", (Made,), {"pushdown": "off"})
    both = KPIS.replace("count(orders), p", "sum(orders.amount) / sum(visits.amount), p")
    assert january(opened(lambda _: meeting.join(), both, pulled))["orders"] == "0.6"
    assert meeting.held == 2


# --- loading ----------------------------------------------------------------------------------------------------------


class Served(Connector):
    """A server that answers no SQL: its tables are loaded."""

    remote = True
    beside: ClassVar[Callable[[str], None]]
    cancelled: ClassVar[list[str]]
    config_schema: ClassVar[dict[str, Any]] = {"properties": {"rows": {"type": "integer"}}}

    def discover(self) -> Sequence[Table]:
        return [Table("orders", tuple(Column(c, t) for c, t in TYPES.items()))]

    def read(self, table: str) -> Iterator[Page | End]:
        assert table == "orders"
        self.beside(self.context.source)
        days = [dt.date(2026, 1, 1 + n) for n in range(self.context.config["rows"])]
        numbers = pa.array(range(len(days)), pa.int64())
        data = pa.table({"id": numbers, "day": days, "amount": numbers})
        yield Page(data.to_reader())  # as a stream
        yield End(data.num_rows)


def test_servers_are_read_at_the_same_time(opened: Callable[..., cadran.Project]) -> None:
    meeting = Meeting(2)
    assert january(opened(lambda _: meeting.join(), KPIS, Served)) == FIGURES
    assert meeting.held == 2


def test_what_all_of_them_could_not_do_is_said_in_the_order_of_the_tables(
    opened: Callable[..., cadran.Project],
) -> None:
    web_is_done = threading.Event()

    def fail(source: str) -> None:
        if source == "shop":
            assert web_is_done.wait(PATIENCE)
        web_is_done.set()
        raise ConnectorError(f"{source} is out of order")

    with pytest.raises(ProblemsFound) as found:
        january(opened(fail, KPIS, Served))
    assert [p.message for p in found.value.problems] == ["shop is out of order", "web is out of order"]


# --- real servers -----------------------------------------------------------------------------------------------------


def over(postgres: Server, mariadb: Server, folder: Path) -> cadran.Project:
    """The project with orders in PostgreSQL, visits in MariaDB, and costs in a file."""
    (folder / "data").mkdir()
    (folder / "data" / "costs.csv").write_text("id,day,amount\n1,2026-01-05,2.50\n")
    text = KPIS.replace("{connector: made, rows: 3}", f"{{connector: sql, url: '{postgres.url}'}}")
    text = text.replace("{connector: made, rows: 5}", f"{{connector: sql, url: '{mariadb.url}'}}")
    (folder / "kpis.yaml").write_text(text)
    return cadran.open(folder, environ={})


def eventually_closed(*servers: Server) -> bool:
    """A server takes a moment to notice."""
    for _ in range(200):
        if not any(server.connections() for server in servers):
            return True
        time.sleep(0.02)
    return False


def test_postgresql_and_mariadb_beside_files(postgres: Server, mariadb: Server, tmp_path: Path) -> None:
    for server in (postgres, mariadb):
        server.run("create table orders (id int primary key, day date)")
        server.run("insert into orders values (1, '2026-01-05'), (2, '2026-01-31'), (3, '2026-02-01')")
    project = over(postgres, mariadb, tmp_path)
    assert january(project) == {"orders": "2", "visits": "2", "costs": "2.50"}
    assert "-- runs at shop" in project.explain("orders", as_of=dt.date(2026, 2, 1))
    assert eventually_closed(postgres, mariadb)


def test_a_server_need_not_finish_for_a_run_that_has_failed(
    postgres: Server, mariadb: Server, tmp_path: Path
) -> None:
    postgres.run(
        "create view orders as select 1 as id, ('2026-02-' || (30 + random() * 0)::int)::date as day"
    )
    mariadb.run(
        "create table slow as select seq as id, date '2026-01-05' as day from seq_1_to_60",
        "create view orders as select * from slow where sleep(1) = 0",  # a minute
    )
    started = time.monotonic()
    with pytest.raises(ProblemsFound, match=r"sources\.shop"):
        january(over(postgres, mariadb, tmp_path))
    assert time.monotonic() - started < 30
    assert eventually_closed(postgres, mariadb)
