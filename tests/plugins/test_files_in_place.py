"""Parquet files of plain types are scanned where they lie, and mean the same as if they had been loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cadran.compute.loading.embedded import Session
from cadran.plugins import Connector, DataError, End, InPlace, Page
from cadran.problems import ProblemsFound
from cadran.project import open as open_project
from cadran_plugins.files import parquet
from cadran_plugins.files.locate import Source, TableFiles
from cadran_plugins.files.options import Options
from plugins.reading import source

DAY, MOMENT = dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, 10)
PLAIN = {
    "whole": pa.array([1, None], pa.int16()),
    "unsigned": pa.array([1, 2], pa.uint64()),
    "amount": pa.array([D("1.50"), None], pa.decimal128(12, 2)),
    "long": pa.array([D("1.5"), D("-1234567890123456789012345.5")], pa.decimal128(38, 1)),
    "share": pa.array([0.5, None], pa.float32()),
    "weight": pa.array([0.5, None], pa.float64()),
    "flag": pa.array([True, None], pa.bool_()),
    "name": pa.array(["é", None], pa.string()),
    "day": pa.array([DAY, None], pa.date32()),
    "local": pa.array([MOMENT, None], pa.timestamp("us")),
    "instant": pa.array([MOMENT, None], pa.timestamp("us", "Europe/Paris")),
}
ODD = {
    "nanoseconds": pa.array([MOMENT], pa.timestamp("ns")),
    "milliseconds": pa.array([MOMENT], pa.timestamp("ms")),
    "duration": pa.array([dt.timedelta(days=1)]),
    "dictionary": pa.array(["a"]).dictionary_encode(),
    "binary": pa.array([b"a"]),
    "list": pa.array([[1]]),
    "record": pa.array([{"a": 1}]),
    "time": pa.array([dt.time(10)]),
    "nothing": pa.nulls(1),
}


def streamed(connector: Connector, table: str) -> list[type]:
    return [type(part) for part in connector.read(table)]


def loaded(parts: Any) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """Types and rows as the engine has them."""
    session = Session("Europe/Paris")
    session.load("s", "t", parts, ())
    session.lock()
    found = session.columns("s", "t"), session._run("SELECT * FROM s.t")
    session.close()
    return found


def test_plain_types_are_left_where_they_lie(tmp_path: Path) -> None:
    pq.write_table(pa.table(PLAIN), tmp_path / "t.parquet")
    connector = source(tmp_path)
    assert streamed(connector, "t") == [InPlace, End]
    in_pages = parquet._pages(
        TableFiles("t", (Source(tmp_path / "t.parquet", "t.parquet"),), "parquet", Options(), ())
    )
    assert loaded(connector.read("t")) == loaded(in_pages)


@pytest.mark.parametrize("name", ODD)
def test_a_column_that_duckdb_reads_otherwise_is_sent_in_pages(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"id": [1], name: ODD[name]}), tmp_path / "t.parquet")
    assert streamed(source(tmp_path), "t") == [Page, Page, End]


def test_files_that_duckdb_wrote(tmp_path: Path) -> None:
    for n in (1, 2):
        duckdb.connect().execute(
            f"COPY (SELECT {n} AS id, DATE '2026-01-31' AS day, 'x' AS name) TO '{tmp_path}/t_{n}.parquet'"
        )
    connector = source(tmp_path, tables={"t": {"path": "t_*.parquet"}})
    assert streamed(connector, "t") == [InPlace, End]
    types, rows = loaded(connector.read("t"))
    assert types == {"id": "INTEGER", "day": "DATE", "name": "VARCHAR"}
    assert sorted(row[0] for row in rows) == [1, 2]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "year=2026"
    folder.mkdir()
    pq.write_table(pa.table({"id": [1]}), folder / "t.parquet")
    connector = source(tmp_path, tables={"t": {"path": "year=*/t.parquet"}})
    assert loaded(connector.read("t")) == ({"id": "BIGINT"}, [(1,)])


def test_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "t[1].parquet")
    pq.write_table(pa.table({"id": [2]}), tmp_path / "t1.parquet")
    connector = source(tmp_path, tables={"t": {"path": "t[1].parquet"}})
    assert streamed(connector, "t") == [Page, Page, End]


def test_columns_that_differ_in_capitals_alone_are_an_error_in_any_case(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "A": [2]}), tmp_path / "t.parquet")
    assert InPlace not in streamed(source(tmp_path), "t")


def test_a_column_without_any_value(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "note": pa.array([None], pa.string())}), tmp_path / "t.parquet")
    session = Session("UTC")
    session.load("s", "t", source(tmp_path).read("t"), ())
    assert session.empty_columns("s", "t") == ["note"]


PROJECT = """\
version: 1
sources: {shop: {connector: files}}
datasets: {orders: {from: shop.orders, key: id, date: day}}
kpis: {revenue: {formula: sum(orders.amount), period: month}}
"""


def shop(folder: Path) -> Path:
    table = pa.table({"id": [1, 2], "day": [DAY, DAY], "amount": [1, 2]})
    pq.write_table(table, folder / "orders.parquet")
    (folder / "kpis.yaml").write_text(PROJECT)
    return folder / "orders.parquet"


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda file: pq.write_table(pq.read_table(file).slice(1), file), "changed"),
        (lambda file: file.unlink(), "was removed"),
    ],
    ids=["changed", "removed"],
)
@pytest.mark.parametrize("at", ["checking the data", "computing revenue"])
def test_a_file_that_does_not_stay_as_it_was(
    tmp_path: Path, act: Callable[[Path], None], what: str, at: str
) -> None:
    file = shop(tmp_path)

    def meanwhile(text: str) -> None:
        if text == at:
            act(file)

    with pytest.raises(ProblemsFound) as caught:
        open_project(tmp_path).run(as_of="2026-03-01", progress=meanwhile)
    (problem,) = caught.value.problems
    assert problem.message == f"orders.parquet {what} while table 'orders' was computed from it"
    assert problem.subject == "sources.shop"
    assert problem.where is not None
    assert problem.where.line == 2


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "t_1.parquet").write_bytes((tmp_path / "orders.parquet").read_bytes())
    (tmp_path / "t_2.parquet").write_bytes(b"PAR1 no more PAR1")
    with pytest.raises(DataError, match=r"t_2.parquet: not a readable Parquet file"):
        list(source(tmp_path, tables={"t": {"path": "t_*.parquet"}}).read("t"))
