"""All analyses of a run: which are wanted, what they ask for, and their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cadran.analysis.answers import Answers
from cadran.analysis.asking import Analysis, Asking, Found
from cadran.analysis.cohorts import CohortAnalysis
from cadran.analysis.funnels import FunnelAnalysis
from cadran.analysis.scored import RowAnalysis
from cadran.analysis.scores import TOP, ScoreAnalysis
from cadran.compute.cells.computed import Computed
from cadran.compute.spans import Clock
from cadran.declare.model import Declaration, Report
from cadran.formula.derive import Derivation
from cadran.formula.measures import Model
from cadran.problems import Problem, ProblemsFound, listed, suggest


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names of what is asked for; a score with how many rows are listed (None: all)."""

    funnels: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    scores: Mapping[str, int | None] = field(default_factory=dict)
    scored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by score, keys of rows as written

    def __bool__(self) -> bool:
        return any((self.funnels, self.cohorts, self.scores, self.scored))


def of_report(report: Report | None, declaration: Declaration) -> Wanted:
    """What a report shows beside KPIs: what it names, else all of them where it shows all KPIs."""
    every = report is None or not report.kpis
    named: dict[str, tuple[str, ...]] = {}
    for part in ("funnels", "cohorts", "scores"):
        said = getattr(report, part) if report is not None else None
        known = tuple(getattr(declaration, part))
        named[part] = tuple(text.value for text in said) if said is not None else known if every else ()
    return Wanted(named["funnels"], named["cohorts"], dict.fromkeys(named["scores"], TOP))


def of_reports(declaration: Declaration) -> Wanted:
    """What all declared reports show together."""
    shown = [of_report(report, declaration) for report in declaration.reports.values()]
    return Wanted(
        tuple(dict.fromkeys(name for wanted in shown for name in wanted.funnels)),
        tuple(dict.fromkeys(name for wanted in shown for name in wanted.cohorts)),
        {name: top for wanted in shown for name, top in wanted.scores.items()},
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


class Analyses:
    """Those of one run: made before it computes, answered after."""

    def __init__(self, wanted: Wanted, declaration: Declaration, model: Model, clock: Clock) -> None:
        self.asking = Asking(declaration, Derivation(model), clock)
        self._made = {part: dict(made) for part, made in _made(wanted, declaration)}
        for analyses in self._made.values():
            for analysis in analyses.values():
                analysis.ask(self.asking)

    def answers(self, computed: Computed) -> Answers:
        found = Found(computed, self.asking)
        return Answers(
            **{part: {name: a.answer(found) for name, a in made.items()} for part, made in self._made.items()}
        )


def _made(wanted: Wanted, declaration: Declaration) -> Iterator[tuple[str, dict[str, Analysis]]]:
    yield "funnels", {n: FunnelAnalysis(declaration.funnels[n]) for n in wanted.funnels}
    yield "cohorts", {n: CohortAnalysis(declaration.cohorts[n]) for n in wanted.cohorts}
    yield "scores", {n: ScoreAnalysis(declaration.scores[n], top) for n, top in wanted.scores.items()}
    yield "scored", {n: RowAnalysis(declaration.scores[n], keys) for n, keys in wanted.scored.items()}
