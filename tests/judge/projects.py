"""A declared project without a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cadran.calendar import Duration, Grain
from cadran.declare.document import nowhere
from cadran.declare.model import AlertRule, Channel, Dataset, Declaration, Expect, Kpi, Source, TableRef, Text
from judge.examples import PARIS, rule


def kpi(name: str, *rules: AlertRule, **more: object) -> Kpi:
    made = Kpi(name, Text(f"count({name})", nowhere()), nowhere(), periods=(Grain.MONTH,), alerts=rules)
    return replace(made, **more)  # type: ignore[arg-type]


def dataset(name: str, source: str, **expect: object) -> Dataset:
    return Dataset(name, (TableRef(source, name, nowhere()),), nowhere(), expect=Expect(**expect))  # type: ignore[arg-type]


def project(**more: object) -> Declaration:
    """``leads`` and ``revenue`` rest on ``crm``, ``visits`` on ``web``."""
    kpis = [
        kpi(
            "leads", rule(), segments=(("channel",),), owner="zoe@example.com", tags=("sales",), renamed_from="old_leads"
        ),
        kpi("revenue", rule(severity="critical"), owner="max@example.com"),
        kpi("margin", rule(), owner="zoe@example.com"),
        kpi("visits", rule()),
    ]  # fmt: skip
    made = Declaration(
        Path("kpis.yaml"), PARIS, nowhere(), channels={"mail": Channel("mail", "email", {}, nowhere())}, kpis={k.name: k for k in kpis},
        sources={name: Source(name, "files", {}, nowhere()) for name in ("crm", "web")},
        datasets={
            "leads": dataset("leads", "crm", max_age=Duration(days=1), min_rows=1),
            "orders": dataset("orders", "crm"), "visits": dataset("visits", "web"),
        },
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


RESTS = {"leads": ("leads",), "revenue": ("orders",), "margin": ("orders",), "visits": ("visits",)}
