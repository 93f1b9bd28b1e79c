"""A read of all rows that would leave an empty table behind is an error: figures over no rows are 0, and look right."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from cadran.plugins.connector import Column, DataError, Rejected, Table
from sync.fake import DEALS, world
from sync.syncing import Copy

PLAIN = Table("deals", DEALS.columns)  # read whole each time
TEXT = Column("amount", "VARCHAR")


def copied(tmp_path: Path, table: Table = DEALS, rows: int = 10) -> Copy:
    copy = Copy(tmp_path, world(table, size=4))
    for number in range(rows):
        copy.of.deal(number)
    return copy


def failed(copy: Copy, **options: Any) -> DataError:
    error = copy.sync(**options)["deals"].error
    assert isinstance(error, DataError)
    return error


@pytest.mark.parametrize("table", [DEALS, PLAIN])
@pytest.mark.parametrize("full", [False, True])
def test_where_no_row_can_be_taken_the_old_table_stands(tmp_path: Path, table: Table, full: bool) -> None:
    copy = copied(tmp_path, table)
    copy.one()
    was = copy.rows()
    copy.of.strange = lambda stream: (
        Rejected(f"deals, id {n}", "amount: 1.5 is no time") if n < 10 else item
        for n, item in enumerate([*range(10), *list(stream)[-1:]])
    )
    copy.of.tables["deals"].rows.clear()
    error = failed(copy, full=True) if full or table is DEALS else failed(copy)
    assert error.message == "no row of table 'deals' can be taken: amount: 1.5 is no time"
    assert "correct the type" in error.hint
    assert copy.rows() == was and copy.aside() == []


def test_where_no_row_fits_the_type_that_is_kept(tmp_path: Path) -> None:
    copy = copied(tmp_path, PLAIN)
    copy.one()
    copy.of.columns("deals", *(TEXT if c.name == "amount" else c for c in DEALS.columns))
    for row in copy.of.tables["deals"].rows:
        row["amount"] = "n/a"
    assert failed(copy).message == "no row of table 'deals' can be taken: amount: n/a is no DECIMAL(18,2)"
    assert len(copy.rows()) == 10
    assert copy.one(full=True).counts.rows == 10


def test_a_few_bad_rows_are_set_aside_as_ever(tmp_path: Path) -> None:
    copy = copied(tmp_path, PLAIN, rows=0)
    copy.of.strange = lambda stream: iter(
        [*(Rejected(f"deals {n}", "amount: x is no number") for n in range(9)), *stream]
    )
    assert copy.one().counts.aside == 9


@pytest.mark.parametrize("table", [DEALS, PLAIN])
def test_a_table_that_is_empty_all_at_once(tmp_path: Path, table: Table) -> None:
    copy = copied(tmp_path, table)
    copy.set(full_every=copy.settings.max_age / 1000)
    copy.one()
    copy.of.tables["deals"].rows.clear()
    error = failed(copy)
    assert error.message == "table 'deals' has no rows any more, and had 10"
    assert "'cadran sync crm.deals --full' takes it as it is" in error.hint
    assert len(copy.rows()) == 10
    assert copy.one(full=True).counts.rows == 0
    assert copy.one().counts.rows == 0, "nothing is lost any more"


@pytest.mark.parametrize(("rows", "deletes", "config"), [(9, "unseen", ""), (10, "never", ""), (10, "unseen", "another")])  # fmt: skip
def test_what_is_no_doubt(
    tmp_path: Path, rows: int, deletes: Literal["unseen", "never"], config: str
) -> None:
    copy = copied(tmp_path, Table("deals", DEALS.columns, key=("id",), deletes=deletes), rows)
    copy.one()
    copy.of.tables["deals"].rows.clear()
    copy.config = config
    assert copy.one().counts.rows == (10 if deletes == "never" else 0)
