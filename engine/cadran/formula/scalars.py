"""The closed list of scalar functions, window functions and operators that an expression may use.

Data only, and the reference page made of it (``python -m cadran.formula.scalars`` prints the page). What a parsed
expression may hold is decided in :mod:`cadran.formula.syntax`, from this list. Every example is run in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Group = Literal["operator", "logic", "number", "text", "date", "conversion", "window"]

UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
PARTS = ("year", "isoyear", "quarter", "month", "week", "day", "doy", "isodow", "hour", "minute", "second")
TYPES = (
    "boolean",
    "integer",
    "bigint",
    "double",
    "decimal(18, 2)",
    "text",
    "date",
    "timestamp",
    "timestamptz",
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One entry; ``result`` is what the example gives, text in quotes, a window function's row by row.

    In a signature ``[, x]`` may be left out and ``…`` stands for more of the same.
    """

    name: str
    signature: str
    summary: str
    example: str
    result: str
    group: Group
    also: tuple[str, ...] = ()  # other spellings of the same function

    @property
    def takes(self) -> tuple[int, int | None]:
        """The fewest and the most arguments (None: no limit), as the signature has them."""
        inside = re.search(r"\((.*?)\)", self.signature)
        if not inside or not inside[1]:
            return 0, 0
        parts = [len(re.split(r",| from | in | as ", text)) for text in (inside[1].split("[")[0], inside[1])]
        return (parts[0] - 1, None) if "…" in inside[1] else (parts[0], parts[1])


OPERATORS: tuple[Scalar, ...] = tuple(
    Scalar(signature.split()[0], signature, summary, example, result, "operator")
    for signature, summary, example, result in (
        ("a + b, a - b, a * b, -a", "Arithmetic; NULL if a side is NULL.", "2 + 3 * -4", "-10"),
        ("a / b", "Division, never of whole numbers only; by zero there is no data.", "7 / 2", "3.5"),
        ("a = b, a <> b, a < b, a <= b, a > b, a >= b", "Comparison; NULL if a side is NULL.", "3 >= 2", "true"),
        ("a and b, a or b, not a", "Logic of true, false and NULL (unknown).", "false and null", "false"),
        ("x is [not] null, x is [not] true", "Never NULL itself; also is false.", "null is not true", "true"),
        ("a is [not] distinct from b", "Comparison that takes NULL for a value.", "1 is distinct from null", "true"),
        ("x [not] between a and b", "Both ends belong to it.", "2 between 1 and 2", "true"),
        ("x [not] in (a, b, …)", "One of the values listed; not in is never true if one is NULL.", "2 in (1, 2)", "true"),
        ("x [not] like pattern", "% is any text, _ one character; [escape '!'] makes them plain.", "'paid_social' like 'paid%'", "true"),
        ("x [not] ilike pattern", "like without regard to case.", "'Paid' ilike 'paid%'", "true"),
        ("a || b", "Texts one behind the other; NULL if a side is NULL (see concat).", "'Q' || 1", "'Q1'"),
        ("case when c then a … [else b] end", "The first case that holds; NULL without else. Also case x when v then a … end.", "case when 5 > 3 then 'hot' else 'cold' end", "'hot'"),
        ("date 'YYYY-MM-DD', timestamp '…'", "A day, a moment; one without a zone is in the calendar's.", "date '2026-03-01' < date '2026-04-01'", "true"),
        ("t + interval 'n' unit, t - interval 'n' unit", f"Units: {', '.join(UNITS)}. A month later is at most that month's last day. A date becomes a timestamp.", "date '2026-01-31' + interval '1' month", "2026-02-28 00:00:00"),
        ("d + n, d - n, d - e", "A date n days later or earlier; the days between two dates.", "date '2026-03-01' - date '2026-02-01'", "28"),
    )
)  # fmt: skip

_FUNCTIONS: tuple[Scalar, ...] = (
    Scalar("coalesce", "coalesce(a, b, …)", "The first that is not NULL.", "coalesce(null, 0)", "0", "logic"),
    Scalar("nullif", "nullif(a, b)", "NULL if both are equal, else a.", "nullif('-', '-')", "NULL", "logic"),
    Scalar("if", "if(condition, then, otherwise)", "otherwise also where the condition is NULL.", "if(3 > 2, 'yes', 'no')", "'yes'", "logic"),
    Scalar("greatest", "greatest(a, b, …)", "The largest; NULLs are passed over.", "greatest(1, null, 3)", "3", "logic"),
    Scalar("least", "least(a, b, …)", "The smallest; NULLs are passed over.", "least(1, null, 3)", "1", "logic"),
    Scalar("abs", "abs(x)", "Without its sign.", "abs(-2.5)", "2.5", "number"),
    Scalar("sign", "sign(x)", "-1, 0 or 1.", "sign(-2.5)", "-1", "number"),
    Scalar("round", "round(x [, digits])", "Half goes away from zero; decimals are exact, floats (1.005 is a little less) are not. digits is a plain number, -2 rounds to hundreds.", "round(2.345, 2)", "2.35", "number"),
    Scalar("floor", "floor(x)", "The whole number at or below.", "floor(-2.5)", "-3", "number"),
    Scalar("ceil", "ceil(x)", "The whole number at or above.", "ceil(-2.5)", "-2", "number", ("ceiling",)),
    Scalar("mod", "mod(a, b)", "The rest of a division, with the sign of a (% is percent here).", "mod(-7, 3)", "-1", "number"),
    Scalar("power", "power(x, y)", "x to the y, a float.", "power(2, 10)", "1024.0", "number", ("pow",)),
    Scalar("sqrt", "sqrt(x)", "Square root of a number that is not negative.", "sqrt(2.25)", "1.5", "number"),
    Scalar("exp", "exp(x)", "e to the x.", "exp(0)", "1.0", "number"),
    Scalar("ln", "ln(x)", "Natural logarithm of a number above zero.", "ln(1)", "0.0", "number"),
    Scalar("log10", "log10(x)", "Logarithm to base 10 of a number above zero.", "log10(1000)", "3.0", "number"),
    Scalar("lower", "lower(text)", "In small letters.", "lower('PAID')", "'paid'", "text"),
    Scalar("upper", "upper(text)", "In capital letters.", "upper('été')", "'ÉTÉ'", "text"),
    Scalar("trim", "trim(text [, characters])", "Without blanks (no tabs), or those characters, at both ends.", "trim('  a b ')", "'a b'", "text"),
    Scalar("ltrim", "ltrim(text [, characters])", "The same at the start.", "ltrim('007', '0')", "'7'", "text"),
    Scalar("rtrim", "rtrim(text [, characters])", "The same at the end.", "rtrim('a  ')", "'a'", "text"),
    Scalar("length", "length(text)", "How many characters.", "length('été')", "3", "text"),
    Scalar("substring", "substring(text, start [, length])", "From the start-th character, the first being 1; a negative start counts from the end.", "substring('FR-75011', 4, 2)", "'75'", "text", ("substr",)),
    Scalar("left", "left(text, n)", "The first n characters; all but the last n if n is negative.", "left('FR-75011', 2)", "'FR'", "text"),
    Scalar("right", "right(text, n)", "The last n characters; all but the first n if n is negative.", "right('FR-75011', 5)", "'75011'", "text"),
    Scalar("replace", "replace(text, old, new)", "Every old replaced.", "replace('1 200', ' ', '')", "'1200'", "text"),
    Scalar("concat", "concat(a, b, …)", "One behind the other; NULL counts as empty (|| gives NULL).", "concat('a', null, 'b')", "'ab'", "text"),
    Scalar("contains", "contains(text, part)", "Whether part is in it, case and all.", "contains('paid search', 'search')", "true", "text"),
    Scalar("starts_with", "starts_with(text, part)", "Whether it begins so.", "starts_with('paid search', 'paid')", "true", "text"),
    Scalar("ends_with", "ends_with(text, part)", "Whether it ends so.", "ends_with('a@example.com', '.com')", "true", "text"),
    Scalar("strpos", "strpos(text, part)", "Where part begins, from 1; 0 if nowhere. Also position(part in text).", "strpos('a-b', '-')", "2", "text", ("position",)),
    Scalar("split_part", "split_part(text, separator, n)", "The n-th part, from 1; negative from the end; empty if there is none.", "split_part('fr/paid/brand', '/', 2)", "'paid'", "text"),
    Scalar("lpad", "lpad(text, length, fill)", "Filled on the left; cut if it is longer.", "lpad('7', 3, '0')", "'007'", "text"),
    Scalar("rpad", "rpad(text, length, fill)", "Filled on the right; cut if it is longer.", "rpad('7', 3, '.')", "'7..'", "text"),
    Scalar("regexp_matches", "regexp_matches(text, pattern [, 'i'])", "Whether the pattern (RE2) is found in it; 'i' without regard to case.", "regexp_matches('SKU-12', '[0-9]+$')", "true", "text"),
    Scalar("regexp_replace", "regexp_replace(text, pattern, new [, 'g'])", "The first match replaced, all with 'g'.", "regexp_replace('01 23', '[^0-9]', '', 'g')", "'0123'", "text"),
    Scalar("regexp_extract", "regexp_extract(text, pattern [, group])", "The first match, or that group of it; empty (not NULL) if there is none.", "regexp_extract('SKU-12', '([A-Z]+)-([0-9]+)', 2)", "'12'", "text"),
    Scalar("now", "now()", "The run's clock, in the calendar's zone: --as-of, never the machine's time of day.", "now() > timestamp '2026-03-15 09:00'", "true", "date"),
    Scalar("current_date", "current_date", "The clock's local date.", "current_date - date '2026-03-01'", "14", "date"),
    Scalar("date", "date(x)", "The local date of a moment.", "date(timestamptz '2026-03-28 23:30:00+00')", "2026-03-29", "date"),
    Scalar("date_diff", "date_diff(unit, a, b)", f"How many boundaries of the unit lie between a and b: for 'day' local midnights. Units: {', '.join(u for u in UNITS if u != 'week')}.", "date_diff('day', timestamp '2026-03-01 23:59', timestamp '2026-03-02 00:01')", "1", "date"),
    Scalar("date_trunc", "date_trunc(unit, x)", "The unit's first instant, local; weeks begin on Monday. A date becomes a timestamp.", "date_trunc('week', date '2026-03-15')", "2026-03-09 00:00:00", "date"),
    Scalar("extract", "extract(part from x)", f"Parts: {', '.join(PARTS)}. isoyear goes with week; doy is the day of the year.", "extract(isoyear from date '2027-01-01')", "2026", "date"),
    Scalar("year", "year(x)", "The local calendar year.", "year(date '2027-01-01')", "2027", "date"),
    Scalar("quarter", "quarter(x)", "1 to 4.", "quarter(date '2026-03-15')", "1", "date"),
    Scalar("month", "month(x)", "1 to 12.", "month(date '2026-03-15')", "3", "date"),
    Scalar("week", "week(x)", "ISO week, 1 to 53; it belongs to extract(isoyear from x).", "week(date '2027-01-01')", "53", "date"),
    Scalar("day", "day(x)", "Day of the month.", "day(date '2026-03-15')", "15", "date"),
    Scalar("isodow", "isodow(x)", "Day of the week, Monday is 1, Sunday 7.", "isodow(date '2026-03-15')", "7", "date"),
    Scalar("hour", "hour(x)", "Local hour, 0 to 23.", "hour(timestamptz '2026-03-28 23:30:00+00')", "0", "date"),
    Scalar("minute", "minute(x)", "0 to 59.", "minute(timestamp '2026-03-15 10:20:30')", "20", "date"),
    Scalar("last_day", "last_day(x)", "The month's last date.", "last_day(date '2028-02-03')", "2028-02-29", "date"),
    Scalar("make_date", "make_date(year, month, day)", "That date, which has to exist.", "make_date(2026, 3, 15)", "2026-03-15", "date"),
    Scalar("cast", "cast(x as type)", f"Also x::type. Types: {', '.join(TYPES)}. What does not fit stops the run. To whole numbers decimals round half away from zero, floats half to even: say round, floor or ceil first.", "cast('12.345' as decimal(10, 2))", "12.35", "conversion"),
    Scalar("try_cast", "try_cast(x as type)", "The same, NULL where it does not fit.", "try_cast('n/a' as integer)", "NULL", "conversion"),
    Scalar("strftime", "strftime(x, format)", "A moment as text, names in English: %Y %m %d %H %M %b %a …", "strftime(date '2026-03-15', '%Y-%m')", "'2026-03'", "conversion"),
    Scalar("strptime", "strptime(text, format)", "Text as a timestamp; what does not fit stops the run.", "strptime('15/03/2026', '%d/%m/%Y')", "2026-03-15 00:00:00", "conversion"),
    Scalar("row_number", "row_number() over (…)", "1, 2, 3 … in the order given.", "row_number() over (partition by customer order by day)", "1, 2, 1, 2", "window"),
    Scalar("rank", "rank() over (…)", "Place with gaps after equals.", "rank() over (order by amount desc)", "4, 1, 1, 3", "window"),
    Scalar("dense_rank", "dense_rank() over (…)", "Place without gaps.", "dense_rank() over (order by amount desc)", "3, 1, 1, 2", "window"),
    Scalar("ntile", "ntile(n) over (…)", "Which of n parts of equal size, from 1.", "ntile(2) over (order by day)", "1, 2, 1, 2", "window"),
    Scalar("lag", "lag(x [, offset [, default]]) over (…)", "x of the row before.", "lag(amount) over (partition by customer order by day)", "NULL, 10, NULL, 30", "window"),
    Scalar("lead", "lead(x [, offset [, default]]) over (…)", "x of the row after.", "lead(amount, 1, 0) over (partition by customer order by day)", "30, 0, 20, 0", "window"),
    Scalar("first_value", "first_value(x) over (…)", "x of the first row.", "first_value(amount) over (partition by customer order by day)", "10, 10, 30, 30", "window"),
    Scalar("last_value", "last_value(x) over (… rows between … and …)", "x of the frame's last row; the frame has to be said, as it ends at the row itself otherwise.", "last_value(amount) over (partition by customer order by day rows between unbounded preceding and unbounded following)", "30, 30, 20, 20", "window"),
)  # fmt: skip

SCALARS: Mapping[str, Scalar] = {scalar.name: scalar for scalar in _FUNCTIONS}
SPELLINGS: Mapping[str, Scalar] = {name: s for s in _FUNCTIONS for name in (s.name, *s.also)}

_REPEATABLE = "a run has to give the same twice: there is nothing random"
_CLOCK_HINT = "write now() or current_date, which mean the run's clock"
_ROWS_ONLY = "an expression sees the rows of its datasets only: no files, settings, users or catalogues"
_INTERVAL = "write x + interval '1' month"
_TO_TEXT = "write strftime(x, format)"
_TO_MOMENT = "write strptime(text, format), or cast(text as date)"
ELSEWHERE: Mapping[str, str] = {  # what authors may know from other systems -> what to write here
    "ifnull": "write coalesce(a, b)", "nvl": "write coalesce(a, b)", "isnull": "write x is null, or coalesce(a, b)",
    "nvl2": "write if(x is not null, a, b)", "iif": "write if(condition, then, otherwise)",
    "iff": "write if(condition, then, otherwise)", "decode": "write case x when v then a … end",
    "len": "write length(text)", "char_length": "write length(text)", "character_length": "write length(text)",
    "lcase": "write lower(text)", "ucase": "write upper(text)", "concat_ws": "write a || ', ' || b",
    "instr": "write strpos(text, part)", "charindex": "write strpos(text, part)", "locate": "write strpos(text, part)",
    "prefix": "write starts_with(text, part)", "startswith": "write starts_with(text, part)",
    "suffix": "write ends_with(text, part)", "endswith": "write ends_with(text, part)",
    "regexp_like": "write regexp_matches(text, pattern)", "substring_index": "write split_part(text, separator, n)",
    "log": "write ln(x) or log10(x)", "log2": "write ln(x) / ln(2)", "trunc": "write floor(x), ceil(x) or round(x)",
    "truncate": "write floor(x), ceil(x) or round(x)", "round_even": "write round(x, digits)",
    "datediff": "write date_diff(unit, a, b)", "timestampdiff": "write date_diff(unit, a, b)",
    "date_sub": "write x - interval '1' month, or date_diff(unit, a, b)", "age": "write date_diff(unit, a, b)",
    "date_add": _INTERVAL, "dateadd": _INTERVAL, "adddate": _INTERVAL, "to_days": _INTERVAL, "to_months": _INTERVAL,
    "date_part": "write extract(part from x)", "datepart": "write extract(part from x)",
    "isoyear": "write extract(isoyear from x)", "yearweek": "write extract(isoyear from x) and week(x)",
    "weekofyear": "write week(x)", "dayofmonth": "write day(x)", "dayofyear": "write extract(doy from x)",
    "second": "write extract(second from x)", "weekday": "write isodow(x), where Monday is 1",
    "dayofweek": "write isodow(x), where Monday is 1", "dayname": _TO_TEXT, "monthname": _TO_TEXT,
    "to_char": _TO_TEXT, "date_format": _TO_TEXT, "to_date": _TO_MOMENT, "str_to_date": _TO_MOMENT,
    "try_strptime": _TO_MOMENT, "to_timestamp": _TO_MOMENT, "timezone": "all times are in the calendar's zone",
    "today": _CLOCK_HINT, "curdate": _CLOCK_HINT, "getdate": _CLOCK_HINT, "sysdate": _CLOCK_HINT,
    "current_timestamp": _CLOCK_HINT, "get_current_timestamp": _CLOCK_HINT, "transaction_timestamp": _CLOCK_HINT,
    "current_time": _CLOCK_HINT, "localtime": _CLOCK_HINT, "localtimestamp": _CLOCK_HINT,
    "convert": "write cast(x as type)", "quantile_cont": "write quantile(x, 0.9)", "percentile_cont": "write quantile(x, 0.9)",
    "read_csv": _ROWS_ONLY, "read_csv_auto": _ROWS_ONLY, "read_parquet": _ROWS_ONLY, "read_json": _ROWS_ONLY,
    "read_text": _ROWS_ONLY, "read_blob": _ROWS_ONLY, "glob": _ROWS_ONLY, "query": _ROWS_ONLY, "query_table": _ROWS_ONLY,
    "getenv": _ROWS_ONLY, "getvariable": _ROWS_ONLY, "current_setting": _ROWS_ONLY, "current_user": _ROWS_ONLY,
    "session_user": _ROWS_ONLY, "current_database": _ROWS_ONLY, "current_catalog": _ROWS_ONLY,
    "version": _ROWS_ONLY, "current_version": _ROWS_ONLY, "nextval": _REPEATABLE, "currval": _REPEATABLE,
    "random": _REPEATABLE, "rand": _REPEATABLE, "uuid": _REPEATABLE, "gen_random_uuid": _REPEATABLE,
}  # fmt: skip

SAMPLE: tuple[tuple[str, str, int], ...] = (  # customer, day, amount
    ("a", "2026-03-01", 10),
    ("a", "2026-03-05", 30),
    ("b", "2026-03-02", 30),
    ("b", "2026-03-09", 20),
)
CLOCK = "2026-03-15 10:00:00+01"  # now() in the examples

_TITLES: Mapping[Group, str] = {
    "operator": "Operators",
    "logic": "Choosing and comparing",
    "number": "Numbers",
    "text": "Text",
    "date": "Dates and times",
    "conversion": "Conversion",
    "window": "Window functions",
}
_TOP = """# Functions

Formulas, targets, conditions and derived columns are SQL expressions in DuckDB's dialect. What is listed here is
all that they may hold: there are no queries, lists, structures or lambdas, and nothing that reads a file, the
network, a setting or the machine's clock. A plugin that the project names may add functions (`local-plugins.md`).

<!-- vocabulary -->
<!-- /vocabulary -->

NULL in gives NULL out unless the line says otherwise. Dates and times are local to the calendar's zone (here
Europe/Paris); `now()` in the examples is 2026-03-15 10:00.
"""
_WINDOW_NOTE = f"""
Only in the derived columns of a dataset, where aggregates too may take an `over`. All but aggregates need an
`order by`; order by something that is unique, or equal rows come in any order. A frame is
`rows between … and …` or `range between … and …`. The examples run over these rows:

| customer | day | amount |
|---|---|---:|
{chr(10).join(f"| {customer} | {day} | {amount} |" for customer, day, amount in SAMPLE)}
"""


def reference() -> str:
    """The text of ``docs/functions.md`` with nothing between the vocabulary marks."""
    entries = (*OPERATORS, *_FUNCTIONS)
    parts = [_TOP]
    for group, title in _TITLES.items():
        note = _WINDOW_NOTE if group == "window" else ""
        parts.append(
            f"\n## {title}\n{note}\n" + "\n".join(_table(e for e in entries if e.group == group)) + "\n"
        )
    return "".join(parts)


def _table(entries: Iterable[Scalar]) -> Iterator[str]:
    yield "| | Meaning | Example | Gives |"
    yield "|---|---|---|---|"
    for entry in entries:
        also = (
            f" Also `{'`, `'.join(entry.also)}`." if entry.also and entry.also[0] not in entry.summary else ""
        )
        cells = (f"`{entry.signature}`", entry.summary + also, f"`{entry.example}`", f"`{entry.result}`")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(reference(), end="")
