"""What is shipped: the wheel, built directly and through the source distribution, holds everything and works alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from cadran import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = """\
version: 1
sources: {shop: {connector: files, path: data}}
datasets: {orders: {from: shop.orders, key: id, date: day}}
kpis:
  revenue: {formula: sum(orders.amount), period: month, target: 100}
"""
ORDERS = "id,day,amount\n1,2026-01-05,80.10\n2,2026-01-19,40.15\n"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


def _run(*command: str | Path, cwd: Path, **more: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COVERAGE"))} | more
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _build(kind: str, source: Path, out: Path) -> Path:
    """What ``python -m build`` calls, without its environment of its own."""
    out.mkdir(parents=True, exist_ok=True)
    code = f"import sys, hatchling.build as b; print(b.build_{kind}(sys.argv[1]))"
    return out / _run(sys.executable, "-c", code, out, cwd=source).splitlines()[-1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built from, as it was at one moment: somebody may be editing meanwhile."""
    copy = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
    for folder in ("engine", "plugins", "schemas", "templates", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    return _build("sdist", checkout, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, sdist: Path) -> Path:
    """Built from the unpacked source distribution, as installers do."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return _build("wheel", source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of commands of a new environment that holds the wheel, and of this one only the dependencies."""
    home = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(home, with_pip=False, symlinks=True)
    commands = home / "bin"
    _run(
        sys.executable, "-m", "pip", "--python", commands / "python", "install", "--quiet", "--no-deps",
        "--no-index", "--disable-pip-version-check", wheel, cwd=home,
    )  # fmt: skip
    (site,) = home.glob("lib/python*/site-packages")
    # A folder named by a .pth file is searched, but its own .pth files (the checkout's editable install) are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return commands


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    (tmp_path / "kpis.yaml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def _files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}


def _below(base: Path, shown_as: str = "") -> set[str]:
    """Files of a folder of the checkout, by the names that they have in the wheel."""
    found = (p for p in base.rglob("*") if p.is_file())
    return {shown_as + p.relative_to(base).as_posix() for p in found}


def test_the_wheel_holds_both_packages_the_schemas_and_the_templates_and_nothing_else(
    wheel: Path, checkout: Path
) -> None:
    expected = _below(checkout / "engine") | _below(checkout / "plugins")
    expected |= _below(checkout / "schemas", "cadran/schemas/")
    expected |= _below(checkout / "templates", "cadran/templates/")
    held = {name for name in _files(wheel) if ".dist-info/" not in name}
    assert held == expected
    assert {
        "cadran/schemas/kpis.schema.json",
        "cadran/templates/report.html.jinja",
        "cadran/py.typed",
    } <= held


def test_the_wheel_is_the_same_whether_built_from_the_checkout_or_from_the_source_distribution(
    wheel: Path, checkout: Path, tmp_path: Path
) -> None:
    assert _files(_build("wheel", checkout, tmp_path)) == _files(wheel)


def test_the_source_distribution_holds_what_belongs_to_it(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"} <= names
    assert not [n for n in names if n.startswith(("tests", "data", ".venv", "reports", "benchmarks"))]


def test_the_installed_wheel_is_used_and_not_the_checkout(installed: Path, project: Path) -> None:
    code = "import cadran, cadran_plugins, cadran.resources as r; print(cadran.__file__, cadran_plugins.__file__, r.templates())"
    for place in _run(installed / "python", "-c", code, cwd=project).split():
        assert Path(place).is_relative_to(installed.parent)


def test_the_installed_wheel_computes_a_project(installed: Path, project: Path) -> None:
    command = [installed / "cadran", "run", "--as-of", "2026-02-01"]
    csv = _run(*command, "--until", "2026-01", "--format", "csv", cwd=project)
    row = "revenue,2026-01,2026-01-01,2026-01-31,,,120.25,2,,,,100,on_target,final,,0"
    assert csv.splitlines()[1:] == [row]
    assert "<html" in _run(*command, "--format", "html", cwd=project)


def test_the_installed_wheel_finds_its_schema_and_its_plugins(installed: Path, project: Path) -> None:
    assert '"kpis"' in _run(installed / "cadran", "schema", cwd=project)
    assert f"files  cadran {__version__}  cadran_plugins.files" in _run(
        installed / "cadran", "plugins", cwd=project
    )


def test_it_also_runs_as_a_module(installed: Path, project: Path) -> None:
    said = _run(installed / "python", "-m", "cadran", "check", cwd=project)
    assert said == "kpis.yaml: 1 KPI, no problems\n"
