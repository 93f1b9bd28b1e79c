"""Types of columns in CSV: inferred from the whole file, or declared."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from plugins.reading import failure, read

UTC = dt.UTC


def column(folder: Path, values: list[str], **config: Any) -> tuple[str, list[Any]]:
    """Type and values of a column ``x`` that stands beside another one, which is constant."""
    text = "x;y\n" + "".join(f"{value};1\n" for value in values)
    found = read(folder, text, delimiter=";", **config)
    return found.types[0], found.column("x")


INFERRED: dict[str, tuple[list[str], str, list[Any]]] = {
    "integers": (["1", "-20", "0"], "int64", [1, -20, 0]),
    "integers up to 18 digits": (["999999999999999999", "1"], "int64", [999999999999999999, 1]),
    "integers beyond": (["1" * 38, "2"], "decimal128(38, 0)", [D("1" * 38), D(2)]),
    "integers that nothing holds are ids": (["1" * 39, "2"], "string", ["1" * 39, "2"]),
    "leading zeros are ids": (["00012", "12"], "string", ["00012", "12"]),
    "a lone zero is a number": (["0", "12"], "int64", [0, 12]),
    "phone numbers": (["+33123456789", "33123456789"], "string", ["+33123456789", "33123456789"]),
    "decimals": (["1", "2.5", "-0.25"], "decimal128(18, 2)", [D("1"), D("2.5"), D("-0.25")]),
    "decimals without a whole part": ([".5", "-.25"], "decimal128(18, 2)", [D("0.5"), D("-0.25")]),
    "decimals without a fraction": (["144.", "1.5"], "decimal128(18, 1)", [D("144"), D("1.5")]),
    "decimals as wide as their values": (
        ["1234567890123456789.12", "0.123"],
        "decimal128(22, 3)",
        [D("1234567890123456789.12"), D("0.123")],
    ),
    "decimals of 38 digits": (["0." + "3" * 37, "1"], "decimal128(38, 37)", [D("0." + "3" * 37), D(1)]),
    "decimals with leading zeros": (["01.5", "1.5"], "string", ["01.5", "1.5"]),
    "exponents": (["1e-5", "2.5E10", "3"], "double", [1e-5, 2.5e10, 3.0]),
    "codes that look like exponents": (["12E4", "13E5"], "string", ["12E4", "13E5"]),
    "numbers beyond floats": (["1.5e400", "1"], "string", ["1.5e400", "1"]),
    "not a number": (["nan", "1"], "string", ["nan", "1"]),
    "thousands unless said": (["1,234", "1"], "string", ["1,234", "1"]),
    "booleans in any case": (["true", "FALSE", "True"], "bool", [True, False, True]),
    "yes and no": (["Yes", "No"], "string", ["Yes", "No"]),
    "booleans and numbers": (["true", "1"], "string", ["true", "1"]),
    "dates": (["2026-01-31", "1999-12-01"], "date32[day]", [dt.date(2026, 1, 31), dt.date(1999, 12, 1)]),
    "dates of another order": (["31/01/2026", "01/02/2026"], "string", ["31/01/2026", "01/02/2026"]),
    "shaped like dates, but none": (["1234-56-78", "2345-67-89"], "string", ["1234-56-78", "2345-67-89"]),
    "timestamps": (
        ["2026-01-31 10:20", "2026-01-31T10:20:30", "2026-01-31 9:20:30.25"],
        "timestamp[us]",
        [
            dt.datetime(2026, 1, 31, 10, 20),
            dt.datetime(2026, 1, 31, 10, 20, 30),
            dt.datetime(2026, 1, 31, 9, 20, 30, 250000),
        ],
    ),
    "timestamps among dates": (
        ["2026-01-31", "2026-01-31 10:20"],
        "timestamp[us]",
        [dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31, 10, 20)],
    ),
    "digits after microseconds are cut, never rounded up": (
        ["2026-12-31 23:59:59.9999999"],
        "timestamp[us]",
        [dt.datetime(2026, 12, 31, 23, 59, 59, 999999)],
    ),
    "timestamps with a zone": (
        [
            "2026-01-31T10:20:00Z",
            "2026-01-31 10:20:00+02:00",
            "2026-01-31T10:20:00-0130",
            "2026-01-31 10:20 UTC",
        ],
        "timestamp[us, tz=UTC]",
        [
            dt.datetime(2026, 1, 31, 10, 20, tzinfo=UTC),
            dt.datetime(2026, 1, 31, 8, 20, tzinfo=UTC),
            dt.datetime(2026, 1, 31, 11, 50, tzinfo=UTC),
            dt.datetime(2026, 1, 31, 10, 20, tzinfo=UTC),
        ],
    ),
    "zones on some only": (
        ["2026-01-31T10:20:00Z", "2026-01-31T10:20:00"],
        "string",
        ["2026-01-31T10:20:00Z", "2026-01-31T10:20:00"],
    ),
    "nothing but empty fields": (["", ""], "string", [None, None]),
    "empty fields among numbers": (["", "1"], "int64", [None, 1]),
    "blanks are part of a value": ([" 1", "2"], "string", [" 1", "2"]),
    "text": (["a", "b"], "string", ["a", "b"]),
}


@pytest.mark.parametrize("case", INFERRED)
def test_inferred(case: str, tmp_path: Path) -> None:
    values, type_, expected = INFERRED[case]
    assert column(tmp_path, values) == (type_, expected)


def test_the_whole_file_counts_not_a_sample(tmp_path: Path) -> None:
    values = ["1"] * 30_000
    assert column(tmp_path, values)[0] == "int64"
    assert column(tmp_path, [*values, "x"])[0] == "string"
    assert column(tmp_path, [*values, "1.5"])[0] == "decimal128(18, 1)"
    assert column(tmp_path, [*values, "00012"])[0] == "string"


WITH_OPTIONS: dict[str, tuple[dict[str, Any], list[str], str, list[Any]]] = {
    "decimal comma": ({"decimal": ","}, ["1,5", "2"], "decimal128(18, 1)", [D("1.5"), D("2")]),
    "a point is then no decimal": ({"decimal": ","}, ["1.5", "2,5"], "string", ["1.5", "2,5"]),
    "thousands": (
        {"decimal": ",", "thousands": "."},
        ["1.234.567,89", "1234,5", "12"],
        "decimal128(18, 2)",
        [D("1234567.89"), D("1234.5"), D("12")],
    ),
    "thousands in integers": ({"thousands": " "}, ["1 234", "56"], "int64", [1234, 56]),
    "groups of two are no thousands": ({"thousands": ","}, ["12,34", "1"], "string", ["12,34", "1"]),
    "date_format": (
        {"date_format": "%d/%m/%Y"},
        ["31/01/2026", "1/2/2026"],
        "date32[day]",
        [dt.date(2026, 1, 31), dt.date(2026, 2, 1)],
    ),
    "years of two digits are none of four": (
        {"date_format": "%d/%m/%Y"},
        ["31/01/26", "1/2/2026"],
        "string",
        ["31/01/26", "1/2/2026"],
    ),
    "ISO dates beside date_format": (
        {"date_format": "%d/%m/%Y"},
        ["2026-01-31"],
        "date32[day]",
        [dt.date(2026, 1, 31)],
    ),
    "timestamp_format": (
        {"timestamp_format": "%d.%m.%y %H:%M"},
        ["31.01.26 10:20"],
        "timestamp[us]",
        [dt.datetime(2026, 1, 31, 10, 20)],
    ),
    "timestamp_format with a zone": (
        {"timestamp_format": "%d.%m.%Y %H:%M %z"},
        ["31.01.2026 10:20 +0200"],
        "timestamp[us, tz=UTC]",
        [dt.datetime(2026, 1, 31, 8, 20, tzinfo=UTC)],
    ),
    "nulls": ({"nulls": ["", "Select"]}, ["Select", "1", ""], "int64", [None, 1, None]),
    "only what nulls says is NULL": ({"nulls": ["Select"]}, ["Select", "", "a"], "string", [None, "", "a"]),
    "no nulls at all": ({"nulls": []}, ["", "a"], "string", ["", "a"]),
}


@pytest.mark.parametrize("case", WITH_OPTIONS)
def test_inferred_with_options(case: str, tmp_path: Path) -> None:
    options, values, type_, expected = WITH_OPTIONS[case]
    assert column(tmp_path, values, **options) == (type_, expected)


DECLARED: dict[str, tuple[list[str], str, list[Any]]] = {
    "text": (["00012", "1.50"], "string", ["00012", "1.50"]),
    "VARCHAR": (["1"], "string", ["1"]),
    "int": (["1", "-007", "+5", "3.0"], "int32", [1, -7, 5, 3]),
    "integer": (["1"], "int32", [1]),
    "BigInt": (["9223372036854775807"], "int64", [9223372036854775807]),
    "decimal(12,2)": (
        ["1", "1.5", "1.500", ".5", "-0.25"],
        "decimal128(12, 2)",
        [D(1), D("1.5"), D("1.5"), D("0.5"), D("-0.25")],
    ),
    "Decimal( 12 , 2 )": (["1"], "decimal128(12, 2)", [D(1)]),
    "decimal(5)": (["12.0"], "decimal128(5, 0)", [D(12)]),
    "double": (["1", "1.5", "1e3", "12E4"], "double", [1.0, 1.5, 1000.0, 120000.0]),
    "boolean": (["true", "F", "Yes", "n", "1", "0"], "bool", [True, False, True, False, True, False]),
    "date": (["2026-01-31"], "date32[day]", [dt.date(2026, 1, 31)]),
    "timestamp": (
        ["2026-01-31", "2026-01-31T10:00"],
        "timestamp[us]",
        [dt.datetime(2026, 1, 31), dt.datetime(2026, 1, 31, 10)],
    ),
    "timestamptz": (
        ["2026-01-31T10:00Z"],
        "timestamp[us, tz=UTC]",
        [dt.datetime(2026, 1, 31, 10, tzinfo=UTC)],
    ),
}


@pytest.mark.parametrize("type_", DECLARED)
def test_declared(type_: str, tmp_path: Path) -> None:
    values, arrow, expected = DECLARED[type_]
    assert column(tmp_path, [*values, ""], types={"X": type_}) == (arrow, [*expected, None])


NOT_OF_THE_TYPE = [
    ("integer", "1.5", "'1.5' is not an integer"),
    ("integer", "2147483648", "'2147483648' is not an integer"),
    ("integer", "abc", "'abc' is not an integer"),
    ("integer", " 1", "' 1' is not an integer"),
    ("decimal(12,2)", "1.005", "'1.005' is not a decimal(12,2)"),
    ("decimal(4,2)", "100", "'100' is not a decimal(4,2)"),
    ("decimal(12,2)", "1,5", "'1,5' is not a decimal(12,2)"),
    ("decimal(12,2)", ".", "'.' is not a decimal(12,2)"),
    ("decimal(12,2)", "1e2", "'1e2' is not a decimal(12,2)"),
    ("double", "1e400", "'1e400' is not a double"),
    ("boolean", "2", "'2' is not a boolean"),
    ("date", "2026-02-30", "'2026-02-30' is not a date"),
    ("date", "2026-02-03 10:00", "'2026-02-03 10:00' is not a date"),
    ("date", "31/01/2026", "'31/01/2026' is not a date"),
    ("timestamp", "2026-02-03T10:00Z", "'2026-02-03T10:00Z' is not a timestamp (without a zone)"),
    ("timestamptz", "2026-02-03T10:00", "'2026-02-03T10:00' is not a timestamptz (a timestamp with a zone)"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "message"), NOT_OF_THE_TYPE)
def test_a_value_that_is_not_of_its_columns_type_fails(
    type_: str, value: str, message: str, tmp_path: Path
) -> None:
    told = failure(tmp_path, f"x;y\n;1\n{value};2\n", delimiter=";", types={"x": type_})
    assert told[0] == f"t.csv:3: x: {message}"
    assert "on_bad_row: quarantine" in told[-1]


def test_what_looks_like_dates_and_mostly_is_has_bad_values(tmp_path: Path) -> None:
    told = failure(tmp_path, "d,y\n2026-02-28,1\n2026-02-30,1\n2026-03-01,1\n")
    assert told[0] == "t.csv:3: d: '2026-02-30' does not exist"


def test_decimals_that_no_type_holds_must_be_declared(tmp_path: Path) -> None:
    content = f"x,y\n1,1\n0.{'3' * 30},1\n1234567890.5,1\n"
    assert failure(tmp_path, content) == [
        f"t.csv:3: x: the column's numbers need more than 38 digits: '0.{'3' * 30}'",
        "declare what it is: 'types: {x: double}', or text",
    ]
    assert read(tmp_path, content, types={"x": "double"}).types[0] == "double"


BAD_SETTINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"types": {"x": "decimal(39,2)"}}, "'decimal(39,2)' does not exist", "1 to 38 digits"),
    ({"types": {"x": "integr"}}, "unknown type 'integr'", "did you mean 'integer'?"),
    ({"types": {"x": "hugeint[]"}}, "unknown type 'hugeint[]'", "known are"),
    ({"date_format": "%Q"}, "'%Q' is not known in date_format", "%d"),
    ({"date_format": "%d %H"}, "date_format holds a time of day", "timestamp_format"),
    ({"encoding": "utf-99"}, "unknown encoding 'utf-99'", "cp1252"),
    ({"encoding": "base64"}, "unknown encoding 'base64'", "cp1252"),
    ({"decimal": ",", "thousands": ","}, "thousands and decimal must be different signs", ""),
    ({"delimiter": '"'}, "delimiter and quote must be different signs", ""),
    ({"delimiter": "\n"}, "a line break cannot be the delimiter", ""),
]


@pytest.mark.parametrize(("settings", "message", "hint"), BAD_SETTINGS)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str, hint: str, tmp_path: Path) -> None:
    told = failure(tmp_path, "x,y\n1,2\n", **settings)
    assert told[0] == message
    assert hint in told[-1]
