"""A made-up project and run for the tests of reports: every kind of unit, status, state and awkward name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cadran.calendar import Calendar, Grain
from cadran.compute.results import Alert, Number, Quality, Results, Row, Status
from cadran.declare.document import nowhere
from cadran.declare.model import Declaration, Kpi, Report, Text
from cadran.problems import Position, Problem

PARIS = ZoneInfo("Europe/Paris")
CALENDAR = Calendar(PARIS)
AS_OF = dt.datetime(2026, 4, 9, 7, 0, tzinfo=PARIS)
TEMPLATES = Path(__file__).parents[2] / "templates"
TOLERANCE = Decimal("0.05")


def text(value: str) -> Text:
    return Text(value, nowhere(value))


def kpi(name: str, formula: str, **settings: Any) -> Kpi:
    return Kpi(name, text(formula), nowhere(), **settings)


def kpis() -> list[Kpi]:
    return [
        kpi(
            "lead_conversion_rate",
            "converted(leads.customer_id, customers.id, '60 days') / count(leads)",
            label={"fr": "Taux de conversion des leads", "en": "Lead conversion rate"},
            description={
                "fr": "Part des leads de la période devenus clients sous 60 jours.",
                "en": "Leads of the period that became customers within 60 days.",
            },
            periods=(Grain.MONTH, Grain.QUARTER),
            segments=(("channel",), ("owner",), ("channel", "owner")),
            unit="percent",
            action={
                "fr": "Revoir la qualification et les relances",
                "en": "Review qualification and follow-ups",
            },
            read_with=(text("net_churn"), text("cac")),
            owner="sales-ops@example.com",
            tags=("acquisition",),
        ),
        kpi(
            "revenue",
            "sum(orders.amount)",
            label={"fr": "Chiffre d’affaires", "en": "Revenue"},
            periods=(Grain.MONTH,),
            segments=(("range",),),
            unit="EUR",
            owner="finance@example.com",
        ),
        kpi(
            "new_customers",
            "count(customers)",
            label={"fr": "Nouveaux clients", "en": "New customers"},
            periods=(Grain.MONTH,),
            tags=("acquisition",),
        ),
        kpi(
            "sales_cycle",
            "avg(date_diff('day', deals.created_at, deals.closed_at)) filter (where stage = 'won')",
            label={"fr": "Durée moyenne du cycle de vente", "en": "Average sales cycle"},
            periods=(Grain.MONTH,),
            unit="days",
            good="down",
        ),
        kpi(
            "net_churn",
            "1 - closing(count(customers)) / opening(count(customers))",
            label={"fr": "Attrition nette", "en": "Net churn"},
            periods=(Grain.QUARTER,),
            unit="percent",
            good="down",
        ),
        kpi(
            "cac",
            "sum(costs.amount) / new_customers",
            label={"fr": "Coût d’acquisition client (CAC)", "en": "Customer acquisition cost (CAC)"},
            periods=(Grain.MONTH,),
            segments=(("channel",),),
            unit="EUR",
            good="down",
            tags=("acquisition",),
        ),
        kpi(
            "satisfaction",
            "count(surveys) filter (where score >= 4 and note <> '`|`') / count(surveys.score)",
            label={"": "Satisfaction <b>clients</b> & | *fidélité* : la part des réponses de 4 ou 5 sur 5"},
            description={"": "Une [note](javascript:alert(1)) & <script>alert(1)</script>\n# pas un titre"},
            periods=(Grain.MONTH,),
            segments=(("region_name",),),
            unit="percent",
        ),
        kpi(
            "lead_to_order",
            "converted(leads.customer_id, orders.customer_id, '30 days') / count(leads)",
            label={"fr": "Des leads aux commandes", "en": "Leads to orders"},
            periods=(Grain.MONTH,),
            unit="percent",
        ),
        kpi(
            "balance",
            "closing(sum(balances.amount))",
            label={"fr": "Encours", "en": "Balance"},
            periods=(Grain.MONTH,),
            unit="EUR",
        ),
        kpi(
            "visits",
            "count(distinct sessions.visitor)",
            label={"fr": "Visiteurs uniques", "en": "Unique visitors"},
            periods=(Grain.WEEK,),
        ),
        kpi("engagement", "count(logins) / active(logins.customer_id)", periods=(Grain.MONTH,)),
        kpi(
            "nps",
            "(count(surveys) filter (where nps >= 9) - count(surveys) filter (where nps <= 6)) / count(surveys)",
            label={"fr": "Taux de recommandation (NPS)", "en": "Net promoter score (NPS)"},
            periods=(Grain.QUARTER,),
            unit="points",
        ),
        kpi("won_deals", "count(deals) filter (where stage = 'won')", reported=False),
    ]


def declaration(folder: Path = Path("project"), locale: str = "fr", **settings: Any) -> Declaration:
    return Declaration(
        file=folder / "kpis.yaml",
        calendar=CALENDAR,
        place=nowhere(),
        currency="EUR",
        locale=locale,
        kpis={k.name: k for k in kpis()},
        reports={r.name: r for r in (weekly_sales(), march(), acquisition())},
        milestones={"new_crm": dt.date(2025, 9, 1)},
        notes={
            dt.date(2026, 1, 15): {"fr": "Hausse des prix", "en": "Price rise"},
            dt.date(2019, 1, 1): {"": "hors champ"},
        },
        **settings,
    )


def weekly_sales() -> Report:
    return Report(
        "weekly_sales",
        nowhere(),
        title={"fr": "Ventes : le mois en chiffres", "en": "Sales: the month in figures"},
    )


def march() -> Report:
    return Report("march", nowhere(), title={"": "February"}, period="2026-02")


def acquisition() -> Report:
    return Report(
        "acquisition",
        nowhere(),
        kpis=(text("tag:acquisition"), text("revenue"), text("cac")),
        period="last quarter",
        include_open=True,
    )


# --- values ----------------------------------------------------------------------------------------------------

CONVERSION = "0.231 0.238 0.242 0.229 0.251 0.258 0.249 0.262 0.256 0.243 0.238 0.226 0.207 0.061"
REVENUE = (
    "918200.10 941870.00 987340.55 902115.20 876540.00 1015230.75 1098450.00 1123400.25 1187650.90 1254300.00 "
    "1089920.40 1132870.35 1201455.80 214300.00"
)
CUSTOMERS = "112 118 121 109 98 126 139 141 148 152 131 137 163 21"
CYCLE = "41.2 40.5 39.9 41.8 43.0 38.7 37.1 36.4 36.9 35.2 34.8 33.9 32.4375 30.5"
CAC = "61.2 59.8 58.4 63.0 70.2 55.1 50.9 51.3 49.75 48.2 54.4 53.8 52.6 60"
SATISFACTION = "0.71 0.735 - 0.72 0.69 - 0.744 0.75 0.762 0.758 - 0.771 0.775 -"
TO_ORDER = "0.081 0.084 0.079 0.083 0.088 0.09 0.086 0.091 0.094 0.089 0.092 0.058 0.031 0.004"
BALANCE = (
    "10450000 10620000 10580000 10910000 11240000 11390000 11720000 11960000 12110000 12380000 12240000 "
    "12405000.5 12731000.25 12690000"
)
ENGAGEMENT = "2.91 2.95 3.02 2.88 2.76 3.05 3.11 3.1 3.14 3.2 3.08 3.12 3.0 2.1"
VISITS = "8120 8245 8010 8377 8560 8495 8702 8810 8655 8934 9011 9120 12940 4310"
CHURN = "0.031 0.0404 0.036 0.0525 0.012"


def series(text_: str, kind: type[Any]) -> list[Number | None]:
    return [None if word == "-" else kind(word) for word in text_.split()]


def rows_of(
    name: str,
    grain: Grain,
    values: Sequence[Number | None],
    *,
    last: dt.date,
    targets: Sequence[Number | None] | Number | None = None,
    high: Number | None = None,
    good: str = "up",
    states: Mapping[int, str] | None = None,
    segment: tuple[str, ...] = (),
    value: tuple[str, ...] = (),
    bases: Sequence[int] | None = None,
    quarantined: int = 0,
) -> list[Row]:
    """The rows of one series that ends with the period of ``last``."""
    period = CALENDAR.shift(CALENDAR.period(grain, last), 1 - len(values))
    cycle = {Grain.MONTH: 12, Grain.WEEK: 52, Grain.QUARTER: 4}[grain]
    out = []
    for i, number in enumerate(values):
        target = targets[i] if isinstance(targets, list | tuple) else targets
        previous = values[i - 1] if i else None
        out.append(
            Row(
                kpi=name,
                grain=grain,
                period=CALENDAR.label(period),
                period_start=period.start,
                period_end=period.last_day,
                segment=segment,
                segment_value=value,
                value=number,
                base=bases[i] if bases else None,
                previous=previous,
                year_ago=values[i - cycle] if i >= cycle else None,
                change=minus(number, previous),
                target=target,  # type: ignore[arg-type]
                target_high=high,
                status=status(number, target, high, good),  # type: ignore[arg-type]
                state=(states or {}).get(i - len(values), "final"),  # type: ignore[arg-type]
                quarantined=quarantined,
            )
        )
        period = CALENDAR.shift(period, 1)
    return out


def minus(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return None
    return Decimal(left) - Decimal(right) if not isinstance(left, float) else left - float(right)


def status(value: Number | None, target: Number | None, high: Number | None, good: str) -> Status:
    if value is None:
        return "no_data"
    if target is None:
        return "no_target"
    number, low = Decimal(str(value)), Decimal(str(target))
    missed = low - number if good == "up" else number - low
    if high is not None:
        missed = max(low - number, number - Decimal(str(high)))
    if missed <= 0:
        return "on_target"
    return "at_risk" if missed <= low * TOLERANCE else "off_target"


APRIL = dt.date(2026, 4, 1)
OPEN = {-1: "open"}


def scaled(numbers: Sequence[Number | None], by: str, keep: int = 0) -> list[Number | None]:
    """The series times a factor, exact, rounded to ``keep`` digits where that is asked for."""
    out: list[Number | None] = []
    for number in numbers:
        if isinstance(number, float):
            out.append(round(number * float(by), 4))
        else:
            product = None if number is None else Decimal(number) * Decimal(by)
            out.append(product if product is None or not keep else round(product, keep))
    return out


def all_rows() -> list[Row]:
    conversion, revenue = series(CONVERSION, float), series(REVENUE, Decimal)
    bases = [812, 790, 845, 833, 702, 861, 904, 911, 940, 955, 887, 902, 978, 240]
    rows = rows_of(
        "lead_conversion_rate", Grain.MONTH, conversion, last=APRIL, targets=Decimal("0.25"), states=OPEN,
        bases=bases, quarantined=3,
    )  # fmt: skip
    rows += rows_of(
        "lead_conversion_rate", Grain.QUARTER, [0.237, 0.246, 0.256, 0.223, 0.061], last=APRIL,
        targets=Decimal("0.25"), states=OPEN, quarantined=3,
    )  # fmt: skip
    channels = {"paid": "0.62", "organic": "1.21", "referral <partner>": "1.4", "(none)": "0.4"}
    owners = {"Zoé | Müller": "1.1", "A. *Durand*": "0.93", "O'Neil & Co": "0.8"}
    for channel, factor in channels.items():
        rows += rows_of(
            "lead_conversion_rate", Grain.MONTH, scaled(conversion, factor), last=APRIL, segment=("channel",),
            value=(channel,), targets=Decimal("0.18") if channel == "paid" else Decimal("0.25"), states=OPEN,
        )  # fmt: skip
        for owner, share in owners.items():
            rows += rows_of(
                "lead_conversion_rate", Grain.MONTH, scaled(scaled(conversion, factor), share), last=APRIL,
                segment=("channel", "owner"), value=(channel, owner), states=OPEN,
            )  # fmt: skip
    for owner, share in owners.items():
        rows += rows_of(
            "lead_conversion_rate", Grain.MONTH, scaled(conversion, share), last=APRIL, segment=("owner",),
            value=(owner,), states=OPEN,
        )  # fmt: skip
    quotas = [Decimal(950_000 + 25_000 * i) for i in range(14)]
    rows += rows_of(
        "revenue", Grain.MONTH, revenue, last=APRIL, targets=quotas, states=OPEN, quarantined=2,
    )  # fmt: skip
    ranges = {"Pro": "0.52", "Basic": "0.31", "Entreprise": "0.12", "Accessoires & pièces détachées": "0.05"}
    for name, share in ranges.items():
        rows += rows_of(
            "revenue", Grain.MONTH, scaled(revenue, share, 2), last=APRIL, segment=("range",), value=(name,),
            targets=None if name == "Entreprise" else scaled(quotas, share, 2), states=OPEN,
        )  # fmt: skip
    rows += rows_of("new_customers", Grain.MONTH, series(CUSTOMERS, int), last=APRIL, states=OPEN)
    rows += rows_of(
        "sales_cycle", Grain.MONTH, series(CYCLE, float), last=APRIL, targets=35.02, good="down", states=OPEN
    )
    rows += rows_of(
        "net_churn", Grain.QUARTER, series(CHURN, float), last=APRIL, targets=Decimal("0.03"),
        high=Decimal("0.05"), good="down", states=OPEN,
    )  # fmt: skip
    cac = series(CAC, float)
    rows += rows_of(
        "cac", Grain.MONTH, cac, last=APRIL, targets=Decimal("50.5"), good="down", states=OPEN, bases=bases
    )
    for i in range(15):
        rows += rows_of(
            "cac", Grain.MONTH, scaled(cac, f"{0.4 + i * 0.1:.1f}"), last=APRIL, segment=("channel",),
            value=(f"Canal n° {i + 1}",), states=OPEN,
        )  # fmt: skip
    satisfaction = series(SATISFACTION, float)
    rows += rows_of("satisfaction", Grain.MONTH, satisfaction, last=APRIL, states=OPEN, quarantined=1)
    for region in ("`Nord`\n# Sud", "<img src=x onerror=alert(1)>", "Auvergne / Rhône-Alpes"):
        rows += rows_of(
            "satisfaction", Grain.MONTH, scaled(satisfaction, "0.97"), last=APRIL, segment=("region_name",),
            value=(region,), states=OPEN,
        )  # fmt: skip
    maturing = {-3: "maturing", -2: "maturing", -1: "open"}
    rows += rows_of(
        "lead_to_order", Grain.MONTH, series(TO_ORDER, float), last=APRIL, targets=Decimal("0.09"),
        states=maturing,
    )  # fmt: skip
    rows += rows_of("balance", Grain.MONTH, series(BALANCE, Decimal), last=APRIL, states=OPEN)
    rows += rows_of("visits", Grain.WEEK, series(VISITS, int), last=dt.date(2026, 4, 9), states=OPEN)
    rows += rows_of(
        "engagement", Grain.MONTH, series(ENGAGEMENT, float), last=APRIL,
        states={-2: "settling", -1: "open"},
    )  # fmt: skip
    return rows


def alerts() -> tuple[Alert, ...]:
    low = "value < 90% * target and base >= 30"
    return (
        Alert(
            "cac", "value > 52", "value > 52", "warning", "pending", "month", "2026-03", "2026-03",
            value=52.6, target=Decimal("50.5"),
        ),
        Alert(
            "lead_conversion_rate", "low", low, "warning", "firing", "month", "2026-03", "2026-02",
            value=0.207, target=Decimal("0.25"),
        ),
        Alert(
            "lead_conversion_rate", "very low", "value < 12%", "critical", "firing", "month", "2026-03",
            "2026-03", ("channel", "owner"), ("paid", "Zoé | Müller"), 0.0931,
        ),
        Alert(
            "satisfaction", "silence", "value < 60%", "info", "firing", "month", "2026-03", "2026-03",
            ("region_name",), ("<img src=x onerror=alert(1)>",), None, None, "no data",
        ),
    )  # fmt: skip


def quality() -> tuple[Quality, ...]:
    day = dt.date
    return (
        Quality("leads", 11_840, 3, 12, day(2023, 1, 2), day(2026, 4, 8), (
            ("data/leads.csv:218", "the record has 7 fields, not 6"),
            ("data/leads_2026.csv:4001", "'12/31/2026' is not a date"),
        )),
        Quality("orders", 1_204_331, 2, 0, day(2022, 5, 1), day(2026, 4, 9), (
            ("data/orders.csv:77", "'<b>12,5</b>' is not a number | of column `amount`"),
        )),
        Quality("surveys", 902, 1, 0, day(2024, 9, 30), day(2026, 4, 3),
                findings=("the newest row is 6 days old, 26 hours are expected",)),
        Quality("quotas", 168),
    )  # fmt: skip


def results(**changes: Any) -> Results:
    settings: dict[str, Any] = {
        "rows": tuple(all_rows()),
        "as_of": AS_OF,
        "declaration": declaration(),
        "alerts": alerts(),
        "quality": quality(),
        "warnings": (
            Problem(
                "changes-in-place",
                "'stage' of dataset 'deals' is changed in place",
                Position("kpis.yaml", 41, 12),
                "won_deals",
                "use an interval dataset for history",
                "warning",
            ),
        ),
    }
    return Results(**{**settings, **changes})
