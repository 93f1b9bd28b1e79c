"""Make the sample data: three years (2023-07-01 to 2026-06-30) of Belvoir, a fictional French firm.

Belvoir sells till software, payment terminals and services to shops. Two systems hold its data, as in most firms:
``crm/`` (UTF-8, commas, ISO timestamps in local Paris time without a zone) and ``finance/`` (what a French
spreadsheet exports: cp1252, semicolons, decimal commas, dd/mm/yyyy).

    python data/generate.py [FOLDER]       # writes crm/ and finance/ into FOLDER, default: beside this file

The same bytes come out on every machine: only ``random.Random.random`` is drawn from (its sequence is promised),
numbers are integers or products of floats (no logarithms), nothing iterates over a set.

What is hidden in the data, with the size that ``tests/shipped`` recovers from the files alone:

1. *A new CRM goes live on 2025-09-01.* Deals are won about a third more often and customers order half as often again,
   so close rate and upsell rate are clearly better in the six months after it than in the six before.
2. *Cross-selling happens in the first week of the month*: more than half of its revenue falls on days 1 to 7.
3. *Negotiation is the slow stage*: more than half of the days that a won deal takes.
4. *Seasons*: orders and leads are low in August; orders peak in December (at least 1.8 times August, each year).
5. *The paid channel* converts about half as well as the others together, and its customers cost more than twice as
   much.
6. *Satisfied customers stay*: they churn at less than half the rate of the dissatisfied.

Left in on purpose: survey answers without a score, leads without a channel or an owner, sessions and tickets
without a date, links that match nothing (owner U99, customer C9999), orders that were entered days late, test leads.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

Value = str | int | bool | None | dt.datetime
T = TypeVar("T")

START, END, NEW_CRM = dt.datetime(2023, 7, 1), dt.datetime(2026, 7, 1), dt.datetime(2025, 9, 1)
DAY = dt.timedelta(days=1)

#                 Jan   Feb   Mar   Apr   May   Jun   Jul   Aug   Sep   Oct   Nov   Dec
LEAD_SEASON = [1.05, 1.00, 1.10, 1.00, 0.95, 1.00, 0.85, 0.55, 1.15, 1.15, 1.10, 0.90]
ORDER_SEASON = [0.95, 0.95, 1.00, 1.00, 1.00, 1.05, 0.90, 0.50, 1.05, 1.05, 1.15, 1.70]

# channel: its share of leads, chance of a deal, chance to win it, and (monthly marketing, sales cost) in euros
CHANNELS = {
    "web": (0.34, 0.54, 0.42, {"search_tills": 2000, "content_hub": 1500, "newsletter": 700}, 1400),
    "paid": (0.23, 0.37, 0.30, {"ads_terminals": 2900, "ads_retargeting": 1500, "social_shops": 1100}, 900),
    "referral": (0.17, 0.66, 0.52, {"partner_bonus": 1800, "customer_bonus": 900}, 900),
    "event": (0.12, 0.53, 0.44, {"trade_fair": 1500, "roadshow": 800}, 800),
    "cold_call": (0.14, 0.38, 0.37, {"call_lists": 500}, 1600),
}
SUPPLIERS = {
    "search_tills": "Agence Référence", "content_hub": "Studio Éditorial", "newsletter": "Courriel & Cie",
    "ads_terminals": "Régie Médiane", "ads_retargeting": "Régie Médiane", "social_shops": "Réseaux d’Été",
    "partner_bonus": "Primes partenaires", "customer_bonus": "Primes clients (50 € pièce)",
    "trade_fair": "Salon des Commerçants", "roadshow": "Tournée Cœur de ville", "call_lists": "Fichiers Démarchage",
}  # fmt: skip
# segment: its share, employees, deal amount, orders a month, quantities
SEGMENTS = {
    "small": (0.55, (1, 19), 1200, 0.20, (1, 1)),
    "mid": (0.33, (20, 249), 2600, 0.28, (1, 3)),
    "large": (0.12, (250, 2400), 5200, 0.38, (1, 4)),
}
OWNERS = [
    ("U01", "Chloé Besson", "Nord"), ("U02", "Hugo Lemaire", "Nord"), ("U03", "Inès Faure", "Nord"),
    ("U04", "Mathéo Girard", "Sud"), ("U05", "Zoé Marchand", "Sud"), ("U06", "Rémi Colas", "Sud"),
    ("U07", "Léa Pichon", "Inside"), ("U08", "Noé Aubry", "Inside"),
]  # fmt: skip
TIERS = ["basic", "plus", "pro"]
CATEGORIES = {  # prices of the three tiers in euros, and the names that the tiers go by
    "software": ("Till software", (59, 99, 169)),
    "terminal": ("Payment terminal", (290, 490, 840)),
    "analytics": ("Shop analytics", (79, 149, 260)),
    "loyalty": ("Loyalty cards", (120, 190, 330)),
    "training": ("Training", (180, 350, 640)),
}
STAGES = {"qualification": 4, "demo": 6, "proposal": 5, "negotiation": 20}  # mean days
# mood of a customer: its share, monthly chance to leave, CSAT answers 1..5, NPS answers 0..6, 7..8, 9..10
MOODS = {
    "happy": (0.62, 0.013, (1, 2, 7, 38, 52), (12, 33, 55)),
    "neutral": (0.26, 0.031, (4, 9, 27, 42, 18), (33, 45, 22)),
    "unhappy": (0.12, 0.075, (24, 33, 28, 12, 3), (76, 20, 4)),
}
# monthly quota of the firm in euros at the start of each half-year, and the ranges' shares in percent
QUOTAS = [("2023-07", 46000), ("2024-01", 48000), ("2024-07", 52000), ("2025-01", 62000),
          ("2025-07", 85000), ("2026-01", 115000), ("2026-07", 128000)]  # fmt: skip
QUOTA_SHARES = {"small": 33, "mid": 38, "large": 29}


class Dice:
    """The only source of chance. Each table has its own, so that a change to one leaves the others alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low + 1))

    def skewed(self, mean: float) -> float:
        """Mostly small, sometimes up to three times the mean."""
        draw = self._random()
        return mean * 3 * draw * draw

    def pick(self, weights: Mapping[T, float]) -> T:
        left = self._random() * sum(weights.values())
        for item, weight in weights.items():
            left -= weight
            if left < 0:
                return item
        return list(weights)[-1]

    def choose(self, items: Sequence[T]) -> T:
        return items[self.between(0, len(items) - 1)]

    def count(self, mean: float) -> int:
        return sum(self.chance(mean / 4) for _ in range(4))

    def moment(self, first: dt.datetime, last: dt.datetime) -> dt.datetime:
        """A moment in office hours on a day from ``first`` up to and without ``last``; weekends become Fridays."""
        day = first + self.between(0, max((last - first).days - 1, 0)) * DAY
        if day.weekday() > 4 and (friday := day - (day.weekday() - 4) * DAY) >= first:
            day = friday
        midnight = dt.datetime(day.year, day.month, day.day)
        return midnight + dt.timedelta(
            hours=self.between(8, 18), minutes=self.between(0, 59), seconds=self.between(0, 59)
        )


@dataclass
class Lead:
    created_at: dt.datetime
    channel: str
    campaign: str
    segment: str
    has_deal: bool
    owner: str
    id: str = ""
    customer: Customer | None = None


@dataclass
class Customer:
    created_at: dt.datetime
    segment: str
    channel: str
    campaign: str
    mood: str
    country: str
    churned_at: dt.datetime | None = None
    id: str = ""
    tiers: dict[str, int] = field(default_factory=dict)  # category -> highest tier bought so far

    def months(self) -> Iterable[tuple[dt.datetime, dt.datetime]]:
        """The customer's stretch of each calendar month, without the day of arrival."""
        for first, after in months():
            low, high = max(first, midnight(self.created_at) + DAY), min(after, self.churned_at or END)
            if low + DAY <= high:
                yield low, high


@dataclass
class Deal:
    created_at: dt.datetime
    segment: str
    owner: str
    amount: int
    sales_channel: str
    stage: str = ""
    closed_at: dt.datetime | None = None
    history: list[tuple[str, dt.datetime, dt.datetime | None]] = field(default_factory=list)
    lead: Lead | None = None
    customer: Customer | None = None
    id: str = ""


@dataclass
class Order:
    customer: Customer
    ordered_at: dt.datetime
    channel: str
    entered_at: dt.datetime
    lines: list[tuple[str, int, int, int]] = field(
        default_factory=list
    )  # category, tier, quantity, unit price (cents)
    id: str = ""

    @property
    def amount(self) -> int:
        return sum(quantity * price for _, _, quantity, price in self.lines)


def midnight(moment: dt.datetime) -> dt.datetime:
    return dt.datetime(moment.year, moment.month, moment.day)


def months(end: dt.datetime = END) -> Iterable[tuple[dt.datetime, dt.datetime]]:
    first = START
    while first < end:
        after = (first + 31 * DAY).replace(day=1)
        yield first, after
        first = after


def growth(moment: dt.datetime, yearly: float) -> float:
    return 1 + yearly * (moment - START).days / 365


def money(cents: int, comma: str = ".") -> str:
    return f"{cents // 100}{comma}{cents % 100:02d}"


# --- leads, deals and customers ------------------------------------------------------------------------------------


def make_leads(dice: Dice) -> list[Lead]:
    leads = []
    for first, after in months():
        for _ in range(round(74 * LEAD_SEASON[first.month - 1] * growth(first, 0.06))):
            channel = dice.pick({name: c[0] for name, c in CHANNELS.items()})
            campaign = dice.pick(CHANNELS[channel][3])
            segment = dice.pick({name: s[0] for name, s in SEGMENTS.items()})
            has_deal, owner = dice.chance(CHANNELS[channel][1]), dice.choose(OWNERS)[0]
            leads.append(Lead(dice.moment(first, after), channel, campaign, segment, has_deal, owner))
    leads.sort(key=lambda lead: lead.created_at)
    for number, lead in enumerate(leads, 1):
        lead.id = f"L{number:05d}"
    return leads


def walk_stages(dice: Dice, deal: Deal, win_chance: float) -> None:
    """Send a deal through the stages until it is won, lost, or the data ends."""
    pace = {"small": 0.85, "mid": 1.1, "large": 1.35}[deal.segment]
    lengths = [max(0.2, dice.skewed(days) * pace) for days in STAGES.values()]
    full = deal.created_at + dt.timedelta(days=sum(lengths))
    won = dice.chance(win_chance * (1.35 if full >= NEW_CRM else 1.0))
    last = len(lengths) if won else dice.pick({1: 3, 2: 3, 3: 2, 4: 4})
    entered = deal.created_at
    for stage, days in list(zip(STAGES, lengths, strict=True))[:last]:
        left = (entered + dt.timedelta(days=days)).replace(microsecond=0)
        left = left.replace(hour=9 + left.hour % 10)
        left = max(left, entered + dt.timedelta(minutes=30))
        deal.history.append((stage, entered, left if left < END else None))
        if left >= END:
            deal.stage = stage
            return
        entered = left
    deal.stage, deal.closed_at = ("won" if won else "lost"), entered


def make_deals(dice: Dice, leads: list[Lead], customers: list[Customer]) -> list[Deal]:
    """A deal for each lead that became a prospect; a won one makes a customer."""
    deals = []
    for lead in leads:
        created = dice.moment(lead.created_at, lead.created_at + (1 + int(dice.skewed(5))) * DAY)
        created = max(created, lead.created_at + dt.timedelta(minutes=20))
        amount = round(SEGMENTS[lead.segment][2] * (0.5 + dice.skewed(0.5))) * 100
        deal = Deal(
            created, lead.segment, lead.owner, amount, dice.pick({"field": 5, "web": 3, "shop": 2}), lead=lead
        )
        if not lead.has_deal or created >= END:
            continue
        walk_stages(dice, deal, CHANNELS[lead.channel][2])
        if deal.stage == "won" and deal.closed_at:
            country = dice.pick({"FR": 82, "BE": 10, "CH": 8})
            lead.customer = deal.customer = Customer(
                deal.closed_at, lead.segment, lead.channel, lead.campaign, draw_mood(dice), country
            )
            customers.append(lead.customer)
        deals.append(deal)
    return deals


def draw_mood(dice: Dice) -> str:
    return dice.pick({name: m[0] for name, m in MOODS.items()})


def make_old_customers(dice: Dice) -> list[Customer]:
    """Those who were there before the history starts."""
    out = []
    for _ in range(170):
        channel = dice.pick({"web": 3, "paid": 1, "referral": 3, "event": 2, "cold_call": 2})
        created = dice.moment(dt.datetime(2021, 1, 4), START)
        segment = dice.pick({name: s[0] for name, s in SEGMENTS.items()})
        country = dice.pick({"FR": 82, "BE": 10, "CH": 8})
        campaign = dice.pick(CHANNELS[channel][3])
        out.append(Customer(created, segment, channel, campaign, draw_mood(dice), country))
    return out


def let_leave(dice: Dice, customers: list[Customer]) -> None:
    for customer in customers:
        for low, high in customer.months():
            if low > customer.created_at + 25 * DAY and dice.chance(MOODS[customer.mood][1]):
                customer.churned_at = dice.moment(low, high)
                break


def add_later_deals(dice: Dice, customers: list[Customer]) -> list[Deal]:
    """Deals with customers who are already there: no lead."""
    deals = []
    for first, after in months():
        active = [c for c in customers if c.created_at < first - 60 * DAY and (c.churned_at or END) >= after]
        for _ in range(round(10 * LEAD_SEASON[first.month - 1] * growth(first, 0.1))):
            customer = dice.choose(active)
            amount = round(SEGMENTS[customer.segment][2] * (0.3 + dice.skewed(0.4))) * 100
            channel = dice.pick({"field": 4, "web": 3, "shop": 3})
            owner = dice.choose(OWNERS)[0]
            deal = Deal(
                dice.moment(first, after), customer.segment, owner, amount, channel, customer=customer
            )
            walk_stages(dice, deal, 0.42)
            deals.append(deal)
    return deals


# --- what customers do ---------------------------------------------------------------------------------------------


def make_orders(dice: Dice, customers: list[Customer]) -> list[Order]:
    orders = []
    for customer in customers:
        for moment, kind in plan_orders(dice, customer):
            lag = dice.between(2, 20) * DAY if dice.chance(0.03) else 0 * DAY
            order = Order(customer, moment, "shop" if dice.chance(0.38) else "web", moment + lag)
            more = 1 if kind == "first" else 0  # a shop starts with two tills where it later adds one
            order.lines = [line(dice, customer, *what, more) for what in fill(dice, customer, kind)]
            orders.append(order)
    orders.sort(key=lambda o: (o.entered_at, o.customer.id))
    for number, order in enumerate(orders, 1):
        order.id = f"O{number:05d}"
    return orders


def plan_orders(dice: Dice, customer: Customer) -> list[tuple[dt.datetime, str]]:
    """When a customer orders and what for, in time order. New customers start at once, old ones when they need something."""
    plan: list[tuple[dt.datetime, str]] = []
    stretches = list(customer.months())
    if not stretches or dice.chance(0.03):
        return plan
    if customer.created_at >= START:
        low, high = stretches.pop(0)
        plan.append((dice.moment(low, min(low + 8 * DAY, high)), ""))
    for low, high in stretches:
        more = 1.5 if low >= NEW_CRM else 1.0
        for _ in range(dice.count(SEGMENTS[customer.segment][3] * ORDER_SEASON[low.month - 1] * more)):
            kind = dice.pick({"repeat": 0.58, "cross": 0.24, "up": 0.18})
            week_one = kind == "cross" and dice.chance(0.62)
            plan.append((dice.moment(low, min(low + 7 * DAY, high) if week_one else high), kind))
    return [(moment, kind if number else "first") for number, (moment, kind) in enumerate(sorted(plan))]


def fill(dice: Dice, customer: Customer, kind: str) -> list[tuple[str, int]]:
    """Categories and tiers of an order; remembers the highest tier per category."""
    owned = customer.tiers
    wanted: list[tuple[str, int]] = []
    missing = [c for c in CATEGORIES if c not in owned]
    low = [c for c in owned if owned[c] < 2]
    if kind == "first":
        wanted = [("software", dice.pick({0: 6, 1: 3, 2: 1})), ("terminal", dice.pick({0: 6, 1: 3, 2: 1}))]
        wanted += [("training", 0)] if dice.chance(0.4) else []
    elif kind == "cross" and missing:
        wanted = [(dice.choose(missing), dice.pick({0: 6, 1: 3, 2: 1}))]
    elif kind == "up" and low:
        category = dice.choose(low)
        wanted = [(category, owned[category] + 1)]
    rest = [c for c in owned if c not in [category for category, _ in wanted]]
    if rest and (not wanted or dice.chance(0.3)):
        again = dice.choose(rest)
        wanted.append((again, owned[again]))
    for category, tier in wanted:
        owned[category] = max(tier, owned.get(category, 0))
    return wanted


def line(dice: Dice, customer: Customer, category: str, tier: int, more: int) -> tuple[str, int, int, int]:
    price = CATEGORIES[category][1][tier] * (105 if customer.country == "CH" else 100)
    off = dice.pick({0: 85, 5: 10, 10: 5})
    quantity = dice.between(*SEGMENTS[customer.segment][4]) + more
    return category, tier, quantity, price * (100 - off) // 100


Rows = list[list[Value]]


def number_rows(prefix: str, rows: Rows) -> Rows:
    """Rows of (moment, …) in time order, each behind an id."""
    rows.sort(key=lambda row: tuple(str(v) for v in row))
    return [[f"{prefix}{number:05d}", *row] for number, row in enumerate(rows, 1)]


def make_sessions(dice: Dice, customers: list[Customer]) -> Rows:
    rows: Rows = []
    for customer in customers:
        for low, high in customer.months():
            mean = {"happy": 0.9, "neutral": 0.65, "unhappy": 0.35}[customer.mood] * min(
                1, (high - low).days / 30
            )
            for _ in range(dice.count(mean * (0.7 if low.month == 8 else 1.05))):
                comments = dice.pick({0: 70, 1: 20, 2: 10})
                minutes = 2 + int(dice.skewed(16))
                rows.append(
                    [
                        dice.moment(low, high),
                        customer.id,
                        minutes,
                        dice.pick({1: 4, 2: 3, 3: 2, 5: 1}),
                        comments,
                    ]
                )
    rows = number_rows("S", rows)
    for row in rows[300::1900]:
        row[1] = None  # the moment got lost
    for row in rows[1000::4000]:
        row[2] = "C9999"  # a customer that nobody knows
    return rows


def make_tickets(dice: Dice, customers: list[Customer]) -> Rows:
    rows: Rows = []
    for customer in customers:
        for low, high in customer.months():
            if dice.chance({"happy": 0.09, "neutral": 0.13, "unhappy": 0.19}[customer.mood]):
                opened, priority = dice.moment(low, high), dice.pick({"low": 3, "normal": 5, "high": 2})
                hours = 1 + dice.skewed({"low": 60, "normal": 34, "high": 12}[priority])
                closed = opened + dt.timedelta(minutes=int(60 * hours))
                rows.append([opened, customer.id, closed if closed < END else None, priority])
    rows = number_rows("T", rows)
    for row in rows[200::900]:
        row[1] = None
    return rows


def make_surveys(dice: Dice, customers: list[Customer], tickets: Rows) -> Rows:
    """CSAT after most tickets and once in a while, NPS twice a year; some come back without a score."""
    rows: Rows = []
    moods = {c.id: MOODS[c.mood] for c in customers}

    def ask(moment: dt.datetime, customer: str, kind: str) -> None:
        csat, nps = moods[customer][2:]
        score: int | None = dice.pick(dict(zip(range(1, 6), csat, strict=True)))
        if kind == "nps":
            low, high = dice.pick(dict(zip([(0, 6), (7, 8), (9, 10)], nps, strict=True)))
            score = dice.between(low, high)
        rows.append([moment, customer, kind, None if dice.chance(0.07) else score])

    for _, _, customer_id, closed, _ in tickets:
        if (
            isinstance(closed, dt.datetime)
            and dice.chance(0.6)
            and (moment := dice.moment(closed, closed + 4 * DAY)) < END
        ):
            ask(max(moment, closed), str(customer_id), "csat")
    for customer in customers:
        for number, (low, high) in enumerate(customer.months()):
            if (number + int(customer.id[1:])) % 6 == 5 and dice.chance(0.55):
                ask(dice.moment(low, high), customer.id, "nps")
            if dice.chance(0.06):
                ask(dice.moment(low, high), customer.id, "csat")
    return number_rows("R", rows)


def make_visits(dice: Dice, orders: list[Order], customers: list[Customer]) -> Rows:
    """Visits to the showroom: those that ended in a shop order, and the others (some by people unknown)."""
    rows: Rows = []
    for order in orders:
        if order.channel != "shop":
            continue
        rows.append(
            [order.ordered_at - dice.between(5, 50) * dt.timedelta(minutes=1), order.customer.id, order.id]
        )
        for _ in range(dice.count(1.1)):
            who = dice.choose(customers)
            moment = dice.moment(midnight(order.ordered_at), midnight(order.ordered_at) + 3 * DAY)
            here = who.created_at < moment < (who.churned_at or END)
            if moment < END:
                rows.append([moment, who.id if here else None, None])
    return number_rows("V", rows)


def make_pipeline(deals: list[Deal]) -> Rows:
    """What was open at the first moment of each Monday, per owner."""
    rows: Rows = []
    monday = dt.datetime(2023, 7, 10)
    while monday < END:
        for owner, _, _ in OWNERS:
            open_deals = [
                d for d in deals if d.owner == owner and d.created_at < monday <= (d.closed_at or END)
            ]
            if open_deals:
                rows.append(
                    [f"{monday:%Y-%m-%d}", owner, len(open_deals), money(sum(d.amount for d in open_deals))]
                )
        monday += 7 * DAY
    return rows


# --- finance and plans ---------------------------------------------------------------------------------------------


def make_costs(dice: Dice) -> Rows:
    rows: Rows = []
    for first, after in months():
        season = 0.5 + LEAD_SEASON[first.month - 1] / 2
        for channel, (_, _, _, campaigns, sales) in CHANNELS.items():
            for campaign, euros in campaigns.items():
                cents = round(euros * season * growth(first, 0.05) * (85 + dice.between(0, 30)))
                rows.append(
                    [dice.moment(first, after), channel, campaign, "marketing", SUPPLIERS[campaign], cents]
                )
            cents = round(sales * growth(first, 0.05) * (95 + dice.between(0, 10)))
            rows.append([after - DAY, channel, None, "sales", "Salaires et commissions", cents])
    rows = number_rows("E", rows)
    return [[i, f"{m:%d/%m/%Y}", *rest, money(int(str(cents)), ",")] for i, m, *rest, cents in rows]


def make_rates(dice: Dice) -> Rows:
    """Swiss francs in euros, each Monday."""
    rows: Rows = []
    monday, rate = dt.datetime(2023, 6, 26), 10240
    while monday < END:
        rows.append([f"{monday:%d/%m/%Y}", "CHF", f"{rate // 10000},{rate % 10000:04d}"])
        rate = min(max(rate + dice.between(-45, 48), 10050), 10850)
        monday += 7 * DAY
    return rows


def make_quotas() -> Rows:
    """Revenue to reach, per month and range; known ahead until the end of 2026."""
    rows: Rows = []
    for first, _ in months(dt.datetime(2027, 1, 1)):
        level = [euros for since, euros in QUOTAS if since <= f"{first:%Y-%m}"][-1]
        for name, share in QUOTA_SHARES.items():
            euros = level * ORDER_SEASON[first.month - 1] * share / 100
            rows.append([f"{first:%Y-%m}", name, f"{round(euros / 100) * 100}.00"])
    return rows


# --- writing -------------------------------------------------------------------------------------------------------


def text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def write(path: Path, header: str, rows: Iterable[Sequence[Value]], *, french: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="cp1252" if french else "utf-8", newline="") as file:
        out = csv.writer(file, delimiter=";" if french else ",", lineterminator="\r\n" if french else "\n")
        out.writerow(header.split())
        out.writerows([text(v) for v in row] for row in rows)


def lead_rows(dice: Dice, leads: list[Lead]) -> Rows:
    rows: Rows = []
    for lead in leads:
        score = dice.between(42, 98) if lead.has_deal else dice.between(5, 68)
        touched = dice.moment(lead.created_at, lead.created_at + (1 + int(dice.skewed(14))) * DAY)
        touched = max(touched, lead.created_at)
        unknown = lead.customer is None and dice.chance(0.012)
        is_test = not lead.has_deal and dice.chance(0.008)
        rows.append([
            lead.id, lead.created_at, None if unknown else lead.channel, None if unknown else lead.campaign, lead.segment,
            score, dice.between(*SEGMENTS[lead.segment][1]), dice.chance(0.6 if lead.has_deal else 0.25),
            None if touched >= END or dice.chance(0.05) else touched, is_test,
            None if not lead.has_deal and dice.chance(0.01) else lead.owner, lead.customer.id if lead.customer else None,
        ])  # fmt: skip
    return rows


def qualified(dice: Dice, rows: Rows, leads: list[Lead], deals: list[Deal]) -> Rows:
    """When each lead was found worth a call: those that score 50 or more, mostly before their deal was opened."""
    opened = {deal.lead.id: deal.created_at for deal in deals if deal.lead}
    out: Rows = []
    for lead, row in zip(leads, rows, strict=True):
        until = opened.get(lead.id, lead.created_at + (1 + int(dice.skewed(6))) * DAY)
        late = dice.chance(0.02)  # noted days after the deal
        moment = max(lead.created_at, dice.moment(lead.created_at, max(until, lead.created_at + DAY / 48)))
        moment = until + 3 * DAY if late else min(moment, until)
        out.append([*row, moment if int(row[5]) >= 50 and moment < END else None])  # type: ignore[call-overload]
    return out


def write_crm(to: Path) -> list[Deal]:
    leads, customers = make_leads(Dice(1)), make_old_customers(Dice(2))
    deals = make_deals(Dice(3), leads, customers)
    customers.sort(key=lambda c: c.created_at)
    for number, customer in enumerate(customers, 1):
        customer.id = f"C{number:04d}"
    let_leave(Dice(4), customers)
    deals = sorted(deals + add_later_deals(Dice(5), customers), key=lambda d: d.created_at)
    for number, deal in enumerate(deals, 1):
        deal.id = f"D{number:05d}"
    orders = make_orders(Dice(6), customers)
    tickets = make_tickets(Dice(8), customers)
    write(to / "users.csv", "id name team", OWNERS)
    write(to / "leads.csv", "id created_at channel campaign range score employees visited_pricing last_touch_at is_test "
          "owner_id customer_id qualified_at", qualified(Dice(14), lead_rows(Dice(7), leads), leads, deals))  # fmt: skip
    write(to / "customers.csv", "id created_at churned_at segment channel campaign country",
          [[c.id, c.created_at, c.churned_at, c.segment, c.channel, c.campaign, c.country] for c in customers])  # fmt: skip
    write(to / "deals.csv", "id lead_id customer_id owner_id created_at closed_at stage amount sales_channel",
          [[d.id, d.lead.id if d.lead else None, d.customer.id if d.customer else None,
            "U99" if n % 600 == 250 else d.owner, d.created_at, d.closed_at, d.stage, money(d.amount), d.sales_channel]
           for n, d in enumerate(deals)])  # fmt: skip
    write(
        to / "stage_history.csv",
        "deal_id stage entered_at left_at",
        [[d.id, *step] for d in deals for step in d.history],
    )
    write_orders(to, orders)
    write(
        to / "surveys.csv", "id answered_at customer_id kind score", make_surveys(Dice(9), customers, tickets)
    )
    write(
        to / "sessions.csv",
        "id started_at customer_id minutes logins comments",
        make_sessions(Dice(10), customers),
    )
    write(to / "tickets.csv", "id opened_at customer_id closed_at priority", tickets)
    write(to / "visits.csv", "id visited_at customer_id order_id", make_visits(Dice(11), orders, customers))
    write(to / "pipeline.csv", "day owner_id deals amount", make_pipeline(deals))
    write(to / "quotas.csv", "month range amount", make_quotas())
    return deals


def write_orders(to: Path, orders: list[Order]) -> None:
    products = {(c, t): f"P{i * 3 + t + 1:03d}" for i, c in enumerate(CATEGORIES) for t in range(3)}
    write(to / "products.csv", "id name category tier price", [
        [products[c, t], f"{CATEGORIES[c][0]} {TIERS[t].title()}", c, TIERS[t], money(CATEGORIES[c][1][t] * 100)]
        for c, t in products
    ])  # fmt: skip
    write(to / "orders.csv", "id customer_id ordered_at channel currency amount", [
        [o.id, o.customer.id, o.ordered_at, o.channel, "CHF" if o.customer.country == "CH" else "EUR", money(o.amount)]
        for o in orders
    ])  # fmt: skip
    write(to / "order_lines.csv", "order_id line_no product_id quantity unit_price", [
        [o.id, n, products[category, tier], quantity, money(price)]
        for o in orders for n, (category, tier, quantity, price) in enumerate(o.lines, 1)
    ])  # fmt: skip


def main(folder: Path) -> None:
    write_crm(folder / "crm")
    write(
        folder / "finance" / "costs.csv",
        "id day channel campaign kind supplier amount",
        make_costs(Dice(12)),
        french=True,
    )
    write(folder / "finance" / "rates.csv", "day currency rate", make_rates(Dice(13)), french=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
