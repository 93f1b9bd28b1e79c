"""What is written: YAML without surprises, problems with a place, and no need for one more metric or another tool."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from .small import HEAD, figures, problems, project, run

SALES = """
    id,day,amount,country
    1,2026-06-01,10,NO
    2,2026-06-02,20,SE
    3,2025-06-03,5,NO
    4,2026-05-03,8,NO
"""
NORWAY = """
    notes: {2026-05-12: 12:30}
    datasets:
      sales: {from: files.sales, key: id, date: day}
    kpis:
      revenue:
        formula: sum(sales.amount)
        period: month
        segment: country
        owner: on
        target:
          - {segment: {country: NO}, value: 9}
          - {segment: {country: SE}, value: 0o17}
"""


def test_yaml_that_says_something_else(tmp_path: Path) -> None:
    text = NORWAY.replace("0o17", "17")
    small = project(tmp_path, text, {"sales": SALES})
    declaration, found = small.declaration()
    assert declaration is not None and not found
    assert list(declaration.notes.values()) == [{"": "12:30"}]
    assert declaration.kpis["revenue"].owner == "on"
    rows = {r.segment_value: r for r in small.run(as_of=dt.date(2026, 7, 1)) if r.period == "2026-06"}
    assert (rows["NO",].target, rows["NO",].status) == (9, "on_target")
    assert rows["SE",].target == 17

    old = yaml.safe_load("{country: NO, owner: on, note: 12:30, number: 017}")
    assert old == {"country": False, "owner": True, "note": 750, "number": 15}


def test_duplicate_keys(tmp_path: Path) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          revenue: {formula: sum(sales.amount), period: month}
          revenue: {formula: count(sales), period: month}
    """
    found = problems(tmp_path, text, {"sales": SALES})
    assert [p.code for p in found] == ["duplicate-key"]
    assert "revenue" in found[0].message
    assert found[0].where is not None and (found[0].where.line, found[0].where.column) == (10, 3)
    assert yaml.safe_load("{revenue: 1, revenue: 2}") == {"revenue": 2}  # the last one wins, silently


BROKEN = """\
datasets:
  sales: {from: files.sales, key: id, date: day}
kpis:
  revenue: {formula: sum(sales.amont), period: month}
  number: {formula: count(sale), period: month}
  ratio: {formula: revenu / number, period: mnth}
"""


def test_errors_without_file_and_line(tmp_path: Path) -> None:
    found = problems(tmp_path, BROKEN, {"sales": SALES})
    said = [
        (p.where.line, p.where.column, p.subject, p.hint) for p in found if p.where and p.severity == "error"
    ]
    assert len(said) == len(found)
    first = HEAD.count("\n") + 4
    assert (first, 32, "revenue", "did you mean 'amount'?") in said
    assert any(line == first + 1 and "did you mean 'sales'?" in hint for line, _, _, hint in said)
    assert any(line == first + 2 and "did you mean 'month'?" in hint for line, _, _, hint in said)
    for problem in found:
        assert str(problem).startswith(f"kpis.yaml:{problem.where.line}:{problem.where.column}: ")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include: [missing.yaml]\nkpis: {}\n", "missing.yaml"),
        (
            "sources: {files: {connector: files, path: nowhere}}\ndatasets: {a: {from: files.a, key: id}}\nkpis: {n: {formula: count(a), period: all}}\n",
            "nowhere",
        ),
        ("datasets: {a: {from: nobody.a, key: id}}\nkpis: {n: {formula: count(a), period: all}}\n", "nobody"),
        ("kpis: {n: {formula: count(a), period: all}}\n", "'a'"),
        ("kpis: {n: count(a)}\n", "'a'"),  # a building block that nobody uses
        ("kpis: [\n", "kpis.yaml"),
        ("", "version"),
    ],
)
def test_errors_are_no_false_success(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text, {}, head="version: 1\n" if text else "")
    assert any(said in str(p) and p.severity == "error" for p in found), found


def test_a_filter_as_jinja(tmp_path: Path) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          norway: {formula: "sum(sales.amount) filter (where FILTER)", period: month}
    """
    tables = {"sales": SALES}
    got = figures(run(tmp_path, text.replace("FILTER", "country = 'NO'"), tables))
    assert got["norway", "2026-06"] == 10
    for template in (
        "country = '{{ country }}' and {{ Dimension('sales__country') }}",
        "{% if x %} true {% endif %}",
        "{{ where }}",
    ):
        found = problems(tmp_path, text.replace("FILTER", template), tables)
        assert found and all(p.where and p.where.line == 9 for p in found), template
        assert all(p.subject == "norway" for p in found)


def test_one_new_metric_per_comparison(tmp_path: Path) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          revenue: {formula: sum(sales.amount), period: month, segment: country, compare: [previous, year_ago]}
    """
    results = run(tmp_path, text, {"sales": SALES})
    assert {row.kpi for row in results} == {"revenue"}
    rows = {(r.period, *r.segment_value): r for r in results}
    june, norway = rows["2026-06",], rows["2026-06", "NO"]
    assert (june.value, june.previous, june.year_ago, june.change) == (30, 8, 5, 22)
    assert (norway.value, norway.previous, norway.year_ago, norway.change) == (10, 8, 5, 2)


QUOTAS = """
    month,country,amount
    2026-05,NO,10
    2026-06,NO,9
    2026-06,SE,25
    2026-08,NO,11
"""


def test_targets_held_elsewhere(tmp_path: Path) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
          quotas: {from: files.quotas, key: [month, country], date: month, grain: month, ahead: true}
        kpis:
          revenue: {formula: sum(sales.amount), period: month, segment: country, target: sum(quotas.amount)}
    """
    results = run(tmp_path, text, {"sales": SALES, "quotas": QUOTAS}, since=dt.date(2026, 4, 1))
    found = {(r.period[5:], *r.segment_value): (r.value, r.target, r.status) for r in results}
    assert found["06",] == (30, 34, "off_target")
    assert found["06", "NO"] == (10, 9, "on_target")
    assert found["06", "SE"] == (20, 25, "off_target")
    assert found["05", "NO"] == (8, 10, "off_target")
    # No quota was set: that is no target, and not one of 0, which any revenue reaches.
    assert found["05", "SE"] == (0, None, "no_target")
    assert found["04",] == (0, None, "no_target")


def test_no_way_to_test_a_metric(tmp_path: Path) -> None:
    """A metric is tested in its own file, over rows that stand there and not over whatever the source holds."""
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          revenue: {formula: sum(sales.amount), period: month}
        tests:
          june: {given: {sales: "id,day,amount\\n1,2026-06-01,10\\n2,2026-06-02,20"}, expect: {revenue: {2026-06: 30}}}
          july: {given: {sales: "id,day,amount\\n1,2026-07-01,10"}, expect: {revenue: {2026-07: 30}}}
    """
    june, july = project(tmp_path, text, {"sales": SALES}).test()
    assert june.passed
    assert [m.message for m in july.misses] == ["revenue, 2026-07: expected 30, got 10, difference -20"]
