"""docs/local-plugins.md and docs/secrets.md: their examples work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins.functions import KINDS

ROOT = Path(__file__).resolve().parents[2]
LOCAL, SECRETS = (ROOT / "docs" / f"{name}.md" for name in ("local-plugins", "secrets"))
ORDERS = "id,day,amount\n1,2026-02-03,120.00\n2,2026-03-02,90.00\n3,2026-03-09,150.00\n"


def test_the_example_of_a_local_plugin(tmp_path: Path) -> None:
    text = LOCAL.read_text(encoding="utf-8")
    files = re.findall(r"^```\w+ (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["kpis.yaml", "local_plugins/seasons.py"]
    for name, body in [*files, ("data/orders.csv", ORDERS)]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body, encoding="utf-8")
    results = cadran.open(tmp_path).run(as_of="2026-04-01")
    march = {(r.kpi, r.segment_value): r.value for r in results if r.period == "2026-03"}
    assert march == {
        ("revenue", ()): 240, ("revenue", ("winter",)): 240, ("before_tax", ()): 200, ("growth_rate", ()): 1,
    }  # fmt: skip
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "report", "monthly", "--as-of", "2026-04-01"])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "reports" / "monthly.html").read_text(encoding="utf-8")
    assert re.search(r"<section><p>REVENUE! \S*240\S*</p></section>", page)
    for kind in KINDS:
        assert f"`{kind}`" in text


def test_the_examples_of_secrets(tmp_path: Path) -> None:
    text = SECRETS.read_text(encoding="utf-8")
    [example] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "crm").write_text("correct-horse\n")
    (tmp_path / "secrets" / "crm").chmod(0o600)
    (tmp_path / "kpis.yaml").write_text("version: 1\n" + example.replace("${keyring:shop/cadran}", "x"))
    declaration, problems = cadran.open(tmp_path, environ={"SMTP_URL": "smtp://localhost"}).declaration()
    assert declaration is not None and problems == []
    url = declaration.sources["crm"].config["url"]
    assert url == "postgresql://cadran:correct-horse@db.example.com/crm"
