"""Alerts about data itself: a source that failed, a dataset that is not what it is expected to be. A pure function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cadran.compute.results import Quality
from cadran.declare.model import Declaration
from cadran.state.alerting import FAILED, Identity, Instance, Transition

_CONDITION = "met"  # what a source or a dataset's expectation is judged by does not change under one name


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something is wrong with a source or dataset: ``said`` is what, empty where nothing is."""

    identity: Identity
    said: str = ""


def of_sources(failed: Mapping[str, str], answered: Iterable[str]) -> Iterator[Finding]:
    """``failed`` says of each source that could not answer what is wrong; ``answered`` are those that could."""
    for name in sorted({*failed, *answered}):
        yield Finding(Identity("source", name, FAILED), failed.get(name, ""))


def of_broken(broken: Mapping[str, str], well: Iterable[str]) -> Iterator[Finding]:
    """``broken`` says of each dataset that could not be used what is wrong; ``well`` are those with which all is well."""
    for name in sorted({*broken, *well}):
        yield Finding(Identity("dataset", name, FAILED), broken.get(name, ""))


def of_datasets(declaration: Declaration, quality: Iterable[Quality]) -> Iterator[Finding]:
    """Of what datasets are expected to hold, as far as they were looked at."""
    for found in quality:
        expect = declaration.datasets[found.dataset].expect
        unmet = dict(zip(found.unmet, found.findings, strict=True))
        for rule, wanted in (("max_age", expect.max_age), ("min_rows", expect.min_rows)):
            if wanted is not None:
                yield Finding(Identity("dataset", found.dataset, rule), unmet.get(rule, ""))  # type: ignore[call-overload]


def raised(
    finding: Finding, prior: Instance | None, day: str, now: dt.datetime
) -> tuple[Instance | None, list[Transition]]:
    """The alert on a local ``day``; it fires at once, and is over at once. None: there never was one."""
    if prior is None and not finding.said:
        return None, []
    before = prior or Instance(finding.identity, _CONDITION)
    fires, fired = bool(finding.said), before.state == "firing"
    after = replace(before, reason=finding.said, period=day, seen=now)
    if fires == fired:
        return (replace(after, held=before.held + (before.seen != now)) if fires else after), []
    if fires:
        after = replace(
            after, state="firing", since=day, fired=day, held=1, episode=before.episode + 1, changed=now
        )
    else:
        after = replace(after, state="ok", since="", held=0, changed=now)
    return after, [Transition(after, before.state, day)]
