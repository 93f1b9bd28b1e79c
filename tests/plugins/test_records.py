"""Records of APIs as typed rows: exact or set aside, and the same whether a column is read at once or value by value."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.plugins import Column, ConfigError, Rejected
from cadran.plugins.typed.records import Records, turned
from cadran.plugins.typed.shapes import Plain, Shapes
from cadran.plugins.typed.values import Misfit, exact, kind

FULL = "CADRAN_FULL" in os.environ
many = settings(max_examples=2000 if FULL else 80, deadline=None)
TZ = "TIMESTAMP WITH TIME ZONE"
UTC = dt.UTC
BAD = "set aside"


def one(type_: str, value: Any, **settings: Any) -> Any:
    """What becomes of one value."""
    batch, rejected = Records([Column("x", type_)], **settings).batch([{"x": value}])
    assert batch.num_rows + len(rejected) == 1
    return rejected[0].reason if rejected else batch.to_pylist()[0]["x"]


# --- what each type takes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["VARCHAR", "JSON", "BIGINT", "DECIMAL(18,2)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", TZ])  # fmt: skip
def test_a_number_of_thousands_of_digits_is_set_aside(type_: str) -> None:
    """Python refuses to write one."""
    assert "a number" in one(type_, 10**5000)


@pytest.mark.parametrize(
    ("type_", "value", "wanted"),
    [
        ("VARCHAR", "", ""),
        ("VARCHAR", " é ", " é "),
        ("VARCHAR", None, None),
        ("VARCHAR", 12, "12"),
        ("VARCHAR", Decimal("12.50"), "12.50"),
        ("VARCHAR", True, "true"),
        ("VARCHAR", {"b": 1, "a": [Decimal("1.10"), None]}, '{"a":[1.10,null],"b":1}'),
        ("VARCHAR", "cut \ud83d", "cut \ufffd"),
        ("JSON", {"b": 1, "a": [Decimal("1.10"), None]}, '{"a":[1.10,null],"b":1}'),
        ("JSON", "text", '"text"'),
        ("JSON", "", None),
        ("JSON", 10**30, "1000000000000000000000000000000"),
        ("JSON", ["cut \ud83d"], '["cut \ufffd"]'),
        ("JSON", [Decimal("NaN")], BAD),
        ("BIGINT", "", None),
        ("BIGINT", "007", 7),
        ("BIGINT", "-5", -5),
        ("BIGINT", "+5", 5),
        ("BIGINT", "12.0", 12),
        ("BIGINT", Decimal("1E+3"), 1000),
        ("BIGINT", "0x1F", BAD),
        ("BIGINT", "1_000", BAD),
        ("BIGINT", "١", BAD),
        ("BIGINT", " 1", BAD),
        ("BIGINT", Decimal("12.5"), BAD),
        ("BIGINT", True, BAD),
        ("BIGINT", 12.0, BAD),  # a float was rounded by whoever made it
        ("BIGINT", [1], BAD),
        ("BIGINT", 2**63 - 1, 2**63 - 1),
        ("BIGINT", str(-(2**63)), -(2**63)),
        ("BIGINT", 2**63, BAD),
        ("BIGINT", "9223372036854775808", BAD),
        ("BIGINT", Decimal("1e4000"), BAD),
        ("DECIMAL(18,2)", "12.5", Decimal("12.50")),
        ("DECIMAL(18,2)", "12.500", Decimal("12.50")),
        ("DECIMAL(18,2)", Decimal("12.500"), Decimal("12.50")),
        ("DECIMAL(18,2)", 12, Decimal("12.00")),
        ("DECIMAL(18,2)", "1.5E3", Decimal("1500.00")),
        ("DECIMAL(18,2)", Decimal("-0.00"), Decimal("0.00")),
        ("DECIMAL(18,2)", "12.505", BAD),
        ("DECIMAL(18,2)", Decimal("12.505"), BAD),
        ("DECIMAL(18,2)", Decimal("1e-4000"), BAD),
        ("DECIMAL(18,2)", Decimal("NaN"), BAD),
        ("DECIMAL(18,2)", Decimal("Infinity"), BAD),
        ("DECIMAL(18,2)", "9" * 16 + ".99", Decimal("9" * 16 + ".99")),
        ("DECIMAL(18,2)", "1" + "0" * 16, BAD),
        ("DECIMAL(18,2)", 10**16, BAD),
        ("DECIMAL(18,2)", False, BAD),
        ("DECIMAL(18,2)", 0.1, BAD),
        ("DECIMAL(18,2)", "12,5", BAD),
        ("DECIMAL(38,0)", "9" * 38, Decimal("9" * 38)),
        ("DECIMAL(2,2)", ".25", Decimal("0.25")),
        ("DECIMAL(2,2)", "1", BAD),
        ("DECIMAL(18,15)", Decimal("0.000000000000017"), Decimal("0.000000000000017")),
        ("DECIMAL(18,2)", Decimal("0E-18"), Decimal("0.00")),
        ("DECIMAL(18,2)", Decimal("1.7E-14"), BAD),
        ("DECIMAL(38,0)", Decimal("4.6E-52"), BAD),  # Arrow makes 0 of it
        ("DECIMAL", "33.333333333", Decimal("33.333333333")),
        ("DECIMAL", "33.333333333333336", BAD),
        ("DECIMAL", "732983868533591507092247098196", BAD),  # Arrow makes 52419134691714580165497883332.463577088 of it
        ("DECIMAL", "0." + "7" * 48, BAD),
        ("DECIMAL", Decimal("0." + "7" * 48), BAD),
        ("DECIMAL(18,2)", "9" * 5000, BAD),
        ("DECIMAL(18,2)", "12345678901234567.0" + "0" * 50, BAD),
        ("DECIMAL(18,2)", "12.50" + "0" * 50, Decimal("12.50")),
        ("BIGINT", "9" * 5000, BAD),
        ("DOUBLE", "33.333333333333336", 33.333333333333336),
        ("DOUBLE", Decimal("0.1"), 0.1),
        ("DOUBLE", 0.1, 0.1),
        ("DOUBLE", 10**20, 1e20),
        ("DOUBLE", "1e400", BAD),
        ("DOUBLE", Decimal("1e400"), BAD),
        ("DOUBLE", float("nan"), BAD),
        ("DOUBLE", "inf", BAD),
        ("DOUBLE", True, BAD),
        ("BOOLEAN", True, True),
        ("BOOLEAN", "TRUE", True),
        ("BOOLEAN", "no", False),
        ("BOOLEAN", 0, False),
        ("BOOLEAN", "", None),
        ("BOOLEAN", "ja", BAD),
        ("BOOLEAN", 2, BAD),
        ("DATE", "2026-03-31", dt.date(2026, 3, 31)),
        ("DATE", "2026-02-30", BAD),
        ("DATE", "0000-01-01", BAD),
        ("DATE", "9999-12-31", dt.date(9999, 12, 31)),
        ("DATE", "20260331", BAD),
        ("DATE", "2026-W01-1", BAD),
        ("DATE", "2026-03-31T00:00:00Z", BAD),
        ("DATE", 20260331, BAD),
        ("TIMESTAMP", "2026-03-31T12:00:00.5", dt.datetime(2026, 3, 31, 12, 0, 0, 500000)),
        ("TIMESTAMP", "2026-03-31", dt.datetime(2026, 3, 31)),
        ("TIMESTAMP", "2026-03-31 9:05", dt.datetime(2026, 3, 31, 9, 5)),
        ("TIMESTAMP", "2026-03-31T12:00:00Z", BAD),
        (TZ, "2026-03-31T12:00:00.123Z", dt.datetime(2026, 3, 31, 12, 0, 0, 123000, UTC)),
        (TZ, "2026-03-31T12:00:00.000+0000", dt.datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (TZ, "2026-03-31 12:00:00-05:30", dt.datetime(2026, 3, 31, 17, 30, tzinfo=UTC)),
        (TZ, "2026-03-31T12:00:00.1234567Z", dt.datetime(2026, 3, 31, 12, 0, 0, 123456, UTC)),
        (TZ, "2026-03-31 12:00:00 UTC", dt.datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (TZ, "2026-03-31T12:00:00", BAD),
        (TZ, "2026-03-31", BAD),
        (TZ, "2026-03-31T25:00:00Z", BAD),
        (TZ, "2026-03-31T12:00:00+24:00", BAD),
        (TZ, "0001-01-01T00:00:00+01:00", BAD),
        (TZ, 1774958400000, BAD),  # nobody said that these are milliseconds
    ],
)  # fmt: skip
def test_a_value(type_: str, value: Any, wanted: Any) -> None:
    found = one(type_, value)
    if wanted is BAD:
        assert isinstance(found, str) and found.startswith("x: ")
    else:
        assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    ("type_", "value", "wanted"),
    [
        (TZ, 1774958400000, dt.datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (TZ, "1774958400123", dt.datetime(2026, 3, 31, 12, 0, 0, 123000, UTC)),
        (TZ, "2026-03-31T12:00:00Z", dt.datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (TZ, -1, dt.datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
        (TZ, 10**18, BAD),
        (TZ, True, BAD),
        (TZ, "", None),
        ("TIMESTAMP", 0, dt.datetime(1970, 1, 1)),
        ("DATE", "1774915200000", dt.date(2026, 3, 31)),
        ("DATE", "2026-03-31", dt.date(2026, 3, 31)),
        ("DATE", 1774958400000, BAD),  # noon is no day
    ],
)
def test_milliseconds_where_they_are_meant(type_: str, value: Any, wanted: Any) -> None:
    found = one(type_, value, epoch=["x"])
    assert found.startswith("x: ") if wanted is BAD else found == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2026-03-31 12:00:00", dt.datetime(2026, 3, 31, 12, tzinfo=UTC)),
        ("2026-03-31", dt.datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31T12:00:00+02:00", dt.datetime(2026, 3, 31, 10, tzinfo=UTC)),
        ("noon", BAD),
    ],
)
def test_times_without_an_offset_where_they_are_utc(value: str, wanted: Any) -> None:
    found = one(TZ, value, utc=True)
    assert found.startswith("x: ") if wanted is BAD else found == wanted


@pytest.mark.parametrize("type_", ["", "TEXT", "DECIMAL(39,2)", "DECIMAL(2,3)", "DECIMAL(0,0)", "INTEGER"])
def test_a_type_that_no_records_have(type_: str) -> None:
    with pytest.raises(ConfigError, match="is no type of records"):
        Records([Column("x", type_)])


# --- records -----------------------------------------------------------------------------------------------------------------


DEALS = (Column("id", "BIGINT"), Column("amount", "DECIMAL(18,2)"), Column("closed", "DATE"))


def test_what_does_not_fit_is_set_aside_with_all_its_reasons() -> None:
    batch, rejected = Records(DEALS, key=["id"]).batch(
        [
            {"id": "1", "amount": "10.50", "closed": "2026-03-31", "more": "is not asked for"},
            {"id": "2", "amount": "10.505", "closed": "2026-02-30"},
            {"id": "3"},
            {"id": "4", "amount": "x" * 100},
        ],
        "deals",
    )
    assert batch.to_pylist() == [
        {"id": 1, "amount": Decimal("10.50"), "closed": dt.date(2026, 3, 31)},
        {"id": 3, "amount": None, "closed": None},
    ]
    assert rejected == [
        Rejected("deals, id 2", "amount: '10.505' has more than 2 digits behind the point; closed: '2026-02-30' is a day that does not exist"),
        Rejected("deals, id 4", f"amount: '{'x' * 58}… is no number"),
    ]  # fmt: skip


def test_without_a_key_it_says_which_record() -> None:
    _, [first] = Records(DEALS).batch([{}, {"id": "x"}])
    _, [second] = Records(DEALS).batch(iter([{"id": "x"}]), "page 3")
    assert (first.place, second.place) == ("record 2", "page 3, record 1")


@pytest.mark.parametrize("records", [[], [{}], [{"id": None}], [{"amount": ""}, {}]])
def test_the_types_are_the_same_whatever_comes(records: list[dict[str, Any]]) -> None:
    columns = [*DEALS, Column("t", TZ), Column("l", "TIMESTAMP"), Column("j", "JSON"), Column("d", "DECIMAL"), Column("f", "DOUBLE"), Column("b", "BOOLEAN")]  # fmt: skip
    batch, rejected = Records(columns).batch(records)
    assert rejected == [] and batch.num_rows == len(records) and batch.schema == Records(columns).schema
    assert list(map(str, batch.schema.types)) == [
        "int64", "decimal128(18, 2)", "date32[day]", "timestamp[us, tz=UTC]", "timestamp[us]", "string", "decimal128(38, 9)", "double", "bool",
    ]  # fmt: skip
    assert duckdb.sql("SELECT count(*) FROM batch").fetchall() == [(len(records),)]


# --- against naive models -----------------------------------------------------------------------------------------------------

_NUMBERS = st.integers(-(10**21), 10**21) | st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.builds(
    Decimal, st.from_regex(r"\A-?[0-9]{1,12}(\.[0-9]{1,6})?(E[-+]?[0-9]{1,2})?\Z")
)  # fmt: skip


_LONG = st.from_regex(r"\A-?[0-9]{0,60}\.[0-9]{1,60}\Z").map(Decimal)


@many
@given(
    values=st.lists(_NUMBERS | _NUMBERS.map(str) | st.none(), max_size=8) | st.lists(_LONG, max_size=3) | st.lists(_LONG.map(str), max_size=3),
    scale=st.integers(0, 6),
    width=st.integers(7, 38),
)  # fmt: skip
def test_a_number_keeps_its_value_or_is_set_aside(values: list[Any], scale: int, width: int) -> None:
    rows = [{"x": value, "n": number} for number, value in enumerate(values)]
    for type_, whole in ((f"DECIMAL({width},{scale})", False), ("BIGINT", True)):
        batch, rejected = Records([Column("x", type_), Column("n", "BIGINT")], key=["n"]).batch(rows)
        found = {row["n"]: row["x"] for row in batch.to_pylist()}
        for number, value in enumerate(values):
            meant = None if value is None else Fraction(Decimal(value))
            digits = 0 if whole else scale
            low, high = (-(2**63), 2**63 - 1) if whole else (-(10**width) + 1, 10**width - 1)
            fits = meant is None or (
                (meant * 10**digits).denominator == 1 and low <= meant * 10**digits <= high
            )
            assert (number in found) is fits, (type_, value)
            if fits:
                assert found[number] is None if meant is None else Fraction(found[number]) == meant
        assert len(found) + len(rejected) == len(values)


_WRITTEN = (
    st.from_regex(r"\A[-+]?[0-9]{0,3}[.]?[0-9]{0,3}\Z")
    | st.from_regex(r"\A(19|20|00|99)[0-9]{2}-[01][0-9]-[0-3][0-9]([ T][0-9]{1,2}:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?(Z| UTC|[+-][01][0-9](:?[0-5][0-9])?)?)?\Z")
    | st.sampled_from(["true", "False", "T", "yes", "N", "1", "0", "", " ", "nan", "inf", "0x1F", "1_0", "-", ".", "é", "1\n"])
    | st.text("0123456789-+.:TZ x", max_size=12)
)  # fmt: skip


@pytest.fixture(scope="module")
def read_as_files() -> Callable[[str, list[str]], list[tuple[Any, bool]]]:
    """The SQL that files are read with: values, and whether one lies in a year that Python does not know."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")

    def read(type_: str, texts: list[str]) -> list[tuple[Any, bool]]:
        rules = Shapes(Plain()).declared(type_)
        cases = " ".join(f"WHEN {rule.fits('x')} THEN {rule.cast.format(x='x')}" for rule in rules)
        sql = f"SELECT CAST(CASE {cases} END AS {type_}) AS v, v::VARCHAR LIKE '%BC%' OR v::VARCHAR LIKE '1____-%'"
        return con.execute(f"{sql} FROM (SELECT unnest(?) AS x)", [texts]).fetchall()

    return read


@settings(max_examples=1000 if FULL else 25, deadline=None)
@given(texts=st.lists(_WRITTEN, min_size=1, max_size=25))
@pytest.mark.parametrize("type_", ["BIGINT", "DECIMAL(7,2)", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", TZ])
def test_a_text_is_read_as_the_files_connector_reads_it(
    type_: str, texts: list[str], read_as_files: Any
) -> None:
    """Apart from what is named here, which is exact as well."""
    batch, _ = Records([Column("x", type_), Column("n", "BIGINT")]).batch(
        [{"x": text, "n": n} for n, text in enumerate(texts)]
    )
    found = {row["n"]: row["x"] for row in batch.to_pylist()}
    for number, (text, (value, out_of_time)) in enumerate(
        zip(texts, read_as_files(type_, texts), strict=True)
    ):
        if not text:
            assert found[number] is None
        elif out_of_time or (value is not None and re.search("[ T]24:", text)):
            assert number not in found, text  # Python knows no such year or hour
        elif value is not None:
            assert found.get(number, BAD) == value, text
        elif number in found:
            hour_alone = re.fullmatch(r".{10}[ T][0-9]{1,2}([-+Z].*| UTC)?", text)
            assert hour_alone or (type_ == "BIGINT" and text.endswith(".")), text


_ANY = (
    _NUMBERS
    | _WRITTEN
    | st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)


@many
@given(
    values=st.lists(_ANY, max_size=4) | st.lists(_NUMBERS, max_size=6) | st.lists(_WRITTEN | st.none(), max_size=6) | st.lists(st.floats(), max_size=3),
    type_=st.sampled_from(["VARCHAR", "JSON", "BIGINT", "DECIMAL(7,2)", "DECIMAL", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", TZ]),
    told=st.booleans(),
    utc=st.booleans(),
)  # fmt: skip
def test_a_column_at_once_is_its_values_one_by_one(
    values: list[Any], type_: str, told: bool, utc: bool
) -> None:
    same_at_once(values, type_, told=told, utc=utc)


def same_at_once(values: list[Any], type_: str, *, told: bool = False, utc: bool = False) -> None:
    columns = Records([Column("x", type_), Column("n", "BIGINT")], epoch=["x"] if told else (), utc=utc)
    batch, rejected = columns.batch([{"x": value, "n": number} for number, value in enumerate(values)])
    wanted, misfits = [], 0
    for number, value in enumerate(values):
        try:
            wanted.append({"x": exact(kind(type_, epoch=told, utc=utc), value), "n": number})
        except Misfit:
            misfits += 1
    assert (
        batch.equals(pa.RecordBatch.from_pylist(wanted, schema=columns.schema)) and len(rejected) == misfits
    )


_SMALL = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(-(10**17), 10**17), st.integers(0, 60)
)


@many
@given(
    values=st.lists(_SMALL | st.integers(-99, 99) | st.none(), max_size=6),
    type_=st.sampled_from(["DECIMAL(38,0)", "DECIMAL(18,15)", "DECIMAL", "DECIMAL(38,37)"]),
)
def test_small_decimals_are_exact_or_set_aside(values: list[Any], type_: str) -> None:
    """Python writes them with an exponent, which Arrow takes for nothing from some size on."""
    same_at_once(values, type_)


@many
@given(
    texts=st.lists(_WRITTEN | st.none(), max_size=6) | st.lists(_SMALL.map(str), max_size=3) | st.lists(_LONG.map(str), max_size=3),
    type_=st.sampled_from(["VARCHAR", "JSON", "BIGINT", "DECIMAL(7,2)", "DECIMAL", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", TZ]),
    utc=st.booleans(),
)  # fmt: skip
def test_texts_of_arrow_are_read_as_those_of_python(texts: list[str | None], type_: str, utc: bool) -> None:
    """Empty ones are NULL."""
    numbers = list(range(len(texts)))
    records = Records([Column("x", type_), Column("n", "BIGINT")], utc=utc, key=["n", "x"])
    rows = [{"x": text or None, "n": number} for text, number in zip(texts, numbers, strict=True)]
    batch, rejected = records.batch(rows, "t")
    assert records.columns_batch([[row["x"] for row in rows], numbers], "t") == (batch, rejected)
    found, aside = records.columns_batch([pa.array(texts, pa.string()), numbers], "t")
    assert found.equals(batch) and [each.reason for each in aside] == [each.reason for each in rejected]
    assert [each.place for each in aside] == [each.place for each in rejected]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], [[], [], []]),
        ([{}, {}], [[None, None], [None, None], [None, None]]),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4, "c": 5}], [[1, 3], [2, 4], [None, 5]]),
        ([{"a": 1, "b": 2, "c": 3}, {"b": 4}], [[1, None], [2, 4], [3, None]]),
    ],
)
def test_rows_are_turned_into_columns(rows: list[dict[str, int]], wanted: list[list[Any]]) -> None:
    assert [list(column) for column in turned(rows, ["a", "b", "c"])] == wanted
    assert [list(column) for column in turned(rows, ["c", "c"])] == [wanted[2], wanted[2]]


@many
@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8))  # fmt: skip
def test_nested_values_are_the_same_text_whatever_their_order(value: Any) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return list(map(turned, value)) if isinstance(value, list) else value

    text = one("JSON", value)
    assert text == one("JSON", turned(value))
    if text is not None:
        assert json.loads(text, parse_float=Decimal) == value


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1, 2]], "1 columns came for 2: give one for each of id, name, in this order"),
        ([[1], ["a"], ["b"]], "3 columns came for 2"),
        ([[1, 2], ["a"]], "the columns are of different lengths: id 2, name 1"),
    ],
)
def test_columns_that_do_not_fit_are_said(values: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Records([Column("id", "BIGINT"), Column("name", "VARCHAR")]).columns_batch(values)
