"""Why KPIs are left out, in words."""

from __future__ import annotations

from cadran.problems import Problem
from cadran.starting.lacking import lacking


def test_kpis_by_what_is_missing() -> None:
    cut = {
        "cost": Problem("unknown-dataset", "unknown dataset 'costs'", None),
        "cac": Problem("unknown-kpi", "unknown KPI 'cost'", None),
        "churn": Problem("no-interval", "lost() needs to know from when to when a row of 'customers' holds", None),
        "clv": Problem("unknown-kpi", "unknown KPI 'churn'", None),
        "clv_to_cac": Problem("unknown-kpi", "unknown KPI 'clv'", None),
        "hot": Problem("unknown-column", "unknown column 'qualified' in dataset 'leads'", None),
        "loyal": Problem("unknown-column", "unknown column 'order_count' in dataset 'customers'", None),
        "tall": Problem("unknown-column", "unknown column 'height' in dataset 'leads'", None),
        "boats": Problem("unknown-dataset", "unknown dataset 'boats'", None),
        "odd": Problem("x", "something else", None),
        "loop": Problem("unknown-kpi", "unknown KPI 'loop'", None),
    }  # fmt: skip
    assert lacking(list(cut), cut) == {
        "no costs, such as ad spend": ("cost", "cac"),
        "no date on which a customer left": ("churn", "clv", "clv_to_cac"),
        "no score of leads, or other mark of the qualified": ("hot",),
        "no orders": ("loyal",),
        "no height of leads": ("tall",),
        "no dataset boats": ("boats",),
        "something else": ("odd",),
        "unknown KPI 'loop'": ("loop",),
    }
