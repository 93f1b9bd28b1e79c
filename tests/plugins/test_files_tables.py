"""Which files make which table, what ``tables:`` says about them, and where files may lie."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cadran.plugins import ConfigError, ConnectorError
from cadran_plugins.files import identity
from cadran_plugins.files.config import SCHEMA
from plugins.reading import collect, described, lines, source, write

ORDERS = {"data/orders_1.csv": "id,paid\n1,2.5\n", "data/orders_2.csv": "id,paid\n2,3.25\n"}


def raised(folder: Path, table: str, **config: Any) -> list[str]:
    with pytest.raises(ConnectorError) as caught:
        collect(source(folder, **config), table)
    return lines(caught.value)


def test_each_file_under_path_is_a_table_named_by_its_stem(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "Order Details.csv": "a,b\n",
        "x.y.TSV": "c\td\n",
        "z.ndjson": '{"e": 1}\n',
        "w.csv.gz": b"",
        ".hidden.csv": "a\n",
    }
    write(
        tmp_path,
        {f"data/{n}": c for n, c in files.items()} | {"data/notes.txt": "", "data/sub/deep.csv": "a\n"},
    )
    pq.write_table(pa.table({"f": [1], "g": ["x"]}), tmp_path / "data/p.parquet")
    tables = described(source(tmp_path, path="data"))
    assert {n: [c.name for c in t.columns] for n, t in tables.items()} == {
        "Order Details": ["a", "b"],
        "x.y": ["c", "d"],
        "z": ["e"],
        "p": ["f", "g"],
        "w": [],
    }
    assert [(c.name, c.type) for c in tables["p"].columns] == [("f", "BIGINT"), ("g", "VARCHAR")]


def test_path_may_be_one_file_or_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x,y\n1,2\n", "b.csv": "z,w\n"})
    assert list(described(source(tmp_path, path="a.csv"))) == ["a"]
    assert list(described(source(tmp_path))) == ["a", "b"]


def test_declared_types_are_told_without_reading_rows(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x,y\n1\n"})
    [table] = source(tmp_path, types={"x": "decimal(12, 2)"}).discover()
    assert [(c.name, c.type) for c in table.columns] == [("x", "DECIMAL(12,2)"), ("y", "")]


def test_a_pattern_makes_one_table_of_several_files(tmp_path: Path) -> None:
    write(tmp_path, ORDERS)
    found = collect(source(tmp_path, path="data", tables={"orders": {"path": "orders_*.csv"}}), "orders")
    assert found.types == ["int64", "decimal128(18, 2)"]
    assert [str(paid) for paid in found.column("paid")] == ["2.50", "3.25"]


def test_types_are_those_of_all_files_together(tmp_path: Path) -> None:
    write(tmp_path, {"a_1.csv": "x,y\n1,1\n", "a_2.csv": "x,y\nq,1\n"})
    assert collect(source(tmp_path, tables={"a": {"path": "a_*.csv"}}), "a").rows == [("1", 1), ("q", 1)]


@pytest.mark.parametrize(
    ("header", "difference"),
    [
        ("id,amount", "the former lacks paid and has amount besides"),
        ("id", "the former lacks paid"),
        ("paid,id", "the former has them in another order: paid, id; not id, paid"),
    ],
)
def test_headers_that_do_not_agree(header: str, difference: str, tmp_path: Path) -> None:
    write(tmp_path, {**ORDERS, "data/orders_3.csv": f"{header}\n"})
    told = raised(tmp_path, "orders", path="data", tables={"orders": {"path": "orders_*.csv"}})
    assert told == [f"data/orders_3.csv and data/orders_1.csv have different columns: {difference}"]


def test_a_pattern_without_a_match_lists_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, ORDERS)
    tables = {"orders": {"path": "order_1.csv"}}
    assert raised(tmp_path, "orders", path="data", tables=tables) == [
        "no file in data matches 'order_1.csv'",
        "did you mean 'orders_1.csv'?; there are: orders_1.csv, orders_2.csv",
    ]
    assert described(source(tmp_path, path="data", tables=tables))["orders"].problem is not None


def test_a_name_without_a_file(tmp_path: Path) -> None:
    write(tmp_path, {"orders.csv": "a,b\n"})
    hint = "did you mean 'orders'?; there are: orders"
    assert raised(tmp_path, "order") == ["there is no table 'order'", hint]
    tables = {"ordrs": {"delimiter": ";"}}
    assert raised(tmp_path, "orders", tables=tables) == ["no file is named 'ordrs'", hint]
    with pytest.raises(ConfigError) as caught:
        source(tmp_path, tables=tables).discover()
    assert caught.value.setting == ("tables", "ordrs")


def test_two_files_with_one_stem_are_an_error_for_who_uses_them(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x,y\n1,2\n", "a.tsv": "x\ty\n", "b.csv": "x,y\n3,4\n"})
    assert raised(tmp_path, "a")[0] == "table 'a' could be a.csv and a.tsv"
    assert collect(source(tmp_path), "b").rows == [(3, 4)]
    assert collect(source(tmp_path, tables={"a": {"path": "a.csv"}}), "a").rows == [(1, 2)]


def test_options_of_the_source_hold_for_all_its_tables(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x;y\n1,5;2\n", "b.csv": "x|y\n1,5|2\n"})
    connector = source(
        tmp_path, delimiter=";", decimal=",", types={"y": "text"}, tables={"b": {"delimiter": "|"}}
    )
    assert [(str(x), y) for x, y in collect(connector, "a").rows] == [("1.5", "2")]
    assert [(str(x), y) for x, y in collect(connector, "b").rows] == [("1.5", "2")]


def test_types_of_the_table_win_over_those_of_the_source(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x,y\n1,2\n", "b.csv": "z,w\n"})
    connector = source(tmp_path, types={"x": "text", "z": "int"}, tables={"a": {"types": {"x": "double"}}})
    assert collect(connector, "a").types == ["double", "int64"]


def test_a_type_for_a_column_that_does_not_exist(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "paid,y\n1,2\n"})
    tables = {"a": {"types": {"payd": "int"}}}
    assert raised(tmp_path, "a", tables=tables) == ["there is no column 'payd'", "did you mean 'paid'?"]
    problem = described(source(tmp_path, tables=tables))["a"].problem
    assert problem is not None
    assert problem.setting == ("tables", "a", "types", "payd")


def test_a_type_of_the_source_for_a_column_that_no_table_has(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "paid,y\n1,2\n", "b.csv": "x,y\n"})
    with pytest.raises(ConfigError) as caught:
        source(tmp_path, types={"payd": "int", "x": "int"}).discover()
    assert lines(caught.value) == ["no table has a column 'payd'", "did you mean 'paid'?"]
    assert caught.value.setting == ("types", "payd")
    assert raised(tmp_path, "a", path="a.csv", types={"payd": "int"})[0] == "there is no column 'payd'"


def test_errors_point_to_the_setting_at_fault(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "x,y\n", "b.csv": "x,y\n"})
    of_table = described(source(tmp_path, types={"x": "int"}, tables={"a": {"date_format": "%Q"}}))[
        "a"
    ].problem
    assert of_table is not None
    assert of_table.setting == ("tables", "a", "date_format")
    of_source = described(source(tmp_path, types={"x": "nt"}, tables={"a": {"date_format": "%d"}}))[
        "a"
    ].problem
    assert of_source is not None
    assert of_source.setting == ("types", "x")


def test_an_option_that_has_no_meaning_for_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"a.jsonl": '{"x": 1}\n', "b.parquet": b""})
    told = raised(tmp_path, "a", tables={"a": {"delimiter": ";"}})
    assert told[0] == "'delimiter' has no meaning for jsonl files"
    told = raised(tmp_path, "b", tables={"b": {"types": {"x": "int"}}})
    assert told == ["'types' has no meaning for parquet files", "such files carry their own names and types"]


def test_kinds_of_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "x,y\n1,2\n", "b.csv": "x,y\n", "b.tsv": "x\ty\n"})
    assert (
        raised(tmp_path, "a", tables={"a": {"path": "a.txt"}})[0] == "a.txt: the suffix tells no kind of file"
    )
    assert collect(source(tmp_path, tables={"a": {"path": "a.txt", "format": "csv"}}), "a").rows == [(1, 2)]
    several = raised(tmp_path, "b", tables={"b": {"path": "b.*"}})
    assert several == ["one table cannot be made of files of several kinds: csv, tsv"]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    write(tmp_path, {"data/a.csv": "x\n"})
    with pytest.raises(ConfigError) as caught:
        source(tmp_path, path="dato").discover()
    assert lines(caught.value) == ["there is no 'dato'", "did you mean 'data'?"]
    assert caught.value.setting == ("path",)


OUTSIDE: list[dict[str, Any]] = [
    {"path": "../secret"},
    {"path": "../secret/a.csv"},
    {"path": "linked"},
    {"tables": {"a": {"path": "../secret/*.csv"}}},
    {"tables": {"a": {"path": "linked/a.csv"}}},
    {"tables": {"a": {"path": "link.csv"}}},
]


@pytest.mark.parametrize("config", OUTSIDE, ids=str)
def test_files_stay_inside_the_project_unless_allowed(config: dict[str, Any], tmp_path: Path) -> None:
    project, secret = tmp_path / "project", tmp_path / "secret"
    write(tmp_path, {"secret/a.csv": "x,y\n1,2\n", "project/b.csv": "x,y\n"})
    (project / "linked").symlink_to(secret)
    (project / "link.csv").symlink_to(secret / "a.csv")
    told = raised(project, "a", **config)
    assert "lies outside the project" in told[0]
    assert f"add '{secret}' to 'allow_paths:', or pass it with --allow-path" in told[-1]
    assert collect(source(project, (secret,), **config), "a").rows == [(1, 2)]


def test_an_absolute_path_and_an_absolute_pattern(tmp_path: Path) -> None:
    write(tmp_path, {"data/a_1.csv": "x,y\n1,2\n"})
    tables = {"a": {"path": str(tmp_path / "data" / "a_*.csv")}}
    assert collect(source(tmp_path, tables=tables), "a").rows == [(1, 2)]


def test_a_symlink_that_leads_outside_stops_only_its_own_table(tmp_path: Path) -> None:
    write(tmp_path, {"secret.csv": "x,y\n", "project/b.csv": "x,y\n1,2\n"})
    (tmp_path / "project/a.csv").symlink_to(tmp_path / "secret.csv")
    tables = described(source(tmp_path / "project"))
    assert "outside" in str(tables["a"].problem)
    assert tables["b"].problem is None


def test_every_setting_is_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    table = SCHEMA["properties"]["tables"]["additionalProperties"]
    for properties in (SCHEMA["properties"], table["properties"]):
        for key, schema in properties.items():
            assert schema["description"].endswith("."), key


def test_a_link_that_leads_to_another_file_leads_to_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where both files have the same size and times."""

    def look(inode: int) -> str:
        stat = SimpleNamespace(st_ino=inode, st_size=9, st_mtime_ns=5, st_ctime_ns=5)
        monkeypatch.setattr(Path, "stat", lambda _: stat)
        return identity._times(Path("link.csv"))

    assert look(1) == look(1) != look(2)
