"""The bundled notifier for mail, at a test's own server."""

from __future__ import annotations

from pathlib import Path

from cadran.plugins.notifier import NotifierContext
from cadran_plugins.mail.notifier import EmailNotifier


def mail(port: int, timeout: float = 10) -> EmailNotifier:
    config = {"smtp": f"smtp+plain://127.0.0.1:{port}", "from": "KPIs <kpi@example.com>", "timeout": timeout}
    return EmailNotifier(NotifierContext("mail", config, Path()))


def message_id(key: str) -> bytes:
    """What tells a message by its bytes."""
    return f"Message-ID: <{key[:40]}@example.com>\r\n".encode()
