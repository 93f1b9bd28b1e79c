"""All alerts of a project after one more run: sources, datasets, segment values and rules that come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cadran.compute.results import Judging, Quality, Results
from cadran.declare.model import Declaration
from cadran.judge.evaluate import Evaluated, evaluate, inhibitions
from cadran.judge.states import advance, identity
from cadran.state.alerting import GONE, REMOVED, Identity, Instance
from judge.examples import MONTHS, PARIS, answered, at, history, rule
from judge.projects import RESTS, kpi, project

PAID = {"segment": ("channel",), "segment_value": ("paid",)}
FINE = tuple(Quality(name) for name in ("leads", "orders", "visits"))


def results(
    *judging: Judging, declaration: Declaration | None = None, quality: tuple[Quality, ...] = FINE
) -> Results:
    found = declaration or project()
    newest = {(one.kpi, one.grain): one.periods[-1] for one in judging}
    newest.setdefault(("leads", "month"), MONTHS[1])
    return Results(
        (), at(0), found, quality=quality, kpis=tuple(found.kpis), judging=judging, judged=newest, rests=RESTS
    )


def said(found: Evaluated) -> list[str]:
    return [
        f"{t.instance.identity.name} {t.before}>{t.after} {t.instance.reason}".strip()
        for t in found.transitions
    ]


def standing(*some: Judging) -> dict[str, Instance]:
    return {identity(one).key: advance(one, None, PARIS, at(0))[0] for one in some}


def after(prior: Mapping[str, Instance], found: Results | None, **more: object) -> Evaluated:
    declaration = found.declaration if found is not None else project()
    return evaluate(declaration, found, prior, at(1), **more)  # type: ignore[arg-type]


def test_the_first_run_is_silent() -> None:
    found = after({}, results(history(rule(), answered("x.x"))))
    assert [(t.after, t.silent) for t in found.transitions] == [
        ("firing", True),
        ("ok", True),
        ("firing", True),
    ]


def test_a_segment_value_without_rows() -> None:
    paid = history(rule(), answered("x"), **PAID)
    found = after(standing(paid), results(history(rule(), answered(".."))))
    assert said(found) == [f"leads firing>ok {GONE}"]


def test_a_rule_that_is_not_there_any_more() -> None:
    old = history(rule("value < 1", name="very low"), answered("x"))
    elsewhere = history(rule(), answered("x"), segment=("country",), segment_value=("FR",))
    lost = replace(history(rule(), answered("x")), kpi="lost")
    weekly = replace(history(rule(), answered("x")), grain="week")
    found = after(standing(old, elsewhere, lost, weekly), results())
    assert said(found) == [f"{name} firing>ok {REMOVED}" for name in ("leads", "leads", "lost", "leads")]


def test_kpis_that_were_not_computed_stay() -> None:
    prior = standing(history(rule(), answered("x")))
    found = after(prior, replace(results(), kpis=("visits",)))
    assert (found.instances, found.transitions) == (prior, [])


def test_a_renamed_kpi_keeps_its_alerts() -> None:
    old = replace(history(rule(), answered("x")), kpi="old_leads")
    (key,) = standing(old)
    found = after(standing(old), results(history(rule(), answered("xx"))))
    new = Identity("kpi", "leads", "low", "month")
    assert (found.renamed, said(found)) == ({key: new}, [])
    assert [(i.state, i.since, i.episode) for i in found.instances.values()] == [("firing", "2020-01", 1)]


def test_a_source_that_fails_leaves_everything_as_it_was() -> None:
    prior = standing(history(rule(), answered("x")), replace(history(rule(), answered("x")), kpi="visits"))
    found = after(prior, None, failed={"crm": "no answer"}, rests=RESTS)
    assert said(found) == ["crm ok>firing no answer"]
    assert {k: i for k, i in found.instances.items() if k in prior} == prior
    inhibited = inhibitions(project(), found.instances.values(), RESTS)
    assert {found.instances[k].identity.name: why for k, why in inhibited.items()} == {"leads": "source crm"}
    again = evaluate(project(), None, found.instances, at(2), failed={"crm": "still none"}, rests=RESTS)
    assert said(again) == []
    (crm,) = [i for i in again.instances.values() if i.identity.subject == "source"]
    assert (crm.episode, crm.held, crm.since, crm.reason) == (1, 2, "2020-01-02", "still none")
    back = evaluate(project(), results(history(rule(), answered("xx"))), again.instances, at(3))
    assert said(back) == ["crm firing>ok"]


def test_a_part_of_the_sources_fails() -> None:
    """What rests on the others is judged."""
    leads, visits = history(rule(), answered(".")), replace(history(rule(), answered(".")), kpi="visits")
    more = replace(history(rule(), answered(".x")), kpi="visits")
    only = replace(results(more), kpis=("visits",), quality=(Quality("visits"),))
    found = after(standing(leads, visits), only, failed={"crm": "no answer"}, rests=RESTS)
    assert said(found) == ["crm ok>firing no answer", "visits ok>firing"]


def test_stale_data() -> None:
    stale = (Quality("leads", findings=("the newest row is old",), unmet=("max_age",)), *FINE[1:])
    prior = standing(history(rule(), answered(".")))
    found = after(prior, results(history(rule(), answered(".x")), quality=stale))
    assert said(found) == ["leads ok>firing the newest row is old"]
    kept = [i for i in found.instances.values() if i.identity.subject == "kpi"]
    assert [(i.state, i.period) for i in kept] == [("ok", "2020-01")]
    fresh = evaluate(project(), results(history(rule(), answered(".x"))), found.instances, at(2))
    assert said(fresh) == ["leads firing>ok", "leads ok>firing"]
    names = {i.identity.rule for i in fresh.instances.values() if i.identity.subject == "dataset"}
    assert names == {"max_age"}  # an expectation that was always met is no alert


def test_a_dataset_behind_a_source_that_fails() -> None:
    stale = (Quality("leads", findings=("the newest row is old",), unmet=("max_age",)),)
    found = after({}, results(quality=stale))
    failing = evaluate(project(), None, found.instances, at(2), failed={"crm": "no answer"}, rests=RESTS)
    inhibited = inhibitions(project(), failing.instances.values(), RESTS)
    assert {failing.instances[k].identity.subject: why for k, why in inhibited.items()} == {
        "dataset": "source crm"
    }


def test_sources_and_expectations_that_are_not_declared_any_more() -> None:
    found = after({}, None, failed={"crm": "no answer", "web": "none either"}, rests=RESTS)
    declaration = project(sources={"web": project().sources["web"]})
    gone = evaluate(declaration, None, found.instances, at(2))
    assert said(gone) == [f"crm firing>ok {REMOVED}"]


def test_what_is_over_and_not_declared_does_not_keep_others_from_being_judged() -> None:
    """A message in between looks at all alerts at its own time, which may lie behind that of a judging still to be done."""
    found = after({}, None, failed={"crm": "no answer"}, rests=RESTS)
    declaration = project(sources={"web": project().sources["web"]})
    gone = evaluate(declaration, None, found.instances, at(2)).instances
    between = evaluate(declaration, None, gone, at(5)).instances
    late = results(history(rule(), answered("x.x")), declaration=declaration)
    assert said(evaluate(declaration, late, between, at(4)))[-1] == "leads ok>firing"


def test_another_kpi_of_the_old_name_keeps_it() -> None:
    declaration = project()
    declaration = replace(declaration, kpis={**declaration.kpis, "old_leads": kpi("old_leads", rule())})
    old = replace(history(rule(), answered("x")), kpi="old_leads")
    found = after(standing(old), results(old, declaration=declaration))
    assert (found.renamed, said(found)) == ({}, [])


def test_a_source_that_no_rule_rests_on_recovers() -> None:
    found = after({}, None, failed={"web": "no answer"}, rests=RESTS)
    only = replace(results(history(rule(), answered("."))), quality=(Quality("leads"),), kpis=("leads",))
    assert said(evaluate(project(), only, found.instances, at(2))) == ["web firing>ok"]


def test_a_dataset_that_no_rule_rests_on_any_more() -> None:
    stale = (Quality("leads", findings=("the newest row is old",), unmet=("max_age",)),)
    found = after({}, results(quality=stale))
    others = replace(results(), quality=(Quality("visits"),))
    assert said(evaluate(project(), replace(others, kpis=("visits",)), found.instances, at(2))) == []
    assert said(evaluate(project(), others, found.instances, at(2))) == [f"leads firing>ok {REMOVED}"]


def test_nothing_is_judged_at_an_earlier_time_than_before() -> None:
    later = evaluate(project(), results(history(rule(), answered("xx"))), {}, at(5)).instances
    earlier = evaluate(project(), results(history(rule(), answered("."))), later, at(4))
    assert (earlier.instances, earlier.transitions) == (later, [])
