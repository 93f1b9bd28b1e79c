"""Projects over databases: checked without a connection, computed over each engine, and nothing left open or said aloud."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.compute.loading import columns_seen
from cadran.plugins import Context
from cadran.problems import ProblemsFound
from cadran_plugins.sql.connector import SqlConnector
from servers import Server

from .user import call
from .user import project as user_project

AS_OF = ("--as-of", "2026-07-01")
KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources: {wh: {connector: sql, url: "${WH}"}}
datasets:
  orders: {from: wh.orders, key: id, date: moment, links: {customer_id: customers}}
  customers: {from: wh.customers, key: id}
kpis:
  revenue: {formula: sum(orders.amount), period: month, segment: [customers.segment], unit: EUR}
  number: {formula: count(orders), period: month}
""".replace("segment: [customers.segment]", "segment: kind").replace(
    "kpis:\n", "segments: {kind: {orders: customers.kind}}\nkpis:\n"
)
NOWHERE = {"WH": "postgresql://reader:kanari-geheim@127.0.0.1:1/shop"}
# The first is a moment of March in Paris and of February in UTC.
ROWS = [
    (1, "2026-02-28 23:30:00", "10.10", 1),
    (2, "2026-03-05 10:00:00", "0.20", 2),
    (3, "2026-03-31 21:59:59", "5.00", None),
    (4, "2026-03-31 22:00:00", "7.00", 9),
]


def fill(run: Any, instant: str, decimal: str, literal: str) -> None:
    run(
        f"create table orders (id int primary key, moment {instant}, amount {decimal}, customer_id int)",
        "create table customers (id int primary key, kind varchar(9))",
        "insert into customers values (1, 'shop'), (2, 'web')",
        *(
            f"insert into orders values ({i}, {literal.format(at)}, {amount}, {customer or 'null'})"
            for i, at, amount, customer in ROWS
        ),
    )


def project(folder: Path, text: str = KPIS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def over_postgres(postgres: Server, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    fill(postgres.run, "timestamptz", "numeric(10,2)", "'{}+00'")
    return project(tmp_path), {"WH": postgres.url}


@pytest.fixture
def over_mariadb(mariadb: Server, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    fill(
        lambda *s: mariadb.run(
            *(f"set statement time_zone = '+00:00' for {x}" if x.startswith("insert") else x for x in s)
        ),
        "timestamp",
        "decimal(10,2)",
        "'{}'",
    )
    return project(tmp_path), {"WH": mariadb.url}


@pytest.fixture
def over_sqlite(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """SQLite knows no instants: the same rows in local time."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        fill(
            lambda *s: [database.execute(x) for x in s],
            "datetime",
            "numeric(10,2)",
            "datetime('{}', '+1 hour')",
        )
        database.execute("update orders set moment = datetime(moment, '+1 hour') where id > 2")
        database.commit()
    return project(tmp_path), {"WH": "sqlite:///shop.db"}


@pytest.mark.parametrize("engine", ["postgres", "mariadb", "sqlite"])
def test_the_same_rows_give_the_same_numbers(engine: str, request: pytest.FixtureRequest) -> None:
    folder, env = request.getfixturevalue(f"over_{engine}")
    done = call(folder, "run", *AS_OF, "--since", "2026-02", "--until", "2026-04", "--format", "csv", env=env)
    assert done.code == 0, done.err
    values = {
        tuple(line.split(",")[i] for i in (0, 1, 5)): float(line.split(",")[6])
        for line in done.out.splitlines()[1:]
    }
    assert values == pytest.approx({
        ("number", "2026-03", ""): 3, ("number", "2026-04", ""): 1,
        ("revenue", "2026-03", ""): 15.3, ("revenue", "2026-04", ""): 7,
        ("revenue", "2026-03", "shop"): 10.1, ("revenue", "2026-03", "web"): 0.2, ("revenue", "2026-03", "(none)"): 5,
        ("revenue", "2026-04", "shop"): 0, ("revenue", "2026-04", "web"): 0, ("revenue", "2026-04", "(none)"): 7,
    })  # fmt: skip


def test_decimals_stay_exact(over_postgres: tuple[Path, dict[str, str]]) -> None:
    folder, env = over_postgres
    results = cadran.open(folder, environ=env).run(["revenue"], as_of="2026-04-01")
    assert [str(r.value) for r in results if not r.segment and r.period == "2026-03"] == ["15.30"]


# --- check without a connection -----------------------------------------------------------------------------------------


def test_check_asks_no_server(tmp_path: Path) -> None:
    """Nobody listens at that address: whoever asks, fails."""
    folder = project(tmp_path)
    done = call(folder, "check", env=NOWHERE)
    assert done.code == 0
    assert done.out.startswith("kpis.yaml:4:15: warning: sources.wh: its columns are not known yet")
    assert "'cadran check --data' asks for them" in done.out and done.out.endswith("1 warning\n")
    assert call(folder, "check", "--data", env=NOWHERE).code == 2
    assert not (folder / ".cadran").exists()


@pytest.mark.parametrize("command", [("check", "--data"), ("run", *AS_OF, "--format", "csv")])
def test_what_was_seen_is_remembered(
    over_postgres: tuple[Path, dict[str, str]], command: tuple[str, ...]
) -> None:
    folder, env = over_postgres
    assert call(folder, *command, env=env).code == 0
    file = folder / ".cadran" / "columns.json"
    assert json.loads(file.read_text()) == {
        "version": 1,
        "sources": {
            "wh": {
                "customers": {"id": "BIGINT", "kind": "VARCHAR"},
                "orders": {"amount": "DECIMAL(10,2)", "customer_id": "BIGINT", "id": "BIGINT", "moment": "TIMESTAMP WITH TIME ZONE"},
            }
        },
    }  # fmt: skip
    before = file.stat()
    assert call(folder, *command, env=env).code == 0
    assert file.stat().st_mtime_ns == before.st_mtime_ns, "the same again is not written"
    done = call(folder, "check", env=NOWHERE)
    assert (done.code, done.out) == (0, "kpis.yaml: 2 KPIs, no problems\n")
    project(folder, KPIS.replace("sum(orders.amount)", "sum(orders.amont)"))
    done = call(folder, "check", env=NOWHERE)
    assert done.code == 2
    assert "unknown column 'amont' in dataset 'orders'; did you mean 'amount'?" in done.out
    assert (
        "warning: sources.wh: its columns are those last seen; if they have changed since, 'cadran check --data' asks again"
        in done.out
    )


def test_a_column_that_is_new(over_postgres: tuple[Path, dict[str, str]], postgres: Server) -> None:
    folder, env = over_postgres
    call(folder, "check", "--data", env=env)
    postgres.run("alter table orders add column discount numeric(10,2)")
    project(folder, KPIS.replace("sum(orders.amount)", "sum(orders.discount)"))
    assert call(folder, "check", env=env).code == 2
    assert call(folder, "run", *AS_OF, "--format", "csv", env=env).code == 0, "a run asks"
    assert call(folder, "check", env=env).code == 0


def test_a_table_that_is_not_there(over_postgres: tuple[Path, dict[str, str]]) -> None:
    folder, env = over_postgres
    project(folder, KPIS.replace("wh.orders", "wh.ordres"))
    for command in (("run", *AS_OF), ("check", "--data")):
        done = call(folder, *command, env=env)
        assert done.code == 2
        assert (
            "kpis.yaml:6:18: datasets.orders: source 'wh' has no table 'ordres'; did you mean 'orders'?"
            in done.all
        )
    assert not (folder / ".cadran").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 2, "sources": {}}', b'{"version": 1}', b'{"version": 1, "sources": []}',
     b'{"version": 1, "sources": {"wh": {"orders": ["id"]}}}', b'{"version": 1, "sources": {"wh": {"orders": {"id": 5}}}}',
     b"<<<<<<< HEAD\n{}\n"],
)  # fmt: skip
def test_a_record_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    folder = project(tmp_path)
    (folder / ".cadran").mkdir()
    (folder / ".cadran" / "columns.json").write_bytes(content)
    done = call(folder, "check", env=NOWHERE)
    assert done.code == 0
    assert "warning: .cadran/columns.json cannot be read: " in done.out and "writes it anew" in done.out


def test_a_record_that_cannot_be_written(over_postgres: tuple[Path, dict[str, str]]) -> None:
    folder, env = over_postgres
    (folder / ".cadran").write_text("a file where the folder should be")
    run = call(folder, "run", *AS_OF, "--format", "csv", env=env)
    assert run.code == 0, "a project may lie where nothing can be written"
    assert "results cannot be kept" in run.err and "columns" not in run.err
    done = call(folder, "check", "--data", env=env)
    assert done.code == 0 and "warning: .cadran/columns.json cannot be written" in done.out


def test_the_record_is_text_that_can_be_merged(tmp_path: Path) -> None:
    from cadran.plugins.connector import Column, Table

    tables = {
        "b": Table("b", (Column("z", "BIGINT"), Column("ä", "DATE"))),
        "a": Table("a", (Column("x", ""),)),
        "kanari-x": Table("t"),
    }
    columns_seen.write(tmp_path, {"s2": tables, "s1": {}}, ["kanari-x"])
    text = (tmp_path / ".cadran" / "columns.json").read_text(encoding="utf-8")
    assert text.endswith("}\n") and '"ä": "DATE"' in text
    assert "kanari" not in text, "a table whose name came from the environment"
    assert list(json.loads(text)["sources"]) == ["s1", "s2"] and list(json.loads(text)["sources"]["s2"]) == [
        "a",
        "b",
    ]
    assert sum(":" in line for line in text.splitlines()) == len(text.splitlines()) - text.count("}")
    assert columns_seen.read(tmp_path)["s2"]["a"].columns == (Column("x", ""),)


def test_a_local_file_is_read_by_check(over_sqlite: tuple[Path, dict[str, str]]) -> None:
    folder, env = over_sqlite
    project(folder, KPIS.replace("sum(orders.amount)", "sum(orders.amont)"))
    done = call(folder, "check", env=env)
    assert done.code == 2 and "did you mean 'amount'?" in done.out and "last seen" not in done.out
    assert not (folder / ".cadran").exists()


# --- connections and secrets --------------------------------------------------------------------------------------------


def test_a_run_opens_one_connector_and_closes_it(
    over_postgres: tuple[Path, dict[str, str]], postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, closed = [], []
    real_init, real_close = SqlConnector.__init__, SqlConnector.close
    monkeypatch.setattr(
        SqlConnector, "__init__", lambda self, context: (made.append(self), real_init(self, context))[1]
    )  # type: ignore[func-returns-value]
    monkeypatch.setattr(SqlConnector, "close", lambda self: (closed.append(self), real_close(self))[1])  # type: ignore[func-returns-value]
    folder, env = over_postgres
    opened = cadran.open(folder, environ=env)
    broken = cadran.open(
        project(folder / "broken", KPIS.replace("key: id, date", "key: customer_id, date")), environ=env
    )
    for use in (
        opened.run,
        opened.check_data,
        lambda: opened.explain("revenue"),
        opened.check,
        broken.check_data,
    ):
        made.clear()
        closed.clear()
        use()
        assert len(made) == 1 and closed == made, use
    with pytest.raises(ProblemsFound, match="the key"):
        broken.run()
    assert closed == made and len(made) == 2
    assert postgres.connections() == 0


def test_a_connector_that_fails_to_close_harms_nobody(
    over_sqlite: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SqlConnector.close

    def close(self: SqlConnector) -> None:
        real(self)
        raise RuntimeError

    monkeypatch.setattr(SqlConnector, "close", close)
    folder, env = over_sqlite
    assert call(folder, "run", *AS_OF, "--format", "csv", env=env).code == 0


SECRET = "kanari-geheim"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://reader:{SECRET}@127.0.0.1:5432/no_such_database",
        f"postgresql://nobody_such:{SECRET}@127.0.0.1:5432/postgres",
        f"postgresql://reader:{SECRET}@no-such-host.invalid/shop",
        f"postgresql://reader:{SECRET}@127.0.0.1:port/shop",
        f"mysql://nobody_such:{SECRET}@127.0.0.1:3306/shop",
        f"mysql://root@127.0.0.1:1/shop?password={SECRET}",
        f"mysql://127.0.0.1:1/shop?user=root&passwd={SECRET}",
        f"postgresql://127.0.0.1:1/shop?user=reader&password={SECRET}",
        f"postgresql://127.0.0.1:5432/no_such_database?user=postgres&sslpassword={SECRET}",
        f"snowflake://h/shop?private_key_passphrase={SECRET}&token=abc",
        f"mssql://reader:{SECRET}@h/shop",
        f"sqlite:///{SECRET}.db",
        f"sqlite:///shop.db?key={SECRET}",
        SECRET,
    ],
)
@pytest.mark.parametrize("from_environment", [True, False])
def test_no_password_is_said(tmp_path: Path, url: str, from_environment: bool) -> None:
    """Neither one from the environment, nor one that somebody wrote into the file."""
    text = KPIS if from_environment else KPIS.replace("${WH}", url)
    if not from_environment and url.startswith(("sqlite", SECRET)):
        pytest.skip("what stands in the file without being a password is no secret")
    folder = project(tmp_path, text)
    for form in ("text", "json", "github", "sarif"):
        for command in (
            ("check", "--data", "--format", form),
            ("run", *AS_OF, "--format", "csv"),
            ("check", "--format", form),
        ):
            done = call(folder, *command, env={"WH": url})
            assert SECRET not in done.all, command
            if command[0] == "run" or "--data" in command:
                assert done.code == 2 and "sources.wh" in done.all
    assert SECRET not in "".join(
        p.read_text() for p in folder.rglob("*") if p.is_file() and p.name != "kpis.yaml"
    )


def test_settings_that_hold_secrets_say_so() -> None:
    url: Any = SqlConnector.config_schema["properties"]["url"]
    assert url["writeOnly"] is True and "pattern" not in url, "a message about its form would quote it"
    assert "kanari" not in repr(
        SqlConnector(Context("wh", {"url": "postgresql://u:kanari@h/d"}, Path()))._database
    )


def test_a_connector_that_can_only_tell_all_tables_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cadran_plugins.files.connector import FilesConnector

    asked = []
    real = FilesConnector.discover
    monkeypatch.setattr(FilesConnector, "discover", lambda self: (asked.append(1), real(self))[1])  # type: ignore[func-returns-value]
    text = KPIS.replace('{connector: sql, url: "${WH}"}', "{connector: files, path: data}").replace(
        "moment", "day"
    )
    folder = user_project(
        tmp_path,
        text,
        {"orders": "id,day,amount,customer_id\n1,2026-03-05,1.00,1\n", "customers": "id,kind\n1,web\n"},
    )
    assert call(folder, "run", *AS_OF, "--format", "csv").code == 0
    assert len(asked) == 1
