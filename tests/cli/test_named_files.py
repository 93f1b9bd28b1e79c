"""``cadran check`` looks at the files that reports and tests name: whether they are there, and whether they can be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .user import KPIS, call, project

SMALL = KPIS[: KPIS.index("reports:")]
REPORT = SMALL + "reports:\n  monthly: {template: house.html.jinja, kpis: [revenue]}\n"
TEST = SMALL + (
    "tests:\n  january:\n    given: {orders: {file: tests/orders.csv}}\n    expect: {revenue: {2026-01: 3}}\n"
)
FINE = "{% extends 'report.html.jinja' %}{% block summary %}{{ anything }}{% endblock %}"


def template(folder: Path, text: str, name: str = "house.html.jinja") -> None:
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / name).write_text(text, encoding="utf-8")


def said(folder: Path, *more: str) -> str:
    done = call(folder, "check", *more)
    assert done.code == (0 if "no problems" in done.out else 2), done.err
    return done.out


@pytest.mark.parametrize("more", [(), ("--data",)])
def test_a_template_that_is_not_there(tmp_path: Path, more: tuple[str, ...]) -> None:
    folder = project(tmp_path, REPORT)
    line = REPORT.splitlines().index("  monthly: {template: house.html.jinja, kpis: [revenue]}") + 1
    assert f"kpis.yaml:{line}:23: template house.html.jinja: there is no template" in said(folder, *more)
    template(folder, FINE)
    assert "no problems" in said(folder, *more)


def test_a_template_that_cannot_be_read(tmp_path: Path) -> None:
    folder = project(tmp_path, REPORT)
    template(folder, "{% extends 'report.html.jinja' %}\n{% block summary %}\nx\n")
    assert "templates/house.html.jinja:3:1: template house.html.jinja: Unexpected end of template" in said(
        folder
    )
    template(folder, "{{ report.title | euro }}\n")
    assert "templates/house.html.jinja:1:1: template house.html.jinja: No filter named 'euro'" in said(folder)


def test_a_template_that_builds_on_one_that_is_not_there(tmp_path: Path) -> None:
    folder = project(tmp_path, REPORT)
    template(folder, "\n{% extends 'raport.html.jinja' %}")
    assert "there is no template 'raport.html.jinja'; did you mean 'report.html.jinja'?" in said(folder)
    template(folder, "{% extends 'own.html.jinja' %}")
    template(folder, "\n{% block broken %}", "own.html.jinja")
    assert "templates/own.html.jinja:2:1: template own.html.jinja: Unexpected end" in said(folder)


def test_other_mistakes_are_said_beside(tmp_path: Path) -> None:
    folder = project(tmp_path, REPORT.replace("sum(orders.amount)", "sum(orders.amont)"))
    out = said(folder)
    assert "unknown column 'amont'" in out and "there is no template" in out


def test_a_file_of_a_test(tmp_path: Path) -> None:
    folder = project(tmp_path, TEST)
    assert "tests.january: there is no file 'tests/orders.csv'; paths are relative to the file" in said(
        folder
    )
    (folder / "tests").mkdir()
    (folder / "tests" / "orders.csv").write_text("id,day,amount\n1,2026-01-05,3\n", encoding="utf-8")
    assert "no problems" in said(folder)


def test_without_a_template_no_template_engine_is_imported(tmp_path: Path) -> None:
    folder = project(tmp_path)
    program = "import sys, cadran; cadran.open(sys.argv[1]).check(); print('jinja2' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
