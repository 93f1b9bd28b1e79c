"""Sources that cannot tell what has changed: a column that does, a promise that nothing does, or a compromise."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import cadran
from cadran.compute.results import Results
from cadran.plugins import Column, Connector, End, Page, Table
from cadran.plugins.manager import PluginManager
from cli.user import call
from keeping.shop import made, months, passing, taken

FINAL = (1, 2, 3)
CLOCK = dt.date(2026, 4, 15)
LONG_AGO = "2026-04-01 10:00:00"
COLUMNS = ("id", "day", "amount", "updated_at")
YAML = """\
version: 1
sources:
  shop: {source}
datasets:
  orders: {{from: shop.orders, key: id, date: day{more}}}
kpis:
  revenue: {{formula: sum(orders.amount), period: month}}
  biggest: {{formula: max(orders.amount), period: month}}
"""


class Rows(Connector):
    """Rows of a SQLite file, pulled as they are; it cannot tell what has changed."""

    def discover(self) -> Sequence[Table]:
        return [Table("orders", tuple(Column(c) for c in COLUMNS))]

    def read(self, table: str) -> Iterator[Page | End]:
        rows = _rows(self.context.base / "shop.db")
        columns = {
            "id": pa.array([r[0] for r in rows], pa.int64()),
            "day": pa.array([dt.date.fromisoformat(r[1]) for r in rows], pa.date32()),
            "amount": pa.array([Decimal(r[2]) for r in rows], pa.decimal128(12, 2)),
            "updated_at": pa.array(
                [r[3] and dt.datetime.fromisoformat(r[3]) for r in rows], pa.timestamp("us")
            ),
        }
        yield Page(pa.table(columns))
        yield End(len(rows))


class Plugins(PluginManager):
    """The installed plugins, and this connector."""

    def _find(self, kind: str, name: str) -> Any:
        return Rows if name == "rows" else super()._find(kind, name)  # type: ignore[arg-type]


def _rows(file: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as con:
        return con.execute(
            "SELECT id, day, CAST(amount AS TEXT), updated_at FROM orders ORDER BY id"
        ).fetchall()


class Shop:
    def __init__(self, folder: Path, connector: str) -> None:
        self.folder, self.connector = folder, connector
        self.tell(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, day DATE, amount DECIMAL(12,2), updated_at TIMESTAMP)"
        )
        for month in (1, 2, 3, 4):
            for n in range(3):
                self.add(10 * month + n, f"2026-{month:02}-{1 + 4 * n:02}", 10 * month + n)

    def tell(self, sql: str, *values: Any) -> None:
        with sqlite3.connect(self.folder / "shop.db") as con:
            con.execute(sql, values)
        con.close()

    def add(self, number: int, day: str, amount: int, changed: str | None = LONG_AGO) -> None:
        self.tell("INSERT INTO orders VALUES (?, ?, ?, ?)", number, day, amount, changed)

    def declare(self, more: str = "") -> None:
        source = (
            "{connector: rows}" if self.connector == "rows" else '{connector: sql, url: "sqlite:///shop.db"}'
        )
        text = YAML.format(source=source, more=f", {more}" if more else "")
        (self.folder / "kpis.yaml").write_text(text, encoding="utf-8")

    def run(self, as_of: Any = CLOCK, **more: Any) -> Results:
        project = cadran.open(self.folder, environ={})
        project._plugins = Plugins({})
        return project.run(as_of=as_of, since=dt.date(2026, 1, 1), **more)

    def made(self, **more: Any) -> set[str]:
        return made(self.run(**more))


@pytest.fixture(params=["rows", "sql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return Shop(tmp_path, request.param)


def every() -> set[str]:
    return months("revenue", *FINAL) | months("biggest", *FINAL)


def test_without_a_word_everything_is_computed_in_each_run(shop: Shop) -> None:
    shop.declare()
    shop.run()
    again = shop.run()
    assert not taken(again)
    assert passing(again) >= every()


def test_a_column_of_changes_tells_which_months_were_touched(shop: Shop) -> None:
    shop.declare("changed: updated_at")
    assert shop.made() == every()
    assert not shop.made()
    shop.tell("UPDATE orders SET amount = 1000, updated_at = '2026-04-10 12:00:00' WHERE id = 21")
    after = shop.run()
    assert made(after) == months("revenue", 2) | months("biggest", 2)
    assert {r.period: r.value for r in after if r.kpi == "biggest"}["2026-02"] == 1000
    shop.tell("DELETE FROM orders WHERE id = 31")
    assert shop.made() == months("revenue", 3) | months("biggest", 3)
    shop.add(99, "2026-01-31", 5, "2026-04-11 09:00:00")
    assert shop.made() == months("revenue", 1) | months("biggest", 1)
    shop.tell("UPDATE orders SET day = '2026-03-30', updated_at = '2026-04-12' WHERE id = 99")
    assert shop.made() == every() - months("revenue", 2) - months("biggest", 2)


def test_a_new_day_touches_nothing_that_is_over(shop: Shop) -> None:
    shop.declare("changed: updated_at")
    shop.run()
    shop.add(98, "2026-04-15", 5, "2026-04-15 09:00:00")
    assert not shop.made(as_of=dt.date(2026, 4, 16))


def test_a_month_that_was_changed_within_a_day_is_not_kept_yet(shop: Shop) -> None:
    shop.declare("changed: updated_at")
    shop.run()
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    shop.tell("UPDATE orders SET amount = 7, updated_at = ? WHERE id = 21", now)
    assert passing(shop.run()) >= months("revenue", 2)
    assert taken(shop.run()) >= months("revenue", 1, 3)


def test_a_row_that_takes_anothers_place_with_its_time_has_another_key(shop: Shop) -> None:
    shop.declare("changed: updated_at")
    shop.run()
    shop.tell("DELETE FROM orders WHERE id = 11")
    shop.add(19, "2026-01-20", 500)
    assert shop.made() == months("revenue", 1) | months("biggest", 1)


def test_what_cannot_tell_of_changes_is_said_with_the_data(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.tell("ALTER TABLE orders ADD COLUMN state TEXT")
    shop.declare("changed: state")
    (problem,) = cadran.open(tmp_path, environ={}).check_data()
    assert problem.code == "changed-type" and problem.severity == "warning" and problem.where is not None


def test_a_row_without_a_stamp_may_have_changed(shop: Shop) -> None:
    shop.declare("changed: updated_at")
    shop.tell("UPDATE orders SET updated_at = NULL WHERE id = 21")
    shop.run()
    assert passing(shop.run()) >= months("revenue", 2)


def test_rising_numbers_tell_of_changes_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.tell("ALTER TABLE orders ADD COLUMN version INTEGER")
    shop.tell("UPDATE orders SET version = id")
    shop.declare("changed: version")
    assert shop.made() == every()
    assert not shop.made()
    shop.tell("UPDATE orders SET amount = 8, version = 15 WHERE id = 10")  # not the highest of its month
    shop.tell("UPDATE orders SET version = 16 WHERE id = 11")
    assert shop.made() == months("revenue", 1) | months("biggest", 1)


def test_a_column_of_text_tells_of_nothing_and_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.tell("ALTER TABLE orders ADD COLUMN editor TEXT")
    shop.tell("UPDATE orders SET editor = 'ann'")
    shop.declare("changed: editor")
    shop.run()
    again = shop.run()
    assert not taken(again)
    (warning,) = [w for w in again.warnings if w.code == "changed-type"]
    assert warning.message == "'editor' holds VARCHAR, and changes are told by times or rising numbers"
    assert warning.where is not None


def test_what_never_changes_is_kept(shop: Shop) -> None:
    shop.declare("immutable: true")
    assert shop.made() == every()
    shop.tell("UPDATE orders SET amount = 1000 WHERE id = 21")  # against the promise
    assert not shop.made()
    assert shop.made(full=True) == every()


def test_new_rows_of_what_never_changes_count_where_any_row_may_matter(shop: Shop) -> None:
    shop.declare("immutable: true, columns: {of_all: sum(amount) over ()}")
    text = (shop.folder / "kpis.yaml").read_text(encoding="utf-8")
    (shop.folder / "kpis.yaml").write_text(
        text.replace("max(orders.amount)", "max(orders.of_all)"), encoding="utf-8"
    )
    shop.run()
    assert not shop.made()
    shop.add(98, "2026-04-14", 5)
    assert shop.made() == months("biggest", *FINAL)


def test_a_compromise_looks_back_so_far_and_every_output_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.declare("restate: 30 days")
    assert shop.made() == months("revenue", 1, 2) | months("biggest", 1, 2)  # March ended 15 days ago
    shop.tell("UPDATE orders SET amount = 1000 WHERE id = 21")
    shop.tell("UPDATE orders SET amount = 2000 WHERE id = 31")
    after = shop.run()
    assert not made(after)
    assert {r.period: r.value for r in after if r.kpi == "biggest"} | {} == {
        "2026-01": 12, "2026-02": 22, "2026-03": 2000, "2026-04": 42,
    }  # fmt: skip
    assert {(n.kpi, n.kind, n.dataset, n.since) for n in after.notes} == {
        (kpi, "restate", "orders", dt.date(2026, 3, 16)) for kpi in ("revenue", "biggest")
    }
    assert not shop.run(full=True).notes, "all rows were looked at"
    shop.tell("UPDATE orders SET amount = 3000 WHERE id = 31")
    said = "rows of orders that changed in periods which ended before"
    for kind in ("table", "csv", "json", "markdown", "html"):
        assert said in call(tmp_path, "run", "--as-of", "2026-04-15", "--format", kind).all, kind
    notes = json.loads(call(tmp_path, "run", "--as-of", "2026-04-15", "--format", "json").out)["notes"]
    assert [n["since"] for n in notes] == ["2026-03-16"] * 2
    assert said in call(tmp_path, "explain", "revenue", "--as-of", "2026-04-15").out


def test_a_compromise_of_a_later_clock_is_not_an_earlier_ones(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.declare("restate: 30 days")
    shop.run()
    shop.tell("UPDATE orders SET amount = 1000 WHERE id = 11")
    early = shop.run(as_of=dt.date(2026, 3, 10))
    assert passing(early) >= months("biggest", 1)
    assert {r.period: r.value for r in early if r.kpi == "biggest"}["2026-01"] == 1000
    assert {r.period: r.value for r in shop.run() if r.kpi == "biggest"}["2026-01"] == 12


def test_another_database_is_other_data(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "sql")
    shop.declare("immutable: true")
    text = (tmp_path / "kpis.yaml").read_text(encoding="utf-8").replace("sqlite:///shop.db", "${SHOP}")
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    Shop(other, "sql").tell("UPDATE orders SET amount = 1")

    def found(database: str) -> set[str]:
        project = cadran.open(tmp_path, environ={"SHOP": f"sqlite:///{database}"})
        return made(project.run(as_of=CLOCK, since=dt.date(2026, 1, 1)))

    assert found("shop.db") == every()
    assert not found("shop.db")
    assert found("other/shop.db") == every()
    assert not found("shop.db")
    assert "shop.db" not in "".join(p.read_text("latin-1") for p in (tmp_path / ".cadran" / "kept").iterdir())
