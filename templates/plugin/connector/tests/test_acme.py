"""A project that uses the connector, from settings to rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_acme import TOKEN, FakeAcme

from cadran.plugins import AuthError, Context
from cadran_acme.connector import AcmeConnector


@pytest.fixture
def fake():
    made = FakeAcme()
    yield made, made.start()
    made.stop()


def test_the_account_is_called_by_its_name(fake, tmp_path: Path) -> None:
    connector = AcmeConnector(Context("acme", {"url": fake[1], "token": TOKEN}, tmp_path))
    assert connector.ping() == "Acme Test"
    assert [table.name for table in connector.discover()] == ["customers", "orders"]
    connector.close()


def test_a_wrong_token_is_said(fake, tmp_path: Path) -> None:
    connector = AcmeConnector(Context("acme", {"url": fake[1], "token": "wrong"}, tmp_path))
    with pytest.raises(AuthError):
        connector.ping()
    connector.close()
