"""A real browser for tests: Debian's chromium, one for each worker, and axe-core.

``.ci/run`` installs both and sets ``CADRAN_REQUIRE_BROWSER=1``, with which a missing one fails instead of being skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).resolve().parents[1] / ".browser" / "node_modules" / "axe-core" / "axe.min.js"
REQUIRED = os.environ.get("CADRAN_REQUIRE_BROWSER") == "1"


def missing(what: str) -> None:
    (pytest.fail if REQUIRED else pytest.skip)(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        missing("there is no chromium: apt-get install chromium")
    if not AXE.is_file():
        missing("there is no axe-core: npm install --prefix .browser --no-save axe-core")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def too_wide(page: Page) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".slice(0, 8).map(e => e.outerHTML.slice(0, 120))"
    )


def violations(page: Page) -> list[str]:
    """Of all sections; of KPIs the first eight, as the others are made by the same macros and axe takes its time."""
    page.evaluate("[...document.querySelectorAll('article.kpi')].slice(8).forEach(e => e.remove())")
    page.evaluate("[...document.querySelectorAll('.tile, .defs > div')].slice(12).forEach(e => e.remove())")
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['impact']} {v['id']}: {v['help']} ({node['target']})"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]
