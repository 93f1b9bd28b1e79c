"""What messages say, to whom, and with what beside them."""

from __future__ import annotations

import csv
import datetime as dt
import email
import email.policy
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from email.message import EmailMessage
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import pytest

from cadran.analysis.answers import Answers, WhyAnswer, WhyPart, WhyQuestion, WhySplit
from cadran.compute.results import Results, Row
from cadran.declare.model import Declaration, Deliveries, Destination, Per
from cadran.deliver.alerting import noted
from cadran.deliver.messages import Composer, Outgoing
from cadran.plugins import Message, Notifier
from cadran.plugins.manager import PluginManager
from cadran.problems import ProblemsFound
from cadran.publish.letters.alerts import to_explain
from cadran.publish.letters.attached import harmless
from cadran.publish.letters.links import name_for
from cadran.publish.letters.programs import digits
from publish import fakes

from . import letters
from .letters import AS_OF, chat, composer, notice, project, report, text

Golden = Callable[[str, str], None]
JOB = "report:weekly_sales"


def made(of: Declaration, **how: Any) -> list[Outgoing]:
    [declared] = of.reports.values()
    return composer(of).report(declared, letters.results(of), job=JOB, logical_time=AS_OF, **how)


def to(channel: str, outgoing: list[Outgoing]) -> Outgoing:
    [found] = [o for o in outgoing if o.channel == channel]
    return found


def mail_of(outgoing: Outgoing) -> EmailMessage:
    found = email.message_from_bytes(outgoing.sealed, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def readable(outgoing: Outgoing) -> str:
    """A sealed message as a golden shows it: subject, texts, what is attached."""
    message = outgoing.message
    lines = [f"Subject: {message.subject}", f"Label: {outgoing.label}", f"Owner: {outgoing.owner}"]
    lines += [f"Attached: {document.file_name}" for document in message.documents]
    if outgoing.notifier == "email":
        body = mail_of(outgoing).get_body(("plain",))
        assert body is not None
        return "\n".join([*lines, "", *body.get_content().splitlines(), ""])
    return "\n".join([*lines, "", json.dumps(json.loads(outgoing.sealed), indent=1, ensure_ascii=False), ""])


# --- a report ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_a_report_as_a_mail(locale: str, tmp_path: Path, matches: Golden) -> None:
    outgoing = to("mail", made(project(tmp_path, report(attach=("csv",)), locale)))
    matches(f"report.{locale}.txt", readable(outgoing))
    matches(f"report.{locale}.html", outgoing.message.parts["html"])


@pytest.mark.parametrize("channel", ["chat", "team", "hook"])
def test_a_report_as_a_message_to_a_chat(channel: str, tmp_path: Path, matches: Golden) -> None:
    matches(f"report.{channel}.txt", readable(to(channel, made(project(tmp_path)))))


FIGURES = ("value", "target", "change")


def test_programs_get_all_figures_as_texts_digit_by_digit(tmp_path: Path) -> None:
    """Whether a number was counted, exact or a double: one kind of JSON value for one field."""
    of = project(tmp_path)
    report_of = json.loads(to("hook", made(of)).sealed)["data"]["kpis"]
    alerts_of = json.loads(told(of, "hook", letters.LOW, letters.PAID, letters.STALE).sealed)["data"][
        "alerts"
    ]
    said = [one[name] for one in (*report_of, *alerts_of) for name in FIGURES if name in one]
    assert {type(value) for value in said} == {str, type(None)}
    assert {"0.207", "1201455.80", "163", "32.4375", "-1.4625"} <= set(said)


@pytest.mark.parametrize(
    ("value", "said"),
    [(1e22, "1" + "0" * 22), (-0.1, "-0.1"), (Decimal("1E+3"), "1000"), (Decimal("0.10"), "0.10"), (2**70, str(2**70)), (None, None),
     (float("nan"), None)],
)  # fmt: skip
def test_a_figure_for_programs(value: Any, said: str | None) -> None:
    assert digits(value) == said


def test_what_a_folder_gets(tmp_path: Path) -> None:
    outgoing = to("board", made(project(tmp_path, report(formats=("html", "markdown"), attach=("csv",)))))
    with zipfile.ZipFile(io.BytesIO(outgoing.sealed)) as archive:
        about = json.loads(archive.read("report.json"))
        assert archive.namelist() == [
            "report.json",
            "weekly_sales.html",
            "weekly_sales.md",
            "weekly_sales.csv",
        ]
    assert about == {
        "report": "weekly_sales", "title": "Sales: the month in figures", "as_of": "2026-04-09T07:00:00+02:00",
        "as_of_text": "April 9, 2026, 7:00\u202fAM", "computed": "", "computed_text": "", "late": "", "warning": "",
        "period_text": "March 2026", "locale": "en",
        "summary": "2 off target · 2 at risk · 2 on target · 5 without target · 1 without data",
    }  # fmt: skip


def test_what_is_made_twice_is_the_same(tmp_path: Path) -> None:
    first, second = (made(project(tmp_path, report(attach=("csv", "html")))) for _ in range(2))
    assert [o.sealed for o in first] == [o.sealed for o in second]
    assert len({o.message.key for o in first}) == len(first) == 5


def test_stale_data_and_a_late_report_are_said_on_top(tmp_path: Path) -> None:
    for outgoing in made(project(tmp_path), banner="leads: the newest row is 6 days old", late=True):
        assert outgoing.message.subject == "⚠ Sales: the month in figures · March 2026 (late)"
        if outgoing.channel in ("mail", "chat", "team"):
            whole = " ".join(outgoing.message.parts.values())
            assert "leads: the newest row is 6 days old" in whole
            assert "This report was due on April 9, 2026, 7:00\u202fAM." in whole


def test_programs_and_the_dashboard_are_told_of_that_too(tmp_path: Path) -> None:
    now = AS_OF.replace(hour=10, minute=1, second=2).astimezone(dt.UTC)
    outgoing = made(project(tmp_path), banner="leads: 6 days old", late=True, now=now)
    with zipfile.ZipFile(io.BytesIO(to("board", outgoing).sealed)) as archive:
        board = json.loads(archive.read("report.json"))
    for said in (board, json.loads(to("hook", outgoing).sealed)["data"]):
        assert (
            said["as_of"] == "2026-04-09T07:00:00+02:00" and said["computed"] == "2026-04-09T10:01:02+02:00"
        )
        assert said["computed_text"] == "April 9, 2026, 10:01\u202fAM"
        assert (
            said["late"] == "This report was due on April 9, 2026, 7:00\u202fAM."
            and said["warning"] == "leads: 6 days old"
        )
    mail = to("mail", outgoing).message.parts["html"]
    assert "was due on April 9, 2026, 7:00\u202fAM. It was computed on April 9, 2026, 10:01\u202fAM." in mail


def test_a_message_links_to_where_the_report_is_published(tmp_path: Path) -> None:
    assert {o.message.link for o in made(project(tmp_path))} == {"https://kpi.example.com/weekly_sales.html"}
    nowhere_else = report(Destination(text("mail"), (text("anna@example.com"),)))
    assert to("mail", made(project(tmp_path, nowhere_else))).message.link == ""


def test_recipients_are_named_and_each_gets_one(tmp_path: Path) -> None:
    names = ("{{ owner }}", "anna@example.com", "{{owner}}", "{{ report }}@example.com", "{{ nobody }}")
    of = project(tmp_path, report(Destination(text("mail"), tuple(map(text, names)))))
    assert [(o.message.recipient, o.skipped) for o in made(of)] == [
        ("ops@example.com", ""), ("anna@example.com", ""), ("weekly_sales@example.com", ""), ("", "there is no address for it"),
    ]  # fmt: skip


PER = Per(text("owner"), {"Anna Roy": "anna@example.com"})


@pytest.mark.parametrize(
    ("value", "address", "recipient", "skipped"),
    [
        ("Anna Roy", "anna@example.com", "anna@example.com", ""),
        ("zoe@example.com", "", "zoe@example.com", ""),
        ("O'Neil & Co", "", "O'Neil & Co", "'O'Neil & Co' is no mail address"),
        (
            "x@example.com\r\nBcc: y@example.com",
            "",
            "x@example.com\r\nBcc: y@example.com",
            "is no mail address",
        ),
    ],
)
def test_a_report_for_one_value(
    value: str, address: str, recipient: str, skipped: str, tmp_path: Path
) -> None:
    of = project(tmp_path, report(Destination(text("mail"), (text("{{ owner }}"),)), chat("board"), per=PER))
    mail, board = made(of, about=value, address=address)
    assert (
        mail.message.recipient == recipient
        and skipped in mail.skipped
        and bool(mail.skipped) == bool(skipped)
    )
    assert mail.sealed == b"" if skipped else value in mail.message.parts["html"]
    name = board.message.documents[0].name
    assert (
        name.startswith("weekly_sales-") and name.isascii() and board.message.link.endswith(f"/{name}.html")
    )


def test_its_files_are_called_as_the_mail_says(tmp_path: Path) -> None:
    of = project(
        tmp_path, report(Destination(text("mail"), (text("{{ owner }}"),)), attach=("csv",), per=PER)
    )
    [mail] = made(of, about="Anna Roy", address="anna@example.com")
    [name] = [part.get_filename() for part in mail_of(mail).walk() if part.get_content_type() == "text/csv"]
    assert name == mail.message.documents[0].file_name != "weekly_sales.csv"
    assert f"Attached: {name}" in mail.message.parts["text"] and name in mail.message.parts["html"]


def test_values_that_read_alike_have_files_of_their_own() -> None:
    names = {
        name_for("week", value) for value in ("Zoé", "zoe", "ZOE", "日本", "中国", "../..", "a/b", "x" * 500)
    }
    assert len(names) == 8 and all(name.isascii() and len(name) < 60 and "/" not in name for name in names)


def test_the_same_report_at_another_time_or_for_another_value_is_another_message(tmp_path: Path) -> None:
    of = project(tmp_path, report(chat("hook")))
    keys = {made(of, about=value)[0].message.key for value in ("", "a", "b")}
    [declared] = of.reports.values()
    later = AS_OF.replace(day=10)
    keys.add(composer(of).report(declared, letters.results(of), job=JOB, logical_time=later)[0].message.key)
    assert len(keys) == 4


# --- what mail readers can show ------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a mail's HTML is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def test_mail_is_made_of_what_mail_readers_know(tmp_path: Path) -> None:
    message = to("mail", made(project(tmp_path))).message
    page = Page(message.parts["html"])
    assert not page.tags & {"script", "svg", "link", "form", "iframe", "object", "video", "button"}
    styles = [value for _, name, value in page.attributes if name == "style"]
    assert len(styles) > 100
    assert not any(
        word in style for style in styles for word in ("flex", "grid", "var(", "position", "float", "url(")
    )
    [sheet] = re.findall("<style>(.*?)</style>", message.parts["html"], re.DOTALL)
    outside = re.sub(r"@media[^{]*[{]([^{}]*[{][^{}]*[}])*[^{}]*[}]", "", sheet)
    assert outside.strip() == "" and sheet.count("@media") == 2, "nothing relies on a style sheet"
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert sources == [f"cid:{picture.name}" for picture in message.pictures] and len(sources) == 6
    for picture in message.pictures:
        assert picture.content.startswith(b"\x89PNG") and len(picture.content) < 60_000 and picture.alt
        assert ("img", "width", str(picture.width)) in page.attributes
        assert any(f"width: {picture.width}px" in s or f"width:{picture.width}px" in s for s in styles)


def many(of: Declaration, count: int) -> tuple[Declaration, Results]:
    """A project of so many KPIs, each off target and long to say."""
    first = of.kpis["revenue"]
    names = [f"kpi_{number:03}" for number in range(count)]
    kpis = {
        n: replace(first, name=n, label={"": f"{n} " + "très long " * 12}, action={"": "à faire " * 20})
        for n in names
    }
    rows = [
        Row(n, "month", "2026-03", fakes.AS_OF.date().replace(month=3, day=1), fakes.AS_OF.date().replace(month=3, day=31),
            value=Decimal(number), target=Decimal(number * 2 + 1), status="off_target", previous=Decimal(3), change=Decimal(number - 3))
        for number, n in enumerate(names)
    ]  # fmt: skip
    declared = replace(of, kpis=kpis)
    return declared, letters.results(declared, rows=tuple(rows), alerts=())


@pytest.mark.parametrize("count", [400, 12])
def test_a_long_report_is_not_cut_by_the_mail_reader(count: int, tmp_path: Path) -> None:
    """Gmail cuts at about 102 kB: what does not fit is in a file, and the mail says so."""
    of, results = many(project(tmp_path), count)
    [declared] = of.reports.values()
    outgoing = to("mail", composer(of).report(declared, results, job=JOB, logical_time=AS_OF))
    html = outgoing.message.parts["html"]
    assert len(html.encode()) < 100_000
    files = [d.file_name for d in outgoing.message.documents]
    if count == 12:
        assert files == [] and "attached" not in html.lower()
        return
    assert files == ["weekly_sales.csv"]
    assert (
        "more KPIs are in the attached file." in html
        and "more KPIs are in the attached file." in outgoing.message.parts["text"]
    )
    assert (
        len(list(csv.reader(io.StringIO(outgoing.message.documents[0].content.decode("utf-8-sig"))))) == 401
    )


# --- files for people ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+33 1 23", "'+33 1 23"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ("\rx", "'\rx"),
        ("\nx", "'\nx"), ("＝1", "'＝1"), ("a=b", "a=b"), ("", ""), ("'x", "'x"), ("paid", "paid"), ("5-2", "5-2"),
    ],
)  # fmt: skip
def test_texts_that_a_spreadsheet_would_compute_stay_texts(value: str, cell: str) -> None:
    assert harmless(value) == cell


def test_the_rows_as_a_file(tmp_path: Path) -> None:
    """Names of the data are made harmless, numbers stay numbers, and secrets stay away."""
    of = project(
        tmp_path, report(chat("board"), attach=("csv", "xlsx")), secrets=frozenset({"hunter2hunter2"})
    )
    row = replace(
        next(r for r in fakes.all_rows() if r.segment and r.kpi == "revenue"), change=Decimal("-5.2")
    )
    rows = [
        replace(row, segment_value=("=HYPERLINK(1)",)), replace(row, segment_value=("hunter2hunter2",)), replace(row, kpi="won_deals"),
    ]  # fmt: skip
    [declared] = of.reports.values()
    results = letters.results(of, rows=tuple(rows), alerts=())
    [outgoing] = composer(of).report(declared, results, job=JOB, logical_time=AS_OF)
    _, file, book = outgoing.message.documents
    head, *found = csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
    cells = [dict(zip(head, line, strict=True)) for line in found]
    assert [(c["segment_value"], c["change"]) for c in cells] == [("'=HYPERLINK(1)", "-5.2"), ("•••", "-5.2")]
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(book.content))["Data"]
    values = [cell for line in sheet.iter_rows() for cell in line]
    assert ("=HYPERLINK(1)", "s") in [
        (cell.value, cell.data_type) for cell in values
    ]  # a text, and no formula
    assert not any("hunter2" in str(cell.value) for cell in values)


# --- alerts ------------------------------------------------------------------------------------------------------------------


def told(of: Declaration, channel: str, *alerts: Any, results: Results | None = None, **how: Any) -> Outgoing:
    found = results or letters.results(of)
    judged = [replace(alert, seen=found.as_of) for alert in alerts or (letters.LOW,)]
    some = noted({alert.identity.key: alert for alert in judged}, found, found.as_of).values()
    return composer(of).notice(notice(channel, *some, **how), found, job="alerts", logical_time=AS_OF)


NOTICES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "firing": ("mail", (letters.LOW,), {}),
    "grouped": ("mail", (letters.PAID, letters.LOW, letters.STALE), {"labels": {"owner": "sales-ops@example.com"}, "fresh": (letters.PAID.identity.key,)}),
    "repeat": ("mail", (letters.LOW,), {"kind": "repeat", "fresh": ()}),
    "resolved": ("mail", (replace(letters.LOW, state="ok", value=Decimal("0.26")),), {"kind": "resolved", "after": "k"}),
    "gone": ("mail", (replace(letters.PAID, state="ok", value=None, reason="gone"),), {"kind": "resolved", "after": "k"}),
    "correction": ("mail", (replace(letters.LOW, state="ok", reason="restated"),), {"kind": "correction", "after": "k"}),
    "chat": ("chat", (letters.LOW, letters.PAID), {}),
    "team": ("team", (letters.LOW, letters.STALE), {}),
    "hook": ("hook", (letters.LOW, letters.PAID), {}),
}  # fmt: skip


def test_a_correction_says_in_its_subject_whether_anything_still_fires(tmp_path: Path) -> None:
    of, over = project(tmp_path), replace(letters.LOW, state="ok", reason="restated")
    paid = replace(letters.PAID, state="ok", reason="restated")
    subjects = {
        tuple(a.state for a in alerts): told(
            of, "mail", *alerts, kind="correction", after="k"
        ).message.subject
        for alerts in ((over,), (over, paid), (over, letters.PAID))
    }
    assert subjects["ok",].startswith("🟢 Correction, alert over: Lead conversion rate")
    assert subjects["ok", "ok"].startswith("🟢 Correction, alerts over: 2 alerts")
    assert subjects["ok", "firing"].startswith("🟡 Correction: 2 alerts")


def test_what_alerts_are_grouped_by_is_in_the_readers_words(tmp_path: Path) -> None:
    labels = {
        "owner": "sales-ops@example.com",
        "severity": "critical",
        "kpi": "revenue",
        "lead_source": "web",
    }
    text = told(project(tmp_path, locale="fr"), "mail", labels=labels).message.parts["text"]
    assert "responsable : sales-ops@example.com · gravité : critique · Indicateur : " in text
    assert "lead source : web" in text and "owner" not in text


def test_commands_of_several_alerts_stand_together_at_the_end(tmp_path: Path) -> None:
    message = told(project(tmp_path), "mail", letters.LOW, letters.PAID).message
    for said in message.parts.values():
        assert said.count("cadran silence add") == 2 and said.count("To silence one for a week") == 1
        assert "To silence it" not in said
        after = said[said.index("To silence one") :]
        assert after.count("cadran silence add") == 2
    one = told(project(tmp_path), "mail").message.parts["text"]
    assert "To silence it for a week: cadran silence add" in one


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("case", NOTICES)
def test_what_an_alert_says(case: str, locale: str, tmp_path: Path, matches: Golden) -> None:
    channel, alerts, how = NOTICES[case]
    outgoing = told(project(tmp_path, locale=locale), channel, *alerts, **how)
    matches(f"alert.{case}.{locale}.txt", readable(outgoing))
    assert outgoing.after == how.get("after", "")


def test_an_alert_says_what_the_change_comes_from(tmp_path: Path) -> None:
    of = project(tmp_path)
    question = WhyQuestion("lead_conversion_rate", "2026-03")
    parts = tuple(
        WhyPart((name,), Fraction(rate, 1000), Fraction(rate, 1000), Fraction(0), Fraction(1, 4), Fraction(1, 5), Fraction(1, 2), Fraction(1, 2))
        for name, rate in (("paid", -16), ("organic", -3))
    )  # fmt: skip
    answer = WhyAnswer(
        question, "month", "2026-03", "2026-02", "final", Fraction(226, 1000), Fraction(207, 1000), False, (WhySplit(("channel",), parts),)
    )  # fmt: skip
    results = letters.results(of, answers=Answers(whys={question: answer}))
    for channel in ("mail", "chat", "team", "hook"):
        sealed = told(of, channel, letters.LOW, letters.PAID, results=results)
        text = sealed.message.parts["text"] if channel == "mail" else sealed.sealed.decode()
        assert text.count("paid −1.6\xa0pt (lower rate)") == 1  # of the total, and not of one segment's value


def test_what_is_to_be_asked_so_that_alerts_can_say_it(tmp_path: Path) -> None:
    assert to_explain(project(tmp_path)).moves == (
        WhyQuestion("lead_conversion_rate", "month"),
        WhyQuestion("lead_conversion_rate", "quarter"),
    )


def test_an_alert_stays_in_one_thread_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    of = project(tmp_path)
    kinds = [
        told(of, "mail"),
        told(of, "mail", kind="repeat"),
        told(of, "mail", replace(letters.LOW, state="ok"), kind="resolved"),
    ]
    assert (
        len({mail_of(o)["References"] for o in kinds}) == 1
        and len({mail_of(o)["Message-ID"] for o in kinds}) == 3
    )
    again = told(of, "mail", replace(letters.LOW, episode=2))
    assert mail_of(again)["References"] != mail_of(kinds[0])["References"]


def test_many_alerts_are_counted_and_not_all_listed(tmp_path: Path) -> None:
    some = [
        replace(letters.PAID, identity=replace(letters.PAID.identity, segment_value=(f"c{n}",)))
        for n in range(200)
    ]
    outgoing = told(project(tmp_path), "mail", *some)
    assert outgoing.message.subject == "🔴 Alert: 200 alerts · Lead conversion rate"
    assert "170 more are not listed" in outgoing.message.parts["text"]
    assert len(outgoing.message.parts["html"].encode()) < 100_000
    for channel in ("chat", "team"):
        assert "188 more are not listed" in told(project(tmp_path), channel, *some).sealed.decode()


# --- failures ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("channel", ["mail", "chat", "team", "hook"])
def test_what_an_owner_is_told(channel: str, locale: str, tmp_path: Path, matches: Golden) -> None:
    where = Destination(text(channel), (text("{{ owner }}"),) if channel == "mail" else ())
    of = project(tmp_path, locale=locale, deliveries=Deliveries(failures=(where,)))
    failed = letters.Failed()
    failed.channel = "elsewhere"
    [outgoing] = composer(of).failure(failed, now=AS_OF)
    matches(f"failure.{channel}.{locale}.txt", readable(outgoing))


def test_it_is_told_over_another_channel(tmp_path: Path) -> None:
    both = Deliveries(failures=(Destination(text("mail"), (text("{{ owner }}"),)), chat("chat")))
    of = project(tmp_path, deliveries=both)
    assert [o.channel for o in composer(of).failure(letters.Failed(), now=AS_OF)] == ["chat"]


@pytest.mark.parametrize(
    ("owner", "channels"),
    [("ops@example.com", ["mail"]), ("", ["mail", "chat"])],
    ids=["an owner", "no owner"],
)
def test_it_is_told_once_and_to_the_next_where_there_is_no_address(
    tmp_path: Path, owner: str, channels: list[str]
) -> None:
    every = (Destination(text("mail"), (text("{{ owner }}"),)), chat("chat"), chat("team"))
    failed = letters.Failed()
    failed.channel, failed.owner = "hook", owner
    made = composer(project(tmp_path, deliveries=Deliveries(failures=every))).failure(failed, now=AS_OF)
    assert [o.channel for o in made] == channels
    assert [o.channel for o in made if not o.skipped] == channels[-1:]


def test_a_channel_that_cannot_say_it_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "templates" / "teams").mkdir(parents=True)
    (tmp_path / "templates" / "teams" / "failure.json.jinja").write_text("[")
    failed = letters.Failed()
    of = project(tmp_path, deliveries=Deliveries(failures=(chat("board"), chat("team"), chat("chat"))))
    assert [o.channel for o in composer(of).failure(failed, now=AS_OF)] == ["chat"]
    alone = replace(of, deliveries=Deliveries(failures=(chat("board"),)))
    with pytest.raises(ProblemsFound, match="a folder takes reports"):
        composer(alone).failure(failed, now=AS_OF)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        (["ops@example.com", "Anna@example.com"], ["ops@example.com"]),
        (["anna@example.com"], []),
        (["{{ owner }}"], ["ops@example.com"]),
    ],
)
def test_where_there_is_no_other_channel_somebody_else_is_told(
    to: list[str], told: list[str], tmp_path: Path
) -> None:
    over = Deliveries(failures=(Destination(text("mail"), tuple(map(text, to))),))
    made = composer(project(tmp_path, deliveries=over)).failure(letters.Failed(), now=AS_OF)
    assert [o.message.recipient for o in made] == told


# --- templates of a team's own -------------------------------------------------------------------------------------------------

HOSTILE = '</td><script>alert(1)</script>\r\nBcc: x@example.com\n"},{"<!channel> [x](http://x) {{ 7*7 }}'


def test_no_name_of_the_data_becomes_more_than_a_text(tmp_path: Path) -> None:
    plain = project(tmp_path)
    kpi = replace(
        plain.kpis["lead_conversion_rate"], label={"": HOSTILE}, action={"": HOSTILE}, owner=HOSTILE
    )
    of = replace(
        plain, kpis={**plain.kpis, kpi.name: kpi}, reports={"weekly_sales": report(title={"": HOSTILE})}
    )
    alert = replace(
        letters.LOW, identity=replace(letters.LOW.identity, segment=("channel",), segment_value=(HOSTILE,))
    )
    for outgoing in [*made(of), *(told(of, channel, alert) for channel in ("mail", "chat", "team", "hook"))]:
        assert "49" not in outgoing.message.subject and outgoing.message.subject.isprintable()
        if outgoing.notifier == "email":
            mail = mail_of(outgoing)
            assert "bcc" not in {name.lower() for name in mail} and not mail.defects
            assert "script" not in Page(outgoing.message.parts["html"]).tags
        elif outgoing.notifier != "file":
            sealed = json.loads(outgoing.sealed)  # no quote has ended a string
            assert outgoing.notifier != "slack" or "<!channel>" not in json.dumps(sealed)
            assert (
                outgoing.notifier != "teams" or "[x](" not in json.dumps(sealed).replace("\\\\", "")[:0] + ""
            )


def texts_of(part: Any) -> list[str]:
    if isinstance(part, dict | list):
        return [
            text for item in (part.values() if isinstance(part, dict) else part) for text in texts_of(item)
        ]
    return [part] if isinstance(part, str) else []


def test_a_team_can_say_it_in_its_own_way(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "report.subject.jinja").write_text("KPIs: {{ tally[0].text }}\n")
    (folder / "report.html.jinja").write_text(
        '{% extends "cadran/email/report.html.jinja" %}{% block attention %}<tr><td>Ours: {{ title }}</td></tr>{% endblock %}'
    )
    message = to("mail", made(project(tmp_path))).message
    assert message.subject == "KPIs: 2 off target"
    assert "Ours: Sales" in message.parts["html"] and "What needs attention" not in message.parts["html"]
    assert "What needs attention" in message.parts["text"]


@pytest.mark.parametrize(
    ("file", "template", "told_"),
    [
        ("email/report.html.jinja", "\n{{ kpiss }}", "templates/email/report.html.jinja:2:1: template email/report.html.jinja: unknown name"),
        ("email/report.txt.jinja", "{% if %}", "templates/email/report.txt.jinja:1:1"),
        ("email/report.subject.jinja", "{{ ''.__class__ }}", "templates/email/report.subject.jinja:1:1"),
        ("slack/report.json.jinja", "[{{ title }}]", "channels.chat: the template slack/report.json.jinja gives no JSON"),
        ("email/report.html.jinja", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "rounds of its loops"),
    ],
)  # fmt: skip
def test_a_template_that_is_at_fault_keeps_the_whole_report_back(
    file: str, template: str, told_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadran.publish.allowance.MOST_ROUNDS", 20_000)
    path = tmp_path / "templates" / file
    path.parent.mkdir(parents=True)
    path.write_text(template)
    with pytest.raises(ProblemsFound) as caught:
        made(project(tmp_path))
    assert told_ in "\n".join(map(str, caught.value.problems))


class Pager(Notifier):
    """A third party's, which brings its own templates."""

    addressed = True
    documents = "none"
    parts: ClassVar[dict[str, str]] = {"line": "txt"}
    templates: ClassVar[Path]

    def seal(self, message: Message) -> bytes:
        return f"{message.subject}|{message.parts['line']}".encode()

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        return ""


def test_a_notifier_of_somebody_else_brings_its_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugin" / "pager").mkdir(parents=True)
    (tmp_path / "plugin" / "pager" / "report.txt.jinja").write_text("{{ kpis[0].label }} {{ kpis[0].value }}")
    monkeypatch.setattr(Pager, "templates", tmp_path / "plugin", raising=False)
    plain = project(tmp_path, report(Destination(text("mail"), (text("+33"),))))
    of = replace(plain, channels={"mail": replace(plain.channels["mail"], notifier="pager", config={})})
    [declared] = of.reports.values()
    made_by = Composer(of, lambda _: Pager, [tmp_path / "templates", fakes.TEMPLATES])
    [outgoing] = made_by.report(declared, letters.results(of), job=JOB, logical_time=AS_OF)
    assert outgoing.sealed.decode() == "Sales: the month in figures · March 2026|Lead conversion rate 20.7%"


# --- channels that are at fault --------------------------------------------------------------------------------------------------


def test_settings_that_cannot_work_are_told_with_their_place_and_without_the_password(tmp_path: Path) -> None:
    plain = project(tmp_path)
    broken = replace(
        plain.channels["mail"], config={"smtp": "smtp//kpi:hunter2@x", "from": "kpi@example.com"}
    )
    of = replace(plain, channels={**plain.channels, "mail": broken})
    with pytest.raises(ProblemsFound) as caught:
        made(of)
    [problem] = caught.value.problems
    assert problem.subject == "channels.mail" and "this is no address of a mail server" in problem.message
    assert "hunter2" not in str(problem)


def test_no_sealed_message_holds_a_secret_of_its_channel(tmp_path: Path) -> None:
    of = project(tmp_path)
    for outgoing in [*made(of), told(of, "mail"), told(of, "chat"), told(of, "team"), told(of, "hook")]:
        assert b"hunter2" not in outgoing.sealed and b"s3cr3t" not in outgoing.sealed


def test_nothing_of_the_environment_is_said(tmp_path: Path) -> None:
    of = project(tmp_path, secrets=frozenset({"hunter2hunter2"}))
    alert = replace(
        letters.LOW,
        reason="hunter2hunter2",
        identity=replace(letters.LOW.identity, rule="value < hunter2hunter2"),
    )
    for channel in ("mail", "chat", "team", "hook"):
        outgoing = told(of, channel, alert)
        assert (
            b"hunter2" not in outgoing.sealed and "hunter2" not in outgoing.label + outgoing.message.subject
        )
    for outgoing in made(of, banner="hunter2hunter2"):
        if outgoing.channel != "board":
            assert b"hunter2" not in outgoing.sealed


def test_the_notifiers_that_are_installed() -> None:
    assert PluginManager({}).names("notifier") == ["email", "file", "slack", "teams", "webhook"]
