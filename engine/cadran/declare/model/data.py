"""Which data there is: sources, datasets with their links and intervals, segments, rates of exchange."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cadran.calendar import Duration, Grain
from cadran.declare.document import Place
from cadran.declare.model.texts import Text

RATES = "(rates)"  # stands for the table of exchange rates where datasets are named


@dataclass(frozen=True, slots=True)
class Syncing:
    """``sync:`` of a source whose rows are kept between runs. A run asks for changes first where the copy is older than ``max_age``.

    ``lookback`` is None where it is the table's own; ``full_every`` is after how long all rows are asked for again; rows before
    ``since`` are never. What is done where columns are no longer what they were, the three others say.
    """

    max_age: dt.timedelta = dt.timedelta(hours=1)
    lookback: dt.timedelta | None = None
    full_every: dt.timedelta | None = None
    since: dt.date | None = None
    new_columns: Literal["evolve", "ignore", "fail"] = "evolve"
    type_change: Literal["quarantine", "evolve", "fail"] = "quarantine"
    missing_column: Literal["fail", "null"] = "fail"
    keep_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A connector with its settings, ``${…}`` already replaced."""

    name: str
    connector: str
    config: Mapping[str, Any]
    place: Place
    base: Path = Path()  # the folder of the file that declares it: what its relative paths start from
    sync: Syncing = Syncing()
    number_hint: str = ""  # what its connector says can be done about texts that are wanted as numbers
    date_hint: str = ""


@dataclass(frozen=True, slots=True)
class TableRef:
    """``source.table``; the table is everything behind the first dot."""

    source: str
    table: str
    place: Place


@dataclass(frozen=True, slots=True)
class Link:
    """Many-to-one: ``columns`` of this dataset hold the key of dataset ``to``."""

    name: str
    columns: tuple[Text, ...]
    to: str
    place: Place


@dataclass(frozen=True, slots=True)
class Valid:
    """The interval during which a row holds; ``end`` is exclusive unless ``inclusive``."""

    start: Text
    end: Text
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Expect:
    max_age: Duration | None = None
    min_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    name: str
    tables: tuple[TableRef, ...]
    place: Place
    where: Text | None = None
    key: tuple[Text, ...] = ()
    date: Text | None = None
    settle: Duration | None = None
    expect: Expect = field(default_factory=Expect)
    columns: Mapping[str, Text] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    valid: Valid | None = None
    snapshot: bool = False
    ahead: bool = False
    grain: Grain | None = None
    changed: Text | None = None  # the column that says when a row was last changed
    immutable: bool = False
    restate: Duration | None = None  # how far back changes of rows are looked at
    # column -> currency code, or the column that holds it
    money: Mapping[str, Text] = field(default_factory=dict)
    # columns that scores, funnels and cohorts have added, and what some of them must hold
    made: frozenset[str] = frozenset()
    kinds: Mapping[str, Literal["condition", "date"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a segment lives in each dataset that needs saying; elsewhere it is the column of its name."""

    name: str
    paths: Mapping[str, Text]  # dataset -> column or dotted path
    place: Place
    top: int | None = None
    other: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """A table of daily rates: one unit of ``currency`` is worth ``rate`` of the project's currency."""

    table: TableRef
    date: str = "date"
    currency: str = "currency"
    rate: str = "rate"
