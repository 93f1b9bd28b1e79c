"""What tables there are, and that their rows are what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cadran.plugins.connector import ConnectorError, Page, Table
from cadran.plugins.synced import SyncedConnector
from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.reading import Got, differences, key_of, reading
from cadran.testing.contract.rig import Rig
from cadran.testing.contract.types import agree, arrow_types


def _all(rig: Rig) -> Iterator[tuple[Table, Got]]:
    """Every table that can be read, with its rows; the case's is one of them."""
    connector = rig.make()
    own = rig.table(connector)
    if own.problem is not None:
        raise NotKept(f"the case's table '{own.name}' cannot be read: {own.problem.message}") from own.problem
    for table in connector.discover():
        if table.problem is None:
            yield table, rig.some(reading(connector, table).whole())


@check()
def discovery_is_the_same_each_time(rig: Rig) -> None:
    """``discover`` gives the same tables with the same columns in the same order as long as the source is the same, and columns are told
    apart whatever their case."""
    one = rig.make()
    first, again, other = one.discover(), one.discover(), rig.make().discover()
    keeps(
        _shown(first) == _shown(again) == _shown(other),
        "discover() gave other tables or columns the second time: sort what the source gives in no order",
    )
    keeps(first, "discover() found no tables")
    for table in first:
        names = [column.name.casefold() for column in table.columns]
        twice = {name for name in names if names.count(name) > 1}
        keeps(not twice, f"'{table.name}' has the column {sorted(twice)} twice: formulas do not tell A from a; cadran.plugins.column_names numbers them")  # fmt: skip
        for name in (*table.key, *([table.cursor] if table.cursor else [])):
            keeps(
                name.casefold() in names, f"'{table.name}' has '{name}' as key or cursor, and no such column"
            )
        untyped = [column.name for column in table.columns if not column.type]
        if issubclass(rig.kind, SyncedConnector):
            keeps(not untyped, f"the columns {untyped} of '{table.name}' have no type: the copy's tables are made before there are rows")  # fmt: skip


def _shown(tables: Any) -> list[tuple[object, ...]]:
    return [(t.name, t.columns, t.key, t.cursor, t.lookback, t.deletes, str(t.problem)) for t in tables]


@check("synced")
def keys_are_unique_and_never_null(rig: Rig) -> None:
    """The columns of ``key`` are never NULL, and two different rows never share them: rows of one key are taken for one row."""
    shown = False
    for table, got in _all(rig):
        if not table.key:
            continue
        shown = True
        seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
        for row in got.rows:
            key = key_of(row, table)
            keeps(None not in key, f"'{table.name}' has a row whose key {table.key} is {key}: a key is never NULL")  # fmt: skip
            if (other := seen.setdefault(key, row)) != row:
                raise NotKept(
                    f"'{table.name}' has two rows with the key {key}: {_apart(other, row)}; name more columns in 'key', or others"
                )
    if not shown:
        raise NotShown("no table has a key: each read replaces the table")


def _apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    name = next(name for name in one if one[name] != other[name])
    return f"{name} is {one[name]!r} and {other[name]!r}"


@check()
def rows_are_of_the_declared_types(rig: Rig) -> None:
    """Each page has the columns of ``discover``, in that order, of the types that it names: DuckDB's names."""
    for table, got in _all(rig):
        names = [column.name for column in table.columns]
        for page in got.pages:
            keeps(page.column_names == names, f"a page of '{table.name}' has the columns {page.column_names}, and discover() says {names}")  # fmt: skip
            for column, held in zip(table.columns, arrow_types(page), strict=True):
                keeps(
                    not column.type or agree(column.type, held),
                    f"{table.name}.{column.name} is declared {column.type}, and a page holds {held}: cadran.plugins.typed.records makes pages "
                    "of the declared types",
                )


@check()
def values_are_exact(rig: Rig) -> None:
    """Each value is that of the source, and of its kind: an amount of money is a Decimal to the last digit, and no float on its way.

    ``Answer.json`` of cadran.plugins.http keeps decimals; ``json.loads`` does with ``parse_float=Decimal``.
    """
    got = rig.read().whole()
    if not got.table.key:
        rig.holds(got, "what was read is not what the stand-in holds")
        return
    wanted = rig.wanted(got.table)
    keeps(
        set(wanted) & set(got.by_key), f"no row of '{got.table.name}' has a key that the stand-in's rows have"
    )
    wrong = differences(got.by_key, wanted, got.table, exact=True)
    keeps(not wrong, f"values of '{got.table.name}' are not those of the source: {'; '.join(wrong[:3])}")


@check()
def all_pages_come(rig: Rig) -> None:
    """A table of many pages comes whole, each page as it arrives."""
    got = rig.read().whole()
    rig.holds(got, f"'{got.table.name}' did not come whole")
    if rig.proxy is not None:
        keeps(len(got.pages) >= 3, f"'{got.table.name}' came in {len(got.pages)} pages: give each page as it comes, and the case's table rows for three")  # fmt: skip


@check()
def no_row_is_set_aside(rig: Rig) -> None:
    """The rows of the stand-in are sound: all come, and none is set aside with a reason (Rejected)."""
    for table, got in _all(rig):
        keeps(
            not got.rejected,
            f"rows of '{table.name}' were set aside though they are sound: is the type that discover() names that of the source's values? Rows that are "
            "unsound on purpose belong into tests of your own",
        )


@check()
def two_reads_are_equal(rig: Rig) -> None:
    """Reading twice what nobody changed gives the same rows, by the same connector and by another."""
    connector = rig.make()
    reads = [
        rig.some(rig.read(connector=connector).whole()),
        rig.read(connector=connector).whole(),
        rig.read().whole(),
    ]
    shown = [sorted(repr(sorted(row.items(), key=lambda i: i[0])) for row in one.by_key.values()) for one in reads]  # fmt: skip
    keeps(shown[0] == shown[1], "the same connector gave other rows the second time, though nobody changed any: keep nothing between reads")  # fmt: skip
    keeps(shown[0] == shown[2], "another connector gave other rows, though nobody changed any")


@check(needs=("clear",))
def an_empty_table_is_no_error(rig: Rig) -> None:
    """A table without rows has its columns all the same, and its End says 0."""
    full = rig.table(rig.make())
    rig.change("clear")
    got = rig.read()
    if got.error is not None:
        raise NotKept(f"a table without rows is an error: {got.error.message}; give End(0)") from got.error
    got.whole()
    keeps(not got.rows, f"the table is empty, and {len(got.rows)} rows came")
    keeps(
        [c.name for c in got.table.columns] == [c.name for c in full.columns],
        f"without rows the columns are {[c.name for c in got.table.columns]}: tell them from what the source says of its fields, and not from rows",
    )


@check(needs=("insert",))
def what_is_kept_is_known_again(rig: Rig) -> None:
    """Where ``identity`` tells parts of a table, they are the same as long as the rows are, and others once there is one more row."""
    connector = rig.make()
    try:
        parts = connector.identity(rig.case.table, {})
    except ConnectorError as error:
        raise NotKept(f"identity() failed: {error.message}") from error
    if parts is None:
        raise NotShown("identity() tells nothing: what is computed from its tables is not kept between runs")
    marks = {part.name: part.mark for part in parts}
    again = rig.make().identity(rig.case.table, marks)
    keeps(again is not None and [p.content for p in again] == [p.content for p in parts], "identity() tells other contents though no row changed")  # fmt: skip
    for item in connector.read(rig.case.table):
        if isinstance(item, Page) and item.part:
            keeps(item.part in marks, f"a page is of the part '{item.part}', which identity() does not name")
    rig.change("insert")
    after = rig.make().identity(rig.case.table, marks)
    keeps(after is None or [p.content for p in after] != [p.content for p in parts], "identity() tells the same though there is one more row: old results would be shown for new data")  # fmt: skip
