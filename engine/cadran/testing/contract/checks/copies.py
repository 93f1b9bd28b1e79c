"""The project's copy, by the engine's own sync: what runs compute from is what the source holds, whatever happened on the way."""

from __future__ import annotations

from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.checks.settings import named_secrets
from cadran.testing.contract.copying import Copy, Killed
from cadran.testing.contract.rig import Rig
from cadran.testing.contract.watching import forms

_MOST_KILLS = 6


@check("synced")
def a_sync_that_is_killed_goes_on(rig: Rig) -> None:
    """Killed behind each page in turn and begun again, the copy is in the end what the source holds: no row is lost, and none is there twice."""
    copy = Copy(rig)
    kills = 0
    for behind in range(1, _MOST_KILLS + 1):
        try:
            copy.sync(killed_behind=behind if kills == 0 else 1)
        except Killed:
            kills += 1
        else:
            break
    if not kills:
        raise NotShown("the table came in one page: there is nothing between two")
    copy.synced(f"after {kills} syncs that were killed")
    copy.holds(f"after {kills} syncs that were killed, the copy is not the table")


@check("synced", needs=("insert", "update", "delete"))
def the_copy_follows_the_source(rig: Rig) -> None:
    """Rows that are added, changed and deleted are so in the copy, after the next sync or, where deletes show only in a read of the whole
    table, after the next full one; syncing once more changes nothing."""
    copy = Copy(rig)
    copy.synced("nothing was wrong")
    copy.holds("the copy is not the table")
    rig.change("insert")
    rig.change("update")
    rig.change("delete")
    deletes = rig.table(rig.make()).deletes
    copy.synced("rows were added, changed and deleted")
    if deletes == "reported":
        copy.holds("after rows were added, changed and deleted, the copy is not the table")
    copy.synced("all rows were asked for", full=True)
    copy.holds("after all rows were asked for again, the copy is not the table")
    again = copy.synced("nothing has changed")
    keeps(not (again.counts.new or again.counts.deleted), f"nothing has changed, and a sync found {again.counts.new} new rows and {again.counts.deleted} deleted ones")  # fmt: skip


@check("synced", needs=("add_field",))
def the_copy_gets_an_added_field(rig: Rig) -> None:
    """A field that is added is a column of the copy after the next full sync, with its values."""
    copy = Copy(rig)
    copy.synced("nothing was wrong")
    name = rig.change("add_field")
    copy.synced(f"the field '{name}' was added")
    copy.synced(f"the field '{name}' was added", full=True)
    keeps(name in copy.table().column_names, f"the field '{name}' was added, and the copy has the columns {copy.table().column_names}")  # fmt: skip
    copy.holds(f"after the field '{name}' was added, the copy is not the table")


@check("synced", needs=("retype_field",))
def the_copy_takes_no_value_of_another_type(rig: Rig) -> None:
    """Where a field holds something else than before, the sync says so, or sets records aside: old values stand or go, and none is made up."""
    copy = Copy(rig)
    copy.synced("nothing was wrong")
    name = rig.change("retype_field")
    known = copy.table().column_names
    keeps(
        name in known,
        f"retype_field() of the case gives {name!r}, and the copy had no such column: it has {known}",
    )
    before = copy.table().schema.field(name).type
    done = copy.sync(full=True)
    after = copy.table().schema.field(name).type if name in copy.table().column_names else None
    keeps(done.error is not None or done.counts.aside or after != before, f"'{name}' holds texts now, and the sync took {done.counts.rows} rows without a word")  # fmt: skip


@check("synced")
def no_secret_lies_on_the_disk(rig: Rig) -> None:
    """Nothing that a sync writes holds a secret: pages, places to go on from, states, the copy, the account of it."""
    named_secrets(rig)
    copy = Copy(rig)
    try:
        copy.sync(killed_behind=1)
    except Killed:
        _look(rig)
    copy.synced("it was killed once")
    _look(rig)


def _look(rig: Rig) -> None:
    for path in sorted(rig.folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for secret in rig.case.secrets:
            if any(form.encode() in content for form in forms(secret)):
                raise NotKept(f"{path.relative_to(rig.folder)} holds a secret: 'resume' and 'state' are written to disk, and rows are")  # fmt: skip
