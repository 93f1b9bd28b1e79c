"""Every hook from a wheel in an environment of its own: installed, used through the command, and uninstalled again."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from fresh import ROOT, Fresh, built, cadran_wheel, fresh  # noqa: F401 - fixtures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

ORDERS = "id,day,amount\n1,2026-01-05,120.00\n2,2026-02-03,240.00\n3,2026-03-02,60.00\n"
BELVOIR = """\
version: 1
plugins: belvoir
sources: {files: {connector: files, path: data}}
datasets: {orders: {from: files.orders, key: id, date: day, columns: {season: season(day)}}}
segments: {season: {orders: season}}
kpis:
  net_sales: {formula: sum(net(orders.amount)), period: month, segment: season}
  net_growth: {formula: growth(net_sales), period: month}
reports:
  monthly: {kpis: [net_sales], template: mine.html.jinja, blocks: podium}
"""
TEMPLATE = """\
{% extends "report.html.jinja" %}
{% block footer %}<p class="mine">{{ 3 | stars }}</p>{% endblock %}
"""
VAULT = """\
version: 1
sources: {safe: {connector: vault, key: "${vault:key}"}}
datasets: {orders: {from: safe.orders, key: id, date: day}}
kpis: {sales: {formula: sum(orders.amount), period: month}}
channels: {safe: {notifier: vault}}
reports: {monthly: {to: [safe]}}
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("plugins")
    return {p.name: built(p, out) for p in sorted((ROOT / "tests" / "packages").iterdir()) if p.is_dir()}


@pytest.fixture(scope="module")
def installed(fresh: Fresh, wheels: dict[str, Path]) -> Fresh:  # noqa: F811
    """The environment with all plugins, until the last test."""
    fresh.install(*wheels.values())
    return fresh


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with data, a template and a vault; kpis.yaml is the test's own."""
    for name, text in (
        ("data/orders.csv", ORDERS),
        ("vault/orders.csv", ORDERS),
        ("vault/key.b64", base64.b64encode(b"sesame-of-belvoir").decode()),
        ("templates/mine.html.jinja", TEMPLATE),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_functions_filters_blocks_and_listeners(installed: Fresh, project: Path) -> None:
    (project / "kpis.yaml").write_text(BELVOIR, encoding="utf-8")
    listed = installed.cadran("plugins", cwd=project, code=2)  # as one of them speaks another API
    assert (
        "belvoir  cadran-belvoir 1.0  cadran_belvoir  functions: season, net, growth; filters: stars; blocks: podium; listeners: diary"
        in listed
    )
    run = ("run", "--as-of", "2026-04-01", "--since", "2026-01")
    rows = installed.cadran(*run, "--format", "csv", cwd=project, BELVOIR_DIARY="diary.txt").splitlines()
    values = {tuple(row.split(",")[i] for i in (0, 1, 5)): row.split(",")[6] for row in rows[1:]}
    assert float(values["net_sales", "2026-02", "summer"]) == 200
    assert float(values["net_sales", "2026-01", "winter"]) == 100
    assert float(values["net_growth", "2026-03", ""]) == -0.75
    assert "finished net_sales=50" in (project / "diary.txt").read_text(encoding="utf-8")
    installed.cadran("report", "monthly", "--as-of", "2026-04-01", cwd=project)
    page = (project / "reports" / "monthly.html").read_text(encoding="utf-8")
    assert '<section class="podium"><ol><li>net sales</li></ol></section>' in page
    assert '<p class="mine">★★★</p>' in page


def test_secrets_connectors_and_notifiers_are_found_without_being_named(
    installed: Fresh, project: Path
) -> None:
    (project / "kpis.yaml").write_text(VAULT, encoding="utf-8")
    run = ("run", "--as-of", "2026-04-01", "--since", "2026-03")
    assert "sales,2026-03,2026-03-01,2026-03-31,,,60.00" in installed.cadran(
        *run, "--format", "csv", cwd=project
    )
    assert "report 'monthly'" in installed.cadran(*run, cwd=project)
    assert (project / "vault" / "last.txt").is_file()
    (project / "vault" / "key.b64").write_text(base64.b64encode(b"sesame-of-another").decode())
    said = installed.cadran("check", "--data", cwd=project, code=2)
    assert "the vault does not open" in said and "sesame" not in said


def test_a_plugin_of_another_api_stops_only_who_names_it(installed: Fresh, project: Path) -> None:
    alone = BELVOIR.replace("plugins: belvoir\n", "").replace(", columns: {season: season(day)}", "")
    alone = (
        alone[: alone.index("segments:")] + "kpis: {sales: {formula: sum(orders.amount), period: month}}\n"
    )
    (project / "kpis.yaml").write_text(alone, encoding="utf-8")
    assert "no problems" in installed.cadran("check", cwd=project)
    (project / "kpis.yaml").write_text(alone + "plugins: [tomorrow]\n", encoding="utf-8")
    said = installed.cadran("check", cwd=project, code=2)
    assert (
        "kpis.yaml:5:11: plugins: tomorrow (cadran-tomorrow 2.0) speaks API '2', this cadran speaks '1'; "
        in said
    )
    assert (
        "install a cadran that speaks API '2' (cadran-tomorrow asks for cadran>=2,<3), or an older cadran-tomorrow that speaks API '1', if there is one"
        in said
    )


def test_once_they_are_uninstalled_projects_say_what_is_missing(installed: Fresh, wheels: dict[str, Path], project: Path) -> None:  # fmt: skip
    installed.uninstall(*wheels)
    (project / "kpis.yaml").write_text(BELVOIR, encoding="utf-8")
    said = installed.cadran("check", cwd=project, code=2)
    assert "kpis.yaml:2:10: plugins: there is no plugin 'belvoir'" in said
    assert "unknown function" not in said  # which follows from it
    (project / "kpis.yaml").write_text(VAULT, encoding="utf-8")
    said = installed.cadran("check", cwd=project, code=2)
    assert "nothing here knows secrets of 'vault'" in said
    assert "unknown connector 'vault'" in said and "unknown notifier 'vault'" in said
