"""docs/reports.md: its example works as it stands there, and it names every block, key and macro."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cadran.cli import cli

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
BLOCKS = {
    name: body for _, name, body in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
}
ORDERS = "id,day,amount\n1,2026-05-04,80.00\n2,2026-06-02,125.50\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, body in BLOCKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body, encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return tmp_path


def test_the_example_works(project: Path) -> None:
    done = CliRunner().invoke(cli, ["-C", str(project), "run", "--as-of", "2026-07-01"])
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in (project / "reports").iterdir()) == ["monthly.html", "monthly.xlsx"]
    page = (project / "reports" / "monthly.html").read_text(encoding="utf-8")
    assert page.index("Direction commerciale") < page.index('id="summary"')  # before what super() gives
    assert '<h3 class="group">Ventes</h3>' in page
    assert '<td class="n heat h5">80 %</td>' in page and '<td class="n heat h6">125 %</td>' in page
    assert page.count("Produit avec cadran") == 1


@pytest.mark.parametrize("template", ["report.html.jinja", "report.md.jinja"])
def test_every_block_is_named(template: str) -> None:
    blocks = re.findall(r"{% block (\w+) %}", re.sub(r"{#.*?#}", "", (ROOT / "templates" / template).read_text(), flags=re.DOTALL))  # fmt: skip
    assert {"summary", "tiles", "charts", "quality", "definitions"} <= set(blocks)
    assert all(f"`{name}`" in TEXT for name in blocks)


def test_the_blocks_that_analyses_fill_come_after_the_kpis() -> None:
    text = (ROOT / "templates" / "report.html.jinja").read_text()
    names = ("charts", "why", "milestones", "funnels", "cohorts", "scores", "forecast", "quality")
    places = [text.index(f"{{% block {name} %}}") for name in names]
    assert places == sorted(places)


@pytest.mark.parametrize("file", ["_parts.html.jinja", "_tables.html.jinja", "_kpi.html.jinja"])
def test_macros_named_in_the_document_exist(file: str) -> None:
    short = {"_parts.html.jinja": "parts", "_tables.html.jinja": "tables", "_kpi.html.jinja": "one"}[file]
    known = set(re.findall(r"{% macro (\w+)\(", (ROOT / "templates" / file).read_text()))
    named = set(re.findall(rf"\b{short}\.(\w+)\(", TEXT))
    assert named and named <= known


def test_every_key_of_a_report_is_named() -> None:
    import json

    schema = json.loads((ROOT / "schemas" / "kpis.schema.json").read_text())
    for key in schema["$defs"]["report"]["properties"]:
        assert f"`{key}" in TEXT, key
