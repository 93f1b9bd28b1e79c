"""Fields come, go and change while a source is used: nobody may be shown values of another field or of another type."""

from __future__ import annotations

from cadran.plugins.connector import Connector, ConnectorError, Table
from cadran.testing.contract.check import NotKept, check, keeps
from cadran.testing.contract.reading import Got, reading
from cadran.testing.contract.rig import Rig
from cadran.testing.contract.types import agree, arrow_types


def _true_to(got: Got) -> None:
    """That pages are what the table says, in a read that may have failed."""
    names = [column.name for column in got.table.columns]
    for page in got.pages:
        keeps(page.column_names == names, f"a page has the columns {page.column_names}, and discover() said {names}: raise SchemaChanged")  # fmt: skip
        for column, held in zip(got.table.columns, arrow_types(page), strict=True):
            keeps(not column.type or agree(column.type, held), f"'{column.name}' is declared {column.type}, and a page holds {held}: raise SchemaChanged, or set the records aside")  # fmt: skip


def _known_before(rig: Rig) -> tuple[Connector, Table]:
    """A connector that has looked at the table already."""
    connector = rig.make()
    return connector, rig.table(connector)


@check(needs=("add_field",))
def an_added_field_shows(rig: Rig) -> None:
    """A field that somebody adds is a column of the next ``discover``, and reading gives its values; who knew the table before is not shown
    them under other names."""
    old, table = _known_before(rig)
    name = rig.case.add_field()
    got = rig.read().whole()
    names = [column.name for column in got.table.columns]
    keeps(name in names, f"the source has a new field, and discover() does not know '{name}': it has {names}")
    rig.holds(got, "after a field was added, the table is not what the stand-in holds")
    keeps(any(row[name] is not None for row in got.rows), f"the new column '{name}' is empty: ask the source for all fields that it has")  # fmt: skip
    _true_to(reading(old, table))


@check(needs=("remove_field",))
def a_removed_field_shows(rig: Rig) -> None:
    """A field that somebody takes away is no column of the next ``discover``; a read that began with it fails or gives NULL there."""
    old, table = _known_before(rig)
    name = rig.case.remove_field()
    got = rig.read().whole()
    keeps(name not in [c.name for c in got.table.columns], f"the source has no '{name}' any more, and discover() still names it: ask the source which fields there are")  # fmt: skip
    rig.holds(got, "after a field was removed, the table is not what the stand-in holds")
    after = reading(old, table)
    _true_to(after)
    keeps(after.error is not None or all(row[name] is None for row in after.rows), f"values come in '{name}', which the source does not have any more")  # fmt: skip


@check(needs=("retype_field",))
def a_retyped_field_shows(rig: Rig) -> None:
    """Where a field holds something else than its type, its records are set aside with a reason, or reading says so: no value is made up,
    and no page holds another type than ``discover`` named."""
    old, table = _known_before(rig)
    before = {column.name: column.type for column in table.columns}
    name = rig.case.retype_field()
    try:
        got = rig.read()
    except ConnectorError as error:
        raise NotKept(f"discover() failed after '{name}' was changed: {error.message}; set the field's problem apart") from error  # fmt: skip
    for one in (got, reading(old, table)):
        _true_to(one)
        kind = {column.name: column.type for column in one.table.columns}.get(name)
        said = one.error is not None or one.rejected or kind != before[name]
        keeps(said, f"'{name}' holds texts now, is still declared {kind}, and nobody is told: set such records aside (Rejected), or raise DataError")  # fmt: skip
