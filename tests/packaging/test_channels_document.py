"""docs/channels.md: its examples work as they stand there, and it names every setting, block and name of a template."""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins import Message, NotifierContext
from cadran.plugins.manager import PluginManager
from cadran.plugins.notifier import Notifier
from cadran.publish.letters.context import AlertItem, FailureContext, Letter, NoticeContext
from cadran_plugins import webhook

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "channels.md").read_text(encoding="utf-8")
BLOCKS = {
    name: body for _, name, body in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
}
[CHANNELS] = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ENVIRON = {
    "SMTP_URL": "smtps://kpi:pw@mail.example.com", "SLACK_WEBHOOK": "https://hooks.slack.com/x", "TEAMS_WEBHOOK": "https://example.com/x",
    "WEBHOOK_SECRET": "sixteen letters!",
}  # fmt: skip


def test_the_channels_are_right(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text("version: 1\n" + CHANNELS)
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "check"], env=ENVIRON)
    assert done.exit_code == 0, done.output
    declaration, _ = cadran.open(tmp_path / "kpis.yaml", environ=ENVIRON).declaration()
    assert declaration is not None
    for channel in declaration.channels.values():
        found = PluginManager({}).notifier(channel.notifier)
        assert isinstance(found, type) and found(
            NotifierContext(channel.name, channel.config, tmp_path, (tmp_path,))
        )


@pytest.mark.parametrize("name", ["email", "file", "slack", "teams", "webhook"])
def test_every_setting_is_named(name: str) -> None:
    found = PluginManager({}).notifier(name)
    assert isinstance(found, type) and issubclass(found, Notifier)
    for setting in found.config_schema["properties"]:
        assert f"`{setting}" in TEXT, setting
    for suffix in found.parts.values():
        assert f"`.{suffix}.jinja`" in TEXT


def test_the_receiver_tells_what_is_genuine() -> None:
    names: dict[str, Any] = {}
    exec(BLOCKS["receiver.py"], names)
    secret = b"sixteen letters!"
    to = webhook.WebhookNotifier(
        NotifierContext("hook", {"url": "https://example.com", "secret": secret.decode()}, Path())
    )
    body = to.seal(Message("0" * 64, "report", dt.datetime(2026, 3, 9, tzinfo=dt.UTC), "S"))
    now = str(int(time.time()))
    headers = {
        "webhook-id": "0" * 64,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{webhook.sign(secret, '0' * 64, now, body)}",
    }
    assert names["is_genuine"](headers, body, secret)
    assert not names["is_genuine"](headers, body + b" ", secret)
    assert not names["is_genuine"](headers | {"webhook-id": "1"}, body, secret)
    assert not names["is_genuine"](headers | {"webhook-timestamp": "0"}, body, secret)


def test_the_template_extends_the_shipped_one(tmp_path: Path) -> None:
    from deliver import letters

    path = tmp_path / "templates" / "email" / "report.html.jinja"
    path.parent.mkdir(parents=True)
    path.write_text(BLOCKS["templates/email/report.html.jinja"])
    of = letters.project(tmp_path)
    [report] = of.reports.values()
    made = letters.composer(of).report(
        report, letters.results(of), job="report:x", logical_time=letters.AS_OF
    )
    [html] = [o.message.parts["html"] for o in made if o.channel == "mail"]
    assert html.index("Dear colleagues") < html.index("What needs attention")


def test_every_block_and_every_name_of_a_template_is_there() -> None:
    for kind in ("report", "alert"):
        template = (ROOT / "templates" / "email" / f"{kind}.html.jinja").read_text(encoding="utf-8")
        for block in set(re.findall(r"{% block (\w+)", template)) - {"preview", "content"}:
            assert re.search(rf"blocks of a report.*?\b{block}\b", TEXT), block
    known = set(re.findall(r"\w+", TEXT))
    left_out = {"subject", "name", "key", "hidden", "locale", "language", "as_of"}
    for context in (Letter, NoticeContext, AlertItem, FailureContext):
        assert {field.name for field in fields(context)} - left_out <= known
