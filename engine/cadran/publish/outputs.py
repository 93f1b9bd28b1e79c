"""What a run writes: CSV, JSON, Parquet, Markdown, HTML. Numbers are exact, never in scientific notation for decimals."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadran.compute.results import COLUMNS, Alert, Failed, Note, Quality, Results, Row, as_tuples
from cadran.publish.figures import hide, noted
from cadran.publish.messages import catalogue

if TYPE_CHECKING:
    from cadran.declare.model import Declaration, Report
    from cadran.problems import Problem

FORMATS = ("csv", "json", "parquet", "markdown", "html")
SUFFIXES = {"csv": "csv", "json": "json", "parquet": "parquet", "markdown": "md", "html": "html"}


def write(
    results: Results,
    declaration: Declaration,
    format: str,  # noqa: A002 (it is what the option is called)
    *,
    report: Report | None = None,
    locale: str = "",
    template_folders: Sequence[Path] = (),
) -> str | bytes:
    """The results in one of :data:`FORMATS`; Parquet is bytes. Raises ProblemsFound for a faulty template."""
    match format:
        case "csv":
            return to_csv(results)
        case "json":
            return to_json(results, declaration.secrets)
        case "parquet":
            return to_parquet(results)
        case "markdown" | "html":
            from cadran.publish.report import render

            return render(
                results,
                declaration,
                report=report,
                kind="html" if format == "html" else "markdown",
                locale=locale,
                template_folders=template_folders,
            )
    raise ValueError(f"'{format}' is not an output format; there is {', '.join(FORMATS)}")


_AS_IT_IS = frozenset({str, int, type(None), dt.date})  # what csv writes as it should be


def to_csv(results: Results) -> str:
    """The columns of :data:`COLUMNS`; no data is an empty field."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [value if type(value) in _AS_IT_IS else plain(value) for value in values]
        for values in as_tuples(results.listed)
    )
    return out.getvalue()


def plain(value: Any) -> Any:
    """A field as :mod:`csv` writes it: decimals digit by digit, floats in their shortest exact form, dates in ISO."""
    kind = type(value)
    if kind is Decimal:
        return format(value, "f")
    return None if kind is float and not math.isfinite(value) else value


def to_parquet(results: Results) -> bytes:
    """The table of ``results.arrow()`` with the run's clock in the metadata, under ``as_of``, and the notes as JSON."""
    import pyarrow.parquet

    table = results.arrow()
    notes = json_text([_note(note, results.declaration.secrets) for note in results.notes])
    table = table.replace_schema_metadata({"as_of": results.as_of.isoformat(), "notes": notes})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


# --- JSON ------------------------------------------------------------------------------------------------------


def to_json(results: Results, secrets: frozenset[str] = frozenset()) -> str:
    """``{as_of, rows, failed, alerts, quality, warnings, notes}``, one item a line; a row's ``segment`` is a mapping."""
    parts: dict[str, list[dict[str, Any]]] = {
        "rows": [_row(row) for row in results.rows],
        "failed": [_failed(failed, secrets) for failed in results.failed],
        "alerts": [_alert(alert, secrets) for alert in results.alerts],
        "quality": [_quality(quality, secrets) for quality in results.quality],
        "warnings": [_warning(problem, secrets) for problem in results.warnings],
        "notes": [_note(note, secrets) for note in results.notes],
    }
    blocks = [f'  "as_of": {json_text(results.as_of)}']
    for name, items in parts.items():
        lines = ",\n".join(f"    {json_text(item)}" for item in items)
        blocks.append(f'  "{name}": [\n{lines}\n  ]' if lines else f'  "{name}": []')
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def to_text(items: Sequence[Mapping[str, Any]]) -> str:
    """A list as JSON, one item a line."""
    lines = ",\n".join(f"  {json_text(item)}" for item in items)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def _row(row: Row) -> dict[str, Any]:
    out = {name: getattr(row, name) for name in COLUMNS if name != "segment_value"}
    return {**out, "segment": _segment(row)}


def _failed(failed: Failed, secrets: frozenset[str]) -> dict[str, Any]:
    return {
        "kpi": failed.kpi,
        "reason": hide(failed.reason, secrets),
        "problems": [_warning(problem, secrets) for problem in failed.problems],
    }


def _segment(item: Row | Alert) -> dict[str, str]:
    return dict(zip(item.segment, item.segment_value, strict=True))


def _alert(alert: Alert, secrets: frozenset[str]) -> dict[str, Any]:
    return {
        "kpi": alert.kpi,
        "rule": hide(alert.rule, secrets),
        "condition": hide(alert.condition, secrets),
        "severity": hide(alert.severity, secrets),
        "state": alert.state,
        "grain": alert.grain,
        "period": alert.period,
        "since": alert.since,
        "segment": _segment(alert),
        "value": alert.value,
        "target": alert.target,
        "reason": hide(alert.reason, secrets),
    }


def _quality(quality: Quality, secrets: frozenset[str]) -> dict[str, Any]:
    return {
        "dataset": quality.dataset,
        "rows": quality.rows,
        "quarantined": quality.quarantined,
        "undated": quality.undated,
        "first": quality.first,
        "last": quality.last,
        "rejected": [
            {"where": hide(where, secrets), "reason": hide(why, secrets)} for where, why in quality.rejected
        ],
        "findings": [hide(text, secrets) for text in quality.findings],
    }


def _warning(problem: Problem, secrets: frozenset[str]) -> dict[str, Any]:
    where = problem.where
    return {
        "code": problem.code,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "subject": problem.subject,
        "message": hide(problem.message, secrets),
        "hint": hide(problem.hint, secrets),
    }


def _note(note: Note, secrets: frozenset[str]) -> dict[str, Any]:
    text = noted(catalogue("en"), note.kind, note.dataset, note.since)
    return {"kpi": note.kpi, "kind": note.kind, "dataset": note.dataset, "since": note.since, "text": hide(text, secrets)}  # fmt: skip


def json_text(value: Any) -> str:
    """JSON in which a Decimal keeps its digits: the standard library can only write floats."""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else "null"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "null"
    if isinstance(value, dt.date):  # a datetime too
        return json.dumps(value.isoformat())
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(k), ensure_ascii=False)}: {json_text(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
