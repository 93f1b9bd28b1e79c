"""Functions for formulas, for projects that name this plugin: ``plugins: [acme]``."""

from __future__ import annotations

from cadran.plugins import Function, FunctionEntry, hookimpl

#: 1 for the months January to June, else 2.
HALF = Function(
    "acme_half(day)", ("date",), "integer",
    sql={
        "duckdb": "CASE WHEN month({0}) < 7 THEN 1 ELSE 2 END",
        "postgres": "CASE WHEN extract(month FROM {0}) < 7 THEN 1 ELSE 2 END",
    },
)  # fmt: skip
#: How much more than in the period before, as a share of that.
GROWTH = Function("acme_growth(kpi)", ("any",), formula="{0} / previous({0}) - 1")


@hookimpl
def cadran_functions() -> list[FunctionEntry]:
    return [
        FunctionEntry("acme_half", lambda: HALF, "the half of the year"),
        FunctionEntry("acme_growth", lambda: GROWTH, "growth over the period before"),
    ]
