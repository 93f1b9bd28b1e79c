"""``cadran init``: what it writes, what it refuses, what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.simulators import hubspot_account
from tests.simulators.hubspot import HubSpot

from cadran.starting.start import Start

from .user import call

ROOT = Path(__file__).parents[2]


def test_a_small_project_that_runs(tmp_path: Path) -> None:
    done = call(tmp_path, "init")
    assert done.code == 0, done.all
    there = f"cadran -C {tmp_path}"
    assert "written: " in done.out and f"next: {there} check, then {there} run --as-of 2026-04-01" in done.out
    assert call(tmp_path, "check").code == 0
    shown = call(tmp_path, "run", "--as-of", "2026-04-01")
    assert shown.code == 0 and "200,25" in shown.out


def test_where_one_stands_already_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "next: cadran check, then cadran run --as-of 2026-04-01" in call(tmp_path, "init").out


def test_it_is_the_readmes_first_minute(tmp_path: Path) -> None:
    call(tmp_path, "init")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, kind in (("kpis.yaml", "yaml"), ("data/orders.csv", "csv")):
        [text] = re.findall(rf"```{kind} {name}\n(.*?)```", readme, re.DOTALL)
        assert (tmp_path / name).read_text(encoding="utf-8") == text


def test_a_project_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text("version: 1\n")
    done = call(tmp_path, "init")
    assert done.code == 2
    assert "there is already: kpis.yaml; name another folder, or write over it with --force" in done.err
    assert (tmp_path / "kpis.yaml").read_text() == "version: 1\n"
    assert call(tmp_path, "init", "--force").code == 0


def test_into_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert call(tmp_path, "init", str(tmp_path / "new" / "er")).code == 0
    assert (tmp_path / "new" / "er" / "data" / "orders.csv").is_file()


@pytest.mark.parametrize(
    ("connector", "said"),
    [
        ("files", "the connector 'files' brings no project to start from"),
        ("hubspott", "unknown connector 'hubspott'; did you mean 'hubspot'?"),
        ("hubspot", "the setting HUBSPOT_TOKEN is not set; set it in the environment"),
    ],
)
def test_connectors_that_it_cannot_begin_with(
    tmp_path: Path, connector: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUBSPOT_TOKEN", raising=False)
    done = call(tmp_path, "init", "--connector", connector)
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())


def test_settings_of_the_source_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the account cannot be reached: the address that was set is the one that is asked."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "pat-of-a-test")
    done = call(tmp_path, "init", "--connector", "hubspot", "--set", "url=http://127.0.0.1:9")
    assert done.code == 2
    assert "127.0.0.1:9: no connection" in done.err and "pat-of-a-test" not in done.all


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--connector", "hubspot", "--set", "url"], "--set url says no value; write --set KEY=VALUE"),
        (["--set", "url=x"], "--set goes with --connector"),
    ],
)
def test_settings_that_say_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = call(tmp_path, "init", *arguments)
    assert done.code == 2 and said in done.err


def test_an_empty_token_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "")
    done = call(tmp_path, "init", "--connector", "hubspot")
    assert done.code == 2 and "the setting HUBSPOT_TOKEN is empty; set it in the environment" in done.err


# --- settings that stand for one another ---------------------------------------------------------------------------------

SALESFORCE = {"SALESFORCE_CLIENT_ID": "id-of-a-test", "SALESFORCE_CLIENT_SECRET": "secret-of-a-test"}


def without_settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> None:
    for name in (
        "SALESFORCE_DOMAIN",
        *SALESFORCE,
        "PIPEDRIVE_COMPANY",
        "PIPEDRIVE_TOKEN",
        "ODOO_URL",
        "ODOO_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("connector", "environ"),
    [
        ("salesforce", SALESFORCE),
        ("salesforce", {**SALESFORCE, "SALESFORCE_DOMAIN": "belvoir.my.salesforce.com"}),
        ("pipedrive", {"PIPEDRIVE_TOKEN": "token-of-a-test"}),
        ("pipedrive", {"PIPEDRIVE_TOKEN": "token-of-a-test", "PIPEDRIVE_COMPANY": "belvoir"}),
        ("odoo", {"ODOO_API_KEY": "key-of-a-test"}),
        ("hubspot", {"HUBSPOT_TOKEN": "pat-of-a-test"}),
    ],
)  # fmt: skip
def test_an_address_stands_instead_of_what_it_is_made_of(
    connector: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers there: that is what is said, and neither that something is missing nor that two are given."""
    without_settings(monkeypatch, **environ)
    done = call(tmp_path, "init", "--connector", connector, "--set", "url=http://127.0.0.1:9")
    assert done.code == 2
    assert "127.0.0.1:9" in done.err and "is not set" not in done.err and "either" not in done.err


@pytest.mark.parametrize(
    ("connector", "settings", "written", "gone"),
    [
        ("salesforce", {"url": "http://x"}, 'url: "http://x"', "domain:"),
        ("salesforce", {"private_key": "k", "username": "u"}, 'private_key: "k"', "client_secret:"),
        ("salesforce", {"domain": "y"}, 'domain: "y"', "SALESFORCE_DOMAIN"),
        ("pipedrive", {"url": "http://x"}, 'url: "http://x"', "company:"),
        ("odoo", {"url": "http://x"}, 'url: "http://x"', "ODOO_URL"),
        ("hubspot", {"token": "${OUR_TOKEN}"}, 'token: "${OUR_TOKEN}"', "HUBSPOT_TOKEN"),
    ],
)
def test_only_what_was_given_is_written(connector: str, settings: dict[str, str], written: str, gone: str) -> None:  # fmt: skip
    text = Start(connector, {}, settings).rendered(None)
    source = text.partition("\nsources:\n")[2].partition("\ndatasets:\n")[0]
    assert written in source and gone not in source
    assert source.count(next(iter(settings)) + ": ") == 1


def test_a_setting_that_cannot_work_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch, **SALESFORCE)
    done = call(tmp_path, "init", "--connector", "salesforce", "--set", "url=nowhere")
    assert done.code == 2 and "url is no address of a machine; it is https://, a host" in done.err


# --- over an account -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hubspot(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The arguments that lead to an account of HubSpot without fields of its own."""
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot_account.TOKEN)
    account = HubSpot()
    with account.serving():
        yield ["init", "--connector", "hubspot", "--set", f"url={account.url}"]


def test_what_is_assumed_and_what_is_left_out_is_said(hubspot: list[str], tmp_path: Path) -> None:
    done = call(tmp_path, *hubspot)
    assert done.code == 0, done.all
    assert (
        "\n  Customers are companies with a won deal or an order, and those whose lifecycle stage is customer. They begin"
        in done.out
    )
    assert (
        "\n  The channel that won a lead, a customer: contacts.hs_analytics_source, companies.hs_analytics_source.\n"
        in done.out
    )
    assert "\n  The range or plan: no field of yours looks like it" in done.out
    assert "\n18 KPIs, without targets, alerts and owners: those are yours to write\n" in done.out
    assert (
        "\n  no costs, such as ad spend: acquisition_cost, cac, acquisition_roi, campaign_roi\n" in done.out
    )
    assert call(tmp_path, "check").code == 0


def test_revenue_needs_no_quotas_where_it_has_no_target(hubspot: list[str], tmp_path: Path) -> None:
    call(tmp_path, *hubspot)
    sales = (tmp_path / "kpis" / "sales.yaml").read_text(encoding="utf-8")
    assert "  revenue:\n" in sales and "quotas" not in sales and "    # target: …" in sales


def test_kpis_of_ones_own_are_not_written_over_where_only_the_rest_has_gone(hubspot: list[str], tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / "kpis").mkdir()
    mine = tmp_path / "kpis" / "sales.yaml"
    mine.write_text("kpis: {}\n")
    done = call(tmp_path, *hubspot)
    assert done.code == 2 and "there is already: kpis/sales.yaml;" in done.err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["sales.yaml"]
    (tmp_path / "kpis.yaml").write_text("version: 1\n")
    assert "there is already: kpis.yaml, kpis/sales.yaml;" in call(tmp_path, *hubspot).err
    assert call(tmp_path, *hubspot, "--force").code == 0
    assert (tmp_path / "kpis" / "sales.yaml.bak").read_text() == "kpis: {}\n"


# --- files that are there ----------------------------------------------------------------------------------------------------


def test_nothing_is_written_where_one_of_its_files_is_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("mine")
    done = call(tmp_path, "init")
    assert done.code == 2
    assert "there is already: data/orders.csv; name another folder, or write over it with --force" in done.err
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "orders.csv"]


def test_what_is_written_over_is_kept_beside(tmp_path: Path) -> None:
    assert call(tmp_path, "init").code == 0
    for mine in ("first: 1\n", "second: 2\n"):
        (tmp_path / "kpis.yaml").write_text(mine)
        done = call(tmp_path, "init", "--force")
        assert done.code == 0, done.all
    assert (tmp_path / "kpis.yaml.bak").read_text() == "first: 1\n"
    assert (tmp_path / "kpis.yaml.bak2").read_text() == "second: 2\n"
    assert "kpis.yaml.bak2: what was there before" in done.out
    assert not (tmp_path / "data" / "orders.csv.bak").exists(), "it was the same"


def test_copies_of_customers_data_stay_out_of_version_control(tmp_path: Path) -> None:
    done = call(tmp_path, "init")
    assert (tmp_path / ".gitignore").read_text().splitlines() == [".cadran/", "reports/"]
    assert f"written: {tmp_path / '.gitignore'}" in done.out


@pytest.mark.parametrize(("there", "said"), [("*.pyc\n", True), ("*.pyc\n/.cadran/\n", False)])
def test_a_gitignore_that_is_there_stays(tmp_path: Path, there: str, said: bool) -> None:
    (tmp_path / ".gitignore").write_text(there)
    done = call(tmp_path, "init")
    assert done.code == 0 and (tmp_path / ".gitignore").read_text() == there
    assert ("write .cadran/ into it" in done.out) == said
