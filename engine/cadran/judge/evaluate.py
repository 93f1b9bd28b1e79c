"""All alerts of a project after one more run: a pure function of what is declared, what was computed, and where they stood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cadran.compute.cells.computed import finest
from cadran.compute.results import Results
from cadran.declare.model import Declaration
from cadran.judge.histories import in_scope
from cadran.judge.raised import Finding, of_broken, of_datasets, of_sources, raised
from cadran.judge.routes import rule_of
from cadran.judge.states import advance, end, identity
from cadran.state.alerting import FAILED, GONE, REMOVED, Identity, Instance, Transition

Rests = Mapping[str, Iterable[str]]  # KPI → the datasets behind it


@dataclass(slots=True)
class Evaluated:
    """``instances`` by their keys; ``renamed`` says, by an alert's key, who it has become."""

    instances: dict[str, Instance] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    renamed: dict[str, Identity] = field(default_factory=dict)


def evaluate(
    declaration: Declaration, results: Results | None, prior: Mapping[str, Instance], now: dt.datetime,
    *, failed: Mapping[str, str] | None = None, broken: Mapping[str, str] | None = None, rests: Rests | None = None, raising: bool = True,
) -> Evaluated:  # fmt: skip
    """``failed`` says of each source that could not answer what is wrong, ``broken`` of each dataset whose rows cannot be used;
    then there may be no ``results`` at all, or without the KPIs that rest on them. Unless ``raising``, these alerts wait.

    KPIs that rest on such a source or dataset, or on one that is not what it is expected to be, stay as they were. Where something
    was judged at a later time already, nothing is: what was not known then says nothing about now.
    """
    if any(instance.seen is not None and instance.seen > now for instance in prior.values()):
        return Evaluated(dict(prior))
    behind = rests or (results.rests if results is not None else {})
    found = _Evaluation(declaration, prior, now, behind)
    found.rename()
    found.look_at_data(results, failed or {}, broken or {}, raising=raising)
    if results is not None:
        found.judge(results)
    return found.out


def inhibitions(
    declaration: Declaration, instances: Iterable[Instance], rests: Rests, failed: Iterable[str] = (), broken: Iterable[str] = ()
) -> dict[str, str]:  # fmt: skip
    """By an alert's key, what stands behind it and fires itself: ``source crm`` or ``dataset orders``. Sources that have
    ``failed``, and ``broken`` datasets, may not fire yet."""
    every = list(instances)
    by_source, by_dataset = _failing(declaration, every, failed, broken)
    out = {}
    for instance in every:
        who = instance.identity
        if who.subject == "kpi":
            behind = sorted(rests.get(who.name, ()))
            why = next((w for d in behind if (w := by_source.get(d) or by_dataset.get(d))), "")
        else:
            why = by_source.get(who.name, "") if who.subject == "dataset" else ""
        if why:
            out[who.key] = why
    return out


def concerned(declaration: Declaration, who: Identity, rests: Rests) -> list[str]:
    """The KPIs that rest on a dataset or source."""
    datasets = {who.name} if who.subject == "dataset" else {
        name for name, dataset in declaration.datasets.items() if any(t.source == who.name for t in dataset.tables)
    }  # fmt: skip
    return [kpi for kpi, behind in rests.items() if datasets.intersection(behind)]


def _failing(
    declaration: Declaration,
    instances: Iterable[Instance],
    failed: Iterable[str] = (),
    broken: Iterable[str] = (),
) -> tuple[dict[str, str], dict[str, str]]:
    """By dataset, the source of it that fails, and the dataset itself where it is not what it is expected to be."""
    firing = [i.identity for i in instances if i.state == "firing"]
    sources = {*failed, *(who.name for who in firing if who.subject == "source")}
    datasets = {*broken, *(who.name for who in firing if who.subject == "dataset")}
    by_source = {
        name: f"source {table.source}"
        for name, dataset in declaration.datasets.items() for table in dataset.tables if table.source in sources
    }  # fmt: skip
    return by_source, {name: f"dataset {name}" for name in datasets}


class _Evaluation:
    def __init__(
        self, declaration: Declaration, prior: Mapping[str, Instance], now: dt.datetime, rests: Rests
    ) -> None:
        self.declaration, self.now, self.rests = declaration, now, rests
        self.out = Evaluated(dict(prior))
        self.day = declaration.calendar.local_date(now).isoformat()

    def rename(self) -> None:
        """Alerts of a KPI that has another name now go on under it."""
        was = {k.renamed_from: k.name for k in self.declaration.kpis.values() if k.renamed_from}
        for key, instance in list(self.out.instances.items()):
            who = instance.identity
            if who.subject != "kpi" or who.name not in was or who.name in self.declaration.kpis:
                continue
            new = replace(who, name=was[who.name])
            if new.key not in self.out.instances:
                del self.out.instances[key]
                self.out.instances[new.key] = replace(instance, identity=new)
                self.out.renamed[key] = new

    # --- data -------------------------------------------------------------------------------------------------------

    def look_at_data(
        self, results: Results | None, failed: Mapping[str, str], broken: Mapping[str, str], *, raising: bool
    ) -> None:
        """Of sources and datasets, as far as they were asked; what is not declared any more is over."""
        quality = results.quality if results is not None else ()
        # A run opens all sources, whatever it computes.
        answered = {*self.declaration.sources} - {*failed} if results is not None else set()
        unfed = {n for n, d in self.declaration.datasets.items() if any(t.source in failed for t in d.tables)}
        well = {*self.declaration.datasets} - {*broken} - unfed if results is not None else set()
        findings: list[Finding] = [
            *of_sources(failed, answered), *of_broken(broken, well), *of_datasets(self.declaration, quality)
        ]  # fmt: skip
        for finding in findings:
            if finding.said and not raising and finding.identity.rule == FAILED:
                continue
            key = finding.identity.key
            self._put(*raised(finding, self.out.instances.get(key), self.day, self.now))
        # One that is ok already has no end, and was not looked at: else what is judged late would come before it.
        for instance in [i for i in self.out.instances.values() if i.state != "ok"]:
            if instance.identity.subject != "kpi" and not self._is_declared(instance.identity, results):
                self._put(*end(instance, REMOVED, self.day, self.now))

    def _is_declared(self, who: Identity, results: Results | None) -> bool:
        """Whether it is declared, and of a dataset, also whether a rule still rests on it, where that can be told."""
        if who.subject == "source":
            return who.name in self.declaration.sources
        dataset = self.declaration.datasets.get(who.name)
        if dataset is None:
            return False
        if who.rule == FAILED:
            return True
        if getattr(dataset.expect, who.rule) is None:
            return False
        ruled = {name for name, kpi in self.declaration.kpis.items() if kpi.alerts}
        if results is None or not ruled <= {*results.kpis}:
            return True
        return any(quality.dataset == who.name for quality in results.quality)

    # --- KPIs -------------------------------------------------------------------------------------------------------

    def judge(self, results: Results) -> None:
        """All that was computed over data that is as it should be; and the end of what is not there any more."""
        by_source, by_dataset = _failing(self.declaration, self.out.instances.values())
        wrong = {*by_source, *by_dataset}
        left = {kpi for kpi, behind in self.rests.items() if wrong.intersection(behind)}
        seen = set()
        for one in results.judging:
            if one.kpi not in left:
                key = identity(one).key
                seen.add(key)
                self._put(*advance(one, self.out.instances.get(key), self.declaration.calendar, self.now))
        computed = {*results.kpis} - left
        for key, instance in list(self.out.instances.items()):
            who = instance.identity
            # A KPI that has no rule any more is not computed for its alerts either.
            over = who.name in computed or rule_of(instance, self.declaration) is None
            if key in seen or who.subject != "kpi" or not over:
                continue
            newest = results.judged.get((who.name, who.grain), "")
            reason = GONE if self._is_asked(instance) else REMOVED
            if newest or reason == REMOVED:
                self._put(*end(instance, reason, newest or instance.period, self.now))

    def _is_asked(self, instance: Instance) -> bool:
        """Whether a rule is still about this segment at this grain."""
        who, rule = instance.identity, rule_of(instance, self.declaration)
        if rule is None:
            return False
        kpi = self.declaration.kpis[who.name]
        known = who.segment in ((), *kpi.segments)
        return known and in_scope(rule, who.segment) and str(rule.grain or finest(kpi.periods)) == who.grain

    def _put(self, instance: Instance | None, transitions: Iterable[Transition]) -> None:
        if instance is not None:
            self.out.instances[instance.identity.key] = instance
            self.out.transitions += transitions
