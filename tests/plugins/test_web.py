"""``webhook``, ``slack`` and ``teams``: what is posted and signed, where a post may go, what comes of every answer."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from cadran.plugins import Deferred, Message, Notifier, NotifierContext, NotifierError, Unknown
from cadran_plugins import patience, posting
from cadran_plugins.slack import SlackNotifier
from cadran_plugins.teams import TeamsNotifier
from cadran_plugins.webhook import WebhookNotifier

from .web_servers import Answer, Site, proxy, web_server

KEY = "0123456789abcdef" * 4
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
MOMENT = dt.datetime(2026, 3, 9, 7, 0, tzinfo=dt.UTC)


def webhook(url: str, **config: Any) -> WebhookNotifier:
    whole = {"url": url, "allow_private": True, "timeout": 5, **config}
    return WebhookNotifier(NotifierContext("hook", whole, Path()))


def slack(url: str = "https://hooks.slack.com/services/T0/B0/s3cr3t", **config: Any) -> SlackNotifier:
    return SlackNotifier(NotifierContext("chat", {"webhook": url, **config}, Path()))


def teams(url: str = "https://example.com/x", **config: Any) -> TeamsNotifier:
    return TeamsNotifier(NotifierContext("chat", {"webhook": url, **config}, Path()))


def message(**changes: Any) -> Message:
    settings: dict[str, Any] = {
        "data": {"value": "0.10", "label": "été"},
        "link": "https://kpi.example.com/week.html",
    }
    return Message(KEY, "report", MOMENT, **{"subject": "The week", **settings, **changes})


def sent(to: Notifier, content: bytes = b"{}") -> tuple[str, int]:
    begun: list[None] = []
    where = to.send(content, "", lambda: begun.append(None))
    return where, len(begun)


# --- what is posted ------------------------------------------------------------------------------------------------------


def test_a_receiver_can_verify_it_as_standard_webhooks_says() -> None:
    site = Site()
    with web_server(site) as port:
        to = webhook(f"http://127.0.0.1:{port}/in?a=b", secret=SECRET)
        for _ in range(2):
            assert sent(to, to.seal(message())) == ("127.0.0.1 answered 200: ok", 1)
    for path, headers, body in site.asked:
        number, moment, signatures = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        signed = f"{number}.{moment}.".encode() + body
        wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert path == "/in?a=b" and signatures.split() == [f"v1,{wanted}"]
        assert number == KEY and abs(int(moment) - time.time()) < 300
        assert headers["content-type"] == "application/json" and headers["host"].startswith("127.0.0.1:")
        assert json.loads(body) == {
            "id": KEY, "type": "cadran.report", "time": "2026-03-09T07:00:00+00:00", "subject": "The week", "locale": "en",
            "link": "https://kpi.example.com/week.html", "data": {"value": "0.10", "label": "été"},
        }  # fmt: skip
    assert site.asked[0][2] == site.asked[1][2]


def test_a_plain_secret_is_its_own_bytes_and_none_signs_nothing() -> None:
    site = Site()
    with web_server(site) as port:
        sent(webhook(f"http://127.0.0.1:{port}/", secret="sixteen letters!"), b'{"id": "x"}')
        sent(webhook(f"http://127.0.0.1:{port}/"), b'{"id": "x"}')
    first, second = (headers for _, headers, _ in site.asked)
    signed = f"x.{first['webhook-timestamp']}.".encode() + b'{"id": "x"}'
    digest = hmac.new(b"sixteen letters!", signed, hashlib.sha256).digest()
    assert first["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert "webhook-signature" not in second


def test_slack_gets_blocks_of_the_length_that_it_takes() -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 4000}}
    header = {"type": "header", "text": {"type": "plain_text", "text": "y" * 200}}
    content = slack().seal(
        message(subject="<!channel> & co", parts={"blocks": json.dumps([header] + [section] * 60)})
    )
    body = json.loads(content)
    assert body["text"] == "&lt;!channel&gt; &amp; co" and len(body["blocks"]) == 50
    assert [len(block["text"]["text"]) for block in body["blocks"][:2]] == [150, 3000]
    assert b"s3cr3t" not in content


@pytest.mark.parametrize("blocks", ["[", "{}", "3", '[{"a": "}]'])
def test_a_template_that_gives_no_blocks(blocks: str) -> None:
    with pytest.raises(NotifierError, match=r"the template slack/report.json.jinja"):
        slack().seal(message(parts={"blocks": blocks}))


def test_teams_gets_a_card_that_fits() -> None:
    body = [{"type": "TextBlock", "text": "x" * 500}] * 200
    content = teams().seal(message(parts={"card": json.dumps({"type": "AdaptiveCard", "body": body})}))
    [attachment] = json.loads(content)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"][-1]["text"] == "…" and 20_000 < len(content) < 28_000
    with pytest.raises(NotifierError, match="must give a card with a body"):
        teams().seal(message(parts={"card": "[]"}))


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        (SlackNotifier, "<!here> & <https://x|y>", "&lt;!here&gt; &amp; &lt;https://x|y&gt;"),
        (TeamsNotifier, "[a](https://x) *b* _c_\n# d", r"\[a\](https://x) \*b\* \_c\_ # d"),
        (WebhookNotifier, "<!here>", "<!here>"),
    ],
)
def test_names_of_the_data_ring_nobody_and_lead_nowhere(
    kind: type[Notifier], text: str, literal: str
) -> None:
    assert kind.literal(text) == literal


# --- what comes of an answer -----------------------------------------------------------------------------------------------

ANSWERS: dict[str, tuple[Answer, type[Exception] | None, str, float | None]] = {
    "accepted": (Answer(202, body=b""), None, "127.0.0.1 answered 202", None),
    "slow down": (Answer(429, {"Retry-After": "17"}), Deferred, "answered 429: ok", 17.0),
    "back at a time": (
        Answer(503, {"Retry-After": "Mon, 09 Mar 2026 07:01:30 GMT", "Date": "Mon, 09 Mar 2026 07:00:00 GMT"}), Deferred, "answered 503", 90.0,
    ),
    "back some time ago": (
        Answer(503, {"Retry-After": "Mon, 09 Mar 2026 06:00:00 GMT", "Date": "Mon, 09 Mar 2026 07:00:00 GMT"}), Deferred, "answered 503", 0.0,
    ),
    "back in years": (Answer(503, {"Retry-After": "999999999"}), Deferred, "answered 503", 86_400.0),
    "back sometime": (Answer(503, {"Retry-After": "soon"}), Deferred, "answered 503", None),
    "broken": (Answer(500, body=b"oh\n\x1b[31m no"), Deferred, "answered 500: oh [31m no", None),
    "timed out there": (Answer(408), Deferred, "answered 408", None),
    "not understood": (Answer(400, body=b"invalid_payload"), NotifierError, "answered 400: invalid_payload", None),
    "gone": (Answer(404, body=b"no_team"), NotifierError, "answered 404: no_team", None),
    "moved elsewhere": (Answer(307, {"Location": "http://169.254.169.254/x"}), NotifierError, "sends on to another place", None),
    "moved to another port": (Answer(308, {"Location": "http://127.0.0.1:1/x"}), NotifierError, "sends on to another place", None),
    "moved to nowhere": (Answer(307), NotifierError, "sends on to another place", None),
    "moved as a GET": (Answer(302, {"Location": "/other"}), NotifierError, "sends on to another place", None),
    "moved in circles": (Answer(307, {"Location": "/in"}), NotifierError, "from one address to the next", None),
    "moved within": (Answer(307, {"Location": "/there"}), None, "127.0.0.1 answered 200: ok", None),
    "a long answer": (Answer(400, body=b"z" * 5_000_000), NotifierError, "z" * 199 + "…", None),
    "an answer without end": (Answer(200, fault="drip"), None, "127.0.0.1 answered 200: ok", None),
    "lost after all was sent": (Answer(fault="drop"), Unknown, "after all had gone out", None),
    "silent after all was sent": (Answer(fault="hang"), Unknown, "no answer within 1 s, after all had gone out", None),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_what_comes_of_it(case: str) -> None:
    answer, kind, told, seconds = ANSWERS[case]
    begun: list[None] = []
    site = Site({"/in": answer})
    with web_server(site) as port:
        to = webhook(f"http://127.0.0.1:{port}/in", timeout=1 if answer.fault in ("hang", "drip") else 30)
        if kind is None:
            assert to.send(b'{"id": ""}', "", lambda: begun.append(None)).startswith(told)
        else:
            with pytest.raises(NotifierError) as caught:
                to.send(b'{"id": ""}', "", lambda: begun.append(None))
            assert type(caught.value) is kind and told in caught.value.message
            assert getattr(caught.value, "seconds", None) == seconds and len(caught.value.message) < 400
    assert len(begun) == 1


def test_what_is_lost_before_all_was_sent_is_put_off() -> None:
    with web_server(Site({"/in": Answer(fault="early")})) as port:
        to = webhook(f"http://127.0.0.1:{port}/in")
        with pytest.raises(Deferred, match=r"127\.0\.0\.1: the connection was lost"):
            sent(to, b'{"id": "", "x": "' + b"x" * 30_000_000 + b'"}')
    with pytest.raises(Deferred, match=r"127\.0\.0\.1: no connection"):
        sent(webhook(f"http://127.0.0.1:{free_port()}/"), b'{"id": ""}')


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_head_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WHOLE", 0.3)
    with (
        web_server(Site({"/in": Answer(fault="slow")})) as port,
        pytest.raises(Unknown, match="after all had gone out"),
    ):
        sent(webhook(f"http://127.0.0.1:{port}/in"), b'{"id": ""}')


def test_who_begins_may_stop_it() -> None:
    def begin() -> None:
        raise InterruptedError("the lease is gone")

    site = Site()
    with web_server(site) as port, pytest.raises(InterruptedError):
        webhook(f"http://127.0.0.1:{port}/").send(b'{"id": ""}', "", begin)
    assert site.asked == []


# --- where a post may go -----------------------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
    "2002:a00:1::", "ff02::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_the_own_network_is_closed(address: str) -> None:
    assert not posting.is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(NotifierError, match="lies in the own network"):
        sent(webhook(f"https://{host}/x", allow_private=False), b'{"id": ""}')


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"]
)
def test_the_internet_is_open(address: str) -> None:
    assert posting.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_ways_to_write_an_address_lead_to_the_same(host: str) -> None:
    with pytest.raises((NotifierError, Deferred), match=r"own network|no host"):
        sent(webhook(f"https://{host}/x", allow_private=False), b'{"id": ""}')


def looked_up(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Lets names lead to these addresses, one answer after the other."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(posting.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_leads_to_one_machine_of_the_own_network_among_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(NotifierError, match=r"hooks\.example\.com lies in the own network"):
        sent(webhook("https://hooks.example.com/x", allow_private=False), b'{"id": ""}')


def test_a_name_that_changes_its_address_leads_to_the_one_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The server's certificate is for the name, the connection goes to the address: TLS holds the two together."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(context)
    site = Site()
    with web_server(site, context) as port:
        real = socket.getaddrinfo
        names: list[str] = []

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            names.append(str(host))
            return real(
                "127.0.0.1"
                if host == "hooks.example.com" and names.count("hooks.example.com") == 1
                else host,
                *args,
                **kwargs,
            )

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        to = webhook(f"https://hooks.example.com:{port}/in", ca_file=str(tmp_path / "ca.pem"))
        assert sent(to, b'{"id": ""}') == ("hooks.example.com answered 200: ok", 1)
        assert names.count("hooks.example.com") == 1
        with pytest.raises(Deferred, match="its certificate does not hold"):
            sent(webhook(f"https://127.0.0.1:{port}/in", ca_file=str(tmp_path / "ca.pem")), b'{"id": ""}')
        with pytest.raises(Deferred, match="its certificate does not hold"):
            sent(webhook(f"https://127.0.0.1:{port}/in"), b'{"id": ""}')
    [(_, headers, _)] = site.asked
    assert headers["host"] == f"hooks.example.com:{port}"


def test_a_proxy_looks_names_up_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(context)
    site, asked = Site(), list[str]()
    with web_server(site, context) as port, proxy(asked) as through:
        config = {"ca_file": str(tmp_path / "ca.pem"), "allow_private": False}
        to = webhook(f"https://hooks.example.com:{port}/in", proxy=f"http://127.0.0.1:{through}", **config)
        assert sent(to, b'{"id": ""}') == ("hooks.example.com answered 200: ok", 1)
        # One of the environment is not used: it would look names up again.
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{through}")
        with pytest.raises((Deferred, NotifierError)):
            sent(webhook(f"https://hooks.invalid:{port}/in", **config), b'{"id": ""}')
    assert asked == [f"hooks.example.com:{port}"] and len(site.asked) == 1


def test_what_breaks_behind_a_proxy_before_the_request_is_put_off() -> None:
    begun: list[None] = []
    with proxy([], breaks=True) as through:
        to = webhook("https://hooks.example.com/in", proxy=f"http://127.0.0.1:{through}")
        with pytest.raises(NotifierError) as caught:
            to.send(b'{"id": ""}', "", lambda: begun.append(None))
    assert type(caught.value) is Deferred and begun == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hooks.example.com/x", "an address without TLS"),
        ("ftp://hooks.example.com/x", "this is no web address"),
        ("https:///x", "this is no web address"),
        ("https://u:hunter2@hooks.example.com/x", "this is no web address"),
        ("https://hooks.example.com/x\r\nX: y", "this is no web address"),
        ("https://hooks.example.com:99999/x", "this is no web address"),
        ("hooks.example.com/x", "this is no web address"),
    ],
)
def test_addresses_that_cannot_be(url: str, told: str) -> None:
    with pytest.raises(NotifierError, match=told) as caught:
        slack(url)
    assert caught.value.setting == ("webhook",) and "hunter2" not in str(caught.value)


def test_a_proxy_that_cannot_be() -> None:
    with pytest.raises(NotifierError, match="this is no address of a proxy") as caught:
        slack(proxy="http://user:hunter2@proxy.example.com:port")
    assert caught.value.setting == ("proxy",) and "hunter2" not in str(caught.value)


@pytest.mark.parametrize("answer", [Answer(404, body=b"no hook at /services/T0/B0/s3cr3t"), Answer(fault="drop"), Answer(307, {"Location": "//x/"})])  # fmt: skip
def test_the_address_of_a_chat_is_in_no_message(answer: Answer) -> None:
    path = "/services/T0/B0/s3cr3t"
    with web_server(Site({path: answer})) as port, pytest.raises(NotifierError) as caught:
        sent(slack(f"http://127.0.0.1:{port}{path}", allow_private=True))
    told = "".join(map(str, (caught.value.message, caught.value.hint, caught.value.args)))
    assert "s3cr3t" not in told and "T0" not in told


def test_a_secret_that_cannot_be_read() -> None:
    with pytest.raises(NotifierError, match="the secret cannot be read") as caught:
        webhook("https://example.com/x", secret="whsec_not base64 at all")
    assert caught.value.setting == ("secret",)
