"""Cells of a matrix of cohorts: whole percent, rounded as every other figure is."""

from __future__ import annotations

import datetime as dt

import pytest

from cadran.analysis.answers import CohortAnswer, CohortCell, CohortMatrix, CohortRow
from cadran.declare.document import nowhere
from cadran.declare.model import Cohort
from cadran.publish.analyses.cohorts import cohort_block
from cadran.publish.figures import Figures

from . import fakes


@pytest.mark.parametrize(
    ("kept", "of", "said"),
    [(5, 8, "63"), (1, 8, "13"), (3, 8, "38"), (1, 200, "1"), (2, 2, "100"), (0, 4, "0")],
)
def test_halves_are_rounded_away_from_zero(kept: int, of: int, said: str) -> None:
    cells = (CohortCell(0, "2026-01", kept, kept / of, "final"),)
    row = CohortRow("2026-01", dt.date(2026, 1, 1), of, cells)
    answer = CohortAnswer("back", (CohortMatrix((), (), (row,), (kept / of,)),))
    cohort = Cohort("back", "orders", fakes.text("orders.customer"), nowhere(), ages=0)
    block = cohort_block(answer, Figures(fakes.declaration(cohorts={"back": cohort}), "fr"))
    assert block is not None
    (matrix,) = block.matrices
    assert (matrix.rows[0].cells[0].text, matrix.average_texts) == (said, (said,))
