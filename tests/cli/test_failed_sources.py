"""A source that does not answer fails the KPIs that need it, and no others; each output says which, and the exit code that there are some."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import cadran

from .user import AS_OF, ORDERS, Done, call

KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
locale: en
sources:
  shop: {connector: files, path: data}
  ads: {connector: files, path: ads}
  bank: {connector: files, path: bank}
rates: {from: bank.rates}
datasets:
  orders: {from: shop.orders, key: id, date: day, money: {amount: currency}, columns: {currency: "'EUR'"}}
  costs: {from: ads.costs, key: id, date: day}
segments: {channel: {orders: channel}}
kpis:
  revenue: {label: Revenue, formula: sum(orders.amount), period: month, segment: channel, unit: EUR}
  number: {label: Orders, formula: count(orders), period: month, segment: channel, alert: {name: few, when: value < 10}}
  cost: {label: Cost, formula: sum(costs.amount), period: month, segment: channel}
  cost_per_order: {label: Cost per order, formula: cost / number, period: month}
  planned: {label: Against cost, formula: count(orders), period: month, target: cost}
funnels:
  to_order: {dataset: orders, steps: {ordered: day, settled: paid}, window: 30 days, period: month}
reports:
  monthly: {title: The month, funnels: [to_order], pace: [number, planned]}
"""
COSTS = "id,day,amount,channel\n1,2026-05-03,3.00,web\n2,2026-06-04,4.00,web\n"
RATES = "date,currency,rate\n2026-01-01,EUR,1.0\n"
ROWS = (
    "\n".join(f"{line},{'paid' if line.startswith('id') else '2026-06-05'}" for line in ORDERS.splitlines())
    + "\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "kpis.yaml": KPIS,
        "data/orders.csv": ROWS,
        "ads/costs.csv": COSTS,
        "bank/rates.csv": RATES,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def without(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).unlink()
        (folder / name).parent.rmdir()
    return folder


def values(done: Done) -> dict[str, str]:
    """The statuses that each KPI has."""
    return {row["kpi"]: row["status"] for row in csv.DictReader(io.StringIO(done.out))}


def test_all_is_well(folder: Path) -> None:
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 0, done.err
    assert "failed" not in values(done).values()


@pytest.mark.parametrize(
    ("gone", "fails"),
    [
        (["ads/costs.csv"], {"cost", "cost_per_order", "planned"}),
        (["bank/rates.csv"], {"revenue"}),
        (["ads/costs.csv", "bank/rates.csv"], {"cost", "cost_per_order", "planned", "revenue"}),
    ],
)
def test_what_needs_a_source_fails_and_nothing_else(folder: Path, gone: list[str], fails: set[str]) -> None:
    whole = call(folder, "run", *AS_OF, "--format", "csv").out.splitlines()
    done = call(without(folder, *gone), "run", *AS_OF, "--format", "csv")
    assert done.code == 2
    assert {kpi for kpi, status in values(done).items() if status == "failed"} == fails
    others = [line for line in whole if line.partition(",")[0] not in fails]
    assert [line for line in done.out.splitlines() if line.partition(",")[0] not in fails] == others
    for name in gone:
        source = name.partition("/")[0]
        assert f"sources.{source}: there is no '{source}'" in done.err


def test_a_table_that_cannot_be_read_fails_less_than_its_source(folder: Path) -> None:
    (folder / "ads/costs.csv").write_text("id,day,amount,channel\n1,2026-05-03\n", encoding="utf-8")
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 2
    assert {kpi for kpi, status in values(done).items() if status == "failed"} == {
        "cost",
        "cost_per_order",
        "planned",
    }


def test_the_table_says_which_failed_and_why(folder: Path) -> None:
    done = call(without(folder, "ads/costs.csv"), "run", *AS_OF)
    assert done.code == 2
    assert "! 3 KPIs failed · source 'ads': there is no 'ads'" in done.out
    assert "  Cost per order\n" in done.out
    assert "Revenue" in done.out and "17.9" not in done.out
    assert "kpis.yaml:7:" in done.err


def test_json_says_it_as_values(folder: Path) -> None:
    done = call(without(folder, "ads/costs.csv"), "run", *AS_OF, "--format", "json")
    found = json.loads(done.out)
    assert {failed["kpi"] for failed in found["failed"]} == {"cost", "cost_per_order", "planned"}
    assert found["failed"][0]["reason"].startswith("source 'ads': there is no 'ads'")
    assert found["failed"][0]["problems"][0]["line"] == 7
    assert {row["kpi"] for row in found["rows"]} == {"revenue", "number"}


def test_a_report_shows_it_and_leaves_out_what_rests_on_it(folder: Path) -> None:
    done = call(
        without(folder, "ads/costs.csv"), "report", "monthly", *AS_OF, "--output", "-", "--format", "markdown"
    )
    assert done.code == 2
    assert "Failed: source 'ads': there is no 'ads'" in done.out
    assert (
        "> 3 KPIs failed · source 'ads': there is no 'ads' (Cost, Cost per order, Against cost)" in done.out
    )


def test_french_reports_say_it_in_french(folder: Path) -> None:
    done = call(without(folder, "ads/costs.csv"), "run", *AS_OF, "--locale", "fr")
    assert "! 3 indicateurs en échec · source 'ads'" in done.out


def test_all_that_was_asked_for_is_shown_as_failed(folder: Path) -> None:
    done = call(without(folder, "ads/costs.csv"), "run", *AS_OF, "--format", "csv", "cost", "cost_per_order")
    assert done.code == 2
    assert values(done) == {"cost": "failed", "cost_per_order": "failed"}
    assert "sources.ads: there is no 'ads'" in done.err


ALL_GONE = ["ads/costs.csv", "data/orders.csv", "bank/rates.csv"]
ALL = {"revenue", "number", "cost", "cost_per_order", "planned"}


def test_the_table_says_that_all_failed(folder: Path) -> None:
    done = call(without(folder, *ALL_GONE), "run", *AS_OF)
    assert done.code == 2
    said = " ".join(done.out.split())
    for label in ("Revenue", "Orders", "Cost", "Cost per order", "Against cost"):
        assert label in said
    assert "failed · source 'ads': there is no 'ads'" in said
    assert done.err.count("sources.shop: there is no 'data'") == 1


@pytest.mark.parametrize("kind", ["csv", "json", "markdown", "html"])
def test_every_format_is_made_where_all_failed(folder: Path, kind: str) -> None:
    done = call(without(folder, *ALL_GONE), "run", *AS_OF, "--format", kind)
    assert done.code == 2
    if kind == "csv":
        assert values(done) == dict.fromkeys(ALL, "failed")
    elif kind == "json":
        assert {failed["kpi"] for failed in json.loads(done.out)["failed"]} == ALL
    else:
        assert "there is no" in done.out and "ads" in done.out


@pytest.mark.parametrize("command", [["run"], ["report", "monthly"], ["report"]])
def test_no_report_of_before_is_left_where_all_failed(folder: Path, command: list[str]) -> None:
    """That of before, with its figures and no mark, would be taken for today's."""
    assert call(folder, *command, *AS_OF).code == 0
    [page] = (folder / "reports").glob("*.html")
    before = page.read_text(encoding="utf-8")
    done = call(without(folder, *ALL_GONE), *command, *AS_OF)
    assert done.code == 2
    now = page.read_text(encoding="utf-8")
    assert now != before
    assert "Failed: source" in now


def test_another_mistake_is_not_hidden_by_it(folder: Path) -> None:
    file = folder / "kpis.yaml"
    file.write_text(
        file.read_text().replace(
            "count(orders), period: month, target", "count(order), period: month, target"
        )
    )
    done = call(without(folder, "ads/costs.csv"), "run", *AS_OF)
    assert (done.code, done.out) == (2, "")
    assert "unknown" in done.err and "sources.ads" in done.err


@pytest.mark.parametrize("command", [["explain", "number"], ["pace", "number"], ["funnels"]])
def test_questions_about_one_kpi_do_not_mind(folder: Path, command: list[str]) -> None:
    whole = call(folder, *command, *AS_OF)
    assert call(without(folder, "ads/costs.csv"), *command, *AS_OF).code == whole.code == 0


@pytest.mark.parametrize("command", [["explain", "cost"], ["explain", "planned"], ["pace", "planned"]])
def test_questions_that_need_it_say_why_there_is_no_answer(folder: Path, command: list[str]) -> None:
    done = call(without(folder, "ads/costs.csv"), *command, *AS_OF)
    assert (done.code, done.out) == (2, "")
    assert "sources.ads: there is no 'ads'" in done.err


def test_the_python_api_goes_on_only_when_asked(folder: Path) -> None:
    project = cadran.open(without(folder, "ads/costs.csv"))
    with pytest.raises(cadran.ProblemsFound):
        project.run(as_of="2026-07-01")
    results = project.run(as_of="2026-07-01", partial=True)
    assert {failed.kpi for failed in results.failed} == {"cost", "cost_per_order", "planned"}
    assert {row["kpi"] for row in results.dicts() if row["status"] == "failed"} == {
        "cost",
        "cost_per_order",
        "planned",
    }
