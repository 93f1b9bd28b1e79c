"""Fields come, go and change while a source is used: nobody may be shown values of another field or of another type."""

from __future__ import annotations

from cadran.plugins.connector import ConnectorError
from cadran.plugins.synced import SyncedConnector
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


def _read_by_who_knew_it(rig: Rig, what: str) -> tuple[str, Got | None]:
    """Changes a field, and reads by a connector that had looked at the table before, where one lives so long; gives the field's name."""
    connector = rig.make()
    table = rig.table(connector)
    name = str(rig.change(what))
    known = [column.name for column in table.columns]
    keeps(what == "add_field" or name in known, f"{what}() of the case gives {name!r}, and discover() knew no such column: it had {known}")  # fmt: skip
    if not issubclass(rig.kind, SyncedConnector):
        return name, None
    got = reading(connector, table)
    _true_to(got)
    return name, got


@check(needs=("add_field",))
def an_added_field_shows(rig: Rig) -> None:
    """A field that somebody adds is a column of the next ``discover``, and reading gives its values; who knew the table before is not shown
    them under other names."""
    name, _ = _read_by_who_knew_it(rig, "add_field")
    got = rig.read().whole()
    names = [column.name for column in got.table.columns]
    keeps(name in names, f"the source has a new field, and discover() does not know '{name}': it has {names}")
    rig.holds(got, "after a field was added, the table is not what the stand-in holds")
    keeps(any(row[name] is not None for row in got.rows), f"the new column '{name}' is empty: ask the source for all fields that it has")  # fmt: skip


@check(needs=("remove_field",))
def a_removed_field_shows(rig: Rig) -> None:
    """A field that somebody takes away is no column of the next ``discover``; a read that began with it fails or gives NULL there."""
    name, after = _read_by_who_knew_it(rig, "remove_field")
    got = rig.read().whole()
    keeps(name not in [c.name for c in got.table.columns], f"the source has no '{name}' any more, and discover() still names it: ask the source which fields there are")  # fmt: skip
    rig.holds(got, "after a field was removed, the table is not what the stand-in holds")
    keeps(after is None or after.error is not None or all(row[name] is None for row in after.rows), f"values come in '{name}', which the source does not have any more")  # fmt: skip


@check(needs=("retype_field",))
def a_retyped_field_shows(rig: Rig) -> None:
    """Where a field holds something else than its type, its records are set aside with a reason, or reading says so: no value is made up,
    and no page holds another type than ``discover`` named."""
    before = rig.read().whole().pages[0].schema
    name, after = _read_by_who_knew_it(rig, "retype_field")
    try:
        got = rig.read()
    except ConnectorError as error:
        raise NotKept(f"discover() failed after '{name}' was changed: {error.message}; give the table with its problem") from error  # fmt: skip
    _true_to(got)
    for one in (got, after):
        if one is None:
            continue
        kinds = {page.schema.field(name).type for page in one.pages if name in page.column_names}
        said = one.error is not None or one.rejected or kinds != {before.field(name).type}
        keeps(said, f"'{name}' holds texts now, is read as {before.field(name).type}, and nobody is told: set such records aside (Rejected), or raise DataError")  # fmt: skip
