"""The clock of a test that names none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import cadran
from cadran.calendar import Grain, Period
from cadran.compute.spans import LATEST
from cadran.testing.clock import clock_at, late_enough

PROJECT = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {crm: {connector: files, path: data}}
datasets:
  leads: {from: crm.leads, key: id, date: created_at, links: {customer_id: customers}}
  customers: {from: crm.customers, key: id, date: created_at}
  orders: {from: crm.orders, key: id, date: day, settle: 3 days}
  calls: {from: crm.calls, key: id, date: at, settle: 26h}
  quotas: {from: crm.quotas, key: month, date: month, grain: month, ahead: true}
kpis:
  leads: {formula: count(leads), period: [month, quarter]}
  converted_leads: {formula: "converted(leads.customer_id, customers.id, '60 days')", period: month}
  orders: {formula: count(orders), period: month}
  per_call: {formula: count(orders) / count(calls), period: month}
  coverage: {formula: count(leads) / next(sum(quotas.amount)), period: month}
  coming: {formula: next(count(leads)), period: month}
"""
MARCH = Period(Grain.MONTH, dt.date(2026, 3, 1), dt.date(2026, 4, 1))
SEPTEMBER = Period(Grain.MONTH, dt.date(2026, 9, 1), dt.date(2026, 10, 1))


@pytest.fixture
def project(tmp_path: Path) -> cadran.Project:
    (tmp_path / "data").mkdir()
    for name, header in (("leads", "id,created_at,customer_id"), ("customers", "id,created_at"), ("orders", "id,day"), ("calls", "id,at"), ("quotas", "month,amount")):  # fmt: skip
        (tmp_path / "data" / f"{name}.csv").write_text(f"{header}\n", encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    return cadran.open(tmp_path, environ={})


@pytest.mark.parametrize(
    ("wanted", "instant"),
    [
        ([("leads", MARCH)], "2026-04-01T00:00:00+02:00"),  # over
        ([("leads", SEPTEMBER)], "2026-10-01T00:00:00+02:00"),
        ([("leads", MARCH), ("leads", SEPTEMBER)], "2026-10-01T00:00:00+02:00"),
        ([("converted_leads", MARCH)], "2026-05-31T00:00:00+02:00"),  # … and the cohort has matured
        ([("orders", MARCH)], "2026-04-04T00:00:00+02:00"),  # … and its data has settled
        ([("per_call", MARCH)], "2026-04-04T00:00:00+02:00"),  # by the slower of the two
        ([("per_call", SEPTEMBER)], "2026-10-04T00:00:00+02:00"),
        ([("coverage", MARCH)], "2026-04-01T00:00:00+02:00"),  # what lies ahead is known already
        ([("coming", MARCH)], "2026-05-01T00:00:00+02:00"),
        ([], f"{LATEST}T00:00:00+01:00"),
    ],
)
def test_it_stands_late_enough_and_no_later(
    project: cadran.Project, wanted: list[tuple[str, Period]], instant: str
) -> None:
    declaration, model, _ = project.model()
    assert late_enough(declaration, model, wanted).instant.isoformat() == instant


def test_it_can_be_a_day_or_an_instant(project: cadran.Project) -> None:
    declaration, _, _ = project.model()
    said = [
        dt.date(2026, 4, 1),
        dt.datetime(2026, 4, 1, 9, 30),
        dt.datetime(2026, 4, 1, 9, 30, tzinfo=dt.UTC),
    ]
    assert [clock_at(moment, declaration).instant.isoformat() for moment in said] == [
        "2026-04-01T00:00:00+02:00", "2026-04-01T09:30:00+02:00", "2026-04-01T09:30:00+00:00",
    ]  # fmt: skip
