"""Cohorts as people read them: a matrix in which what is left of each cohort fades with its age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.analysis.answers import CohortAnswer, CohortCell, CohortMatrix
from cadran.calendar import Grain
from cadran.compute.results import Number, joined
from cadran.declare.model import Cohort
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.context import Figure
from cadran.publish.figures import Figures, spaced


@dataclass(frozen=True, slots=True)
class CellBlock:
    """One cell; ``heat`` is its part of the largest rate behind age 0, from 0 to 1, None where there is no figure."""

    rate: Figure
    value: Figure
    heat: float | None
    is_share: bool
    state: str
    state_text: str
    period_text: str


@dataclass(frozen=True, slots=True)
class CohortLine:
    period_text: str
    short_text: str
    size: Figure
    cells: tuple[CellBlock, ...]


@dataclass(frozen=True, slots=True)
class MatrixBlock:
    """One matrix: that of all (``label`` is empty), or of one segment value."""

    label: str
    rows: tuple[CohortLine, ...]
    average: tuple[Figure, ...]
    is_share: bool

    @property
    def average_texts(self) -> tuple[str, ...]:
        return tuple(_short(figure, is_share=self.is_share) for figure in self.average)


@dataclass(frozen=True, slots=True)
class CohortBlock:
    name: str
    label: str
    description: str
    grain: str
    ages: tuple[int, ...]
    age_texts: tuple[str, ...]  # what each age is called in words
    matrices: tuple[MatrixBlock, ...]


def cohort_block(answer: CohortAnswer, figures: Figures) -> CohortBlock | None:
    cohort = figures.declaration.cohorts[answer.name]
    if not answer.matrices:
        return None
    ages = tuple(range(cohort.ages + 1))
    return CohortBlock(
        name=cohort.name,
        label=figures.text(cohort.label) or spaced(cohort.name),
        description=figures.text(cohort.description),
        grain=str(cohort.grain),
        ages=ages,
        age_texts=tuple(_age(age, cohort.grain, figures) for age in ages),
        matrices=tuple(_matrix(matrix, cohort, figures) for matrix in answer.matrices),
    )


def _age(age: int, grain: Grain, figures: Figures) -> str:
    """An age in words, for who cannot see the head of a column."""
    ngettext = figures.ngettext
    match grain:
        case Grain.WEEK:
            return ngettext("after %(num)s week", "after %(num)s weeks", age)
        case Grain.QUARTER:
            return ngettext("after %(num)s quarter", "after %(num)s quarters", age)
        case Grain.YEAR:
            return ngettext("after %(num)s year", "after %(num)s years", age)
        case _:
            return ngettext("after %(num)s month", "after %(num)s months", age)


def _matrix(matrix: CohortMatrix, cohort: Cohort, figures: Figures) -> MatrixBlock:
    most = max(
        (c.rate for row in matrix.rows for c in row.cells if c.age and c.rate is not None), default=0.0
    )
    return MatrixBlock(
        figures.segment(matrix.segment_value),
        tuple(
            CohortLine(
                figures.form.period(row.period),
                figures.form.short_period(row.period),
                figures.figure(row.size),
                tuple(_cell(cell, cohort, most, figures) for cell in row.cells),
            )
            for row in matrix.rows
            if row.size
        ),
        tuple(figures.figure(rate, cohort.unit) for rate in matrix.average),
        cohort.unit == "percent",
    )


def _cell(cell: CohortCell, cohort: Cohort, most: float, figures: Figures) -> CellBlock:
    heat = None if cell.rate is None else min(1.0, cell.rate / most) if most else 0.0
    value: Number | None = cell.value
    unit = "" if cohort.unit == "percent" else cohort.unit
    return CellBlock(
        figures.figure(cell.rate, cohort.unit), figures.figure(value, unit), heat, cohort.unit == "percent", cell.state,
        figures.state(cell.state), figures.form.period(cell.period),
    )  # fmt: skip


# --- tables and records ------------------------------------------------------------------------------------------------


def sheets(block: CohortBlock, figures: Figures) -> Iterator[Sheet]:
    gettext = figures.gettext
    heads = (gettext("Began in"), gettext("How many"), *(str(age) for age in block.ages))
    for matrix in block.matrices:
        rows = [(row.short_text, row.size.text, *_texts(row, len(block.ages))) for row in matrix.rows]
        average = (gettext("Average"), "", *matrix.average_texts)
        title = f"{block.label} · {matrix.label}" if matrix.label else block.label
        running = gettext("in progress")
        notes = [gettext("in percent of those who began")] if matrix.is_share else []
        notes += [f"* {running}"] if any("*" in cell for row in rows for cell in row) else []
        about = "" if matrix.label else block.description
        yield Sheet(title, heads, (*rows, average), about, notes=tuple(notes))


def _texts(row: CohortLine, ages: int) -> Sequence[str]:
    cells = [_short(cell.rate, is_share=cell.is_share) + "*" * (cell.state != "final") for cell in row.cells]
    return [*cells, *[""] * (ages - len(cells))]


def _short(figure: Figure, *, is_share: bool) -> str:
    """Shares in whole percent, without the sign: a matrix has many of them."""
    if figure.raw is None or not is_share:
        return figure.text
    return f"{float(figure.raw):.0%}".removesuffix("%")


def records(answer: CohortAnswer) -> Iterator[dict[str, Any]]:
    """One for each cell."""
    for matrix in answer.matrices:
        for row in matrix.rows:
            for cell in row.cells:
                yield {
                    "cohorts": answer.name, "segment": joined(matrix.segment),
                    "segment_value": joined(matrix.segment_value), "cohort": row.period,
                    "cohort_start": row.period_start, "size": row.size, "age": cell.age, "period": cell.period,
                    "value": cell.value, "rate": cell.rate, "state": cell.state,
                }  # fmt: skip
