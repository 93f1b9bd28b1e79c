"""The ``pipedrive`` connector where Pipedrive is less kind than one would think: lists that move, deals that go, histories with gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.pipedrive import TOKEN, Pipedrive

from cadran.plugins import DataError, QuotaExhausted, Transient, Window
from cadran_plugins.pipedrive import walking
from cadran_plugins.pipedrive.connector import PipedriveConnector

from .copying import NOON, Clock, Copy, asked, closing_, read

Account = tuple[Pipedrive, Copy]


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Pages of four; three stages and four deals, that were made at noon."""
    monkeypatch.setattr(walking, "PAGE", 4)
    crm, clock = Pipedrive(), Clock()
    crm.now = clock
    for name in ("New", "Offer", "Talks"):
        crm.insert("stages", name=name)
    for n in range(1, 5):
        crm.insert("deals", title=f"Deal {n}", stage_id=1)
    clock.later(hours=1)
    with crm.serving():
        yield crm, Copy(PipedriveConnector, {"token": TOKEN, "url": crm.url}, tmp_path, clock)


# --- archived leads: a list of places, which cannot be asked for what has changed ---------------------------------------------


def archived(crm: Pipedrive, copy: Copy, count: int, *, apart: bool = True) -> list[Any]:
    """So many archived leads, each archived at another time unless they all were at once."""
    keys = [crm.insert("leads", title=f"Lead {n}") for n in range(count)]
    for key in keys:
        copy.clock.later(seconds=10 if apart else 0)
        crm.archive("leads", key)
    return keys


@pytest.mark.parametrize("apart", [True, False], ids=["one after the other", "all at once"])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 7, 8, 30])
def test_archived_leads_are_read_in_as_many_requests_as_there_are_pages(account: Account, count: int, apart: bool) -> None:  # fmt: skip
    crm, copy = account
    keys = archived(crm, copy, count, apart=apart)
    with closing_(copy.connect()) as connector:
        found = read(connector, "leads")
    assert sorted(row["id"] for row in found.rows) == sorted(keys)
    assert asked(crm, "/leads/archived") <= max(1, -(-count // 3))


def test_archived_leads_that_go_while_they_are_read_take_none_along(account: Account) -> None:
    crm, copy = account
    keys = archived(crm, copy, 15)
    with closing_(copy.connect()) as connector:
        stream = connector.changes("leads", Window(until=copy.clock()))
        found: set[Any] = set()
        for number, item in enumerate(stream):
            found |= {row["id"] for row in item.data.to_pylist()} if hasattr(item, "data") else set()
            if number in (1, 2):
                crm.delete("leads", keys[number])
    assert set(keys) - found <= {keys[1], keys[2]}


def test_archived_leads_that_never_stand_still_end_in_an_error_and_no_endless_loop(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    crm, copy = account
    archived(crm, copy, 9)
    leads = crm._leads

    def moving(request: Any, which: str | None) -> Any:
        crm.insert(
            "leads", title="new", is_archived=True, update_time=f"2020-01-01T00:00:{len(crm.asked):02}Z"
        )
        return leads(request, which)

    monkeypatch.setattr(crm, "_leads", moving)
    crm._routes = crm.routes()
    with closing_(copy.connect()) as connector, pytest.raises(Transient, match="while they are read"):
        read(connector, "leads")


def test_reading_archived_leads_goes_on_behind_any_page(account: Account) -> None:
    crm, copy = account
    keys = archived(crm, copy, 11)
    with closing_(copy.connect()) as connector:
        whole = read(connector, "leads")
        for pages in range(1, len(whole.resumes) + 1):
            first = read(connector, "leads", most=pages)
            rest = read(connector, "leads", resume=first.resumes[-1])
            assert sorted(row["id"] for row in first.rows + rest.rows) == sorted(keys)


# --- the history of stages -------------------------------------------------------------------------------------------------------


def stays(copy: Copy, deal: int) -> list[tuple[Any, ...]]:
    rows = copy.rows("deal_stage_history").values()
    found = sorted((r["number"], r["stage_id"], r["entered_at"], r["left_at"]) for r in rows if r["deal_id"] == deal)  # fmt: skip
    return [stay[1:] for stay in found]


def at(hours: float) -> dt.datetime:
    return NOON + dt.timedelta(hours=hours)


def test_a_deal_that_is_deleted_before_its_history_is_asked_for_stops_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    crm, copy = account
    crm.move(2, 2)
    monkeypatch.setattr(crm, "_flow", lambda request, deal, flow=crm._flow: flow(request, deal if deal != "2" else "999"))  # fmt: skip
    crm._routes = crm.routes()
    copy.sync("deal_stage_history")
    assert stays(copy, 2) == []
    assert stays(copy, 1) == [(1, at(0), None)]


def test_a_change_that_nobody_tells_of_does_not_lengthen_the_stage_that_came_of_it(account: Account) -> None:
    """A deal may have moved, and its history say nothing of it: where it was before is not known, and that it is where it is only since then."""
    crm, copy = account
    crm.move(1, 2)
    del crm.flows[1]
    copy.clock.later(hours=1)
    crm.move(2, 2)
    copy.clock.later(hours=1)
    crm.move(2, 3)
    del crm.flows[2][1]
    copy.sync("deal_stage_history")
    assert stays(copy, 1) == [(2, at(1), None)]
    assert stays(copy, 2) == [(1, at(0), at(2)), (2, at(2), at(3)), (3, at(3), None)]


def test_a_move_after_the_deal_was_listed_is_told_once(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm, copy = account
    crm.move(1, 2)
    flow = crm._flow

    def moved(request: Any, deal: str) -> Any:
        if len(crm.flows[1]) == 1:
            copy.clock.later(minutes=30)
            crm.move(1, 3)
        return flow(request, deal)

    monkeypatch.setattr(crm, "_flow", moved)
    crm._routes = crm.routes()
    copy.sync("deal_stage_history")
    assert stays(copy, 1) == [(1, at(0), at(1)), (2, at(1), at(1.5)), (3, at(1.5), None)]


def test_changes_of_a_deal_that_was_merged_into_another_are_none_of_that_ones(account: Account) -> None:
    crm, copy = account
    crm.move(1, 2)
    copy.clock.later(hours=1)
    crm.move(3, 3)
    crm.flows[1] += crm.flows[3]
    copy.sync("deal_stage_history")
    assert stays(copy, 1) == [(1, at(0), at(1)), (2, at(1), None)]


# --- the budget ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0, 1, 9])
def test_a_budget_that_does_not_suffice_is_used_up(account: Account, left: int) -> None:
    crm, copy = account
    crm.budget = 10 * 4 + left  # which fields there are, and a little
    done = copy.try_sync("deals")
    assert isinstance(done.error, QuotaExhausted) and "budget" in done.error.message
    assert crm.refused == 1, "it is not asked again"


# --- values --------------------------------------------------------------------------------------------------------------------


def test_a_time_that_says_no_offset_is_utc_as_v1_means_it(account: Account) -> None:
    crm, copy = account
    crm.insert("activities", subject="call", done=True, marked_as_done_time="2026-03-01 23:30:00")
    (row,) = copy.sync("activities").values()
    assert row["marked_as_done_time"] == dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)


def test_what_is_not_there_is_still_an_error_elsewhere(account: Account) -> None:
    crm, copy = account
    crm._routes = {key: value for key, value in crm.routes().items() if "archived" not in key[1]}
    with closing_(copy.connect()) as connector, pytest.raises(DataError, match="refuses"):
        read(connector, "deals")


def test_a_field_that_another_of_the_same_label_replaces_leaves_no_values_behind(account: Account) -> None:
    """A field's type cannot be changed in Pipedrive: one makes another and calls it the same. No deal counts as changed for it."""
    crm, copy = account
    crm.add_field("deals", "Segment", "varchar")
    for deal in (1, 2):
        crm.update("deals", deal, custom={"Segment": "old"})
    copy.clock.later(days=1)
    crm.update("deals", 3)
    copy.sync("deals")
    crm.remove_field("deals", "Segment")
    crm.fields["deals"].append({**_named("Segment"), "field_code": "f" * 40})
    crm.update("deals", 2)
    crm.rows["deals"][2]["custom_fields"]["f" * 40] = "new"
    assert {key: row["segment"] for key, row in copy.sync("deals").items()} == {1: None, 2: "new", 3: None, 4: None}  # fmt: skip
    crm.asked.clear()
    copy.sync("deals")
    assert all("updated_since" in r.query or "status" in r.query for r in crm.asked if r.path == "/api/v2/deals"), "once"  # fmt: skip


def _named(label: str) -> dict[str, Any]:
    return {"field_name": label, "field_type": "varchar", "is_custom_field": True, "options": None}
