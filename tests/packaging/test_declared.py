"""Whatever cadran imports without an extra is one of its declared dependencies: other packages are here for the tests alone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from cadran.testing import Case
from contract.cases.hubspot import HubSpotCase
from contract.cases.odoo import OdooCase
from contract.cases.pipedrive import PipedriveCase
from contract.cases.salesforce import SalesforceCase

ROOT = Path(__file__).resolve().parents[2]
#: Runs cadran as it is where nothing else is installed.
ALONE = """\
import sys
hidden, sys.argv = sys.argv[1].split(","), ["cadran", *sys.argv[2:]]
sys.modules.update(dict.fromkeys(hidden))
from cadran.cli import main
main()
"""


def _required(name: str) -> Iterator[str]:
    """Names of the distributions that one needs, itself among them."""
    found, todo = set(), [name]
    while todo:
        one = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if one in found:
            continue
        found.add(one)
        try:
            wanted = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue  # for another system, or another Python
        todo += [Requirement(text).name for text in wanted if "extra ==" not in text]
    yield from found


@pytest.fixture(scope="module")
def hidden() -> str:
    """Modules that come of no declared dependency."""
    allowed = set(_required("cadran"))
    modules = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} & allowed
    }
    assert {"numpy", "pandas", "pytest"} <= modules and not {"pyarrow", "duckdb", "msgspec"} & modules
    return ",".join(sorted(modules))


def alone(hidden: str, folder: Path, *arguments: str) -> str:
    """What cadran says where it ends well."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, hidden, "-C", str(folder), *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sample_project(hidden: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    alone(hidden, ROOT, "run", "revenue", "--as-of", "2026-07-01", "--format", "html", "-o", str(page))
    assert "<html" in page.read_text(encoding="utf-8")
    assert alone(hidden, ROOT, "run", "revenue", "--as-of", "2026-07-01", "--format", "csv").count("\n") > 5


@pytest.mark.parametrize("kind", [HubSpotCase, SalesforceCase, PipedriveCase, OdooCase])
def test_a_crm(kind: type[Case], hidden: str, tmp_path: Path) -> None:
    """Every table of it, so every type that a column can have."""
    case = kind()
    (tmp_path / "stand-in").mkdir()
    url = case.start(tmp_path / "stand-in")
    try:
        source = {"connector": str(kind.connector), **case.config(url)}
        (tmp_path / "kpis.yaml").write_text(yaml.safe_dump({"version": 1, "sources": {"crm": source}}))
        assert "crm." in alone(hidden, tmp_path, "sync", "--all")
    finally:
        case.stop()
