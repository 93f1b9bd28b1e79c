"""How the HubSpot connector reads on a simulated account: all rows and changed ones, and on from any page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.plugins.reading_hubspot import HOUR, MINUTE, NOON, Read, connecting, deals, read, world
from tests.simulators.hubspot import HubSpot

from cadran.plugins import DataError, Page, ResumeExpired, Window

# --- all rows, and changed ones ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_all_pages(account: HubSpot, count: int) -> None:
    ids = deals(account, count)
    with connecting(account) as source:
        whole = read(source, "deals")
        changed = read(source, "deals", Window(NOON - 24 * HOUR, NOON))
    assert list(whole.rows) == list(changed.rows) == [str(id_) for id_ in ids]
    assert whole.rows == changed.rows


def test_only_what_has_changed_those_at_the_bound_included(account: HubSpot) -> None:
    ids = deals(account, 10)
    since = NOON - 10 * HOUR + 7 * MINUTE
    account.tie("deals", ids[2:4], since)
    with connecting(account) as source:
        assert set(read(source, "deals", Window(since, NOON)).rows) == {str(ids[n]) for n in (2, 3, 7, 8, 9)}
        assert read(source, "deals", Window(NOON + HOUR, NOON)).rows == {}  # a state from the future


def test_more_hits_than_a_search_gives(account: HubSpot) -> None:
    """All of them changed at the same moment, as after an import."""
    account.hits_at_most = 400
    ids = deals(account, 1001)
    account.tie("deals", ids, NOON - HOUR)
    with connecting(account) as source:
        assert len(read(source, "deals", Window(NOON - HOUR, NOON)).rows) == 1001


def test_what_is_archived_is_gone(account: HubSpot) -> None:
    ids = deals(account, 5)
    account.archive("deals", ids[0], at=NOON - 5 * HOUR)
    account.archive("deals", ids[1], at=NOON - HOUR)
    with connecting(account) as source:
        whole = read(source, "deals")
        changed = read(source, "deals", Window(NOON - 2 * HOUR, NOON))
        assert whole.gone == {str(ids[0]), str(ids[1])} and set(whole.rows) == {str(id_) for id_ in ids[2:]}
        assert changed.gone == {str(ids[1])} and changed.rows == {}
        account.restore("deals", ids[1])
        again = read(source, "deals", Window(NOON - 2 * HOUR, NOON))
        assert again.gone == set() and set(again.rows) == {str(ids[1])}


def test_what_is_merged_into_another_is_gone(account: HubSpot) -> None:
    """HubSpot shows it neither as archived nor in any other way but in the record that took it in."""
    ids = deals(account, 3)
    both = account.merge("deals", ids[2], ids[0])
    with connecting(account) as source:
        changed = read(source, "deals", Window(NOON - MINUTE, NOON))
    assert changed.gone == {str(ids[0]), str(ids[2])} and set(changed.rows) == {str(both)}


def test_a_row_that_changes_while_others_are_read_is_not_lost(account: HubSpot) -> None:
    """It goes to the end of what is sorted by time; pages are told by ids, so that none behind it moves up."""
    ids = deals(account, 450)

    def moved(number: int) -> Callable[[], None]:
        return lambda: account.update("deals", ids[number], {"amount": "7"}, at=NOON + MINUTE)

    with connecting(account) as source:
        source.table("deals")
        account.meanwhile = [moved(0), moved(150), moved(449)]
        assert len(read(source, "deals").rows) == 450
        account.tie("deals", ids, NOON - HOUR)
        account.meanwhile = [moved(0), moved(449)]
        first = read(source, "deals", Window(NOON - HOUR, NOON))
        # It changed behind the window's end, and is in the next.
        assert {str(id_) for id_ in ids} - set(first.rows) == {str(ids[449])}
        account.now = lambda: NOON + HOUR
        assert str(ids[449]) in read(source, "deals", Window(NOON - HOUR, NOON + HOUR)).rows


def test_search_that_lags_loses_nothing(account: HubSpot) -> None:
    """What search does not show yet is seen by the next read, which begins again some minutes before."""
    account.lag = 2 * MINUTE
    (old,), now = deals(account, 1), account.clock
    late = account.insert("deals", {}, at=now - MINUTE)
    with connecting(account) as source:
        table = source.table("deals")
        assert table is not None
        assert set(read(source, "deals", Window(NOON - 24 * HOUR, now)).rows) == {str(old)}
        account.now = lambda: NOON + HOUR
        assert set(read(source, "deals", Window(now - table.lookback, NOON + HOUR)).rows) == {str(late)}


@pytest.mark.parametrize("hours", [-3, 3])
def test_clocks_that_differ(account: HubSpot, hours: int) -> None:
    """The window's end is a time of our clock, what it is compared with one of HubSpot's."""
    account.skew = hours * HOUR
    account.insert("deals", {}, at=account.clock - MINUTE)
    with connecting(account) as source:
        assert len(read(source, "deals", Window(account.clock - HOUR, account.now())).rows) == 1


def test_an_account_with_many_properties(account: HubSpot) -> None:
    """Their names do not fit into an address: the records are read by their ids, and no address is too long."""
    for number in range(400):
        account.add_property("deals", f"a_rather_long_name_of_a_property_{number}", f"P{number}")
    ids = deals(account, 130)
    company = account.insert("companies", {})
    account.update("deals", ids[120], {"a_rather_long_name_of_a_property_399": "here"})
    account.associate("deals", ids[120], "companies", company, primary=True)
    account.archive("deals", ids[1])
    with connecting(account) as source:
        found = read(source, "deals")
    assert len(found.rows) == 129 and found.gone == {str(ids[1])}
    assert found.rows[str(ids[120])]["p399"] == "here" and found.rows[str(ids[120])]["company_id"] == str(
        company
    )
    assert max(len(request.query.get("properties", "")) for request in account.asked) < 6_000


# --- on from any page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["deals", "deal_stage_history", "activities", "deals_companies"])
@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)], ids=["whole", "changes"])
def test_reading_goes_on_behind_any_page(account: HubSpot, table: str, window: Window) -> None:
    world(account)
    with connecting(account) as source:
        described, items = source.table(table), list(source.changes(table, window))
        assert described is not None
        whole = Read(described, items)
        assert len(whole.resumes) == len({repr(r) for r in whole.resumes}) > 2, "no two pages have the same"
        for cut, item in enumerate(items[:-1]):
            resume = getattr(item, "resume", None)
            if resume is None:
                continue
            rest = list(source.changes(table, window, resume))
            assert rest[-1].rows == sum(item.data.num_rows for item in rest if isinstance(item, Page))  # type: ignore[union-attr,attr-defined]
            joined = Read(described, [*items[: cut + 1], *rest])
            assert (joined.rows, joined.gone) == (whole.rows, whole.gone)


@pytest.mark.parametrize(
    "resume",
    [{}, {"at": "nowhere"}, {"at": 3}, {"at": "live", "after": None}, {"at": "live", "above": "abc"}],
)
@pytest.mark.parametrize("table", ["deals", "activities"])
def test_a_resume_that_is_none(account: HubSpot, resume: dict[str, Any], table: str) -> None:
    with connecting(account) as source, pytest.raises(ResumeExpired):
        window = Window(NOON - HOUR, NOON)
        read(source, table, window, {"kind": "calls", **resume} if table == "activities" else resume)


def test_a_kind_of_activities_that_is_none(account: HubSpot) -> None:
    with connecting(account) as source:
        for resume in ({}, {"kind": "letters", "at": "live"}, {"kind": ["calls"], "at": "live"}):
            with pytest.raises(ResumeExpired):
                read(source, "activities", resume=resume)


def test_a_state_that_is_none(account: HubSpot) -> None:
    with connecting(account) as source, pytest.raises(ResumeExpired):
        read(source, "deals", Window("yesterday", NOON))


def test_a_cursor_that_has_expired(account: HubSpot) -> None:
    deals(account, 250)
    with connecting(account) as source:
        (first, *_) = source.changes("deals")
        assert isinstance(first, Page)
        account.expired = True
        with pytest.raises(ResumeExpired):
            read(source, "deals", resume=first.resume)


@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)])
def test_pages_that_point_to_themselves_are_no_loop(account: HubSpot, window: Window) -> None:
    deals(account, 450)
    account.stuck = True
    with connecting(account) as source, pytest.raises(DataError):
        read(source, "deals", window)
