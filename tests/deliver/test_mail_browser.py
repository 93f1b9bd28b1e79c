"""Mails as they were received, in a real browser: they fit phones and desktops, show their charts, and anybody can read them.

Needs what ``tests/publish/test_browser.py`` needs; ``CADRAN_MAIL_PICTURES`` names a folder to put pictures of them into.
"""

from __future__ import annotations

import base64
import email
import email.policy
import os
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cadran.declare.model import Declaration, Deliveries, Destination
from cadran.deliver.messages import Outgoing
from cadran.plugins import NotifierContext
from cadran_plugins.mail.notifier import EmailNotifier
from plugins.smtp_servers import Mailbox, mail_server
from publish.test_browser import AXE, browser, too_wide, violations  # noqa: F401 - a fixture

from . import letters
from .letters import AS_OF, composer, project, text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
TO_ANNA = (text("anna@example.com"),)
LOCALES = ("fr", "en")
WIDTHS = (390, 700)


def outgoing(of: Declaration) -> dict[str, Outgoing]:
    """One mail of each kind."""
    [declared] = of.reports.values()
    made = composer(of)
    [report] = made.report(
        declared, letters.results(of), job="report:x", logical_time=AS_OF, banner="leads : 6 jours", late=True
    )
    alerts = {
        kind: made.notice(letters.notice("mail", *some, kind=kind), letters.results(of), job="alerts", logical_time=AS_OF)
        for kind, some in (
            ("firing", (letters.LOW, letters.PAID, letters.STALE)),
            ("resolved", (replace(letters.LOW, state="ok"),)),
        )
    }  # fmt: skip
    failed = letters.Failed()
    failed.channel = "elsewhere"
    [failure] = made.failure(failed, now=AS_OF)
    return {"report": report, **alerts, "failure": failure}


def received(outgoing: Outgoing, port: int) -> None:
    config = {"smtp": f"smtp+plain://127.0.0.1:{port}", "from": "kpi@example.com", "timeout": 10}
    EmailNotifier(NotifierContext("mail", config, Path())).send(
        outgoing.sealed, "anna@example.com", lambda: None
    )


def shown(content: bytes) -> tuple[str, int]:
    """A mail's page as a reader shows it: pictures of the mail itself in their places, and how large its HTML is."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    size = len(html.encode())
    for part in mail.walk():
        if number := part["Content-ID"]:
            picture = base64.b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{number[1:-1]}", f"data:image/png;base64,{picture}")
    assert "cid:" not in html
    return html, size


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """By locale and kind, as a mail server got them."""
    found = {}
    for locale in LOCALES:
        to = Destination(text("mail"), TO_ANNA)
        failures = Deliveries(failures=(to,))
        of = project(
            tmp_path_factory.mktemp("project"),
            letters.report(to, letters.chat("board")),
            locale,
            deliveries=failures,
        )
        [declared] = of.reports.values()
        of = replace(of, reports={declared.name: replace(declared, to=(to,))})
        for kind, each in outgoing(of).items():
            mailbox = Mailbox()
            with mail_server(mailbox) as port:
                received(each, port)
            [(_, _, content)] = mailbox.mails
            assert content == each.sealed
            found[locale, kind] = content
    return found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context(offline=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", ["report", "firing", "resolved", "failure"])
def test_it_fits_shows_its_charts_and_can_be_read(
    kind: str, locale: str, mails: dict[tuple[str, str], bytes], page: Page
) -> None:
    html, size = shown(mails[locale, kind])
    assert size < 100_000
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), too_wide(page)
        drawn = page.evaluate(
            "[...document.images].map(i => [i.complete && i.naturalWidth > 600, i.getBoundingClientRect().width])"
        )
        assert len(drawn) == (6 if kind == "report" else 0) and all(
            loaded and 0.8 * min(width, 640) < w <= width for loaded, w in drawn
        )
        if folder := os.environ.get("CADRAN_MAIL_PICTURES"):
            page.screenshot(path=f"{folder}/{kind}-{locale}-{width}.png", full_page=True)
    page.add_script_tag(path=str(AXE))
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
        != "rgb(255, 255, 255)"
    )
    assert violations(page) == []
