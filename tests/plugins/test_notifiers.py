"""Notifiers: plugins like connectors, put together into the schema, and reports that reach their channels."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins import Deferred, Document, Message, NotifierContext, NotifierError, write_whole
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem
from cadran_plugins.file.notifier import FileNotifier
from cli.user import AS_OF, KPIS, Done, call, project

from .conftest import Install

BUNDLED = ["email", "file", "slack", "teams", "webhook"]
HOOK = "from cadran.plugins import *\n@hookimpl\n"
PAGER = """
from pathlib import Path
from cadran.plugins import Notifier, NotifierEntry, NotifierError, hookimpl
class Pager(Notifier):
    local = True
    config_schema = {"type": "object", "additionalProperties": False, "required": ["number"],
        "properties": {"number": {"type": "string", "pattern": "^[+]"}, "retries": {"type": "integer", "minimum": 1}}}
    def seal(self, message):
        [document] = message.documents
        return f"{self.context.channel} {document.file_name} {document.title} {len(document.content) > 1000}\\n".encode()
    def send(self, sealed, recipient, begin):
        if self.context.config.get("retries") == 7:
            raise NotifierError("nobody answers " + self.context.config["number"], hint="try later", setting=["retries"])
        if self.context.config.get("retries") == 8:
            raise KeyError(self.context.config["number"])
        with (self.context.base / "paged.txt").open("a") as file:
            file.write(sealed.decode())
        return "paged " + self.context.config["number"]
@hookimpl
def cadran_notifiers(): return [NotifierEntry("pager", lambda: Pager)]
"""
REPORTS = "reports:\n  monthly: {title: The month, kpis: [revenue, number], period: last month}\n"


def shop(
    folder: Path, channels: str, reports: str = "monthly: {title: The month, to: [{channel: board}]}"
) -> Path:
    return project(folder, KPIS.replace(REPORTS, f"channels:\n  {channels}\nreports:\n  {reports}\n"))


def names(folder: Path) -> list[str]:
    """The files of a folder, without the one that processes lock."""
    return sorted(p.name for p in folder.iterdir() if p.name != ".lock")


def message(*documents: Document, day: int = 1, **about: Any) -> Message:
    moment = dt.datetime(2026, 3, day, 6, tzinfo=dt.UTC)
    return Message(f"{day:064}", "report", moment, "S", documents=documents, **about)


def put(notifier: FileNotifier, *documents: Document, day: int = 1) -> str:
    return notifier.send(notifier.seal(message(*documents, day=day)), "", lambda: None)


def run(folder: Path, *args: str, **env: str) -> Done:
    return call(folder, *args, "run", *AS_OF, env=env) if args else call(folder, "run", *AS_OF, env=env)


# --- plugins like connectors ---------------------------------------------------------------------------------------


def test_the_bundled_notifier_is_a_plugin_like_others() -> None:
    plugins = PluginManager({})
    assert plugins.notifier("file") is FileNotifier
    assert plugins.names("notifier") == BUNDLED
    assert {"files", "spark", "sql"} <= set(plugins.names("connector"))
    [plugin] = [p for p in plugins.listing() if p.name == "file"]
    assert ([e.name for e in plugin.notifiers], plugin.connectors) == (["file"], ())
    assert plugins.problems() == []


BROKEN = {
    "no list": ("def cadran_notifiers(): return ()", "cadran_notifiers() must return a list of NotifierEntry, not ()"),
    "of the other kind": ("def cadran_notifiers(): return [ConnectorEntry('x', lambda: 3)]", "a list of NotifierEntry"),
    "one name twice": ("def cadran_notifiers(): return [NotifierEntry('x', lambda: Notifier)] * 2", "names notifier 'x' twice"),
    "no class": ("def cadran_notifiers(): return [NotifierEntry('x', lambda: Connector)]", "must load a subclass of Notifier"),
    "fails to load": ("def cadran_notifiers(): return [NotifierEntry('x', lambda: 1 / 0)]", "ZeroDivisionError"),
    "misspelt": ("def cadran_notifers(): return []", "no hook 'cadran_notifers'; did you mean 'cadran_notifiers'?"),
    "another API": (
        "def cadran_notifiers(): return [NotifierEntry('x', lambda: type('X', (Notifier,), {'api': '7'}))]",
        "speaks API '7' (notifier 'x'), this cadran speaks '1'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_notifier_is_listed_and_stops_only_who_uses_it(
    case: str, install: Install, tmp_path: Path
) -> None:
    code, message = BROKEN[case]
    install("bad", HOOK + code)
    plugins = PluginManager({})
    [plugin] = [p for p in plugins.listing() if p.name == "bad"]
    assert message in plugin.error and plugin.notifiers == ()
    found = plugins.notifier("x")
    assert isinstance(found, Problem) and "bad (acme 1.5)" in found.message + found.hint
    listed = call(None, "plugins")
    said = "OTHER API" if "API" in case else "BROKEN"
    assert listed.code == 2 and f"bad  acme 1.5  acme_bad_plugin  {said}" in listed.out and message in listed.out  # fmt: skip
    assert run(shop(tmp_path / "shop", "board: {notifier: file, path: out}")).code == 0


def test_one_plugin_may_provide_both_kinds_under_one_name(install: Install) -> None:
    both = HOOK + "def cadran_connectors(): return [ConnectorEntry('pager', lambda: Rows)]\n"
    both += "class Rows(Connector):\n    discover = read = None\n"
    install("pager", both + PAGER)
    plugins = PluginManager({})
    assert plugins.problems() == []
    assert isinstance(plugins.connector("pager"), type) and isinstance(plugins.notifier("pager"), type)
    assert plugins.config_schema("pager") == {"type": "object"}
    assert "retries" in (plugins.config_schema("pager", "notifier") or {})["properties"]
    assert (
        "pager  acme 1.5  acme_pager_plugin  connectors: pager; notifiers: pager\n"
        in call(None, "plugins").out
    )


def test_a_name_taken_twice_is_an_error_that_names_both(install: Install) -> None:
    install("mine", PAGER.replace('"pager"', '"file"'))
    [found] = PluginManager({}).problems()
    assert found.code == "notifier-taken-twice"
    assert (
        "'file'" in found.message and "mine (acme 1.5)" in found.message and "file (cadran " in found.message
    )


def test_what_a_plugin_without_entries_provides(install: Install) -> None:
    install("empty", HOOK + "def cadran_notifiers(): return []")
    assert "empty  acme 1.5  acme_empty_plugin  nothing\n" in call(None, "plugins").out


# --- a third party's, from the schema to the report ------------------------------------------------------------------


def test_its_settings_are_part_of_the_schema(install: Install) -> None:
    install("pager", PAGER)
    schema = json.loads(call(None, "schema").out)
    assert schema["$defs"]["channel"]["properties"]["notifier"]["examples"] == sorted([*BUNDLED, "pager"])
    assert schema["$defs"]["notifier_pager"]["properties"]["retries"] == {"type": "integer", "minimum": 1}
    assert "connector_files" in schema["$defs"] and "notifier_file" in schema["$defs"]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("{notifier: pager}", "channels.board: 'number' is missing"),
        ("{notifier: pager, number: '1'}", "channels.board: 'number' must have another form, not '1'"),
        (
            "{notifier: pager, number: '+1', retries: 0}",
            "channels.board: 'retries' must be at least 1, not 0",
        ),
        ("{notifier: pager, number: '+1', retris: 2}", "unknown key 'retris'; did you mean 'retries'?"),
        ("{notifier: pagr, number: '+1'}", "channels.board: unknown notifier 'pagr'; did you mean 'pager'?"),
        ("{notifier: files, path: x}", "channels.board: unknown notifier 'files'; did you mean 'file'?"),
    ],
)
def test_its_settings_are_checked(channel: str, message: str, install: Install, tmp_path: Path) -> None:
    install("pager", PAGER)
    done = call(shop(tmp_path / "shop", f"board: {channel}"), "check")
    assert done.code == 2
    assert message in done.out and done.out.endswith("\n1 error\n")


def test_it_gets_the_report(install: Install, tmp_path: Path) -> None:
    install("pager", PAGER)
    folder = shop(
        tmp_path / "shop",
        "board: {notifier: pager, number: '${NUMBER}'}\n  wall: {notifier: pager, number: '+2'}",
        "monthly: {title: {en: The month, fr: Le mois}, to: [{channel: board}, {channel: wall}]}\n  plain: {title: Plain}",
    )
    done = run(folder, NUMBER="+4407700900")
    assert (done.code, done.err) == (0, "")
    said = [line for line in done.out.splitlines() if line.startswith("report ")]
    assert said == [
        "report 'monthly': paged ***",
        "report 'monthly': paged +2",
        f"report 'plain': {folder / 'reports' / 'plain.html'}",
    ]
    assert (
        folder / "paged.txt"
    ).read_text() == "board monthly.html The month True\nwall monthly.html The month True\n"
    assert [p.name for p in (folder / "reports").iterdir()] == ["plain.html"]


def test_a_channel_that_fails_is_told_and_the_others_get_theirs(install: Install, tmp_path: Path) -> None:
    install("pager", PAGER)
    folder = shop(
        tmp_path / "shop",
        "a: {notifier: pager, number: '${NUMBER}', retries: 7}\n  b: {notifier: pager, number: '${NUMBER}', retries: 8}\n"
        "  c: {notifier: file, path: out}",
        "monthly: {to: [{channel: a}, {channel: b}, {channel: c}]}",
    )
    done = run(folder, NUMBER="+4407700900")
    assert done.code == 2 and "Revenue" in done.out
    assert (folder / "out" / "monthly.html").read_bytes().endswith(b"</html>\n")
    told = [line.split(":", 2)[2] for line in done.err.splitlines() if line.startswith("kpis.yaml:")]
    assert told == [
        "54: channels.a: report 'monthly' not published: nobody answers ***; try later",
        "17: channels.b: report 'monthly' not published: KeyError: '***'; "
        "the notifier 'pager' has a fault; tell its author",
    ]
    assert "4407700900" not in done.all.replace("${NUMBER}", "")


# --- the file notifier -----------------------------------------------------------------------------------------------


def test_reports_as_files(tmp_path: Path) -> None:
    folder = shop(
        tmp_path,
        "board: {notifier: file, path: public/kpis}",
        "monthly: {to: [{channel: board}]}\n  weekly: {to: [{channel: board}], template: report.md.jinja}",
    )
    for _ in range(2):
        done = run(folder)
        assert (done.code, done.err) == (0, "")
        assert f"report 'weekly': {folder / 'public' / 'kpis' / 'weekly.md'}" in done.out
    assert names(folder / "public" / "kpis") == [
        "index.html", "monthly.2026-06-30T220000Z.html", "monthly.html", "reports.json",
        "weekly.2026-06-30T220000Z.md", "weekly.md",
    ]  # fmt: skip
    assert not (folder / "reports").exists()


def test_what_leads_away_from_the_machine_is_left_to_another_command(tmp_path: Path) -> None:
    folder = shop(
        tmp_path,
        "board: {notifier: file, path: out}\n  hook: {notifier: webhook, url: 'https://example.invalid/x'}\n"
        "  mail: {notifier: email, smtp: smtp://mail.example.invalid, from: kpi@example.com}",
        "monthly: {to: [board, hook]}\n  weekly: {to: [{channel: mail, to: [anna@example.com]}]}",
    )
    done = run(folder)
    assert done.code == 0 and f"report 'monthly': {folder / 'out' / 'monthly.html'}" in done.out
    assert done.err == "not sent by a run: 'monthly' to hook, 'weekly' to mail; 'cadran send' does that\n"
    assert "report 'weekly'" not in done.out and not (folder / "reports").exists()


def test_a_question_about_one_kpi_publishes_nothing(tmp_path: Path) -> None:
    folder = shop(tmp_path, "board: {notifier: file, path: out}")
    assert call(folder, "run", *AS_OF, "revenue").code == 0
    assert not (folder / "out").exists()


def test_a_template_that_is_broken_keeps_back_only_its_report(tmp_path: Path) -> None:
    folder = shop(
        tmp_path,
        "board: {notifier: file, path: out}",
        "bad: {to: [{channel: board}], template: bad.html.jinja}\n  good: {to: [{channel: board}]}",
    )
    (folder / "templates").mkdir()
    (folder / "templates" / "bad.html.jinja").write_text("{{ titel }}")
    done = run(folder)
    assert done.code == 2 and "bad.html.jinja" in done.err
    assert [name for name in names(folder / "out") if name.count(".") == 1] == [
        "good.html",
        "index.html",
        "reports.json",
    ]


def test_check_looks_at_the_templates_of_messages(tmp_path: Path) -> None:
    folder = shop(
        tmp_path,
        "board: {notifier: email, smtp: smtp://localhost, from: kpi@example.com}",
        "monthly: {title: The month}",
    )
    mine = folder / "templates" / "email"
    mine.mkdir(parents=True)
    (mine / "report.html.jinja").write_text(
        '{% extends "cadran/email/report.html.jinja" %}\n{% block atention %}x{% endblock %}\n'
    )
    (mine / "alert.txt.jinja").write_text("{{ title }}\n{% if %}")
    done = call(folder, "check")
    assert done.code == 2 and done.out.endswith("\n2 errors\n")
    assert "templates/email/alert.txt.jinja:2:1: template email/alert.txt.jinja: " in done.out
    assert "templates/email/report.html.jinja:2:1: template report.html.jinja: " in done.out
    assert "no block 'atention'" in done.out and "did you mean 'attention'?" in done.out


def test_a_report_for_each_value_of_a_segment_is_left_as_well(tmp_path: Path) -> None:
    """It would show everybody all figures."""
    folder = shop(
        tmp_path, "board: {notifier: file, path: out}", "monthly: {kpis: [revenue], per: shop, to: [board]}"
    )
    done = run(folder)
    assert done.code == 0 and done.err == "not sent by a run: 'monthly' to board; 'cadran send' does that\n"
    assert not (folder / "out").exists()


OUTSIDE = {
    "above": "../out",
    "above and back": "data/../../out",
    "elsewhere": "{tmp}/out",
    "by a link": "link",
    "below a link": "link/deeper",
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_folder_outside_the_project_must_be_allowed(case: str, tmp_path: Path) -> None:
    folder = shop(
        tmp_path / "shop", f"board: {{notifier: file, path: '{OUTSIDE[case].format(tmp=tmp_path)}'}}"
    )
    outside = tmp_path / "out"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    done = run(folder)
    assert done.code == 2 and "Revenue" in done.out
    assert ":33: channels.board: report 'monthly' not published: " in done.err
    assert f"lies outside the project; add '{outside}" in done.err
    assert not any(outside.rglob("*"))
    assert run(folder, "--allow-path", str(outside)).code == 0
    assert [p.name for p in outside.rglob("monthly.html")] == ["monthly.html"]


def test_an_included_file_may_write_anywhere_in_the_project(tmp_path: Path) -> None:
    folder = shop(tmp_path, "wall: {notifier: file, path: x}")
    text = (folder / "kpis.yaml").read_text()
    (folder / "kpis.yaml").write_text("include: parts/out.yaml\n" + text)
    (folder / "parts").mkdir()
    (folder / "parts" / "out.yaml").write_text("channels: {board: {notifier: file, path: ../public}}\n")
    assert run(folder).code == 0
    assert (folder / "public" / "monthly.html").is_file()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("data/orders.csv", "cannot write data/orders.csv/monthly.html: File exists; a file stands where the folder would go"),
        ("data/orders.csv/x", "cannot write data/orders.csv/x/monthly.html: Not a directory; a file stands where"),
        ("taken", "cannot write taken/monthly.html: Is a directory; choose a 'path' that can be written to"),
        ('"a\\0b"', "cannot be used as a path"),
        ("circle/x", "cannot be used as a path"),
        ("'" + "x" * 300 + "'", "File name too long; choose a shorter"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be(path: str, told: str, tmp_path: Path) -> None:
    folder = shop(tmp_path, f"board: {{notifier: file, path: {path}}}")
    (folder / "taken" / "monthly.html").mkdir(parents=True)
    (folder / "circle").symlink_to("circle")
    done = run(folder)
    assert done.code == 2 and "Revenue" in done.out
    assert ":33: channels.board: report 'monthly' not published: " in done.err and told in done.err
    assert names(folder / "taken") == ["monthly.html"]  # nothing left beside it


@pytest.mark.parametrize(
    "name", ["../up", "/etc/passwd", "a/b", "a\\b", "..", ".hidden", "", "a\0b", "a\nb", "é" * 128]
)
def test_a_name_cannot_leave_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        write_whole(tmp_path / "in", name, b"x")
    notifier = FileNotifier(NotifierContext("board", {"path": "in"}, tmp_path, (tmp_path,)))
    with pytest.raises(NotifierError, match="cannot be the name of a file"):
        notifier.seal(message(Document(name, "T", "html", b"x")))
    assert list(tmp_path.iterdir()) == []


# --- the folder as a dashboard -----------------------------------------------------------------------------------------


def board(folder: Path, **config: Any) -> FileNotifier:
    return FileNotifier(NotifierContext("board", {"path": "in", **config}, folder, (folder,)))


def week(text: str = "x", name: str = "week") -> Document:
    return Document(name, f"The <{name}>", "html", text.encode())


def test_the_newest_has_the_stable_name_and_older_ones_stay(tmp_path: Path) -> None:
    notifier, folder = board(tmp_path, keep=3, title="Our & their KPIs"), tmp_path / "in"
    for day in (1, 2, 3, 4):
        assert put(notifier, week(f"day {day}"), day=day) == str(folder / "week.html")
    put(notifier, week("other", "month"), Document("month", "M", "csv", b"a"), day=2)
    assert names(folder) == [
        "index.html", "month.2026-03-02T060000Z.csv", "month.2026-03-02T060000Z.html", "month.csv", "month.html", "reports.json",
        "week.2026-03-02T060000Z.html", "week.2026-03-03T060000Z.html", "week.2026-03-04T060000Z.html", "week.html",
    ]  # fmt: skip
    assert (folder / "week.html").read_text() == "day 4"
    page = (folder / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', page)
    assert links == [
        "month.html",
        "month.csv",
        "week.html",
        "week.2026-03-03T060000Z.html",
        "week.2026-03-02T060000Z.html",
    ]
    assert all((folder / link).is_file() for link in links)
    assert (
        "<h1>Our &amp; their KPIs</h1>" in page and "The &lt;week&gt;" in page and "2026-03-04 06:00" in page
    )


def test_an_older_report_that_comes_late_does_not_take_the_place_of_a_newer_one(tmp_path: Path) -> None:
    notifier, folder = board(tmp_path, keep=2), tmp_path / "in"
    put(notifier, week("new"), day=9)
    assert put(notifier, week("old"), day=3) == str(folder / "week.2026-03-03T060000Z.html")
    assert (folder / "week.html").read_text() == "new"
    assert put(notifier, week("older"), day=1) == str(folder / "index.html")  # more are not kept
    assert names(folder) == [
        "index.html", "reports.json", "week.2026-03-03T060000Z.html", "week.2026-03-09T060000Z.html", "week.html",
    ]  # fmt: skip


def test_a_report_that_was_made_late_is_still_the_older_one(tmp_path: Path) -> None:
    """What counts is the moment of the data, and not when the message was made."""
    notifier, folder = board(tmp_path), tmp_path / "in"
    for day in (9, 2):
        of = {"as_of": f"2026-03-{day:02}T07:00:00+01:00", "computed": "2026-03-12T10:01:00+01:00"}
        notifier.send(notifier.seal(message(week(f"day {day}"), day=12, data=of)), "", lambda: None)
    assert (folder / "week.html").read_text() == "day 9"
    assert (folder / "week.2026-03-02T060000Z.html").read_text() == "day 2"


SAID = {
    "as_of": "2026-11-30T07:00:00+01:00", "as_of_text": "30 novembre 2026 à 07:00", "late": "Ce rapport était attendu à 07:00.",
    "computed": "2026-11-30T10:01:00+01:00", "computed_text": "30 novembre 2026 à 10:01", "warning": "orders <vieux>",
}  # fmt: skip


def test_the_index_tells_both_times_and_what_is_amiss(tmp_path: Path) -> None:
    notifier, folder = board(tmp_path), tmp_path / "in"
    notifier.send(notifier.seal(message(week(), data=SAID, locale="fr")), "", lambda: None)
    [listed] = json.loads((folder / "reports.json").read_bytes())["reports"]
    assert {name: listed["about"][name] for name in SAID} == SAID
    page = (folder / "index.html").read_text()
    assert ">30 novembre 2026 à 07:00</time>" in page and ">30 novembre 2026 à 10:01</time>" in page
    assert "<b>En retard</b><br>Ce rapport était attendu à 07:00." in page
    assert "<b>Attention aux données</b><br>orders &lt;vieux&gt;" in page
    later = {**SAID, "as_of": "2026-12-07T07:00:00+01:00", "late": "", "warning": ""}
    notifier.send(notifier.seal(message(week(), data=later, locale="fr")), "", lambda: None)
    assert (
        "30 novembre 2026 à 07:00 · en retard · attention aux données</a>"
        in (folder / "index.html").read_text()
    )


def test_a_list_of_an_earlier_version_still_holds(tmp_path: Path) -> None:
    """It called ``computed`` what the data is of."""
    notifier, folder = board(tmp_path), tmp_path / "in"
    put(notifier, week("old"), day=3)
    found = json.loads((folder / "reports.json").read_bytes())
    about = found["reports"][0]["about"]
    about["computed"], about["computed_text"] = about.pop("as_of"), about.pop("as_of_text")
    for name in ("late", "warning"):
        del about[name]
    (folder / "reports.json").write_text(json.dumps(found))
    put(notifier, week("new"), day=9)
    assert "week.2026-03-03T060000Z.html" in (folder / "index.html").read_text()


def test_sent_twice_it_is_there_once(tmp_path: Path) -> None:
    notifier, folder = board(tmp_path), tmp_path / "in"
    sealed = notifier.seal(message(week(), Document("week", "W", "pdf", b"%PDF")))
    assert sealed == notifier.seal(message(week(), Document("week", "W", "pdf", b"%PDF")))
    notifier.send(sealed, "", lambda: None)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    notifier.send(sealed, "", lambda: None)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    put(notifier, week("corrected"))  # of the same moment, and no longer as PDF
    assert (
        (folder / "week.html").read_text()
        == (folder / "week.2026-03-01T060000Z.html").read_text()
        == "corrected"
    )
    assert not any(name.endswith(".pdf") for name in names(folder))


SEND = """
import datetime as dt, sys
from pathlib import Path
from cadran.plugins import Document, Message, NotifierContext
from cadran_plugins.file.notifier import FileNotifier
folder, who = Path(sys.argv[1]), int(sys.argv[2])
board = FileNotifier(NotifierContext("board", {"path": "in", "keep": 100}, folder, (folder,)))
for day in range(1, 16):
    moment = dt.datetime(2026, 3, day, 6, who, tzinfo=dt.UTC)
    for name in ("week", "month"):
        made = Document(name, name, "html", f"{day}.{who}".encode())
        board.send(board.seal(Message("0" * 64, "report", moment, "S", documents=(made,))), "", lambda: None)
"""


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    """And who reads meanwhile finds an index whose links all lead somewhere."""
    command = [sys.executable, "-c", SEND, str(tmp_path)]
    running = [subprocess.Popen([*command, str(who)]) for who in (1, 2)]
    folder, looked = tmp_path / "in", 0
    while any(process.poll() is None for process in running):
        if (folder / "index.html").exists():
            page = (folder / "index.html").read_text()
            assert page.endswith("</html>\n") and all(
                (folder / n).is_file() for n in re.findall(r'href="([^"]+)"', page)
            )
            looked += 1
    assert [process.wait() for process in running] == [0, 0] and looked
    dated = [name for name in names(folder) if name.count(".") == 2]
    assert (
        len(dated) == 60
        and (folder / "week.html").read_text() == (folder / "month.html").read_text() == "15.2"
    )
    assert len(json.loads((folder / "reports.json").read_bytes())["reports"]) == 60


def test_what_a_folder_does_not_take(tmp_path: Path) -> None:
    notifier = board(tmp_path)
    for name in ("index", "reports"):
        with pytest.raises(NotifierError, match="cannot be the name of a file here"):
            notifier.seal(message(Document(name, "T", "html" if name == "index" else "json", b"")))
    with pytest.raises(NotifierError, match="takes reports and no other messages"):
        notifier.seal(Message("0" * 64, "alert", dt.datetime(2026, 3, 1, tzinfo=dt.UTC), "S"))
    for sealed in (b"", b"PK nonsense", b"{}"):
        with pytest.raises(NotifierError, match="no report that was kept here"):
            notifier.send(sealed, "", lambda: None)
    assert not (tmp_path / "in").exists()


def test_a_list_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    notifier, folder = board(tmp_path), tmp_path / "in"
    put(notifier, week())
    (folder / "reports.json").write_text('{"reports": [{"about": 3}]}')
    put(notifier, week(), day=2)
    assert len(json.loads((folder / "reports.json").read_bytes())["reports"]) == 1


def test_where_people_find_it(tmp_path: Path) -> None:
    assert board(tmp_path, url="https://kpi.example.com/").link("week") == "https://kpi.example.com/week.html"
    assert board(tmp_path).link("week") == ""


# --- a file is swapped in whole ----------------------------------------------------------------------------------------


def test_who_reads_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = write_whole(tmp_path, "a.html", b"old" * 10_000)
    with path.open("rb") as reader:
        assert reader.read(3) == b"old"
        assert write_whole(tmp_path, "a.html", b"new") == path
        assert reader.read() == (b"old" * 10_000)[3:]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_fails_leaves_the_old_files_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = FileNotifier(NotifierContext("board", {"path": "."}, tmp_path, (tmp_path,)))
    put(notifier, Document("a", "A", "html", b"old"))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def full(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == len(before) + 1  # the new one is being made beside the old
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(Deferred) as caught:  # room may be made
        put(notifier, Document("a", "A", "html", b"new"), day=2)
    error = caught.value
    assert error.message == "cannot write a.html: No space left on device"
    assert (error.hint, error.setting) == ("make room there, or choose another 'path'", ("path",))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_permissions_are_the_usual_ones_and_then_kept(tmp_path: Path) -> None:
    def mode() -> int:
        return stat.S_IMODE(write_whole(tmp_path, "a.html", b"x").stat().st_mode)

    before = os.umask(0o027)
    try:
        assert mode() == 0o640
    finally:
        os.umask(before)
    (tmp_path / "a.html").chmod(0o600)
    assert mode() == 0o600


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"kept")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.html").symlink_to(tmp_path / "secret")
    path = write_whole(tmp_path / "in", "a.html", b"x")
    assert not path.is_symlink() and path.read_bytes() == b"x"
    assert (tmp_path / "secret").read_bytes() == b"kept"
