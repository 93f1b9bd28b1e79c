"""From ``cadran sync`` to the numbers of a run."""

from __future__ import annotations

from pathlib import Path

from cadran.project import Project
from sync.fake import Plugins, World, world

PROJECT = """
version: 1
sources:
  crm: {connector: fake, token: secret-token, sync: {max_age: 1 hour}}
datasets:
  deals: {from: crm.deals, date: changed}
kpis:
  revenue: {formula: sum(deals.amount), period: month}
  deal_count: {formula: count(deals), period: month}
"""


def project(folder: Path, of: World, text: str = PROJECT) -> Project:
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return Project(folder / "kpis.yaml", {}, _plugins=Plugins(of))


def value(opened: Project, kpi: str, **settings: object) -> object:
    results = opened.run([kpi], as_of="2026-04-01", **settings)
    [row] = [r for r in results.rows if r.kpi == kpi and r.period == "2026-03"]
    return row.value


def test_a_sync_and_then_a_run(tmp_path: Path) -> None:
    of = world()
    for number in range(5):
        of.deal(number, amount=f"{number}.25")
    opened = project(tmp_path, of)
    [done] = opened.sync(now=of.clock)
    assert done.error is None, done.error
    assert (done.counts.new, done.counts.rows, done.whole) == (5, 5, True)
    assert value(opened, "revenue", sync=False) == 11.25
