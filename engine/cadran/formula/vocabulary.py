"""The words of the KPI language beyond scalar SQL: aggregates, and functions over entities, intervals and KPIs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Word:
    """One function as the reference shows it."""

    name: str
    signature: str
    summary: str
    group: str
    least: int = 1
    most: int = 1


def _words(group: str, *rows: tuple[str, str, str, int, int]) -> dict[str, Word]:
    return {name: Word(name, sig, summary, group, least, most) for name, sig, summary, least, most in rows}


AGGREGATES = _words(
    "Over a dataset",
    (
        "count",
        "count(dataset) · count(distinct column)",
        "Rows; or different values, NULL not counted.",
        1,
        1,
    ),
    ("sum", "sum(x)", "The sum; 0 over no rows.", 1, 1),
    ("avg", "avg(x)", "The mean of the values that are not NULL.", 1, 1),
    ("min", "min(x)", "The smallest value.", 1, 1),
    ("max", "max(x)", "The largest value.", 1, 1),
    ("median", "median(x)", "The middle value, interpolated.", 1, 1),
    ("quantile", "quantile(x, 0.9)", "The value below which that share lies, interpolated.", 2, 2),
    ("stddev", "stddev(x)", "The sample's standard deviation.", 1, 1),
    ("dated", "dated(m, column)", "The measure m on another date than its dataset's.", 2, 2),
    (
        "in_period",
        "in_period(timestamp)",
        "In a filter: whether the timestamp lies in the same period.",
        1,
        1,
    ),
)
ENTITIES = _words(
    "Over entities (a key that repeats)",
    ("active", "active(key)", "Different keys with a row in the period.", 1, 1),
    ("new", "new(key)", "Keys whose first row ever lies in the period.", 1, 1),
    ("retained", "retained(key)", "Keys with a row in the period and in the one before.", 1, 1),
    (
        "lost",
        "lost(key) · lost(m)",
        "Keys seen in the period before and not in this; over intervals: in the opening, not in the closing.",
        1,
        1,
    ),
    (
        "count_having",
        "count_having(key, condition)",
        "Keys whose rows of the period meet a condition on aggregates.",
        2,
        2,
    ),
    (
        "converted",
        "converted(a.key, b.key, '60 days')",
        "Rows of a with a match in b within the window after them, each once.",
        3,
        3,
    ),
)
INTERVALS = _words(
    "Over intervals (valid:) and snapshots",
    ("opening", "opening(m)", "m over the rows valid just before the period begins.", 1, 1),
    ("closing", "closing(m)", "m over the rows valid just before the period ends.", 1, 1),
    ("started", "started(m)", "m over the rows whose validity begins in the period.", 1, 1),
    ("ended", "ended(m)", "m over the rows whose validity ends in the period.", 1, 1),
    ("during", "during(m)", "m over the rows valid at any time in the period.", 1, 1),
    ("kept", "kept(m, key)", "The closing m of those keys that were in the opening.", 2, 2),
)
OVER_KPIS = _words(
    "Over a KPI or any expression",
    ("previous", "previous(k)", "k one period earlier.", 1, 1),
    ("next", "next(k)", "k one period later.", 1, 1),
    ("year_ago", "year_ago(k)", "k in the same period a year earlier.", 1, 1),
    ("rolling", "rolling(k, n)", "k over the n periods that end with this one, recomputed.", 2, 2),
    ("mtd", "mtd(k)", "k from the start of the month to the period's end.", 1, 1),
    ("qtd", "qtd(k)", "k from the start of the quarter to the period's end.", 1, 1),
    ("ytd", "ytd(k)", "k from the start of the year to the period's end.", 1, 1),
    ("fytd", "fytd(k)", "k from the start of the fiscal year to the period's end.", 1, 1),
    (
        "value_at",
        "value_at(k, milestone)",
        "k at the last final period that ends at or before the milestone.",
        2,
        2,
    ),
    ("total", "total(k)", "k without the segment.", 1, 1),
)
IN_CONDITIONS = _words(
    "In alert conditions",
    ("mean", "mean(n)", "The mean of the value over the n final periods before the judged one.", 1, 1),
    ("zscore", "zscore(n)", "How many standard deviations the value lies from that mean.", 1, 1),
)
# stddev(n) in a condition takes a number of periods; elsewhere it is the aggregate.
CONDITION_NAMES = ("value", "target", "previous", "year_ago", "change", "change_rate", "base")
WORDS = {**AGGREGATES, **ENTITIES, **INTERVALS, **OVER_KPIS, **IN_CONDITIONS}

AGGREGATE_NODES: dict[type[exp.Expr], str] = {
    exp.Count: "count", exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max",
    exp.Median: "median", exp.Quantile: "quantile", exp.Stddev: "stddev",
}  # fmt: skip


def word_of(node: exp.Expr) -> str | None:
    """The vocabulary word that this node calls, or None."""
    name = AGGREGATE_NODES.get(type(node))
    if name:
        return name
    if isinstance(node, exp.Anonymous) and isinstance(node.this, str):
        lowered = node.this.lower()
        return lowered if lowered in WORDS else None
    return None


def reference() -> str:
    """The vocabulary as Markdown tables, for docs/functions.md."""
    out: list[str] = []
    for words in (AGGREGATES, ENTITIES, INTERVALS, OVER_KPIS, IN_CONDITIONS):
        out += [f"## {next(iter(words.values())).group}", "", "| write | meaning |", "|---|---|"]
        out += [f"| `{w.signature}` | {w.summary} |" for w in words.values()]
        out.append("")
    return "\n".join(out)
