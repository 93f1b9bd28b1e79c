"""``cadran send``: reports that somebody wants sent now, and what would be sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn

import pytest

from cli.user import KPIS, Done, call, project
from delivery.mailserver import serving

AS_OF = ("--as-of", "2026-07-01")
CHANNELS = """\
channels:
  mail: {notifier: email, smtp: "%s", from: kpi@example.com, timeout: 2}
  hook: {notifier: webhook, url: "http://127.0.0.1:9/", allow_private: true}
  site: {notifier: file, path: site}
"""


def written(tmp_path: Path, port: int, to: str = "{channel: mail, to: [ana@example.com, ben@example.com]}", owner: str = "") -> Path:  # fmt: skip
    text = KPIS.replace("period: last month}", f"period: last month{owner}, to: [{to}]}}")
    text += "  bare: {title: Bare, kpis: [revenue]}\n"
    return project(tmp_path, text + CHANNELS % f"smtp+plain://127.0.0.1:{port}")


def send(folder: Path, *more: str) -> Done:
    return call(folder, "send", "monthly", *AS_OF, *more)


def deliveries(folder: Path) -> list[tuple[str, str]]:
    rows = call(folder, "outbox", "list", "--all", "--format", "json").json()
    return sorted((row["recipient"], row["state"]) for row in rows)


def test_a_report_goes_to_everybody_it_names_once(tmp_path: Path) -> None:
    with serving() as office:
        folder = written(tmp_path, office.port)
        done = send(folder)
        assert done.code == 0, done.all
        assert [line.split(":")[0] for line in done.out.splitlines()] == ["mail, ana@example.com", "mail, ben@example.com"]  # fmt: skip
        again = send(folder)
        assert again.code == 0
        assert "was asked for before; --again sends it anew" in again.err
        assert {name: len(got) for name, got in office.by_recipient().items()} == {"ana@example.com": 1, "ben@example.com": 1}  # fmt: skip
        send(folder, "--again")
        assert [len(got) for got in office.by_recipient().values()] == [2, 2]
    assert deliveries(folder) == [("ana@example.com", "sent")] * 2 + [("ben@example.com", "sent")] * 2


def test_a_call_that_failed_half_way_is_repeated(tmp_path: Path) -> None:
    with serving(lambda step, to: "450 later" if step == "rcpt" and to.startswith("ben") else "") as office:
        folder = written(tmp_path, office.port)
        done = send(folder)
        assert done.code == 2
        assert "mail, ben@example.com: not sent yet, " in done.err
        assert deliveries(folder) == [("ana@example.com", "sent"), ("ben@example.com", "retry")]


def test_what_is_unknown_waits_for_a_person_and_then_goes_with_the_next_run(tmp_path: Path) -> None:
    with serving(lambda step, _: "drop" if step == "dot" else "") as office:
        folder = written(tmp_path, office.port, "{channel: mail, to: [ana@example.com]}")
        done = send(folder)
        assert done.code == 2
        assert "mail, ana@example.com: may have arrived, " in done.err
        office.fault = lambda _, __: ""
        assert call(folder, "run", "--due").code == 0
        assert send(folder).code == 2
        assert office.taken == []
        assert call(folder, "outbox", "retry", "--unknown").code == 0
        done = call(folder, "run", "--due")
        assert (done.code, done.out) == (0, "outbox: 1 sent\n")
        assert len(office.to("ana@example.com")) == 1
    assert deliveries(folder) == [("ana@example.com", "sent")]


def test_what_would_be_sent_is_what_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as office:
        folder = written(
            tmp_path, office.port, "site, hook, {channel: mail, to: [ana@example.com, '{{ owner }}']}"
        )
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", forbidden)
            patch.setattr(socket, "create_connection", forbidden)
            done = send(folder, "--dry-run", str(tmp_path / "dry"))
        assert done.code == 0, done.all
        assert not (folder / ".cadran" / "state.db").exists()
        assert not (folder / "site").exists()
        assert "report 'monthly', mail: skipped, there is no address for it" in done.all
        files = {path.name: path.read_bytes() for path in (tmp_path / "dry").iterdir()}
        assert files.keys() == {"monthly--site.zip", "monthly--hook.json", "monthly--mail--ana@example.com.eml"}  # fmt: skip
        send(folder)
        assert office.to("ana@example.com") == [files["monthly--mail--ana@example.com.eml"]]
        for row in call(folder, "outbox", "list", "--all", "--format", "json").json():
            if row["state"] != "skipped":
                sealed = call(folder, "outbox", "show", row["key"], "--content").raw
                assert sealed in files.values()
    assert (folder / "site" / "monthly.html").exists()


def forbidden(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a dry run opens no connection")


def test_to_another_address(tmp_path: Path) -> None:
    with serving() as office:
        folder = written(tmp_path, office.port)
        assert send(folder).code == 0
        assert send(folder, "--to", "eve@example.com").code == 0
        assert send(folder, "--to", "eve@example.com").code == 0
        assert {name: len(got) for name, got in office.by_recipient().items()} == {
            "ana@example.com": 1, "ben@example.com": 1, "eve@example.com": 1,
        }  # fmt: skip
        done = call(folder, "send", "bare", *AS_OF, "--to", "eve@example.com")
        assert done.code == 0, done.all
        assert len(office.to("eve@example.com")) == 2


def test_old_data_is_said_to_be_old(tmp_path: Path) -> None:
    folder = written(
        tmp_path, 9, "{channel: mail, to: [ana@example.com]}", ", ready: {max_age: 26h, else: skip}"
    )
    assert send(folder, "--dry-run", str(tmp_path / "dry")).code == 0
    [mail] = (tmp_path / "dry").iterdir()
    assert b"the newest row of orders is of June 2, 2026" in mail.read_bytes().replace(b"=\r\n", b"")


def test_one_report_for_each_value_of_a_segment(tmp_path: Path) -> None:
    folder = written(tmp_path, 9, '{channel: mail, to: ["{{ shop }}", boss@example.com]}')
    text = (folder / "kpis.yaml").read_text()
    per = "per: {segment: shop, addresses: {north: n@example.com}}, to: [{channel: mail"
    (folder / "kpis.yaml").write_text(text.replace("to: [{channel: mail", per))
    done = send(folder, "--dry-run", str(tmp_path / "dry"))
    assert done.code == 0, done.all
    names = [path.name.split("--")[2] for path in (tmp_path / "dry").iterdir()]
    assert sorted(names) == [*["boss@example.com"] * 3, "n@example.com.eml"], "no file stands for two values"
    assert "mail, south: skipped, 'south' " in done.all


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["monthli"], "no report 'monthli'; did you mean 'monthly'?"),
        (["bare"], "report 'bare' is sent nowhere"),
        (["monthly", "--again", "--dry-run", "x"], "--again and --dry-run exclude each other"),
        ([], "REPORT"),
    ],
)
def test_what_cannot_be_sent(tmp_path: Path, arguments: list[str], said: str) -> None:
    folder = written(tmp_path, 9)
    done = call(folder, "send", *arguments)
    assert done.code == 2
    assert said in done.err


def test_the_owner_hears_of_an_address_that_is_refused(tmp_path: Path) -> None:
    def refuses(step: str, to: str) -> str:
        return "550 no such user" if step == "rcpt" and to.startswith("ben") else ""

    with serving() as other, serving(refuses) as office:
        folder = written(tmp_path, office.port, owner=", owner: ana@example.com")
        text = (folder / "kpis.yaml").read_text()
        text += f'  spare: {{notifier: email, smtp: "smtp+plain://127.0.0.1:{other.port}", from: kpi@example.com}}\n'  # fmt: skip
        text += 'deliveries: {failures: [{channel: spare, to: ["{{ owner }}"]}]}\n'
        (folder / "kpis.yaml").write_text(text)
        done = send(folder)
        assert done.code == 2
        assert "mail, ben@example.com: not delivered, 127.0.0.1: the recipient was refused: 550" in done.err
        assert [name for name, _ in other.taken] == ["ana@example.com"]
    expected = [("ana@example.com", "sent"), ("ana@example.com", "sent"), ("ben@example.com", "failed")]
    assert deliveries(folder) == expected, "the report, the word of its failure, and that failure"


def test_to_somebody_who_cannot_be(tmp_path: Path) -> None:
    folder = written(tmp_path, 1, "{channel: mail, to: [ana@example.com]}")
    done = send(folder, "--to", "toto")
    assert (done.code, "--to: 'toto' " in done.all) == (2, True), done.all
    assert not (folder / ".cadran" / "state.db").exists()
