"""Alerts, notices and silences from run to run in both stores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import insert, update

from cadran.calendar import Duration
from cadran.compute.results import Judging, Quality, Results
from cadran.declare.model import Declaration, Destination
from cadran.deliver.alerting import about, judge, told
from cadran.deliver.broken import Broken, broken
from cadran.deliver.keys import key
from cadran.judge.notices import Notice
from cadran.judge.states import advance
from cadran.problems import Problem
from cadran.state.alerting import Instance, Silence
from cadran.state.store import alerts, silences
from cadran.state.store.store import Store
from cadran.state.store.tables import delivery
from judge.examples import PARIS, answered, history, rule
from judge.projects import RESTS, project
from judge.test_routes import route, text

FINE = tuple(Quality(name) for name in ("leads", "orders", "visits"))
START = dt.datetime(2026, 7, 1, 6, tzinfo=dt.UTC)
OWNER = (Destination(text("mail"), (text("{{ owner }}"),)),)


def results(*judging: Judging, declaration: Declaration, quality: tuple[Quality, ...] = FINE) -> Results:
    newest = {(one.kpi, one.grain): one.periods[-1] for one in judging}
    return Results(
        (), START, declaration, quality=quality, kpis=tuple(declaration.kpis), judging=judging, judged=newest, rests=RESTS
    )  # fmt: skip


class Job:
    """``alerts`` day after day."""

    def __init__(self, store: Store, declaration: Declaration) -> None:
        self.store, self.declaration, self.day = store, declaration, 0

    def run(self, *judging: Judging, failed: Mapping[str, str] | None = None, **more: object) -> list[str]:
        """What is said to whom."""
        self.day += 1
        now = START + dt.timedelta(days=self.day)
        found = None if failed else results(*judging, declaration=self.declaration, **more)  # type: ignore[arg-type]
        with self.store.write() as c:
            notices = judge(
                c,
                self.declaration,
                found,
                logical_time=now,
                run=None,
                broken=Broken(failed or {}),
                rests=RESTS,
            )
            for notice in notices:
                told(c, notice, self.sent(notice, now), now=now)
        return [f"{n.kind} {n.recipient}: {', '.join(i.identity.name for i in n.alerts)}" for n in notices]

    def sent(self, notice: Notice, now: dt.datetime) -> str:
        return key("alerts", now, "alert", notice.channel, notice.recipient, about(notice))

    def instances(self) -> dict[str, Instance]:
        with self.store.read() as c:
            return alerts.load(c)


def leads(letters: str) -> Judging:
    return history(rule(hold=2, on_missing="alert"), answered(letters))


def test_day_after_day(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER, repeat=Duration(days=2)),)))
    assert job.run(leads("xx.")) == []
    assert job.run(leads("xx.x")) == []
    assert job.run(leads("xx.xx")) == ["firing zoe@example.com: leads"]
    assert job.run(leads("xx.xx?")) == []
    assert job.run(leads("xx.xx?")) == ["repeat zoe@example.com: leads"]
    assert job.run(leads("xx.xx?.")) == ["resolved zoe@example.com: leads"]
    assert job.run(leads("xx.xx?.")) == []
    with store.read() as c:
        events = [(e.before, e.after, e.period, e.silent) for e in alerts.events(c)]
        assert [t.ended is None for t in alerts.all_told(c, ended=True)] == [False]
    assert events == [
        ("ok", "pending", "2020-01", True), ("pending", "firing", "2020-02", True), ("firing", "ok", "2020-03", True),
        ("ok", "pending", "2020-04", False), ("pending", "firing", "2020-05", False), ("firing", "ok", "2020-07", False),
    ]  # fmt: skip


def test_what_is_read_is_what_was_written(store: Store) -> None:
    judging = replace(
        history(rule(), answered("x?.b")), segment=("channel", "range"), segment_value=("(none)", "≥ 10 €")
    )
    judging = replace(judging, figures=((1, None), (0.1, 3), (None, 3), (2, 4)))
    written, _ = advance(judging, None, PARIS, START)
    with store.write() as c:
        alerts.save(c, [written])
    with store.read() as c:
        assert list(alerts.load(c).values()) == [written]
    later = replace(written, state="ok", value=None)
    with store.write() as c:
        alerts.save(c, [later])
    with store.read() as c:
        assert list(alerts.load(c).values()) == [later]


def test_the_first_run_tells_what_fires_now(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER),)))
    both = leads("x.xx"), replace(leads("xxx."), kpi="revenue")
    assert job.run(*both) == ["firing zoe@example.com: leads"]


def test_a_correction(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER),)))
    assert job.run(leads(".xx")) == ["firing zoe@example.com: leads"]
    assert job.run(leads(".x.")) == ["correction zoe@example.com: leads"]
    with store.read() as c:
        assert [e.correction for e in alerts.events(c)][-1]


def test_a_source_that_fails(store: Store) -> None:
    """Its owners hear of it once, and of nothing that rests on it."""
    job = Job(store, project(routes=(route("all", to=OWNER, repeat=Duration(days=1)),)))
    assert job.run(leads(".xx")) == ["firing zoe@example.com: leads"]
    before = job.instances()
    said = job.run(failed={"crm": "no answer"})
    assert said == ["firing zoe@example.com: crm", "firing max@example.com: crm"]
    assert {k: i for k, i in job.instances().items() if k in before} == before
    assert job.run(failed={"crm": "no answer"}) == [
        "repeat zoe@example.com: crm",
        "repeat max@example.com: crm",
    ]
    assert job.run(leads(".xx.")) == [
        "resolved zoe@example.com: leads", "resolved zoe@example.com: crm", "resolved max@example.com: crm"
    ]  # fmt: skip


def test_a_channel_that_is_not_there_any_more(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER),)))
    job.run(leads("xx"))
    job.declaration = replace(job.declaration, channels={})
    assert job.run(leads("xx.")) == []
    with store.read() as c:
        assert alerts.all_told(c) == []


def test_another_name(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER),)))
    kpis = {name: kpi for name, kpi in job.declaration.kpis.items() if name != "leads"}
    old = replace(job.declaration.kpis["leads"], name="old_leads", renamed_from="")
    renamed, job.declaration = job.declaration, replace(job.declaration, kpis={**kpis, "old_leads": old})
    assert job.run(replace(leads("xx"), kpi="old_leads")) == ["firing zoe@example.com: old_leads"]
    job.declaration = renamed
    assert job.run(leads("xxx")) == []
    assert [i.identity.name for i in job.instances().values()] == ["leads"]
    assert job.run(leads("xxx.")) == ["resolved zoe@example.com: leads"]
    with store.read() as c:
        assert {e.identity for e in alerts.events(c)} == set(job.instances())


def test_silences(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER),)))
    until = START + dt.timedelta(days=30)
    with store.write() as c:
        one = silences.add(c, Silence({"kpi": ("old_leads",)}, START, until, "inventaire", "ana"), START)
        two = silences.add(c, Silence({"kpi": ("revenue",)}, START, until), START)
    assert (one.number, one.matchers, one.created, one.author) == (1, {"kpi": ("old_leads",)}, START, "ana")
    assert job.run(leads("xx")) == []  # a silence knows the KPI by its old name as well
    with store.write() as c:
        ended = silences.expire(c, one.number, START + dt.timedelta(hours=30))
        assert ended is not None and ended.expired
        assert silences.expire(c, one.number, START + dt.timedelta(hours=31)) is None
        assert silences.expire(c, 99, START) is None
        assert silences.listed(c, START + dt.timedelta(days=2)) == [two]
        assert len(silences.listed(c)) == 2
    assert job.run(leads("xx")) == ["firing zoe@example.com: leads"]


def test_the_end_follows_a_message_that_did_arrive(store: Store) -> None:
    job = Job(store, project(routes=(route("all", to=OWNER, repeat=Duration(days=1)),)))
    job.run(leads("xx"))
    with store.read() as c:
        (first,) = alerts.all_told(c)
    with store.write() as c:
        row = {
            "key": first.delivery, "job": "alerts", "kind": "alert", "channel": "mail", "notifier": "email", "recipient": first.recipient,
            "subject": "", "logical_time": START, "state": "failed", "due": START, "deadline": START, "on_unknown": "send", "created": START,
        }  # fmt: skip
        c.execute(insert(delivery).values(**row))
    job.run(leads("xx"))
    with store.write() as c:
        (second,) = alerts.all_told(c)
        assert second.delivery != first.delivery
        c.execute(update(delivery).values(state="sent"))
    job.run(leads("xx"))
    with store.read() as c:
        assert alerts.all_told(c)[0].delivery == second.delivery


def test_what_problems_tell_to_be_broken() -> None:
    problems = [
        Problem("source", "no answer", None, "sources.crm"), Problem("source", "line 2", None, "sources.crm"),
        Problem("source", "an old driver", None, "sources.web", severity="warning"),
    ]  # fmt: skip
    assert broken(problems, project(), RESTS) == Broken({"crm": "no answer; line 2"})
    gone = [
        Problem("unknown-table", "no table", None, "datasets.visits"),
        Problem("source", "line 3", None, "sources.crm", datasets=("leads",)),
    ]
    assert broken(gone, project(), RESTS) == Broken({}, {"visits": "no table", "leads": "line 3"})
    nothing = Problem("unknown-table", "no table", None, "datasets.other")
    assert not broken([nothing, *gone], project(), RESTS), (
        "something else is wrong, and stays so without them"
    )
