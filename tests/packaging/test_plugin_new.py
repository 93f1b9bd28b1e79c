"""What ``cadran plugin new`` writes: built as a wheel, tested by its own tests, used by a project, and uninstalled again."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fresh import Fresh, built, cadran_wheel, fresh  # noqa: F401 - fixtures

from cadran.cli import cli

PROJECT = """\
version: 1
sources:
  ventes:
    connector: crm_maison
    url: {url}
    token: ${{CRM_MAISON_TOKEN}}
datasets: {{orders: {{from: ventes.orders, key: id, date: ordered_on}}}}
kpis:
  revenue: {{formula: sum(orders.amount), period: month}}
"""


def write(name: str, *options: str) -> Any:
    return CliRunner().invoke(cli, ["plugin", "new", name, *options])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Mon CRM", "'Mon CRM' cannot be the name of a plugin; write for instance mon-crm"),
        ("1c", "write for instance c"),
        ("é", "write small letters, digits, and - or _ between words"),
        ("x" * 60, f"write for instance {'x' * 40}"),
        ("../up", "write for instance up"),
        ("files", "a plugin 'files' is installed already"),
    ],
)
def test_a_name_that_cannot_be_is_said(name: str, said: str, tmp_path: Path) -> None:
    done = write(name, "--folder", str(tmp_path / "made"))
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert not (tmp_path / "made").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = write("crm-maison", "--folder", str(tmp_path))
    assert done.exit_code == 2 and "is there already; name another folder with --folder" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("kind", ["connector", "notifier", "functions"])
def test_no_name_of_the_template_is_left(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    done = write("crm-maison", "--kind", kind, "--folder", str(folder))
    assert done.exit_code == 0, done.output
    assert f"how it goes on: {folder / 'README.md'}" in done.output
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"pyproject.toml", "README.md", "LICENSE", ".gitignore", "test.yml"} <= {p.name for p in files}
    assert not [p for p in files if re.search("acme", p.read_text() + p.name, re.IGNORECASE)]
    for path in folder.rglob("*.py"):
        compile(path.read_text(encoding="utf-8"), str(path), "exec")


@pytest.fixture(scope="module")
def connector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "cadran-crm-maison"
    assert write("crm-maison", "--folder", str(folder)).exit_code == 0
    return folder


@contextmanager
def having(environment: Fresh, package: Path, out: Path) -> Iterator[None]:
    environment.install(built(package, out))
    try:
        yield
    finally:
        environment.uninstall(package.name)


@contextmanager
def serving(package: Path) -> Iterator[tuple[str, str]]:
    """The address of the package's own stand-in, and the token that it lets in."""
    name = "fake_crm_maison"
    spec = importlib.util.spec_from_file_location(name, package / "tests" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    fake = module.FakeCrmMaison()
    try:
        yield fake.start(), module.TOKEN
    finally:
        fake.stop()
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
def test_a_new_connector_passes_its_tests_and_is_used_and_uninstalled(
    connector: Path,
    fresh: Fresh,  # noqa: F811
    tmp_path: Path,
) -> None:
    with having(fresh, connector, tmp_path / "wheels"), serving(connector) as (url, token):
        done = fresh.run("python", "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", cwd=connector)
        assert done.code == 0, done.out + done.err
        assert re.search(r"\d\d kept, 0 broken, \d+ not shown", done.out), done.out
        assert "puts nothing away" in done.out
        (tmp_path / "kpis.yaml").write_text(PROJECT.format(url=url), encoding="utf-8")
        env = {"CRM_MAISON_TOKEN": token}
        assert "crm_maison  cadran-crm-maison 0.1.0" in fresh.cadran("plugins", cwd=tmp_path)
        fresh.cadran("sync", cwd=tmp_path, **env)
        said = fresh.cadran("run", "--as-of", "2026-02-01", "--format", "csv", cwd=tmp_path, **env)
        assert "revenue,2026-01,2026-01-01,2026-01-31,,,9007199254748835.07" in said
        assert token not in said
    said = fresh.cadran("check", cwd=tmp_path, code=2, **env)
    assert "unknown connector 'crm_maison'" in said and "kpis.yaml:4" in said


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
@pytest.mark.parametrize("kind", ["notifier", "functions"])
def test_a_new_plugin_of_another_kind_passes_its_tests(kind: str, fresh: Fresh, tmp_path: Path) -> None:  # noqa: F811
    package = tmp_path / "cadran-mine"
    assert write("mine", "--kind", kind, "--folder", str(package)).exit_code == 0
    with having(fresh, package, tmp_path / "wheels"):
        done = fresh.run("python", "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", cwd=package)
        assert done.code == 0, done.out + done.err
        provided = {"notifier": "notifiers: mine", "functions": "functions: mine_half, mine_growth"}[kind]
        assert provided in fresh.cadran("plugins", cwd=tmp_path)
