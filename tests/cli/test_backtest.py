"""``cadran backtest``: what rules would have done, worked out by hand; as tables, and what is said of mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .user import call, project

SAMPLE = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens" / "backtest"
AS_OF = ("--as-of", "2026-01-01")
VALUES = (10, 4, 4, 4, 10, 4, 10, 10, 3, 3, 3, 3)  # of each month of 2025
KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
locale: en
sources: {files: {connector: files, path: data}}
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis:
  revenue:
    label: Revenue
    formula: sum(orders.amount)
    period: [month, quarter]
    segment: shop
    alert:
      - {name: low, when: value < 5, for: 2, grain: month, scope: total}
      - {name: any, when: value < 5, grain: quarter}
  plain: {formula: count(orders), period: month}
channels: {hook: {notifier: webhook, url: "https://example.com/kpis"}}
"""
ROUTES = "routes: [{to: [hook]%s}]\n"


def orders() -> str:
    lines = [
        f"{n},2025-{n:02}-10,{value},{'old' if n < 4 else 'new'}" for n, value in enumerate(VALUES, start=1)
    ]
    return "\n".join(["id,day,amount,shop", *lines]) + "\n"


def made(folder: Path, routes: str | None = "") -> Path:
    return project(folder, KPIS + (ROUTES % routes if routes is not None else ""), {"orders": orders()})


def tried(folder: Path, *options: str) -> dict[str, Any]:
    found = call(folder, "backtest", "revenue", *AS_OF, "--format", "json", *options)
    assert found.code == 0, found.all
    (row,) = json.loads(found.out)["rows"]
    return dict(row)


def test_each_time_that_it_fires(tmp_path: Path) -> None:
    row = tried(made(tmp_path), "--rule", "low")
    episodes = [(e["since"], e["fired"], e["ended"], e["periods"], e["value"]) for e in row["episodes"]]
    assert episodes == [("2025-02", "2025-03", "2025-05", 2, 4), ("2025-09", "2025-10", "", 3, 3)]
    counted = {name: row[name] for name in ("first", "last", "alerts", "judged", "fires", "firing", "again")}
    assert counted == {
        "first": "2025-01",
        "last": "2025-12",
        "alerts": 1,
        "judged": 12,
        "fires": 2,
        "firing": 5,
        "again": 0,
    }


@pytest.mark.parametrize(
    ("options", "episodes"),
    [
        (["--since", "2025-05"], [("2025-10", "", 3)]),
        (
            ["--since", "2025-04"],
            [("2025-03", "2025-05", 1), ("2025-10", "", 3)],
        ),  # it stands when the range begins
        (["--until", "2025-03"], [("2025-03", "", 1)]),
        (["--until", "2025-11"], [("2025-03", "2025-05", 2), ("2025-10", "", 2)]),
        (["--for", "3"], [("2025-04", "2025-05", 1), ("2025-11", "", 2)]),
        (["--for", "1"], [("2025-02", "2025-05", 3), ("2025-06", "2025-07", 1), ("2025-09", "", 4)]),
        (["--keep", "2"], [("2025-03", "2025-08", 5), ("2025-10", "", 3)]),
        (["--clear", "value > 10"], [("2025-03", "", 10)]),
        (["--when", "value < 4"], [("2025-10", "", 3)]),
    ],
)
def test_ranges_and_changes(tmp_path: Path, options: list[str], episodes: list[tuple[str, str, int]]) -> None:
    row = tried(made(tmp_path), "--rule", "low", *options)
    assert [(e["fired"], e["ended"], e["periods"]) for e in row["episodes"]] == episodes


@pytest.mark.parametrize(
    ("routes", "options", "sent"),
    [
        # March is judged on 1 April, and May, by which it is over, on 1 June.
        ("", [], {"firing": 2, "repeat": 0, "resolved": 1}),
        (", repeat: 14d", [], {"firing": 2, "repeat": 8, "resolved": 1}),
        (", resolved: false", [], {"firing": 2, "repeat": 0, "resolved": 0}),
        (", match: {severity: critical}", [], {"firing": 0, "repeat": 0, "resolved": 0}),
        (
            ", match: {severity: critical}",
            ["--severity", "critical"],
            {"firing": 2, "repeat": 0, "resolved": 1},
        ),
        # Whoever would have been told in March of what still stands in April is told that it is over.
        ("", ["--since", "2025-04"], {"firing": 1, "repeat": 0, "resolved": 1}),
        ("", ["--until", "2025-04"], {"firing": 1, "repeat": 0, "resolved": 0}),
        # It begins on a Saturday, 1 November, and is told on Monday.
        (", mute: [{days: [SAT, SUN]}]", [], {"firing": 2, "repeat": 0, "resolved": 1}),
        (", wait: 2d", [], {"firing": 2, "repeat": 0, "resolved": 1}),
        (", wait: 70d", [], {"firing": 0, "repeat": 0, "resolved": 0}),
        (", mute: [{from: 2025-04-01, until: 2025-06-01}]", [], {"firing": 1, "repeat": 0, "resolved": 0}),
    ],
)
def test_messages(tmp_path: Path, routes: str, options: list[str], sent: dict[str, int]) -> None:
    row = tried(made(tmp_path, routes), "--rule", "low", *options)
    assert {kind: row[f"messages_{kind}"] for kind in sent} == sent
    assert row["messages"] == sum(sent.values())


def test_messages_at_the_times_of_the_schedule(tmp_path: Path) -> None:
    made(tmp_path, ", repeat: 14d")
    with (tmp_path / "kpis.yaml").open("a", encoding="utf-8") as file:
        file.write('alerts: {schedule: "0 7 1 * *"}\n')
    row = tried(tmp_path, "--rule", "low")
    # Once a month: told on 1 April, over on 1 June; told on 1 November. Those who were told hear it again each 14 days.
    assert [row[f"messages_{kind}"] for kind in ("firing", "repeat", "resolved")] == [2, 8, 1]


def test_without_routes_nothing_is_counted(tmp_path: Path) -> None:
    assert tried(made(tmp_path, None), "--rule", "low")["messages"] is None


def test_a_segment_value_that_is_not_there_any_more(tmp_path: Path) -> None:
    made(tmp_path)
    row = tried(tmp_path, "--when", "value < 5", "--scope", "shop", "--grain", "month", "--until", "2025-06")
    assert {e["segment"]["shop"] for e in row["episodes"]} == {"old", "new"}
    late = tried(tmp_path, "--when", "value < 5", "--scope", "shop", "--grain", "month", "--since", "2025-06")
    assert {e["segment"]["shop"] for e in late["episodes"]} == {"new"}


def test_a_sweep(tmp_path: Path) -> None:
    found = call(
        made(tmp_path), "backtest", "revenue", *AS_OF, "--sweep", "value < {x}", "x=3..5:1", "--scope", "total", "--format", "json"
    )  # fmt: skip
    rows = json.loads(found.out)["rows"]
    assert [(r["x"], r["fires"], r["firing"], r["again"], r["messages"]) for r in rows] == [
        ("3", 0, 0, 0, 0), ("4", 1, 4, 0, 1), ("5", 3, 8, 2, 5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rules", ["revenue", "--rule", "below plan"]),
        ("total", ["revenue", "--when", "value < 95% * target", "--clear", "value >= target", "--scope", "total", "--locale", "en"]),
        ("never", ["lead_conversion_rate", "--when", "value < 1%", "--scope", "total", "--locale", "en"]),
        ("sweep", ["revenue", "--sweep", "value < {x} * target", "x=80%..98%:2%", "--since", "2024-01", "--locale", "en"]),
        ("sweep-csv", ["revenue", "--sweep", "value < {x} * target", "x=80%..98%:2%", "--since", "2024-01", "--format", "csv"]),
        ("rules-csv", ["revenue", "--format", "csv"]),
        ("rules-json", ["revenue", "--since", "2026-01", "--format", "json"]),
    ],
)  # fmt: skip
def test_on_the_sample_project(name: str, options: list[str], golden: bool) -> None:
    found = call(SAMPLE, "backtest", *options, "--as-of", "2026-07-01")
    assert found.code == 0, found.all
    shown = "\n".join(line.rstrip() for line in found.out.splitlines()) + "\n"
    file = GOLDENS / f"{name}.txt"
    if golden:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nix"], "unknown KPI 'nix'"),
        (["plain"], "'plain' has no alert rule; write one with --when 'value < 90% * target'"),
        (["revenue", "--rule", "lo"], "'revenue' has no alert rule 'lo'; did you mean 'low'?"),
        (["revenue", "--when", "value < targt"], "--when:1:9: revenue.alert: unknown KPI 'targt'; did you mean 'target'?\n    value < targt\n            ^^^^^"),
        (["revenue", "--when", "value + 1"], "--when:1:1: revenue.alert: an alert condition must be true or false"),
        (["revenue", "--rule", "low", "--clear", "value >"], "--clear:1:7: revenue.alert: something is missing after '>'"),
        (["revenue", "--when", "value < 5", "--grain", "week"], "this KPI has no period 'week'; it has: month, quarter"),
        (["revenue", "--when", "value < 5", "--grain", "moth"], "'moth' is not a period; did you mean 'month'?"),
        (["revenue", "--when", "value < 5", "--scope", "shp"], "this KPI has no segment 'shp'; did you mean 'shop'?"),
        (["revenue", "--sweep", "value < {y}", "x=1..2"], "--sweep:1:9: the condition has no {x}"),
        (["revenue", "--sweep", "value < {x}", "x=1"], "'x=1' is no range; write x=80%..98%, or x=80%..98%:2%"),
        (["revenue", "--sweep", "value < {x}", "x=1..2%"], "'x=1..2%' mixes percents and numbers"),
        (["revenue", "--sweep", "value < {x}", "x=2..1"], "is no range from a smaller to a larger number"),
        (["revenue", "--sweep", "value < {x}", "x=0..1:0.001"], "gives at most 100 values"),
        (["revenue", "--sweep", "value < {x}", "x=1.2.3..4"], "'1.2.3' is no number"),
        (["revenue", "--sweep", "value < {x} * targt", "x=1..2"], "unknown KPI 'targt'"),
        (["revenue", "--sweep", "value < {x}", "x=1..2", "--when", "value < 1"], "--sweep has a condition already"),
        (["revenue", "--since", "2025-05", "--until", "2025-04"], "--since lies after --until"),
        (["revenue", "--for", "0"], "0 is not in the range x>=1"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, options: list[str], said: str) -> None:
    found = call(made(tmp_path), "backtest", *options, *AS_OF)
    assert (found.code, said in found.all) == (2, True), found.all
    assert "Traceback" not in found.all


def test_one_mistake_in_a_sweep_is_said_once(tmp_path: Path) -> None:
    found = call(made(tmp_path), "backtest", "revenue", *AS_OF, "--sweep", "value < {x} * targt", "x=1..9:1")
    assert found.all.count("targt'") == 1, found.all


def test_periods_that_cannot_be_judged_are_said(tmp_path: Path) -> None:
    made(tmp_path)
    when = "value < 90% * previous(revenue)"
    shown = call(
        tmp_path, "backtest", "revenue", *AS_OF, "--when", when, "--scope", "total", "--grain", "month"
    )
    assert "of them can be judged" in shown.out, shown
