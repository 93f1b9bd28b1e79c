"""The result of a run: one row per KPI, period and segment value, with what it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from cadran.problems import Problem

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from cadran.analysis.answers import Answers
    from cadran.compute.spans import Span
    from cadran.declare.model import AlertRule, Declaration

Number = int | Decimal | float
Status = Literal["on_target", "at_risk", "off_target", "no_target", "no_data", "not_judged", "failed"]
State = Literal["final", "settling", "maturing", "open"]

COLUMNS = (
    "kpi", "period", "period_start", "period_end", "segment", "segment_value", "value", "base",
    "previous", "year_ago", "change", "target", "status", "state", "target_high", "quarantined",
)  # fmt: skip


@dataclass(slots=True, unsafe_hash=True)
class Row:
    """One value. ``period_end`` is the period's last day; both are None for ``all`` of an undated dataset.

    ``segment`` and ``segment_value`` are empty for the total and longer than one for a cross. ``value`` and the
    other numbers are None where there is no data. ``target`` is the low end where ``target_high`` is set.
    ``quarantined`` counts the rows set aside in the datasets that the KPI rests on.
    """

    kpi: str
    grain: str
    period: str
    period_start: dt.date | None
    period_end: dt.date | None
    segment: tuple[str, ...] = ()
    segment_value: tuple[str, ...] = ()
    value: Number | None = None
    base: Number | None = None
    previous: Number | None = None
    year_ago: Number | None = None
    change: Number | None = None
    target: Number | None = None
    status: Status = "no_target"
    state: State = "final"
    target_high: Number | None = None
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """A KPI that was asked for and has no value, since a source that it needs did not answer; the ``problems`` say why."""

    kpi: str
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> str:
        """``source 'crm': …``, in one line."""
        said = (f"source '{p.subject.removeprefix('sources.')}': {p.message}" for p in self.problems)
        return "; ".join(dict.fromkeys(said))

    @property
    def row(self) -> Row:
        """What stands for it in tables."""
        return Row(self.kpi, "", "", None, None, status="failed")


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that holds at the newest final period (``firing``), or has not held for long enough (``pending``)."""

    kpi: str
    rule: str
    condition: str
    severity: str
    state: Literal["pending", "firing"]
    grain: str
    period: str
    since: str  # label of the first period of the unbroken stretch
    segment: tuple[str, ...] = ()
    segment_value: tuple[str, ...] = ()
    value: Number | None = None
    target: Number | None = None
    reason: str = ""  # "no data" when the condition was unknown and on_missing is alert
    judged: str = (
        ""  # label of the last period with a known condition, where one without keeps the alert as it was
    )


@dataclass(frozen=True, slots=True)
class Judging:
    """What one alert rule says of one segment value, final period by final period, the oldest first.

    Of each period (by its label) whether the condition and the rule's ``clear`` hold (None: unknown, or there is no
    ``clear``), the KPI's value and its target.
    """

    kpi: str
    rule: AlertRule = field(repr=False)
    grain: str
    segment: tuple[str, ...]
    segment_value: tuple[str, ...]
    periods: tuple[str, ...] = ()
    answers: tuple[tuple[bool | None, bool | None], ...] = ()
    figures: tuple[tuple[Number | None, Number | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What one statement took: seconds, the rows that it gave, and their bytes as they came (0 where nothing travelled).

    ``place`` is the source that answered, empty for cadran itself. Of a statement that ran here, ``scanned`` are the rows that it
    read of sources' tables and ``read`` the bytes of their files, both as :class:`Scanned` counts them.
    """

    name: str
    place: str
    seconds: float
    rows: int
    bytes: int = 0
    scanned: int = 0
    read: int = 0


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a whole run had of one source.

    ``rows`` are those that statements here read of its tables, counted again by each; of Parquet files that are scanned
    where they lie, what their statistics and simple filters rule out is not among them, and ``bytes`` are the compressed
    columns that were read. ``came`` are the rows that the source sent, loaded, fetched or as its answers, and ``bytes_came``
    their size in memory; what it read itself is not known.
    """

    source: str
    rows: int = 0
    bytes: int = 0
    came: int = 0
    bytes_came: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """What one dataset held at the run's clock."""

    dataset: str
    rows: int = 0
    quarantined: int = 0
    undated: int = 0
    first: dt.date | None = None
    last: dt.date | None = None
    rejected: tuple[tuple[str, str], ...] = ()  # (place, reason), the first few
    findings: tuple[str, ...] = ()  # unmet expectations, in words
    unmet: tuple[Literal["max_age", "min_rows"], ...] = ()  # which those are, in the same order
    # the latest moment that the newest row may be of, as local time; None without dated rows
    newest: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """How a KPI's values are to be read: ``clock`` where it rests on now() and nothing of it is kept, ``restate`` where
    rows of ``dataset`` that changed in periods that ended before ``since`` are not looked at again."""

    kpi: str
    kind: Literal["clock", "restate"]
    dataset: str = ""
    since: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Reuse:
    """Of one measure of a scan, over which spans an earlier run's result was taken and over which it was made.

    ``passing`` are those of the latter that cannot be kept: they are not over for good, the clock may change them, or
    nothing tells whether rows of the ``untold`` datasets have changed.
    """

    scan: str
    dataset: str
    kpis: tuple[str, ...]
    kept: tuple[Span, ...] = ()
    made: tuple[Span, ...] = ()
    passing: tuple[Span, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """Iterable rows plus alerts, data quality, warnings and notes.

    ``as_of`` is the run's logical time in the calendar's zone, ``declaration`` what was computed.
    """

    rows: tuple[Row, ...]
    as_of: dt.datetime
    declaration: Declaration = field(repr=False)
    alerts: tuple[Alert, ...] = ()
    quality: tuple[Quality, ...] = ()
    warnings: tuple[Problem, ...] = ()
    statements: Mapping[str, str] = field(default_factory=dict)  # name of a scan -> its SQL
    kpis: tuple[str, ...] = ()  # those that were asked for, whether they have rows or not
    notes: tuple[Note, ...] = ()
    reuse: tuple[Reuse, ...] = ()  # what was taken from earlier runs
    measured: tuple[Measured, ...] = ()  # what each statement took, for explain --analyze
    scanned: tuple[
        Scanned, ...
    ] = ()  # by source, what the run had of it; rows read only where they were counted
    failed: tuple[Failed, ...] = ()  # KPIs without rows, where the run went on without a source
    answers: Answers | None = None  # of funnels, cohorts, scores, …, where they were asked for
    judging: tuple[Judging, ...] = field(default=(), repr=False)  # what rules say, over all of their history
    judged: Mapping[tuple[str, str], str] = field(
        default_factory=dict
    )  # (KPI, grain) → the newest final period of that
    rests: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # KPI with rules → the datasets behind it
    measured_on: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # KPI → the datasets that it measures

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def quarantined(self) -> int:
        """Rows set aside in all datasets of the run."""
        return sum(q.quarantined for q in self.quality)

    @property
    def listed(self) -> tuple[Row, ...]:
        """The rows, and for each KPI that failed one that says so."""
        return (*self.rows, *(failed.row for failed in self.failed))

    def dicts(self) -> list[dict[str, Any]]:
        """Plain dictionaries with the columns of :data:`COLUMNS`; exact numbers stay exact."""
        return [as_dict(row) for row in self.listed]

    def arrow(self) -> pyarrow.Table:
        """A ``pyarrow.Table``; numbers are doubles, days are dates, a cross's names are joined with `` / ``."""
        return to_arrow(self.listed)

    def pandas(self) -> pandas.DataFrame:
        """A pandas frame (pandas must be installed)."""
        return self.arrow().to_pandas()

    def polars(self) -> polars.DataFrame:
        """A polars frame (polars must be installed)."""
        import polars

        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame


def joined(parts: Iterable[str]) -> str:
    """Names or values of a cross joined with `` / ``; a part that holds the joint is put in double quotes."""
    return " / ".join(f'"{p}"' if " / " in p else p for p in parts)


def as_dict(row: Row) -> dict[str, Any]:
    out = {name: getattr(row, name) for name in COLUMNS}
    out["segment"], out["segment_value"] = joined(row.segment), joined(row.segment_value)
    return out


def as_tuples(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """The values of :data:`COLUMNS` of each row, crosses joined as in :func:`as_dict`."""
    fields, shown = attrgetter(*COLUMNS), cache(joined)
    at = COLUMNS.index("segment")
    for row in rows:
        values = fields(row)
        yield (*values[:at], shown(values[at]), shown(values[at + 1]), *values[at + 2 :])


def to_arrow(rows: Iterable[Row]) -> pyarrow.Table:
    import pyarrow as pa

    numbers = {"value", "base", "previous", "year_ago", "change", "target", "target_high"}
    kinds = {"period_start": pa.date32(), "period_end": pa.date32(), "quarantined": pa.int64()}
    dicts = [as_dict(row) for row in rows]
    arrays = []
    fields = []
    for name in COLUMNS:
        kind = pa.float64() if name in numbers else kinds.get(name, pa.string())
        values = [d[name] for d in dicts]
        if name in numbers:
            values = [None if v is None else float(v) for v in values]
        arrays.append(pa.array(values, kind))
        fields.append(pa.field(name, kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
