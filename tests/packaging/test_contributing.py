"""CONTRIBUTING.md's recipes work as they stand there."""

from __future__ import annotations

import datetime as dt
import re
import runpy
import shutil
import sqlite3
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.formula import scalars, syntax
from cadran.plugins.manager import PluginManager

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = {
    name: body for _, name, body in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
}


def _tests(code: str, folder: Path, name: str) -> Iterator[tuple[str, object]]:
    (folder / name).write_text(code, encoding="utf-8")
    found = runpy.run_path(str(folder / name))
    yield from ((key, value) for key, value in found.items() if key.startswith("test_"))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The sample project with the recipe's KPI."""
    for folder in ("data", "kpis"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "kpis.yaml", tmp_path)
    more = (ROOT / "kpis" / "sales.yaml").read_text(encoding="utf-8")
    for section, block in (("kpis", "kpis/sales.yaml"), ("tests", "tests")):
        assert more.count(f"\n{section}:\n") == 1
        more = more.replace(f"\n{section}:\n", f"\n{section}:\n{BLOCKS[block]}")
    (tmp_path / "kpis" / "sales.yaml").write_text(more, encoding="utf-8")
    return tmp_path


def test_the_recipe_for_a_kpi(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample)
    commands = re.findall(r"^\$ cadran (.*)$", TEXT, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        done = CliRunner().invoke(cli, command.split())
        assert done.exit_code == 0, done.output
    import shipped.sample

    monkeypatch.setattr(shipped.sample, "ROOT", sample)
    ((_, test),) = _tests(BLOCKS["test_orders_per_customer.py"], tmp_path, "test_orders_per_customer.py")
    assert callable(test)
    test()


def _installed(site: Path, module: str, name: str, version: str, points: dict[str, str]) -> None:
    """A recipe's module as an installed distribution: itself, and what an installer writes beside it."""
    site.mkdir()
    (site / f"{module}.py").write_text(BLOCKS[f"{module}.py"], encoding="utf-8")
    info = site / f"{module}-{version}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    listed = "".join(f"{point} = {value}\n" for point, value in points.items())
    (info / "entry_points.txt").write_text(f"[cadran]\n{listed}", encoding="utf-8")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The recipe's connector, installed."""
    project = tomllib.loads(BLOCKS["pyproject.toml"])["project"]
    points = project["entry-points"]["cadran"]
    _installed(tmp_path / "site", "cadran_sqlite", project["name"], project["version"], points)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield project["name"]
    sys.modules.pop("cadran_sqlite", None)


def test_the_recipe_for_a_notifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path / "site", "cadran_archive", "cadran-archive", "1.0", {"archive": "cadran_archive"})
    monkeypatch.syspath_prepend(tmp_path / "site")
    try:
        ((_, test),) = _tests(BLOCKS["test_cadran_archive.py"], tmp_path, "test_cadran_archive.py")
        assert callable(test)
        test(tmp_path)
    finally:
        sys.modules.pop("cadran_archive", None)


def test_the_recipe_for_a_connector_is_listed_like_any_plugin(plugin: str) -> None:
    manager = PluginManager({})
    (listed,) = (p for p in manager.listing() if p.distribution == plugin)
    assert (listed.name, listed.version, listed.error) == ("sqlite", "1.0", "")
    assert "sqlite" in manager.names()
    assert manager.problems() == []


@pytest.mark.usefixtures("plugin")
def test_the_tests_of_the_recipe_for_a_connector_pass(tmp_path: Path) -> None:
    tests = dict(_tests(BLOCKS["test_cadran_sqlite.py"], tmp_path, "test_cadran_sqlite.py"))
    assert len(tests) == 2
    for name, test in tests.items():
        (tmp_path / name).mkdir()
        assert callable(test)
        test(tmp_path / name)


@pytest.mark.usefixtures("plugin")
def test_the_connector_of_the_recipe_says_what_is_wrong_with_a_value(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("create table orders (id integer, day text, cents integer)")
        database.execute("insert into orders values (1, '2026-01-05', 'many')")
        database.commit()
    tests = runpy.run_path(_written(tmp_path))
    (tmp_path / "kpis.yaml").write_text(tests["PROJECT"], encoding="utf-8")
    with pytest.raises(
        cadran.ProblemsFound, match=r"sources.shop: table 'orders': .*lets a column hold any type"
    ):
        cadran.open(tmp_path).run(as_of=dt.date(2026, 2, 1))


def _written(folder: Path) -> str:
    path = folder / "test_cadran_sqlite.py"
    path.write_text(BLOCKS["test_cadran_sqlite.py"], encoding="utf-8")
    return str(path)


def test_the_recipe_for_a_function_names_what_there_is() -> None:
    recipe = TEXT[TEXT.index("## Recipe: add a scalar function") :]
    for path in re.findall(r"`((?:engine|tests|docs)/[\w/.]+)`", recipe):
        assert (ROOT / path).is_file(), path
    for module, name in ((scalars, "_FUNCTIONS"), (syntax, "_NAMES")):
        assert isinstance(module, ModuleType)
        assert f"`{name}`" in recipe
        assert hasattr(module, name)
    assert "reverse" not in scalars.SPELLINGS, "the recipe's example is no longer a function to add"
