"""Why a KPI changed, through cadran on random files, against the same sums made by hand in Python."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

import cadran
from cadran.analysis.analyse import Wanted, of_reports
from cadran.analysis.answers import WhyAnswer, WhyQuestion

AS_OF = "2026-04-20"
HEAD = """\
version: 1
calendar: {timezone: Europe/Paris}
sources: {files: {connector: files, path: data, tables: {orders: {path: orders.csv, types: {amount: "decimal(12,2)", weight: double, shop: text, kind: text, customer: text}}, leads: {path: leads.csv, types: {shop: text}}}}}
datasets:
  orders: {from: files.orders, key: id, date: day}
  leads: {from: files.leads, key: id, date: day}
kpis:
"""
Row = Mapping[str, str]
Sums = tuple[Fraction, Fraction]  # numerator and denominator
One = Fraction(1)


def total(rows: Sequence[Row], name: str) -> Fraction:
    return sum((Fraction(r[name]) for r in rows if r[name]), Fraction(0))


def filled(rows: Sequence[Row], name: str) -> Fraction:
    return Fraction(sum(1 for r in rows if r[name]))


def different(rows: Sequence[Row]) -> Fraction:
    return Fraction(len({r["customer"] for r in rows if r["customer"]}))


def web(rows: Sequence[Row]) -> Fraction:
    return Fraction(sum(1 for r in rows if r["kind"] == "web"))


def size(rows: Sequence[Row]) -> Fraction:
    return Fraction(len(rows))


# name -> formula, the same over the orders and the leads of a period (and of the one before), whether parts add up
FORMULAS: dict[str, tuple[str, Callable[[Sequence[Row], Sequence[Row], Sequence[Row]], Sums], bool]] = {
    "revenue": ("sum(orders.amount)", lambda o, _, __: (total(o, "amount"), One), True),
    "number": ("count(orders)", lambda o, _, __: (size(o), One), True),
    "net": ("(sum(orders.amount) - 2 * count(leads)) / 10", lambda o, x, _: ((total(o, "amount") - 2 * size(x)) / 10, One), True),
    "kilos": ("sum(orders.weight)", lambda o, _, __: (total(o, "weight"), One), True),
    "basket": ("avg(orders.amount)", lambda o, _, __: (total(o, "amount"), filled(o, "amount")), True),
    "dearer": ("avg(orders.amount) + 3", lambda o, _, __: (total(o, "amount") + 3 * filled(o, "amount"), filled(o, "amount")), True),
    "per_lead": ("sum(orders.amount) / count(leads)", lambda o, x, _: (total(o, "amount"), size(x)), True),
    "web_share": ("count(orders) filter (where kind = 'web') / count(orders)", lambda o, _, __: (web(o), size(o)), True),
    "other_share": ("1 - web_share", lambda o, _, __: (size(o) - web(o), size(o)), True),
    "scaled": ("100 * (coalesce(number, 0) - count(leads)) / count(leads)", lambda o, x, _: (100 * (size(o) - size(x)), size(x)), True),
    "growth": ("revenue / previous(revenue) - 1", lambda o, _, p: (total(o, "amount") - total(p, "amount"), total(p, "amount")), True),
    "cancelled": ("basket * count(orders.amount) / count(leads)", lambda o, x, _: (total(o, "amount"), size(x)), True),
    "per_customer": ("sum(orders.amount) / active(orders.customer)", lambda o, _, __: (total(o, "amount"), different(o)), False),
    "buyers": ("active(orders.customer)", lambda o, _, __: (different(o), One), False),
}  # fmt: skip


def made(folder: Path, chance: random.Random) -> tuple[cadran.Project, list[Row], list[Row]]:
    shops, orders, leads = ["north", "south", "east, far", ""], [], []
    for number in range(chance.randint(30, 160)):
        day = dt.date(2024, 12, 1) + dt.timedelta(days=chance.randrange(505))
        if chance.random() < 0.7:
            day = chance.choice([dt.date(2026, 3, 1), dt.date(2026, 2, 1), dt.date(2025, 3, 1)])
            day += dt.timedelta(days=chance.randrange(28))
        # A shop that opens in 2026 and one that closes: they have nothing in one of the periods.
        shop = chance.choice(shops[1:] if day.year < 2026 or chance.random() < 0.2 else shops[:3])
        amount = "" if chance.random() < 0.1 else f"{chance.randint(-500, 9000) / 100:.2f}"
        orders.append(
            {
                "id": str(number), "day": day.isoformat(), "amount": amount, "weight": repr(chance.random() * 10),
                "shop": shop, "kind": chance.choice(["web", "phone"]), "customer": chance.choice(["a", "b", "c", "d", ""]),
            }
        )  # fmt: skip
        if chance.random() < 0.8:
            leads.append({"id": str(number), "day": day.isoformat(), "shop": chance.choice(shops)})
    kpis = "".join(
        f'  {n}: {{formula: "{f[0]}", period: month, segment: shop}}\n' for n, f in FORMULAS.items()
    )
    text = HEAD + kpis
    for name, rows in (("orders", orders), ("leads", leads)):
        (folder / "data").mkdir(parents=True, exist_ok=True)
        lines = [
            ",".join(rows[0]),
            *(",".join(f'"{v}"' if "," in v else v for v in r.values()) for r in rows),
        ]
        (folder / "data" / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return cadran.open(folder, environ={}), orders, leads


def expected(
    name: str, orders: list[Row], leads: list[Row], month: str, before: str, shop: str | None
) -> Sums:
    def at(rows: list[Row], when: str) -> list[Row]:
        return [r for r in rows if r["day"].startswith(when) and shop in (None, r["shop"] or "(none)")]

    return FORMULAS[name][1](at(orders, month), at(leads, month), at(orders, before))


@pytest.mark.parametrize("seed", range(4))
def test_against_python(tmp_path: Path, seed: int) -> None:
    project, orders, leads = made(tmp_path, random.Random(seed))
    questions = [WhyQuestion(n, "2026-03", a) for n in FORMULAS for a in ("previous", "year_ago")]  # type: ignore[arg-type]
    results = project.analyse(Wanted(whys=tuple(questions)), as_of=AS_OF)
    assert results.answers is not None
    for question, answer in results.answers.whys.items():
        months = {"previous": ("2026-02", "2026-01"), "year_ago": ("2025-03", "2025-02")}[question.against]
        now, then = ("2026-03", "2026-02"), months
        assert (answer.period, answer.against_period, answer.state) == ("2026-03", then[0], "final")
        whole = [expected(question.kpi, orders, leads, *m, None) for m in (then, now)]
        if not whole[0][1] or not whole[1][1]:
            assert answer.missing
            continue
        assert not answer.missing
        exactly = question.kpi != "kilos"
        change = whole[1][0] / whole[1][1] - whole[0][0] / whole[0][1]
        assert same(answer.change, change, exactly)
        (split,) = answer.splits
        assert sum(p.effect for p in split.parts) + split.rest == answer.change
        if FORMULAS[question.kpi][2]:
            assert split.rest == 0
        seen = {p.segment_value[0]: p for p in split.parts}
        for shop in ("north", "south", "east, far", "(none)"):
            (n0, d0), (n1, d1) = (expected(question.kpi, orders, leads, *m, shop) for m in (then, now))
            (whole_n0, whole_d0), (whole_n1, whole_d1) = whole
            if answer.additive:
                effect = n1 - n0
            else:
                mean = (whole_n0 / whole_d0 + whole_n1 / whole_d1) / 2
                effect = n1 / whole_d1 - n0 / whole_d0 - mean * (d1 / whole_d1 - d0 / whole_d0)
            part = seen.pop(shop, None)
            assert same(part.effect if part else Fraction(0), effect, exactly), (question, shop)
            if part and not answer.additive:
                assert part.rate is not None and part.mix is not None and part.rate + part.mix == part.effect
                assert (part.then, part.now) == (n0 / d0 if d0 else None, n1 / d1 if d1 else None)
                if d0 and d1:
                    assert part.rate == (d0 / whole_d0 + d1 / whole_d1) / 2 * (n1 / d1 - n0 / d0)
        assert not seen


def same(found: Fraction | None, wanted: Fraction, exactly: bool) -> bool:
    if found is None:
        return False
    return found == wanted if exactly else abs(found - wanted) < Fraction(1, 10**9)


def test_the_split_is_of_the_values_that_a_run_reports(tmp_path: Path) -> None:
    project, _, _ = made(tmp_path, random.Random(7))
    rows = {r.kpi: r for r in project.run(as_of=AS_OF).rows if r.period == "2026-03" and not r.segment}
    results = project.run(as_of=AS_OF, analyses=of_reports_of(project))
    assert results.answers is not None and len(results.answers.whys) == len(FORMULAS)
    for question, answer in results.answers.whys.items():
        row = rows[question.kpi]
        for value, found in ((row.value, answer.now), (row.previous, answer.then)):
            if not answer.missing:
                assert value is not None and found is not None and float(found) == pytest.approx(float(value))


def of_reports_of(project: cadran.Project) -> Wanted:
    file = project.file
    file.write_text(
        file.read_text(encoding="utf-8") + "reports: {all: {period: last month}}\n", encoding="utf-8"
    )
    declaration, problems = project.declaration()
    assert declaration is not None and not problems
    return of_reports(declaration)


# --- time ---------------------------------------------------------------------------------------------------------------

SMALL = """\
version: 1
sources: {files: {connector: files, path: data}}
datasets:
  orders: {from: files.orders, key: id, date: day}
  orders2: {from: files.orders, key: id, date: day}
kpis:
  revenue: {formula: sum(orders.amount), period: [day, month, year, all], segment: [shop, kind, [shop, kind]]}
  ever: {formula: sum(orders.amount), period: all, segment: shop}
  alone: {formula: sum(orders.amount), period: month}
  typical: {formula: 1 + median(orders.amount), period: month, segment: shop}
  worth: {formula: avg(orders.amount) * count(orders) / count(distinct orders.shop), period: month, segment: shop}
  two: {formula: "sum(orders.amount) / count(orders) + 1 / count(orders2)", period: month, segment: shop}
  share: {formula: revenue / total(revenue), period: month, segment: shop}
  largest: {formula: "greatest(sum(orders.amount), 3)", period: month, segment: shop}
  block: sum(orders.amount)
"""
ORDERS = """\
id,day,amount,shop,kind
1,2026-05-03,10,north,web
2,2026-05-24,5,south,web
3,2026-06-01,7,north,phone
4,2026-06-02,1,,web
"""


def small(folder: Path, text: str = SMALL) -> cadran.Project:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return cadran.open(folder, environ={})


def ask(project: cadran.Project, *question: str, as_of: str = "2026-07-01") -> WhyAnswer:
    kpi, period, against = (*question, *("", "previous")[len(question) - 1 :])
    wanted = Wanted(whys=(WhyQuestion(kpi, period, against),))  # type: ignore[arg-type]
    answers = project.analyse(wanted, as_of=as_of).answers
    assert answers is not None
    (answer,) = answers.whys.values()
    return answer


def effects(answer: WhyAnswer, segment: tuple[str, ...] = ("shop",)) -> dict[str, int]:
    (split,) = (s for s in answer.splits if s.segment == segment)
    return {" / ".join(p.segment_value): int(p.effect) for p in split.parts}


def test_an_open_period_is_compared_with_the_same_elapsed_part(tmp_path: Path) -> None:
    answer = ask(small(tmp_path), "revenue", "2026-06", as_of="2026-06-10")
    assert (answer.state, answer.then, answer.now) == (
        "open",
        10,
        8,
    )  # what came on 24 May is not counted yet
    assert effects(answer) == {"north": -3, "(none)": 1}


def test_every_segment_and_cross_with_the_cross_last(tmp_path: Path) -> None:
    answer = ask(small(tmp_path), "revenue", "month")
    assert [s.segment for s in answer.splits] == [("kind",), ("shop",), ("shop", "kind")]
    assert effects(answer, ("shop", "kind")) == {
        "north / web": -10, "north / phone": 7, "south / web": -5, "(none) / web": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        (("revenue", "2026-05"), "then"),  # the first covered month
        (("revenue", "year"), "final"),  # 2026 is not over
        (("revenue", "2026-06", "year_ago"), "then"),
        (("revenue", "2024-02-29", "year_ago"), "now"),  # before the first row
    ],
)
def test_where_there_is_nothing_to_split(tmp_path: Path, question: tuple[str, ...], missing: str) -> None:
    answer = ask(small(tmp_path), *question)
    assert (answer.missing, answer.splits) == (missing, ())


def test_a_day_that_the_year_before_does_not_have(tmp_path: Path) -> None:
    more = "5,2028-02-29,3,north,web\n6,2028-02-28,4,north,web\n"
    project = small(tmp_path)
    (tmp_path / "data" / "orders.csv").write_text(ORDERS + more, encoding="utf-8")
    answer = ask(project, "revenue", "2028-02-29", "year_ago", as_of="2028-03-02")
    assert (answer.missing, answer.against_period) == ("then", "")
    assert ask(project, "revenue", "2028-02-29", as_of="2028-03-02").change == -1


def test_days(tmp_path: Path) -> None:
    answer = ask(small(tmp_path), "revenue", "2026-06-02")
    assert effects(answer) == {"north": -7, "(none)": 1}
    assert ask(small(tmp_path), "revenue", "2026-05-24").now == 5


@pytest.mark.parametrize(
    ("question", "message", "hint"),
    [
        (("typical",), "kpis.yaml:10:26: typical: a change of median() has no parts", "avg(…)"),
        (("worth",), "worth: a product of measures has no parts", "make its factors KPIs"),
        (("two",), "two: ratios with different denominators", "make the ratios KPIs"),
        (("share",), "share: total() is the same for every segment value", "ask for the KPI"),
        (("largest",), "largest: a change of greatest has no parts", "an average"),
        (("alone",), "'alone' has no segment", "segment: channel"),
        (("ever",), "'ever' has one value over all", "another 'period'"),
        (("block",), "'block' is a building block", "period"),
        (("revenu",), "unknown KPI 'revenu'", "revenue"),
        (("revenue", "2026-W03"), "'revenue' is not computed by week", "day, month, year"),
        (("revenue", "2026-13"), "'2026-13' is not a period", ""),
        (("revenue", "soon"), "'soon' is not a period", ""),
        (("revenue", "2026-09"), "2026-09 has not begun", "it is 2026-07-01"),
    ],
)
def test_what_has_no_answer_is_said(
    tmp_path: Path, question: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(cadran.ProblemsFound) as raised:
        ask(small(tmp_path), *question)
    (problem,) = raised.value.problems
    assert message in str(problem) and hint in problem.hint


def test_a_segment_that_the_kpi_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(cadran.ProblemsFound, match="has no segment 'kinds'"):
        small(tmp_path).analyse(Wanted(whys=(WhyQuestion("revenue", by=("kinds",)),)), as_of="2026-07-01")


def test_what_is_counted_under_several_values_is_a_part_of_its_own(tmp_path: Path) -> None:
    text = SMALL + "  kinds: {formula: count(distinct orders.kind), period: month, segment: shop}\n"
    answer = ask(small(tmp_path, text), "kinds")
    (split,) = answer.splits
    # May: web, in both shops; June: phone in the north and web without a shop.
    assert answer.change == 1
    assert {p.segment_value[0]: p.effect for p in split.parts} == {"south": -1, "(none)": 1, "north": 0}
    assert split.rest == 1


def test_a_report_explains_what_can_be_explained(tmp_path: Path) -> None:
    project = small(tmp_path, SMALL + "reports: {all: {period: last month}}\n")
    answers = project.run(as_of="2026-07-01", analyses="reports").answers
    assert answers is not None
    assert [(q.kpi, q.period) for q in answers.whys] == [("revenue", "month")]
