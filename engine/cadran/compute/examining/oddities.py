"""Which value kept a column from being what it is used as: the one that is written unlike the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from cadran.compute.lower import cast, column, text
from cadran.compute.placing.places import Places


@dataclass(frozen=True, slots=True)
class Oddity:
    """``value`` does not fit; ``usual`` is how most others are written, empty where all are written alike.

    ``mostly`` says whether most values are, or look like, what the column is used as; ``fits`` whether the value by
    itself could be cast, so that it is odd only among the others.
    """

    value: str
    usual: str
    mostly: bool = True
    fits: bool = False


# How dates and numbers are written that cannot be cast as they are.
_LOOKS = {
    "DATE": re.compile(r"\s*\d{1,4}\s?[-/. ]\s?(\d{1,2}|\w{3,10}\.?)\s?[-/. ]\s?\d{1,4}\b"),
    "DOUBLE": re.compile(r"\s*[-+(]?\s?[^\w\s]?\s?\d[\d\s.,'’]*\s?\S{0,3}\s*"),
}


def odd_one(session: Places, table: exp.Expr, name: str, kind: str) -> Oddity | None:
    """What is written most rarely in a text column of which not every value is a ``kind`` (DOUBLE or DATE).

    The way of writing is the value with every run of digits folded, so ``12/03/2026`` and ``1/4/2025`` are alike,
    and ``12/03/26`` is not. Numbers with a point are the odd ones where most have a comma, though they could be cast.
    """
    value = column(name)
    shape = (
        _folded(_folded(value.copy(), "[0-9]{3,}", "y"), "[0-9]+", "9")
        if kind == "DATE"
        else _folded(value.copy(), "[0-9]+", "9")
    )
    fits = exp.TryCast(this=value.copy(), to=cast(exp.null(), kind).to)
    select = (
        exp.Select(expressions=[exp.Min(this=value.copy()), exp.Count(this=exp.Star()), exp.Count(this=fits)])
        .from_(table, copy=False)
        .where(exp.Not(this=exp.Is(this=value.copy(), expression=exp.null())), copy=False)
        .group_by(shape, copy=False)
        .order_by(
            exp.Ordered(this=exp.Count(this=exp.Star())),
            exp.Ordered(this=exp.Min(this=value.copy())),
            copy=False,
        )
    )
    rows = session.rows(select)
    unlike = [row for row in rows if row[2] < row[1]]
    if not unlike:
        return None
    # Dates of one column are all written alike; numbers are not (12 and 12.5), so there only a misfit is odd.
    odd = rows[0] if kind == "DATE" else _pointed(rows) or unlike[0]
    alike = sum(row[1] if _LOOKS[kind].match(str(row[0])) else row[2] for row in rows)
    mostly = 2 * alike > sum(row[1] for row in rows)
    usual = str(rows[-1][0]) if rows[-1] is not odd else ""
    return Oddity(str(odd[0]), usual, mostly, fits=odd[2] == odd[1])


def _folded(value: exp.Expr, digits: str, sign: str) -> exp.Expr:
    return exp.Anonymous(this="regexp_replace", expressions=[value, text(digits), text(sign), text("g")])


def _pointed(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    """Numbers with a decimal point among more with a decimal comma, the rarest first; None where there are none."""
    written = [(row, str(row[0])) for row in rows if _LOOKS["DOUBLE"].match(str(row[0]))]
    commas = sum(row[1] for row, value in written if "," in value)
    points = [row for row, value in written if "." in value and "," not in value]
    return points[0] if points and commas > sum(row[1] for row in points) else None


def number_hint(oddity: Oddity, name: str, *, speaks_sql: bool = False) -> str:
    """How a column of numbers is put right."""
    if speaks_sql:
        return _in_sql(name, "decimal(18, 2)")
    if not oddity.usual and "," in oddity.value:
        return 'if the numbers have a decimal comma, say decimal: "," in the source'
    return f'correct it, or say types: {{"{name}": "decimal(18,2)"}} in the source to have each such record named with its line'


def date_hint(oddity: Oddity, name: str, *, speaks_sql: bool = False) -> str:
    """How a column of dates is put right."""
    if speaks_sql:
        return _in_sql(name, "date")
    for sign in "/.":
        if not oddity.usual and oddity.value.count(sign) == 2:
            return f'say how they are written in the source: date_format: "%d{sign}%m{sign}%Y"'
    return f'correct it, or say types: {{"{name}": date}} in the source to have each such record named with its line'


def _in_sql(name: str, kind: str) -> str:
    written = name if name.isidentifier() else f'"{name}"'
    return (
        "correct it in the database, or convert the column with a SELECT under 'sql:': "
        f"CAST({written} AS {kind}) AS {written}"
    )
