"""``cadran alerts`` and ``cadran silence``: what they show of alerts that were judged, and what they say of mistakes."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from sqlalchemy import insert

import cadran
from cadran.deliver.alerting import judge, told
from cadran.deliver.broken import Broken, broken
from cadran.problems import ProblemsFound
from cadran.state.store.store import open_store
from cadran.state.store.tables import delivery

from .user import call, project

GOLDENS = Path(__file__).parent / "goldens"
KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
locale: en
sources: {files: {connector: files, path: data}, web: {connector: files, path: web}}
datasets:
  orders: {from: files.orders, key: id, date: day}
  visits: {from: web.visits, key: id, date: day, expect: {max_age: 40d}}
kpis:
  revenue:
    label: {en: Revenue, fr: Chiffre d'affaires}
    formula: sum(orders.amount)
    period: month
    segment: shop
    unit: EUR
    owner: zoe@example.com
    target: [{segment: total, value: 10}, {value: 5}]
    alert:
      - {name: low, when: value < 90% * target, for: 2}
      - {when: value < 2, severity: critical, scope: total}
  visits: {label: {en: Visits, fr: Visites}, formula: count(visits), period: month, alert: {name: few, when: value < 3}}
channels: {folder: {notifier: webhook, url: "https://example.com/rest"}, critical: {notifier: webhook, url: "https://example.com/critical"}}
routes:
  - {name: critical, match: {severity: critical}, to: [critical]}
  - {name: rest, match: {kpi: revenue}, to: [folder]}
"""
ORDERS = "id,day,amount,shop\n" + "".join(
    f"{n},2026-{month:02}-1{n % 3},{amount},{shop}\n"
    for n, (month, amount, shop) in enumerate(
        [(1, 8, "paris"), (1, 6, "lyon"), (2, 3, "paris"), (2, 6, "lyon"), (3, 3, "paris"), (3, 4, "lyon"), (4, 9, "paris"), (4, 1, "lyon"), (5, 9, "paris"), (5, 2, "lyon"), (6, 9, "paris")]
    )
)  # fmt: skip
VISITS = "id,day\n" + "".join(f"{n},2026-0{1 + n // 4}-15\n" for n in range(10))


def made(folder: Path) -> Path:
    project(folder, KPIS, {"orders": ORDERS})
    (folder / "web").mkdir()
    (folder / "web" / "visits.csv").write_text(VISITS, encoding="utf-8")
    return folder


def judged(folder: Path, *moments: str) -> None:
    """What the scheduled job does, without its messages."""
    opened = cadran.open(folder)
    store = open_store(folder)
    for moment in moments:
        now = dt.datetime.fromisoformat(f"{moment}T07:00:00+00:00")
        wrong = Broken()
        declaration = opened.declaration()[0]
        assert declaration is not None
        try:
            found = opened.run(as_of=now)
        except ProblemsFound as problems:
            found, wrong = None, broken(problems.problems, declaration, opened.dependencies(every=True))
            assert wrong
        with store.write() as c:
            rests = opened.dependencies()
            for number, notice in enumerate(
                judge(c, declaration, found, logical_time=now, run=None, broken=wrong, rests=rests)
            ):
                told(c, notice, f"{moment} {number}", now=now)
    store.close()


@pytest.fixture(scope="module")
def judged_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made(tmp_path_factory.mktemp("shop"))
    judged(folder, "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01")
    return folder


@pytest.fixture
def shop(judged_shop: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    return shutil.copytree(judged_shop, tmp_path, dirs_exist_ok=True)


def agrees(text: str, name: str, golden: bool) -> None:
    shown = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    file = GOLDENS / name
    if golden:
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_table(shop: Path, locale: str, golden: bool) -> None:
    done = call(shop, "alerts", "--locale", locale)
    assert done.code == 0, done.err
    agrees(done.out, f"alerts_{locale}.txt", golden)


def test_all_with_their_history(shop: Path, golden: bool) -> None:
    silence(shop, "--kpi", "revenue", "--segment", "shop=lyon")
    agrees(call(shop, "alerts", "--all").out, "alerts_all.txt", golden)


def test_for_programs(shop: Path) -> None:
    found = call(shop, "alerts", "--format", "json").json()
    by_name = {(a["name"], a["rule"], *a["segment"].values()): a for a in found}
    assert set(by_name) == {("revenue", "low", "lyon"), ("visits", "few"), ("visits", "max_age")}
    lyon = by_name["revenue", "low", "lyon"]
    assert {k: lyon[k] for k in ("state", "since", "fired", "period", "value", "target", "severity", "owners", "episode")} == {
        "state": "firing", "since": "2026-03", "fired": "2026-03", "period": "2026-05", "value": 2, "target": 5, "severity": "warning",
        "owners": ["zoe@example.com"], "episode": 1,
    }  # fmt: skip
    assert [(t["channel"], t["recipient"], t["at"], t["ended"]) for t in lyon["told"]] == [
        ("folder", "", "2026-05-01T07:00:00+00:00", None)
    ]
    assert by_name["visits", "few"]["withheld"] == [{"why": "inhibited", "by": "dataset visits"}]
    assert by_name["visits", "max_age"]["reason"].startswith("the newest row of visits is of 2026-03-15")
    assert "history" not in lyon


@pytest.mark.parametrize(
    ("state", "said"),
    [("sent", "folder"), ("retry", "folder (not sent yet)"), ("failed", "folder (could not be delivered)"), ("unknown", "folder (may not have arrived)"), ("skipped", "folder (not sent)")],
)  # fmt: skip
def test_what_has_become_of_a_message(shop: Path, state: str, said: str) -> None:
    (lyon,) = call(shop, "alerts", "revenue", "--format", "json").json()
    now = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    row = {
        "key": lyon["told"][0]["delivery"], "job": "alerts", "kind": "alert", "channel": "folder", "notifier": "file", "recipient": "",
        "subject": "", "logical_time": now, "state": state, "due": now, "deadline": now, "on_unknown": "send", "created": now,
    }  # fmt: skip
    store = open_store(shop)
    with store.write() as c:
        c.execute(insert(delivery).values(**row))
    store.close()
    assert call(shop, "alerts", "revenue").out.splitlines()[-1].split("target  ")[-1].strip().endswith(said)
    assert call(shop, "alerts", "revenue", "--format", "json").json()[0]["told"][0]["state"] == state


def test_a_source_that_fails(shop: Path) -> None:
    (shop / "data" / "orders.csv").unlink()
    (shop / "data").rmdir()
    judged(shop, "2026-06-02")
    found = {(a["subject"], a["name"]): a for a in call(shop, "alerts", "--format", "json").json()}
    source = found["source", "files"]
    assert (source["rule"], source["severity"], source["since"], source["owners"]) == (
        "failed",
        "critical",
        "2026-06-02",
        ["zoe@example.com"],
    )
    assert [t["channel"] for t in source["told"]] == ["critical"]
    lyon = found["kpi", "revenue"]
    assert (lyon["state"], lyon["period"], lyon["withheld"]) == (
        "firing",
        "2026-05",
        [{"why": "inhibited", "by": "source files"}],
    )
    assert "held back: source files cannot be read" in call(shop, "alerts").out


def test_some_of_them(shop: Path) -> None:
    assert [a["name"] for a in call(shop, "alerts", "revenue", "--format", "json").json()] == ["revenue"]
    wrong = call(shop, "alerts", "revenu")
    assert wrong.code == 2
    assert "there is no KPI, dataset or source 'revenu'; did you mean 'revenue'?" in wrong.err


def test_nothing_has_been_judged(tmp_path: Path) -> None:
    folder = made(tmp_path)
    assert "no alert has been judged yet" in call(folder, "alerts").out
    assert call(folder, "alerts", "--format", "json").json() == []
    assert call(folder, "silence", "list").out == "nothing is silenced\n"
    assert not (folder / ".cadran" / "state.db").exists()


# --- silences ----------------------------------------------------------------------------------------------------------


def silence(folder: Path, *options: str) -> str:
    done = call(
        folder, "silence", "add", *options, "--from", "2026-01-01", "--until", "2099-01-01", "--reason", "stocktaking", "--by", "ana"
    )  # fmt: skip
    assert done.code == 0, done.err
    return done.out


def test_silences(shop: Path, golden: bool) -> None:
    said = silence(shop, "--kpi", "revenue", "--segment", "shop=lyon")
    assert said == "silence 1: kpi=revenue, shop=lyon, until 2099-01-01 00:00\n"
    assert "silenced until January 1, 2099 (1)" in call(shop, "alerts").out
    silence(shop, "--owner", "zoe@example.com", "--rule", "low", "--segment", "shop")
    agrees(call(shop, "silence", "list").out, "silences_en.txt", golden)
    agrees(call(shop, "silence", "list", "--locale", "fr").out, "silences_fr.txt", golden)
    assert call(shop, "silence", "expire", "1").out == "silence 1 is over\n"
    assert [s["number"] for s in call(shop, "silence", "list", "--format", "json").json()] == [2]
    both = call(shop, "silence", "list", "--all", "--format", "json").json()
    assert [(s["state"], s["author"], s["matchers"]) for s in both] == [
        ("ended", "ana", {"kpi": ["revenue"], "shop": ["lyon"]}),
        ("active", "ana", {"owner": ["zoe@example.com"], "rule": ["low"], "segment": ["shop"]}),
    ]
    again = call(shop, "silence", "expire", "1")
    assert (again.code, "no silence 1 that is not over" in again.err) == (2, True)


def test_a_silence_of_the_total(shop: Path) -> None:
    assert "segment" not in silence(shop, "--kpi", "revenue", "--segment", "total")
    (lyon,) = call(shop, "alerts", "revenue", "--format", "json").json()
    assert lyon["withheld"] == []


def test_a_silence_for_a_while(shop: Path) -> None:
    done = call(shop, "silence", "add", "--source", "files", "--for", "3d", "--reason", "moving")
    assert done.code == 0, done.err
    (found,) = call(shop, "silence", "list", "--format", "json").json()
    starts, until = (dt.datetime.fromisoformat(found[name]) for name in ("starts", "until"))
    assert abs(until - starts - dt.timedelta(days=3)) <= dt.timedelta(
        hours=1
    )  # a clock may be turned in between
    assert found["author"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "3d", "--reason", "x"], "a silence needs to say which alerts; give --kpi, --segment"),
        (["--kpi", "revenu", "--for", "3d", "--reason", "x"], "no alert can be of the kpi 'revenu'; did you mean 'revenue'?"),
        (["--segment", "shp=lyon", "--for", "3d", "--reason", "x"], "no alert can be of the segment 'shp'; did you mean 'shop'?"),
        (["--segment", "shop=lyonn", "--for", "3d", "--reason", "x"], "no alert is of shop 'lyonn', so this would silence nothing; did you mean 'lyon'?"),
        (["--segment", "shop=rome", "--for", "3d", "--reason", "x"], "there are: lyon"),
        (["--rule", "lo", "--for", "3d", "--reason", "x"], "no alert can be of the rule 'lo'; did you mean 'low'?"),
        (["--tag", "web", "--for", "3d", "--reason", "x"], "no alert can be of the tag 'web'; there are none"),
        (["--kpi", "revenue", "--reason", "x"], "a silence needs an end; give either --for 3d or --until 2026-07-01"),
        (["--kpi", "revenue", "--for", "3d", "--until", "2099-01-01", "--reason", "x"], "a silence needs an end"),
        (["--kpi", "revenue", "--for", "soon", "--reason", "x"], "--for: 'soon' is not a duration"),
        (["--kpi", "revenue", "--for", "999999999999d", "--reason", "x"], "--for:"),
        (["--kpi", "revenue", "--until", "2020-01-01", "--reason", "x"], "the silence would be over before it begins"),
        (["--kpi", "revenue", "--for", "3d", "--reason", " "], "--reason says nothing"),
        (["--kpi", "revenue", "--for", "3d"], "Missing option '--reason'"),
    ],
)  # fmt: skip
def test_mistakes(shop: Path, options: list[str], said: str) -> None:
    done = call(shop, "silence", "add", *options)
    assert (done.code, said in done.err) == (2, True), done.err
    assert call(shop, "silence", "list").out == "nothing is silenced\n"


def test_what_the_documents_say_is_understood(tmp_path: Path) -> None:
    """The rules and routes of docs/alerts.md, in a project."""
    import re

    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    rules, routes = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rest = """\
version: 1
sources: {crm: {connector: files, path: .}}
datasets:
  orders: {from: crm.orders, key: id, date: day}
  quotas: {from: crm.quotas, key: id, date: day}
channels:
  ops_chat: {notifier: slack, webhook: "https://example.com/hook"}
  team_mail: {notifier: email, smtp: "smtp://localhost", from: kpi@example.com}
"""
    (tmp_path / "orders.csv").write_text("id,day,amount,range\n1,2026-01-01,2,a\n", encoding="utf-8")
    (tmp_path / "quotas.csv").write_text("id,day,amount,range\n1,2026-01-01,2,a\n", encoding="utf-8")
    rules = rules.replace("    period: month\n", "    period: month\n    tags: [acquisition]\n")
    (tmp_path / "kpis.yaml").write_text(rest + rules + routes, encoding="utf-8")
    assert cadran.open(tmp_path).check() == []
