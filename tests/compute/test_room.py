"""``compute:``, what a run may use of the machine: it keeps to that, spills to disk, and says which setting to raise."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

import cadran
from cadran.compute.loading.embedded import OutOfRoom, Session
from cadran.plugins import DataError
from cadran.problems import ProblemsFound
from cadran_plugins.files.workroom import Workroom

CUSTOMERS, ORDERS = 300_000, 900_000
KPIS = """
version: 1
sources: {files: {connector: files, path: data}}
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis:
  customers: {formula: count(distinct orders.customer), period: [month, quarter]}
  largest: {formula: "count_having(orders.customer, sum(orders.amount) >= 200)", period: quarter}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More different customers than fit into the least memory."""
    folder = tmp_path_factory.mktemp("orders") / "data"
    folder.mkdir()
    duckdb.sql(
        f"""COPY (SELECT i AS id, DATE '2026-01-01' + (i % 90)::INTEGER AS day, i % 100 AS amount,
        md5((i % {CUSTOMERS})::VARCHAR) AS customer FROM range({ORDERS}) t(i)) TO '{folder / "orders.parquet"}'"""
    )
    return folder


def project(folder: Path, data: Path, compute: str = "") -> cadran.Project:
    (folder / "data").symlink_to(data)
    (folder / "kpis.yaml").write_text(f"{KPIS}allow_paths: ['{data}']\n{compute}")
    return cadran.open(folder, environ={})


def values(opened: cadran.Project) -> dict[tuple[str, str], Any]:
    return {(row.kpi, row.period): row.value for row in opened.run(as_of=dt.date(2026, 4, 1), full=True)}


@contextmanager
def watched(folder: Path) -> Iterator[set[str]]:
    """The names of the files that lie in a folder at any time, as far as a look every few milliseconds shows."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.003):
            if folder.is_dir():
                seen.update(path.name for path in folder.iterdir())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


# --- spilling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", ", spill: scratch/deep"])
def test_what_does_not_fit_into_memory_is_spilled_and_the_numbers_are_the_same(
    tmp_path: Path, data: Path, where: str
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    expected = values(project(tmp_path / "one", data))
    folder = tmp_path / "two"
    small = project(folder, data, f"compute: {{memory: 64 MB, threads: 2{where}}}")
    with watched(folder / ("scratch/deep" if where else ".cadran") / "spill") as seen:
        assert values(small) == expected
    assert any(name.endswith(".tmp") for name in seen)
    assert expected["customers", "2026-Q1"] == CUSTOMERS


def test_nothing_is_left_of_it(tmp_path: Path, data: Path) -> None:
    opened = project(tmp_path, data, "compute: {memory: 64 MB, threads: 2, spill: scratch/deep}")
    assert opened.explain("customers", as_of=dt.date(2026, 4, 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "kpis.yaml"]


def test_a_folder_that_a_killed_run_has_left_goes(tmp_path: Path, data: Path) -> None:
    opened = project(tmp_path, data, "compute: {memory: 64 MB, threads: 2, spill: scratch}")
    (tmp_path / "scratch" / "spill").mkdir(parents=True)
    assert opened.explain("customers", as_of=dt.date(2026, 4, 1))
    assert (tmp_path / "scratch").is_dir() and not (tmp_path / "scratch" / "spill").exists()


def test_a_project_that_cannot_be_written_to_spills_to_where_temporary_files_go(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    opened = project(tmp_path, data, "compute: {memory: 64 MB, threads: 2}")
    (tmp_path / ".cadran").write_text("a file, where a folder should be")
    with watched(temporary) as seen:
        assert opened.explain("customers", as_of=dt.date(2026, 4, 1))
    assert len(seen) == 1 and not list(temporary.iterdir())


# --- when room runs out -----------------------------------------------------------------------------------------------


def problem(opened: cadran.Project) -> str:
    with pytest.raises(ProblemsFound) as found:
        opened.run(as_of=dt.date(2026, 4, 1))
    (one,) = found.value.problems
    return str(one)


def test_too_little_memory_names_the_setting(tmp_path: Path, data: Path) -> None:
    said = problem(project(tmp_path, data, "compute:\n  memory: 64 MB\n  threads: 2\n  spill: off"))
    assert said == (
        "kpis.yaml:10:11: compute: the 64 MB of memory that computing may use do not suffice; "
        "raise 'compute: {memory: …}', or lower 'threads', each of which needs some of it; "
        "or let rows be spilled to disk: drop 'spill: off'"
    )


def test_a_full_disk_names_the_setting(tmp_path: Path, data: Path) -> None:
    said = problem(project(tmp_path, data, "compute:\n  memory: 64 MB\n  spill_limit: 1 MB"))
    assert said == (
        "kpis.yaml:11:16: compute: the 1 MB that may be spilled to disk are used up; "
        "raise 'compute: {spill_limit: …}', or 'memory'"
    )


def test_a_folder_that_cannot_be_used_is_said_before_anything_is_computed(tmp_path: Path, data: Path) -> None:
    (tmp_path / "scratch").write_text("a file")
    said = problem(project(tmp_path, data, "compute: {spill: scratch/deep}"))
    assert said.startswith("kpis.yaml:9:18: compute: nothing can be spilled to scratch/deep: Not a directory")


# --- the settings arrive ----------------------------------------------------------------------------------------------


def test_duckdb_has_the_settings(tmp_path: Path) -> None:
    settings = {"memory_limit": "64 MiB", "threads": "3", "temp_directory": str(tmp_path / "it's")}
    session = Session("UTC", settings=settings)
    try:
        asked = "SELECT " + ", ".join(f"current_setting('{name}')" for name in settings)
        assert session._connection.execute(asked).fetchall() == [("64.0 MiB", 3, str(tmp_path / "it's"))]
        session.lock()
        with pytest.raises(OutOfRoom):
            session._run("SELECT string_agg(i::VARCHAR, ',' ORDER BY i) FROM range(20000000) t(i)")
    finally:
        session.close()


def test_a_reader_of_files_has_them_as_well() -> None:
    room = Workroom("64 MB", 3)
    asked = "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory')"
    with room.table("orders") as con, room.table("lines") as other:
        [(*settings, folder)] = con.execute(asked).fetchall()
        assert settings == ["61.0 MiB", 3]
        con.execute("CREATE TEMP TABLE raw AS SELECT 1 AS id")
        with pytest.raises(duckdb.CatalogException):  # each table has its own
            other.execute("FROM raw")
    assert Path(folder).is_dir()
    room.close()
    assert not Path(folder).exists()


def test_a_reader_that_lacks_memory_names_the_table_and_the_setting() -> None:
    with (
        pytest.raises(DataError, match=r"^table 'orders': reading it takes more than the 64 MB ") as found,
        closing(Workroom("64 MB", 1)) as room,
        room.table("orders") as con,
    ):
        con.execute("SELECT string_agg(i::VARCHAR, ',' ORDER BY i) FROM range(20000000) t(i)")
    assert found.value.hint.startswith("raise 'compute: {memory: …}'")


def test_a_duckdb_file_that_is_a_source_has_them_as_well(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as made:
        made.execute("CREATE VIEW orders AS SELECT 1 AS id, current_setting('threads')::INTEGER AS threads")
    (tmp_path / "kpis.yaml").write_text(
        "version: 1\ncompute: {threads: 3}\nsources: {wh: {connector: sql, url: 'duckdb:///shop.duckdb'}}\n"
        "datasets: {orders: {from: wh.orders, key: id}}\nkpis: {threads: {formula: sum(orders.threads), period: all}}\n"
    )
    (row,) = cadran.open(tmp_path, environ={}).run(as_of=dt.date(2026, 4, 1))
    assert row.value == 3
