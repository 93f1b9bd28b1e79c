"""A team's own templates, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .user import AS_OF, call, project

NAME = "report.html.jinja"


def with_template(folder: Path, text: str, name: str = NAME) -> Path:
    project(folder)
    (folder / "templates").mkdir()
    (folder / "templates" / name).write_text(text, encoding="utf-8")
    return folder


def test_one_that_replaces_the_shipped_one(tmp_path: Path) -> None:
    folder = with_template(tmp_path, "<h1>{{ title }}</h1>{% for k in kpis %}{{ k.label }}|{% endfor %}")
    done = call(folder, "run", *AS_OF, "--format", "html", "revenue", "number")
    assert done.code == 0, done.all
    assert done.out.startswith("<h1>") and "Revenue|" in done.out and "<style>" not in done.out
    assert call(folder, "run", *AS_OF).code == 0
    assert (folder / "reports" / "monthly.html").read_text().startswith("<h1>The month</h1>")


def test_one_that_extends_a_block(tmp_path: Path) -> None:
    text = '{% extends "cadran/report.html.jinja" %}{% block title %}Acme {{ super() }}{% endblock %}'
    shipped = call(project(tmp_path / "a"), "run", *AS_OF, "--format", "html").out
    done = call(with_template(tmp_path / "b", text), "run", *AS_OF, "--format", "html")
    assert done.code == 0, done.all
    assert "<title>Acme " in done.out
    assert done.out.replace("Acme ", "").split() == shipped.split()


def test_markdown_too(tmp_path: Path) -> None:
    text = '{% extends "cadran/report.md.jinja" %}{% block title %}# Acme{% endblock %}'
    done = call(with_template(tmp_path, text, "report.md.jinja"), "run", *AS_OF, "--format", "markdown")
    assert done.code == 0 and done.out.lstrip().startswith("# Acme")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ kpis.__class__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__ }}",
        "{{ '{0.__class__}'.format(title) }}",
        "{% include '/etc/passwd' %}",
        "{% include '../kpis.yaml' %}",
        "{% include '../data/orders.csv' %}",
        "{% import 'os' as os %}",
        "{{ 'x' * 10**9 }}",
        "{% for i in range(99999999) %}x{% endfor %}",
        "{{ nothing }}",
        "{{ kpis[0].nothing }}",
        "{{ 1 / 0 }}",
        "{% for %}",
        "{{ title | nofilter }}",
        "{% extends 'nobody.html' %}",
    ],
)
def test_what_a_template_may_not_do(tmp_path: Path, text: str) -> None:
    folder = with_template(tmp_path, f"fine\n{text}\n")
    done = call(folder, "run", *AS_OF, "--format", "html")
    assert done.code == 2
    assert f"templates/{NAME}:2:" in done.err
    assert not done.out
    assert not list(tmp_path.glob("**/*.html"))
    assert call(folder, "run", *AS_OF).code == 2  # the declared report needs it too


def test_data_is_escaped(tmp_path: Path) -> None:
    rows = 'id,day,amount,shop,channel\n1,2026-06-01,1,<script>alert(1)</script>,"[x](javascript:y) | `z`"\n'
    from .user import KPIS

    folder = project(tmp_path, KPIS.replace("label: Revenue", "label: '<b>Revenue</b>'"), {"orders": rows})
    page = call(folder, "run", *AS_OF, "--format", "html").out
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>Revenue" not in page
    text = call(folder, "run", *AS_OF, "--format", "markdown").out
    assert "<script>" not in text and "[x](javascript" not in text
