"""``cadran test`` from outside: what is chosen, exit codes, formats; and the same from Python."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import cadran
from cadran.cli import cli

PROJECT = """\
version: 1
sources: {crm: {connector: files, path: data}}
datasets: {orders: {from: crm.orders, key: id, date: day}}
kpis:
  orders: {formula: count(orders), period: month, alert: {name: few, when: value < 2}}
  basket: {formula: sum(orders.amount) / count(orders), period: month}
tests:
  right: {given: {orders: [{id: 1, day: 2026-01-05, amount: 5}]}, expect: {orders: {2026-01: 1}}}
  wrong & <odd>: {given: {orders: [{id: 1, day: 2026-01-05, amount: 5}]}, expect: {basket: {2026-01: 6}}}
  alert: {kpi: orders, values: {2026-01: 1}, alerts: {few: {2026-01: firing}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(folder), "test", *arguments])


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        ((), 1, ["right", "wrong & <odd>", "alert"]),
        (("right",), 0, ["right"]),
        (("right", "alert"), 0, ["right", "alert"]),
        (("*r*t",), 0, ["right", "alert"]),
        (("--kpi", "basket"), 1, ["wrong & <odd>"]),
        (("--kpi", "orders"), 0, ["right", "alert"]),
        (("right", "--kpi", "basket"), 0, []),
    ],
)
def test_which_tests_run(project: Path, arguments: tuple[str, ...], code: int, names: list[str]) -> None:
    done = run(project, *arguments, "--format", "json")
    assert (done.exit_code, [test["name"] for test in json.loads(done.output)["tests"]]) == (code, names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rigth",), "no test is called 'rigth'; did you mean 'right'?"),
        (("--kpi", "order"), "unknown KPI 'order'; did you mean 'orders'?"),
    ],
)
def test_a_name_that_there_is_not(project: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(project, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_project_with_errors_runs_no_test(project: Path) -> None:
    (project / "kpis.yaml").write_text(
        PROJECT.replace("sum(orders.amount)", "sum(orders.amount"), encoding="utf-8"
    )
    done = run(project)
    assert done.exit_code == 2
    assert "kpis.yaml:6:" in done.output
    assert "✓" not in done.output


def test_a_project_without_tests_says_so(project: Path) -> None:
    (project / "kpis.yaml").write_text(PROJECT[: PROJECT.index("tests:")], encoding="utf-8")
    done = run(project)
    assert (done.exit_code, done.output) == (0, "there are no tests; write them under 'tests:'\n")


def test_a_kpi_without_tests_is_said(project: Path) -> None:
    done = run(project, "alert", "--kpi", "basket")
    assert (done.exit_code, done.output) == (0, "no test is about that; write them under 'tests:'\n")


def test_a_name_with_brackets_is_that_name(project: Path) -> None:
    (project / "kpis.yaml").write_text(PROJECT.replace("  right:", "  right [1]:"), encoding="utf-8")
    done = run(project, "right [1]", "--format", "json")
    assert [test["name"] for test in json.loads(done.output)["tests"]] == ["right [1]"]


def test_json_says_all_that_the_text_says(project: Path) -> None:
    found = json.loads(run(project, "--format", "json").output)
    assert (found["passed"], found["failed"]) == (2, 1)
    (missed,) = found["tests"][1]["missed"]
    assert missed == {
        "message": "basket, 2026-01: expected 6, got 5, difference -1",
        "where": {"file": "kpis.yaml", "line": 9, "column": 102},
        "what": "basket",
        "period": "2026-01",
        "segment": "",
        "expected": "6",
        "got": "5",
        "difference": "-1",
        "measures": [
            {"measure": "sum(orders.amount)", "value": "5"},
            {"measure": "count(orders)", "value": "1"},
        ],
    }


def test_junit_has_the_shape_that_ci_systems_read(project: Path) -> None:
    file = project / "out" / "junit.xml"
    assert run(project, "--junit", str(file)).exit_code == 1
    root = ElementTree.fromstring(file.read_bytes())
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "3", "1")
    assert float(root.get("time", "")) >= 0
    (suite,) = root
    assert (suite.tag, suite.get("name"), suite.get("tests")) == ("testsuite", f"{project}/kpis.yaml", "3")
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("1", "0", "0")
    assert [(case.tag, case.get("name"), case.get("line")) for case in suite] == [
        ("testcase", "right", "8"), ("testcase", "wrong & <odd>", "9"), ("testcase", "alert", "10"),
    ]  # fmt: skip
    for case in suite:
        assert case.get("classname")
        assert case.get("file")
        assert float(case.get("time", "")) >= 0
    assert [child.tag for child in suite[0]] == []
    failure, system_out = suite[1]
    assert (failure.tag, failure.get("message"), failure.get("type")) == (
        "failure", "basket, 2026-01: expected 6, got 5, difference -1", "expectation",
    )  # fmt: skip
    assert failure.text == f"{project}/kpis.yaml:9:102: basket, 2026-01: expected 6, got 5, difference -1"
    assert (system_out.tag, system_out.text) == ("system-out", "sum(orders.amount) = 5\ncount(orders) = 1")


def test_a_junit_file_that_cannot_be_written_is_said(project: Path) -> None:
    done = run(project, "--junit", str(project))
    assert done.exit_code == 2
    blocked = run(project, "right", "--junit", str(project / "kpis.yaml" / "x.xml"))
    assert blocked.exit_code == 2
    assert "name another place with --junit" in blocked.output


def test_the_same_from_python(project: Path) -> None:
    outcomes = list(cadran.open(project).test())
    assert [(o.name, o.passed, o.where.line) for o in outcomes] == [
        ("right", True, 8), ("wrong & <odd>", False, 9), ("alert", True, 10),
    ]  # fmt: skip
    (missed,) = outcomes[1].misses
    assert missed.measures == (("sum(orders.amount)", 5), ("count(orders)", 1))
    assert [o.name for o in cadran.open(project).test(kpis=["basket"])] == ["wrong & <odd>"]
    with pytest.raises(cadran.ProblemsFound, match="no test is called 'nothing'"):
        list(cadran.open(project).test(["nothing"]))


def test_nothing_is_kept_and_no_source_is_asked(project: Path) -> None:
    before = set(project.rglob("*"))
    text = PROJECT.replace(
        "crm: {connector: files, path: data}",
        "crm: {connector: sql, url: 'postgresql://nowhere.invalid/shop'}",
    )
    (project / "kpis.yaml").write_text(text, encoding="utf-8")
    assert run(project, "right").exit_code == 0
    assert set(project.rglob("*")) == before


def test_types_that_a_database_told_earlier_hold_for_given_rows(project: Path) -> None:
    """An id of digits stays text where the database's column is text."""
    text = PROJECT.replace(
        "crm: {connector: files, path: data}",
        "crm: {connector: sql, url: 'postgresql://nowhere.invalid/shop'}",
    )
    text = text.replace(
        "count(orders), period", "count(orders) filter (where amount > 4 and length(id) = 1), period"
    )
    (project / "kpis.yaml").write_text(text, encoding="utf-8")
    (project / ".cadran").mkdir()
    seen = {
        "version": 1,
        "sources": {
            "crm": {
                "orders": {"id": "VARCHAR", "day": "TIMESTAMP", "amount": "DECIMAL(12,2)", "note": "VARCHAR"}
            }
        },
    }
    (project / ".cadran" / "columns.json").write_text(json.dumps(seen), encoding="utf-8")
    assert run(project, "right").exit_code == 0, run(project, "right").output
    (project / "kpis.yaml").write_text(
        text.replace("amount: 5}]}, expect: {orders", "amount: much}]}, expect: {orders"), encoding="utf-8"
    )
    assert "amount: 'much' is not a decimal(12,2)" in run(project, "right").output


def test_a_secret_is_in_no_outcome(project: Path) -> None:
    text = PROJECT.replace(
        "amount: 5}]}, expect: {orders: {2026-01: 1}}",
        "amoun: '${TOKEN}', day2: x}]}, expect: {orders: {2026-01: 1}}",
    )
    text = text.replace("id: 1, day: 2026-01-05, amoun", "id: 1, '${TOKEN}': 1, amoun")
    (project / "kpis.yaml").write_text(text, encoding="utf-8")
    outcomes = list(cadran.open(project, environ={"TOKEN": "correct-horse"}).test(["right"]))
    assert not outcomes[0].passed
    assert "correct-horse" not in repr(outcomes)
