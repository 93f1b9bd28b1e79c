"""From files to a declaration."""

from __future__ import annotations

import datetime as dt
import gc
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cadran.calendar import Duration, Grain
from cadran.declare.load import load
from cadran.declare.model import Declaration, Mute, Ready, Retention
from cadran.declare.names import RESERVED, WORDS

from .fakes import NOTHING, USUAL

DOCUMENTS = Path(__file__).parents[1] / "documents"
HEAD = (
    "version: 1\nsources: {files: {connector: files, path: data}}\n"
    "datasets: {orders: {from: files.orders, key: id, date: day}}\n"
)
Load = Callable[..., tuple[Declaration | None, list[str]]]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    """Loads texts, given by file name, as a project; the first is the main file."""

    def run(
        text: str = "", files: dict[str, str] | None = None, **more: Any
    ) -> tuple[Declaration | None, list[str]]:
        for name, content in ({"kpis.yaml": text} | (files or {})).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        settings: dict[str, Any] = {
            "environ": {},
            "plugins": USUAL,
        }
        declaration, problems = load(tmp_path / "kpis.yaml", **settings | more)
        return declaration, [str(p) for p in problems]

    return run


@pytest.fixture(scope="module")
def everything() -> Declaration:
    declaration, problems = load(
        DOCUMENTS / "everything.good.yaml",
        environ={"SHOP_TOKEN": "secret-1"},
        plugins=USUAL,
    )
    assert declaration is not None and problems == []
    return declaration


def test_the_project(everything: Declaration) -> None:
    assert str(everything.calendar.zone) == "Europe/Paris"
    assert everything.calendar.fiscal_year_starts == 4
    assert (everything.currency, everything.locale) == ("EUR", "fr")
    assert everything.allow_paths == ((DOCUMENTS / "../../data").resolve(),)
    assert everything.milestones == {"new_crm": dt.date(2026, 3, 1)}
    assert everything.notes == {
        dt.date(2026, 5, 12): {"": "Price rise"},
        dt.date(2026, 6, 1): {"fr": "Nouveau CRM", "en": "New CRM"},
    }
    assert everything.secrets == {"secret-1"}
    assert everything.sources["shop"].config == {"token": "key-secret-1", "pages": 3}
    assert everything.rates is not None
    assert (everything.rates.table.table, everything.rates.currency) == ("rates", "code")
    assert [d.shown_as for d in everything.documents] == ["everything.good.yaml", "parts/plain.yaml"]


def test_datasets(everything: Declaration) -> None:
    leads = everything.datasets["leads"]
    assert [(t.source, t.table) for t in leads.tables] == [("files", "leads"), ("files", "more.leads 2026")]
    assert leads.settle == Duration(days=3)
    assert (leads.expect.max_age, leads.expect.min_rows) == (Duration(seconds=26 * 3600), 1)
    assert {n: (tuple(c.value for c in k.columns), k.to) for n, k in leads.links.items()} == {
        "customers": (("customer_id",), "customers"),
        "owner": (("owner_id",), "users"),
    }
    assert leads.columns["one"].value == "1"
    contracts = everything.datasets["contracts"].valid
    assert contracts is not None and contracts.inclusive and contracts.end.value == "ends"
    assert [k.value for k in everything.datasets["balances"].key] == ["account_id", "day"]
    assert everything.datasets["quotas"].grain is Grain.MONTH
    assert everything.segments["owner"].top == 10 and everything.segments["owner"].other


def test_kpis(everything: Declaration) -> None:
    kpi = everything.kpis["lead_conversion_rate"]
    assert kpi.label["no"] == "Konvertering"  # a language, not a yes/no value
    assert kpi.description == {"": "Leads of the period that became customers within 60 days."}
    assert kpi.segments == (("channel",), ("owner",), ("channel", "owner"))
    assert kpi.tolerance == Decimal("0.03")
    first, total, quarter, ranged, last = kpi.targets
    assert (first.segment, first.value and first.value.value) == ({"channel": "paid"}, "18%")
    assert (total.segment, total.grain) == ("total", Grain.MONTH)
    assert quarter.period is not None and quarter.period.value == "2026-Q1"
    assert ranged.low and ranged.high and (ranged.low.value, ranged.high.value) == ("10%", "0.3")
    assert ranged.since == dt.date(2026, 2, 1) and ranged.period and ranged.period.value == "2026"
    assert last.value and last.value.value == "25%"
    low, very_low, unnamed = kpi.alerts
    assert (low.hold, low.keep, low.scope, low.on_missing) == (2, 2, "each", "keep")
    assert (very_low.severity, very_low.scope, very_low.on_missing) == ("critical", "total", "alert")
    assert (unnamed.name, unnamed.scope) == ("value > 2", ("channel", "owner"))
    assert everything.kpis["a_constant"].formula.value == "0.10"


def test_a_bare_text_is_a_building_block(everything: Declaration) -> None:
    assert not everything.kpis["new_customers"].reported
    assert everything.kpis["revenue"].reported
    assert everything.kpis["orders"].compare == ()
    assert everything.kpis["revenue"].compare == ("previous", "year_ago")


def test_a_kpi_without_a_period_is_a_building_block_too(read: Load) -> None:
    declaration, problems = read(HEAD + "kpis: {a: {formula: count(orders), label: A}}")
    assert problems == [] and declaration is not None
    assert not declaration.kpis["a"].reported


def test_a_formula_knows_its_place(everything: Declaration) -> None:
    formula = everything.kpis["revenue"].formula
    where = formula.place.position(4, 10)
    line = everything.documents[0].lines[where.line - 1]
    assert line[where.column - 1 : where.column - 1 + where.width] == "orders"


def test_reports(everything: Declaration) -> None:
    weekly, yearly = everything.reports["weekly"], everything.reports["yearly"]
    assert [k.value for k in weekly.kpis] == ["revenue", "tag:acquisition"]
    assert weekly.template is not None and weekly.template.value == "report.html.jinja"
    assert (yearly.period, yearly.include_open, weekly.include_open) == ("2025", True, False)


def test_paths_are_relative_to_the_file_that_names_them(read: Load, tmp_path: Path) -> None:
    part = "sources: {more: {connector: files, path: x}}\nallow_paths: y\n"
    declaration, problems = read(
        HEAD + "include: deep/*.yaml", {"deep/part.yaml": part}, allow_paths=[Path("/z")]
    )
    assert problems == [] and declaration is not None
    assert declaration.sources["files"].base == tmp_path
    assert declaration.sources["more"].base == tmp_path / "deep"
    assert declaration.allow_paths == (tmp_path.resolve() / "deep" / "y", Path("/z"))


def test_a_link_out_of_the_project_is_outside(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "other.yaml").write_text("kpis: {}\n")
    (project / "inside.yaml").symlink_to(tmp_path / "other.yaml")
    (project / "kpis.yaml").write_text("version: 1\ninclude: inside.yaml\n")
    _, problems = load(project / "kpis.yaml", environ={}, plugins=NOTHING)
    assert [p.code for p in problems] == ["include-outside"]


def test_a_file_that_two_others_include_is_read_once(read: Load) -> None:
    files = {"a.yaml": "include: c.yaml", "b.yaml": "include: c.yaml", "c.yaml": "kpis: {x: count(orders)}"}
    declaration, problems = read(HEAD + "include: [a.yaml, b.yaml]", files)
    assert problems == [] and declaration is not None and list(declaration.kpis) == ["x"]


def test_a_pattern_does_not_include_the_file_that_asks(read: Load) -> None:
    declaration, problems = read(HEAD + "include: '*.yaml'", {"b.yaml": "kpis: {x: count(orders)}"})
    assert problems == [] and declaration is not None and list(declaration.kpis) == ["x"]


def test_what_is_broken_is_left_out_and_remembered(read: Load) -> None:
    text = (
        HEAD
        + "kpis:\n  a: {formula: count(orders), period: mnth, unit: EUR}\n  b: []\n  c: {formula: b + 1, period: month}\n"
    )
    declaration, problems = read(text + "reports: {r: {kpis: [a, b, c]}}\n")
    assert len(problems) == 2 + 1  # a's period, b's shape, and a is therefore not reported
    assert declaration is not None
    assert list(declaration.kpis) == ["a", "c"]
    assert declaration.broken == {("kpis", "b")}
    assert declaration.kpis["a"].unit == "EUR"


def test_a_missing_main_file(tmp_path: Path) -> None:
    declaration, problems = load(tmp_path / "kpis.yaml", environ={}, plugins=NOTHING)
    assert declaration is None
    [problem] = problems
    assert problem.message == f"there is no '{tmp_path / 'kpis.yaml'}'"
    assert problem.hint == "check the name and the folder; 'cadran init' begins a new project"


def test_a_missing_folder_is_said_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, [problem] = load(Path("nulle/part"), environ={}, plugins=NOTHING)
    assert str(problem).startswith("there is no 'nulle/part'; ") and "'cadran init'" in problem.hint


def test_secrets_are_masked_in_messages(read: Load) -> None:
    text = HEAD + "datasets2: 1\nreports: {r: {kpis: ['${WHO}', 'my ${WHO}']}}"
    _, problems = read(text, environ={"WHO": "correct-horse"})
    assert len(problems) == 3
    assert not any("correct-horse" in p for p in problems)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(read: Load, enabled: bool) -> None:
    before = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        read("version: 1")
        assert gc.isenabled() is enabled
    finally:
        gc.enable() if before else gc.disable()


def test_a_good_file_needs_no_jsonschema(read: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("jsonschema", "referencing")]:
        monkeypatch.setitem(sys.modules, name, None)  # importing it would now fail
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    _, problems = read(HEAD + "kpis: {a: count(orders)}")
    assert problems == []


def test_channels_and_what_goes_there(everything: Declaration) -> None:
    board = everything.channels["board"]
    assert (board.notifier, board.config, board.base) == ("file", {"path": "public/secret-1"}, DOCUMENTS)
    (to,) = everything.reports["weekly"].to
    assert (to.channel.value, to.channel.place.position().column, to.to) == ("board", 27, ())
    assert everything.reports["yearly"].to == ()


def test_routes(everything: Declaration) -> None:
    first, owners, rest = everything.routes
    assert rest.match == {}
    assert (first.match, first.goes_on, first.wait, first.resolved) == (
        {"severity": ("critical",), "channel": ("paid", "organic")},
        True,
        Duration(seconds=600),
        False,
    )
    assert first.name == '[{"channel": ["paid", "organic"], "severity": "critical"}, ["chat"]]'
    assert (owners.name, owners.group_by, owners.repeat) == (
        "to the owners",
        ("owner", "kpi"),
        Duration(days=7),
    )
    chat, mail = owners.to
    assert (chat.to, [text.value for text in mail.to]) == ((), ["{{ owner }}", "boss@example.com"])
    weekend, nights = owners.mute
    assert weekend == Mute(days=frozenset({6, 7}))
    assert (nights.start, nights.end) == (dt.time(20), dt.time(7))
    assert (nights.first, nights.last) == (dt.date(2026, 7, 1), dt.date(2026, 8, 31))
    assert (first.zone, owners.zone) == (None, ZoneInfo("America/New_York"))


def test_what_is_scheduled(everything: Declaration) -> None:
    report, each = everything.reports["scheduled"], everything.reports["for_each"]
    assert report.schedule is not None and report.ready is not None and report.per is not None
    assert (report.schedule.cron.value, report.schedule.zone.key, report.schedule.catch_up) == (
        "0 7 * * MON",
        "Asia/Kolkata",
        "all",
    )
    assert report.ready == Ready(Duration(seconds=26 * 3600), Duration(seconds=3 * 3600), "skip")
    assert (report.per.segment.value, report.attach, report.owner) == (
        "owner",
        ("csv", "xlsx"),
        "sales@example.com",
    )
    assert each.schedule is not None and each.per is not None
    assert (each.schedule.zone.key, each.schedule.catch_up) == ("Europe/Paris", "latest")
    assert each.per.addresses == {"Anna Roy": "anna@example.com"}
    assert everything.judging is not None and everything.judging.cron.value == "30 5 * * *"


def test_deliveries_and_state(everything: Declaration) -> None:
    sent, state = everything.deliveries, everything.state
    assert (sent.deadline, sent.unknown_reports, sent.unknown_alerts) == (
        Duration(seconds=6 * 3600),
        "wait",
        "send",
    )
    assert [one.channel.value for one in sent.failures] == ["chat", "team_mail"]
    assert (state.url, state.schema) == ("postgresql://cadran@127.0.0.1/kpis", "sales_kpis")
    assert state.keep == Retention(Duration(days=200), Duration(days=3640), Duration(days=90))


def test_a_channels_paths_start_from_the_file_that_declares_it(read: Load, tmp_path: Path) -> None:
    parts = {"parts/out.yaml": "channels: {board: {notifier: file, path: x}}"}
    declaration, problems = read(
        HEAD + "include: parts/out.yaml\nreports: {r: {to: [{channel: board}]}}", parts
    )
    assert problems == [] and declaration is not None
    assert declaration.channels["board"].base == tmp_path / "parts"


def test_a_channel_that_is_broken_is_not_unknown(read: Load) -> None:
    _, problems = read(HEAD + "channels: {board: {notifier: 3}}\nreports: {r: {to: [{channel: board}]}}")
    assert len(problems) == 1 and "'notifier' must be a text, not 3" in problems[0]


def test_reserved_names_are_those_of_the_database() -> None:
    import duckdb

    query = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
    with duckdb.connect() as connection:
        reserved = {name for (name,) in connection.execute(query).fetchall()}
    assert RESERVED - reserved == {"at"}  # not in the list, and still refused as a column's name
    assert reserved <= RESERVED
    assert RESERVED.isdisjoint(WORDS)
