"""What a project may reach: its own folder, what is allowed by name, and nothing from within a formula."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import cadran
from cadran.compute.loading.embedded import QueryError, Session
from cadran.plugins.connector import Column, End, Page

from .user import AS_OF, KPIS, ORDERS, call, project

SECRET = "root:x:0:0"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "orders.csv").write_text(ORDERS.replace("10.10", "99.99"))
    return folder


@pytest.mark.parametrize("path", ["../outside", "{outside}", "data/../../outside", "data/link"])
def test_paths_outside_the_project(tmp_path: Path, outside: Path, path: str) -> None:
    folder = project(
        tmp_path / "project", KPIS.replace("path: data", f"path: {path.format(outside=outside)}")
    )
    (folder / "data" / "link").symlink_to(outside)
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 2 and "kpis.yaml:5:" in done.err and "--allow-path" in done.err
    assert "99.99" not in done.all
    assert call(folder, "check").code == 2
    allowed = call(folder, "--allow-path", str(outside), "run", *AS_OF, "--format", "csv")
    assert allowed.code == 0 and "99.99" in allowed.out, allowed.all


def test_a_link_to_one_file_outside(tmp_path: Path, outside: Path) -> None:
    folder = project(tmp_path / "project")
    (folder / "data" / "orders.csv").unlink()
    (folder / "data" / "orders.csv").symlink_to(outside / "orders.csv")
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 2 and "99.99" not in done.all


def test_an_include_outside(tmp_path: Path, outside: Path) -> None:
    (outside / "more.yaml").write_text("notes: {2026-01-01: hidden words}\n")
    folder = project(
        tmp_path / "project", KPIS.replace("version: 1\n", "version: 1\ninclude: [../outside/more.yaml]\n")
    )
    done = call(folder, "check")
    assert done.code == 2 and "hidden words" not in done.all


@pytest.mark.usefixtures("outside")
def test_allowing_by_the_project_itself(tmp_path: Path) -> None:
    text = KPIS.replace("path: data", "path: ../outside").replace(
        "version: 1\n", "version: 1\nallow_paths: [../outside]\n"
    )
    done = call(project(tmp_path / "project", text), "run", *AS_OF, "--format", "csv")
    assert done.code == 0 and "99.99" in done.out


READING = (
    "read_csv('/etc/passwd')",
    "read_text('/etc/passwd')",
    "read_blob('/etc/passwd')",
    "glob('/etc/*')",
    "'/etc/passwd'.content",
    "(select content from read_text('/etc/passwd'))",
    "(select * from '/etc/passwd')",
    "exists (select 1 from read_csv_auto('/etc/passwd'))",
    "getenv('HOME')",
    "current_setting('home_directory')",
    "query('select 1')",
    "query_table('files.orders')",
    "duckdb_settings()",
    "parquet_metadata('x')",
    "1); copy (select 1) to '/tmp/x'; --",
    "count(*) from read_csv('/etc/passwd')",
    "pragma_version()",
    "which_secret('s', 's3')",
    "nextval('s')",
    "list_transform([1], x -> x)",
    "struct_pack(a := 1)",
    "read_json_auto('https://example.com')",
    '"/etc/passwd"',
    'orders."/etc/passwd"',
)
PLACES = {
    "formula": ("formula: sum(orders.amount)", "formula: {}"),
    "in an aggregate": ("formula: sum(orders.amount)", "formula: {}"),
    "filter": ("formula: sum(orders.amount)", "formula: {}"),
    "target": ("value: 15", "value: {}"),
    "alert": ("when: value < 10", "when: {}"),
    "column": ("key: id, date: day", "key: id, date: day, columns: {{c: {}}}"),
    "where": ("key: id, date: day", "key: id, date: day, where: {}"),
}
AROUND = {
    "in an aggregate": "sum({})",
    "filter": "sum(orders.amount) filter (where {} is not null)",
    "alert": "value < {}",
    "where": "({}) is not null",
}


@pytest.mark.parametrize("place", PLACES)
def test_no_expression_reaches_a_file(tmp_path: Path, place: str) -> None:
    old, new = PLACES[place]
    assert old in KPIS
    for written in READING:
        text = AROUND.get(place, "{}").format(written).replace("'", "''")
        folder = project(tmp_path, KPIS.replace(old, new.format(f"'{text}'")))
        found = cadran.open(folder, environ={}).check()
        assert any(p.severity == "error" and p.where and p.where.file == "kpis.yaml" for p in found), written
        assert not any(SECRET in str(p) for p in found)


# --- the engine's own database --------------------------------------------------------------------------------------


@pytest.fixture
def locked() -> Iterator[Session]:
    session = Session("Europe/Paris")
    page = Page(pa.table({"id": [1, 2]}))
    session.load("files", "orders", [page, End(2)], [Column("id", "INTEGER")])
    session.lock()
    yield session
    session.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM read_parquet('{file}')",
        "SELECT * FROM read_json_auto('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "COPY files.orders FROM '{file}'",
        "EXPORT DATABASE '{folder}/out'",
        "IMPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/other.db' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{folder}/x.duckdb_extension'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET enable_external_access",
        "PRAGMA enable_external_access",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '1GB'",
        "SET threads = 64",
        "SET python_enable_replacements = true",
        "SELECT * FROM page",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
        "CREATE SECRET s (TYPE s3)",
    ],
)
def test_the_locked_database(locked: Session, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a\n1\n")
    page = pa.table({"secret": [1]})  # what replacement scans of Python variables would find
    with pytest.raises(QueryError):
        locked._run(statement.format(file=file, folder=tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.csv"]
    assert page.num_rows == 1
    assert locked._run("SELECT count(*) FROM files.orders") == [(2,)]
