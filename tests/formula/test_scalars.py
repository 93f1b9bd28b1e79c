"""The closed list: every example gives what is documented, and everything else is refused with a message."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from cadran.formula.scalars import CLOCK, OPERATORS, SAMPLE, SCALARS, SPELLINGS, Scalar, reference
from cadran.formula.syntax import function_name, refused, refused_text, unknown

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AGGREGATES = ("count", "sum", "avg", "previous")


def corpus(name: str) -> list[tuple[str, str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" => ", 1) for line in lines if line and not line.startswith("# ")]
    return [(expression, message) for expression, message in pairs]


def tree_of(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


def findings(text: str, *, windows: bool = False, beyond: tuple[str, ...] = AGGREGATES) -> list[str]:
    nodes = tree_of(text).walk()
    found = [refused(node, windows=windows, beyond=beyond) for node in nodes]
    return [f"{message} ({hint})" for message, hint in filter(None, found)]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'Europe/Paris'")
        connection.execute("create table sample (customer text, day date, amount integer)")
        connection.executemany("insert into sample values (?, ?, ?)", SAMPLE)
        yield connection


def at_the_clock(node: exp.Expr) -> exp.Expr:
    """What the engine does with the two words that mean the run's clock."""
    name = function_name(node)
    if name == "now":
        return tree_of(f"timestamptz '{CLOCK}'")
    return tree_of(f"date '{CLOCK[:10]}'") if name == "current_date" else node


def results(database: duckdb.DuckDBPyConnection, text: str, table: str = "") -> str:
    """What DuckDB gives for ``text`` once it went through sqlglot, row by row, as the reference writes it."""
    sql = tree_of(text).transform(at_the_clock).sql(dialect="duckdb")
    source = f"from {table}" if table else "from (select 0 as rowid)"
    rows = database.execute(
        f"select x::varchar, typeof(x) from (select {sql} as x, rowid as n {source}) order by n"
    ).fetchall()
    return ", ".join("NULL" if v is None else f"'{v}'" if kind == "VARCHAR" else v for v, kind in rows)


@pytest.mark.parametrize("entry", [*OPERATORS, *SCALARS.values()], ids=lambda entry: entry.example)
def test_example(entry: Scalar, database: duckdb.DuckDBPyConnection) -> None:
    window = entry.group == "window"
    assert findings(entry.example, windows=window, beyond=()) == []
    assert refused_text(entry.example) == []
    assert results(database, entry.example, "sample" if window else "") == entry.result


@pytest.mark.parametrize("entry", SCALARS.values(), ids=lambda entry: entry.name)
def test_every_example_calls_its_function(entry: Scalar) -> None:
    assert entry.name in {function_name(node) for node in tree_of(entry.example).walk()}
    assert entry.signature.startswith(entry.name)


@pytest.mark.parametrize(("text", "message"), corpus("functions_refused.txt"))
def test_refused(text: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sqlglot")
    expression = text.removeprefix("columns: ")
    assert findings(expression, windows=expression != text)[:1] == [message]


@pytest.mark.parametrize(("text", "message"), corpus("functions_miswritten.txt"))
def test_miswritten(text: str, message: str) -> None:
    found = refused_text(text, beyond=("f", "y"))[0]
    assert f"{text[found.start : found.end + 1]}: {found.message} ({found.hint})" == message


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c.d.e.f + lines.\"Order Date\"",
        "case a when 'x' then 1 else 2 end",
        "case when a is null or not b then 1 end",
        "a not in (1, 2) and b not like 'x!_%' escape '!'",
        "x::decimal(12, 2) -- a comment",
        "trim(both ' ' from a) || position('x' in b) || substring(a from 2 for 3)",
        "date_trunc('month', a) - interval 3 days + n * interval '1' week",
        "sum(a) filter (where b > 0) / count(distinct c)",
        "if(a > 0, least(a, b), -c)",
        '"left" = date and "Some name" > timestamp',
    ],
)  # fmt: skip
def test_allowed(text: str) -> None:
    assert findings(text) == []
    assert refused_text(text, beyond=AGGREGATES) == []


@pytest.mark.parametrize(
    "text",
    [
        "sum(a) over (partition by b order by c desc nulls first rows between 1 preceding and current row)",
        "sum(a) filter (where b) over ()",
        "sum(a) over (order by d range between interval '7' day preceding and current row)",
        "lag(a ignore nulls) over (order by b)",
    ],
)
def test_allowed_in_derived_columns(text: str) -> None:
    assert findings(text, windows=True) == []
    assert refused_text(text, beyond=AGGREGATES) == []
    assert findings(text) != []


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # round: half away from zero; a float is not always what it looks like
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(1.005, 2)", "1.01"),
        ("round(cast(1.005 as double), 2)", "1.0"),
        ("round(1250, -2)", "1300"),
        ("cast(2.5 as integer)", "3"),
        ("cast(cast(2.5 as double) as integer)", "2"),
        # NULL
        ("greatest(null, null)", "NULL"),
        ("least(2, null)", "2"),
        ("concat(null, null)", "''"),
        ("'a' || null", "NULL"),
        ("2 not in (1, null)", "NULL"),
        ("if(null, 1, 2)", "2"),
        # the same meaning after sqlglot's renaming
        ("10 - mod(7 + 1, 6 - 1) * 2", "4"),
        ("100 / power(2 + 3, 2)", "4.0"),
        ("log10(0.01)", "-2.0"),
        ("position('b' in 'abc')", "2"),
        ("substring('abcdef', -2)", "'ef'"),
        ("left('abc', -1)", "'ab'"),
        ("trim(leading '0' from '007')", "'7'"),
        ("regexp_replace('a b c', ' ', '')", "'ab c'"),
        ("regexp_extract('abc', '[0-9]')", "''"),
        ("split_part('a-b', '-', 3)", "''"),
        # days are local: one 23 hours long, one 25
        ("date_diff('day', timestamptz '2026-03-29 00:00+01', timestamptz '2026-03-30 00:00+02')", "1"),
        ("date_diff('hour', timestamptz '2026-03-29 00:00+01', timestamptz '2026-03-30 00:00+02')", "23"),
        ("date_diff('day', timestamptz '2026-10-25 00:00+02', timestamptz '2026-10-25 23:59+01')", "0"),
        ("date_diff('day', timestamptz '2026-03-28 22:59+00', timestamptz '2026-03-28 23:01+00')", "1"),
        ("date_diff('day', date '2026-03-29', timestamptz '2026-03-29 22:30+00')", "1"),
        ("date_diff('month', date '2026-01-31', date '2026-02-01')", "1"),
        ("date_diff('day', date_trunc('week', date '2026-03-08'), date_trunc('week', date '2026-03-09')) / 7", "1.0"),
        ("date_trunc('day', timestamptz '2026-03-28 23:30+00')", "2026-03-29 00:00:00+01"),
        ("year(timestamptz '2025-12-31 23:30+00')", "2026"),
        ("last_day(timestamptz '2026-01-31 23:30+00')", "2026-02-28"),
        ("timestamptz '2026-03-28 12:00+01' + interval '1' day", "2026-03-29 12:00:00+02"),
        ("current_date", "2026-03-15"),
    ],
)  # fmt: skip
def test_meaning(text: str, result: str, database: duckdb.DuckDBPyConnection) -> None:
    assert findings(text, beyond=()) == []
    assert refused_text(text) == []
    assert results(database, text) == result


# Other spellings of what is listed, for which sqlglot gives the very same nodes: let in by the tree, not by the text.
SAME_NODES = {
    "char_length", "character_length", "charindex", "date_from_parts", "date_to_date_str",
    "datefromparts", "dayofweek_iso", "endswith", "ifnull", "iif", "instr", "last_day_of_month", "lcase",
    "leftpad", "len", "locate", "nvl", "regexp_like", "rightpad", "signum", "startswith", "str_position",
    "time_to_time_str", "today", "ts_or_ds_to_date_str", "ucase",
}  # fmt: skip
# Functions to DuckDB or sqlglot that are words of the syntax here.
SYNTAX_WORDS = {"and", "case", "exists", "filter", "like", "or"}


def test_nothing_gets_in_by_another_name(
    database: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    """All functions that DuckDB has and all that sqlglot knows, called with up to three arguments."""
    caplog.set_level(logging.CRITICAL, logger="sqlglot")
    query = "select distinct function_name from duckdb_functions()"
    names = {name for (name,) in database.execute(query).fetchall()}
    names |= {name.lower() for name in sqlglot.Dialect.get_or_raise("duckdb").parser_class.FUNCTIONS}
    names = {name for name in names if re.fullmatch(r"[a-z_0-9]+", name)} - set(SPELLINGS) - SYNTAX_WORDS
    assert len(names) > 1000
    got_in = set()
    for call in (f"{name}({', '.join('abc'[:count])})" for name in names for count in range(4)):
        assert refused_text(call), call
        try:
            if not findings(call, windows=True, beyond=()):
                got_in.add(call.split("(")[0])
        except (sqlglot.ParseError, IndexError):  # IndexError: var_map with an odd number of arguments
            continue
    assert got_in == SAME_NODES


def test_unknown_function_suggests_what_the_caller_knows() -> None:
    assert unknown("rollin", ["rolling"]) == ("unknown function 'rollin'", "did you mean 'rolling'?")


@pytest.mark.parametrize(
    ("signature", "takes"),
    [
        ("now()", (0, 0)),
        ("current_date", (0, 0)),
        ("lag(x [, offset [, default]]) over (…)", (1, 3)),
        ("concat(a, b, …)", (2, None)),
        ("cast(x as type)", (2, 2)),
    ],
)
def test_signature_says_how_many_arguments(signature: str, takes: tuple[int, int | None]) -> None:
    assert Scalar("f", signature, "", "", "", "text").takes == takes


def test_reference_page(golden: bool) -> None:
    """``docs/functions.md`` is this list; the vocabulary between the marks is not ours."""
    page = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    marks = re.compile(r"(<!-- vocabulary -->\n)(.*)(<!-- /vocabulary -->)", re.DOTALL)
    if golden:
        words = marks.search(page)
        assert words
        page = marks.sub(lambda _: words[0], reference())
        (ROOT / "docs" / "functions.md").write_text(page, encoding="utf-8")
    assert marks.sub(r"\1\3", page) == reference()
