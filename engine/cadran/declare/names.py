"""Which names a KPI or a dataset may have: one that is also a word of the language could not be told from it."""

from __future__ import annotations

import re

from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.plugins.writing import is_file_name

_NAME = re.compile(r"[^\W\d]\w*")
_NEVER_IN_FORMULAS = ("source", "channel", "funnel", "cohort")
LONGEST = 120

#: Keywords that SQL reserves (DuckDB's list).
RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric at both case cast check collate column constraint create
    default deferrable desc describe distinct do else end except false fetch for foreign from group having in
    initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer
    pivot_wider placing primary qualify references returning select show some summarize symmetric table then to
    trailing true union unique unpivot using variadic when where window with
    """.split()  # noqa: SIM905
)

#: Words of the expression language: functions over datasets, entities, intervals and KPIs, what a condition sees,
#: the clock, and SQL's operators that are not reserved.
WORDS = frozenset(
    """
    active avg base between change change_rate closing coalesce converted count count_having current_date
    current_timestamp dated during ended exists filter fytd ilike in_period interval is kept like lost max mean median
    min mtd new next now opening over partition previous qtd quantile retained rolling started stddev sum target total
    value value_at year_ago ytd zscore
    """.split()  # noqa: SIM905
)


def check_name(kind: str, name: str, place: Place, found: Findings) -> bool:
    """Whether ``name`` may be the name of a ``kind`` ("KPI", "dataset", "source", "channel")."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        message = f"'{name[:40]}' cannot be the name of a {kind}"
        suggestion = re.sub(r"\W+", "_", name).strip("_")[:40].lower()
        hint = "use letters, digits and '_', and begin with a letter"
        if _NAME.fullmatch(suggestion):
            hint += f", such as '{suggestion}'"
        found.error("bad-name", message, place, hint)
        return False
    folded = name.casefold()
    if kind not in _NEVER_IN_FORMULAS and (folded in RESERVED or folded in WORDS):
        whose = "SQL" if folded in RESERVED else "the KPI language"
        message = f"'{name}' is a word of {whose} and cannot be the name of a {kind}"
        found.error(
            "reserved-name", message, place, f"choose another name, such as '{folded}_{_ending(kind)}'"
        )
        return False
    return True


def check_file_name(kind: str, name: str, place: Place, found: Findings) -> None:
    """That a file can be called so; the suffix is still to come."""
    if not is_file_name(f"{name}.html"):
        message = f"'{name[:40]}' cannot be the name of a {kind}, which is written to a file of that name"
        hint = "leave out '/' and '\\', begin with a letter, and keep it short"
        found.error("bad-name", message, place, hint)


def _ending(kind: str) -> str:
    return {"KPI": "kpi", "dataset": "rows"}.get(kind, kind)


def check_capitals(kind: str, names: dict[str, Place], found: Findings) -> None:
    """Two names that differ only in capitals would be one name in SQL."""
    seen: dict[str, str] = {}
    for name, place in names.items():
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            message = f"the {kind} '{name}' differs from '{first}' only in capitals"
            found.error("same-name", message, place, "give them different names")
