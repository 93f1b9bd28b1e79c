"""The shipped project's report in a real browser: it opens from the disk, alone, and anybody can read it.

Needs Debian's chromium and axe-core (``npm install --prefix .browser axe-core``); ``.ci/run`` installs both and sets
``CADRAN_REQUIRE_BROWSER=1``, with which a missing one fails instead of being skipped.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import cadran
from cadran.publish.documents import document
from cadran.resources import folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".browser" / "node_modules" / "axe-core" / "axe.min.js"
REQUIRED = os.environ.get("CADRAN_REQUIRE_BROWSER") == "1"
LOCALES = ("fr", "en")
WIDTHS = {"wide": 1280, "narrow": 390}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


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


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The monthly report of the shipped project, computed once."""
    results = cadran.open(ROOT / "kpis.yaml").run(as_of=dt.date(2026, 7, 1))
    project = results.declaration
    out = tmp_path_factory.mktemp("reports")
    for locale in LOCALES:
        made = document(
            results, project, project.reports["monthly"], "html", locale=locale, template_folders=[folder("templates")]
        )  # fmt: skip
        (out / f"{locale}.html").write_bytes(made.content)
    return {locale: out / f"{locale}.html" for locale in LOCALES}


@dataclass
class Opened:
    """A page with what it said and asked for while it opened."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(
    params=[(lo, width, scheme) for lo in LOCALES for width in WIDTHS for scheme in ("light", "dark")],
    ids="-".join,
)
def opened(request: pytest.FixtureRequest, browser: Browser, reports: dict[str, Path]) -> Iterator[Opened]:
    locale, width, scheme = request.param
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    found = Opened(page, reports[locale].as_uri())
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", lambda asked: found.asked.append(asked.url))
    page.goto(found.url)
    yield found
    context.close()


def test_it_opens_alone_fits_and_can_be_read_by_anybody(opened: Opened) -> None:
    """One test of several looks, as opening the page is what takes time."""
    page = opened.page
    assert opened.said == []
    assert opened.asked == [opened.url]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), too_wide(page)
    assert page.locator("svg.ck-chart:visible").count() > 30
    assert clipped(page) == []
    page.add_script_tag(path=str(AXE))
    assert violations(page) == []


def too_wide(page: Page) -> list[str]:
    return page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".slice(0, 8).map(e => e.outerHTML.slice(0, 120))"
    )


def clipped(page: Page) -> list[str]:
    """Tiles whose text is wider than they are."""
    return page.evaluate(
        "[...document.querySelectorAll('.tile, .tile *')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth"
        " && !e.closest('svg') && !e.classList.contains('sr')).map(e => e.textContent.trim().slice(0, 60))"
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
