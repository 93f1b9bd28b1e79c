"""Which KPIs are a share of one population or a mean, so that something can be said of how sure they are."""

from __future__ import annotations

from pathlib import Path

import pytest

import cadran
from cadran.formula.derive import Derivation
from cadran.formula.samples import Mean, Share, sample_of

HEAD = """\
version: 1
sources: {{files: {{connector: files, path: data}}}}
datasets:
  o: {{from: files.o, key: id, date: day}}
  s: {{from: files.s, key: id, date: until, valid: [since, until]}}
kpis:
  won: count(o) filter (where stage = 'won')
  tested: {{formula: "{formula}", period: month}}
"""


def kind(folder: Path, formula: str) -> str:
    (folder / "data").mkdir()
    (folder / "data" / "o.csv").write_text(
        "id,day,paid,stage,who,n\n1,2026-01-01,2026-01-02,won,a,5\n", encoding="utf-8"
    )
    (folder / "data" / "s.csv").write_text(
        "id,since,until,stage,asked\n1,2026-01-01,2026-01-02,won,2026-01-01\n", encoding="utf-8"
    )
    (folder / "kpis.yaml").write_text(HEAD.format(formula=formula), encoding="utf-8")
    _, model, _ = cadran.open(folder, environ={}).model()
    match sample_of(model.kpis["tested"].value, Derivation(model)):
        case Share(rest=rest):
            return "rest" if rest else "share"
        case Mean():
            return "mean"
    return ""


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("avg(o.n)", "mean"),
        ("(avg(o.n) filter (where stage = 'won'))", "mean"),
        ("closing(avg(s.id))", "mean"),
        ("won / count(o)", "share"),
        ("1 - won / count(o)", "rest"),
        ("(count(o) - won) / count(o)", "rest"),
        ("won / (count(o) filter (where n > 1))", ""),  # won deals of any n
        ("(count(o) filter (where stage = 'won' and n > 1)) / won", "share"),
        ("won / (count(o) filter (where stage in ('won', 'lost')))", "share"),
        ("won / (count(o) filter (where stage in ('lost', 'open')))", ""),
        ("(count(o) filter (where n >= 4)) / (count(o) filter (where n is not null))", "share"),
        ("(count(o) filter (where coalesce(n, 9) >= 4)) / (count(o) filter (where n is not null))", ""),
        ("count(o.n) / count(o)", "share"),
        ("count(o) / count(o.n)", ""),
        ("count_having(o.who, count(o) > 1) / active(o.who)", "share"),
        ("count_having(o.who, count(o) > 1) / count(distinct o.who)", "share"),
        ("(count(distinct o.who) filter (where n > 1)) / active(o.who)", "share"),
        ("new(o.who) / active(o.who)", "share"),
        ("count_having(o.who, count(o) > 1) / count(o)", ""),  # customers of orders
        ("converted(o.who, s.id, '30 days') / count(o)", "share"),
        ("lost(count(s)) / opening(count(s))", "share"),
        ("1 - closing(count(s)) / opening(count(s))", ""),
        ("ended(count(s)) / opening(count(s))", ""),  # some began in between
        ("ended(count(s)) / during(count(s))", "share"),
        ("(count(s) filter (where stage = 'won')) / during(count(s))", "share"),  # dated by the end
        ("dated(count(s), asked) / during(count(s))", ""),
        ("dated(won, paid) / dated(count(o), paid)", "share"),
        ("dated(won, paid) / count(o)", ""),
        ("won / count(s)", ""),
        ("100 * won / count(o)", ""),
        ("sum(o.n) / count(o)", ""),
        ("won / previous(count(o))", ""),
        ("previous(avg(o.n))", ""),
        ("avg(o.n) * 2", ""),
        ("median(o.n)", ""),
        ("count(o)", ""),
    ],
)
def test_what_a_formula_is(tmp_path: Path, formula: str, said: str) -> None:
    assert kind(tmp_path, formula) == said
