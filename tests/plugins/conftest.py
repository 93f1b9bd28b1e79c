"""Plugins that are installed for one test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .asking import api  # noqa: F401 - a fixture
from .own_servers import guarded_postgres, travelled_mariadb  # noqa: F401 - fixtures
from .reading_hubspot import account  # noqa: F401 - a fixture
from .salesforce_org import org  # noqa: F401 - a fixture

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution with one plugin on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(point: str, code: str, dist: str = "acme", module: str | None = None) -> None:
        module = module or f"{dist}_{point}_plugin"
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{dist}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[cadran]\n{point} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put
