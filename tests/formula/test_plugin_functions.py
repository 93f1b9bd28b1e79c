"""Functions of plugins: what they mean, what is said of a wrong call, and of a definition that cannot be used."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

import cadran
from cadran.formula.added import functions_of

HEAD = "from cadran.plugins import *\n@hookimpl\ndef cadran_functions(): return [\n"
FUNCTIONS = {
    "half": 'Function("half(day)", ("date",), "integer", {"duckdb": "CASE WHEN month({0}) < 7 THEN 1 ELSE 2 END"})',
    "net": 'Function("net(amount)", ("number",), "number", {"duckdb": "{0} / 1.25"})',
    "joined": 'Function("joined(a, b)", ("text", "text"), "text", {"duckdb": "{1} || \'{0}\' || {0}"})',
    "large": 'Function("large(x)", ("double",), "boolean", {"duckdb": "{0} > 100"})',
    "filled": 'Function("filled(x)", ("number",), "number", {"duckdb": "coalesce({0}, 0)"})',
    "growth": 'Function("growth(k)", ("any",), formula="{0} / previous({0}) - 1")',
    "per_row": 'Function("per_row(x, d)", ("any", "any"), formula="sum({0}) / count({1})")',
}
ORDERS = "id,day,shop,amount\n1,2026-01-05,Lyon,125\n2,2026-02-06,Paris,200\n3,2026-02-07,Lyon,50\n4,2026-07-01,,25\n"
PROJECT = """\
version: 1
plugins: ./local_plugins/words.py
sources: {{files: {{connector: files, path: data}}}}
datasets: {{orders: {{from: files.orders, key: id, date: day{columns}}}}}
{kpis}
"""


def project(folder: Path, *kpis: str, columns: str = "", functions: dict[str, str] | None = None) -> cadran.Project:  # fmt: skip
    (folder / "data").mkdir(exist_ok=True)
    (folder / "local_plugins").mkdir(exist_ok=True)
    (folder / "data" / "orders.csv").write_text(ORDERS)
    entries = [f"  FunctionEntry({n!r}, lambda: {f}\n)," for n, f in (functions or FUNCTIONS).items()]
    (folder / "local_plugins" / "words.py").write_text("\n".join([HEAD, *entries, "]"]))
    lines = "\n".join(f"  k{i}: {{formula: {formula!r}, period: month}}" for i, formula in enumerate(kpis))
    (folder / "kpis.yaml").write_text(PROJECT.format(columns=columns, kpis="kpis:\n" + lines))
    return cadran.open(folder, environ={})


def figures(made: cadran.Project, month: str = "2026-02") -> list[object]:
    rows = made.run(as_of=dt.date(2026, 8, 1), since=dt.date(2026, 1, 1))
    return [row.value for row in rows if row.period == month]


def test_what_calls_mean(tmp_path: Path) -> None:
    columns = ", columns: {half: half(day), place: \"joined(shop, 'FR')\"}"
    made = project(
        tmp_path,
        "sum(net(orders.amount))",  # over rows
        "net(sum(orders.amount))",  # over values
        "count(orders) filter (where half(orders.day) = 1 and large(orders.amount))",
        "count(orders) filter (where orders.half = 2)",
        "count(orders) filter (where orders.place = 'FR{0}Lyon')",  # in a text {0} is text
        "growth(sum(orders.amount))",
        "growth(k0) * 100",
        "per_row(orders.amount, orders)",
        "filled(previous(k0))",
        columns=columns,
    )
    assert figures(made) == [200, 200, 1, 0, 1, 1.0, 100.0, 125.0, 100]


def test_a_short_form_is_what_it_is_short_for(tmp_path: Path) -> None:
    short, written = "growth(k0 + 1)", "(k0 + 1) / previous(k0 + 1) - 1"
    made = project(tmp_path, "sum(orders.amount)", short, written)
    for month in ("2026-02", "2026-07"):
        _, one, other = figures(made, month)
        assert one == other


def test_no_data_is_not_turned_into_something(tmp_path: Path) -> None:
    """``filled`` gives 0 for NULL; a period that the calendar does not have stays without data all the same."""
    made = project(tmp_path, "filled(sum(orders.amount))", "coalesce(sum(orders.amount), 0)")
    assert {row.previous for row in made.run(as_of=dt.date(2026, 8, 1), since=dt.date(2026, 1, 1)) if row.kpi == "k0"} == {
        row.previous for row in made.run(as_of=dt.date(2026, 8, 1), since=dt.date(2026, 1, 1)) if row.kpi == "k1"
    }  # fmt: skip


def test_exact_numbers_stay_exact(tmp_path: Path) -> None:
    functions = {"gross": 'Function("gross(x)", ("number",), "number", {"duckdb": "{0} * 1.2"})'}
    (value,) = figures(project(tmp_path, "sum(gross(orders.amount))", functions=functions))
    assert value == Decimal("300.0") and isinstance(value, Decimal)


WRONG_CALLS = {
    "sum(nett(orders.amount))": "unknown function 'nett'; did you mean 'net'?",
    "sum(net(orders.amount, 2))": "net() takes 1 argument, not 2; write net(amount)",
    "growth()": "growth() takes 1 argument, not 0; write growth(k)",
    "sum(net(orders.amont))": "unknown column 'amont' in dataset 'orders'; did you mean 'amount'?",
    "growth(orders.amount)": "'orders.amount' stands outside an aggregate; write for instance sum(orders.amount)",
    "sum(net(orders.amount) over (order by orders.day))": "window functions (over …) are only for derived columns; declare it under the dataset's columns:",
    "net(1)": "the formula has no measure; write for instance sum(orders.amount)",
    "half(unheard)": "unknown KPI 'unheard'; KPIs are k0, k1, k2, k3, k4, k5, k6, k7",
}  # fmt: skip


def test_a_wrong_call_is_said_as_of_any_function(tmp_path: Path) -> None:
    found = {p.subject: p for p in project(tmp_path, *WRONG_CALLS).check()}
    said = [f"{found[f'k{i}'].message}; {found[f'k{i}'].hint}".rstrip("; ") for i in range(len(WRONG_CALLS))]
    assert said == list(WRONG_CALLS.values())
    where = found["k0"].where
    assert where is not None and (where.line, where.column, where.width) == (6, 22, 4)


WRONG_TYPES = {
    "sum(net(orders.shop))": "the argument of net() is numbers, not text; write net(amount)",
    "count(orders) filter (where joined(orders.shop, orders.amount) = 'x')": "the second argument of joined() is text, not whole numbers; write joined(a, b)",
    "sum(half(orders.amount))": "the argument of half() is dates, not whole numbers; write half(day)",
}  # fmt: skip


@pytest.mark.parametrize("formula", WRONG_TYPES)
def test_a_wrong_type_has_a_place(formula: str, tmp_path: Path) -> None:
    (found,) = project(tmp_path, formula).check_data()
    assert f"{found.message}; {found.hint}" == WRONG_TYPES[formula]
    assert found.where is not None and (found.where.line, found.where.column) == (6, 18)


def test_a_wrong_type_in_a_derived_column(tmp_path: Path) -> None:
    made = project(
        tmp_path, "count(orders) filter (where orders.bad = 1)", columns=", columns: {bad: half(shop)}"
    )
    (found,) = made.check_data()
    assert (found.message, found.subject) == (
        "the argument of half() is dates, not text",
        "datasets.orders.columns.bad",
    )


def sql(duckdb: str, takes: str = '("number",)', gives: str = "number", **more: str) -> str:
    return f'Function("f(x)", {takes}, "{gives}", { ({"duckdb": duckdb} | more)!r})'


WRONG_DEFINITIONS = {
    ("count", sql("{0}")): "the language has that word already",
    ("lower", sql("{0}")): "the language has that word already",
    ("value", sql("{0}")): "the language has that word already",
    ("levenshtein", sql("{0}")): "that is a word of SQL, with a meaning of its own",
    ("nvl", sql("{0}")): "that is a word of SQL, with a meaning of its own",
    ("select", sql("{0}")): "that is a word of SQL, with a meaning of its own",
    ("Half", sql("{0}")): "a function's name is small letters, digits and _, and begins with a letter",
    ("f", "Function('f(x)', ('number',), 'number')"): "it has either 'sql' or 'formula'",
    ("f", "Function('f(x)', ('number',), 'number', {'duckdb': '{0}'}, formula='{0}')"): "it has either 'sql' or 'formula'",
    ("f", sql("{0}", "('money',)")): "'money' is no kind of argument: one of text, integer, number, double, date, timestamp, boolean, any",
    ("f", sql("{0}", gives="any")): "it has to say what it gives: one of text, integer, number, double, date, timestamp, boolean",
    ("f", "Function('f(x)', ('number',), 'number', {'postgres': '{0}'})"): "'sql' has nothing for 'duckdb', which computes whatever a database cannot",
    ("f", sql("{1}")): "'{1}' stands for no argument: it takes 1",
    ("f", sql("{0} +")): "its SQL for 'duckdb', '{0} +', cannot be read: Required keyword: 'expression' missing",
    ("f", sql("{0}; DROP TABLE x")): "its SQL for 'duckdb' is not one expression",
    ("f", sql("(SELECT 1)")): "its SQL for 'duckdb' holds a query, an aggregate or a window: it is of one row",
    ("f", sql("sum({0})")): "its SQL for 'duckdb' holds a query, an aggregate or a window: it is of one row",
    ("f", sql("lag({0}) OVER ()")): "its SQL for 'duckdb' holds a query, an aggregate or a window: it is of one row",
    ("f", sql("{0} + amount")): "its SQL for 'duckdb' holds 'amount', which is no argument",
    ("f", sql("{0} * random()")): "its SQL for 'duckdb' holds 'RAND()', which does not give the same twice",
    ("f", sql("{0} + extract(year FROM now())")): "its SQL for 'duckdb' holds 'NOW()', which does not give the same twice",
    ("f", sql("{0}", postgres="{0} * clock_timestamp()")): "its SQL for 'postgres' holds 'CLOCK_TIMESTAMP()', which does not give the same twice",
    ("f", sql("{0}", klingon="{0}")): "its SQL for 'klingon', '{0}', cannot be read: Unknown dialect 'klingon'",
    ("f", "Function('f(x)', ('any',), formula='{0} +')"): "its formula cannot be used: something is missing after '+'",
    ("f", "Function('f(x)', ('any',), formula='g({0})')"): "its formula cannot be used: unknown function 'g'",
    ("f", "Function('f(x, y)', ('number',), 'number', {'duckdb': '{0}'})"): "the signature 'f(x, y)' has 2 arguments, and 'takes' has 1",
    ("f", "Function('f()', ('number',), 'number', {'duckdb': '{0}'})"): "the signature 'f()' has 0 arguments, and 'takes' has 1",
    ("f", "Function('g(x)', ('number',), 'number', {'duckdb': '{0}'})"): "the signature 'g(x)' is of 'g', and the entry is called 'f'",
    ("f", "Function('f', (), 'number', {'duckdb': '1'})"): "the signature 'f' is not written as 'f(x)'",
    ("f", "1 / 0"): "ZeroDivisionError: division by zero",
}  # fmt: skip


@pytest.mark.parametrize(("name", "code"), WRONG_DEFINITIONS)
def test_a_definition_that_cannot_be_used_is_said_where_the_plugin_is_named(name: str, code: str, tmp_path: Path) -> None:  # fmt: skip
    declaration, problems = project(tmp_path, "count(orders)", functions={name: code}).declaration()
    assert declaration is not None and problems == []
    _, found = functions_of(declaration)
    assert [str(p.where) for p in found] == ["kpis.yaml:2:10"]
    said, version = found[0].message, found[0].message.split("words.py ")[1].split(" ")[0]
    assert said.startswith(f"the function '{name}' of ./local_plugins/words.py {version} cannot be used: ")
    assert said.endswith(WRONG_DEFINITIONS[name, code]), said


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        (sql("no_such({0})"), "its SQL for 'duckdb' does not work: Scalar Function with name no_such does not exist!"),
        (sql("{0} * 1.5", gives="integer"), "it says that it gives whole numbers, and its SQL for 'duckdb' gives DECIMAL(18,3)"),
        (sql("{0}", gives="text"), "it says that it gives text, and its SQL for 'duckdb' gives DECIMAL(18,2)"),
    ],
)  # fmt: skip
def test_what_duckdb_makes_of_a_definition_is_looked_at_before_numbers(
    code: str, wrong: str, tmp_path: Path
) -> None:
    (found,) = project(tmp_path, "count(orders)", functions={"f": code}).check_data()
    assert found.message.endswith(wrong) and str(found.where) == "kpis.yaml:2:10"


def test_explain_shows_functions_with_their_meaning_and_sql_that_runs_as_it_stands(tmp_path: Path) -> None:
    made = project(tmp_path, "growth(sum(net(orders.amount)))", "sum(orders.amount) filter (where half(orders.day) = 1)")  # fmt: skip
    said = made.explain("k0", as_of="2026-08-01")
    assert "functions net(amount)  of ./local_plugins/words.py" in said
    assert "growth(k)  of ./local_plugins/words.py" in said
    assert "{0} / previous({0}) - 1" in said
    assert "orders.amount / 1.25" in said and "@" not in said
    said = made.explain("k1", as_of="2026-08-01")
    assert "MONTH(CAST(orders.day AS DATE)) < 7" in said and "net(amount)" not in said


OF_A_DATASET = {
    "per_order": 'Function("per_order(k)", ("any",), formula="{0} / count(orders)")',
    "mean": 'Function("mean_of(x)", ("any",), formula="sum({0}) / count(orders) filter (where orders.amount > 0)")',
    "net": FUNCTIONS["net"],
    "lost_in": 'Function("lost_in(k)", ("any",), formula="{0} / count(ordres)")',
    "amont": 'Function("amont(k)", ("any",), formula="{0} / sum(orders.amont)")',
}  # fmt: skip


def test_explain_shows_measures_that_a_function_brings(tmp_path: Path) -> None:
    functions = {"per_order": OF_A_DATASET["per_order"], "mean_of": OF_A_DATASET["mean"], "net": OF_A_DATASET["net"]}  # fmt: skip
    made = project(tmp_path, "per_order(sum(orders.amount))", "mean_of(net(orders.amount))", functions=functions)  # fmt: skip
    said = made.explain("k0", as_of="2026-08-01")
    assert "measures  sum(orders.amount)  on orders\n            count(orders)  on orders\n" in said
    said = made.explain("k1", as_of="2026-08-01")
    assert "measures  sum(net(orders.amount))  on orders\n" in said
    assert "count(orders) FILTER(WHERE orders.amount > 0)  on orders\n" in said


@pytest.mark.parametrize(("name", "wrong"), [("lost_in", "unknown dataset 'ordres'"), ("amont", "unknown column 'amont' in dataset 'orders'")])  # fmt: skip
def test_what_is_wrong_with_a_formula_of_a_function_says_whose_it_is(name: str, wrong: str, tmp_path: Path) -> None:  # fmt: skip
    (found,) = project(tmp_path, f"{name}(sum(orders.amount))", functions={name: OF_A_DATASET[name]}).check()
    version = found.message.split("words.py ")[1]
    assert found.message == f"{wrong}, in the formula of the function '{name}' of ./local_plugins/words.py {version}"  # fmt: skip


def test_what_is_kept_rests_on_the_definition_and_on_the_version(tmp_path: Path) -> None:
    def reused(code: str) -> tuple[object, int]:
        made = project(tmp_path, "sum(f(orders.amount))", functions={"f": code})
        found = made.run(as_of=dt.date(2026, 8, 1), since=dt.date(2026, 2, 1))
        (value,) = (row.value for row in found if row.period == "2026-02")
        return value, sum(len(reuse.kept) for reuse in found.reuse)

    assert reused(sql("{0} * 2")) == (500, 0)
    value, kept = reused(sql("{0} * 2"))
    assert value == 500 and kept > 0
    assert reused(sql("{0} * 3")) == (750, 0)  # another definition
    assert reused(sql("{0} * 3") + "  # newer") == (750, 0)  # the same, of another version


def test_an_alert_may_be_a_function_that_gives_true_or_false(tmp_path: Path) -> None:
    made = project(tmp_path, "sum(orders.amount)")
    for condition, message in (
        ("large(value)", ""),
        ("net(value)", "an alert condition must be true or false"),
    ):
        text = made.file.read_text().split("kpis:")[0]
        made.file.write_text(
            f"{text}kpis:\n  k0: {{formula: sum(orders.amount), period: month, alert: {condition}}}\n"
        )
        assert [p.message for p in made.check()] == ([message] if message else [])
    made.file.write_text(made.file.read_text().replace("net(value)", "large(value)"))
    (alert,) = made.run(as_of=dt.date(2026, 3, 1)).alerts
    assert (alert.kpi, alert.period, alert.state) == ("k0", "2026-02", "firing")


def test_a_test_of_a_kpi_computes_with_functions_as_a_run_does(tmp_path: Path) -> None:
    made = project(tmp_path, "sum(net(orders.amount))")
    tests = "\ntests:\n  net: {given: {orders: [{id: 1, day: 2026-02-01, amount: 125}]}, expect: {k0: {2026-02: 100}}}\n"  # fmt: skip
    made.file.write_text(made.file.read_text() + tests)
    (outcome,) = made.test()
    assert outcome.passed, outcome
