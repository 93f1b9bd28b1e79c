"""The ``email`` notifier: what a mail is made of, and what comes of every way in which a server can answer or fail."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.plugins import Deferred, Document, Message, NotifierContext, NotifierError, Picture, Unknown
from cadran_plugins import patience
from cadran_plugins.mail.notifier import EmailNotifier

from .smtp_servers import PASSWORD, USER, Mailbox, Script, authenticated, bad_server, mail_server

KEY = "0123456789abcdef" * 4
QUOTED = "correct%20horse%2Fbattery"
MOMENT = dt.datetime(2026, 3, 9, 7, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def notifier(smtp: str = "smtp://127.0.0.1:9", **config: Any) -> EmailNotifier:
    whole = {"smtp": smtp, "from": "KPIs <kpi@example.com>", "timeout": 5, **config}
    return EmailNotifier(NotifierContext("mail", whole, Path()))


def message(**changes: Any) -> Message:
    parts = {"text": "Hello\n.a dot\nÉté", "html": '<p>Été</p><img src="cid:chart@cadran">'}
    settings: dict[str, Any] = {"recipient": "anna@example.com", "subject": "The week · été", "parts": parts}
    return Message(KEY, "report", MOMENT, **{**settings, **changes})


def read(content: bytes) -> EmailMessage:
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def sealed(**changes: Any) -> EmailMessage:
    return read(notifier().seal(message(**changes)))


def sent(
    to: EmailNotifier, recipient: str = "anna@example.com", content: bytes | None = None
) -> tuple[str, int]:
    """Where it went, and how often it was said to begin."""
    begun: list[None] = []
    where = to.send(content or to.seal(message(recipient=recipient)), recipient, lambda: begun.append(None))
    return where, len(begun)


# --- what a mail is made of --------------------------------------------------------------------------------------------

PICTURE = Picture("chart@cadran", b"\x89PNG\r\n\x1a\n...", 560, 196, "a chart")
FILES = (
    Document("week", "T", "csv", "\ufeffkpi\r\nété\r\n".encode()),
    Document("week", "T", "pdf", b"%PDF-"),
)


def test_its_structure() -> None:
    mail = sealed(documents=FILES, pictures=(PICTURE, Picture("unused@cadran", b"x", 1, 1)))
    shape = [(part.get_content_type(), part.get_filename()) for part in mail.walk()]
    assert shape == [
        ("multipart/mixed", None), ("multipart/alternative", None), ("text/plain", None), ("multipart/related", None),
        ("text/html", None), ("image/png", "chart-1.png"), ("text/csv", "week.csv"), ("application/pdf", "week.pdf"),
    ]  # fmt: skip
    [png] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (png["Content-ID"], png.get_content()) == ("<chart@cadran>", PICTURE.content)
    text = mail.get_body(("plain",))
    assert text is not None and text.get_content().splitlines() == ["Hello", ".a dot", "Été"]
    csv = next(part for part in mail.walk() if part.get_filename() == "week.csv")
    assert csv.get_payload(decode=True) == FILES[0].content  # with its line ends and its mark


def test_its_head() -> None:
    mail = sealed(thread="a b", unsubscribe="", locale="fr_CH")
    assert dict(mail.items()) | {"Content-Type": "", "Content-Transfer-Encoding": ""} == {
        "From": "KPIs <kpi@example.com>", "To": "anna@example.com", "Subject": "The week · été",
        "Date": "Mon, 09 Mar 2026 07:00:00 +0100", "Message-ID": f"<{KEY[:40]}@example.com>",
        "In-Reply-To": "<thread.ab@example.com>", "References": "<thread.ab@example.com>",
        "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": "fr-CH", "MIME-Version": "1.0",
        "Content-Type": "", "Content-Transfer-Encoding": "",
    }  # fmt: skip


def test_equal_messages_are_equal_bytes() -> None:
    whole = message(documents=FILES, pictures=(PICTURE,))
    assert notifier().seal(whole) == notifier().seal(whole)
    other = notifier().seal(message(documents=FILES, pictures=(PICTURE,), subject="x"))
    assert notifier().seal(whole) != other


def test_lines_are_short_and_end_as_they_should() -> None:
    long = "<p>" + "x" * 5000 + "é" * 3000 + "</p>"
    content = notifier().seal(message(parts={"text": "y" * 5000, "html": long}, subject="s" * 190))
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998 and b"\n" not in b"".join(lines) and content.isascii()


@pytest.mark.parametrize(
    ("setting", "own", "headers"),
    [
        ("", "", (None, None)),
        ("https://example.com/stop?who={recipient}", "", ("<https://example.com/stop?who=anna%40example.com>", "List-Unsubscribe=One-Click")),
        ("mailto:stop@example.com", "", ("<mailto:stop@example.com>", None)),
        ("https://example.com/stop", "https://example.com/own", ("<https://example.com/own>", "List-Unsubscribe=One-Click")),
        ("", "https://e.com/x>\r\nBcc: b@example.com", ("<https://e.com/x%3EBcc:%20b@example.com>", "List-Unsubscribe=One-Click")),
    ],
)  # fmt: skip
def test_the_way_out(setting: str, own: str, headers: tuple[str | None, str | None]) -> None:
    config = {"unsubscribe": setting} if setting else {}
    mail = read(notifier(**config).seal(message(unsubscribe=own)))
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == headers


# --- nothing gets into a header ----------------------------------------------------------------------------------------

NASTY = [
    "a\r\nBcc: victim@example.com", "a\nBcc: victim@example.com", "a\rBcc: victim@example.com", "a\0b", "a\u2028Bcc: x",
    "=?utf-8?q?a=0D=0ABcc:_victim@example.com?=", "=?utf-8?b?DQpCY2M6IHg=?=", "a\x0bb\x0cc", "\r\n\r\n<script>", "x" * 300, "é" * 150,
    "a" * 70 + "\r\n\tBcc: x", "\ud800",
]  # fmt: skip
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language",
    "MIME-Version", "Content-Type",
}  # fmt: skip


def assert_clean(content: bytes) -> EmailMessage:
    mail = read(content)
    assert set(mail.keys()) == HEADERS and not mail.defects
    assert mail["To"] == "anna@example.com" and "bcc" not in {k.lower() for k in mail}
    assert "\n" not in mail["Subject"] and "\r" not in mail["Subject"]
    return mail


@pytest.mark.parametrize("text", NASTY)
def test_no_header_comes_of_a_subject_or_a_name(text: str) -> None:
    try:
        content = notifier().seal(message(subject=text, documents=(Document(text[:40], text, "csv", b"a"),)))
    except NotifierError:  # a lone surrogate has no bytes
        assert text == "\ud800"
        return
    assert_clean(content)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=120))
def test_whatever_a_subject_holds_it_is_read_as_it_was_but_for_control_characters(text: str) -> None:
    mail = assert_clean(notifier().seal(message(subject=text)))
    wanted = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).replace("=?", "= ?")
    assert "".join(str(mail["Subject"]).split()) == "".join(wanted.split())


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@example.com", "anna@", "a b@example.com", "anna@example.com, b@example.com", "anna@example.com\r\nRCPT TO:<b@x.de>",
        "anna@example.com\n", "<anna@example.com>", "Anna <anna@example.com>", '"a"@example.com', "a..b@example.com", ".a@example.com",
        "anna@exam ple.com", "anna@-x.com", "anna@x..com", "a" * 65 + "@example.com", "anna@" + "x" * 64 + ".com", "anna@[127.0.0.1]",
        "anna@example.com\0", "anna@example.com> SIZE=1", "a@b@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address(address: str) -> None:
    assert "mail address" in EmailNotifier.check_recipient(address)
    with pytest.raises(NotifierError, match="mail address"):
        notifier().seal(message(recipient=address))
    with pytest.raises(NotifierError, match="mail address"):
        sent(notifier(), address, b"x")


@pytest.mark.parametrize("address", ["anna@example.com", "a.b+c@x-y.example.org", "zoé@example.com", "anna@bücher.example", "o'neil@example.com"])  # fmt: skip
def test_what_is_one(address: str) -> None:
    assert EmailNotifier.check_recipient(address) == ""
    to = str(read(notifier().seal(message(recipient=address)))["To"])
    assert to.encode(errors="surrogateescape").decode().partition("@")[0] == address.partition("@")[0]


# --- settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "setting", "told"),
    [
        ({"smtp": "mail.example.com"}, "smtp", "this is no address of a mail server"),
        ({"smtp": "http://x:hunter2@mail.example.com"}, "smtp", "this is no address of a mail server"),
        ({"smtp": "smtp://x:hunter2@mail.example.com:99999"}, "smtp", "this is no address of a mail server"),
        ({"smtp": "smtp://x:hunter2@mail.example.com/a"}, "smtp", "this is no address of a mail server"),
        ({"smtp": "smtp://hunter2@mail.example.com"}, "smtp", "wants a user and a password"),
        (
            {"smtp": "smtp://x:hunter2%0D%0AQUIT@mail.example.com"},
            "smtp",
            "this is no address of a mail server",
        ),
        ({"smtp": "smtps://mail.example.com", "tls": "none"}, "tls", "contradict each other"),
        ({"from": "nobody"}, "from", "'nobody' is no mail address"),
        ({"from": "A\r\nBcc: x <kpi@example.com>"}, "from", "has a name that no header can hold"),
        ({"reply_to": "x y@example.com"}, "reply_to", "is no mail address"),
    ],
)
def test_settings_that_cannot_work(config: dict[str, Any], setting: str, told: str) -> None:
    with pytest.raises(NotifierError) as caught:
        notifier(**{"smtp": "smtp://mail.example.com", **config})
    assert caught.value.setting == (setting,) and told in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint


# --- a real server -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def served(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def secured(served: ssl.SSLContext) -> dict[str, Any]:
    return {
        "tls_context": served,
        "require_starttls": True,
        "authenticator": authenticated,
        "auth_required": True,
    }


def test_starttls_and_a_password(served: ssl.SSLContext, ca_file: str) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, **secured(served)) as port:
        to = notifier(f"smtp://{USER}:{QUOTED}@127.0.0.1:{port}", tls="starttls", ca_file=ca_file)
        assert sent(to) == ("127.0.0.1 took it: 2.0.0 Ok: queued as 4ABC", 1)
    [(sender, recipients, content)] = mailbox.mails
    assert (sender, recipients, mailbox.tls) == ("kpi@example.com", ["anna@example.com"], [True])
    assert content == to.seal(message())  # dots at the start of lines and all


def test_tls_from_the_start(served: ssl.SSLContext, ca_file: str) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, implicit=served) as port:
        assert sent(notifier(f"smtps://127.0.0.1:{port}", ca_file=ca_file))[1] == 1
    assert len(mailbox.mails) == 1


def test_a_wrong_password_is_put_off_and_not_told(served: ssl.SSLContext, ca_file: str) -> None:
    with mail_server(Mailbox(), **secured(served)) as port:
        to = notifier(f"smtp://{USER}:hunter2hunter2@127.0.0.1:{port}", ca_file=ca_file)
        with pytest.raises(Deferred) as caught:
            sent(to)
    assert caught.value.message.startswith("127.0.0.1 refused user and password: 535")
    assert caught.value.setting == ("smtp",) and "hunter2" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for(scheme: str, served: ssl.SSLContext) -> None:
    mailbox = Mailbox()
    more: dict[str, Any] = {"implicit": served} if scheme == "smtps" else {"tls_context": served}
    with (
        mail_server(mailbox, **more) as port,
        pytest.raises(Deferred, match="its certificate does not hold") as caught,
    ):
        sent(notifier(f"{scheme}://127.0.0.1:{port}"))
    assert "ca_file" in caught.value.hint and mailbox.mails == []


def test_encryption_is_asked_for_where_the_server_is_not_here() -> None:
    assert notifier("smtp://mail.example.com")._config.tls == "starttls"
    assert notifier("smtp://localhost")._config.tls == "if offered"
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        with pytest.raises(Deferred, match=r"127\.0\.0\.1 offers no STARTTLS") as caught:
            sent(notifier(f"smtp://127.0.0.1:{port}", tls="starttls"))
        assert "tls: none" in caught.value.hint
        assert sent(notifier(f"smtp+plain://127.0.0.1:{port}"))[1] == 1
        assert sent(notifier(f"smtp://127.0.0.1:{port}"))[1] == 1
        with pytest.raises(Deferred, match="takes no passwords on this connection"):
            sent(notifier(f"smtp://{USER}:{QUOTED}@127.0.0.1:{port}"))
    assert len(mailbox.mails) == 2


def test_one_recipient_of_three_is_refused_and_the_others_are_not_touched() -> None:
    mailbox = Mailbox({"b@example.com": "550 5.1.1 no such user", "c@example.com": "451 4.7.1 greylisted"})
    with mail_server(mailbox) as port:
        to = notifier(f"smtp://127.0.0.1:{port}")
        assert sent(to, "a@example.com")[1] == 1
        with pytest.raises(
            NotifierError, match=r"the recipient was refused: 550 5\.1\.1 no such user"
        ) as caught:
            sent(to, "b@example.com")
        assert not isinstance(caught.value, Deferred)
        with pytest.raises(Deferred, match=r"451 4\.7\.1 greylisted"):
            sent(to, "c@example.com")
        assert sent(to, "d@example.com")[1] == 1
    assert [recipients for _, recipients, _ in mailbox.mails] == [["a@example.com"], ["d@example.com"]]


def test_addresses_beyond_ascii() -> None:
    mailbox = Mailbox()
    with (
        mail_server(mailbox, enable_SMTPUTF8=False) as port,
        pytest.raises(NotifierError, match="no addresses beyond ASCII"),
    ):
        sent(notifier(f"smtp://127.0.0.1:{port}"), "zoé@example.com")
    with mail_server(mailbox, enable_SMTPUTF8=True) as port:
        sent(notifier(f"smtp://127.0.0.1:{port}"), "zoé@example.com")
        sent(notifier(f"smtp://127.0.0.1:{port}"), "anna@bücher.example")
    assert [recipients for _, recipients, _ in mailbox.mails] == [
        ["zoé@example.com"],
        ["anna@xn--bcher-kva.example"],
    ]
    assert ["SMTPUTF8" in options for options in mailbox.options] == [True, False]


def test_a_mail_that_is_too_large_is_told_before_it_is_sent() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, data_size_limit=1000) as port, pytest.raises(NotifierError, match="the server takes 1 000") as caught:  # fmt: skip
        sent(notifier(f"smtp://127.0.0.1:{port}"), content=b"x" * 2000)
    assert not isinstance(caught.value, Deferred) and mailbox.mails == []


# --- one that misbehaves -------------------------------------------------------------------------------------------------

LATER, NEVER, NOBODY_KNOWS = Deferred, NotifierError, Unknown
FAULTS: dict[str, tuple[dict[str, str], type[Exception], str, int]] = {
    # steps → what it means, what is said, how often it was said to begin
    "turned away at the door": ({"connect": "554 no"}, LATER, "turns everybody away: 554 no", 0),
    "not now": ({"connect": "421 busy"}, LATER, "turns everybody away: 421 busy", 0),
    "closed at the door": ({"connect": "drop"}, LATER, "", 0),
    "silent at the door": ({"connect": "hang"}, LATER, "no answer within 1 s", 0),
    "EHLO refused": ({"EHLO": "550 no", "HELO": "550 no"}, LATER, "EHLO was refused: 550 no", 0),
    "closed at EHLO": ({"EHLO": "drop"}, LATER, "", 0),
    "MAIL put off": ({"MAIL": "451 later"}, LATER, "the sender was refused: 451 later", 0),
    "MAIL refused": ({"MAIL": "550 not you"}, NEVER, "the sender was refused: 550 not you", 0),
    "closed at MAIL": ({"MAIL": "drop"}, LATER, "", 0),
    "RCPT put off": ({"RCPT": "450 full"}, LATER, "the recipient was refused: 450 full", 0),
    "RCPT refused": ({"RCPT": "550 unknown"}, NEVER, "the recipient was refused: 550 unknown", 0),
    "closed at RCPT": ({"RCPT": "drop"}, LATER, "", 0),
    "silent at RCPT": ({"RCPT": "hang"}, LATER, "no answer within 1 s", 0),
    "DATA put off": ({"DATA": "451 later"}, LATER, "the mail was refused: 451 later", 0),
    "DATA refused": ({"DATA": "554 no"}, NEVER, "the mail was refused: 554 no", 0),
    "closed before DATA": ({"DATA": "drop"}, LATER, "", 0),
    "silent at DATA": ({"DATA": "hang"}, LATER, "no answer within 1 s", 0),
    "the mail put off": ({"end": "452 no room"}, LATER, "the mail was refused: 452 no room", 1),
    "the mail refused": ({"end": "554 spam"}, NEVER, "the mail was refused: 554 spam", 1),
    "closed after the mail": ({"end": "drop"}, NOBODY_KNOWS, "after all of the mail had gone out", 1),
    "silent after the mail": ({"end": "hang"}, NOBODY_KNOWS, "after all of the mail had gone out", 1),
    "nonsense after the mail": ({"end": "okay then"}, NOBODY_KNOWS, "an answer that means nothing", 1),
    "another question after the mail": ({"end": "354 go on"}, NOBODY_KNOWS, "an answer that means nothing", 1),
    "nonsense": ({"RCPT": "999 ?"}, LATER, "999", 0),
    "a long answer": ({"RCPT": "550 " + "x" * 5000}, NEVER, "x" * 250, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_what_comes_of_it(case: str) -> None:
    steps, kind, told, times = FAULTS[case]
    begun: list[None] = []
    with bad_server(Script(steps)) as port:
        to = notifier(f"smtp://127.0.0.1:{port}", timeout=1 if case.startswith("silent") else 30)
        with pytest.raises(NotifierError) as caught:
            to.send(to.seal(message()), "anna@example.com", lambda: begun.append(None))
    assert type(caught.value) is kind
    assert told in caught.value.message and len(caught.value.message) < 400 and len(begun) == times


def test_any_answer_that_begins_with_a_two_is_a_yes() -> None:
    with bad_server(Script({"end": "251 forwarded"})) as port:
        to = notifier(f"smtp://127.0.0.1:{port}")
        assert to.send(to.seal(message()), "anna@example.com", lambda: None) == "127.0.0.1 took it: forwarded"


def test_a_connection_lost_in_the_middle_of_a_large_mail_is_put_off() -> None:
    """A server must not take half a mail, so it can be sent again."""
    begun: list[None] = []
    with bad_server(Script({"mail": "half"})) as port:
        to = notifier(f"smtp://127.0.0.1:{port}")
        large = to.seal(message(documents=(Document("x", "x", "pdf", b"x" * 30_000_000),)))
        with pytest.raises(NotifierError) as caught:
            to.send(large, "anna@example.com", lambda: begun.append(None))
    assert type(caught.value) is Deferred and len(begun) == 1


@pytest.mark.parametrize(
    ("step", "kind"), [("connect", Deferred), ("EHLO", Deferred), ("RCPT", Deferred), ("end", Unknown)]
)
def test_an_answer_without_end_is_not_waited_for(
    step: str, kind: type[NotifierError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer times out, as something comes all the time."""
    monkeypatch.setattr(patience, "WHOLE", 0.3)
    with bad_server(Script({step: "drip"})) as port, pytest.raises(NotifierError) as caught:
        sent(notifier(f"smtp://127.0.0.1:{port}"))
    assert type(caught.value) is kind


def test_who_begins_may_stop_it() -> None:
    script = Script({})

    def begin() -> None:
        raise InterruptedError("the lease is gone")

    with bad_server(script) as port, pytest.raises(InterruptedError):
        notifier(f"smtp://127.0.0.1:{port}").send(b"a: b\r\n\r\nx", "anna@example.com", begin)
    assert script.mail == b"" and script.heard[-1] == "DATA"


def test_a_server_that_answers_and_then_does_not_say_goodbye_has_the_mail() -> None:
    script = Script({"QUIT": "drop"})
    with bad_server(script) as port:
        assert (
            sent(notifier(f"smtp://127.0.0.1:{port}"), content=b"a: b\n\n.x")[0]
            == "127.0.0.1 took it: took it"
        )
    assert script.mail == b"a: b\r\n\r\n..x\r\n"


def test_a_server_that_repeats_the_password_does_not_get_it_into_a_message() -> None:
    steps = {
        "EHLO": "250-here\r\n250 AUTH PLAIN LOGIN",
        "AUTH": f"535 {PASSWORD} AGtwaQBjb3JyZWN0IGhvcnNlL2JhdHRlcnk= is wrong",
    }
    with bad_server(Script(steps)) as port, pytest.raises(Deferred) as caught:
        sent(notifier(f"smtp://{USER}:{QUOTED}@127.0.0.1:{port}"))
    assert caught.value.message == "127.0.0.1 refused user and password: 535 *** *** is wrong"


def test_a_host_that_there_is_not() -> None:
    with pytest.raises(Deferred, match=r"nothing\.invalid"):
        sent(notifier("smtp://nothing.invalid"))
    with pytest.raises(Deferred, match="Connection refused"):
        sent(notifier("smtp://127.0.0.1:9"))
