"""Messages that a backtest counts are those that are sent by a job which judges alerts each morning, and in between."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.calendar import Duration
from cadran.compute.results import Judging, Quality, Results
from cadran.declare.model import Declaration, Mute, Route
from cadran.judge.alerts import standings
from cadran.judge.evaluate import evaluate
from cadran.judge.histories import answers
from cadran.judge.notices import Alerted, Known, decide
from cadran.judge.routes import labels
from cadran.state.alerting import Group, Instance, Told
from cadran.testing.mailed import Course, messages
from judge.examples import EXAMPLES, LETTERS, PARIS, answered, history, rule
from judge.projects import project
from judge.test_routes import route

NIGHT, WEEKEND = Mute(start=dt.time(20), end=dt.time(7)), Mute(days=frozenset({6, 7}))
ROUTES = st.lists(
    st.builds(
        lambda segment, wait, repeat, mute, resolved, goes_on, group: (segment, wait, repeat, mute, resolved, goes_on, group),
        st.sampled_from([None, "a"]), st.sampled_from([None, 1, 20]), st.sampled_from([None, 7, 31]), st.sampled_from([(), (NIGHT,), (WEEKEND,), (NIGHT, WEEKEND)]),
        st.booleans(), st.booleans(), st.sampled_from([(), ("channel",)]),
    ),
    min_size=1, max_size=2,
)  # fmt: skip


def made(number: int, spec: tuple[object, ...]) -> Route:
    segment, wait, repeat, mute, resolved, goes_on, group = spec
    return route(
        f"route {number}", match={"channel": (segment,)} if segment else {}, wait=Duration(days=wait) if wait else None,  # type: ignore[arg-type]
        repeat=Duration(days=repeat) if repeat else None, mute=mute, resolved=resolved, goes_on=goes_on, group_by=group,  # type: ignore[arg-type]
    )  # fmt: skip


def final(label: str) -> dt.datetime:
    return PARIS.midnight(PARIS.parse(label).end)


def sent(declaration: Declaration, some: Sequence[Judging], end: dt.datetime) -> Counter[str]:
    """By judging each morning at six, from the one on which the first period is final, and looking at what is held back
    whenever that may be due as well: at seven, when the night is over, and at midnight."""
    prior: dict[str, Instance] = {}
    told: dict[tuple[str, int, str, str], Told] = {}
    groups: tuple[Group, ...] = ()
    out: Counter[str] = Counter()
    now = final(some[0].periods[0]).replace(hour=6)
    while now <= end:
        until = [sum(final(label) <= now for label in one.periods) for one in some]
        cut = [
            replace(one, periods=one.periods[:n], answers=one.answers[:n], figures=one.figures[:n])
            for one, n in zip(some, until, strict=True)
        ]
        newest = {(one.kpi, one.grain): one.periods[-1] for one in cut}
        results = Results(
            (),
            now,
            declaration,
            quality=(Quality("leads"),),
            kpis=("leads",),
            judging=tuple(cut),
            judged=newest,
        )
        if now.hour == 6:
            prior = evaluate(declaration, results, prior, now).instances
        alerted = [Alerted(i, labels(i, declaration)) for i in prior.values()]
        decision = decide(declaration.routes, alerted, Known(list(told.values()), groups), PARIS, now)
        groups = decision.groups
        for over in decision.over:
            told.pop((over.identity, over.episode, over.route, over.recipient))
        for notice in decision.notices:
            out[notice.kind] += 1
            for one in notice.alerts:
                key = one.identity.key, one.episode, notice.route, notice.recipient
                if notice.kind == "resolved":
                    told = {k: t for k, t in told.items() if (k[0], k[2], k[3]) != (key[0], key[2], key[3])}
                else:
                    told[key] = Told(*key[:3], notice.channel, notice.recipient, "", now)
        now = {
            0: now.replace(hour=6), 6: now.replace(hour=7), 7: PARIS.midnight(now.date() + dt.timedelta(days=1))
        }[now.hour]  # fmt: skip
    return out


@settings(max_examples=max(EXAMPLES // 3, 10), deadline=None, derandomize=True, database=None)
@given(ROUTES, st.lists(st.text(alphabet="".join(LETTERS), min_size=10, max_size=10), min_size=1, max_size=2))
def test_as_many_as_the_job_sends(specs: list[tuple[object, ...]], said: list[str]) -> None:
    of = rule(hold=2, keep=1)
    declaration = project(routes=tuple(made(n, spec) for n, spec in enumerate(specs)))
    leads = replace(declaration.kpis["leads"], alerts=(of,))
    declaration = replace(declaration, kpis={**declaration.kpis, "leads": leads})
    some = [
        replace(history(of, answered(text)), segment=("channel",), segment_value=(value,)) for text, value in zip(said, "ab", strict=False)
    ]  # fmt: skip
    end = final(some[0].periods[-1]) + dt.timedelta(days=20)
    courses = [
        Course(one, [s for _, s in standings(of, answers(one))], [final(p) for p in one.periods], 0)
        for one in some
    ]
    assert Counter({k: n for k, n in messages(declaration, courses, end).items() if n}) == sent(
        declaration, some, end
    )
