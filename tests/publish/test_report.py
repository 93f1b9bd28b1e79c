"""The shipped templates: goldens, escaping, self-containment; and teams' own templates with their mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cadran.declare.model import Declaration, Report
from cadran.problems import Problem, ProblemsFound
from cadran.publish.report import Kind, render

from . import fakes

Golden = Callable[[str, str], None]


def shipped(kind: Kind = "html", report: Report | None = None, locale: str = "fr") -> str:
    return render(
        fakes.results(),
        fakes.declaration(),
        report=report or fakes.weekly_sales(),
        kind=kind,
        locale=locale,
        template_folders=[fakes.TEMPLATES],
    )


class Outline(HTMLParser):
    """Tags in order; fails on a tag that is not closed where it should be."""

    VOID = frozenset(["meta", "br", "link", "img", "input", "hr"])

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert not parser.open
    return parser


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_markdown_report(matches: Golden, locale: str) -> None:
    matches(f"report_{locale}.md", shipped("markdown", locale=locale))


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_html_report(matches: Golden, locale: str) -> None:
    text = shipped(report=fakes.acquisition(), locale=locale)
    text = re.sub(r"(?s)<style>.*</style>", "<style></style>", text)
    # What Vega draws is held by test_charts.py; here, only what it says.
    text = re.sub(r'(?s)(<svg class="ck-chart.*?</desc>).*?</svg>', r"\1</svg>", text)
    matches(f"report_{locale}.html", text)


def test_html_is_well_formed_and_tells_its_language() -> None:
    tags = outline(shipped()).tags
    assert ("html", {"lang": "fr"}) in tags
    assert [tag for tag, _ in tags].count("h1") == 1
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for tag, attrs in tags if tag in ("a", "use")]
    assert {link[1:] for link in links} <= set(ids)


def test_html_stands_alone() -> None:
    text = shipped()
    tags = [tag for tag, _ in outline(text).tags]
    assert not {"script", "link", "img", "iframe", "object"} & set(tags)
    assert "url(" not in text
    assert "@import" not in text
    assert set(re.findall(r"https?://[^\"'< )]+", text)) == {"http://www.w3.org/2000/svg"}


def test_html_escapes_data() -> None:
    text = shipped()
    assert "<img" not in text
    assert "<script" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert "<b>clients</b>" not in text


def test_markdown_escapes_data() -> None:
    text = shipped("markdown")
    assert "<img" not in text
    assert "<script" not in text
    assert r"Zoé \| Müller" in text
    assert r"\`Nord\` # Sud" in text
    assert r"\[note\](javascript" in text
    assert "``count(surveys) filter (where score >= 4 and note <> '`|`') / count(surveys.score)``" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (4, 6, 7, 8)


def test_thirty_kpis_stay_small() -> None:
    project, results = fakes.declaration(), fakes.results()
    names = [f"{name}_{i}" for i in range(3) for name in project.kpis if name != "won_deals"][:30]
    kpis = {n: replace(project.kpis[n.rpartition("_")[0]], name=n, read_with=()) for n in names}
    rows = tuple(
        replace(r, kpi=n) for n in names for r in results.rows if r.kpi == n.rpartition("_")[0]
    )  # fmt: skip
    text = render(
        replace(results, rows=rows), replace(project, kpis=kpis), template_folders=[fakes.TEMPLATES]
    )
    assert len(text.encode()) < 500_000


def test_the_quarantine_is_told_in_both() -> None:
    assert "6 rows were set aside" in shipped(locale="en")
    assert "6 rows were set aside" in shipped("markdown", locale="en")


# --- teams' templates ------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Declaration:
    (tmp_path / "templates").mkdir()
    return fakes.declaration(tmp_path)


def own(project: Declaration, text: str, name: str = "report.html.jinja", kind: Kind = "html") -> str:
    folder = project.folder / "templates"
    (folder / name).write_text(text)
    report = replace(fakes.weekly_sales(), template=fakes.text(name))
    return render(
        fakes.results(),
        project,
        report=report,
        kind=kind,
        locale="en",
        template_folders=[folder, fakes.TEMPLATES],
    )


def problem(project: Declaration, text: str, name: str = "own.html.jinja") -> Problem:
    with pytest.raises(ProblemsFound) as caught:
        own(project, text, name)
    (found,) = caught.value.problems
    return found


def test_a_team_template_of_the_same_name_can_extend_the_shipped_one(project: Declaration) -> None:
    text = own(
        project,
        '{% extends "cadran/report.html.jinja" %}\n'
        "{% block title %}Ours{% endblock %}\n"
        "{% block tiles %}{% for kpi in kpis %}{{ parts.status(kpi.status, kpi.label) }}{% endfor %}{% endblock %}",
    )
    assert "<title>Ours</title>" in text
    assert 'class="tile"' not in text
    assert "In detail" in text
    outline(text)


def test_a_team_template_of_another_name_can_extend_too(project: Declaration) -> None:
    text = own(
        project, '{% extends "report.html.jinja" %}{% block footer %}Bye{% endblock %}', "weekly.html.jinja"
    )
    assert text.rstrip().endswith("Bye</body>\n</html>")


def test_a_template_of_the_other_kind_does_not_apply(project: Declaration) -> None:
    assert own(project, "just this", "own.html.jinja", "markdown").startswith("# Sales: the month in figures")
    assert own(project, "{{ title }}", "own.md.jinja", "markdown") == "Sales: the month in figures"


def test_a_team_markdown_template_is_escaped_without_its_doing(project: Declaration) -> None:
    text = own(
        project,
        "{% macro cell(x) %}| {{ x }} |{% endmacro %}{{ cell(kpis[6].label) }} {{ '<u>'|safe }}",
        "own.md.jinja",
        "markdown",
    )
    assert (
        text
        == r"| Satisfaction &lt;b>clients&lt;/b> & \| \*fidélité\* : la part des réponses de 4 ou 5 sur 5 | <u>"
    )


def test_a_missing_template_is_a_problem_with_a_hint(project: Declaration) -> None:
    report = replace(fakes.weekly_sales(), template=fakes.text("reprt.html.jinja"))
    with pytest.raises(ProblemsFound) as caught:
        render(fakes.results(), project, report=report, template_folders=[fakes.TEMPLATES])
    (found,) = caught.value.problems
    assert found.code == "template-missing"
    assert found.hint == "did you mean 'report.html.jinja'?"
    assert found.where is not None


def test_a_missing_parent_is_a_problem_at_its_line(project: Declaration) -> None:
    found = problem(project, '\n{% extends "bse.html.jinja" %}')
    assert found.code == "template-missing"
    assert str(found.where) == "templates/own.html.jinja:2:1"


def test_a_syntax_error_has_its_line(project: Declaration) -> None:
    found = problem(project, "one\ntwo {% for kpi in %}\n")
    assert (found.code, str(found.where)) == ("template-syntax", "templates/own.html.jinja:2:1")
    assert found.message


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("\n{{ titel }}", "unknown name 'titel'", "did you mean 'title'?"),
        ("\n{{ kpis[0].lable }}", "KpiBlock has no 'lable'", "did you mean 'label'?"),
        ("\n{{ {'summary': 1}.sumary }}", "there is no 'sumary' here", "did you mean 'summary'?"),
        ("\n{% for k in kpis %}{{ k.value.zzz }}{% endfor %}", "Figure has no 'zzz'", "there is raw, text, short, title"),
        ("\n{{ title.x }}", "a str has no 'x'", ""),
        ("\n{% if titel %}{% endif %}", "unknown name 'titel'", "did you mean 'title'?"),
    ],
)  # fmt: skip
def test_an_unknown_name_has_its_line_and_a_hint(
    project: Declaration, text: str, message: str, hint: str
) -> None:
    found = problem(project, text)
    assert (found.code, found.message, found.hint) == ("template-unknown-name", message, hint)
    assert str(found.where) == "templates/own.html.jinja:2:1"


@pytest.mark.parametrize(
    "text", ["\n{{ 1 / 0 }}", "\n{{ title + 1 }}", "\n{{ [].pop() }}", "\n{{ title|round }}"]
)
def test_what_fails_while_rendering_has_its_line(project: Declaration, text: str) -> None:
    found = problem(project, text)
    assert found.code in ("template-failed", "template-unsafe")
    assert str(found.where) == "templates/own.html.jinja:2:1"


IN_VAIN = {
    "a misspelt block": (
        "{% extends 'report.html.jinja' %}\n\n{% block sumary %}x{% endblock %}",
        (3, "the template that this one extends has no block 'sumary', so it would not be shown; did you mean 'summary'?"),
    ),
    "text outside of blocks": (
        "{% extends 'report.html.jinja' %}\n{% set x = 1 %}\n\n<p>mine</p>\n{% block title %}{% block mine %}{% endblock %}{% endblock %}",
        (4, "what stands outside of blocks is not shown by a template that extends another one; put it inside a block"),
    ),
    "a call outside of blocks": (
        "{% extends 'report.html.jinja' %}\n{% call tables.frame([]) %}{% endcall %}",
        (2, "what stands outside of blocks is not shown"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_VAIN)
def test_what_a_template_says_in_vain(tmp_path: Path, what: str) -> None:
    text, (line, said) = IN_VAIN[what]
    (tmp_path / "own.html.jinja").write_text(text, encoding="utf-8")
    own = replace(fakes.weekly_sales(), template=fakes.text("own.html.jinja"))
    with pytest.raises(ProblemsFound) as found:
        render(fakes.results(), fakes.declaration(), report=own, template_folders=[tmp_path, fakes.TEMPLATES])
    (problem,) = found.value.problems
    assert problem.where is not None
    assert problem.where.line == line
    assert f"{problem.message}; {problem.hint}".startswith(said)


def test_blocks_of_a_template_in_between_are_known(tmp_path: Path) -> None:
    (tmp_path / "base.html.jinja").write_text(
        "{% extends 'report.html.jinja' %}{% block summary %}{% block house %}{% endblock %}{% endblock %}"
    )
    (tmp_path / "own.html.jinja").write_text(
        "{# ours #}\n{% extends 'base.html.jinja' %}\n{% block house %}our house{% endblock %}\n"
    )
    own = replace(fakes.weekly_sales(), template=fakes.text("own.html.jinja"))
    folders = [tmp_path, fakes.TEMPLATES]
    assert "our house" in render(fakes.results(), fakes.declaration(), report=own, template_folders=folders)
