"""Which value kept a column from being what it is used as: the one that is written unlike the others."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from cadran.compute.lower import cast, column, text
from cadran.compute.places import Places


@dataclass(frozen=True, slots=True)
class Oddity:
    """``value`` does not fit; ``usual`` is how most others are written, empty where all are written alike."""

    value: str
    usual: str


def odd_one(session: Places, table: exp.Expr, name: str, kind: str) -> Oddity | None:
    """What is written most rarely in a text column of which not every value is a ``kind`` (DOUBLE or DATE).

    The way of writing is the value with every run of digits folded, so ``12/03/2026`` and ``1/4/2025`` are alike.
    """
    value = column(name)
    shape = exp.Anonymous(
        this="regexp_replace", expressions=[value.copy(), text("[0-9]+"), text("9"), text("g")]
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
    odd = rows[0] if kind == "DATE" else unlike[0]
    return Oddity(str(odd[0]), str(rows[-1][0]) if rows[-1] is not odd else "")


def number_hint(oddity: Oddity, name: str) -> str:
    """How a column of numbers is put right."""
    if not oddity.usual and "," in oddity.value:
        return 'if the numbers have a decimal comma, say decimal: "," in the source'
    return f'correct it, or say types: {{"{name}": "decimal(18,2)"}} in the source to have each such record named with its line'


def date_hint(oddity: Oddity, name: str) -> str:
    """How a column of dates is put right."""
    for sign in "/.":
        if not oddity.usual and oddity.value.count(sign) == 2:
            return f'say how they are written in the source: date_format: "%d{sign}%m{sign}%Y"'
    return f'correct it, or say types: {{"{name}": date}} in the source to have each such record named with its line'
