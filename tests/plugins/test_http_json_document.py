"""docs/connectors/http_json.md: its examples read what they say, and it names every setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins import Window
from cadran_plugins.http_json.config import SCHEMA
from cadran_plugins.http_json.connector import HttpJsonConnector
from simulators.dynamics import Dynamics
from simulators.rest import START, TOKEN, Rest

from .reading_changes import collect, source

TEXT = (Path(__file__).resolve().parents[2] / "docs/connectors/http_json.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ENVIRON = {"ERP_TOKEN": TOKEN, "SHOP_KEY": TOKEN, "DYNAMICS_ID": "app", "DYNAMICS_SECRET": "s3cret-canary"}


def _config(text: str, folder: Path) -> Mapping[str, Any]:
    (folder / "kpis.yaml").write_text(text if "version:" in text else "version: 1\n" + text, encoding="utf-8")
    declaration, _ = cadran.open(folder / "kpis.yaml", environ=ENVIRON).declaration()
    assert declaration is not None
    [declared] = declaration.sources.values()
    return declared.config


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_are_right(tmp_path: Path, number: int) -> None:
    _config(EXAMPLES[number], tmp_path)
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "check"], env=ENVIRON)
    assert done.exit_code == 0, done.output


def test_the_first_example_reads_invoices(tmp_path: Path) -> None:
    with Rest(25, auth="bearer", most=10).serving() as served:
        assert isinstance(served, Rest)
        config = _config(EXAMPLES[0].replace("https://erp.example.com", served.url), tmp_path)
        got = collect(source(HttpJsonConnector, config), "invoices")
        served.change(3, START + timedelta(days=2), is_deleted=True)
        later = collect(
            source(HttpJsonConnector, config), "invoices", Window(since=START + timedelta(days=1))
        )
    assert got.column("id") == list(range(1, 26)) and got.rows[0]["customer"] == "Client 1"
    assert (later.rows, later.deleted) == ([], [{"id": 3}])


def test_the_search_reads_orders(tmp_path: Path) -> None:
    with Rest(25, auth="header", most=10).serving() as served:
        config = _config(EXAMPLES[1].replace("https://shop.example.com", served.url), tmp_path)
        got = collect(source(HttpJsonConnector, config), "orders")
    assert got.column("id") == list(range(1, 26))


def test_dynamics_is_read(tmp_path: Path) -> None:
    with Dynamics(3).serving() as served:
        text = EXAMPLES[2].replace("https://example.crm4.dynamics.com", served.url)
        text = text.replace("https://login.microsoftonline.com/YOUR-TENANT", f"{served.url}/tenant")
        got = collect(source(HttpJsonConnector, _config(text, tmp_path)), "opportunities")
    assert got.column("state") == ["Won", "Lost", "Open"]
    assert got.end is not None and got.end.state is not None


def test_every_setting_is_named() -> None:
    table = SCHEMA["properties"]["tables"]["additionalProperties"]["properties"]
    parts = [
        SCHEMA["properties"], table, table["pages"]["anyOf"][0]["properties"], table["cursor"]["properties"], SCHEMA["properties"]["auth"]["properties"],
        SCHEMA["properties"]["auth"]["properties"]["oauth"]["properties"],
    ]  # fmt: skip
    missing = [name for part in parts for name in part if not re.search(rf"\b{name}\b", TEXT)]
    assert missing == []


def _does(folder: Path, *args: str) -> str:
    done = CliRunner().invoke(cli, ["-C", str(folder), *args], env=ENVIRON)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_first_example_is_synced_and_computed(tmp_path: Path) -> None:
    run = ("run", "--as-of", "2026-02-01", "--since", "2026-01", "--until", "2026-01", "--format", "csv")
    with Rest(25, auth="bearer", most=10).serving() as served:
        assert isinstance(served, Rest)
        (tmp_path / "kpis.yaml").write_text(EXAMPLES[0].replace("https://erp.example.com", served.url))
        _does(tmp_path, "sync")
        paid = sum(Decimal(row["amount"]) for row in served.rows.values())
        assert f",{paid}," in _does(tmp_path, *run)
        served.change(3, START + timedelta(days=2), is_deleted=True)
        served.change(4, START + timedelta(days=2), amount="0.40")
        asked = len(served.asked)
        _does(tmp_path, "sync")
        assert {r.query.get("updated_since") for r in served.asked[asked:]} == {"2025-12-31T00:25:00Z"}
        assert f",{paid - Decimal('111.03') - Decimal('148.04') + Decimal('0.40')}," in _does(tmp_path, *run)
    for file in (tmp_path / ".cadran").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


def test_a_word_for_true_that_is_none(tmp_path: Path) -> None:
    text = EXAMPLES[0].replace("{cursor: meta.next, param: cursor}", "{link_header: yes}")
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "check"], env=ENVIRON)
    assert done.exit_code == 2
    assert "sources.erp: 'link_header' must be true, not 'yes'\n" in done.output
