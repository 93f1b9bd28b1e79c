"""The simulated HubSpot, held to software and descriptions that others wrote."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.plugins.reading_hubspot import NOON, connecting, read
from tests.simulators.hubspot import TOKEN, HubSpot
from tests.simulators.hubspot_spec import Described, specs

from cadran.plugins import Window

hubspot = pytest.importorskip("hubspot", reason="the official client is not installed")


def peopled(simulator: HubSpot) -> HubSpot:
    """Enough for pages of everything: 250 contacts, 120 companies, 130 deals with a past, some of them archived."""
    simulator.now = lambda: NOON
    simulator.add_property("contacts", "score_2024", "Score", "number")
    for number in range(1, 251):
        at = NOON - dt.timedelta(days=300, minutes=number)
        simulator.insert(
            "contacts", {"email": f"p{number}@x.example", "score_2024": str(number)}, at=at, id_=number
        )
    for number in range(1, 121):
        simulator.insert(
            "companies", {"name": f"Firm {number}"}, at=NOON - dt.timedelta(days=200), id_=number
        )
    for number in range(1, 131):
        at = NOON - dt.timedelta(days=100, minutes=number)
        values = {
            "dealname": f"D{number}",
            "amount": f"{number}.50",
            "dealstage": "appointmentscheduled",
            "pipeline": "default",
        }
        simulator.insert("deals", values, at=at, id_=number)
        simulator.associate("deals", number, "companies", 1 + number % 120, primary=True)
        simulator.associate("deals", number, "contacts", number)
        simulator.associate("contacts", number, "companies", 1 + number % 120, primary=number % 2 == 0)
        if number % 3 == 0:
            simulator.update("deals", number, {"dealstage": "closedwon"}, at=at + dt.timedelta(days=3))
    for number in (5, 77):
        simulator.archive("deals", number)
    for number in range(1, 131):
        simulator.add_owner(number, f"Person {number}", "Nord", archived=number % 10 == 0)
    return simulator


@pytest.fixture(scope="module")
def account() -> Iterator[HubSpot]:
    simulator = peopled(Described() if specs() else HubSpot())
    with simulator.serving():
        yield simulator


@pytest.fixture(scope="module")
def client(account: HubSpot) -> Any:
    return hubspot.Client.create(access_token=TOKEN, host=account.url)


def test_the_official_client_reads_all_pages(client: Any) -> None:
    contacts = client.crm.contacts.get_all(properties=["email", "score_2024"])
    assert [(c.id, c.properties["email"]) for c in contacts] == [
        (str(n), f"p{n}@x.example") for n in range(1, 251)
    ]
    companies = client.crm.companies.get_all()
    assert len(companies) == 120


def test_the_official_client_sees_what_the_connector_sees(account: HubSpot, client: Any) -> None:
    theirs = {d.id: d for d in client.crm.deals.get_all(properties=["dealname", "amount", "dealstage"])}
    with connecting(account) as source:
        deals = read(source, "deals")
    ours = deals.rows
    assert set(ours) == set(theirs) and len(ours) == 128
    for id_, deal in theirs.items():
        assert ours[id_]["dealname"] == deal.properties["dealname"]
        assert f"{ours[id_]['amount']:.2f}" == deal.properties["amount"]
    archived = client.crm.deals.get_all(archived=True)
    assert {d.id for d in archived} == {"5", "77"} == deals.gone


def test_the_official_client_searches(client: Any) -> None:
    since = str(int((NOON - dt.timedelta(days=98)).timestamp() * 1000))
    from hubspot.crm.deals import Filter, FilterGroup, PublicObjectSearchRequest

    request = PublicObjectSearchRequest(
        filter_groups=[FilterGroup(filters=[Filter(property_name="hs_lastmodifieddate", operator="GTE", value=since)])],
        sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}], limit=20, after="0", properties=["dealstage"],
    )  # fmt: skip
    found = client.crm.deals.search_api.do_search(public_object_search_request=request)
    won = [n for n in range(3, 131, 3) if n not in (5, 77)]
    assert found.total == len(won) and [r.id for r in found.results] == [str(n) for n in won[:20]]
    assert found.paging.next.after == "20" and found.results[0].properties["dealstage"] == "closedwon"


def test_the_official_client_reads_the_rest(client: Any) -> None:
    owners = client.crm.owners.get_all()
    assert len(owners) == 117 and owners[0].teams[0].name == "Nord"
    assert len(client.crm.owners.get_all(archived=True)) == 13
    (pipeline,) = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert [s.label for s in pipeline.stages][-2:] == ["Closed won", "Closed lost"]
    properties = client.crm.properties.core_api.get_all("contacts").results
    assert next(p for p in properties if p.name == "score_2024").label == "Score"


def test_the_official_client_reads_associations_and_history(client: Any) -> None:
    from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
    from hubspot.crm.deals import BatchReadInputSimplePublicObjectId

    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "3"}, {"id": "4"}])
    found = client.crm.associations.v4.batch_api.get_page("deals", "companies", asked)
    assert {(r._from.id, str(r.to[0].to_object_id)) for r in found.results} == {("3", "4"), ("4", "5")}
    assert {t.type_id for t in found.results[0].to[0].association_types} == {5, 341}
    batch = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": "3"}], properties=["dealname"], properties_with_history=["dealstage"]
    )
    (deal,) = client.crm.deals.batch_api.read(batch).results
    assert [v.value for v in deal.properties_with_history["dealstage"]] == [
        "closedwon",
        "appointmentscheduled",
    ]


@pytest.mark.skipif(specs() is None, reason="HubSpot's published descriptions are not here")
@pytest.mark.parametrize("version", ["v3", "2026-09"])
def test_all_that_the_connector_asks_and_hears_is_as_published(version: str) -> None:
    simulator = peopled(Described())
    assert isinstance(simulator, Described)
    since = NOON - dt.timedelta(days=98)
    with simulator.serving(), connecting(simulator, version=version) as source:
        for table in source.discover():
            assert table.problem is None
            read(source, table.name)
            if table.cursor:
                read(source, table.name, Window(since, NOON))
    assert simulator.broken == []
    objects = "objects.v3" if version == "v3" else "objects.2026-09"
    assert set(simulator.held) == {objects, "associations.v4", "owners.v3", "pipelines.v3", "properties.v3"}


@pytest.mark.skipif(specs() is None, reason="HubSpot's published descriptions are not here")
def test_all_that_the_official_client_asks_and_hears_is_as_published(account: Described, client: Any) -> None:
    for objects in (client.crm.contacts, client.crm.companies, client.crm.deals):
        objects.get_all()
    assert account.broken == [] and account.held["objects.v3"] > 5


@pytest.mark.skipif(specs() is None, reason="HubSpot's published descriptions are not here")
def test_what_is_not_as_published_is_found() -> None:
    class Wrong(Described):
        def _shown(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {**super()._shown(*args, **kwargs), "createdAt": None}

    simulator = peopled(Wrong())
    with simulator.serving(), connecting(simulator) as source:
        read(source, "deals")
    assert isinstance(simulator, Described) and "createdAt" in simulator.broken[0]


def test_a_million_rows_need_no_room() -> None:
    """As a process of its own: the last of a million contacts is there as quickly as the first."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.simulators.hubspot", "--rows", "1000000"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        request = urllib.request.Request(
            f"{url}/crm/v3/objects/contacts?limit=100&after=999950&properties=email",
            headers={"authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
        assert [r["id"] for r in found["results"]][-1] == "1000000" and len(found["results"]) == 50
        assert found["results"][-1]["properties"]["email"] == "person1000000@example.com"
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
