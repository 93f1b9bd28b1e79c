"""All that a run of the sample project gives, written as ``by_hand.py`` writes it: one CSV for each kind of answer.

python -m benchmarks.project.answers PROJECT OUT
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cadran
from benchmarks.project import AS_OF
from cadran.analysis.analyse import Wanted
from cadran.publish.analyses import cohorts, funnels, scores
from cadran.publish.analyses.written import to_csv
from cadran.publish.figures import Figures
from cadran.publish.outputs import to_csv as kpis_to_csv


def write(project: Path, out: Path) -> None:
    """``kpis.csv``, ``funnels.csv``, ``cohorts.csv`` and ``scores.csv``; of scores every row that is listed, not the best ten."""
    opened = cadran.open(project)
    declaration, _ = opened.declaration()
    assert declaration is not None
    wanted = Wanted(
        tuple(declaration.funnels), tuple(declaration.cohorts), dict.fromkeys(declaration.scores, None)
    )
    results = opened.run(as_of=AS_OF, analyses=wanted)
    answers = results.answers
    assert answers is not None
    figures = Figures(results.declaration, results.declaration.locale)
    written = {
        "kpis": kpis_to_csv(results),
        "funnels": to_csv(record for a in answers.funnels.values() for record in funnels.records(a)),
        "cohorts": to_csv(record for a in answers.cohorts.values() for record in cohorts.records(a)),
        "scores": to_csv(_shared(r for a in answers.scores.values() for r in scores.records(a, figures))),
    }
    for name, text in written.items():
        (out / f"{name}.csv").write_text(text, encoding="utf-8")


def _shared(records: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What all scores have: a row's key, its points and its band."""
    for record in records:
        yield {name: record[name] for name in ("score", "id", "points", "band")}


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
