"""What is asked beside KPIs: scores, funnels, cohorts, forecasts; and the days on which nobody works."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cadran.calendar import Duration, Grain
from cadran.declare.document import Place
from cadran.declare.model.texts import Localized, Text


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """Gives its points where ``when`` holds; of the rules of one ``group`` (``first:``) only the first that holds does.

    ``column`` is the derived column that holds whether it does.
    """

    when: Text
    points: Decimal
    column: str
    place: Place
    label: Localized = field(default_factory=dict)
    group: int | None = None
    adds: bool = False  # that it may hold beside another over the same column is meant


@dataclass(frozen=True, slots=True)
class Score:
    """Points of each row of a dataset: the derived columns ``name`` and, with bands, ``name_band``."""

    name: str
    dataset: str
    place: Place
    rules: tuple[ScoreRule, ...] = ()
    bands: Mapping[str, Decimal] = field(default_factory=dict)  # from how many points on, the highest first
    band_labels: Mapping[str, Localized] = field(default_factory=dict)
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)
    show: tuple[Text, ...] = ()  # columns in the list of the best
    only: Text | None = None  # which rows that list is of


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    reached: Text  # when an entity reached it; no date where it did not
    column: str  # the derived column that holds whether it did, in order and in time; its date is in ``column_at``
    place: Place
    label: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many of a dataset's rows reach step after step; ``kpis`` are computed for it, by step."""

    name: str
    dataset: str
    place: Place
    steps: tuple[Step, ...] = ()
    window: Duration = field(default_factory=Duration)
    periods: tuple[Grain, ...] = ()
    segments: tuple[tuple[str, ...], ...] = ()
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cohort:
    """What becomes of those who began in one period: ``formula`` by age, as a share of ``size``."""

    name: str
    dataset: str
    entity: Text
    place: Place
    grain: Grain = Grain.MONTH
    ages: int = 12
    segments: tuple[str, ...] = ()
    unit: str = "percent"
    column: str = ""  # the derived column that holds in which period an entity began
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the open rows of ``dataset`` will bring; ``link`` leads to them from ``stages``.

    ``amount_column``, ``won_column`` and ``stage_column`` are the derived columns that hold what its expressions give.
    """

    name: str
    dataset: str
    stages: str
    link: str
    place: Place
    amount_column: str | None = None  # None: deals are counted
    won_column: str = ""
    stage_column: str = ""
    grain: Grain = Grain.MONTH
    horizon: int = 3
    segment: str = ""
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which nobody works beside Saturdays and Sundays: those of countries (``FR``, ``FR-57``), and days named."""

    countries: tuple[str, ...] = ()
    days: frozenset[dt.date] = frozenset()
