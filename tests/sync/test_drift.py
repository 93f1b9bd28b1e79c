"""A source that comes to say something else: columns more, columns less, other types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins.connector import Column, End, Page, SchemaChanged
from cadran.sync import current
from sync.fake import DEALS, page, world
from sync.syncing import Copy

ID, NAME, AMOUNT, CHANGED = DEALS.columns


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    copy = Copy(tmp_path, world())
    copy.of.deal(1, "one", "1.25")
    copy.of.later(minutes=5)
    copy.of.deal(2, "two", "2.50")
    copy.one()
    copy.of.later(hours=1)
    return copy


def column(copy: Copy, name: str) -> dict[int, Any]:
    return {row["id"]: row.get(name, "none") for row in copy.rows()}


@pytest.mark.parametrize("setting, expected", [
    ("evolve", {1: None, 2: "b"}),
    ("ignore", {1: "none", 2: "none"}),
    ("fail", None),
])  # fmt: skip
def test_a_new_column(copy: Copy, setting: Any, expected: dict[int, Any] | None) -> None:
    copy.set(new_columns=setting)
    copy.of.columns("deals", ID, NAME, AMOUNT, CHANGED, Column("owner", "VARCHAR"))
    for row in copy.of.tables["deals"].rows:
        row["owner"] = "a"
    copy.of.deal(2, "two", "2.50", owner="b")
    done = copy.sync()["deals"]
    if expected is not None:
        assert (done.error, done.whole, column(copy, "owner")) == (None, False, expected)
    else:
        assert isinstance(done.error, SchemaChanged) and "has new columns: 'owner'" in done.error.message
        assert done.error.setting == ("sync", "new_columns")
        assert column(copy, "owner") == {1: "none", 2: "none"}
    copy.one(full=True)
    assert column(copy, "owner") == {1: "a", 2: "b"}, "--full takes the table as it is now"


def test_a_column_that_is_gone_is_an_error(copy: Copy) -> None:
    copy.of.columns("deals", ID, NAME, CHANGED)
    copy.of.deal(1, "changed")
    error = copy.sync()["deals"].error
    assert isinstance(error, SchemaChanged) and "has no column 'amount' any more" in error.message
    assert "missing_column: null" not in error.hint or "--full" in error.hint
    assert column(copy, "name") == {1: "one", 2: "two"}
    copy.one(full=True)
    assert column(copy, "amount") == {1: "none", 2: "none"}


def test_a_column_that_is_gone_is_empty_and_may_come_back(copy: Copy) -> None:
    copy.set(missing_column="null")
    copy.of.columns("deals", ID, NAME, CHANGED)
    copy.of.deal(1, "changed")
    assert not copy.one().whole
    assert column(copy, "amount") == {1: None, 2: None}, "an old value would look like one of today"
    copy.one()
    copy.of.columns("deals", ID, NAME, AMOUNT, CHANGED)
    assert copy.one().whole
    assert column(copy, "amount") == {1: Decimal("1.00"), 2: Decimal("2.50")}


def test_values_that_do_not_fit_the_old_type_are_set_aside(copy: Copy) -> None:
    copy.of.columns("deals", ID, NAME, Column("amount", "VARCHAR"), CHANGED)
    rows = copy.of.tables["deals"].rows
    rows[:] = [
        {"id": n, "name": "x", "amount": a, "changed": copy.of.now}
        for n, a in enumerate(["1.25", "n/a", "0.001", "7", None])
    ]
    done = copy.one()
    assert not done.whole and done.counts.aside == 2
    assert column(copy, "amount") == {0: Decimal("1.25"), 3: Decimal("7.00"), 4: None}
    assert copy.aside() == [
        ("deals, id 1", "amount: n/a is no DECIMAL(18,2)"),
        ("deals, id 2", "amount: 0.001 is no DECIMAL(18,2)"),
    ]
    note, stay = done.notes
    assert stay.startswith("rows that go at the source stay here")
    assert note.startswith(
        "column 'amount' is VARCHAR at the source now, and DECIMAL(18,2) here (type_change: quarantine); "
    )
    assert "'cadran sync crm.deals --full'" in note
    copy.of.later(hours=1)
    rows[1] = {"id": 1, "name": "x", "amount": "3.00", "changed": copy.of.now}
    assert copy.one().counts.aside == 1, "it fits again"
    done = copy.one(full=True)
    assert (copy.aside(), done.aside, done.notes) == ([], (), ())
    assert column(copy, "amount") == {0: "1.25", 1: "3.00", 2: "0.001", 3: "7", 4: None}


def test_the_new_type_may_be_taken(copy: Copy) -> None:
    copy.set(type_change="evolve")
    copy.of.columns("deals", ID, NAME, Column("amount", "VARCHAR"), CHANGED)
    for row in copy.of.tables["deals"].rows:
        row["amount"] = f"{row['amount']} EUR"
    assert copy.one().whole
    assert column(copy, "amount") == {1: "1.25 EUR", 2: "2.50 EUR"}


def test_another_type_may_be_an_error(copy: Copy) -> None:
    copy.set(type_change="fail")
    copy.of.columns("deals", ID, NAME, Column("amount", "DOUBLE"), CHANGED)
    error = copy.sync()["deals"].error
    assert isinstance(error, SchemaChanged)
    assert "has column 'amount' as DOUBLE now, which was DECIMAL(18,2)" in error.message


FITS: list[tuple[str, str, Any, Any]] = [
    ("BIGINT", "VARCHAR", "17", 17),
    ("BIGINT", "VARCHAR", "17.5", None),
    ("BIGINT", "VARCHAR", "", None),
    ("BIGINT", "DOUBLE", 17.0, 17),
    ("BIGINT", "DOUBLE", 17.5, None),
    ("BIGINT", "DECIMAL(18,2)", Decimal("17.00"), 17),
    ("BIGINT", "DECIMAL(18,2)", Decimal("17.01"), None),
    ("DECIMAL(18,2)", "DECIMAL(18,4)", Decimal("1.2300"), Decimal("1.23")),
    ("DECIMAL(18,2)", "DECIMAL(18,4)", Decimal("1.2345"), None),
    ("DECIMAL(18,2)", "VARCHAR", "1.230", Decimal("1.23")),
    ("DECIMAL(18,2)", "VARCHAR", "1e2", None),
    ("DECIMAL(18,2)", "BIGINT", 5, Decimal("5.00")),
    ("VARCHAR", "BIGINT", 5, "5"),
    ("BOOLEAN", "VARCHAR", "True", True),
    ("BOOLEAN", "VARCHAR", "yes", None),
    ("DATE", "VARCHAR", "2026-03-01", "2026-03-01"),
    ("DATE", "VARCHAR", "2026-03-01 10:00:00", None),
    ("DATE", "VARCHAR", "infinity", None),
    ("DOUBLE", "VARCHAR", "-1.5e3", "-1500.0"),
    ("DOUBLE", "VARCHAR", "nan", None),
    ("DOUBLE", "VARCHAR", "inf", None),
    ("DOUBLE", "VARCHAR", "1_000", None),
    ("DOUBLE", "VARCHAR", "1e999", None),
    ("TIMESTAMP", "VARCHAR", "2026-03-01T10:00:00.5", "2026-03-01 10:00:00.500000"),
    ("TIMESTAMP", "VARCHAR", "2026-03-01T10:00:00+02:00", None),
    ("TIMESTAMP", "VARCHAR", "epoch", None),
    ("TIMESTAMP WITH TIME ZONE", "VARCHAR", "2026-03-01T10:00:00+02:00", "2026-03-01 08:00:00+00:00"),
    ("TIMESTAMP WITH TIME ZONE", "VARCHAR", "2026-03-01T10:00:00Z", "2026-03-01 10:00:00+00:00"),
    ("TIMESTAMP WITH TIME ZONE", "VARCHAR", "2026-03-01T10:00:00", None),
]  # fmt: skip


@pytest.mark.parametrize("old, new, value, expected", FITS)
def test_what_fits_a_type_loses_nothing(
    tmp_path: Path, old: str, new: str, value: Any, expected: Any
) -> None:
    copy = Copy(tmp_path, world())
    copy.of.columns("deals", ID, Column("amount", old), CHANGED)
    copy.one()
    copy.of.columns("deals", ID, Column("amount", new), CHANGED)
    copy.of.deal(1)
    copy.of.tables["deals"].rows[0]["amount"] = value
    done = copy.one()
    if expected is None:
        assert (done.counts.aside, done.counts.rows) == (1, 0)
    else:
        assert done.counts.aside == 0
        assert str(column(copy, "amount")[1]) == str(expected)


def test_a_cursor_of_another_type_has_all_read_until_it_is_taken(tmp_path: Path) -> None:
    """A state of the old type is none that the connector could go on from."""
    copy = Copy(tmp_path, world())
    copy.set(since=dt.date(2020, 1, 1))
    copy.of.columns("deals", ID, Column("changed", "DATE"))
    copy.of.tables["deals"].rows.append({"id": 1, "changed": dt.date(2026, 2, 1)})
    copy.one()
    copy.of.columns("deals", ID, CHANGED)
    copy.of.tables["deals"].rows[:] = []
    copy.of.deal(1)
    done = copy.one()
    assert (done.whole, done.counts.aside) == (True, 1)
    done = copy.one(full=True)
    assert (done.counts.aside, done.counts.rows) == (0, 1)
    assert not copy.one().whole


@pytest.mark.parametrize("kind, value", [("VARCHAR", "n/a"), ("BIGINT", 5)])
def test_since_where_the_copy_keeps_a_cursor_that_is_no_time(tmp_path: Path, kind: str, value: Any) -> None:
    copy = Copy(tmp_path, world())
    copy.set(since=dt.date(2026, 2, 1))
    copy.of.columns("deals", ID, Column("changed", kind))
    copy.of.tables["deals"].rows = [{"id": 1, "changed": value}]
    copy.one()
    copy.of.columns("deals", ID, CHANGED)
    copy.of.tables["deals"].rows = [{"id": 1, "changed": copy.of.now}]
    copy.of.strange = lambda _: iter(
        [Page(page(copy.of.tables["deals"].table, copy.of.tables["deals"].rows)), End(1)]
    )
    copy.one()


def test_a_table_with_another_key_is_taken_anew(copy: Copy) -> None:
    from dataclasses import replace

    copy.of.tables["deals"].table = replace(DEALS, key=("name",))
    assert copy.one().whole
    assert column(copy, "name") == {1: "one", 2: "two"}


def test_other_settings_of_the_source_have_all_read_again(copy: Copy) -> None:
    copy.config = "another"
    assert copy.one().whole
    assert not copy.one().whole


@pytest.mark.parametrize("type_change", ["quarantine", "evolve", "fail"])
@pytest.mark.parametrize("full", [False, True])
def test_a_type_that_the_file_corrects_applies(copy: Copy, type_change: Any, full: bool) -> None:
    copy.set(type_change=type_change)
    copy.config = "another"
    copy.of.columns("deals", ID, NAME, Column("amount", "DECIMAL(18,4)"), CHANGED)
    copy.of.deal(3, "three", "0.1234")
    done = copy.one(full=full)
    assert (done.whole, done.counts.aside) == (True, 0)
    assert column(copy, "amount") == {1: Decimal("1.25"), 2: Decimal("2.50"), 3: Decimal("0.1234")}
    assert {c.name: c.type for c in current.read(copy.places).tables["deals"].columns}["amount"] == "DECIMAL(18,4)"  # fmt: skip
    copy.of.columns("deals", ID, NAME, Column("amount", "VARCHAR"), CHANGED)
    for row in copy.of.tables["deals"].rows:
        row["amount"] = str(row["amount"])
    later = copy.sync()["deals"]  # under the same settings it is the source that has changed
    assert (later.error is not None, later.whole) == (type_change == "fail", type_change == "evolve")


def test_rows_set_aside_come_back_with_the_type_that_the_file_corrects(copy: Copy) -> None:
    copy.of.columns("deals", ID, NAME, Column("amount", "DECIMAL(18,4)"), CHANGED)
    for number in range(5):
        copy.of.deal(number, amount="0.1234")
    assert copy.one().counts.aside == 5
    copy.config = "another"
    done = copy.one()
    assert (done.counts.aside, done.counts.rows, copy.aside()) == (0, 5, [])


@pytest.mark.parametrize(
    "settings", [{"new_columns": "fail"}, {"new_columns": "ignore"}, {"missing_column": "null"}, {}]
)
def test_columns_that_the_file_names_are_those_of_the_table(copy: Copy, settings: Any) -> None:
    copy.set(**settings)
    copy.config = "another"
    copy.of.columns("deals", ID, NAME, CHANGED, Column("owner", "VARCHAR"))
    assert copy.one().whole
    assert [list(row) for row in copy.rows()] == [["id", "name", "changed", "owner"]] * 2
