"""All analyses of a run: which are wanted, what they ask for, and their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cadran.analysis.answers import Answers, MilestoneQuestion, WhyQuestion
from cadran.analysis.asking import Analysis, Asking, Found
from cadran.analysis.cohorts import CohortAnalysis
from cadran.analysis.forecasts import ForecastAnalysis
from cadran.analysis.funnels import FunnelAnalysis
from cadran.analysis.milestones import MilestoneAnalysis
from cadran.analysis.pace import PaceAnalysis
from cadran.analysis.scored import RowAnalysis
from cadran.analysis.scores import TOP, ScoreAnalysis
from cadran.analysis.why import WhyAnalysis
from cadran.compute.cells.computed import Computed, Request
from cadran.compute.planning.plan import columns_of, measures_of
from cadran.compute.planning.selection import choose
from cadran.compute.spans import Clock
from cadran.declare.model import RATES, Declaration, Kpi, Report
from cadran.formula.derive import Derivation
from cadran.formula.measures import Model
from cadran.problems import Problem, ProblemsFound, in_order, listed, suggest

EVERY = "*"  # in the place of names: all that are declared


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, by name; a score with how many rows are listed (None: all).

    ``pace`` are KPIs, or tags as ``tag:NAME``, by their segments as well if ``pace_segments``; in ``pace`` and ``forecasts``,
    ``EVERY`` is all there are. ``whys`` are changes to be explained, ``moves`` those that are explained where they can be.
    """

    funnels: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    scores: Mapping[str, int | None] = field(default_factory=dict)
    pace: tuple[str, ...] = ()
    pace_segments: bool = False
    forecasts: tuple[str, ...] = ()
    scored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by score, keys of rows as written
    whys: tuple[WhyQuestion, ...] = ()
    moves: tuple[WhyQuestion, ...] = ()
    milestones: tuple[MilestoneQuestion, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.count or self.moves)

    @property
    def count(self) -> int:
        """How many questions there are to be answered, those aside that are answered where they can be."""
        asked = (self.funnels, self.cohorts, self.scores, self.scored, self.pace, self.forecasts)
        return sum(map(len, asked)) + len(self.whys) + len(self.milestones)


class Needed(Exception):
    """An answer needs data that is not to be had."""


def of_report(report: Report | None, declaration: Declaration) -> Wanted:
    """What a report shows beside KPIs: what it names, else all of them where it shows all KPIs."""
    every = report is None or not report.kpis
    named: dict[str, tuple[str, ...]] = {}
    for part in ("funnels", "cohorts", "scores", "forecasts"):
        said = getattr(report, part) if report is not None else None
        known = tuple(getattr(declaration, part))
        named[part] = tuple(text.value for text in said) if said is not None else known if every else ()
    pace = report.pace if report is not None else None
    paced = tuple(text.value for text in pace) if pace is not None else _with_targets(declaration, every)
    moves = tuple(_moves(report, declaration))
    return Wanted(
        named["funnels"],
        named["cohorts"],
        dict.fromkeys(named["scores"], TOP),
        paced,
        forecasts=named["forecasts"],
        moves=moves,
        milestones=_compared(report, declaration),
    )


def _with_targets(declaration: Declaration, every: bool) -> tuple[str, ...]:
    return tuple(n for n, kpi in declaration.kpis.items() if every and kpi.reported and kpi.targets)


def _compared(report: Report | None, declaration: Declaration) -> tuple[MilestoneQuestion, ...]:
    """A KPI of a report before and after the milestone that it looks back at."""
    if report is None or report.compare is None:
        return ()
    milestone, months = report.compare.milestone.value, report.compare.months
    named = [kpi.value for kpi in report.compare.kpis]
    declared = [declaration.kpis[name] for name in named]
    kpis = [kpi for kpi in declared if kpi.reported] if named else _kpis(report, declaration)
    return tuple(MilestoneQuestion(kpi.name, milestone, months) for kpi in kpis)


def _moves(report: Report | None, declaration: Declaration) -> Iterator[WhyQuestion]:
    """The changes of a report's KPIs at the period that it shows them at."""
    wanted = "last" if report is None else report.period.strip() or "last"
    grain = wanted.removeprefix("last").strip().replace(" ", "_")
    fixed = declaration.calendar.parse(wanted) if grain == wanted else None
    for kpi in (k for k in _kpis(report, declaration) if any(k.segments)):
        if fixed is not None and fixed.grain in kpi.periods:
            yield WhyQuestion(kpi.name, wanted)
        elif fixed is None:
            yield WhyQuestion(kpi.name, grain if grain in kpi.periods else "")


def _kpis(report: Report | None, declaration: Declaration) -> list[Kpi]:
    """Those of a report, as declared."""
    named = {text.value for text in report.kpis} if report is not None else set()
    return [
        kpi
        for kpi in declaration.kpis.values()
        if kpi.reported
        and (not named or kpi.name in named or any(f"tag:{tag}" in named for tag in kpi.tags))
    ]  # fmt: skip


def of_reports(declaration: Declaration) -> Wanted:
    """What all declared reports show together."""
    shown = [of_report(report, declaration) for report in declaration.reports.values()]
    return Wanted(
        tuple(dict.fromkeys(name for wanted in shown for name in wanted.funnels)),
        tuple(dict.fromkeys(name for wanted in shown for name in wanted.cohorts)),
        {name: top for wanted in shown for name, top in wanted.scores.items()},
        tuple(dict.fromkeys(name for wanted in shown for name in wanted.pace)),
        forecasts=tuple(dict.fromkeys(name for wanted in shown for name in wanted.forecasts)),
        moves=tuple(dict.fromkeys(question for wanted in shown for question in wanted.moves)),
        milestones=tuple(dict.fromkeys(question for wanted in shown for question in wanted.milestones)),
    )


def chosen(declaration: Declaration, section: str, names: Sequence[str]) -> tuple[str, ...]:
    """The names as given, or all that are declared there. Raises ProblemsFound for an unknown one, or where there are none."""
    known = list(getattr(declaration, section))
    unknown = [name for name in names if name not in known]
    if known and not unknown:
        return tuple(names) or tuple(known)
    one = section.removesuffix("s")
    if not known:
        raise ProblemsFound(
            [
                Problem(
                    f"no-{section}", f"no {section} are declared", None, "", f"declare one under '{section}:'"
                )
            ]
        )
    raise ProblemsFound(
        [
            Problem(
                f"unknown-{one}",
                f"unknown {one} '{name}'",
                None,
                "",
                suggest(name, known) or f"there are: {listed(known)}",
            )
            for name in unknown
        ]
    )


def without(
    wanted: Wanted, declaration: Declaration, model: Model, clock: Clock, apart: frozenset[str]
) -> Wanted:
    """What of it rests on none of these datasets."""

    def stands(**one: Any) -> bool:
        asking = Analyses(Wanted(**one), declaration, model, clock).asking
        request = Request((), behind=asking.behind, listings=asking.listings)
        needed = {dataset for dataset, _ in columns_of(asking.model, request)}
        if any(measure.convert for measure in measures_of(asking.model, [asking.model.kpis[name] for name in asking.behind])):  # fmt: skip
            needed.add(RATES)
        return not apart & needed

    every = tuple(declaration.forecasts) if EVERY in wanted.forecasts else wanted.forecasts
    paced = choose(declaration, () if EVERY in wanted.pace else wanted.pace) if wanted.pace else []
    return Wanted(
        tuple(name for name in wanted.funnels if stands(funnels=(name,))),
        tuple(name for name in wanted.cohorts if stands(cohorts=(name,))),
        {name: top for name, top in wanted.scores.items() if stands(scores={name: top})},
        tuple(name for name in paced if stands(pace=(name,))),
        wanted.pace_segments,
        tuple(name for name in every if stands(forecasts=(name,))),
        {name: keys for name, keys in wanted.scored.items() if stands(scored={name: keys})},
        tuple(question for question in wanted.whys if stands(whys=(question,))),
        tuple(question for question in wanted.moves if stands(moves=(question,))),
        tuple(question for question in wanted.milestones if stands(milestones=(question,))),
    )


class Analyses:
    """Those of one run: made before it computes, answered after."""

    def __init__(self, wanted: Wanted, declaration: Declaration, model: Model, clock: Clock) -> None:
        """Raises ProblemsFound with all that is wrong with what is wanted."""
        self.asking = Asking(declaration, Derivation(model), clock)
        self._made: dict[str, dict[Any, Analysis]] = {p: dict(made) for p, made in _made(wanted, declaration)}
        problems = [
            p for made in self._made.values() for analysis in made.values() for p in self._asked(analysis)
        ]
        if problems:
            raise ProblemsFound(in_order(dict.fromkeys(problems)))
        for question in wanted.moves:
            analysis = WhyAnalysis(question)
            if question not in self._made["whys"] and not self._asked(analysis):
                self._made["whys"][question] = analysis

    def _asked(self, analysis: Analysis) -> Sequence[Problem]:
        """What keeps it from being asked."""
        try:
            analysis.ask(self.asking)
        except ProblemsFound as found:
            return found.problems
        return ()

    def answers(self, computed: Computed) -> Answers:
        found = Found(computed, self.asking)
        return Answers(
            **{part: {name: a.answer(found) for name, a in made.items()} for part, made in self._made.items()}
        )


def _made(wanted: Wanted, declaration: Declaration) -> Iterator[tuple[str, Mapping[Any, Analysis]]]:
    yield "funnels", {n: FunnelAnalysis(declaration.funnels[n]) for n in wanted.funnels}
    yield "cohorts", {n: CohortAnalysis(declaration.cohorts[n]) for n in wanted.cohorts}
    yield "milestones", {question: MilestoneAnalysis(question) for question in wanted.milestones}
    yield "whys", {question: WhyAnalysis(question) for question in wanted.whys}
    yield "scores", {n: ScoreAnalysis(declaration.scores[n], top) for n, top in wanted.scores.items()}
    yield "scored", {n: RowAnalysis(declaration.scores[n], keys) for n, keys in wanted.scored.items()}
    yield (
        "forecasts",
        {n: ForecastAnalysis(declaration.forecasts[n]) for n in _forecasts(declaration, wanted.forecasts)},
    )
    kpis = choose(declaration, () if EVERY in wanted.pace else wanted.pace) if wanted.pace else []
    yield "pace", {n: PaceAnalysis(n, wanted.pace_segments) for n in kpis}


def _forecasts(declaration: Declaration, wanted: Sequence[str]) -> list[str]:
    """Their names. Raises ProblemsFound for those that are not declared."""
    known = list(declaration.forecasts)
    problems = []
    for name in (EVERY,) * bool(wanted and not known) or (n for n in wanted if n not in (EVERY, *known)):
        hint = suggest(name, known) or f"there are: {listed(known)}"
        message = f"unknown forecast '{name}'"
        if not known:
            message, hint = "no forecast is declared", "declare one under 'forecasts' in kpis.yaml"
        problems.append(Problem("unknown-forecast", message, None, "", hint))
    if problems:
        raise ProblemsFound(problems)
    return known if EVERY in wanted else list(dict.fromkeys(wanted))
