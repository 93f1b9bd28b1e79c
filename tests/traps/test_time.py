"""Time: offsets walk the calendar, days are local, what is not over is not judged, and a replay sees no future."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cadran.calendar import Calendar, Period
from cadran.compute import spans
from cadran.compute.results import Results, Row

from .small import HEAD, figures, problems, project, rows_of, run

SALES = """
    id,day,amount,shop
    1,2026-03-10,100,north
    2,2026-03-20,40,south
    3,2026-05-10,70,north
    4,2026-06-10,80,north
    5,2026-06-11,30,south
"""
COMPARED = """
    datasets:
      sales: {from: files.sales, key: id, date: day}
    kpis:
      revenue: {formula: sum(sales.amount), period: month, segment: shop, compare: previous}
      basket: {formula: avg(sales.amount), period: month, segment: shop, compare: previous}
"""


def by_period(results: Results, kpi: str, *segment: str) -> dict[str, Row]:
    return {r.period: r for r in results if r.kpi == kpi and r.segment_value == segment}


def test_previous_by_row_offset_over_gaps(tmp_path: Path) -> None:
    results = run(tmp_path, COMPARED, {"sales": SALES})
    revenue, south = by_period(results, "revenue"), by_period(results, "revenue", "south")
    basket = by_period(results, "basket", "south")
    # April has no rows: a sum of nothing, and an average that is no data.
    assert [revenue[f"2026-0{m}"].previous for m in (4, 5, 6)] == [140, 0, 70]
    assert [south[f"2026-0{m}"].previous for m in (4, 5, 6)] == [40, 0, 0]
    assert [basket[f"2026-0{m}"].previous for m in (4, 5, 6)] == [40, None, None]
    assert (revenue["2026-05"].change, basket["2026-06"].change) == (70, None)

    lagged: dict[str, int | None] = {}
    before: int | None = None
    for row in rows_of(SALES):
        if row["shop"] == "south":
            lagged[row["day"][:7]], before = before, int(row["amount"])
    assert lagged["2026-06"] == 40 != south["2026-06"].previous  # March, taken for May


DAILY = "id,day,amount\n" + "".join(
    f"{i},{dt.date(2026, 1, 1) + dt.timedelta(days=i)},1\n" for i in range(120)
)


def test_month_arithmetic(tmp_path: Path) -> None:
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          days: {formula: sum(sales.amount), period: month}
          before: {formula: previous(days), period: month}
          two: {formula: "rolling(days, 2)", period: month}
          quarter_day: {formula: qtd(days), period: month}
    """
    got = figures(run(tmp_path, text, {"sales": DAILY}, as_of=dt.date(2026, 4, 1)))
    right = {
        ("days", "2026-03"): 31,
        ("before", "2026-03"): 28,
        ("two", "2026-03"): 59,
        ("quarter_day", "2026-03"): 90,
    }
    assert {k: got[k] for k in right} == right

    last = dt.date(2026, 3, 31)
    assert (last - dt.timedelta(days=30)).month == 3  # "a month earlier" is the same month
    days = [dt.date.fromisoformat(r["day"]) for r in rows_of(DAILY)]
    assert sum(last - dt.timedelta(days=60) < day <= last for day in days) != got["two", "2026-03"]


def test_month_arithmetic_on_single_days(tmp_path: Path) -> None:
    rows = "id,day\n1,2023-02-28\n2,2023-03-01\n3,2024-02-29\n4,2024-03-01\n5,2024-03-01\n"
    text = """
        datasets:
          sales: {from: files.sales, key: id, date: day}
        kpis:
          number: {formula: count(sales), period: day, compare: year_ago}
    """
    results = run(tmp_path, text, {"sales": rows}, as_of=dt.date(2024, 3, 2))
    found = by_period(results, "number")
    assert found["2024-02-29"].year_ago is None  # there was none
    assert found["2024-03-01"].year_ago == 1
    assert dt.date(2024, 2, 29) - dt.timedelta(days=365) == dt.date(2023, 3, 1)  # another day's value


ORDERS = "id,day\n" + "".join(
    f"{d}-{i},{day}\n"
    for d in range(71)
    for i in range(10)
    if (day := dt.date(2026, 4, 1) + dt.timedelta(days=d))
)
OPEN = """
    datasets:
      orders: {from: files.orders, key: id, date: day}
    kpis:
      orders_count: {formula: count(orders), period: month, compare: previous, target: 290, alert: value < 290}
"""


def open_period_holds(results: Results) -> None:
    found = by_period(results, "orders_count")
    june, may = found["2026-06"], found["2026-05"]
    assert (may.value, may.state, may.status, may.previous) == (310, "final", "on_target", 300)
    # At noon of 10 June, 10 days of orders: as many as on the first 10 days of May.
    assert (june.value, june.state, june.status) == (100, "open", "not_judged")
    assert (june.previous, june.change) == (100, 0)
    assert not results.alerts


def test_incomplete_current_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = dt.datetime(2026, 6, 10, 12)
    small = project(tmp_path, OPEN, {"orders": ORDERS})
    open_period_holds(small.run(as_of=noon))

    june = len([r for r in rows_of(ORDERS) if r["day"].startswith("2026-06")])
    may = len([r for r in rows_of(ORDERS) if r["day"].startswith("2026-05")])
    assert june - may == -210  # a collapse that is none
    monkeypatch.setattr(spans, "_cut", lambda span, _current, _clock: span)
    with pytest.raises(AssertionError):
        open_period_holds(small.run(as_of=noon))


LATE = """
    datasets:
      orders: {from: files.orders, key: id, date: day, settle: 3 days}
    kpis:
      orders_count: {formula: count(orders), period: month, target: 10, alert: value < 10}
"""


def test_late_data(tmp_path: Path) -> None:
    tables = {"orders": "id,day\n1,2026-05-02\n2,2026-06-02\n"}
    small = project(tmp_path, LATE, tables)

    def june(clock: dt.datetime) -> tuple[str, str, list[str]]:
        results = small.run(as_of=clock)
        row = by_period(results, "orders_count")["2026-06"]
        return row.state, row.status, [alert.period for alert in results.alerts]

    # June ends with the 30th; its last orders may come until the end of 3 July.
    assert june(dt.datetime(2026, 6, 30, 23, 59)) == ("open", "not_judged", ["2026-05"])
    assert june(dt.datetime(2026, 7, 1)) == ("settling", "not_judged", ["2026-05"])
    assert june(dt.datetime(2026, 7, 3, 23, 59, 59)) == ("settling", "not_judged", ["2026-05"])
    assert june(dt.datetime(2026, 7, 4)) == ("final", "off_target", ["2026-06"])
    # Without `settle` it would be judged while its rows are still coming in.
    hasty = project(tmp_path, LATE.replace(", settle: 3 days", ""), tables).run(as_of=dt.datetime(2026, 7, 1))
    assert by_period(hasty, "orders_count")["2026-06"].status == "off_target"


# --- zones, weeks, fiscal years -------------------------------------------------------------------------------------


def hourly(day: dt.date, zone: str = "Europe/Paris") -> str:
    """A row for each hour from noon to noon around a local day, as instants."""
    noon = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(12), ZoneInfo(zone)).astimezone(dt.UTC)
    lines = [f"{i},{(noon + dt.timedelta(hours=i)).isoformat()}" for i in range(48)]
    return "id,at\n" + "\n".join(lines) + "\n"


BY_DAY = """
    datasets:
      hits: {from: files.hits, key: id, date: at}
    kpis:
      number: {formula: count(hits), period: day}
"""


@pytest.mark.parametrize(
    ("day", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 6, 1), 24)]
)
def test_time_zone_dst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: dt.date, hours: int) -> None:
    rows = hourly(day)

    def holds() -> None:
        got = figures(run(tmp_path, BY_DAY, {"hits": rows}, as_of=dt.date(2026, 12, 1), since=day))
        assert got["number", day.isoformat()] == hours

    holds()
    utc = [r for r in rows_of(rows) if dt.datetime.fromisoformat(r["at"]).date() == day]
    local = [
        r
        for r in rows_of(rows)
        if dt.datetime.fromisoformat(r["at"]).astimezone(ZoneInfo("Europe/Paris")).date() == day
    ]
    assert len(local) == hours
    assert {r["id"] for r in utc} != {r["id"] for r in local}
    if hours != 24:
        assert len(utc) == 24  # days of UTC are all alike
        monkeypatch.setattr(
            Calendar, "midnight", lambda _self, d: dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC)
        )
        with pytest.raises(AssertionError):
            holds()


def test_time_zone_of_midnight_sales(tmp_path: Path) -> None:
    """23:30 in Paris on 31 May is a sale of May, though in New York's books it is, too, and in Tokyo's it is June's."""
    rows = "id,at\n1,2026-05-31T21:30:00Z\n2,2026-05-31T22:30:00Z\n"
    text = BY_DAY.replace("period: day", "period: month")
    for zone, may, june in (("Europe/Paris", 1, 1), ("Asia/Tokyo", 0, 2), ("America/New_York", 2, 0)):
        got = figures(run(tmp_path, text, {"hits": rows}, head=HEAD.replace("Europe/Paris", zone)))
        assert (got.get(("number", "2026-05"), 0), got["number", "2026-06"]) == (may, june)


WEEKS = """
    id,day
    1,2024-12-29
    2,2024-12-30
    3,2025-01-05
    4,2025-01-06
    5,2025-03-02
    6,2025-03-03
    7,2025-12-29
    8,2026-01-01
    9,2026-01-04
    10,2026-12-31
    11,2027-01-03
"""


def test_iso_weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        datasets:
          hits: {from: files.hits, key: id, date: day}
        kpis:
          number: {formula: count(hits), period: week, compare: year_ago}
    """

    def holds() -> None:
        results = run(tmp_path, text, {"hits": WEEKS}, as_of=dt.date(2027, 2, 1), since=dt.date(2024, 12, 1))
        found = by_period(results, "number")
        assert found["2024-W52"].value == 1  # 29 December, a Sunday
        assert (found["2025-W01"].value, found["2025-W01"].period_start) == (2, dt.date(2024, 12, 30))
        assert (found["2026-W01"].value, found["2026-W01"].year_ago) == (3, 2)
        assert (found["2026-W53"].value, found["2026-W53"].year_ago) == (2, None)  # 2025 had 52
        assert found["2026-W10"].year_ago == 1  # W10 of 2025 begins with Monday, 3 March
        assert "2027-W00" not in found and "2025-W53" not in found

    holds()
    assert f"{dt.date(2025, 1, 1):%Y-W%W}" == "2025-W00" and f"{dt.date(2024, 12, 30):%Y-W%V}" == "2024-W01"
    assert dt.date(2026, 3, 2) - dt.timedelta(days=365) == dt.date(2025, 3, 2)  # a Sunday: the week before

    def by_days(self: Calendar, period: Period) -> Period:
        return self.period(period.grain, period.start - dt.timedelta(days=365))

    monkeypatch.setattr(Calendar, "year_ago", by_days)
    with pytest.raises(AssertionError):
        holds()


def test_fiscal_years(tmp_path: Path) -> None:
    rows = "id,day\n1,2024-04-01\n2,2025-03-31\n3,2025-04-01\n4,2025-06-30\n5,2025-07-01\n6,2026-03-31\n7,2026-04-01\n"
    text = """
        datasets:
          hits: {from: files.hits, key: id, date: day}
        kpis:
          number: {formula: count(hits), period: [fiscal_year, fiscal_quarter, month, year]}
          so_far: {formula: fytd(number), period: month}
    """
    april = HEAD.replace("Paris}", "Paris, fiscal_year_starts: april}")
    got = figures(run(tmp_path, text, {"hits": rows}, head=april))
    right = {
        ("number", "FY2025"): 2,  # April 2024 to March 2025
        ("number", "FY2026"): 4,
        ("number", "FY2026-Q1"): 2,  # April to June 2025
        ("number", "FY2026-Q4"): 1,
        ("number", "2025"): 4,  # the calendar year is another one
        ("so_far", "2026-03"): 4,
        ("so_far", "2026-04"): 1,
    }
    assert {k: got[k] for k in right} == right
    assert len([r for r in rows_of(rows) if r["day"].startswith("2026")]) == 2 != got["number", "FY2026"]

    named = HEAD.replace("Paris}", "Paris, fiscal_year_starts: april, fiscal_year_named: start}")
    got = figures(run(tmp_path, text, {"hits": rows}, head=named))
    assert (got["number", "FY2025"], got["number", "FY2025-Q1"]) == (4, 2)


# --- stocks, cohorts, replays ---------------------------------------------------------------------------------------

BALANCES = """
    account,day,amount
    1,2026-05-31,100
    2,2026-05-31,50
    1,2026-06-15,120
    2,2026-06-15,50
    1,2026-06-30,90
"""


def test_stock_measures_summed(tmp_path: Path) -> None:
    text = """
        datasets:
          balances: {from: files.balances, key: [account, day], date: day, snapshot: true}
        kpis:
          total_amount: {formula: sum(balances.amount), period: month}
    """
    (found,) = problems(tmp_path, text, {"balances": BALANCES})
    assert (found.code, found.subject) == ("stock-summed", "total_amount")
    assert "closing(sum(…))" in found.hint
    before = "first: {formula: opening(sum(balances.amount)), period: month}\n"
    stock = text.replace("sum(balances.amount)", "closing(sum(balances.amount))").replace(
        "total_amount:", f"{before}          total_amount:"
    )
    got = figures(run(tmp_path, stock, {"balances": BALANCES}))
    # Account 2 is gone on 30 June: 0, not its last known 50.
    assert (got["total_amount", "2026-06"], got["first", "2026-06"]) == (90, 150)
    assert got["total_amount", "2026-05"] == 150

    june = [int(r["amount"]) for r in rows_of(BALANCES) if r["day"].startswith("2026-06")]
    assert sum(june) == 260 != got["total_amount", "2026-06"]
    carried = {r["account"]: int(r["amount"]) for r in rows_of(BALANCES)}
    assert sum(carried.values()) == 140 != got["total_amount", "2026-06"]  # each account's last row


LEADS = "id,day,person\n" + "".join(f"{m}-{i},2026-0{m}-10,{m}-{i}\n" for m in (3, 4, 5) for i in range(10))
# Half of each month's leads buy, after 50 days.
BOUGHT = "id,day,person\n" + "".join(
    f"{m}-{i},{dt.date(2026, m, 10) + dt.timedelta(days=50)},{m}-{i}\n" for m in (3, 4, 5) for i in range(5)
)
COHORT = """
    datasets:
      leads: {from: files.leads, key: id, date: day}
      buys: {from: files.buys, key: id, date: day}
    kpis:
      conversion:
        formula: converted(leads.person, buys.person, '60 days') / count(leads)
        period: month
        target: 40%
        alert: value < 40%
"""


def test_an_immature_cohort_read_as_a_fall(tmp_path: Path) -> None:
    tables = {"leads": LEADS, "buys": BOUGHT}
    small = project(tmp_path, COHORT, tables)
    early = small.run(as_of=dt.date(2026, 6, 15))
    found = by_period(early, "conversion")
    assert (found["2026-03"].value, found["2026-03"].state, found["2026-03"].status) == (
        0.5,
        "final",
        "on_target",
    )
    # April's 60 days end on 30 June, May's on 31 July: what looks like a fall to 0 is only young.
    assert (found["2026-05"].value, found["2026-05"].state, found["2026-05"].status) == (
        0.0,
        "maturing",
        "not_judged",
    )
    assert found["2026-04"].state == "maturing"
    assert not early.alerts
    later = by_period(small.run(as_of=dt.date(2026, 8, 1)), "conversion")
    assert [(later[f"2026-0{m}"].value, later[f"2026-0{m}"].status) for m in (3, 4, 5)] == [
        (0.5, "on_target")
    ] * 3

    known = {r["person"] for r in rows_of(BOUGHT) if r["day"] <= "2026-06-15"}
    may = [r["person"] in known for r in rows_of(LEADS) if r["day"].startswith("2026-05")]
    assert sum(may) / len(may) < 0.4  # the naive reading: an alarm


DEALS = """
    id,created,closed,stage,amount
    1,2026-01-10,2026-02-03,won,10
    2,2026-01-20,2026-05-03,won,20
    3,2026-02-05,2026-06-20,lost,40
    4,2026-04-02,,open,80
"""
PIPELINE = """
    datasets:
      deals: {from: files.deals, key: id, date: closed, valid: [created, closed]}
    kpis:
      open_deals: {formula: closing(count(deals)), period: month}
      open_amount: {formula: closing(sum(deals.amount)), period: month}
      decided: {formula: count(deals), period: month}
      newcomers: {formula: started(count(deals)), period: month}
"""


def test_a_replay_that_sees_the_future(tmp_path: Path) -> None:
    clock = dt.date(2026, 4, 1)
    replayed = run(tmp_path, PIPELINE, {"deals": DEALS}, as_of=clock)
    got = figures(replayed)
    # On 31 March deals 2 and 3 were open; that they closed later was not known.
    assert (got["open_deals", "2026-03"], got["open_amount", "2026-03"]) == (2, 60)
    assert (got["decided", "2026-02"], got["decided", "2026-03"]) == (1, 0)

    def known(row: dict[str, str]) -> str:
        closed = row["closed"] if row["closed"] <= str(clock) else ""
        return f"{row['id']},{row['created']},{closed},{row['stage']},{row['amount']}\n"

    then = "id,created,closed,stage,amount\n" + "".join(
        known(r) for r in rows_of(DEALS) if r["created"] <= str(clock)
    )
    assert run(tmp_path, PIPELINE, {"deals": then}, as_of=clock).rows == replayed.rows

    naive = [r for r in rows_of(DEALS) if r["created"] < "2026-04" and not r["closed"]]
    assert len(naive) == 0  # "open" as of today's file: the deals that closed since were never open


def test_a_replay_is_blind_for_first_times_too(tmp_path: Path) -> None:
    rows = "id,day,person\n1,2026-03-05,a\n2,2026-05-05,b\n3,2026-06-05,a\n"
    text = """
        datasets:
          visits: {from: files.visits, key: id, date: day, columns: {last_visit: max(day) over (partition by person)}}
        kpis:
          newcomers: {formula: new(visits.person), period: month}
          last_visits: {formula: count(visits) filter (where day = last_visit), period: month}
    """
    small = project(tmp_path, text, {"visits": rows})
    then, now = (figures(small.run(as_of=clock)) for clock in (dt.date(2026, 4, 1), dt.date(2026, 7, 1)))
    assert then["last_visits", "2026-03"] == 1  # as far as was known on 1 April
    assert now["last_visits", "2026-03"] == 0
    assert (now["newcomers", "2026-05"], now["newcomers", "2026-06"]) == (1, 0)
