"""What a run says that it read of its sources: rows and bytes, by statement and in all."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.compute.results import Scanned
from cadran.publish.scanned import in_all
from servers import Server

ROWS = 20_000
KPIS = """\
version: 1
sources: {files: {connector: files, path: data}}
datasets:
  orders: {from: files.orders, date: day}
  costs: {from: files.costs, date: day}
kpis:
  amount: {formula: sum(orders.amount), period: month}
  spent: {formula: sum(costs.amount), period: month}
"""
CLOCK = dt.date(2026, 2, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Orders in a Parquet file, with a wide column that no KPI needs; costs in a CSV file."""
    data = tmp_path / "data"
    data.mkdir()
    duckdb.sql(
        f"""COPY (SELECT DATE '2026-01-01' + (i % 31)::INTEGER AS day, i AS amount, hash(i)::HUGEINT AS wide
        FROM range({ROWS}) t(i)) TO '{data / "orders.parquet"}'"""
    )
    (data / "costs.csv").write_text("day,amount\n2026-01-05,2\n2026-01-06,3\n")
    (tmp_path / "kpis.yaml").write_text(KPIS)
    return tmp_path


def scanned(folder: Path, *kpis: str) -> Sequence[Scanned]:
    return cadran.open(folder, environ={}).run(kpis, as_of=CLOCK, full=True, counting=True).scanned


def chunks(folder: Path, *columns: str) -> int:
    """The compressed size of columns, as the file's footer has it."""
    file = folder / "data" / "orders.parquet"
    listed = ", ".join(f"'{c}'" for c in columns)
    asked = f"SELECT sum(total_compressed_size) FROM parquet_metadata('{file}') WHERE path_in_schema IN ({listed})"
    return int(duckdb.sql(asked).fetchall()[0][0])


def test_of_parquet_files_the_columns_that_are_needed_are_read(folder: Path) -> None:
    (found,) = scanned(folder, "amount")
    passes = math.ceil(found.rows / ROWS)
    assert found.source == "files" and found.came == 0
    assert passes >= 1  # the scan; the examination may do with what the file states
    assert chunks(folder, "day", "amount") <= found.bytes <= passes * chunks(folder, "day", "amount")
    assert found.bytes < chunks(folder, "wide")


def test_of_loaded_tables_rows_are_counted_as_they_come_and_as_they_are_read(folder: Path) -> None:
    (found,) = scanned(folder, "spent")
    assert (found.came, found.bytes) == (2, 0)
    assert found.rows >= 2


def test_what_an_earlier_run_has_kept_is_not_read_again(folder: Path) -> None:
    project = cadran.open(folder, environ={})
    (first,) = project.run(["amount"], as_of=CLOCK, counting=True).scanned
    later = project.run(["amount"], as_of=CLOCK, counting=True).scanned
    assert sum(s.rows for s in later) < first.rows


def test_nothing_is_counted_unless_it_is_asked_for(folder: Path) -> None:
    results = cadran.open(folder, environ={}).run(as_of=CLOCK, full=True)
    assert [(s.came, s.rows, s.bytes) for s in results.scanned] == [(2, 0, 0)]


def test_explain_says_it_of_each_statement(folder: Path) -> None:
    text = cadran.open(folder, environ={}).explain("amount", as_of=CLOCK, analyze=True)
    assert re.search(
        rf"^\S+ +here +\S+ +\S+ +{ROWS:,} +{chunks(folder, 'day', 'amount'):,}$", text, re.MULTILINE
    )
    assert re.search(
        r"^in all, with the examination of the data: files [\d,]+ rows read \(.* kB\)$", text, re.MULTILINE
    )


def test_verbose_runs_say_it_in_one_line(folder: Path) -> None:
    done = CliRunner().invoke(
        cli, ["-C", str(folder), "run", "--as-of", "2026-02-01", "--format", "csv", "--verbose"]
    )
    assert done.exit_code == 0
    assert re.fullmatch(r"scanned: files 2 rows came, [\d,]+ rows read \([\d.]+ kB\)\n", done.stderr)
    assert "scanned" not in done.stdout


def test_a_database_sends_what_it_has_computed(postgres: Server, tmp_path: Path) -> None:
    postgres.run("create table orders (day date, amount int, note text)")
    postgres.run(
        "insert into orders select date '2026-01-01' + i % 31, i, 'x' from generate_series(1, 1000) i"
    )
    text = KPIS.replace("files.orders", "wh.orders").replace("sources: {", f"sources: {{wh: {{connector: sql, url: '{postgres.url}'}}, ")  # fmt: skip
    (tmp_path / "kpis.yaml").write_text(text.replace("  costs: {from: files.costs, date: day}\n", "").replace("  spent: {formula: sum(costs.amount), period: month}\n", ""))  # fmt: skip
    (tmp_path / "data").mkdir()
    (found,) = scanned(tmp_path)
    assert found.source == "wh" and 0 < found.came < 20 and found.bytes_came > 0
    assert (found.rows, found.bytes) == (0, 0)
    (tmp_path / "kpis.yaml").write_text((tmp_path / "kpis.yaml").read_text().replace("connector: sql", "connector: sql, pushdown: off"))  # fmt: skip
    (pulled,) = scanned(tmp_path)
    assert pulled.came >= 1000 and pulled.rows >= 1000


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "nothing"),
        ([Scanned("files")], "nothing"),
        ([Scanned("files", rows=1200, bytes=3_400_000)], "files 1,200 rows read (3.4 MB)"),
        ([Scanned("wh", came=36, bytes_came=999)], "wh 36 rows came (999 B)"),
        ([Scanned("a", came=1), Scanned("b", 2, 2_000, 3, 4_000)], "a 1 rows came · b 3 rows came (4.0 kB), 2 rows read (2.0 kB)"),
    ],
)  # fmt: skip
def test_the_line(found: Sequence[Scanned], said: str) -> None:
    assert in_all(found) == said
