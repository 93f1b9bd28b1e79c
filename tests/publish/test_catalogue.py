"""``cadran catalogue`` over a project that says little, or says it with signs that Markdown knows."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cadran.cli import cli

PROJECT = """\
version: 1
locale: en
sources: {crm: {connector: files, path: data}}
datasets: {orders: {from: crm.orders, key: id, date: day}}
kpis:
  large: count(orders) filter (where note = 'a|b')
  orders: {formula: count(orders), period: month}
  share:
    label: {fr: Part_des *grandes*, en: "Share | of large", de: Anteil}
    description: "One\\n\\n| table | less |"
    formula: >-
      large
      / count(orders)
    period: [month, fiscal_year]
    segment: [shop, [shop, note]]
    unit: percent
    good: down
    target:
      - {segment: {shop: Lyon}, period: 2026-01, value: 5%}
      - {segment: total, grain: month, between: [3%, 2 * previous(share)]}
      - {since: 2026-02-01, value: 110% * year_ago(share)}
    alert: [value > 9%, {name: odd, when: value > 20%, for: 3, clear: value < 10%, grain: month, scope: [shop]}, {name: all, when: value > 1, scope: total}]
    pitfalls: {fr: Piège., en: A pitfall.}
    tags: [quality, other]
tests:
  one of two: {given: {orders: [{id: 1}]}, expect: {share: {2026-01: {total: 50%, shop=Lyon: no data}}}}
"""
PAGE = r"""# KPI catalogue

Made of `kpis.yaml` by `cadran catalogue`. An example is a test: `cadran test` shows that it comes out.

## Others

### orders

`orders`

| | |
|---|---|
| formula | `count(orders)` |
| by | month |
| unit | more is better |

## Quality

### Share \| of large

`share` · *Part\_des \*grandes\**

One \| table \| less \|

| | |
|---|---|
| formula | `large / count(orders)` |
| by | month, fiscal year |
| broken down by | shop, shop × note |
| unit | percent, less is better |
| target | 5% for shop Lyon in 2026-01<br>between 3% and `2 * previous(share)` for the total by month<br>`110% * year_ago(share)` since 2026-02-01 |
| alert | `value > 9%`<br>*odd*: `value > 20%`, by month, for shop, 3 periods in a row, until `value < 10%`<br>*all*: `value > 1`, for the total |
| example | one of two → 50% (2026-01), no data (2026-01, shop Lyon) |
| easily misread | A pitfall. |

## Building blocks

Formulas that others use by name; they are not reported themselves.

- `large`: `count(orders) filter (where note = 'a\|b')`
"""


def test_a_page_of_little(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "catalogue"])
    assert (done.exit_code, done.output) == (0, PAGE)


def test_a_project_with_errors_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(PROJECT.replace("unit:", "unti:"), encoding="utf-8")
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "catalogue"])
    assert done.exit_code == 2
    assert "did you mean 'unit'?" in done.output
