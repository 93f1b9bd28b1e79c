"""docs/connectors/singer.md: its examples can be checked, and it names every setting."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cadran.cli import cli
from cadran_plugins.singer.config import SCHEMA

TAP = Path(__file__).resolve().parents[1] / "simulators" / "tap.py"
TEXT = (Path(__file__).resolve().parents[2] / "docs/connectors/singer.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml[^\n]*\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ENVIRON = {"SHOP_PASSWORD": "canary-1", "ZENDESK_TOKEN": "canary-2"}


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_are_right(tmp_path: Path, number: int) -> None:
    text = EXAMPLES[number]
    (tmp_path / "kpis.yaml").write_text(
        text if "version:" in text else "version: 1\n" + text, encoding="utf-8"
    )
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "check"], env=ENVIRON)
    assert done.exit_code == 0, done.output


def test_every_setting_is_named() -> None:
    names = [*SCHEMA["properties"], *SCHEMA["properties"]["tables"]["additionalProperties"]["properties"]]
    assert [name for name in names if f"`{name}:" not in TEXT and f"{name}: " not in TEXT] == []


def test_a_tap_is_synced_and_computed_from(tmp_path: Path) -> None:
    """The first example with a tap of our own."""
    rows = "[{id: 1, amount: 10.25, changed: '2026-01-05T00:00:00Z'}, {id: 2, amount: 0.5, changed: '2026-01-06T00:00:00Z'}]"
    text = EXAMPLES[0].replace(
        "package: meltanolabs-tap-postgres==0.10.0", f"command: [{sys.executable}, -I, -S, {TAP}]"
    )
    text = text.replace("host: db.example.com", f"rows: {rows}").replace(
        "cursor: changed_at", "cursor: changed"
    )
    text = text.replace("stream: public-orders", "stream: orders").replace("date: day", "date: changed")
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    outputs = []
    for args in (
        ["sync"],
        ["sync"],
        ["run", "revenue", "--as-of", "2026-02-01", "--until", "2026-01", "--format", "csv"],
    ):
        done = CliRunner().invoke(cli, ["-C", str(tmp_path), *args], env=ENVIRON)
        assert done.exit_code == 0, done.output
        outputs.append(done.output)
    assert ",10.75," in outputs[-1]
    assert "canary" not in "".join(outputs)
    for file in (tmp_path / ".cadran").rglob("*"):
        assert not file.is_file() or b"canary-1" not in file.read_bytes()
