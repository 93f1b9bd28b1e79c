"""What goes wrong with a HubSpot account: who may not ask, what passes by itself, and answers and settings that are none."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from tests.plugins.reading_hubspot import HOUR, NOON, connecting, deals, read, world
from tests.simulators.base import Fault
from tests.simulators.hubspot import TOKEN, HubSpot

from cadran.plugins import AuthError, ConfigError, ConnectorError, Page, QuotaExhausted, Transient, Window


def test_who_the_account_is(account: HubSpot) -> None:
    with connecting(account) as source:
        assert source.ping() == "HubSpot account 4242 (app-eu1.hubspot.com)"
        assert source.hosts == [f"127.0.0.1:{account.port}"]
    assert {request.method for request in account.asked} == {"GET"}


def test_a_wrong_token_is_tried_once(account: HubSpot) -> None:
    with connecting(account, token="pat-wrong-one") as source:
        for ask in (source.ping, source.discover, lambda: read(source, "deals")):
            before = len(account.asked)
            with pytest.raises(AuthError) as caught:
                ask()
            assert caught.value.setting == ("token",) and "access token" in caught.value.hint
            assert (
                "pat-wrong-one" not in f"{caught.value!r}{caught.value.hint}"
                and len(account.asked) == before + 1
            )


@pytest.mark.parametrize(
    ("scope", "without"),
    [
        (
            "crm.objects.orders.read",
            {"orders", "order_stages", "orders_contacts", "orders_companies", "orders_deals"},
        ),
        ("sales-email-read", {"activities"}),
        ("crm.objects.owners.read", {"owners"}),
    ],
)
def test_a_missing_scope_is_a_problem_of_its_tables_only(
    account: HubSpot, scope: str, without: set[str]
) -> None:
    account.missing = {scope}
    deals(account, 1)
    with connecting(account) as source:
        problems = {table.name: table.problem for table in source.discover() if table.problem}
        assert set(problems) == without
        assert all(
            scope in f"{p.message}" and scope in p.hint and p.setting == ("token",) for p in problems.values()
        )
        assert len(read(source, "deals").rows) == 1
        with pytest.raises(AuthError, match=scope):
            list(source.changes(sorted(without)[0]))
    with connecting(account, activities=["calls", "notes"]) as source:
        assert source.table("activities").problem is None  # type: ignore[union-attr]


def test_the_requests_of_the_day_come_back_at_midnight_of_the_account(account: HubSpot) -> None:
    deals(account, 250)
    account.faults = [Fault("quota", times=99, path="/objects/deals$", skip=2)]
    with connecting(account) as source:
        source.discover()
        given = source.changes("deals")
        page = next(given)
        assert isinstance(page, Page)
        with pytest.raises(QuotaExhausted) as caught:
            list(given)
        assert caught.value.until == dt.datetime(2026, 3, 3, tzinfo=ZoneInfo("Europe/Paris"))
        account.faults = []
        assert len(read(source, "deals", resume=page.resume).rows) == 150


@pytest.mark.parametrize(
    "fault",
    [
        Fault("limited", times=2), Fault("limited", times=2, retry_after=3), Fault("error", times=2, status=502),
        Fault("error", times=2, status=423), Fault("error", times=2, status=477), Fault("html", times=2), Fault("truncated", times=2),
        Fault("drop", times=2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)  # fmt: skip
@pytest.mark.parametrize("window", [Window(), Window(NOON - 24 * HOUR, NOON)], ids=["whole", "changes"])
def test_what_passes_is_waited_for(account: HubSpot, fault: Fault, window: Window) -> None:
    deals(account, 250)
    with connecting(account) as source:
        source.table("deals")
        account.faults = [Fault(fault.kind, fault.times, "deals", 1, fault.status, fault.retry_after)]
        assert len(read(source, "deals", window).rows) == 250
        assert account.faults[0].times == 0


def test_what_does_not_pass_is_an_error_without_the_token(account: HubSpot) -> None:
    deals(account, 5)
    with connecting(account) as source:
        source.table("deals")
        account.faults = [Fault("error", times=99, status=500)]
        with pytest.raises(Transient) as caught:
            read(source, "deals")
    assert (
        TOKEN
        not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__!r}{caught.value.__context__!r}"
    )


def test_an_answer_that_is_not_hubspots(account: HubSpot, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.simulators.base import Response

    with connecting(account) as source:
        source.table("deals")
        monkeypatch.setattr(account, "answer", lambda _: Response({"hello": "world"}))
        with pytest.raises(ConnectorError, match="no results"):
            read(source, "deals")


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ({"token": "  "}, "token"), ({"token": "pat one"}, "token"), ({"token": "clé"}, "token"), ({"url": "api.hubapi.com"}, "url"),
        ({"url": "https://user:secret@api.hubapi.com"}, "url"), ({"url": "ftp://x"}, "url"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work(account: HubSpot, config: dict[str, str], setting: str) -> None:
    with pytest.raises(ConfigError) as caught, connecting(account, **config):
        pass
    assert caught.value.setting == (setting,) and "secret" not in caught.value.message


def test_a_table_that_is_not_there(account: HubSpot) -> None:
    with connecting(account) as source:
        assert source.table("dealz") is None
        with pytest.raises(ConfigError, match="dealz") as caught:
            source.check("dealz")
        assert "deals" in caught.value.hint and account.asked == []


def test_both_versions_give_the_same(account: HubSpot) -> None:
    world(account)
    found = []
    for version in ("v3", "2026-09"):
        with connecting(account, version=version) as source:
            found.append([read(source, name).rows for name in source.names()])
    assert found[0] == found[1]
    assert any("/crm/objects/2026-09/deals" in request.path for request in account.asked)
