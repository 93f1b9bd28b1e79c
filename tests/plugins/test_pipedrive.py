"""The ``pipedrive`` connector against a stand-in of the API: what comes out of it, and what the copy is after each change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.base import Fault
from tests.simulators.pipedrive import TOKEN, Pipedrive

from cadran.plugins import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    QuotaExhausted,
    ResumeExpired,
    Transient,
    Window,
)
from cadran_plugins.pipedrive import walking
from cadran_plugins.pipedrive.connector import PipedriveConnector

from .copying import NOON, Clock, Copy, asked, closing_, read

Account = tuple[Pipedrive, Copy]


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Ten deals in three stages, in pages of four."""
    monkeypatch.setattr(walking, "PAGE", 4)
    crm, clock = Pipedrive(), Clock()
    crm.now = clock
    crm.insert("pipelines", name="Sales")
    for name in ("New", "Offer", "Talks"):
        crm.insert("stages", name=name)
    crm.add_field("deals", "Range", "enum", ["small", "large"])
    for n in range(1, 11):
        crm.insert("deals", title=f"Deal {n}", value=Decimal(n) / 4, custom={"Range": crm.option("deals", "Range", "small")})  # fmt: skip
    clock.later(hours=1)
    with crm.serving():
        yield crm, Copy(PipedriveConnector, {"token": TOKEN, "url": crm.url}, tmp_path, clock)


# --- what there is ---------------------------------------------------------------------------------------------------------


def test_tables_are_told_with_key_cursor_and_how_deletes_show(account: Account) -> None:
    with closing_(account[1].connect()) as connector:
        assert connector.ping() == "Belvoir"
        tables = {t.name: (t.key, t.cursor, t.deletes, t.problem) for t in connector.discover()}
        assert connector.discover() == connector.discover()
    changing = (("id",), "update_time", "unseen", None)
    assert tables == {
        "deals": (("id",), "update_time", "reported", None), "persons": changing, "organizations": changing, "activities": changing,
        "leads": changing, "users": (("id",), "", "unseen", None), "pipelines": (("id",), "", "unseen", None), "stages": (("id",), "", "unseen", None),
        "deal_stage_history": (("deal_id", "number"), "deal_update_time", "reported", None),
    }  # fmt: skip


#: A custom field's type, what v2 has as its value, and the columns that come of it.
FIELDS: list[tuple[str, Any, dict[str, Any]]] = [
    ("varchar", "a text", {"x": "a text"}),
    ("double", 12.5, {"x": 12.5}),
    ("monetary", {"value": Decimal("19.99"), "currency": "CHF"}, {"x": Decimal("19.9900"), "x_currency": "CHF"}),
    ("date", "2026-03-15", {"x": dt.date(2026, 3, 15)}),
    ("daterange", {"value": "2026-03-15", "until": "2026-04-01"}, {"x": dt.date(2026, 3, 15), "x_until": dt.date(2026, 4, 1)}),
    ("time", {"value": "09:30:00", "timezone_name": "Europe/Paris"}, {"x": "09:30:00"}),
    ("address", {"value": "1 rue X, Lyon", "country": "France", "locality": "Lyon", "postal_code": "69001"},
     {"x": "1 rue X, Lyon", "x_country": "France", "x_locality": "Lyon", "x_postal_code": "69001"}),
    ("enum", 102, {"x": "two"}),
    ("enum", 999, {"x": "999"}),
    ("set", [103, 101], {"x": "one; three"}),
    ("user", 7, {"x": 7}),
    ("varchar", None, {"x": None}),
    ("set", None, {"x": None}),
    ("monetary", None, {"x": None, "x_currency": None}),
    ("of the future", {"a": [1]}, {"x": '{"a":[1]}'}),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "columns"), FIELDS)
def test_a_teams_fields_are_columns_by_their_labels(account: Account, type_: str, value: Any, columns: dict[str, Any]) -> None:  # fmt: skip
    crm, copy = account
    crm.add_field("organizations", "X", type_, ["one", "two", "three"])
    crm.insert("organizations", name="Shop", custom={"X": value})
    with closing_(copy.connect()) as connector:
        found = {k: v for k, v in read(connector, "organizations").rows[0].items() if k.startswith("x")}
    assert found == columns


def test_fields_of_one_label_and_fields_called_as_pipedrives_own(account: Account) -> None:
    crm, copy = account
    crm.add_field("deals", "Titel €", "varchar")
    for key in ("a" * 40, "b" * 40):
        crm.fields["deals"].append({**crm._field("deals", "Titel €"), "field_name": "Title", "field_code": key})  # fmt: skip
    crm.rows["deals"][1]["custom_fields"] |= {"a" * 40: "first", "b" * 40: "second"}
    row = copy.sync("deals")[1]
    assert (row["title"], row["title_2"], row["title_3"], "titel" in row) == ("Deal 1", "first", "second", True)  # fmt: skip
    assert not any(len(name) >= 40 for name in row)


def test_people_have_their_first_address_and_users_their_team(account: Account) -> None:
    crm, copy = account
    crm.insert("persons", name="Ann", emails=[{"value": "b@x", "primary": False}, {"value": "a@x", "primary": True}])  # fmt: skip
    crm.insert("persons", name="Bob")
    crm.users = [
        {"id": 1, "name": "Zoé", "active_flag": True},
        {"id": 2, "name": "Léo", "active_flag": False},
    ]
    crm.teams = [{"id": 1, "name": "Sud", "users": [1]}, {"id": 2, "name": "Nord", "users": [1]}]
    assert [row["email"] for row in copy.sync("persons").values()] == ["a@x", None]
    assert [(u["name"], u["team"]) for u in copy.sync("users").values()] == [("Zoé", "Nord"), ("Léo", None)]
    crm.teams = None  # a plan without teams
    assert copy.sync("users")[1]["team"] is None


def test_an_amount_with_more_decimals_than_any_currency_is_set_aside(account: Account) -> None:
    crm, copy = account
    crm.update("deals", 3, value=100 / 3)
    assert sorted(copy.sync("deals")) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert copy.rows("deals")[1]["value"] == Decimal("0.2500")


# --- what has changed --------------------------------------------------------------------------------------------------------

Change = Callable[[Pipedrive], Any]
CHANGES: dict[str, Change] = {
    "a new one": lambda crm: crm.insert("deals", title="Deal 11"),
    "a change": lambda crm: crm.update("deals", 2, title="changed"),
    "a change of what is archived": lambda crm: (crm.archive("deals", 2), crm.update("deals", 2, title="x")),
    "archived": lambda crm: crm.archive("deals", 5),
    "deleted": lambda crm: crm.delete("deals", 5),
    "archived and deleted": lambda crm: (crm.archive("deals", 5), crm.delete("deals", 5)),
    "many at one time": lambda crm: [crm.update("deals", n, title="tie") for n in range(1, 10)],
    "nothing": str,
    "another field": lambda crm: (crm.add_field("deals", "New", "varchar"), crm.update("deals", 1, custom={"New": "x"})),
    "a choice has another label": lambda crm: crm.rename_option("deals", "Range", "small", "tiny"),
}  # fmt: skip


def in_account(crm: Pipedrive) -> dict[int, tuple[Any, ...]]:
    """What the copy should hold: id → title, archived, range."""
    labels = {o["id"]: o["label"] for o in crm._field("deals", "Range")["options"]}
    range_of = lambda r: labels.get(r["custom_fields"].get(crm.key("deals", "Range")))  # noqa: E731
    return {k: (r["title"], r["is_archived"], range_of(r)) for k, r in crm.rows["deals"].items() if not r["is_deleted"]}  # fmt: skip


def in_copy(rows: dict[Any, dict[str, Any]]) -> dict[int, tuple[Any, ...]]:
    return {k: (r["title"], r["is_archived"], r["range"]) for k, r in rows.items()}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_copy_is_the_account_after_each_sync(account: Account, change: Change) -> None:
    crm, copy = account
    assert in_copy(copy.sync("deals")) == in_account(crm)
    change(crm)
    copy.clock.later(minutes=1)
    assert in_copy(copy.sync("deals")) == in_account(crm)


def test_only_what_has_changed_is_asked_for(account: Account) -> None:
    crm, copy = account
    copy.sync("deals")
    crm.update("deals", 2, title="changed")
    crm.asked.clear()
    copy.sync("deals")
    since = [
        r.query.get("updated_since")
        for r in crm.asked
        if r.path == "/api/v2/deals" and "status" not in r.query
    ]
    assert set(since) == {"2026-03-02T11:50:00Z"}  # the last change seen, and ten minutes more


def test_who_is_back_lives_again(account: Account) -> None:
    crm, copy = account
    copy.sync("deals")
    crm.delete("deals", 5)
    assert 5 not in copy.sync("deals")
    crm.update("deals", 5, is_deleted=False)
    assert 5 in copy.sync("deals")


def test_after_a_month_all_deals_are_read_as_pipedrive_has_forgotten_what_was_deleted(
    account: Account,
) -> None:
    crm, copy = account
    copy.sync("deals")
    crm.delete("deals", 5)
    copy.clock.later(days=31)
    crm.update("deals", 6, title="x")
    assert in_copy(copy.sync("deals")) == in_account(crm)


def test_a_quiet_account_is_not_read_whole_each_time(account: Account) -> None:
    crm, copy = account
    copy.sync("deals")
    for _ in range(3):
        copy.clock.later(days=20)
        crm.asked.clear()
        copy.sync("deals")
        assert all("updated_since" in r.query or "status" in r.query for r in crm.asked if r.path.startswith("/api/v2/deals"))  # fmt: skip


def test_a_start_that_somebody_chose_is_no_old_sync(account: Account) -> None:
    _, copy = account
    copy.settings = type(copy.settings)(since=dt.date(2020, 1, 1))
    assert len(copy.sync("deals")) == 10


def test_persons_that_are_deleted_show_once_all_are_asked_for(account: Account) -> None:
    crm, copy = account
    for name in ("Ann", "Bob"):
        crm.insert("persons", name=name)
    copy.sync("persons")
    crm.delete("persons", 1)
    assert sorted(copy.sync("persons")) == [1, 2]
    assert sorted(copy.sync("persons", full=True)) == [2]


# --- reading that stops half way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["deals", "deal_stage_history", "leads"])
def test_reading_goes_on_behind_any_page(
    account: Account, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadran_plugins.pipedrive.history.DEALS", 3)
    crm, copy = account
    for n in range(9):
        crm.insert("leads", title=f"Lead {n}", is_archived=n == 4)
        copy.clock.later(seconds=n % 3)
    crm.move(2, 2)
    crm.archive("deals", 7)
    with closing_(copy.connect()) as connector:
        whole = read(connector, table)
        key = next(t.key for t in connector.discover() if t.name == table)
        want = {tuple(row[k] for k in key): row for row in whole.rows}
        assert len(whole.resumes) > 3
        for pages in range(1, len(whole.resumes) + 1):
            first = read(connector, table, most=pages)
            rest = read(connector, table, resume=first.resumes[-1])
            assert {tuple(row[k] for k in key): row for row in first.rows + rest.rows} == want
            assert rest.end is not None and rest.end.rows == len(rest.rows)


def test_what_changes_between_two_pages_is_in_the_copy_in_the_end(account: Account) -> None:
    crm, copy = account
    with closing_(copy.connect()) as connector:
        stream = connector.changes("deals", Window(until=copy.clock()))
        next(stream)
        copy.clock.later(seconds=1)
        crm.update("deals", 1, title="after its page")
        crm.update("deals", 9, title="before its page")
        crm.archive("deals", 10)
        rest = [row for item in stream for row in (item.data.to_pylist() if hasattr(item, "data") else ())]
    assert {row["id"]: row["title"] for row in rest} | {9: "before its page"} == {row["id"]: row["title"] for row in rest}  # fmt: skip
    assert 10 in {row["id"] for row in rest}
    assert in_copy(copy.sync("deals")) == in_account(crm)


def test_a_cursor_that_has_expired_begins_anew(account: Account) -> None:
    crm, copy = account
    crm.faults.append(Fault("error", path="/api/v2/deals$", skip=1, times=9))
    assert isinstance(copy.try_sync("deals").error, Transient)
    crm.faults.clear()
    crm.expire_cursors()
    with closing_(copy.connect()) as connector, pytest.raises(ResumeExpired):
        read(connector, "deals", resume={"list": 0, "cursor": crm._cursor("deals", [1, 1])[:-4] + "AAAA", "labels": "x"})  # fmt: skip
    assert in_copy(copy.sync("deals")) == in_account(crm)


def test_a_cursor_that_comes_again_is_an_error_and_no_endless_loop(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    crm, copy = account
    monkeypatch.setattr(crm, "_read_cursor", lambda *_: [0, 0])
    with closing_(copy.connect()) as connector, pytest.raises(DataError, match="circle"):
        read(connector, "deals")


@pytest.mark.parametrize(("window", "resume"), [
    (Window(), {"a": 1}), (Window(), {"list": 9}), (Window(), {"list": 0, "cursor": 5}), (Window(NOON, state={}), None), (Window(NOON, state={"read": "x"}), None),
])  # fmt: skip
def test_places_that_it_has_not_written_itself_it_does_not_know(account: Account, window: Window, resume: Any) -> None:  # fmt: skip
    with closing_(account[1].connect()) as connector, pytest.raises(ResumeExpired):
        read(connector, "deals", window, resume)


# --- leads -------------------------------------------------------------------------------------------------------------------------


def test_leads_of_one_second_and_leads_that_move_are_all_read(account: Account) -> None:
    crm, copy = account
    crm.add_field("deals", "Budget", "monetary")
    keys = [crm.insert("leads", title=f"Lead {n}", custom={"Budget": {"value": n, "currency": "EUR"}}) for n in range(11)]  # fmt: skip
    crm.archive("leads", keys[3])
    with closing_(copy.connect()) as connector:
        stream = connector.changes("leads")
        rows = list(next(stream).data.to_pylist())  # type: ignore[union-attr]
        copy.clock.later(seconds=5)
        crm.update("leads", keys[0], title="moved to the end")
        for item in stream:
            rows += item.data.to_pylist() if hasattr(item, "data") else []
    assert {row["id"] for row in rows} == set(keys)
    last = {row["id"]: row for row in rows}
    assert (last[keys[0]]["title"], last[keys[5]]["budget"], last[keys[5]]["budget_currency"]) == ("moved to the end", 5, "EUR")  # fmt: skip


# --- the history of stages ------------------------------------------------------------------------------------------------------------


def at(hours: float) -> dt.datetime:
    return NOON + dt.timedelta(hours=hours)


def stays(copy: Copy, deal: int) -> list[tuple[Any, ...]]:
    rows = copy.rows("deal_stage_history").values()
    found = sorted((r["number"], r["stage_id"], r["stage_name"], r["entered_at"], r["left_at"]) for r in rows if r["deal_id"] == deal)  # fmt: skip
    return [stay[1:] for stay in found]


def test_a_deals_stays_are_told_from_its_changes(account: Account) -> None:
    crm, copy = account
    for stage in (2, 1, 3):
        copy.clock.later(hours=1)
        crm.move(1, stage)
    copy.clock.later(hours=1)
    crm.close(1, "won")
    crm.close(2, "lost")
    copy.sync("deal_stage_history")
    assert stays(copy, 1) == [(1, "New", at(0), at(2)), (2, "Offer", at(2), at(3)), (1, "New", at(3), at(4)), (3, "Talks", at(4), at(5))]  # fmt: skip
    assert stays(copy, 2) == [(1, "New", at(0), at(5))]
    assert stays(copy, 3) == [(1, "New", at(0), None)]
    assert asked(crm, "/flow") == 1, "deals that never moved need no request"


def test_histories_go_on_and_those_of_deleted_deals_go(account: Account) -> None:
    crm, copy = account
    crm.move(1, 2)
    copy.sync("deal_stage_history")
    crm.move(1, 3)
    moved = copy.clock()
    crm.delete("deals", 2)
    crm.asked.clear()
    copy.sync("deal_stage_history")
    assert stays(copy, 1)[-1] == (3, "Talks", moved, None)
    assert stays(copy, 2) == []
    assert asked(crm, "/flow") == 1


def test_a_deal_that_is_moved_after_its_end_leaves_at_once_and_a_reopened_one_not(account: Account) -> None:
    crm, copy = account
    crm.close(1, "lost")
    copy.clock.later(hours=1)
    crm.move(1, 2)
    crm.close(2, "won")
    crm.update("deals", 2, status="open", close_time=None)
    copy.sync("deal_stage_history")
    assert stays(copy, 1)[-1] == (2, "Offer", at(2), at(2))
    assert stays(copy, 2) == [(1, "New", at(0), None)]


# --- what goes wrong ------------------------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_said_at_once(account: Account) -> None:
    crm, copy = account
    copy.config = {**copy.config, "token": "wrong-canary"}
    with closing_(copy.connect()) as connector, pytest.raises(AuthError) as error:
        connector.ping()
    assert len(crm.asked) == 1
    assert error.value.setting == ("token",) and "API" in error.value.hint
    assert isinstance(copy_error(copy), AuthError)


def copy_error(copy: Copy) -> ConnectorError | None:
    try:
        return copy.try_sync("deals").error
    except ConnectorError as error:
        return error


def test_what_the_tokens_user_may_not_see_is_the_problem_of_that_table_alone(account: Account) -> None:
    crm, copy = account
    crm.hidden.add("/api/v2/personFields")
    with closing_(copy.connect()) as connector:
        problems = {t.name: t.problem for t in connector.discover() if t.problem}
    assert list(problems) == ["persons"]
    assert isinstance(problems["persons"], AuthError) and "administrator" in problems["persons"].hint


GOES_ON = {
    "429 without a time": Fault("limited", path="/api/v2/deals$", skip=1, times=2),
    "429 with a time": Fault("limited", path="/api/v2/deals$", skip=1, retry_after=3),
    "500": Fault("error", path="/api/v2/deals$", skip=1, times=2),
    "a web page": Fault("html", path="/api/v2/deals$", skip=1),
    "cut off": Fault("truncated", path="/api/v2/deals$", skip=1),
    "no answer": Fault("drop", path="/api/v2/deals$", skip=1),
}


@pytest.mark.parametrize("fault", GOES_ON.values(), ids=GOES_ON)
def test_what_passes_is_waited_for(account: Account, fault: Fault) -> None:
    crm, copy = account
    crm.faults.append(Fault(**vars(fault)))
    assert in_copy(copy.sync("deals")) == in_account(crm)
    assert crm.faults[0].times == 0


@pytest.mark.parametrize(("fault", "says"), [
    (Fault("quota", path="/api/v2/deals$", skip=2, times=99), "the day's budget"),
    (Fault("error", status=403, path="/api/v2/deals$", skip=2, times=99), "blocked"),
])  # fmt: skip
def test_a_budget_that_is_used_up_stops_and_the_next_sync_goes_on_there(account: Account, fault: Fault, says: str) -> None:  # fmt: skip
    crm, copy = account
    crm.faults.append(fault)
    before = fault.times
    error = copy_error(copy)
    assert isinstance(error, QuotaExhausted) and says in error.message and error.hint
    assert fault.times == before - 1, "it is not asked again"
    crm.faults.clear()
    crm.asked.clear()
    assert in_copy(copy.sync("deals")) == in_account(crm)
    first = next(r for r in crm.asked if r.path == "/api/v2/deals")
    assert "cursor" in first.query


def test_tokens_are_counted_as_pipedrive_counts_them(account: Account) -> None:
    crm, copy = account
    crm.budget = 10 * 4 + 10 * 2  # the fields of four tables, and two of three pages
    assert isinstance(copy_error(copy), QuotaExhausted)
    crm.budget = None
    assert in_copy(copy.sync("deals")) == in_account(crm)


@pytest.mark.parametrize("config", [{}, {"burst": 3}])
def test_no_more_is_asked_than_two_seconds_allow(account: Account, config: dict[str, int]) -> None:
    """Unless it is told, the connector learns from the headers how many requests are left."""
    crm, copy = account
    copy.config = {**copy.config, **config}
    with closing_(copy.connect()) as connector:
        wait = next(iter(connector.context.shared.values()))
        crm.burst, crm.now = 3, lambda: NOON + dt.timedelta(seconds=wait.time)
        assert len(read(connector, "deals").rows) == 10
    told = [
        line for line in copy.said if ": 429 in" in line or "answered 429" in line
    ]  # a port may have these digits
    assert crm.refused == 0 and not told
    assert wait.slept >= 1.9


def test_no_secret_is_said(account: Account) -> None:
    crm, copy = account
    said: list[str] = []
    for fault in (Fault("error", times=99), Fault("limited", times=99), Fault("html", times=99), Fault("redirect", times=9, location=f"https://x.example/?t={TOKEN}")):  # fmt: skip
        crm.faults[:] = [fault]
        error = copy_error(copy)
        assert error is not None
        said += [error.message, error.hint, *copy.said]
    crm.faults.clear()
    assert not [line for line in said if TOKEN in line]
    assert all(TOKEN.encode() not in file.read_bytes() for file in copy.folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(("config", "setting"), [
    ({"token": "x"}, ()),
    ({"token": "x", "company": "https://belvoir"}, ("company",)),
    ({"token": "x", "url": "belvoir.pipedrive.com"}, ("url",)),
    ({"token": "x", "url": "https://a:b@belvoir.pipedrive.com"}, ("url",)),
])  # fmt: skip
def test_settings_that_cannot_work(tmp_path: Path, config: dict[str, str], setting: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as error:
        Copy(PipedriveConnector, config, tmp_path, Clock()).connect().check("deals")
    assert error.value.setting == setting and error.value.hint


def test_only_the_accounts_own_machine_is_asked(tmp_path: Path) -> None:
    copy = Copy(PipedriveConnector, {"token": "x", "company": "belvoir"}, tmp_path, Clock())
    assert list(copy.connect().hosts) == ["belvoir.pipedrive.com"]


def test_a_table_that_is_not_there_is_told_by_name(account: Account) -> None:
    with closing_(account[1].connect()) as connector, pytest.raises(ConfigError, match="deal") as error:
        connector.check("deal")
    assert "deals" in error.value.hint
