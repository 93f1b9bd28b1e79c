"""What is asked of a source, and what becomes of the rows that it sends."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins.connector import Column, DataError, End, Page, Rejected, Table
from cadran.plugins.synced import Deletes
from cadran.plugins.typed.records import Records
from cadran.sync import current
from sync.fake import DEALS, START, UTC, page, world
from sync.syncing import Copy

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path, world())


def names(copy: Copy, table: str = "deals") -> dict[Any, Any]:
    return {row["id"]: row["name"] for row in copy.rows(table)}


def test_first_everything_then_only_changes(copy: Copy) -> None:
    for number in range(5):
        copy.of.deal(number)
    first = copy.one()
    assert (first.counts.new, first.counts.changed, first.counts.rows, first.whole) == (5, 0, 5, True)
    copy.of.later(hours=1)
    copy.of.deal(3, "changed")
    copy.of.deal(7, "new")
    second = copy.one()
    assert (second.counts.new, second.counts.changed, second.counts.rows, second.whole) == (1, 1, 6, False)
    assert names(copy) == {0: "a", 1: "a", 2: "a", 3: "changed", 4: "a", 7: "new"}
    assert [window.since for _, window, _ in copy.of.asked] == [None, START], (
        "from what was last seen, that included"
    )


def test_a_sync_without_news_leaves_the_file_as_it_is(copy: Copy) -> None:
    copy.of.deal(1)
    copy.one()
    before, was = copy.file(), current.read(copy.places).tables["deals"]
    done = copy.one()
    now = current.read(copy.places).tables["deals"]
    assert (done.counts.new, done.counts.changed, copy.file()) == (0, 0, before)
    assert now.synced_at == was.synced_at + dt.timedelta(minutes=1)
    assert (now.version, now.content) == (was.version, was.content)


@pytest.mark.parametrize("table, setting, back", [
    (dt.timedelta(0), None, dt.timedelta(0)),
    (HOUR, None, HOUR),
    (HOUR, 2 * HOUR, 2 * HOUR),
    (HOUR, dt.timedelta(0), dt.timedelta(0)),
])  # fmt: skip
def test_reading_begins_again_a_while_before_what_was_seen(copy: Copy, table: dt.timedelta, setting: dt.timedelta | None, back: dt.timedelta) -> None:  # fmt: skip
    copy.of.tables["deals"].table = replace(DEALS, lookback=table)
    copy.set(lookback=setting)
    copy.of.deal(1)
    copy.one()
    copy.one()
    assert copy.of.asked[-1][1].since == START - back


def test_a_row_that_is_dated_later_than_now_hides_no_change(copy: Copy) -> None:
    copy.of.deal(1)
    copy.of.tables["deals"].rows.append({"id": 2, "changed": dt.datetime(2999, 1, 1, tzinfo=UTC)})
    copy.one()
    copy.of.later(hours=1)
    copy.of.deal(3)
    copy.one()
    assert sorted(names(copy)) == [1, 2, 3]
    assert copy.of.asked[-1][1].since == START


def test_what_was_seen_never_becomes_less(copy: Copy) -> None:
    copy.set(lookback=3 * 24 * HOUR)
    copy.of.later(days=1)
    copy.of.deal(1)
    since = copy.of.now - 3 * 24 * HOUR
    copy.one()
    copy.of.tables["deals"].rows[0]["changed"] = START
    assert copy.one().counts.changed == 1
    copy.one()
    assert [window.since for _, window, _ in copy.of.asked] == [None, since, since]


CURSORS: list[tuple[str, Any, Any]] = [
    ("DATE", dt.date(2026, 2, 28), dt.date(2026, 2, 27)),
    ("BIGINT", 17, 17),
    ("VARCHAR", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z"),
    ("TIMESTAMP WITH TIME ZONE", START, START - HOUR),
]


@pytest.mark.parametrize("kind, value, since", CURSORS)
def test_cursors_of_all_types(tmp_path: Path, kind: str, value: Any, since: Any) -> None:
    table = Table("t", (Column("id", "BIGINT"), Column("at", kind)), key=("id",), cursor="at", lookback=HOUR)
    copy = Copy(tmp_path, world(table))
    copy.of.tables["t"].rows = [{"id": 1, "at": value}, {"id": 2, "at": None}]
    copy.one("t")
    copy.one("t")
    asked = copy.of.asked[-1][1].since
    assert (asked, type(asked)) == (since, type(since))


@pytest.mark.parametrize("table", [
    replace(DEALS, cursor=""),
    replace(DEALS, key=()),
    replace(DEALS, key=(), cursor=""),
])  # fmt: skip
def test_a_table_without_key_or_cursor_is_read_whole_each_time(tmp_path: Path, table: Table) -> None:
    copy = Copy(tmp_path, world(table))
    for number in range(3):
        copy.of.deal(number)
    copy.one()
    copy.of.tables["deals"].rows.pop(0)
    copy.of.deal(2, "changed")
    done = copy.one()
    assert [window.whole for _, window, _ in copy.of.asked] == [True, True]
    assert (done.whole, done.counts.rows, names(copy)) == (True, 2, {1: "a", 2: "changed"})
    version = current.read(copy.places).tables["deals"].version
    assert copy.one().counts.new == 0
    assert current.read(copy.places).tables["deals"].version == version, "the same rows are the same version"


def test_of_rows_with_one_key_the_greatest_cursor_counts_and_then_the_later_page(copy: Copy) -> None:
    moments = [START, START + HOUR, START + HOUR, None]
    rows = [{"id": 1, "name": f"page {n}", "changed": at} for n, at in enumerate(moments)]
    copy.of.strange = lambda _: iter([*(Page(page(DEALS, [row])) for row in rows), End(4)])
    copy.of.now += 2 * HOUR
    assert copy.one().counts.rows == 1
    assert names(copy) == {1: "page 2"}


# --- what is gone ---------------------------------------------------------------------------------------------------------


def test_rows_that_are_reported_gone_are_and_may_come_back(copy: Copy) -> None:
    for number in range(3):
        copy.of.deal(number)
    copy.one()
    copy.of.later(hours=1)
    held = copy.of.tables["deals"]
    held.rows.pop(0)
    held.gone = [((0,), copy.of.now), ((77,), copy.of.now)]
    done = copy.one()
    assert (done.counts.deleted, sorted(names(copy))) == (1, [1, 2])
    held.gone = []
    copy.of.later(hours=1)
    copy.of.deal(0, "again")
    done = copy.one()
    assert (done.counts.new, names(copy)) == (1, {0: "again", 1: "a", 2: "a"})


def test_a_row_behind_its_own_end_lives_and_one_before_it_does_not(copy: Copy) -> None:

    row, gone = (
        page(DEALS, [{"id": 1, "name": "a", "changed": START}]),
        page(DEALS, [{"id": 1}]).select(["id"]),
    )
    copy.of.strange = lambda _: iter([Page(row), Deletes(gone), Page(row), End(2)])
    copy.one()
    assert sorted(names(copy)) == [1]
    copy.of.strange = lambda _: iter([Page(row), Deletes(gone), End(1)])
    assert copy.one().counts.deleted == 1
    assert names(copy) == {}


@pytest.mark.parametrize("deletes, rest", [("unseen", [1]), ("reported", [1]), ("never", [0, 1])])
def test_what_a_whole_read_does_not_show_is_gone(copy: Copy, deletes: Any, rest: list[int]) -> None:
    copy.of.tables["deals"].table = replace(DEALS, deletes=deletes)
    copy.of.deal(0)
    copy.of.deal(1)
    copy.one()
    copy.of.tables["deals"].rows.pop(0)
    copy.one()
    assert sorted(names(copy)) == [0, 1], "changes alone do not show it"
    copy.one(full=True)
    assert sorted(names(copy)) == rest


def test_all_is_read_again_every_so_often(copy: Copy) -> None:
    copy.set(full_every=dt.timedelta(days=7))
    copy.of.deal(0)
    copy.one()
    whole = []
    for _ in range(3):
        copy.of.later(days=3)
        whole.append(copy.one().whole)
    assert whole == [False, False, True]
    copy.of.tables["deals"].table = replace(DEALS, deletes="reported")
    copy.of.later(days=30)
    assert copy.one().whole, "what is reported need not be all: some rows are deleted for good without a word"


def test_deleted_rows_are_kept_where_that_is_wanted(copy: Copy) -> None:
    copy.of.deal(0)
    copy.of.deal(1)
    copy.one()
    copy.of.tables["deals"].rows.pop(0)
    gone_at = copy.of.now
    copy.one(full=True)
    copy.set(keep_deleted=True)
    copy.one()
    assert [(row["id"], row["deleted_at"]) for row in copy.rows()] == [(0, gone_at), (1, None)]
    assert [c.name for c in current.read(copy.places).tables["deals"].columns][-1] == "deleted_at"
    copy.set(keep_deleted=False)
    copy.one()
    assert [list(row) for row in copy.rows()] == [["id", "name", "amount", "changed"]]


def test_deleted_rows_are_told_from_others_where_the_source_has_such_a_column_itself(copy: Copy) -> None:
    copy.of.columns("deals", *DEALS.columns, Column("Deleted_At", "VARCHAR"))
    copy.set(keep_deleted=True)
    copy.of.deal(0)
    copy.of.deal(1)
    copy.one()
    copy.of.tables["deals"].rows.pop(0)
    gone_at = copy.of.now
    copy.one(full=True)
    assert [(row["Deleted_At"], row["deleted_at_2"]) for row in copy.rows()] == [
        (None, gone_at),
        (None, None),
    ]


def test_a_clock_that_was_wrong_once_is_soon_forgotten(copy: Copy) -> None:
    copy.set(full_every=dt.timedelta(days=7))
    copy.of.deal(0)
    copy.of.deal(1)
    copy.of.later(days=400)
    copy.one()
    copy.of.now = START
    copy.of.tables["deals"].rows.pop(0)
    done = copy.one()
    assert (done.whole, done.counts.deleted) == (True, 1)
    assert current.read(copy.places).tables["deals"].synced_at == START
    assert not copy.one().whole


def test_rows_before_a_day_are_not_asked_for(copy: Copy) -> None:
    copy.set(since=dt.date(2026, 2, 1))
    rows = copy.of.tables["deals"].rows
    rows += [{"id": n, "name": "a", "changed": dt.datetime(2026, n, 15, tzinfo=UTC)} for n in (1, 2)]
    copy.one()
    assert sorted(names(copy)) == [2]
    assert copy.of.asked[-1][1].since == dt.datetime(2026, 2, 1, tzinfo=UTC)
    rows.clear()
    copy.one(full=True)
    assert names(copy) == {}


# --- what cannot be taken -------------------------------------------------------------------------------------------------


def of_each_month(copy: Copy) -> None:
    """Deals that changed on the first of January to April, and one that nobody knows of when."""
    days = {1: dt.datetime(2026, 1, 1, tzinfo=UTC), 2: dt.datetime(2026, 2, 1, tzinfo=UTC), 3: START, 4: None}
    copy.of.tables["deals"].rows = [{"id": number, "name": "a", "changed": day} for number, day in days.items()]  # fmt: skip


@pytest.mark.parametrize("deletes", ["unseen", "never", "reported"])
@pytest.mark.parametrize("keep_deleted", [False, True])
@pytest.mark.parametrize("days", [
    [None, dt.date(2026, 2, 1)],
    [None, dt.date(2026, 2, 1), None],
    [dt.date(2026, 3, 1), dt.date(2026, 2, 1)],
    [dt.date(2026, 2, 1), dt.date(2026, 2, 2)],
])  # fmt: skip
def test_another_since_has_the_table_of_a_fresh_folder(tmp_path: Path, deletes: Any, keep_deleted: bool, days: Any) -> None:  # fmt: skip
    table = replace(DEALS, deletes=deletes)
    copy, fresh = (Copy(tmp_path / name, world(table)) for name in ("copy", "fresh"))
    for one in (copy, fresh):
        one.set(keep_deleted=keep_deleted)
        of_each_month(one)
    for day in days:
        copy.set(since=day)
        copy.config = str(day)  # the day is part of the digest of the settings
        assert copy.one().whole
    fresh.set(since=days[-1])
    fresh.one()
    assert copy.rows() == fresh.rows()
    assert not copy.one().whole and copy.rows() == fresh.rows()


@pytest.mark.parametrize("key", [("id",), ()])
def test_a_source_that_sends_rows_before_since_all_the_same(copy: Copy, key: tuple[str, ...]) -> None:
    table = replace(DEALS, key=key)
    copy.of.tables["deals"].table = table
    copy.set(since=dt.date(2026, 2, 1))
    of_each_month(copy)
    rows = copy.of.tables["deals"].rows
    copy.of.strange = lambda _: iter([Page(page(table, rows)), End(len(rows))])
    for new in (3, 0):
        assert copy.one(full=True).counts.new == new
        assert sorted(names(copy)) == [2, 3, 4]
    rows[1]["changed"] = dt.datetime(2026, 1, 31, tzinfo=UTC)
    copy.one()
    assert sorted(names(copy)) == [3, 4], "it is one of before now"


def test_rows_before_since_are_no_longer_among_those_set_aside(copy: Copy) -> None:
    of_each_month(copy)
    copy.of.strange = lambda stream: iter([Rejected("deals, id 0", "unreadable"), *stream])
    assert copy.one().counts.aside == 1
    copy.of.strange = None
    copy.set(since=dt.date(2026, 2, 1))
    copy.config = "another"
    assert copy.one().counts.aside == 0


def test_a_row_without_its_key_is_set_aside(copy: Copy) -> None:
    copy.of.strange = lambda _: iter(
        [Page(page(DEALS, [{"id": None, "name": "x"}, {"id": 2, "name": "y"}])), End(2)]
    )
    done = copy.one()
    assert (done.counts.aside, names(copy)) == (1, {2: "y"})
    assert copy.aside() == [("deals, row 1", "id: the key is empty")]


def test_what_the_connector_sets_aside_is_counted_and_said(copy: Copy) -> None:
    def strange(stream: Any) -> Any:
        yield Rejected("deals 9", "amount: 'abc' is no number")
        yield from stream

    copy.of.strange = strange
    copy.of.deal(1)
    for _ in range(2):
        assert copy.one().counts.aside == 1, "the same again is the same"
        assert copy.aside() == [("deals 9", "amount: 'abc' is no number")]
    copy.of.strange = None
    assert copy.one().counts.aside == 1, "it is not in the table yet"
    assert copy.one(full=True).counts.aside == 0


def test_what_the_connector_sets_aside_leaves_the_table_until_it_is_good_again(copy: Copy) -> None:
    """Its old values would pass for those of now."""
    copy.of.deal(1, amount="1.00")
    copy.of.deal(2)
    copy.one()
    copy.of.strange = lambda _: iter(as_records([{"id": 1, "amount": "1.005"}], copy.of.now))
    done = copy.one()
    assert ([row["id"] for row in copy.rows()], done.counts.rows, done.counts.deleted) == ([2], 1, 0)
    assert copy.aside() == [("deals, id 1", "amount: '1.005' has more than 2 digits behind the point")]
    copy.of.strange = None
    copy.of.deal(1, amount="5.00")
    copy.one()
    assert [(row["id"], str(row["amount"])) for row in copy.rows()] == [(1, "5.00"), (2, "1.00")]
    assert copy.aside() == []


@pytest.mark.parametrize(("amounts", "there"), [(["1.005", "5.00"], ["5.00"]), (["5.00", "1.005"], []), (["1", "1.005", "6"], ["6.00"])])  # fmt: skip
def test_of_a_record_that_comes_twice_in_a_read_the_later_counts(copy: Copy, amounts: list[str], there: list[str]) -> None:  # fmt: skip
    def strange(_: Any) -> Any:
        items = [
            item for amount in amounts for item in as_records([{"id": 1, "amount": amount}], copy.of.now)
        ]
        pages = [item for item in items if not isinstance(item, End)]
        return iter([*pages, End(sum(item.rows for item in items if isinstance(item, End)))])

    copy.of.strange = strange
    assert copy.one().counts.aside == (0 if there else 1)
    assert ([str(row["amount"]) for row in copy.rows()], len(copy.aside())) == (there, 0 if there else 1)


def as_records(rows: list[dict[str, Any]], now: dt.datetime) -> list[Any]:
    """A page as the connectors of APIs make it."""
    made = Records(DEALS.columns, key=DEALS.key)
    batch, aside = made.batch([{"name": "a", "changed": now.isoformat(), **row} for row in rows], "deals")
    return [*aside, Page(batch), End(batch.num_rows)]


STREAMS: list[tuple[str, Any, str]] = [
    ("no end", lambda p: [p], "broke off after 1 rows, without its end"),
    ("a wrong end", lambda p: [p, End(2)], "was to have 2 rows, and 1 came"),
    ("more behind the end", lambda p: [p, End(1), p], "something came behind the end"),
    ("something else", lambda p: [p, "page"], "the connector gave a str"),
    (
        "circles",
        lambda p: [replace(p, resume={"at": n % 3}) for n in range(10)] + [End(10)],
        "goes round in circles",
    ),
    (
        "one place for rows and deletes",
        lambda p: [Deletes(p.data.select(["id"]), resume={"at": 1}), replace(p, resume={"at": 1}), End(1)],
        "a page and its Deletes have the same place to go on from",
    ),
    (
        "one place for deletes and rows",
        lambda p: [replace(p, resume={"at": 1}), Deletes(p.data.select(["id"]), resume={"at": 1}), End(1)],
        "a page and its Deletes have the same place to go on from",
    ),
    (
        "a column less",
        lambda p: [Page(p.data.drop_columns(["name"])), End(1)],
        "a page came without column 'name'",
    ),
]


@pytest.mark.parametrize("stream, said", [pytest.param(s, m, id=name) for name, s, m in STREAMS])
def test_a_stream_that_is_not_as_it_should_be_changes_nothing(copy: Copy, stream: Any, said: str) -> None:
    copy.of.deal(1, "before")
    copy.one()
    made = Page(page(DEALS, [{"id": 1, "name": "after"}]))
    copy.of.strange = lambda _: iter(stream(made))
    error = copy.sync()["deals"].error
    assert isinstance(error, DataError) and said in error.message, error
    assert names(copy) == {1: "before"}
    copy.of.strange = None
    copy.of.deal(1, "after")
    copy.one()
    assert names(copy) == {1: "after"}


def test_a_table_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    copy = Copy(tmp_path, world(DEALS, replace(DEALS, name="companies")))
    copy.of.deal(1)

    def fault(table: str, _: int) -> None:
        if table == "companies":
            raise ValueError("a fault of the connector")

    copy.of.fault = fault
    done = copy.sync()
    assert done["deals"].error is None and done["deals"].counts.rows == 1
    assert "ValueError: a fault of the connector" in str(done["companies"].error)
    assert "no table 'compani'" in str(copy.sync(["compani"])["compani"].error)


def test_tables_whose_names_are_no_names_of_files(tmp_path: Path) -> None:
    strange = [
        "../../etc",
        "Deals",
        "deals",
        "DEALS",
        "con",
        "a/b",
        "a\\b",
        "é" * 200,
        "",
        " ",
        "x" * 300,
        "a'b\"c",
    ]
    copy = Copy(tmp_path, world(*(replace(DEALS, name=name) for name in strange)))
    for name in strange:
        copy.of.tables[name].rows = [{"id": 1, "name": name, "changed": START}]
    done = copy.sync()
    assert [one.error for one in done.values()] == [None] * len(strange)
    assert [copy.rows(name)[0]["name"] for name in strange] == strange
    assert {path.parent for path in tmp_path.rglob("*.parquet")} == {copy.places.tables}


@pytest.mark.parametrize(
    ("deletes", "every", "said"),
    [
        ("unseen", None, True),
        ("unseen", dt.timedelta(days=7), False),
        ("reported", None, False),
        ("never", None, False),
    ],
)
def test_rows_that_would_stay_for_ever_are_told_of(
    tmp_path: Path, deletes: Any, every: dt.timedelta | None, said: bool
) -> None:
    """A deal that was deleted goes on counting until all rows are read again."""
    copy = Copy(tmp_path, world(replace(DEALS, deletes=deletes)))
    copy.set(full_every=every)
    copy.of.deal(1)
    assert copy.one().notes == ()
    done = copy.one()
    assert not done.whole
    assert [note.partition(",")[0] for note in done.notes] == ["rows that go at the source stay here"] * said


@pytest.mark.parametrize(("cursor", "said"), [("id", True), ("changed", False)])
def test_a_lookback_that_does_nothing_is_told_of(tmp_path: Path, cursor: str, said: bool) -> None:
    copy = Copy(tmp_path, world(replace(DEALS, cursor=cursor)))
    copy.set(lookback=dt.timedelta(days=1), full_every=dt.timedelta(days=7))
    copy.of.deal(1)
    assert copy.one().notes == ()
    assert [note.partition(",")[0] for note in copy.one().notes] == ["sync: {lookback} does nothing"] * said
