"""A tap that others wrote, meltanolabs-tap-postgres from PyPI, against a real database: installed, synced, and computed from.

It is installed once, and kept in pytest's cache for later sessions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins import Context, Window
from cadran_plugins.singer.connector import SingerConnector

from .reading_changes import at, collect

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("singer"),
]

PACKAGE = "meltanolabs-tap-postgres==0.10.0"
CANARY = "tap-pa55word-canary"
KPIS = """\
version: 1
currency: EUR
sources:
  shop:
    connector: singer
    package: {package}
    config: {{host: {host}, port: {port}, user: {user}, password: "${{TAP_PASSWORD}}", database: {database}, filter_schemas: [{schema}]}}
    tables:
      orders: {{stream: {schema}-orders, cursor: changed_at, columns: {{amount: "decimal(12,2)", big: "decimal(38,9)"}}}}
      all_orders: {{stream: {schema}-orders, method: full, columns: {{amount: "decimal(12,2)", big: "decimal(38,9)"}}}}
      notes: {{stream: {schema}-notes}}
datasets:
  orders: {{from: shop.orders, key: id, date: day, money: {{amount: EUR}}}}
  all_orders: {{from: shop.all_orders, key: id, date: day, money: {{amount: EUR}}}}
  notes: {{from: shop.notes}}
kpis:
  revenue: {{formula: sum(orders.amount), period: month, unit: EUR}}
  standing: {{formula: sum(all_orders.amount), period: month, unit: EUR}}
"""
TABLES = (
    "CREATE TABLE {s}.orders (id bigint PRIMARY KEY, amount numeric(12,2), big numeric, ratio float8, changed_at timestamptz NOT NULL, day date, "
    "paid boolean, doc jsonb, tags text[], name varchar(20))",
    "INSERT INTO {s}.orders SELECT g, g * 1.37, 12345678901234567890.123456789, 0.1, "
    "timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', '2026-01-10', g % 2 = 0, '{{\"a\": 1.10}}', ARRAY['x'], 'é' || g "
    "FROM generate_series(1, 50) g",
    "CREATE TABLE {s}.notes (note text)",
    "INSERT INTO {s}.notes VALUES ('a'), ('b')",
)


@dataclass
class Shop:
    folder: Path
    schema: str
    engine: Any

    def run(self, *statements: str) -> None:
        with self.engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(
                    statement.format(s=self.schema), execution_options={"no_parameters": True}
                )

    def cadran(self, *args: str) -> str:
        done = CliRunner().invoke(cli, ["-C", str(self.folder), *args], env={"TAP_PASSWORD": CANARY})
        assert done.exit_code == 0, done.output
        return done.stdout

    def synced(self, *args: str) -> dict[str, Any]:
        return {one["table"]: one for one in json.loads(self.cadran("sync", "--format", "json", *args))}

    def value(self, kpi: str) -> str:
        out = self.cadran(
            "run", kpi, "--as-of", "2026-02-01", "--since", "2026-01", "--until", "2026-01", "--format", "csv"
        )
        return out.splitlines()[1].split(",")[6]

    def connector(self) -> SingerConnector:
        declaration, _ = cadran.open(
            self.folder / "kpis.yaml", environ={"TAP_PASSWORD": CANARY}
        ).declaration()
        assert declaration is not None
        return SingerConnector(
            Context("shop", declaration.sources["shop"].config, self.folder, (self.folder,))
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """One folder for all tests here. The tap lies where a later session finds it again."""
    folder = tmp_path_factory.mktemp("shop")
    cache = request.config.cache
    assert cache is not None
    (folder / ".cadran").mkdir()
    (folder / ".cadran" / "taps").symlink_to(cache.mkdir("taps"))
    return folder


@pytest.fixture
def shop(installed: Path, postgres_database: Any) -> Iterator[Shop]:
    url: sqlalchemy.URL = postgres_database
    schema = f"s_{os.urandom(4).hex()}"
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT"
    )
    made = Shop(installed, schema, engine)
    made.run("CREATE SCHEMA {s}", *TABLES)
    text = KPIS.format(
        package=PACKAGE,
        host=url.host,
        port=url.port or 5432,
        user=url.username,
        database=url.database,
        schema=schema,
    )
    (installed / "kpis.yaml").write_text(text)
    yield made
    made.run("DROP SCHEMA {s} CASCADE")
    for place in (installed / ".cadran").iterdir():
        if place.name != "taps":
            _remove(place)


def _remove(place: Path) -> None:
    import shutil

    shutil.rmtree(place) if place.is_dir() else place.unlink()


def test_a_database_is_synced_through_a_tap_and_computed_from(shop: Shop) -> None:
    first = shop.synced()
    assert {name: one["rows"] for name, one in first.items()} == {"orders": 50, "all_orders": 50, "notes": 2}
    assert (shop.value("revenue"), shop.value("standing")) == ("1746.75", "1746.75")
    shop.run(
        "UPDATE {s}.orders SET amount = 100, changed_at = '2026-01-20' WHERE id = 7",
        "INSERT INTO {s}.orders SELECT 51, 0.25, 1, 0.5, '2026-01-21', '2026-01-11', true, NULL, NULL, NULL",
        "DELETE FROM {s}.orders WHERE id = 8",
    )
    later = shop.synced()
    # Changes alone: the row at the state comes again, and one that was deleted shows only in a read of the whole table.
    assert (
        later["orders"]["new"],
        later["orders"]["changed"],
        later["orders"]["deleted"],
        later["orders"]["whole"],
    ) == (1, 1, 0, False)
    assert (later["all_orders"]["deleted"], later["all_orders"]["whole"], later["notes"]["rows"]) == (
        1,
        True,
        2,
    )
    assert (shop.value("revenue"), shop.value("standing")) == ("1837.41", "1826.45")
    assert shop.synced("--full", "shop.orders")["orders"]["deleted"] == 1
    assert shop.value("revenue") == "1826.45"
    _no_canary(shop.folder)


def test_types_are_exact_and_only_changes_are_read_again(shop: Shop) -> None:
    first = collect(shop.connector(), "orders")
    [row] = [row for row in first.rows if row["id"] == 7]
    assert str(row["amount"]) == "9.59" and str(row["big"]) == "12345678901234567890.123456789"
    assert (row["ratio"], row["changed_at"], str(row["day"]), row["paid"]) == (
        0.1,
        at("2026-01-01T07:00:00"),
        "2026-01-10",
        False,
    )
    assert (row["doc"], row["tags"], row["name"]) == ('{"a":1.10}', '["x"]', "é7")
    shop.run("UPDATE {s}.orders SET changed_at = '2026-02-01' WHERE id = 3")
    assert first.end is not None
    later = collect(shop.connector(), "orders", Window(since=at("2026-01-03"), state=first.end.state))
    assert sorted(later.column("id")) == [3, 50]
    [mark] = shop.folder.glob(".cadran/taps/*/installed.json")
    about = json.loads(mark.read_text())
    assert about["asked"] == [PACKAGE] and about["packages"]["meltanolabs-tap-postgres"] == "0.10.0"


def _no_canary(folder: Path) -> None:
    for file in (folder / ".cadran").rglob("*"):
        assert "taps" in file.parts or not file.is_file() or CANARY.encode() not in file.read_bytes(), file
