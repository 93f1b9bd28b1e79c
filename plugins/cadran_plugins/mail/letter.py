"""A message as a mail: ``mixed(alternative(text, related(html, png…)), files…)``, the same bytes for the same message.

Headers are made by the standard library under its SMTP policy, from values without any control character; what looks
like an encoded word in a subject is broken up, for readers would decode it. Boundaries come from the message's key, and cannot stand in a
body: bodies are quoted-printable or base64.
"""

from __future__ import annotations

import email.policy
import re
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from urllib.parse import quote

from cadran.plugins import Document, Message
from cadran_plugins.mail.addresses import Mailbox, address
from cadran_plugins.mail.config import Config

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def letter(message: Message, config: Config) -> bytes:
    """The mail's bytes, with CRLF. Raises ValueError for a recipient that is no address."""
    recipient = address(message.recipient)
    boxes = [box for box in (config.sender, config.reply_to, recipient) if box is not None]
    plain = all(box.is_ascii for box in boxes)
    mail = EmailMessage(email.policy.SMTP if plain else email.policy.SMTPUTF8)
    _head(mail, message, config, recipient)
    _body(mail, message)
    mail["Content-Language"] = message.locale.replace(
        "_", "-"
    )  # a header of the whole, not of its first part
    for number, part in enumerate(p for p in mail.walk() if p.is_multipart()):
        part.set_boundary(f"=-{message.key[:32]}-{number}")
    return mail.as_bytes()


def _head(mail: EmailMessage, message: Message, config: Config, recipient: Mailbox) -> None:
    domain = config.sender.domain
    mail["From"] = _address(config.sender)
    mail["To"] = _address(recipient)
    if config.reply_to is not None:
        mail["Reply-To"] = _address(config.reply_to)
    mail["Subject"] = header_text(message.subject)
    mail["Date"] = message.moment
    mail["Message-ID"] = f"<{message.key[:40]}@{domain}>"
    if message.thread:
        root = f"<thread.{re.sub('[^0-9a-zA-Z]', '', message.thread)[:40]}@{domain}>"
        mail["In-Reply-To"] = root
        mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    if unsubscribe := _unsubscribe(message, config):
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
        if unsubscribe.startswith("https:"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058


def header_text(text: str) -> str:
    """One line, and nothing in it that a reader would decode."""
    return _CONTROL.sub(" ", text).replace("=?", "= ?").strip()


def _address(box: Mailbox) -> Address:
    return Address(header_text(box.name), box.local, box.domain)


def _unsubscribe(message: Message, config: Config) -> str:
    link = message.unsubscribe or config.unsubscribe
    link = link.replace("{recipient}", quote(message.recipient, safe=""))
    return quote(_CONTROL.sub("", link), safe=":/?#[]@!$&'()*+,;=%-._~")


def _body(mail: EmailMessage, message: Message) -> None:
    text, html = message.parts.get("text", ""), message.parts.get("html", "")
    mail.set_content(text or message.subject, cte="quoted-printable")
    if html:
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
        _pictures(mail, message, html)
    for document in message.documents:
        _attach(mail, document)


def _pictures(mail: EmailMessage, message: Message, html: str) -> None:
    parts = mail.get_payload()
    page = parts[-1]  # type: ignore[index]
    assert isinstance(page, MIMEPart)
    for number, picture in enumerate(message.pictures, 1):
        if f"cid:{picture.name}" in html:
            page.add_related(
                picture.content,
                "image",
                "png",
                cid=f"<{picture.name}>",
                disposition="inline",
                filename=f"chart-{number}.png",
            )


def _attach(mail: EmailMessage, document: Document) -> None:
    main, _, sub = document.media_type.partition("/")
    name = header_text(document.file_name)
    if main == "text":
        content = document.content.decode("utf-8-sig")
        # As bytes: line ends stay what they are, and a spreadsheet finds the mark of UTF-8 where there is one.
        mail.add_attachment(
            document.content, main, sub, filename=name, params={"charset": "utf-8"} if content else {}
        )
    else:
        mail.add_attachment(document.content, main, sub, filename=name)
