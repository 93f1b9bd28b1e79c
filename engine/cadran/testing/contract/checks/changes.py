"""Sources that are asked for changes: that nothing is lost between two reads, nor where one of them broke off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cadran.plugins.connector import ResumeExpired
from cadran.plugins.synced import WHOLE, Deletes, Window
from cadran.testing.contract.case import can
from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.reading import Got, differences, key_of, told
from cadran.testing.contract.rig import Rig

_MOST_STOPS = 8  # pages behind which reading is broken off


def _changes(rig: Rig) -> Got:
    """The whole table, where reading on from there means something."""
    got = rig.read().whole()
    if not got.table.cursor and (got.end is None or got.end.state is None):
        raise NotShown(f"'{got.table.name}' has no cursor and keeps no state: everything is read each time")
    return got


@check("synced", needs=("insert", "update"))
def the_next_read_brings_what_changed(rig: Rig) -> None:
    """Reading with the window of the read before gives rows that were added and rows that were changed since, and not all of them."""
    first = _changes(rig)
    added, changed = rig.change("insert"), rig.change("update")
    got = rig.read(rig.since(first)).whole()
    for key, what in ((added, "was added"), (changed, "was changed")):
        keeps(key in got.by_key, f"the row {key} {what} since the last read, and does not come: what does the window's 'since' or 'state' ask for?")  # fmt: skip
        wanted = rig.wanted(got.table)[key]
        wrong = differences({key: got.by_key[key]}, {key: wanted}, got.table)
        keeps(not wrong, f"the row {key} {what}, and comes with old values: {'; '.join(wrong[:3])}")
    keeps(len(got.by_key) < len(rig.wanted(got.table)), "all rows came again: ask the source only for what has changed since the window's 'since'")  # fmt: skip


@check("synced", needs=("tie",))
def rows_at_the_boundary_come_again(rig: Rig) -> None:
    """Rows whose cursor equals the window's ``since`` are given: another may have been written within the same tick, after the last read.

    Ask with ``>=`` and never with ``>``.
    """
    first = _changes(rig)
    rig.cursor(first.table)
    late = rig.change("tie")
    window = rig.since(first)
    got = rig.read(window).whole()
    keeps(late in got.by_key, f"the row {late} was written in the tick in which the last read ended, {window.since}, and is lost: ask with >= and not with >")  # fmt: skip


@check("synced")
def reading_goes_on_behind_each_page(rig: Rig) -> None:
    """A read that was broken off behind any page goes on from that page's ``resume``, in another process, and both together are the table.

    So does one that was broken off behind Deletes: of what comes with one page, only the last item carries its ``resume``. What came before is
    not read again from the beginning: a copy that needs an hour would never be done where it breaks off each half.
    """
    if "resume" in rig.case.cannot:
        raise NotShown(rig.case.cannot["resume"])
    whole = rig.read().whole()
    resumable = [n for n, resume in enumerate(whole.resumes) if resume is not None]
    keeps(resumable, "no page has a 'resume': say with each page what reading goes on with right behind it, or excuse it: cannot = {'resume': '…'}")  # fmt: skip
    for stop in resumable[:_MOST_STOPS]:
        first = rig.read(between=lambda got, at=stop: len(got.resumes) > at)  # type: ignore[misc]
        keeps(
            first.stopped and first.resumes[stop] is not None,
            f"page {stop + 1} of another read has no 'resume'",
        )
        rest = rig.read(resume=first.resumes[stop])
        if rest.error is not None:
            raise NotKept(f"going on behind page {stop + 1} failed: {told(rest.error)}") from rest.error
        rest.whole()
        both = {**first.by_key, **rest.by_key}
        rig.still_holds(_joined(first, both), f"broken off behind page {stop + 1} and gone on, the table is not what it was")  # fmt: skip
        again = len(rest.by_key) >= len(whole.by_key) and stop > 0
        keeps(not again, f"going on behind page {stop + 1} read all {len(rest.by_key)} rows again: 'resume' is not looked at")  # fmt: skip
        page = {key_of(row, first.table) for row in first.pages[-1].to_pylist()} if first.pages else set()
        repeated = page and page <= set(rest.by_key)
        keeps(not repeated, f"going on behind page {stop + 1} gave its {len(page)} rows once more: 'resume' of a page says what comes behind it, such as the cursor of the next page, and not how the page itself was asked for")  # fmt: skip
    _goes_on_behind_deletes(rig, whole)


def _goes_on_behind_deletes(rig: Rig, whole: Got) -> None:
    """The same of a read of what has changed, with a row that is gone on its first page and more pages behind it."""
    starts = whole.table.cursor or (whole.end is not None and whole.end.state is not None)
    if whole.table.deletes != "reported" or not starts or not (can(rig.case, "delete") and can(rig.case, "insert")):  # fmt: skip
        return
    window = rig.since(whole)
    rig.change("delete")
    for _ in range(max((page.num_rows for page in whole.pages), default=0) + 1):
        rig.change("insert")
    wanted = rig.read(window).whole()
    for stop in [n for n, resume in enumerate(wanted.resumes) if resume is not None][:_MOST_STOPS]:
        first = rig.read(window, between=lambda got, at=stop: len(got.resumes) > at)  # type: ignore[misc]
        rest = rig.read(window, first.resumes[stop])
        if rest.error is not None:
            raise NotKept(f"a read of what has changed failed when it went on: {told(rest.error)}") from rest.error  # fmt: skip
        rest.whole()
        lost = sorted(map(repr, (set(wanted.by_key) - set(first.by_key) - set(rest.by_key)) | (set(wanted.gone) - set(first.gone) - set(rest.gone))))  # fmt: skip
        what = "Deletes" if first.last is Deletes else "a page"
        keeps(not lost, f"a read of what has changed was broken off behind {what} and went on from the 'resume' given there, and {len(lost)} rows did not come, such as {lost[:1]}: only the last item of what comes with one page carries its 'resume'")  # fmt: skip


def _joined(got: Got, rows: Mapping[tuple[Any, ...], dict[str, Any]]) -> Got:
    import pyarrow as pa

    return Got(got.table, [pa.Table.from_pylist(list(rows.values()))] if rows else [], end=got.end)


@check("synced")
def places_that_mean_nothing_are_said(rig: Rig) -> None:
    """A ``resume`` or a ``state`` that the connector did not write is a ConnectorError or a read of the whole table, and never a shorter one
    that looks whole. A window that begins in the future is empty, and ends."""
    whole = rig.read().whole()
    places = [resume for resume in whole.resumes if resume is not None][:1]
    garbage: list[Mapping[str, Any]] = [{"nonsense": "x"}, {}]
    garbage += [dict.fromkeys(place, value) for place in places for value in ("garbage", -1, None)]
    for place in garbage:
        _whole_or_said(rig, rig.read(resume=place), f"with the resume {place}")
    if whole.end is not None and whole.end.state is not None and can(rig.case, "insert"):
        rig.change("insert")
        for state in ({"nonsense": "x"}, dict.fromkeys(whole.end.state, "garbage")):
            got = rig.read(replace(rig.since(whole), state=state))
            if got.error is None:
                both = _joined(got, {**whole.by_key, **got.whole().by_key})
                _whole_or_said(rig, both, f"with the state {state}")
    if whole.table.cursor:
        values = [row[whole.table.cursor] for row in whole.rows]
        if values and isinstance(values[0], dt.datetime):
            later = rig.read(Window(rig.now() + dt.timedelta(days=3650), rig.now() + dt.timedelta(days=3651)))
            keeps(later.error is None and not later.rows, f"a window that begins in ten years gave {len(later.rows)} rows, or {later.error!r}: it is empty")  # fmt: skip


def _whole_or_said(rig: Rig, got: Got, why: str) -> None:
    if got.error is None:
        rig.holds(got.whole(), f"{why}, which means nothing, reading gave fewer rows and its End: raise ResumeExpired", missing_only=True)  # fmt: skip


@check("synced", needs=("expire",))
def places_that_ran_out_are_said(rig: Rig) -> None:
    """Where the source does not know a place any more, reading raises ResumeExpired, or gives all that is needed: the engine begins anew."""
    stopped = rig.read(between=lambda _: True)
    whole = _read_state(rig)
    rig.change("expire")
    reads = [("the resume of a page", WHOLE, stopped.resumes[-1], stopped)]
    reads += [("a state", rig.since(whole), None, whole)] if whole is not None else []
    for what, window, resume, before in reads:
        got = rig.read(window, resume)
        if got.error is not None:
            keeps(isinstance(got.error, ResumeExpired), f"{what} that the source forgot gave {told(got.error)}: raise ResumeExpired, so that the engine begins anew")  # fmt: skip
        else:
            seen = {**before.by_key, **got.whole().by_key}
            rig.holds(_joined(got, seen), f"{what} ran out, and rows are missing", missing_only=True)


def _read_state(rig: Rig) -> Got | None:
    got = rig.read().whole()
    return got if got.end is not None and got.end.state is not None else None


@check("synced", needs=("move",))
def a_row_that_moves_is_not_lost(rig: Rig) -> None:
    """Rows that are there from beginning to end come, though others change while page after page is read.

    A row may be missing from this read if the next one brings it. Walk by key or by cursor and key: an offset jumps over rows.
    """
    before = rig.wanted(rig.table(rig.make()))
    start = rig.read().whole()
    moved = False

    def between(_: Got) -> None:
        nonlocal moved
        if not moved:
            moved = True
            rig.change("move")

    got = rig.read(between=between).whole()
    keeps(moved, "nothing came before the End")
    known = set(got.by_key)
    if got.table.cursor:
        known |= set(rig.read(rig.since(start)).whole().by_key)
    stayed = set(before) & set(rig.wanted(got.table))
    lost = sorted(map(repr, stayed - known))
    keeps(not lost, f"the rows {', '.join(lost[:3])} were there all the time and did not come, as others moved while pages were read: an offset jumps over rows, walk by cursor and key")  # fmt: skip


@check("synced", needs=("delete",))
def deleted_rows_show(rig: Rig) -> None:
    """A row that was deleted shows as the table says: ``reported`` by Deletes in the next read, ``unseen`` in a read of the whole table."""
    first = rig.read().whole()
    rig.key(first.table)
    key = rig.change("delete")
    _gone(rig, first, key, "deleted")


def _gone(rig: Rig, first: Got, key: tuple[Any, ...], how: str) -> None:
    table = first.table
    if table.deletes == "reported":
        got = rig.read(rig.since(first)).whole()
        keeps(key in got.gone, f"the row {key} was {how}, and the next read has no Deletes of it, though '{table.name}' says that deletes are reported")  # fmt: skip
        keeps(key not in got.by_key or key in got.gone, f"the row {key} was {how}, and comes as a row")
    elif table.deletes == "never":
        raise NotKept(f"'{table.name}' says that deletes never show, and the case deletes: say 'unseen' or 'reported', or excuse it: cannot = {{'delete': '…'}}")  # fmt: skip
    whole = rig.read().whole()
    keeps(key not in whole.by_key or key in whole.gone, f"the row {key} was {how}, and a read of the whole table still gives it")  # fmt: skip


@check("synced", needs=("archive",))
def archived_rows_show(rig: Rig) -> None:
    """A row that was put away is there with its new values where the case's ``rows`` still have it, and gone where they do not."""
    first = rig.read().whole()
    rig.key(first.table)
    key = rig.change("archive")
    wanted = rig.wanted(first.table)
    if key not in wanted:
        _gone(rig, first, key, "archived")
        return
    whole = rig.read().whole()
    keeps(key in whole.by_key, f"the row {key} was archived, and a read of the whole table does not give it: ask for archived ones as well")  # fmt: skip
    rig.holds(whole, "after one row was archived, the table is not what the stand-in holds")
    if first.table.cursor:
        keeps(key in rig.read(rig.since(first)).whole().by_key, f"the row {key} was archived, and the next read does not say so: ask for archived ones as well")  # fmt: skip
