"""``cadran init``: what it writes, what it refuses, what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .user import call

ROOT = Path(__file__).parents[2]


def test_a_small_project_that_runs(tmp_path: Path) -> None:
    done = call(tmp_path, "init")
    assert done.code == 0, done.all
    assert "written: " in done.out and "next: cadran check, then cadran run --as-of 2026-04-01" in done.out
    assert call(tmp_path, "check").code == 0
    shown = call(tmp_path, "run", "--as-of", "2026-04-01")
    assert shown.code == 0 and "200,25" in shown.out


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
    assert "already; name another folder, or write over it with --force" in done.err
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
