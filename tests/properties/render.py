"""Trees as language text, and a random project as the files that a team would have written."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from naive.evaluator import Kpi
from naive.periods import Calendar
from naive.rows import Dataset
from naive.tree import (
    Agg,
    Arith,
    Coalesce,
    Column,
    Converted,
    CountHaving,
    DateDiff,
    Entity,
    InPeriod,
    IsNull,
    Kept,
    Literal,
    Neg,
    Node,
    Not,
    Now,
    Nth,
    Num,
    Op,
    Ref,
    Rolling,
    RowExpr,
    Shift,
    Timed,
    ToDate,
    Total,
    Value,
    ValueAt,
)

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip


@dataclass(frozen=True)
class Project:
    """Everything about one example; ``types`` are the columns' types by dataset."""

    datasets: Sequence[Dataset]
    types: Mapping[str, Mapping[str, str]]
    calendar: Calendar
    clock: dt.datetime
    since: dt.date
    until: dt.date
    kpis: Sequence[Kpi]
    milestones: Mapping[str, dt.date] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """``kpis.yaml`` and its CSV files; the YAML's path."""
        for name, text in self.files().items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder / "kpis.yaml"

    def files(self) -> dict[str, str]:
        tables = {f"{d.name}.csv": csv_text(list(self.types[d.name]), d.rows) for d in self.datasets}
        return {"kpis.yaml": project_yaml(self)} | tables

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text("<the project printed above>")  # hypothesis would print every field

    def __str__(self) -> str:
        parts = [f"clock {self.clock.isoformat()}, since {self.since}, until {self.until}"]
        parts += [f"--- {name}\n{text}" for name, text in self.files().items()]
        return "\n".join(parts)


# --- expressions -----------------------------------------------------------------------------------------------


def row_text(node: RowExpr) -> str:
    match node:
        case Column(path):
            return path
        case Literal(value):
            return literal(value)
        case Op(op, left, right):
            return f"({row_text(left)} {op} {row_text(right)})"
        case Not(of):
            return f"(not {row_text(of)})"
        case IsNull(of):
            return f"({row_text(of)} is null)"
        case Now(date):
            return "current_date" if date else "now()"
        case DateDiff(start, end):
            return f"date_diff('day', {row_text(start)}, {row_text(end)})"
        case InPeriod(of):
            return f"in_period({row_text(of)})"


def literal(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}'"
        case dt.datetime():
            return f"timestamp '{value}'"
        case dt.date():
            return f"date '{value}'"
        case _:
            return str(value)


def formula_text(node: Node) -> str:
    match node:
        case Agg():
            return dated(agg_text(node), node.date)
        case Entity(kind, dataset, x, where, date):
            return dated(f"{kind}({dataset}.{x}){filter_text(where)}", date)
        case CountHaving(dataset, x, having, op, number, where, date):
            condition = f"{agg_text(having)} {op} {number}"
            return dated(f"count_having({dataset}.{x}, {condition}){filter_text(where)}", date)
        case Converted(dataset, x, other, y, days, hours, where):
            window = f"{hours} hours" if hours else f"{days} days"
            return f"converted({dataset}.{x}, {other}.{y}, '{window}'){filter_text(where)}"
        case Timed(kind, of):
            return f"{kind}({agg_text(of)})"
        case Kept(of, x):
            return f"kept({agg_text(of)}, {of.dataset}.{x})"
        case Num(value, text):
            return text or str(value)
        case Arith(op, left, right):
            return f"({formula_text(left)} {op} {formula_text(right)})"
        case Neg(of):
            return f"(-{formula_text(of)})"
        case Coalesce(of, default):
            return f"coalesce({formula_text(of)}, {formula_text(default)})"
        case Ref(name):
            return name
        case Shift(kind, of):
            return f"{kind}({formula_text(of)})"
        case ValueAt(of, _, name):
            return f"value_at({formula_text(of)}, {name})"
        case Rolling(of, count):
            return f"rolling({formula_text(of)}, {count})"
        case ToDate(unit, of):
            return f"{unit}({formula_text(of)})"
        case Total(of):
            return f"total({formula_text(of)})"


def agg_text(node: Agg) -> str:
    if node.arg is None:
        inside = node.dataset
    else:
        inside = f"{node.dataset}.{node.arg.path}" if isinstance(node.arg, Column) else row_text(node.arg)
    if node.distinct:
        inside = f"distinct {inside}"
    if node.func == "quantile":
        inside = f"{inside}, {node.q}"
    return f"{node.func}({inside}){filter_text(node.where)}"


def filter_text(where: RowExpr | None) -> str:
    return "" if where is None else f" filter (where {row_text(where)})"


def dated(text: str, column: str | None) -> str:
    return f"dated({text}, {column})" if column else text


# --- files -----------------------------------------------------------------------------------------------------


def csv_text(columns: Sequence[str], rows: Sequence[Mapping[str, Value]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[cell(row[column]) for column in columns] for row in rows])
    return out.getvalue()


def cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return value.isoformat(" ")
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)


def project_yaml(project: Project) -> str:
    calendar = project.calendar
    lines = [
        "version: 1",
        f"calendar: {{timezone: {calendar.zone}, fiscal_year_starts: {MONTHS[calendar.fiscal_starts - 1]}, "
        f"fiscal_year_named: {calendar.fiscal_named}}}",
        "sources:",
        "  files:",
        "    connector: files",
        "    path: .",
        "    tables:",
    ]
    for name, types in project.types.items():
        pairs = ", ".join(f"{column}: {quoted(kind)}" for column, kind in types.items())
        lines.append(f"      {name}: {{path: {name}.csv, types: {{{pairs}}}}}")
    lines.append("datasets:")
    for dataset in project.datasets:
        lines += dataset_yaml(dataset)
    lines += segments_yaml(project.datasets)
    if project.milestones:
        pairs = ", ".join(f"{name}: {day}" for name, day in project.milestones.items())
        lines.append(f"milestones: {{{pairs}}}")
    lines.append("kpis:")
    for kpi in project.kpis:
        lines += kpi_yaml(kpi)
    return "\n".join(lines) + "\n"


def dataset_yaml(dataset: Dataset) -> list[str]:
    lines = [f"  {dataset.name}:", f"    from: files.{dataset.name}", f"    key: [{', '.join(dataset.key)}]"]
    if dataset.date:
        lines.append(f"    date: {dataset.date}")
    if dataset.valid and dataset.inclusive:
        lines.append(f"    valid: {{from: {dataset.valid[0]}, to: {dataset.valid[1]}, inclusive: true}}")
    elif dataset.valid:
        lines.append(f"    valid: [{', '.join(dataset.valid)}]")
    lines += [f"    {flag}: true" for flag in ("snapshot", "ahead") if getattr(dataset, flag)]
    if dataset.settle:
        lines.append(f"    settle: {dataset.settle} days")
    if dataset.where:
        lines.append(f"    where: {quoted(row_text(dataset.where))}")
    if dataset.derived:
        lines.append("    columns:")
        for name, expression in dataset.derived.items():
            lines.append(f"      {name}: {quoted(derived_text(expression))}")
    if dataset.links:
        pairs = ", ".join(
            f"{n}: {{column: {link.column}, to: {link.to}}}" for n, link in dataset.links.items()
        )
        lines.append(f"    links: {{{pairs}}}")
    return lines


def derived_text(expression: RowExpr | Agg | Nth) -> str:
    if isinstance(expression, Nth):
        return f"row_number() over (partition by {expression.partition} order by {expression.order})"
    return agg_text(expression) if isinstance(expression, Agg) else row_text(expression)


def segments_yaml(datasets: Sequence[Dataset]) -> list[str]:
    paths: dict[str, list[str]] = {}
    for dataset in datasets:
        for name, path in dataset.segments.items():
            paths.setdefault(name, []).append(f"{dataset.name}: {path}")
    return (
        ["segments:"] + [f"  {name}: {{{', '.join(found)}}}" for name, found in paths.items()]
        if paths
        else []
    )


def kpi_yaml(kpi: Kpi) -> list[str]:
    text = quoted(formula_text(kpi.formula))
    if not kpi.grains:
        return [f"  {kpi.name}: {text}"]
    lines = [f"  {kpi.name}:", f"    formula: {text}", f"    period: [{', '.join(kpi.grains)}]"]
    if kpi.segments:
        crosses = ["[" + ", ".join(names) + "]" if len(names) > 1 else names[0] for names in kpi.segments]
        lines.append(f"    segment: [{', '.join(crosses)}]")
    return lines


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
