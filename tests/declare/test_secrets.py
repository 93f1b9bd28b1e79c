"""``${scheme:reference}``: where secrets may lie, what is said where they cannot be had, and that nobody sees them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.declare.load import load
from cadran.declare.model import Declaration
from cadran.plugins import SecretError, SecretResolver
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem

PROJECT = "version: 1\nsources:\n  shop: {connector: sql, url: '%s'}\n"


class Vault(SecretResolver):
    """Knows one secret, and may fail in every way."""

    asked: list[str] = []  # noqa: RUF012

    def resolve(self, reference: str) -> str:
        self.asked.append(reference)
        match reference:
            case "shop/password":
                return "correct-horse"
            case "locked":
                raise SecretError("the vault is locked", hint="unlock it")
            case "raises":
                raise ValueError("could not decode correct-horse")
            case "number":
                return 3  # type: ignore[return-value]
        raise SecretError(f"the vault has no '{reference}'")


class Plugins(PluginManager):
    def secret(self, scheme: str) -> type[SecretResolver] | Problem:
        return Vault if scheme == "vault" else super().secret(scheme)


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    Vault.asked.clear()


def read(folder: Path, value: str, text: str = PROJECT) -> tuple[Declaration | None, list[str]]:
    (folder / "kpis.yaml").write_text(text % value)
    environ = {"HOME": "/home/ann", "file": "from the environment"}
    declaration, problems = load(folder / "kpis.yaml", environ=environ, plugins=Plugins(environ))
    return declaration, [f"{p.where}: {p.message}; {p.hint}".rstrip("; ") for p in problems]


def url(folder: Path, value: str) -> str:
    declaration, problems = read(folder, value)
    assert problems == [] and declaration is not None
    return str(declaration.sources["shop"].config["url"])


def kept(path: Path, content: str | bytes = "correct-horse\n", mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("correct-horse", "correct-horse"),
        ("correct-horse\n", "correct-horse"),
        ("correct-horse\r\n", "correct-horse"),
        ("correct-horse\n\n", "correct-horse\n"),  # one line break is an editor's, two are somebody's
        (" ü \n", " ü "),
        ("\ufeffcorrect", "correct"),
    ],
)
def test_a_file(content: str, value: str, tmp_path: Path) -> None:
    kept(tmp_path / "secrets" / "shop", content)
    assert url(tmp_path, "x://ann:${file:secrets/shop}@h/d") == f"x://ann:{value}@h/d"
    assert url(tmp_path, f"${{file:{tmp_path}/secrets/shop}}") == value


def test_a_file_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    kept(tmp_path / "more" / "shop")
    (tmp_path / "more" / "sources.yaml").write_text(
        "sources:\n  shop: {connector: sql, url: '${file:shop}'}\n"
    )
    declaration, problems = read(tmp_path, "more/sources.yaml", "version: 1\ninclude: %s\n")
    assert problems == [] and declaration is not None
    assert declaration.sources["shop"].config["url"] == "correct-horse"


WRONG_FILES = {
    "none": "there is no file 'none'; paths are relative to the file that names them",
    "/no/where": "there is no file '/no/where'",
    "folder": "'folder' is a folder, not a file; name the file in it",
    "empty": "the file 'empty' is empty; write the secret into it",
    "break": "the file 'break' is empty; write the secret into it",
    "large": "the file 'large' is larger than 64 KB; a file of a secret holds that and nothing else",
    "latin": "the file 'latin' is not UTF-8 text; write the secret as text",
    "open": "everybody on this machine may read the file 'open'; chmod 600 open",
    "writable": "everybody on this machine may change the file 'writable'; chmod 600 writable",
    "a\0b": "the file 'a\0b' cannot be read: its name cannot be one",
}


@pytest.mark.parametrize("name", [n for n in WRONG_FILES if "\0" not in n])
def test_a_file_that_cannot_be_used(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    kept(tmp_path / "empty", "")
    kept(tmp_path / "break", "\n")
    kept(tmp_path / "large", "x" * 70_000)
    kept(tmp_path / "latin", b"\xe9t\xe9")
    kept(tmp_path / "open", mode=0o644)
    kept(tmp_path / "writable", mode=0o602)
    _, problems = read(tmp_path, f"x${{file:{name}}}")
    assert problems == [f"kpis.yaml:3:33: {WRONG_FILES[name]}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    kept(tmp_path / "shut", mode=0o000)
    _, problems = read(tmp_path, "x${file:shut}")
    assert problems[0].startswith("kpis.yaml:3:33: the file 'shut' cannot be read: Permission denied")


def test_containers_put_secrets_where_all_of_the_container_may_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cadran.declare import resolvers

    monkeypatch.setattr(resolvers, "_MOUNTED", (tmp_path / "run",))
    kept(tmp_path / "run" / "shop", mode=0o444)
    assert url(tmp_path, "${file:run/shop}") == "correct-horse"
    kept(tmp_path / "run" / "loose", mode=0o666)
    assert "may change the file 'run/loose'" in read(tmp_path, "${file:run/loose}")[1][0]


# --- resolvers ----------------------------------------------------------------------------------------------------------


def test_a_resolver_is_asked_once_for_each_reference(tmp_path: Path) -> None:
    both = "version: 1\nsources:\n  a: {connector: sql, url: '%s'}\n  b: {connector: sql, url: 'x${vault:shop/password}'}\n"
    declaration, problems = read(tmp_path, "${vault:shop/password}${vault:shop/password}", both)
    assert problems == [] and declaration is not None
    assert declaration.sources["b"].config["url"] == "xcorrect-horse"
    assert Vault.asked == ["shop/password"]
    assert declaration.secrets == {"correct-horse"}


def test_what_is_no_value_is_not_asked_for(tmp_path: Path) -> None:
    read(tmp_path, "$${vault:shop/password}", PROJECT + "# ${vault:shop/password}\n")
    assert Vault.asked == []


WRONG = {
    "${vault:locked}": "the vault is locked; unlock it",
    "${vault:raises}": "the resolver of 'vault' failed with ValueError; its author can say why",
    "${vault:number}": "the resolver of 'vault' gave no text; its author can say why",
    "${vault:none}": "the vault has no 'none'",
    "${vault:none:-x}": "a secret that lies elsewhere has no default; leave the default out: ${vault:none}",
    "${file:/x:-y}": "a secret that lies elsewhere has no default; leave the default out: ${file:/x}",
    "${keyrng:a/b}": "nothing here knows secrets of 'keyrng'; did you mean 'keyring'?",
    "${Vault:x}": "'${Vault:x}' is not a setting; write ${NAME}, ${NAME:-default} or ${file:/run/secrets/name}; for a literal ${ write $${",
    "${vault:}": "'${vault:}' is not a setting; write ${NAME}, ${NAME:-default} or ${file:/run/secrets/name}; for a literal ${ write $${",
}  # fmt: skip


@pytest.mark.parametrize("value", WRONG)
def test_what_is_said_of_a_secret_that_cannot_be_had(value: str, tmp_path: Path) -> None:
    _, problems = read(tmp_path, f"x{value}")
    assert problems == [f"kpis.yaml:3:33: {WRONG[value]}"]


def test_settings_are_what_they_were(tmp_path: Path) -> None:
    assert url(tmp_path, "${HOME} ${NONE:-a:b} ${file}") == "/home/ann a:b from the environment"


def test_no_output_holds_a_secret(tmp_path: Path) -> None:
    kept(tmp_path / "password", "correct-horse")
    (tmp_path / "kpis.yaml").write_text(
        'version: 1\nsources: {shop: {connector: sql, url: "postgresql://ann:${file:password}@127.0.0.1:1/x"}}\n'
        "datasets: {orders: {from: shop.orders, key: id, date: day}}\n"
        "kpis: {n: {formula: count(orders), period: month}}\n"
    )
    for command in ("run", "check --data", "explain n"):
        done = CliRunner().invoke(cli, ["-C", str(tmp_path), *command.split()])
        assert done.exit_code == 2 and "correct-horse" not in done.output
    assert not [
        p for p in (tmp_path / ".cadran").rglob("*") if p.is_file() and b"correct-horse" in p.read_bytes()
    ]


# --- the keyring ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyring() -> Iterator[dict[tuple[str, str], str]]:
    """A keyring in memory."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    held: dict[tuple[str, str], str] = {}

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            if username == "locked":
                raise KeyringLocked("correct-horse")
            return held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            held[service, username] = password

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield held
    keyring.set_keyring(before)


def test_a_password_of_the_keyring(keyring: dict[tuple[str, str], str], tmp_path: Path) -> None:
    keyring["belvoir", "shop"] = "correct-horse"
    keyring["https://crm.example/x", "ann"] = "correct-cow"
    assert url(tmp_path, "${keyring:belvoir/shop}") == "correct-horse"
    assert url(tmp_path, "${keyring:https://crm.example/x/ann}") == "correct-cow"


@pytest.mark.usefixtures("keyring")
@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("belvoir/none", "the keyring has no password of 'none' for 'belvoir'; put it there with: keyring set belvoir none"),
        ("belvoir", "'belvoir' names no password of a keyring; write ${keyring:service/name}"),
        ("belvoir/locked", "the keyring does not answer (KeyringLocked); unlock it, or see 'keyring diagnose'"),
    ],
)  # fmt: skip
def test_a_password_that_the_keyring_does_not_give(reference: str, said: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"x${{keyring:{reference}}}")[1] == [f"kpis.yaml:3:33: {said}"]


def test_a_machine_without_a_keyring(tmp_path: Path) -> None:
    import keyring
    from keyring.backends import fail

    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        assert "this machine has no keyring; use ${file:…}" in read(tmp_path, "x${keyring:a/b}")[1][0]
    finally:
        keyring.set_keyring(before)


def test_without_its_package_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert read(tmp_path, "x${keyring:a/b}")[1] == [
        "kpis.yaml:3:33: secrets of a keyring need the package 'keyring'; pip install 'cadran[keyring]'"
    ]


def test_listing_the_plugins_asks_for_no_secret(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(PROJECT % "${vault:shop/password}")
    project = cadran.open(tmp_path)
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "plugins"])
    assert "keyring  cadran" in done.output and "secrets: keyring" in done.output
    assert project.plugins.names("secret") == ["keyring"]
