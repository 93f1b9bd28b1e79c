"""docs/plugins.md names every hook with its signature, every check, every error and every method of a case."""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from cadran import plugins
from cadran.cli import cli
from cadran.plugins import hookspecs
from cadran.plugins.connector import ConnectorError, Context
from cadran.testing import Case
from cadran.testing.contract.running import all_checks, outcome

FILE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
TEXT = FILE.read_text(encoding="utf-8")
BEGIN, END = "<!-- checks -->\n", "<!-- /checks -->"


def _table() -> str:
    rows = [
        f"| {c.name.replace('_', ' ')} | {' '.join(c.wants.split(chr(10) * 2)[0].split())} |"
        for c in all_checks()
    ]
    return "\n".join(["| check | |", "|---|---|", *rows]) + "\n"


def test_the_checks_are_those_of_the_suite(golden: bool) -> None:
    begin, end = TEXT.index(BEGIN) + len(BEGIN), TEXT.index(END)
    if golden:
        FILE.write_text(TEXT[:begin] + _table() + TEXT[end:], encoding="utf-8")
    else:
        assert TEXT[begin:end] == _table(), "make golden writes the table anew"


def test_every_hook_is_there_with_its_signature() -> None:
    [block] = re.findall(r"^```python hooks\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("cadran_")}
    signatures = [f"def {name}{inspect.signature(hook)}".replace("'", "") for name, hook in hooks.items()]
    assert [line for line in block.splitlines() if line] == signatures


def test_every_error_of_a_connector_is_there() -> None:
    names = [name for name in plugins.__all__ if isinstance(getattr(plugins, name), type)]
    errors = [n for n in names if issubclass(getattr(plugins, n), ConnectorError) and n != "ConnectorError"]
    assert [name for name in errors if f"| `{name}` |" not in TEXT] == []


def test_every_method_of_a_case_is_there() -> None:
    own = [name for name in vars(Case) if not name.startswith("_")]
    assert [name for name in own if not re.search(rf"\b{name}\b", TEXT)] == []


def test_what_it_imports_can_be_imported() -> None:
    for body in re.findall(r"^```python[^\n]*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^ *(from cadran\.[\w.]+ import .*)$", body, re.MULTILINE):
            exec(line.split("#")[0].strip(), {})


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    """All that the examples define, as one plugin file would."""
    out: dict[str, Any] = {}
    for body in re.findall(r"^```python example\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        exec(body, out)
    return out


def test_the_plain_connector_reads(examples: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "offers.json").write_text(
        '[{"id": 1, "amount": 12.50, "day": "2026-03-31"}, {"id": 2, "amount": "on request"}]'
    )
    made = examples["Offers"](Context("offers", {"path": "offers.json"}, tmp_path))
    rejected, page, end = made.read("offers")
    assert (rejected.place, end.rows) == ("offers, record 2", 1)
    assert pa.table(page.data).to_pylist() == [
        {"id": 1, "amount": Decimal("12.50"), "day": dt.date(2026, 3, 31)}
    ]
    assert [part.name for part in made.identity("offers", {})] == [page.part]
    with pytest.raises(ConnectorError, match="No such file"):
        list(examples["Offers"](Context("offers", {"path": "other.json"}, tmp_path)).read("offers"))


@pytest.mark.parametrize(
    "check",
    [
        "a_query_says_what_reading_says",
        "a_query_that_is_refused_is_said",
        "settings_are_described",
        "values_are_exact",
    ],
)
def test_the_database_keeps_the_contract(check: str, examples: dict[str, Any]) -> None:
    class Shop(Case):
        connector = examples["Shop"]
        table = "orders"

        def start(self, folder: Path) -> str:
            with duckdb.connect(folder / "shop.duckdb") as made:
                made.execute(
                    "CREATE TABLE orders AS SELECT range AS id, (range / 4)::DECIMAL(18,2) AS amount FROM range(40)"
                )
            return ""

        def config(self, url: str) -> Any:
            return {"path": "shop.duckdb"}

        def rows(self, table: str) -> Any:
            return [{"id": n, "amount": Decimal(n) / 4} for n in range(40)]

    found = outcome({one.name: one for one in all_checks()}[check], Shop, Shop.connector)
    assert found.state == "kept", found.why


def test_the_notifier_sends_and_the_listener_writes(examples: dict[str, Any], tmp_path: Path) -> None:
    to = examples["Tray"](plugins.NotifierContext("tray", {"path": "out"}, tmp_path))
    message = plugins.Message("0" * 64, "alert", dt.datetime(2026, 3, 9, tzinfo=dt.UTC), "Le chiffre baisse")
    assert to.seal(message) == to.seal(message)
    assert to.send(to.seal(message), "", lambda: None) == f"written to out/{'0' * 64}.json"
    value = plugins.KpiValue("revenue", "2026-02", "12.50", "on_track")
    examples["Diary"]().run_finished(
        plugins.RunFinished(str(tmp_path / "kpis.yaml"), message.moment, 1.0, (value,))
    )
    assert (tmp_path / "diary.txt").read_text() == "2026-03-09 revenue 2026-02 12.50 on_track\n"


def test_a_secret_that_is_not_there_is_said(
    examples: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(plugins.SecretError, match="'pass' is not there"):
        examples["Pass"](plugins.SecretContext(tmp_path)).resolve("crm/token")


def test_the_fields_of_what_a_plugin_is_given_are_there() -> None:
    given = [
        plugins.Message,
        plugins.NotifierContext,
        plugins.RunStarted,
        plugins.RunFinished,
        plugins.RunFailed,
        plugins.SourceSynced,
    ]
    given += [plugins.MessageSent, plugins.KpiValue, plugins.Document, plugins.Picture, plugins.Part]
    for kind in given:
        assert [f.name for f in dataclasses.fields(kind) if not re.search(rf"\b{f.name}\b", TEXT)] == [], kind
    for event in ("RunStarted", "RunFinished", "RunFailed", "SourceSynced", "MessageSent", "KpiValue"):
        names = ", ".join(f.name for f in dataclasses.fields(getattr(plugins, event)))
        assert f"`{event}({names})`" in TEXT


def test_the_command_of_the_walk_is_there() -> None:
    assert cli.get_command(None, "plugin") is not None  # type: ignore[arg-type]
