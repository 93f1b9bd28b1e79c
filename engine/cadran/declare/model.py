"""What a checked ``kpis.yaml`` says, as frozen values. No behaviour beyond look-ups; every part knows its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from cadran.calendar import Calendar, Duration, Grain
from cadran.declare.document import Document, Place
from cadran.plugins.added import Additions

if TYPE_CHECKING:
    from cadran.declare.expectations import KpiTest

ReportFormat = Literal["html", "markdown", "pdf", "xlsx"]
Attached = Literal["csv", "xlsx", "pdf", "html"]
Good = Literal["up", "down"]
Localized = Mapping[str, str]  # locale -> text; a plain string is stored under the empty locale ""


RATES = "(rates)"  # stands for the table of exchange rates where datasets are named


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of expression text (or a column's name) with the place it was written at."""

    value: str
    place: Place


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
    money: Mapping[str, Text] = field(
        default_factory=dict
    )  # column -> currency code, or the column that holds it
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
class TargetCase:
    """One case; ``value`` alone, or ``low`` and ``high`` of a range. The first case that fits applies."""

    place: Place
    value: Text | None = None
    low: Text | None = None
    high: Text | None = None
    segment: Mapping[str, str] | Literal["total"] | None = None
    grain: Grain | None = None
    period: Text | None = None  # a period's label: it and every period inside it
    since: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AlertRule:
    name: str  # its condition's text where no name is given
    when: Text
    place: Place
    clear: Text | None = None
    hold: int = 1  # YAML: for
    keep: int = 1
    severity: str = "warning"
    scope: Literal["each", "total"] | tuple[str, ...] = "each"
    grain: Grain | None = None
    on_missing: Literal["keep", "alert", "ok"] = "keep"


@dataclass(frozen=True, slots=True)
class Kpi:
    name: str
    formula: Text
    place: Place
    reported: bool = True  # False: a bare string, a building block
    label: Localized = field(default_factory=dict)
    description: Localized = field(default_factory=dict)
    periods: tuple[Grain, ...] = ()
    segments: tuple[tuple[str, ...], ...] = ()  # each a cross of one or more; the total () always comes along
    segment_places: tuple[Place, ...] = ()
    unit: str = ""  # "percent", a currency code, or any word
    good: Good = "up"
    compare: tuple[Literal["previous", "year_ago"], ...] = ("previous", "year_ago")
    targets: tuple[TargetCase, ...] = ()
    tolerance: Decimal = Decimal("0.05")
    alerts: tuple[AlertRule, ...] = ()
    action: Localized = field(default_factory=dict)
    read_with: tuple[Text, ...] = ()
    owner: str = ""
    tags: tuple[str, ...] = ()
    renamed_from: str = ""
    pitfalls: Localized = field(default_factory=dict)  # what is easily misread
    matures: Duration | None = None  # of a funnel: how long after its end a period still gains


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
class Channel:
    """A notifier with its settings, ``${…}`` already replaced."""

    name: str
    notifier: str
    config: Mapping[str, Any]
    place: Place
    base: Path = Path()  # the folder of the file that declares it: what its relative paths start from


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel, and the recipients there: each a text in which ``{{ owner }}`` and its like stand for who is meant.

    A channel that is itself the address (a chat, a folder) has none.
    """

    channel: Text
    to: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due, by the local clock of ``zone``; ``catch_up`` says what becomes of times that were missed."""

    cron: Text
    zone: ZoneInfo
    catch_up: Literal["latest", "all", "none"] = "latest"


@dataclass(frozen=True, slots=True)
class Ready:
    """What data has to be like before a report is made: how old at most, how long that is waited for, and what then."""

    max_age: Duration | None = None
    wait: Duration = field(default_factory=Duration)
    otherwise: Literal["banner", "skip", "fail"] = "banner"  # YAML: else


@dataclass(frozen=True, slots=True)
class Per:
    """One report for each value of ``segment``; ``addresses`` says where those live whose value is no address itself."""

    segment: Text
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mute:
    """When a route is quiet: on some days of the week (1 is Monday), between two local times, between two days.

    All that is given has to hold. ``start`` after ``end`` goes over midnight.
    """

    days: frozenset[int] = frozenset()
    start: dt.time | None = None
    end: dt.time | None = None
    first: dt.date | None = None
    last: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where firing and resolved alerts go. ``match`` holds, by what is compared, the values that fit."""

    name: str  # by what state knows it: its own, else made of what it matches and where it goes
    place: Place
    to: tuple[Destination, ...] = ()
    match: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # kpi rule severity owner tag segment value
    group_by: tuple[str, ...] = ()
    wait: Duration | None = None  # how long a group's first message is held back for others to join
    repeat: Duration | None = None  # after how long a group that is still firing is sent again
    mute: tuple[Mute, ...] = ()
    zone: ZoneInfo | None = None  # of ``mute``; the calendar's if None
    resolved: bool = True  # whether the end of an alert is told
    goes_on: bool = False  # YAML: continue


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long state is kept."""

    runs: Duration = field(default_factory=lambda: Duration(days=400))
    observations: Duration = field(default_factory=lambda: Duration(days=1826))
    deliveries: Duration = field(default_factory=lambda: Duration(days=90))


@dataclass(frozen=True, slots=True)
class StateSettings:
    """Where runs, alerts and deliveries are remembered: a SQLite file in ``.cadran`` unless ``url`` says PostgreSQL."""

    url: str = ""
    schema: str = ""  # of PostgreSQL, the project's own
    keep: Retention = field(default_factory=Retention)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """How long messages are tried again, what follows an unknown outcome, and who hears of what could not be delivered."""

    deadline: Duration = field(default_factory=lambda: Duration(days=1))
    unknown_reports: Literal["wait", "send"] = "wait"
    unknown_alerts: Literal["wait", "send"] = "send"
    failures: tuple[Destination, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportPart:
    """KPIs of a report that stand together; an entry of its list that has no title is a part of its own."""

    kpis: tuple[Text, ...]
    title: Localized = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The months before and after a milestone, side by side."""

    milestone: Text
    months: int = 6
    kpis: tuple[Text, ...] = ()  # empty: all of the report


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    place: Place
    title: Localized = field(default_factory=dict)
    kpis: tuple[Text, ...] = ()  # names, or tag:NAME; empty means all that are reported
    parts: tuple[ReportPart, ...] = ()  # the same, as they stand together
    template: Text | None = None
    period: str = "last"  # "last", "last week", "last month", … or a label
    locale: str = ""
    include_open: bool = False
    scores: tuple[Text, ...] | None = (
        None  # None: all where it shows all KPIs, else none; so are the next three
    )
    funnels: tuple[Text, ...] | None = None
    cohorts: tuple[Text, ...] | None = None
    compare: Comparison | None = None
    forecasts: tuple[Text, ...] | None = None
    pace: tuple[Text, ...] | None = None  # KPIs, or tag:NAME; None: those with targets where it shows all
    to: tuple[Destination, ...] = ()  # empty means the project's folder reports
    schedule: Schedule | None = None
    ready: Ready | None = None
    per: Per | None = None
    attach: tuple[Attached, ...] = ()
    owner: str = ""  # who answers for it, and hears where it cannot be delivered
    formats: tuple[ReportFormat, ...] = ()  # empty: HTML, or what its own template is
    blocks: tuple[Text, ...] = ()  # of plugins


@dataclass(frozen=True, slots=True)
class Rates:
    """A table of daily rates: one unit of ``currency`` is worth ``rate`` of the project's currency."""

    table: TableRef
    date: str = "date"
    currency: str = "currency"
    rate: str = "rate"


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which nobody works beside Saturdays and Sundays: those of countries (``FR``, ``FR-57``), and days named."""

    countries: tuple[str, ...] = ()
    days: frozenset[dt.date] = frozenset()


@dataclass(frozen=True, slots=True)
class Cache:
    """For how many days kept results may go unused, and how much room they may take."""

    days: int = 90
    megabytes: int = 500


@dataclass(frozen=True, slots=True)
class Compute:
    """What computing may use of the machine; what is empty is left to DuckDB: 80 % of the memory, every core, 90 % of
    the free disk. ``memory`` is a size (``4 GB``) or a share (``50%``), ``spill_limit`` a size."""

    memory: str = ""
    threads: int | None = None
    spilling: bool = True
    spill: Path | None = None  # the folder in which rows are spilled; None: the project's .cadran
    spill_limit: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """The whole checked project as declared."""

    file: Path
    calendar: Calendar
    place: Place
    currency: str = ""
    locale: str = "en"
    sources: Mapping[str, Source] = field(default_factory=dict)
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    segments: Mapping[str, Segment] = field(default_factory=dict)
    kpis: Mapping[str, Kpi] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    funnels: Mapping[str, Funnel] = field(default_factory=dict)
    cohorts: Mapping[str, Cohort] = field(default_factory=dict)
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)
    behind: Mapping[str, Kpi] = field(
        default_factory=dict
    )  # what funnels, cohorts and forecasts are computed from
    channels: Mapping[str, Channel] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    judging: Schedule | None = (
        None  # YAML: alerts.schedule; when rules are judged; None: daily, if there are routes
    )
    deliveries: Deliveries = field(default_factory=Deliveries)
    state: StateSettings = field(default_factory=StateSettings)
    milestones: Mapping[str, dt.date] = field(default_factory=dict)
    notes: Mapping[dt.date, Localized] = field(default_factory=dict)
    tests: Mapping[str, KpiTest] = field(default_factory=dict)
    rates: Rates | None = None
    holidays: Holidays = Holidays()
    cache: Cache = Cache()
    compute: Compute = Compute()
    allow_paths: tuple[Path, ...] = ()
    added: Additions = field(default_factory=Additions)  # what the plugins that it names add
    plugin_places: Mapping[str, Place] = field(default_factory=dict)  # where it names them
    secrets: frozenset[str] = (
        frozenset()
    )  # values that came from the environment or another place for secrets; never shown
    passwords: frozenset[str] = frozenset()  # secrets that stand in the file itself; in no message
    documents: tuple[Document, ...] = ()  # the main file first
    # (section, name) of what is declared but has errors and is left out above: not to be reported as unknown
    broken: frozenset[tuple[str, str]] = frozenset()

    @property
    def unsaid(self) -> frozenset[str]:
        """What no message holds, wherever it came from."""
        return self.secrets | self.passwords

    @property
    def renamed(self) -> Mapping[str, str]:
        """KPI → the name that it had before, for those that had one."""
        return {kpi.name: kpi.renamed_from for kpi in self.kpis.values() if kpi.renamed_from}

    @property
    def folder(self) -> Path:
        """What paths in the file are relative to."""
        return self.file.parent
