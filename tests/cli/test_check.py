"""``cadran check``: four formats, exit codes, and no false success."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .user import KPIS, ORDERS, call, project

BROKEN = KPIS.replace("sum(orders.amount)", "sum(orders.amont)").replace(
    "number: {formula: count(orders)", "number: {formula: count(ordres)"
)
WARNED = KPIS.replace(
    "number: {formula: count(orders)", 'number: {formula: "count(orders) filter (where in_period(day))"'
)


def test_nothing_is_wrong(tmp_path: Path) -> None:
    done = call(project(tmp_path), "check")
    assert (done.code, done.out, done.err) == (0, "kpis.yaml: 3 KPIs, no problems\n", "")
    assert call(tmp_path, "check", "--data").code == 0


def test_text(tmp_path: Path) -> None:
    done = call(project(tmp_path, BROKEN), "check")
    assert done.code == 2
    lines = done.out.splitlines()
    first = BROKEN.splitlines().index("    formula: sum(orders.amont)") + 1
    assert lines[0].startswith(f"kpis.yaml:{first}:25: revenue: unknown column 'amont'")
    assert lines[0].endswith("did you mean 'amount'?")
    assert lines[1].strip() == "formula: sum(orders.amont)"
    assert lines[2].index("^") - lines[1].index("formula") == "formula: sum(orders.".__len__()
    assert any("did you mean 'orders'?" in line for line in lines)
    assert lines[-1] == "2 errors"


def test_warnings_do_not_fail(tmp_path: Path) -> None:
    done = call(project(tmp_path, WARNED), "check")
    assert done.code == 0 and "warning: number: " in done.out and done.out.endswith("1 warning\n")
    run = call(tmp_path, "run", "--as-of", "2026-07-01", "--format", "csv")
    assert run.code == 0 and "warning" in run.err and "warning" not in run.out


@pytest.mark.parametrize(("text", "code"), [(KPIS, 0), (BROKEN, 2)])
def test_json(tmp_path: Path, text: str, code: int) -> None:
    done = call(project(tmp_path, text), "check", "--format", "json")
    found = done.json()
    assert done.code == code
    assert found["errors"] == len(found["problems"]) == code
    for problem in found["problems"]:
        assert problem["severity"] == "error" and problem["message"] and problem["code"]
        assert text.splitlines()[problem["line"] - 1][problem["column"] - 1 :].startswith(("amont", "ordres"))


def test_github(tmp_path: Path) -> None:
    text = BROKEN.replace("unit: EUR, tags: [money]", "unit: 'a%b', tags: ['100%', \"two\\nlines\"]")
    done = call(project(tmp_path, text), "check", "--format", "github")
    assert done.code == 2
    for line in done.out.splitlines():
        found = re.fullmatch(r"::error file=([^,:]+),line=(\d+),col=(\d+),endColumn=(\d+)::(.+)", line)
        assert found, line
        assert found[1].endswith("kpis.yaml")
        assert "%" not in re.sub(r"%(25|0D|0A|3A|2C)", "", found[5])


def test_github_escapes_what_a_message_quotes(tmp_path: Path) -> None:
    strange = KPIS + '  "x\\n::error::y%0A": {title: T, kpis: ["no\\nsuch %25 kpi"]}\n'
    done = call(project(tmp_path, strange), "check", "--format", "github")
    assert done.code == 2
    assert all(line.startswith("::error ") for line in done.out.splitlines())


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_files_are_named_from_where_the_command_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    project(tmp_path / "team" / "sales", BROKEN)
    monkeypatch.chdir(tmp_path)
    assert "team/sales/kpis.yaml" in call(Path("team/sales"), "check", "--format", form).out
    assert "team/sales/kpis.yaml" in call(Path("team/sales/kpis.yaml"), "check", "--format", form).out


def sarif(done: Any) -> dict[str, Any]:
    log = done.json()
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "cadran" and isinstance(driver["rules"], list)
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note", "none")
        assert isinstance(result["message"]["text"], str)
        for location in result.get("locations", []):
            physical = location["physicalLocation"]
            assert " " not in physical["artifactLocation"]["uri"]
            region = physical["region"]
            assert min(region["startLine"], region["startColumn"]) >= 1
            assert region["endColumn"] > region["startColumn"]
    found: dict[str, Any] = run
    return found


def test_sarif(tmp_path: Path) -> None:
    assert sarif(call(project(tmp_path / "fine"), "check", "--format", "sarif"))["results"] == []
    broken = call(project(tmp_path / "not fine", BROKEN), "check", "--format", "sarif")
    assert broken.code == 2 and len(sarif(broken)["results"]) == 2


# --- false success --------------------------------------------------------------------------------------------------


def _include(folder: Path, text: str) -> None:
    (folder / "kpis.yaml").write_text(KPIS.replace("version: 1\n", "version: 1\ninclude: [more.yaml]\n"))
    if text:
        (folder / "more.yaml").write_text(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "more.yaml"),  # it does not exist
        (
            "kpis: {x: {formula: sum(orders.nothing), period: month}}\n",
            "more.yaml:1:32: x: unknown column 'nothing'",
        ),
        ("kpis: {x: [\n", "more.yaml"),
        ("kpis: {number: {formula: count(orders), period: month}}\n", "number"),  # declared twice
        ("- a list\n", "more.yaml:1:1"),
        ("\x00\x01", "more.yaml"),
    ],
)
def test_a_broken_include(tmp_path: Path, text: str, said: str) -> None:
    folder = project(tmp_path)
    _include(folder, text)
    for command in (("check",), ("run", "--format", "csv"), ("explain", "number")):
        done = call(folder, *command)
        assert done.code == 2, command
        assert said in done.all
        assert "no problems" not in done.all


@pytest.mark.parametrize(
    "change",
    [
        ("formula: count(orders)", "formula: count(orders) filter (where amount)"),
        ("formula: count(orders)", "formula: sum(orders.shop)"),
        ("date: day", "date: shop"),
        ("key: id", "key: channel"),
    ],
    ids=["condition", "sum of text", "text as date", "key repeats"],
)
def test_what_only_the_data_shows(tmp_path: Path, change: tuple[str, str]) -> None:
    folder = project(tmp_path, KPIS.replace(*change))
    assert call(folder, "run", "--as-of", "2026-07-01", "--format", "csv").code == 2
    done = call(folder, "check", "--data")
    assert done.code == 2 and re.search(r"kpis\.yaml:\d+:\d+: ", done.out)


FOUND = KPIS.replace(
    "  orders: {from: files.orders, key: id, date: day, money: {amount: EUR}}",
    """\
  orders:
    from: files.orders
    key: id
    date: day
    where: shop <> 'closed' or shop is null
    links: {shop: shops}
    columns: {large: amount > 6}
  shops: {from: files.shops, key: name}
  empty: {from: files.empty, key: id, date: day}""",
)
TABLES = {
    "orders": ORDERS + "5,,1.00,north,web\n6,2026-06-03,1.00,closed,web\n7,2199-01-01,1.00,nowhere,web\n",
    "shops": "name,city\nnorth,Lyon\n",
    "empty": "id,day\n",
}


def test_check_data_says_what_was_found(tmp_path: Path) -> None:
    """Rows that exist at the clock; a link whose key is empty leads nowhere on purpose and does not count."""
    done = call(project(tmp_path, FOUND, TABLES), "check", "--data")
    assert done.code == 0
    assert done.out == (
        "kpis.yaml: 3 KPIs, no problems\n\n"
        "orders: 5 rows, 2026-05-03 to 2026-06-02, 1 without a date\n"
        "    id BIGINT, day DATE, amount DECIMAL(18,2), shop VARCHAR, channel VARCHAR, large BOOLEAN\n"
        "    link shops: 1 row without a match\n"
        "shops: 1 row\n"
        "    name VARCHAR, city VARCHAR\n"
        "empty: 0 rows\n"
        "    id (no value), day (no value)\n"
    )


def test_check_data_says_what_was_found_as_json(tmp_path: Path) -> None:
    done = call(project(tmp_path, FOUND, TABLES), "check", "--data", "--format", "json")
    found = done.json()
    assert (done.code, found["errors"], found["problems"]) == (0, 0, [])
    orders, shops, empty = found["datasets"]
    assert orders == {
        "dataset": "orders", "rows": 5, "quarantined": 0, "undated": 1, "first": "2026-05-03", "last": "2026-06-02",
        "columns": {"id": "BIGINT", "day": "DATE", "amount": "DECIMAL(18,2)", "shop": "VARCHAR", "channel": "VARCHAR", "large": "BOOLEAN"},
        "unmatched": {"shops": 1},
    }  # fmt: skip
    assert (shops["first"], shops["unmatched"], empty["rows"], empty["first"]) == (None, {}, 0, None)
    broken = call(
        project(tmp_path, FOUND, {**TABLES, "shops": "name,city\nnorth,a\nnorth,b\n"}),
        "check",
        "--data",
        "--format",
        "json",
    )
    assert broken.code == 2 and broken.json()["errors"] == 1 and broken.json()["datasets"] == []
    assert "datasets" not in call(tmp_path, "check", "--format", "json").json()


def test_a_password_in_the_file_is_not_shown_with_its_line(tmp_path: Path) -> None:
    """People write it there all the same, and problems end up in logs."""
    text = KPIS.replace(
        "{connector: files, path: data}", "{connector: files, path: data, x: 'postgres://bob:s3cr@t@host/db'}"
    )
    done = call(project(tmp_path, text), "check")
    assert done.code == 2 and "'postgres://**********@host/db'" in done.out and "s3cr" not in done.out


def test_check_data_reads_what_no_kpi_uses(tmp_path: Path) -> None:
    """``check --data`` asks all sources, so a repeated key is found before somebody links to it."""
    text = KPIS.replace("kpis:\n", "  shops: {from: files.shops, key: id}\nkpis:\n", 1)
    folder = project(
        tmp_path,
        text,
        {"orders": "id,day,amount,shop,channel\n1,2026-05-03,10.10,north,web\n", "shops": "id\n1\n1\n"},
    )
    done = call(folder, "check", "--data")
    assert done.code == 2 and "datasets.shops" in done.out and "not unique" in done.out


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"version: 1\n", b"[]", b"version: 2\n", b"kpis: &a {b: *a}\n", b"\t"]
)
def test_a_file_that_is_no_project(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kpis.yaml").write_bytes(content)
    done = call(tmp_path, "check")
    if content == b"version: 1\n":  # empty, but a project
        assert done.code in (0, 2)
    else:
        assert done.code == 2 and "kpis.yaml" in done.out
    assert call(tmp_path, "run").code in ((0, 2) if content == b"version: 1\n" else (2,))


def test_commands_that_do_not_exist(tmp_path: Path) -> None:
    done = call(project(tmp_path), "chekc")
    assert done.code == 2 and "did you mean 'check'?" in done.err
    assert call(tmp_path, "run", "--format", "pdf").code == 2
    assert call(tmp_path, "explain", "revenu").code == 2
    assert "did you mean 'revenue'?" in call(tmp_path, "explain", "revenu").err


def test_check_data_says_what_was_expected_and_is_not_there(tmp_path: Path) -> None:
    """As a run does: a warning, whether or not a KPI uses the dataset."""
    expecting = KPIS.replace(
        "key: id, date: day,", "key: id, date: day, expect: {min_rows: 5, max_age: 2 days},"
    )
    done = call(project(tmp_path, expecting), "check", "--data")
    assert done.code == 0
    line = "  orders: {from: files.orders"
    number = next(n for n, text in enumerate(expecting.splitlines(), 1) if text.startswith(line))
    said = [text for text in done.out.splitlines() if text.startswith(f"kpis.yaml:{number}:")]
    assert any(
        "warning: datasets.orders: orders has 4 row(s), at least 5 are expected" in text for text in said
    )
    assert any("the newest row of orders is of 2026-06-02" in text for text in said)
    assert "orders" not in call(tmp_path, "check").out


CHANNELS = {
    "a sender without an address": ("{notifier: email, smtp: smtp://127.0.0.1, from: KPIs}", "'KPIs' is no mail address"),
    "a server without a scheme": ('{notifier: email, smtp: "127.0.0.1:8925", from: kpi@example.com}', "this is no address of a mail server"),
    "a hook without TLS": ('{notifier: webhook, url: "http://127.0.0.1/x", secret: "${HOOK:-abcdefghabcdefghabcdefgh}"}', "an address without TLS"),
    "a folder outside": ("{notifier: file, path: ../../public}", "'../../public' lies outside the project"),
    "a page without a scheme": ("{notifier: file, path: public, url: kpi.example.com}", "'url' must begin with https:// or http://"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANNELS)
def test_channels_that_cannot_work(case: str, tmp_path: Path) -> None:
    channel, said = CHANNELS[case]
    folder = project(tmp_path, KPIS + f"channels:\n  board: {channel}\n")
    done = call(folder, "check")
    assert (done.code, said in done.err + done.out) == (2, True)
    assert "channels.board" in done.err + done.out


ERP = """\
version: 1
currency: EUR
sources:
  erp:
    connector: http_json
    url: https://erp.example.com/api
    auth: {bearer: abcdefgh}
    tables:
      invoices:
        path: /invoices
        pages: {cursor: next, param: after}
        key: id
        columns: {id: bigint, amount: "decimal(12,2)", day: date, channel: text, currency: text}
      other: {path: /other, key: id, columns: {id: bignt}}
rates: {from: erp.invoices, rate: amount, date: day}
datasets:
  invoices: {from: erp.invoices, key: id, date: day, money: {amount: currency}}
  clients: {from: [erp.invoices, erp.invoices2], key: id, date: day, columns: {big: amount > 100}, links: {client: {to: invoices, column: id}}}
segments: {channel: {invoices: channel, clients: channel}}
kpis:
  revenue: {formula: sum(invoices.amount), period: month, segment: channel, unit: EUR}
  margin: {formula: revenue - sum(clients.amount), period: month, target: max(clients.amount) * 2, unit: EUR}
  share: {formula: "count(clients) filter (where big) / count(clients)", period: month, alert: {name: few, when: value < 1}}
"""


def errors_of(folder: Path, text: str) -> list[str]:
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    done = call(folder, "check", "--format", "json")
    assert done.code == 2
    return [
        f"{p['subject']}: {p['message']}"
        for p in json.loads(done.out)["problems"]
        if p["severity"] == "error"
    ]


@pytest.mark.parametrize("whole", [True, False], ids=["its only table", "one of its tables"])
def test_a_source_that_is_not_there_is_one_error(tmp_path: Path, whole: bool) -> None:
    text = ERP.replace(
        "{from: [erp.invoices, erp.invoices2]",
        "{from: epr.more" if whole else "{from: [epr.more, erp.invoices]",
    )
    text = text.replace("bignt", "bigint")
    assert errors_of(tmp_path, text) == ["datasets.clients: unknown source 'epr'"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("cursor: next", "curser: next", "unknown key 'curser'"),
        ("{bearer: abcdefgh}", "{baerer: abcdefgh, value: x}", "unknown key 'baerer'"),
        ("{bearer: abcdefgh}", "{baerer: abcdefgh}", "unknown key 'baerer'"),
    ],
)
def test_what_comes_of_a_key_that_nobody_knows_is_not_said_as_well(tmp_path: Path, right: str, wrong: str, said: str) -> None:  # fmt: skip
    text = ERP.replace(right, wrong).replace("[erp.invoices, erp.invoices2]", "erp.invoices")
    assert errors_of(tmp_path, text.replace("bignt", "bigint")) == [f"sources.erp: {said}"]


def test_another_mistake_in_a_source_is_said_beside_a_key_that_nobody_knows(tmp_path: Path) -> None:
    text = ERP.replace("cursor: next", "curser: next").replace("[erp.invoices, erp.invoices2]", "erp.other")
    found = ["sources.erp: unknown key 'curser'", "sources.erp: unknown type 'bignt'"]
    assert errors_of(tmp_path, text) == found
