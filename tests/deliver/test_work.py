"""What is due is done: once, in time or late, with the data that it needs, and nobody is told what isn't so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from cadran.problems import ProblemsFound
from cadran.state.store import alerts
from cadran.state.store.store import open_store
from deliver.projects import DAILY, Small

Make = Callable[..., Small]


def test_a_report_is_made_when_it_is_due(small: Make) -> None:
    made = small()
    assert made.due("04 08:00") == [], "seen for the first time"
    assert made.due("05 06:59") == []
    assert made.due("05 07:00") == ["report:daily 05 07:00 done", "1 sent"]
    assert made.due("05 07:01") == [], "and no second time"
    [row] = made.deliveries()
    assert (row.state, row.label, row.owner) == ("sent", "March 4, 2026", "ana@example.com")
    assert (made.folder / "out" / "daily.html").exists()


def test_after_downtime_there_is_one_late_report(small: Make) -> None:
    made = small()
    made.due("04 08:00")
    assert made.due("08 09:00") == [
        *(f"report:daily 0{day} 07:00 skipped: the one of 2026-03-08 07:00 came before it was made" for day in (5, 6, 7)),
        "report:daily 08 07:00 done late", "1 sent",
    ]  # fmt: skip
    [row] = made.deliveries()
    assert row.label == "March 7, 2026"
    assert "late" in row.subject
    assert made.due("09 07:00") == ["report:daily 09 07:00 done", "1 sent"]


def test_every_report_is_made_up_for(small: Make) -> None:
    made = small("""
reports:
  daily: {kpis: [revenue], schedule: {cron: "0 7 * * *", catch_up: all}, to: [out]}
""")
    made.due("04 08:00")
    assert made.due("07 07:30") == [
        "report:daily 05 07:00 done late",
        "report:daily 06 07:00 done late",
        "report:daily 07 07:00 done",
        "3 sent",
    ]
    assert [row.label for row in made.deliveries()] == ["March 4, 2026", "March 5, 2026", "March 6, 2026"]


def test_a_changed_schedule_begins_anew(small: Make) -> None:
    at_five = DAILY.replace("0 7", "0 5")
    made = small()
    made.due("04 08:00")
    made.write(at_five)
    assert made.due("05 06:00") == [], "5:00 was over when it was said"
    assert made.due("06 05:00") == ["report:daily 06 05:00 done", "1 sent"]
    made.write(DAILY)
    assert made.due("06 09:00") == [], "what was missed before it was changed back is not made up for"
    assert made.due("07 07:00") == ["report:daily 07 07:00 done", "1 sent"]


def test_a_report_that_was_away_begins_anew(small: Make) -> None:
    made = small()
    made.due("04 08:00")
    made.write("")
    for day in ("05", "06", "07"):
        assert made.due(f"{day} 08:00") == []
    made.write(DAILY)
    assert made.due("08 06:00") == []
    assert made.due("08 07:00") == ["report:daily 08 07:00 done", "1 sent"]


def test_two_versions_of_the_file_side_by_side(small: Make) -> None:
    """While one machine has the new file and another the old one, no time of either gets lost."""
    made = small()
    for time in ("04 08:00", "04 20:00", "05 06:50", "05 06:59"):
        made.write(DAILY)
        made.due(time)
        made.write(DAILY.replace("0 7", "5 7"))
        made.due(time)
    made.write(DAILY)
    assert made.due("05 07:00") == ["report:daily 05 07:00 done", "1 sent"]
    made.write(DAILY.replace("0 7", "5 7"))
    assert made.due("05 07:05") == ["report:daily 05 07:05 done", "1 sent"]


def test_jobs_of_one_time_share_what_is_computed(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small("""
reports:
  one: {kpis: [revenue], schedule: "0 7 * * *", to: [out]}
  two: {kpis: [orders], schedule: "0 7 * * *", to: [told]}
  fixed: {kpis: [orders], period: 2026-03, schedule: "0 7 * * *", to: [told]}
""")
    made.due("04 08:00")
    runs: list[object] = []
    whole = type(made.project).run
    monkeypatch.setattr(type(made.project), "run", lambda *args, **named: [runs.append(args[1]), whole(*args, **named)][1])  # fmt: skip
    assert made.due("05 07:00")[-1] == "3 sent"
    assert runs == [["orders"], ["revenue", "orders"]]


def test_what_one_report_breaks_does_not_break_another(small: Make) -> None:
    made = small("""
reports:
  good: {kpis: [revenue], schedule: "0 7 * * *", to: [out]}
  bad: {kpis: [broken], schedule: "0 7 * * *", to: [out]}
""")
    made.write("""
  nothing: {notifier: file, path: nothing}
reports:
  good: {kpis: [revenue], schedule: "0 7 * * *", to: [out]}
  bad: {kpis: [orders], template: bad.jinja, schedule: "0 7 * * *", to: [told]}
""")
    (made.folder / "bad.jinja").write_text("{{ nothing.at.all }}")
    made.due("04 08:00")
    good, bad, *sent = made.due("05 07:00")
    assert (good, sent) == ("report:good 05 07:00 done", ["1 sent"])
    assert bad.startswith("report:bad 05 07:00 retry: ")


# --- data that is not there ------------------------------------------------------------------------------------------

READY = """
  mail: {{notifier: file, path: mail}}
reports:
  daily: {{kpis: [revenue], schedule: "0 7 * * *", ready: {{max_age: 30h, wait: 2h, else: {otherwise}}}, owner: ana@example.com, to: [out]}}
"""
OLD = "the newest row of orders is of 2026-03-03, one of the last 30 hours is expected"


@pytest.mark.parametrize(
    ("otherwise", "outcome", "state"),
    [
        ("banner", "done", "sent"),
        ("skip", f"skipped: {OLD}", "skipped"),
        ("fail", f"failed: {OLD}", "skipped"),
    ],
)
def test_old_data(small: Make, otherwise: str, outcome: str, state: str) -> None:
    made = small(READY.format(otherwise=otherwise))
    made.due("04 08:00")
    made.orders({day: {"ana": 10} for day in range(1, 4)})
    assert made.due("05 07:00") == [f"report:daily 05 07:00 waiting: {OLD}"]
    assert made.due("05 08:59") == [f"report:daily 05 07:00 waiting: {OLD}"]
    assert made.due("05 09:00")[0] == f"report:daily 05 07:00 {outcome}"
    [row] = made.deliveries()
    assert row.state == state
    if state == "sent":
        assert "Not all of its data is up to date" in (made.folder / "out" / "daily.html").read_text()
    else:
        assert row.reason == OLD
        assert not (made.folder / "out").exists()


def test_the_owner_hears_of_old_data_that_fails_a_report(small: Make) -> None:
    made = small(DAILY_TOLD.replace("owner:", "ready: {max_age: 30h, else: fail}, owner:"))
    made.due("04 08:00")
    made.orders({1: {"ana": 10}})
    failed, *_ = made.due("05 07:00")
    assert failed.startswith("report:daily 05 07:00 failed: the newest row of orders is of 2026-03-01")
    assert [(row.kind, row.recipient, row.state) for row in made.deliveries() if row.kind == "failure"] == [("failure", "ana@example.com", "retry")]  # fmt: skip


def test_data_that_comes_while_it_is_waited_for(small: Make) -> None:
    made = small(READY.format(otherwise="skip"))
    made.due("04 08:00")
    made.orders({1: {"ana": 10}})
    assert made.due("05 07:00")[0].startswith("report:daily 05 07:00 waiting")
    made.orders({4: {"ana": 10}})
    assert made.due("05 08:00") == ["report:daily 05 07:00 done", "1 sent"]


def test_a_source_that_fails(small: Make) -> None:
    """It is tried at each look; the owner hears of it once, after an hour; the run has failed when the next one is due."""
    made = small(DAILY_TOLD)
    made.due("04 08:00")
    (made.folder / "data").rename(made.folder / "away")
    why = "sources.files: there is no 'data'"
    assert made.due("05 07:00") == [f"report:daily 05 07:00 retry: {why}"]
    assert made.due("05 07:59") == [f"report:daily 05 07:00 retry: {why}"]
    assert made.due("05 08:00") == [f"report:daily 05 07:00 retry: {why}", "1 retry"]
    assert made.due("05 12:00")[0] == f"report:daily 05 07:00 retry late: {why}"
    assert [(row.kind, row.recipient, row.subject) for row in made.deliveries()] == [("failure", "ana@example.com", "Not delivered: daily")]  # fmt: skip
    failed, retried, *_ = made.due("06 07:00")
    assert failed == "report:daily 05 07:00 failed: the one of 2026-03-06 07:00 came before it was made"
    assert retried == f"report:daily 06 07:00 retry: {why}"
    assert len(made.deliveries()) == 1, "told once"
    (made.folder / "away").rename(made.folder / "data")
    assert made.due("06 07:30")[0] == "report:daily 06 07:00 done"


DAILY_TOLD = """
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
deliveries: {failures: [{channel: mail, to: ["{{ owner }}"]}]}
reports:
  daily: {kpis: [revenue], schedule: "0 7 * * *", owner: ana@example.com, to: [out]}
"""


# --- one report for each value --------------------------------------------------------------------------------------


def test_each_owner_gets_what_is_theirs(small: Make) -> None:
    made = small("""
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
reports:
  owners:
    kpis: [revenue, orders]
    schedule: "0 7 * * *"
    attach: [csv]
    per: {segment: owner, addresses: {ana: ana@example.com}}
    to: [{channel: mail, to: ["{{ owner }}"]}, out]
""")
    made.orders({day: {"ana": 11111.0, "bob": 77777.0, "": 33333.0} for day in range(1, 5)})
    made.due("04 08:00")
    assert made.due("05 07:00")[0] == "report:owners 05 07:00 done"
    rows = [row for row in made.deliveries() if row.channel == "mail"]
    assert [(row.recipient, row.state, row.reason) for row in rows] == [
        ("(none)", "skipped", rows[0].reason), ("ana@example.com", "retry", rows[1].reason), ("bob", "skipped", rows[2].reason),
    ]  # fmt: skip
    assert "'bob'" in rows[2].reason
    mail = made.mail(rows[1])
    assert "11,111" in mail
    assert not any(figure in mail for figure in ("77,777", "77777", "33,333", "33333", "bob"))
    pages = {path.name: path.read_text() for path in (made.folder / "out").glob("owners-*.html")}
    figures = {"ana": "11,111", "bob": "77,777", "none": "33,333"}
    for owner, figure in figures.items():
        texts = [text for name, text in pages.items() if name.startswith(f"owners-{owner}-")]
        assert texts, owner
        assert all(figure in text for text in texts)
        assert not any(other in text for other in set(figures.values()) - {figure} for text in texts)


def test_a_clock_that_was_ahead_is_told_of(small: Make) -> None:
    """What it wrote off stays so; that must not pass as a project in which nothing is due."""
    made = small()
    made.due("04 08:00")
    made.due("20 07:00")
    [told] = made.due("05 07:00")
    assert told == (
        "clock 05 07:00 retry: it is 2026-03-05 06:00 UTC, but it was 2026-03-20 06:00 when this state was last used: "
        "what was due by then counts as done"
    )
    assert made.due("20 05:00") == [], "two machines never agree to the minute"
    assert made.due("21 07:00") == ["report:daily 21 07:00 done", "1 sent"]


# --- alerts ---------------------------------------------------------------------------------------------------------

ALERTS = """
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
routes:
  - {match: {rule: low}, to: [{channel: mail, to: [ops@example.com]}], repeat: 36h}
  - {to: [{channel: mail, to: [data@example.com]}]}
"""


def test_alerts_are_judged_every_morning(small: Make) -> None:
    made = small(ALERTS)
    made.due("04 08:00")
    assert made.due("05 06:00") == ["alerts 05 06:00 done"]
    made.orders({day: {"ana": 30.0 if day < 5 else 1.0} for day in range(1, 28)})
    assert made.due("06 06:00") == ["alerts 06 06:00 done", "1 retry"]
    assert made.due("07 06:30")[0] == "alerts 07 06:00 done", "it goes on firing, which was told"
    assert len(made.deliveries()) == 1
    assert made.due("07 19:00")[0] == "notices 07 19:00 done", (
        "a day and a half later it is told again, also between two judgings"
    )
    assert len(made.deliveries()) == 2
    assert {row.recipient for row in made.deliveries()} == {"ops@example.com"}


def test_a_source_that_fails_is_an_alert_of_its_own(small: Make) -> None:
    made = small(ALERTS)
    made.due("04 08:00")
    made.due("05 06:00")
    (made.folder / "data").rename(made.folder / "away")
    assert made.due("06 06:00") == ["alerts 06 06:00 retry: sources.files: there is no 'data'"]
    assert made.due("06 07:00")[0] == "alerts 06 06:00 failed: sources.files: there is no 'data'"
    assert [row.recipient for row in made.deliveries()] == ["data@example.com"]


@pytest.mark.parametrize("other", ["", ", alert: {name: few, when: value < 1}"])
def test_an_alert_whose_rule_is_removed_is_over(small: Make, other: str) -> None:
    """Also where its KPI has no rule left, or no KPI has any."""
    made = small(ALERTS)
    text = (made.folder / "kpis.yaml").read_text()
    text = text.replace("count(orders), period: day", f"count(orders), period: day{other}")
    (made.folder / "kpis.yaml").write_text(text)
    made.due("04 08:00")
    made.due("05 06:00")
    made.orders({day: {"ana": 30.0 if day < 5 else 1.0} for day in range(1, 28)})
    assert made.due("06 06:00")[0] == "alerts 06 06:00 done"
    text = text.replace("    alert: {name: low, when: value < 15, grain: day, scope: total}\n", "")
    text = text.replace("  - {match: {rule: low}", "  - {name: ops")
    (made.folder / "kpis.yaml").write_text(text)
    assert made.due("07 06:00")[0] == "alerts 07 06:00 done"
    with closing(open_store(made.folder)) as store, store.read() as c:
        assert {i.identity.rule: i.state for i in alerts.load(c).values()}["low"] == "ok"


def test_a_channel_that_cannot_say_it_keeps_nobody_else_from_hearing(small: Make) -> None:
    chat = '  chat: {notifier: slack, webhook: "https://chat.example.com/x"}\nroutes:\n  - {to: [chat], continue: true}\n'
    made = small(ALERTS.replace("routes:\n", chat))
    (made.folder / "templates" / "slack").mkdir(parents=True)
    (made.folder / "templates" / "slack" / "alert.json.jinja").write_text('["{{ titel.upper() }}"]')
    made.due("04 08:00")
    made.due("05 06:00")
    made.orders({day: {"ana": 30.0 if day < 5 else 1.0} for day in range(1, 28)})
    why = "template slack/alert.json.jinja: unknown name 'titel'"
    assert made.due("06 06:00") == [
        f"alerts 06 06:00 failed: {why}",
        f"notices 06 06:00 retry: {why}",
        "1 retry",
    ]
    assert [row.recipient for row in made.deliveries()] == ["ops@example.com"]
    assert made.due("06 06:01")[0] == f"notices 06 06:01 retry: {why}", (
        "it is tried again, and nobody is told twice"
    )
    assert [row.recipient for row in made.deliveries()] == ["ops@example.com"]


def test_a_file_that_did_not_come_is_its_sources_failure(small: Make) -> None:
    made = small(ALERTS)
    made.due("04 08:00")
    made.due("05 06:00")
    (made.folder / "data" / "orders.csv").unlink()
    assert made.due("06 06:00") == [
        "alerts 06 06:00 retry: datasets.orders: source 'files' has no table 'orders'"
    ]
    assert (
        made.due("06 07:00")[0]
        == "alerts 06 06:00 failed: datasets.orders: source 'files' has no table 'orders'"
    )
    assert [(row.recipient, row.kind) for row in made.deliveries()] == [("data@example.com", "alert")]


def test_expectations_are_judged_without_any_rule(small: Make) -> None:
    made = small(ALERTS.replace("  - {match: {rule: low}", "  - {match: {severity: info}"))
    text = (made.folder / "kpis.yaml").read_text()
    text = text.replace("date: day}", "date: day, expect: {max_age: 2 days}}").replace("    alert: {name: low, when: value < 15, grain: day, scope: total}\n", "")  # fmt: skip
    (made.folder / "kpis.yaml").write_text(text)
    made.due("04 08:00")
    assert made.due("05 06:00") == ["alerts 05 06:00 done"]
    made.orders({4: {"ana": 10.0}})
    assert made.due("08 06:00")[-2:] == ["alerts 08 06:00 done", "1 retry"]
    assert [row.recipient for row in made.deliveries()] == ["data@example.com"]


def test_values_are_remembered_once(small: Make) -> None:
    made = small("""
reports:
  one: {kpis: [revenue], schedule: "0 7 * * *", to: [out]}
  two: {kpis: [revenue], schedule: "0 7 * * *", to: [told]}
""")
    made.due("04 08:00")
    made.due("05 07:00")
    [found] = [
        one for one in made.project.history("revenue", period="2026-03-04").observed if not one.segment
    ]
    assert (found.value, found.revision) == (30, 1)


def test_a_file_with_errors(small: Make) -> None:
    made = small()
    made.write("\nreports: {daily: {kpis: [nothing], schedule: 7am}}\n")
    with pytest.raises(ProblemsFound, match="is not a cron line"):
        made.due("05 07:00")


def test_what_is_due_can_be_asked(small: Make) -> None:
    made = small()
    assert made.project.due(now=made.clock.now()) == []
    made.clock.set("05 07:00")
    assert made.project.due(now=made.clock.now()) == [("report:daily", made.clock.now())]
    assert made.due() == ["report:daily 05 07:00 done", "1 sent"]
