"""The stand-in of Salesforce is held to simple-salesforce, which others wrote for the real one: it reads it whole, and sees the same rows."""

from __future__ import annotations

import csv
import io
import ssl
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import simple_salesforce
import trustme
from simple_salesforce.exceptions import SalesforceError, SalesforceExpiredSession, SalesforceMalformedRequest

from .salesforce_org import NOW, Org, whole


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Org, simple_salesforce.Salesforce]]:
    """The org over TLS, as simple-salesforce speaks nothing else, and a client that is logged in."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    org, session = Org(), requests.Session()
    session.verify, session.trust_env = str(tmp_path / "ca.pem"), False
    with org.serving(context), session:
        form = {
            "grant_type": "client_credentials",
            "client_id": org.client_id,
            "client_secret": org.client_secret,
        }
        told = session.post(f"{org.url}/services/oauth2/token", data=form).json()
        yield org, simple_salesforce.Salesforce(instance_url=told["instance_url"], session_id=told["access_token"], session=session, version="66.0")  # fmt: skip


def _filled(org: Org) -> list[str]:
    org.batch = 3
    ids = org.leads(10, AnnualRevenue=Decimal("12345678"), CreatedDate=NOW, Title='a "b",\nc')
    org.delete("Lead", ids[0])
    return ids


def test_it_reads_all_rows_and_sees_the_deleted_ones(secure: tuple[Org, Any]) -> None:
    org, client = secure
    ids = _filled(org)
    soql = "SELECT Id, IsDeleted, AnnualRevenue, CreatedDate, Title FROM Lead ORDER BY Id"
    told = client.query_all(soql)
    assert told["totalSize"] == len(told["records"]) == 9
    assert {r["Id"] for r in told["records"]} == set(ids[1:])
    assert {r["AnnualRevenue"] for r in told["records"]} == {12345678.0}
    assert {r["CreatedDate"] for r in told["records"]} == {"2026-03-09T07:00:00.000+0000"}
    everything = list(client.query_all_iter(soql, include_deleted=True))
    assert {r["Id"]: r["IsDeleted"] for r in everything} == {id_: id_ == ids[0] for id_ in ids}


def test_it_reads_the_same_rows_in_bulk(secure: tuple[Org, Any]) -> None:
    org, client = secure
    _filled(org)
    parts = list(
        client.bulk2.Lead.query(
            "SELECT Id, AnnualRevenue, CreatedDate, Title FROM Lead", max_records=4, wait=0.1
        )
    )
    rows = [row for part in parts for row in csv.DictReader(io.StringIO(part, newline=""))]
    assert len(parts) == 3
    assert [r["Id"] for r in rows] == [r["Id"] for r in client.query_all("SELECT Id FROM Lead")["records"]]
    assert rows[0] == {"Id": rows[0]["Id"], "AnnualRevenue": "1.2345678E7", "CreatedDate": "2026-03-09T07:00:00.000Z", "Title": 'a "b",\nc'}  # fmt: skip


def test_it_and_the_connector_see_the_same_rows(secure: tuple[Org, Any], tmp_path: Path) -> None:
    org, client = secure
    _filled(org)
    kept = whole(org.source(ca_file=str(tmp_path / "ca.pem")))
    seen = client.query_all("SELECT Id, Title, AnnualRevenue FROM Lead")["records"]
    assert {(r["Id"], r["Title"], Decimal(str(r["AnnualRevenue"]))) for r in seen} == {(r["id"], r["title"], r["annual_revenue"]) for r in kept.rows.values()}  # fmt: skip
    for source in org.sources:
        source.close()


def test_what_it_describes(secure: tuple[Org, Any]) -> None:
    _, client = secure
    assert {"Lead", "Opportunity"} <= {o["name"] for o in client.describe()["sobjects"]}
    fields = {f["name"]: f for f in client.Opportunity.describe()["fields"]}
    assert (fields["Amount"]["type"], fields["Amount"]["precision"], fields["Amount"]["scale"]) == (
        "currency",
        18,
        2,
    )
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert client.limits()["DailyApiRequests"]["Remaining"] > 0


@pytest.mark.parametrize(
    ("soql", "ids"),
    [
        ("SELECT Id FROM Lead WHERE LastName = 'Lead 3'", [3]),
        ("SELECT Id FROM Lead WHERE LastName = 'L\\'eau'", []),
        ("SELECT Id FROM Lead WHERE IsDeleted = false AND (LastName = 'Lead 1' OR LastName = 'Lead 2')", [1, 2]),
        ("SELECT Id FROM Lead WHERE NOT (LastName != 'Lead 5')", [5]),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = null ORDER BY LastName DESC LIMIT 2", [9, 8]),
        ("SELECT Id FROM Lead WHERE CreatedDate >= 2026-03-09T07:00:01Z", []),
        ("SELECT Id FROM Lead WHERE CreatedDate < 2026-03-09T08:00:01.000+01:00 AND LastName IN ('Lead 4', 'x')", [4]),
    ],
)  # fmt: skip
def test_conditions(secure: tuple[Org, Any], soql: str, ids: list[int]) -> None:
    org, client = secure
    made = _filled(org)
    assert [r["Id"] for r in client.query_all(soql)["records"]] == [made[n] for n in ids]


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        (
            "SELECT Id FROM Lead WHERE IsDeleted = false AND LastName = 'a' OR LastName = 'b'",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Nothing FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Invoice", "INVALID_TYPE"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Street = 'x'", "INVALID_FIELD"),
    ],
)
def test_what_it_refuses(secure: tuple[Org, Any], soql: str, code: str) -> None:
    _, client = secure
    with pytest.raises(SalesforceMalformedRequest) as raised:
        client.query_all(soql)
    assert raised.value.content[0]["errorCode"] == code


def test_cursors_and_sessions_run_out(secure: tuple[Org, Any]) -> None:
    org, client = secure
    _filled(org)
    first = client.query("SELECT Id FROM Lead")
    org.expire_cursors()
    with pytest.raises(SalesforceError, match="INVALID_QUERY_LOCATOR"):
        client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    org.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead")
