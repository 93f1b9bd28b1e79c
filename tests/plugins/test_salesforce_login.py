"""Logging in to Salesforce: by secret or by key; what is refused; whom a token is shown to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.simulators.base import Fault

from cadran.plugins import AuthError, ConfigError, Context
from cadran_plugins.salesforce.config import CONFIG_SCHEMA, config_of

from .salesforce_org import Org, whole


def test_the_account_is_called_as_its_people_call_it(org: Org) -> None:
    assert org.source().ping() == "Belvoir"
    assert [r.method for r in org.asked] == ["POST", "GET"], (
        "the login, and one question that changes nothing"
    )


@pytest.mark.parametrize(
    ("settings", "words", "setting"),
    [
        ({"client_secret": "wrong"}, "does not accept the client_secret", ("client_secret",)),
        ({"client_id": "wrong"}, "knows no app of this client_id", ("client_id",)),
    ],
)
def test_wrong_credentials_are_not_tried_again(
    org: Org, settings: dict[str, str], words: str, setting: tuple[str, ...]
) -> None:
    with pytest.raises(AuthError, match=words) as raised:
        org.source(**settings).ping()
    assert raised.value.setting == setting
    assert raised.value.hint
    assert len(org.asked) == 1


def test_a_session_that_is_refused_also_anew(org: Org) -> None:
    org.session_calls = 1
    org.answer = lambda request, answer=org.answer: (
        (org.expire_sessions() or answer(request)) if "/v66" in request.path else answer(request)
    )  # type: ignore[method-assign, misc]
    with pytest.raises(AuthError):
        org.source().ping()
    assert org.paths().count("/services/oauth2/token") == 2, "a new token is asked for once"


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A private key and its public one."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    return private.decode(), key.public_key().public_bytes(
        s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def test_a_key_signs_for_a_user(org: Org, keys: tuple[str, str]) -> None:
    private, org.public_key = keys
    ids = org.leads(2)
    source = org.source(client_secret=None, private_key=private, username=org.username)
    assert set(whole(source).rows) == set(ids)


@pytest.mark.parametrize("taken", ["https://login.salesforce.com", "https://test.salesforce.com"])
def test_a_login_that_takes_only_salesforces_own_audience(
    org: Org, keys: tuple[str, str], taken: str
) -> None:
    """Its documents name these two, the second for sandboxes; orgs take their own domain as well, or do not."""
    private, org.public_key = keys
    org.audiences = [taken]
    source = org.source(client_secret=None, private_key=private, username=org.username)
    assert source.ping() == "Belvoir"
    assert org.paths().count("/services/oauth2/token") <= 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"username": "other@belvoir.example"}, AuthError, "lets the app not in"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"}, ConfigError, "no key that can sign"),
        ({"private_key": "secret"}, ConfigError, "no key that can sign"),
    ],
)  # fmt: skip
def test_keys_that_do_not_do(
    org: Org, keys: tuple[str, str], change: dict[str, str], error: type[Exception], words: str
) -> None:
    private, org.public_key = keys
    settings = {"client_secret": None, "private_key": private, "username": org.username, **change}
    with pytest.raises(error, match=words) as raised:
        org.source(**settings).ping()
    assert settings["private_key"] not in f"{raised.value} {raised.value.hint}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "http://belvoir.my.salesforce.com", "https://belvoir.my.salesforce.com.evil.example",
     "https://user@evil.example", "https://evil.example\\@belvoir.my.salesforce.com", "https://evilsalesforce.com"],
)  # fmt: skip
def test_the_login_cannot_send_the_token_elsewhere(org: Org, url: str) -> None:
    org.instance_url = url
    with pytest.raises(AuthError, match="not Salesforce's") as raised:
        org.source().ping()
    assert len(org.asked) == 1
    assert not any(token in str(raised.value) for token in org.sessions)


def test_no_redirect_takes_the_token_along(org: Org) -> None:
    org.faults.append(Fault("redirect", 1, "/v66", location="https://evil.example/collect"))
    with pytest.raises(Exception, match="a host that the connector does not declare"):
        org.source().ping()


def test_the_secret_and_the_token_are_masked(org: Org) -> None:
    said: list[str] = []
    source = org.source()
    object.__setattr__(source.context, "log", said.append)
    source.ping()
    [token] = org.sessions
    assert {org.client_secret, token} <= source.context.secrets
    assert said and not any(secret in line for secret in (org.client_secret, token) for line in said)


MINE = {"domain": "belvoir.my.salesforce.com", "client_id": "app", "client_secret": "s"}


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (MINE, "belvoir.my.salesforce.com"),
        ({**MINE, "domain": "https://Belvoir.my.salesforce.com/lightning"}, "belvoir.my.salesforce.com"),
        (
            {**MINE, "domain": "belvoir--test.sandbox.my.salesforce.com"},
            "belvoir--test.sandbox.my.salesforce.com",
        ),
    ],
)
def test_domains(settings: dict[str, Any], host: str) -> None:
    jsonschema.validate(settings, CONFIG_SCHEMA)
    assert config_of(settings).url == f"https://{host}"


@pytest.mark.parametrize(
    ("change", "words", "hint", "setting"),
    [
        (
            {"domain": "belvoir.lightning.force.com"},
            "where people work",
            "belvoir.my.salesforce.com",
            ("domain",),
        ),
        ({"domain": "belvoir"}, "no domain of Salesforce", "My Domain", ("domain",)),
        ({"domain": "salesforce.com.evil.example"}, "no domain of Salesforce", "My Domain", ("domain",)),
        ({"url": "https://x.example"}, "either domain or url", "domain:", ("url",)),
        ({"domain": None}, "either domain or url", "domain:", ()),
        ({"domain": None, "url": "belvoir.example"}, "no address of a machine", "https://", ("url",)),
        ({"client_secret": None}, "both missing", "client credentials", ("client_id",)),
        ({"private_key": "k", "username": "u"}, "both given", "client credentials", ("private_key",)),
        ({"client_secret": None, "private_key": "k"}, "needs username", "username:", ("private_key",)),
    ],
)
def test_settings_that_cannot_work(
    change: dict[str, Any], words: str, hint: str, setting: tuple[str, ...]
) -> None:
    settings = {name: value for name, value in {**MINE, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=words) as raised:
        config_of(settings)
    assert hint in raised.value.hint
    assert raised.value.setting == setting


def test_nothing_is_opened_before_it_is_asked_for() -> None:
    from cadran_plugins.salesforce.connector import SalesforceConnector

    source = SalesforceConnector(Context("crm", MINE, Path()))
    assert list(source.hosts) == ["belvoir.my.salesforce.com", "*.salesforce.com"]
    assert source.context.secrets == {"s"}
    source.close()
