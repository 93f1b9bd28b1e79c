"""JSON lines, Excel and Parquet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cadran.plugins import ConnectorError
from plugins.reading import Read, collect, described, failure, lines, read, source, write


def jsonl(folder: Path, text: str, **config: Any) -> Read:
    return read(folder, text, name="t.jsonl", **config)


JSON_VALUES: dict[str, tuple[list[str], str, list[Any]]] = {
    "integers": (["1", "-2"], "int64", [1, -2]),
    "decimals keep their digits": (
        ["0.10", "1234567890.123456789"],
        "decimal128(19, 9)",
        [D("0.10"), D("1234567890.123456789")],
    ),
    "exponents": (["1e5", "2.5E-3", "1"], "double", [1e5, 2.5e-3, 1.0]),
    "booleans": (["true", "false"], "bool", [True, False]),
    "texts that look like numbers": (['"00012"', '"12"'], "string", ["00012", "12"]),
    "texts that look like booleans": (['"true"'], "string", ["true"]),
    "dates": (['"2026-01-31"'], "date32[day]", [dt.date(2026, 1, 31)]),
    "timestamps": (
        ['"2026-01-31T10:00:00Z"'],
        "timestamp[us, tz=UTC]",
        [dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)],
    ),
    "null": (["null", "1"], "int64", [None, 1]),
    "an empty text is no null": (['""', '"a"'], "string", ["", "a"]),
    "nothing but null": (["null"], "string", [None]),
    "mixed": (['"a"', "1.50", "true"], "string", ["a", "1.50", "true"]),
    "nested": (['{"b": [1.10, "é", null]}', "[]"], "string", ['{"b": [1.10, "é", null]}', "[]"]),
    "escapes": ([r'"a\nbA"'], "string", ["a\nbA"]),
}


@pytest.mark.parametrize("case", JSON_VALUES)
def test_json_values(case: str, tmp_path: Path) -> None:
    values, type_, expected = JSON_VALUES[case]
    found = jsonl(tmp_path, "".join(f'{{"x": {value}}}\n' for value in values))
    assert (found.types, found.column("x")) == ([type_], expected)


def test_json_numbers_are_not_touched_by_the_decimal_sign_of_the_source(tmp_path: Path) -> None:
    assert jsonl(tmp_path, '{"x": 1.5}\n', decimal=",").column("x") == [D("1.5")]


def test_json_keys(tmp_path: Path) -> None:
    assert jsonl(tmp_path, '{"x": 1, "y": 2}\n\n{"y": 4, "x": 3}\n').rows == [(1, 2), (3, 4)]
    assert failure(tmp_path, '{"x": 1, "y": 2}\n{"x": 3}\n', name="t.jsonl")[0] == (
        "t.jsonl:2: missing key y; if it may be missing, name the columns with 'header:'"
    )
    assert failure(tmp_path, '{"x": 1}\n{"x": 3, "z": 1}\n', name="t.jsonl")[0].startswith(
        "t.jsonl:2: unknown key z"
    )
    named = jsonl(tmp_path, '{"x": 1}\n{"y": 2}\n', header=["x", "y"])
    assert named.rows == [(1, None), (None, 2)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1]", "a line must hold one JSON object"),
        ('{"x": 1', "not JSON: Expecting ',' delimiter at column"),
        ('{"x": NaN}', "not JSON: NaN"),
        ('{"x": 1, "x": 2}', "the key 'x' is there twice"),
        ('{"x": "a"} {"x": 1}', "not JSON: Extra data"),
    ],
)
def test_bad_json(line: str, message: str, tmp_path: Path) -> None:
    content = f'{{"x": 0}}\n{line}\n'
    assert failure(tmp_path, content, name="t.jsonl")[0].startswith(f"t.jsonl:2: {message}")
    found = jsonl(tmp_path, content, on_bad_row="quarantine")
    assert found.rows == [(0,)]
    assert found.rejected[0].startswith(f"t.jsonl:2: {message}")


def test_json_declared_types(tmp_path: Path) -> None:
    found = jsonl(tmp_path, '{"x": "12.50", "y": 7}\n', types={"x": "decimal(12,2)", "y": "text"})
    assert found.rows == [(D("12.50"), "7")]
    assert failure(tmp_path, '{"x": 1.005}\n', name="t.jsonl", types={"x": "decimal(12,2)"})[0] == (
        "t.jsonl:1: x: '1.005' is not a decimal(12,2)"
    )


def test_empty_json(tmp_path: Path) -> None:
    assert failure(tmp_path, "\n", name="t.jsonl")[0] == "t.jsonl:1: the file is empty"
    assert (
        failure(tmp_path, b'{"x": "\xe9"}\n', name="t.jsonl")[0]
        == "t.jsonl:1: byte 0xe9 is not valid in encoding utf-8"
    )


def excel(folder: Path, rows: list[list[Any]], title: str = "Costs", **cells: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for at, value in cells.items():
        sheet[at] = value
    book.create_sheet("Other").append(["o"])
    book.save(folder / "t.xlsx")
    book.close()


def sheet(folder: Path, **config: Any) -> Read:
    return collect(source(folder, path="t.xlsx", **config), "t")


def sheet_failure(folder: Path, **config: Any) -> list[str]:
    with pytest.raises(ConnectorError) as caught:
        sheet(folder, **config)
    return lines(caught.value)


EXCEL_VALUES: dict[str, tuple[list[Any], str, list[Any]]] = {
    "integers": ([1, -2, 3.0], "int64", [1, -2, 3]),
    "decimals": ([0.1, 2, 1e-7], "decimal128(18, 7)", [D("0.1"), D(2), D("0.0000001")]),
    "floats far apart": ([1e300, 1], "double", [1e300, 1.0]),
    "booleans": ([True, False], "bool", [True, False]),
    "dates": ([dt.date(2026, 1, 31)], "date32[day]", [dt.date(2026, 1, 31)]),
    "timestamps": (
        [dt.datetime(2026, 1, 31, 10, 20), dt.datetime(2026, 2, 1)],
        "timestamp[us]",
        [dt.datetime(2026, 1, 31, 10, 20), dt.datetime(2026, 2, 1)],
    ),
    "texts that look like numbers": (["00012", "12"], "string", ["00012", "12"]),
    "texts that look like dates": (["2026-01-31"], "date32[day]", [dt.date(2026, 1, 31)]),
    "empty cells": ([None, 1], "int64", [None, 1]),
    "nothing": ([None, None], "string", [None, None]),
    "mixed": (["a", 1, 2.5, True], "string", ["a", "1", "2.5", "true"]),
    "blanks": (["  a "], "string", ["  a "]),
}


@pytest.mark.parametrize("case", EXCEL_VALUES)
def test_excel_values(case: str, tmp_path: Path) -> None:
    values, type_, expected = EXCEL_VALUES[case]
    excel(tmp_path, [["x", "y"], *([value, 1] for value in values)])
    found = sheet(tmp_path)
    assert (found.types[0], found.column("x")) == (type_, expected)


def test_excel_sheets(tmp_path: Path) -> None:
    excel(tmp_path, [["x"], [1]])
    assert sheet(tmp_path).columns == ["x"]
    assert sheet(tmp_path, tables={"t": {"sheet": "Other"}}).columns == ["o"]
    assert sheet_failure(tmp_path, sheet="Othr") == [
        "t.xlsx: there is no sheet 'Othr'",
        "did you mean 'Other'?",
    ]


def test_excel_names_the_cell(tmp_path: Path) -> None:
    excel(tmp_path, [["x", "y"], [1, 2], [1, "n/a"]])
    assert sheet(tmp_path).column("y") == ["2", "n/a"]
    told = sheet_failure(tmp_path, types={"y": "int"})
    assert told[0] == "t.xlsx: sheet Costs, cell B3: y: 'n/a' is not an integer"


def test_excel_error_cells_are_bad_values_not_empty_ones(tmp_path: Path) -> None:
    excel(tmp_path, [["x", "y"], [1, 2], [3, 4]], title="A & B", B3="#N/A")
    assert sheet_failure(tmp_path)[0] == "t.xlsx: sheet A & B, cell B3: the cell holds the error #N/A"
    found = sheet(tmp_path, on_bad_row="quarantine")
    assert (found.rows, len(found.rejected)) == ([(1, 2)], 1)


def test_excel_rows(tmp_path: Path) -> None:
    excel(tmp_path, [["x", "y"], [1, 2], [], [3, None]], A9=None)
    assert sheet(tmp_path).rows == [(1, 2), (3, None)]
    excel(tmp_path, [["x", "y"], [1, 2, 3]])
    assert (
        sheet_failure(tmp_path)[0]
        == "t.xlsx: sheet Costs, cell C2: there is a value, but the column has no name"
    )
    excel(tmp_path, [[1, 2]])
    assert sheet(tmp_path, header=["a", "b"]).rows == [(1, 2)]
    excel(tmp_path, [["x", "X"], [1, 2]])
    assert "both named 'X'" in sheet_failure(tmp_path)[0]
    excel(tmp_path, [])
    assert sheet_failure(tmp_path)[0] == "t.xlsx: sheet Costs is empty"


def test_excel_that_is_none(tmp_path: Path) -> None:
    assert failure(tmp_path, "x,y\n", name="t.xlsx")[0].startswith("t.xlsx: not a readable Excel file")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "d": pa.array([D("1.50"), None], pa.decimal128(12, 2)),
            "t": pa.array([dt.datetime(2026, 1, 31, 10), None], pa.timestamp("us", "UTC")),
            "n": pa.array([1, 2], pa.int16()),
            "l": pa.array([[1], [2]], pa.list_(pa.int64())),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    found = collect(source(tmp_path, path="t.parquet"), "t")
    assert found.types == ["decimal128(12, 2)", "timestamp[us, tz=UTC]", "int16", "list<element: int64>"]
    assert found.column("d") == [D("1.50"), None]
    columns = described(source(tmp_path))["t"].columns
    assert [c.type for c in columns] == ["DECIMAL(12,2)", "TIMESTAMP WITH TIME ZONE", "SMALLINT", ""]


def test_parquet_of_several_files(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t_1.parquet")
    pq.write_table(pa.table({"a": [2]}), tmp_path / "t_2.parquet")
    tables = {"t": {"path": "t_*.parquet"}}
    assert collect(source(tmp_path, tables=tables), "t").rows == [(1,), (2,)]
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "t_3.parquet")
    with pytest.raises(ConnectorError, match=r"lacks a \(int64\) and has a \(string\) besides"):
        collect(source(tmp_path, tables=tables), "t")


def test_parquet_that_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"t.parquet": "x"})
    assert failure(tmp_path, "x", name="t.parquet")[0].startswith("t.parquet: not a readable Parquet file")
