"""Which machines the HTTP client of connectors asks, and which never."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from tests.simulators.base import Fault, Response

from cadran.plugins import ConfigError, ConnectorError, DataError
from cadran.plugins.http import Http
from cadran.plugins.http.hosts import Hosts

from .asking import Api, asking, context
from .web_servers import proxy


@pytest.mark.parametrize(
    ("declared", "url", "allowed"),
    [
        ("api.hubapi.com", "https://api.hubapi.com/x", True),
        ("api.hubapi.com", "https://API.hubapi.com:443/x", True),
        ("API.HubAPI.com", "https://api.hubapi.com/x", True),
        ("api.hubapi.com", "https://api.hubapi.com:8443/x", False),
        ("api.hubapi.com:8443", "https://api.hubapi.com:8443/x", True),
        ("api.hubapi.com:8443", "https://api.hubapi.com/x", False),
        ("api.hubapi.com", "https://evil-api.hubapi.com/x", False),
        ("api.hubapi.com", "https://api.hubapi.com.evil.example/x", False),
        ("api.hubapi.com", "https://api.hubapi.com./x", False),
        ("api.hubapi.com", "https://api.hubapi.com@evil.example/x", False),
        ("api.hubapi.com", "https://api.hubapi.com%2eevil.example/x", False),
        ("api.hubapi.com", "https://evil.example/api.hubapi.com", False),
        ("api.hubapi.com", "https://evil.example#@api.hubapi.com", False),
        ("api.hubapi.com", "https://evil.example\\@api.hubapi.com", False),
        ("api.hubapi.com", "https://me:pw@api.hubapi.com/x", False),
        ("*.my.salesforce.com", "https://acme.my.salesforce.com/x", True),
        ("*.my.salesforce.com", "https://acme--test.sandbox.my.salesforce.com/x", True),
        ("*.my.salesforce.com", "https://my.salesforce.com/x", False),
        ("*.my.salesforce.com", "https://evilmy.salesforce.com/x", False),
        ("*.my.salesforce.com:8443", "https://acme.my.salesforce.com:8443/x", True),
        ("müller.example", "https://müller.example/x", True),
        ("müller.example", "https://xn--mller-kva.example/x", True),
        ("straße.example", "https://straße.example/x", True),
        ("straße.example", "https://strasse.example/x", False),
        ("*.straße.example:8443", "https://api.straße.example:8443/x", True),
        ("api.hubapi.com", "ftp://api.hubapi.com/x", False),
        ("api.hubapi.com", "https:///x", False),
        ("api.hubapi.com", "http://api.hubapi.com/x", False),  # without TLS
        ("127.0.0.1:99", "http://127.0.0.1:99/x", True),
        ("localhost:99", "http://localhost:99/x", True),
        ("[::1]:99", "http://[::1]:99/x", True),
        ("127.0.0.1:99", "http://127.0.0.1:98/x", False),
        ("127.0.0.1.nip.example", "http://127.0.0.1.nip.example/x", False),
    ],
)
def test_what_is_declared(declared: str, url: str, allowed: bool) -> None:
    hosts = Hosts([declared])
    if allowed:
        hosts.check(httpx.URL(url))
    else:
        with pytest.raises(ConnectorError) as caught:
            try:
                hosts.check(httpx.URL(url))
            except httpx.InvalidURL:
                raise DataError("never sent") from None
        assert "pw" not in str(caught.value)


def test_without_tls_where_a_team_allows_it() -> None:
    with pytest.raises(ConfigError, match=r"odoo\.local would be asked without TLS") as caught:
        Hosts(["odoo.local"]).check(httpx.URL("http://odoo.local/x"))
    assert "allow_http: true" in caught.value.hint
    Hosts(["odoo.local"], allow_http=True).check(httpx.URL("http://odoo.local/x"))
    assert Http(context(config={"allow_http": True}), [])._allow_http


# --- redirects and next-links ---------------------------------------------------------------------------------------------------


@pytest.fixture
def other() -> object:
    """A machine that nobody declares."""
    simulator = Api()
    with simulator.serving():
        yield simulator


@pytest.mark.parametrize("way", ["redirect", "link", "stream"])
def test_nothing_is_sent_to_another_host(way: str, api: Api, other: Api) -> None:
    api.faults.append(Fault("redirect", location=f"{other.url}/x?token=s3cr3t"))
    with asking(api, headers={"Authorization": "Bearer s3cr3t"}) as http, pytest.raises(DataError) as caught:
        if way == "link":
            http.get(f"{other.url}/x?token=s3cr3t")
        elif way == "stream":
            list(http.stream("/x"))
        else:
            http.get("/x")
    assert other.asked == [] and "s3cr3t" not in str(caught.value)
    here, there = f"127.0.0.1:{api.port}", f"127.0.0.1:{other.port}"
    began = f"{there} is to be asked" if way == "link" else f"{here} sends on to {there}"
    assert str(caught.value) == f"{began}, a host that the connector does not declare"
    assert caught.value.hint == f"declared are: {here}; nothing was sent there"


def test_a_declared_host_is_followed_with_what_it_needs(api: Api, other: Api) -> None:
    api.faults.append(Fault("redirect", location=f"{other.url}/x"))
    hosts = [f"127.0.0.1:{api.port}", f"127.0.0.1:{other.port}"]
    with asking(api, hosts=hosts, headers={"Authorization": "Bearer t"}) as http:
        http.get("/x", params={"a": "1"})
    assert other.asked[0].headers["authorization"] == "Bearer t"
    assert other.asked[0].headers["host"] == hosts[1] and other.asked[0].query == {}


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        (301, "GET", b""),
        (302, "GET", b""),
        (303, "GET", b""),
        (307, "POST", b'{"a":1}'),
        (308, "POST", b'{"a":1}'),
    ],
)
def test_what_a_redirected_post_becomes(status: int, method: str, body: bytes, api: Api) -> None:
    api.said["/old"] = Response(b"", status, {"location": "x?b=2"})
    with asking(api) as http:
        http.post("/old", json={"a": 1})
    last = api.asked[-1]
    assert (last.method, last.path, last.query, last.body) == (method, "/x", {"b": "2"}, body)


def test_redirects_end(api: Api) -> None:
    api.faults.append(Fault("redirect", times=99, location="/x"))
    with asking(api) as http, pytest.raises(DataError, match="sends on from one address to the next"):
        http.get("/x")
    assert len(api.asked) == 6


@pytest.mark.parametrize("location", ["http://[", "https://:99999999/", "javascript:alert(1)", "https://"])
def test_a_redirect_to_nowhere(location: str, api: Api) -> None:
    api.faults.append(Fault("redirect", location=location))
    with asking(api) as http, pytest.raises((DataError, ConfigError)):
        http.get("/x")
    assert len(api.asked) == 1


# --- TLS ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate, and who signed it."""
    authority = trustme.CA()
    told = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(told)
    authority.cert_pem.write_to_path(file := tmp_path_factory.mktemp("ca") / "ca.pem")
    return told, Path(file)


def test_who_signed_is_named_in_a_setting(signed: tuple[ssl.SSLContext, Path]) -> None:
    server, ca_file = signed
    api = Api()
    with api.serving(server):
        with asking(api, context(config={"ca_file": str(ca_file)})) as http:
            assert http.get("/x").json() and http.get("/x").json()
        api.faults.append(Fault("hang"))
        with asking(api, timeout=2, ca_file=str(ca_file)) as http:
            assert http.get("/x").json()  # the second time


def test_a_certificate_that_does_not_hold(signed: tuple[ssl.SSLContext, Path]) -> None:
    api = Api()
    with api.serving(signed[0]), asking(api) as http, pytest.raises(ConfigError) as caught:
        http.get("/x")
    assert f"the certificate of 127.0.0.1:{api.port} does not hold" in str(caught.value)
    assert caught.value.setting == ("ca_file",) and api.asked == []


def test_no_way_from_tls_to_none(signed: tuple[ssl.SSLContext, Path], other: Api) -> None:
    api = Api()
    with api.serving(signed[0]):
        api.faults.append(Fault("redirect", location=f"{other.url}/x"))
        hosts = [f"127.0.0.1:{api.port}", f"127.0.0.1:{other.port}"]
        with (
            asking(api, hosts=hosts, ca_file=str(signed[1])) as http,
            pytest.raises(DataError, match="without TLS"),
        ):
            http.get("/x")
    assert other.asked == []


@pytest.mark.parametrize("content", [None, b"no certificates"])
def test_a_ca_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    http = Http(context(config={"ca_file": str(file)}), ["127.0.0.1"], base="https://127.0.0.1")
    with pytest.raises(ConfigError, match="'ca_file' cannot be read"):
        http.get("/x")
    http.close()


# --- a proxy --------------------------------------------------------------------------------------------------------------------


def test_a_proxy_passes_tls_on_and_sees_no_secret(signed: tuple[ssl.SSLContext, Path]) -> None:
    asked: list[str] = []
    api = Api()
    with api.serving(signed[0]), proxy(asked) as port:
        config = {"ca_file": str(signed[1]), "proxy": f"http://me:pr0xy-pw@127.0.0.1:{port}"}
        told = context(config=config)
        with asking(api, told, headers={"Authorization": "Bearer t"}) as http:
            http.get("/x")
    assert asked == [f"127.0.0.1:{api.port}"] and api.asked[0].headers["authorization"] == "Bearer t"
    assert "pr0xy-pw" in told.secrets and "proxy-authorization" not in api.asked[0].headers


@pytest.mark.parametrize(
    "address", ["socks5://a:1", "http://", "http://[", "http://user:s3cr3t@:80", "http://h:99999"]
)
def test_what_is_no_proxy(address: str, api: Api) -> None:
    with asking(api, context(config={"proxy": address})) as http, pytest.raises(ConfigError) as caught:
        http.get("/x")
    assert caught.value.setting == ("proxy",) and "s3cr3t" not in f"{caught.value}{caught.value.hint}"
