"""Rows that are wanted themselves, as the SQL that lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from cadran.compute.cells.computed import Listing
from cadran.compute.hints import hint_for
from cadran.compute.loading.embedded import OutOfRoom, QueryError
from cadran.compute.lower import Lowering, cast, clock_as, column, text
from cadran.compute.placing.places import Places
from cadran.compute.scanning.currencies import rate_on
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.declare.findings import subject_of
from cadran.declare.model import Dataset
from cadran.formula.measures import Measure
from cadran.problems import Problem, ProblemsFound


def listed(
    listing: Listing, rows: RowsBuilder, session: Places, rates: exp.Expr | None, declared: Dataset
) -> list[tuple[Any, ...]]:
    """The rows' values, in the order that the listing says. Raises ProblemsFound for a column that cannot be computed."""
    try:
        return _asked(listing, rows, session, rates)
    except OutOfRoom:
        raise
    except QueryError as error:
        raise ProblemsFound([_blame(declared, rows, session, error)]) from error


def _blame(declared: Dataset, rows: RowsBuilder, session: Places, error: QueryError) -> Problem:
    """The derived column that cannot be computed: each is tried alone."""
    for name, written in declared.columns.items():
        try:
            _asked(Listing(declared.name, (name,)), rows, session, None)
        except QueryError as found:
            own = f"datasets.{declared.name}.columns.{name}"
            subject = subject_of(written.place.path) if name in declared.made else own
            where = written.place.position(0, len(written.value))
            return Problem("cannot-compute", found.message, where, subject, hint_for(found.message))
    where = declared.place.position()
    return Problem(
        "cannot-compute", error.message, where, f"datasets.{declared.name}", hint_for(error.message)
    )


def _asked(
    listing: Listing, rows: RowsBuilder, session: Places, rates: exp.Expr | None
) -> list[tuple[Any, ...]]:
    needs = {(listing.dataset, name) for name in listing.used} | rows.needs(
        listing.dataset, listing.expressions
    )
    tables = rows.build(needs)
    joined = Joined(rows, listing.dataset, tables.final[listing.dataset], tables.final)
    own = [column(name, joined.root) for name in listing.columns]
    others = [*_others(listing, rows, joined, rates)]
    named = [exp.alias_(node, f"x{n}", quoted=True) for n, node in enumerate(others)]
    select = joined.select(*own, *named)
    if listing.only:
        select = select.where(column(listing.only, joined.root), copy=False)
    for name, written in listing.equal:
        same = exp.EQ(this=cast(column(name, joined.root), "VARCHAR"), expression=text(written))
        select = select.where(same, copy=False)
    for name, descending in listing.order:
        ordered = exp.Ordered(this=column(name, joined.root), desc=descending, nulls_first=False)
        select = select.order_by(ordered, copy=False)
    if listing.counted:
        select = select.select(exp.Count(this=exp.Star(), big_int=True), copy=False)
        select = select.group_by(*(node.copy() for node in (*own, *others)), copy=False)
    if listing.limit is not None:
        select = select.limit(listing.limit, copy=False)
    return session.rows(tables.attach(select), f"rows of {listing.dataset}")


def _others(
    listing: Listing, rows: RowsBuilder, joined: Joined, rates: exp.Expr | None
) -> Iterator[exp.Expr]:
    lower = Lowering(rows.clock, joined.alias)
    for which in listing.times:
        yield column(rows.time(listing.dataset, which), joined.root)
    for node in listing.bound:
        yield lower(node)
    if listing.amount is not None:
        yield _amount(listing.amount, rows, joined, rates, lower)


def _amount(
    measure: Measure, rows: RowsBuilder, joined: Joined, rates: exp.Expr | None, lower: Lowering
) -> exp.Expr:
    assert measure.argument is not None
    amount = cast(lower(measure.argument), "DOUBLE")
    if not measure.convert or rates is None:
        return amount
    closed = cast(column(rows.time(measure.dataset, "to"), joined.root), "DATE")
    day = exp.Coalesce(this=closed, expressions=[clock_as("DATE", rows.clock)])
    return exp.Mul(this=amount, expression=cast(rate_on(day, measure, joined, rates), "DOUBLE"))
