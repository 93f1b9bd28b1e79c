"""The shipped project's report in a real browser: it opens from the disk, alone, and anybody can read it.

Needs what ``tests/browsing.py`` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cadran
from browsing import AXE, too_wide, violations
from cadran.publish.documents import document
from cadran.resources import folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ("fr", "en")
WIDTHS = {"wide": 1280, "narrow": 390}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


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


def clipped(page: Page) -> list[str]:
    """Tiles whose text is wider than they are."""
    return page.evaluate(
        "[...document.querySelectorAll('.tile, .tile *')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth"
        " && !e.closest('svg') && !e.classList.contains('sr')).map(e => e.textContent.trim().slice(0, 60))"
    )
