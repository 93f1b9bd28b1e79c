"""Values of the environment are in no output: a canary is put wherever a setting can stand, and everything is searched."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pyarrow.parquet
import pytest

import cadran
from cadran.cli.run import FORMATS
from cadran.problems import ProblemsFound
from servers import Server

from .user import AS_OF, KPIS, ORDERS, Done, call, project

CANARY = "s3cr3t/kanari&vogel=%41 ü"
ENV = {"CANARY": CANARY}
FORMS = (
    CANARY,
    quote(CANARY),
    quote(CANARY, safe=""),
    quote_plus(CANARY),
    repr(CANARY)[1:-1],
    "kanari&vogel",
    "kanari%26vogel",
)


def clean(text: str | bytes, what: object = "") -> None:
    shown = text if isinstance(text, str) else text.decode("utf-8", errors="replace")
    for form in (*FORMS, base64.b64encode(CANARY.encode()).decode()):
        assert form not in shown, f"{what}: …{shown[max(0, shown.find(form) - 80) :][:200]}"


def commands(folder: Path) -> Iterator[tuple[tuple[str, ...], Done]]:
    for kind in FORMATS:
        args: tuple[str, ...] = ("run", *AS_OF, "--format", kind)
        yield args, call(folder, *args, env=ENV)
    for form in ("text", "json", "github", "sarif"):
        args = ("check", "--data", "--format", form)
        yield args, call(folder, *args, env=ENV)
    for args in (("explain", "revenue", *AS_OF), ("plugins",), ("schema",)):
        yield args, call(folder, *args, env=ENV)


def everywhere(folder: Path, code: int) -> str:
    """Calls all commands, searches all that they print and write, and gives what ``check`` said."""
    said = ""
    for args, done in commands(folder):
        clean(done.all, args)
        if args[0] in ("run", "check"):
            assert done.code == code, (args, done.all)
        if args[:2] == ("run", *AS_OF[:1]) and args[-1] == "parquet" and not code:
            clean(str(pyarrow.parquet.read_table(io.BytesIO(done.raw)).to_pydict()))
        said += done.all
    for file in folder.rglob("*"):
        if file.is_file() and file.parent.name == "reports":
            clean(file.read_bytes(), file)
    return said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("path: data", "path: data, delimiter: ',', nulls: ['', \"${CANARY}\"]"),
        ("label: Revenue", "label: Revenue\n    description: 'Ask ${CANARY} for more'"),
        ("label: Revenue", "label: 'Revenue ${CANARY}'"),
        (
            "tags: [money]\n  basket",
            "tags: [money]\n    owner: '${CANARY}'\n    action: 'Call ${CANARY}'\n  basket",
        ),
        ("title: The month", "title: 'The month of ${CANARY}'"),
        (
            "number: {formula: count(orders)",
            "number: {formula: \"count(orders) filter (where shop <> '${CANARY}')\"",
        ),
        ("{name: low,", "{name: '${CANARY}',"),
        ("version: 1\n", "version: 1\nnotes: {2026-05-12: 'Met ${CANARY}'}\n"),
    ],
    ids=["nulls", "description", "label", "owner and action", "title", "formula", "rule", "note"],
)
def test_in_a_project_that_works(tmp_path: Path, old: str, new: str) -> None:
    assert old in KPIS
    everywhere(project(tmp_path, KPIS.replace(old, new)), 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("path: data", "path: 'data/${CANARY}'"),
        ("path: data", "path: '/${CANARY}/data'"),
        ("path: data", "path: data, encoding: '${CANARY}'"),
        ("path: data", "path: data, delimiter: '${CANARY}'"),
        ("path: data", "path: data, header: ['${CANARY}', b]"),
        ("path: data", "path: data, types: {amount: '${CANARY}'}"),
        ("path: data", "path: data, nonsense: '${CANARY}'"),
        ("connector: files", "connector: '${CANARY}'"),
        ("from: files.orders", "from: 'files.${CANARY}'"),
        ("key: id", "key: '${CANARY}'"),
        ("sum(orders.amount)", "\"sum(orders.amount) / '${CANARY}'\""),
        ("sum(orders.amount)", "'sum(orders.${CANARY})'"),
        ("unit: EUR\n    compare", "unit: EUR\n    good: '${CANARY}'\n    compare"),
        ("value: 15", "value: '${CANARY}'"),
        ("Europe/Paris", "${CANARY}"),
        ("last month", "'${CANARY}'"),
    ],
)
def test_in_a_project_that_fails(tmp_path: Path, old: str, new: str) -> None:
    assert old in KPIS
    said = everywhere(project(tmp_path, KPIS.replace(old, new)), 2)
    assert "kpis.yaml:" in said


def test_in_rows_that_fail(tmp_path: Path) -> None:
    """A connector's own message may quote the value: here the file of that name does not parse."""
    name = "kanari-vogel-geheim"
    folder = project(tmp_path, KPIS.replace("path: data", "path: 'data/${CANARY}', types: {amount: int}"))
    (folder / "data" / name).mkdir()
    (folder / "data" / name / "orders.csv").write_text(ORDERS)
    for args in (("run", *AS_OF), ("check", "--data", "--format", "sarif")):
        done = call(folder, *args, env={"CANARY": name})
        assert done.code == 2
        assert name not in done.all and "orders.csv:2" in done.all


def test_in_a_template(tmp_path: Path) -> None:
    folder = project(tmp_path, KPIS.replace("path: data", "path: data, nulls: ['', '${CANARY}']"))
    (folder / "templates").mkdir()
    for text in (
        "{{ declaration.secrets }}",
        "{{ environ }}",
        "{{ ${CANARY} }}",
        "${CANARY}",
        "{{ kpis }}{{ alerts }}{{ quality }}",
    ):
        (folder / "templates" / "report.html.jinja").write_text(text)
        clean(call(folder, "run", *AS_OF, "--format", "html", env=ENV).all, text)


def test_in_the_api(tmp_path: Path) -> None:
    folder = project(tmp_path, KPIS.replace("path: data", "path: 'data/${CANARY}'"))
    opened = cadran.open(folder, environ=ENV)
    clean(repr(opened))
    with pytest.raises(ProblemsFound) as caught:
        opened.run()
    clean(str(caught.value))
    clean(str(caught.getrepr(style="short")))
    fine = cadran.open(
        project(tmp_path, KPIS.replace("path: data", "path: data, nulls: ['', '${CANARY}']")), environ=ENV
    )
    declaration, problems = fine.declaration()
    assert declaration is not None and not problems
    clean(repr(fine.run()))


def test_unset_and_default(tmp_path: Path) -> None:
    folder = project(tmp_path, KPIS.replace("path: data", "path: '${FOLDER_OF_DATA:-data}'"))
    assert call(folder, "check").code == 0
    unset = call(project(tmp_path, KPIS.replace("path: data", "path: '${FOLDER_OF_DATA}'")), "check")
    assert unset.code == 2 and "kpis.yaml:5:" in unset.out and "FOLDER_OF_DATA is not set" in unset.out


def test_the_search_would_find_it() -> None:
    for form in FORMS:
        with pytest.raises(AssertionError):
            clean(f"before {form} behind")


@pytest.mark.parametrize(
    "source",
    [
        '{connector: sql, url: "postgresql://127.0.0.1:1/x?user=postgres&password=SECRETX"}',
        '{connector: sql, url: "mysql://127.0.0.1:1/x?user=root&passwd=SECRETX&foo=bar"}',
        "{connector: sql, url: 'postgresql://127.0.0.1:1/x', password: SECRETX}",
        "{connector: sql, url: {host: h, password: SECRETX}}",
        "{connector: sql, url: 'sqlite:///a.db', pool: {api_key: SECRETX}}",
        '{connector: files, path: "postgresql://postgres:SECRETX@127.0.0.1/x"}',
        '{connector: files, path: data, delimiter: "postgresql://postgres:SECRETX@127.0.0.1/x"}',
    ],
)
def test_what_is_written_into_the_file_as_a_secret_is_in_no_output(tmp_path: Path, source: str) -> None:
    folder = project(tmp_path, KPIS.replace("{connector: files, path: data}", source), {"orders": ORDERS})
    for form in ("text", "json", "github", "sarif"):
        for args in (("check",), ("check", "--data"), ("run", *AS_OF, "--verbose")):
            done = call(folder, *args, *(("--format", form) if args[0] == "check" else ()))
            assert "SECRETX" not in done.all, (args, form, done.all)
            assert done.code == 2 or args == ("check",)
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "kpis.yaml":
            assert b"SECRETX" not in file.read_bytes(), file


def test_a_password_beside_the_url_is_said_to_belong_into_it(tmp_path: Path) -> None:
    source = "{connector: sql, url: 'postgresql://h/x', password: SECRETX}"
    done = call(
        project(tmp_path, KPIS.replace("{connector: files, path: data}", source), {"orders": ORDERS}), "check"
    )
    assert "unknown key 'password'; put it into the url as \"${NAME}\"" in done.out


def test_a_password_in_the_url_of_a_database_that_answers(tmp_path: Path, postgres: Server) -> None:
    """The server lets everybody in, so the password is not even looked at; runs, reports and what is kept hold none."""
    postgres.run(
        "create table orders (id int primary key, day date not null, amount numeric(9, 2), shop text, channel text)",
        "insert into orders values (1, '2026-05-03', 10.10, 'north', 'web')",
    )
    base, _, name = postgres.url.rpartition("/")
    url = f"{base.replace('postgres@', '')}/{name}?user=postgres&password=SECRETX"
    text = KPIS.replace("{connector: files, path: data}", f"{{connector: sql, url: '{url}'}}")
    folder = project(tmp_path, text)
    said = [call(folder, "run", *AS_OF, "--verbose", "--format", kind) for kind in FORMATS]
    said += [
        call(folder, "check", "--data", "--format", form) for form in ("text", "json", "github", "sarif")
    ]
    said += [
        call(folder, *args) for args in (("explain", "revenue", *AS_OF, "--analyze"), ("cache",), ("schema",))
    ]
    for done in said:
        assert done.code == 0, done.all
        assert "SECRETX" not in done.all and b"SECRETX" not in done.raw
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "kpis.yaml":
            assert b"SECRETX" not in file.read_bytes(), file
