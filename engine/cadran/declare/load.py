"""From ``kpis.yaml`` to a checked :class:`~cadran.declare.model.Declaration`: read, include, replace, validate, build.

Everything that is wrong is reported at once. What is broken is left out and the rest is still checked; its names are
kept in ``Declaration.broken``, so that the rooms below do not report them as unknown.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cadran.calendar import MONTH_NAMES, UTC, Calendar
from cadran.declare import (
    cohorts,
    crosschecks,
    datasets,
    extensions,
    forecasts,
    funnels,
    holidays,
    kpi_tests,
    kpis,
    machine,
    operations,
    plugged,
    reports,
    routes,
    schedules,
    schema,
    scores,
    values,
)
from cadran.declare.additions import Additions
from cadran.declare.destinations import check_channels, check_failures, check_owner
from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings
from cadran.declare.include import circle, included
from cadran.declare.model import (
    Cache,
    Compute,
    Declaration,
    Deliveries,
    Holidays,
    Localized,
    Schedule,
    StateSettings,
)
from cadran.declare.names import check_capitals
from cadran.declare.passwords import written
from cadran.declare.plugged import Plugins
from cadran.declare.resolvers import Resolvers
from cadran.declare.sections import Entry, Sections
from cadran.declare.settings import Given, masked, replace_settings
from cadran.declare.source_text import read_text
from cadran.declare.zones import zone
from cadran.problems import Problem, ProblemsFound, in_order


def load(
    file: Path,
    *,
    environ: Mapping[str, str],
    plugins: Plugins,
    allow_paths: Sequence[Path] = (),
) -> tuple[Declaration | None, list[Problem]]:
    """The declaration, as far as it could be understood, and everything that is wrong with it.

    It is None only where nothing could be read at all.
    """
    with collector_off():
        reader = _Reader(file, environ, plugins)
        reader.read(file.absolute(), file.name, [], None)
        declaration = None
        if reader.documents:
            declaration = _build(reader, allow_paths)
        problems = [_of_project(p, file) for p in in_order(reader.found.problems)]
        return declaration, masked(problems, reader.given.secrets | reader.passwords)


def _of_project(problem: Problem, file: Path) -> Problem:
    """Where there is no project at all, what was looked for is said as it was given, and how one begins."""
    if problem.code != "file-not-found" or file.exists():
        return problem
    new = "" if "rename it" in problem.hint else "; 'cadran init' begins a new project"
    return replace(problem, message=f"there is no '{file}'", where=None, hint=problem.hint + new)


@contextmanager
def collector_off() -> Iterator[None]:
    """Python's cyclic garbage collector costs more than the parsing: nothing of a file is garbage yet."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Reader:
    """The main file and all that it includes, each read once."""

    def __init__(self, file: Path, environ: Mapping[str, str], plugins: Plugins) -> None:
        self.file = file.absolute()
        self.folder = self.file.parent.resolve()
        self.plugins = plugins
        self.found = Findings()
        self.given = Given(environ, Resolvers(plugins), self.found)
        self.sections = Sections()
        self.named: list[extensions.Named] = []
        self.passwords: set[str] = set()
        self.documents: dict[Path, Document] = {}

    def read(self, path: Path, shown_as: str, chain: list[tuple[Path, Place]], asked: Place | None) -> None:
        try:
            text = read_text(path, shown_as)
        except ProblemsFound as error:
            self.found.problems += error.problems
            return
        document, problems = Document.read(text, shown_as)
        self.found.problems += problems
        if document.data is None and problems:
            return  # not YAML at all: it has been said
        resolved = path.resolve()
        self.documents[resolved] = document
        if asked is None:
            self.named = extensions.named(document, self.folder, self.plugins, self.found)
        else:
            extensions.not_here(document, self.found)
        replace_settings(document, self.given, path.parent)
        self.passwords |= written(document)
        self._validate(document, included=asked is not None, faulty=bool(problems))
        for other, place in included(document, resolved, self.folder, self.found):
            if other == resolved or any(other == p for p, _ in chain):
                circle(chain, place, self.found)
            elif other not in self.documents:
                name = other.relative_to(self.folder).as_posix()
                self.read(other, name, [*chain, (resolved, place)], place)

    def _validate(self, document: Document, *, included: bool, faulty: bool) -> None:
        wrong = schema.findings(document, plugged.settings_of(document.data, self.plugins), included)
        at_faults = (
            {(p.where.line, p.where.column) for p in self.found.problems if p.where} if faulty else set()
        )
        for finding in wrong:
            if finding.silent or finding.path in document.unresolved:
                continue
            problem = schema.as_problem(document, finding)
            if problem.where is None or (problem.where.line, problem.where.column) not in at_faults:
                self.found.problems.append(problem)
        self.sections.add(document, wrong, self.found)


def _build(reader: _Reader, allow_paths: Sequence[Path]) -> Declaration:
    sections, found, named = reader.sections, reader.found, reader.sections.named
    main = next(iter(reader.documents.values()))
    calendar = _calendar(sections.one("calendar"), found)
    currency = _plain(sections, "currency", "")
    plugged.check_plugins(sections, reader.plugins, found)
    sources = {
        n: plugged.source(n, e, reader.folder, reader.plugins, found) for n, e in named["sources"].items()
    }
    made = {n: datasets.dataset(n, e, sections, found) for n, e in named["datasets"].items()}
    datasets.check_link_keys(made, found)
    added = Additions()
    scored = {n: s for n, e in named["scores"].items() if (s := scores.score(n, e, sections, added, found))}
    flows = {n: f for n, e in named["funnels"].items() if (f := funnels.funnel(n, e, sections, added, found))}
    groups = {
        n: c for n, e in named["cohorts"].items() if (c := cohorts.cohort(n, e, sections, added, found))
    }
    foretold = {
        n: said
        for n, e in named["forecasts"].items()
        if (said := forecasts.forecast(n, e, made, sections, added, found))
    }
    made = added.into(made, found)
    measured = {n: kpis.kpi(n, e, calendar, currency, found) for n, e in named["kpis"].items()}
    crosschecks.check_kpis(measured, sections, found)
    for kind, section in (("dataset", "datasets"), ("KPI", "kpis")):
        check_capitals(kind, {n: e.key for n, e in named[section].items()}, found)
    rates = sections.one("rates")
    allowed = (*_allowed(sections, reader.folder, found), *allow_paths)
    limits = sections.one("compute")
    channels = {n: plugged.channel(n, e, reader.folder, found) for n, e in named["channels"].items()}
    reported = {
        n: reports.report(n, e, measured, calendar, sections, found) for n, e in named["reports"].items()
    }
    added_to = extensions.additions(reader.named, reader.plugins, found)
    gone = extensions.broken(reader.named, reader.plugins, found)
    extensions.check_blocks(reported, added_to, gone, found)
    routed, sent, kept = (sections.one(name) for name in ("routes", "deliveries", "state"))
    routed_to = routes.routes(routed, measured, sections, found) if routed else ()
    delivered = operations.deliveries(sent, sections, found) if sent else Deliveries()
    reports_to = [one for report in reported.values() for one in report.to]
    alerts_to = [one for route in routed_to for one in route.to]
    check_channels("report", reports_to, channels, reader.plugins, found)
    check_channels("alert", alerts_to, channels, reader.plugins, found)
    check_channels("failure", delivered.failures, channels, reader.plugins, found)
    for report in reported.values():
        own = () if report.per is not None and report.per.segment.value == "owner" else report.to
        check_owner(report.owner, report.place.child("owner"), own, channels, reader.plugins, found)
    for kpi in measured.values():
        own = tuple(one for route in routed_to if routes.may_match(kpi, route.match) for one in route.to)
        if kpi.owner:
            check_owner(kpi.owner, kpi.place.child("owner"), own, channels, reader.plugins, found)
    check_failures(delivered.failures, [*reports_to, *alerts_to], found)
    return Declaration(
        file=reader.file,
        calendar=calendar,
        place=Place(main),
        currency=currency,
        locale=_plain(sections, "locale", "en"),
        sources=sources,
        datasets=made,
        segments={n: datasets.segment(n, e, sections, found) for n, e in named["segments"].items()},
        kpis=measured,
        scores=scored,
        funnels=flows,
        cohorts=groups,
        forecasts=foretold,
        behind=added.kpis,
        channels=channels,
        reports=reported,
        routes=routed_to,
        judging=_judging(sections.one("alerts"), calendar, found),
        deliveries=delivered,
        state=operations.state(kept, found) if kept else StateSettings(),
        tests={
            n: kpi_tests.kpi_test(n, e, measured, calendar, sections, found)
            for n, e in named["tests"].items()
        },
        milestones=_dates(named["milestones"], found),
        notes=_notes(named["notes"], found),
        rates=datasets.rates(rates, sections, found) if rates else None,
        holidays=_holidays(sections.one("calendar"), found),
        cache=Cache(**sections.single["cache"][0].value) if "cache" in sections.single else Cache(),
        compute=machine.compute(limits, reader.folder, allowed, found) if limits else Compute(),
        allow_paths=allowed,
        added=added_to,
        plugin_places={entry.name: entry.place for entry in reader.named},
        secrets=frozenset(reader.given.secrets),
        passwords=frozenset(reader.passwords - reader.given.secrets),
        documents=tuple(reader.documents.values()),
        broken=frozenset(sections.broken) | gone,
    )


def _plain(sections: Sections, name: str, default: str) -> str:
    entry = sections.one(name)
    return str(entry.value) if entry else default


def _calendar(entry: Entry | None, found: Findings) -> Calendar:
    if entry is None:
        return Calendar()
    value = entry.value
    return Calendar(
        zone(value["timezone"], entry.place.child("timezone"), found) if "timezone" in value else UTC,
        MONTH_NAMES.index(value.get("fiscal_year_starts", "january")) + 1,
        value.get("fiscal_year_named", "end"),
    )


def _judging(entry: Entry | None, calendar: Calendar, found: Findings) -> Schedule | None:
    if entry is None:
        return None
    return schedules.schedule(entry.value["schedule"], entry.place.child("schedule"), calendar, found)


def _holidays(entry: Entry | None, found: Findings) -> Holidays:
    if entry is None or "holidays" not in entry.value:
        return Holidays()
    return holidays.holidays(entry.value["holidays"], entry.place.child("holidays"), found)


def _dates(entries: Mapping[str, Entry], found: Findings) -> dict[str, dt.date]:
    dates = {name: values.date(entry.value, entry.place, found) for name, entry in entries.items()}
    return {name: day for name, day in dates.items() if day is not None}


def _notes(entries: Mapping[str, Entry], found: Findings) -> dict[dt.date, Localized]:
    days = {name: values.date(name, entry.key, found) for name, entry in entries.items()}
    return {day: values.localized(entries[name].value) for name, day in days.items() if day is not None}


def _allowed(sections: Sections, folder: Path, found: Findings) -> Iterator[Path]:
    for entry in sections.single.get("allow_paths", ()):
        base = (folder / entry.place.document.shown_as).parent
        for text, place in values.each(entry.value, entry.place):
            try:
                yield (base / text).resolve()
            except (OSError, ValueError) as error:
                found.error("bad-path", f"'{text[:80]}' cannot be used as a path: {error}", place)
