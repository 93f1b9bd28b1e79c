"""Cohorts as people read them: a matrix in which what is left of each cohort fades with its age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cadran.analysis.answers import CohortAnswer, CohortCell, CohortMatrix
from cadran.calendar import Grain
from cadran.compute.results import Number, joined
from cadran.declare.model import Cohort
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.context_parts import Figure
from cadran.publish.figures import Figures, spaced
from cadran.publish.formatting import exact


@dataclass(frozen=True, slots=True)
class CellBlock:
    """What is left of a cohort at one age.

    rate: the share of those who began, or the amount for each of them
    value: what the share is of
    heat: the rate's part of the largest one after age 0, from 0 to 1; None without a figure
    is_share: whether the rate is a share
    state: final or open
    state_text: for people; empty where it is final
    period_text: the period that the age falls into
    text: the rate in a few signs, a share in whole percent
    """

    rate: Figure
    value: Figure
    heat: float | None
    is_share: bool
    state: str
    state_text: str
    period_text: str
    text: str


@dataclass(frozen=True, slots=True)
class CohortLine:
    """Those who began in one period.

    period_text: the period in words
    short_text: the same in a few signs
    size: how many they are
    cells: what is left of them, from age 0 on
    """

    period_text: str
    short_text: str
    size: Figure
    cells: tuple[CellBlock, ...]


@dataclass(frozen=True, slots=True)
class MatrixBlock:
    """A matrix of cohorts and ages.

    label: the segment's value that it is of; empty for all
    rows: the cohorts, the oldest first
    average: what is left at each age, of all cohorts that have come so far
    is_share: whether rates are shares
    average_texts: the average in a few signs
    """

    label: str
    rows: tuple[CohortLine, ...]
    average: tuple[Figure, ...]
    is_share: bool
    average_texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CohortBlock:
    """What is left, age by age, of those who began in each period.

    name: their name
    label: for people
    description: what they are about
    grain: how long an age is: week, month, quarter or year
    ages: 0, 1, 2, …
    age_texts: what each age is called
    matrices: that of all first, then one for each segment value
    tables: all of it as plain tables
    """

    name: str
    label: str
    description: str
    grain: str
    ages: tuple[int, ...]
    age_texts: tuple[str, ...]  # what each age is called in words
    matrices: tuple[MatrixBlock, ...]
    tables: tuple[Sheet, ...] = ()


def cohort_block(answer: CohortAnswer, figures: Figures) -> CohortBlock | None:
    cohort = figures.declaration.cohorts[answer.name]
    if not answer.matrices:
        return None
    ages = tuple(range(cohort.ages + 1))
    block = CohortBlock(
        name=cohort.name,
        label=figures.text(cohort.label) or spaced(cohort.name),
        description=figures.text(cohort.description),
        grain=str(cohort.grain),
        ages=ages,
        age_texts=tuple(_age(age, cohort.grain, figures) for age in ages),
        matrices=tuple(_matrix(matrix, cohort, figures) for matrix in answer.matrices),
    )
    return replace(block, tables=tuple(sheets(block, figures)))


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
    average = tuple(figures.figure(rate, cohort.unit) for rate in matrix.average)
    return MatrixBlock(
        figures.segment(matrix.segment_value, matrix.segment),
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
        average,
        cohort.unit == "percent",
        tuple(_short(figure, figures, is_share=cohort.unit == "percent") for figure in average),
    )


def _cell(cell: CohortCell, cohort: Cohort, most: float, figures: Figures) -> CellBlock:
    heat = None if cell.rate is None else min(1.0, cell.rate / most) if most else 0.0
    value: Number | None = cell.value
    unit = "" if cohort.unit == "percent" else cohort.unit
    rate, share = figures.figure(cell.rate, cohort.unit), cohort.unit == "percent"
    return CellBlock(
        rate, figures.figure(value, unit), heat, share, cell.state, figures.state(cell.state),
        figures.form.period(cell.period), _short(rate, figures, is_share=share),
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
    cells = [cell.text + "*" * (cell.state != "final") for cell in row.cells]
    return [*cells, *[""] * (ages - len(cells))]


def _short(figure: Figure, figures: Figures, *, is_share: bool) -> str:
    """Shares in whole percent, without the sign: a matrix has many of them."""
    share = exact(figure.raw)
    return figure.text if share is None or not is_share else figures.form.number(share.scaleb(2), 0)


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
