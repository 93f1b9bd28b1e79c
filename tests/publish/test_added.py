"""Filters and blocks of plugins: shown, escaped, kept within the sandbox, and every fault with its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.problems import ProblemsFound
from cadran.publish import allowance
from cadran.publish.report import render
from cadran.resources import template_folders

PLUGIN = """
from cadran.plugins import *
from markupsafe import Markup
class Odd:
    def leave(self): return open
FILTERS = {
    "loud": lambda text, mark="!": str(text).upper() + mark,
    "bold": lambda text: Markup(f"<b>{text}</b>"),
    "raises": lambda text: 1 / 0,
    "odd": lambda text: Odd(),
    "call": lambda text: len,
    "long": lambda text: "x" * 70_000_000,
    "parts": lambda text: {"first": text[:1], "all": list(text), 3: None},
}
BLOCKS = {
    "best": Block(
        {"html": "<section>{{ label | loud }} {{ bad }} {{ as_of_text }}</section>\\n", "markdown": "**{{ label }}** {{ bad }}"},
        lambda context: {"label": context["kpis"][0].label, "bad": "<i>*_"}),
    "plain": Block({"html": "<p>{{ title }}</p>"}),
    "frozen": Block({"html": "x"}, lambda context: context.update(x=1)),
    "raises": Block({"html": "x"}, lambda context: {"x": 1 / 0}),
    "typo": Block({"html": "a\\n{{ titel }}"}),
    "syntax": Block({"html": "one\\n{% if %}"}),
    "filters": Block({"html": "{{ title | lout }}"}),
    "unsafe": Block({"html": "{{ title.__class__.__mro__ }}"}),
    "endless": Block({"html": "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}"}),
    "itself": Block({"html": "{{ block('itself') }}"}),
    "around": Block({"html": "[{{ block('plain') }}]"}),
}
@hookimpl
def cadran_filters(): return [FilterEntry(name, lambda f=f: f) for name, f in FILTERS.items()]
@hookimpl
def cadran_blocks(): return [BlockEntry(name, lambda b=b: b) for name, b in BLOCKS.items()]
"""
PROJECT = """\
version: 1
plugins: ./local_plugins/words.py
sources: {files: {connector: files, path: data}}
datasets: {orders: {from: files.orders, key: id, date: day}}
kpis: {sales: {label: "Sales & <more>", formula: sum(orders.amount), period: month}}
reports: {monthly: {title: The month, %s}}
"""
Shown = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("added")
    for name, text in (
        ("data/orders.csv", "id,day,amount\n1,2026-01-05,10.50\n"),
        ("local_plugins/words.py", PLUGIN),
        ("kpis.yaml", PROJECT % "period: last"),
    ):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> cadran.Results:
    """One run for all tests: what is shown of it is theirs."""
    return cadran.open(folder).run(as_of=dt.date(2026, 2, 1))


@pytest.fixture
def project(folder: Path) -> Callable[..., cadran.Project]:
    def made(report: str = "", template: str = "") -> cadran.Project:
        if template:
            (folder / "templates").mkdir(exist_ok=True)
            (folder / "templates" / "mine.html.jinja").write_text(template)
            report = ", ".join(filter(None, ("template: mine.html.jinja", report)))
        (folder / "kpis.yaml").write_text(PROJECT % report)
        return cadran.open(folder)

    return made


@pytest.fixture
def shown(project: Callable[..., cadran.Project], results: cadran.Results) -> Shown:
    """A report's text."""

    def text(report: str = "", template: str = "", kind: Any = "html") -> str:
        declaration, problems = project(report, template).declaration()
        assert declaration is not None and problems == []
        folders = template_folders(declaration.folder)
        of = declaration.reports["monthly"]
        return render(results, declaration, report=of, kind=kind, template_folders=folders)

    return text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ title | loud }}", "THE MONTH!"),
        ("{{ title | loud('?') }}", "THE MONTH?"),
        ("{{ kpis[0].label | loud }}", "SALES &amp; &lt;MORE&gt;!"),
        ("{{ kpis | map(attribute='name') | map('loud') | join }}", "SALES!"),
        ("{{ title | bold }}", "&lt;b&gt;The month&lt;/b&gt;"),  # what calls itself safe is text all the same
        ("{{ (title | parts).first }}{{ (title | parts)['3'] }}", "TNone"),
        ("{{ block('plain') }}", "<p>The month</p>"),
        ("{{ block('around') }}", "[<p>The month</p>]"),
    ],
)
def test_what_a_template_shows(template: str, text: str, shown: Shown) -> None:
    assert shown(template=template) == text


def test_a_report_shows_the_blocks_that_it_names_in_their_order(shown: Shown) -> None:
    page = shown("blocks: [best, plain]")
    best = "<section>SALES &amp; &lt;MORE&gt;! &lt;i&gt;*_ February 1, 2026</section>"
    assert page.index(best) < page.index("<p>The month</p>") < page.index('id="quality"')
    assert shown("blocks: best").count(best) == 1
    assert best not in shown()


def test_a_block_in_markdown_is_made_safe_as_markdown(shown: Shown) -> None:
    assert "**Sales & &lt;more>** &lt;i>\\*\\_" in shown("blocks: best", kind="markdown")


FAULTS = {
    "{{ title | raises }}": ("template-failed", "the filter 'raises' of ./local_plugins/words.py {v} failed: ZeroDivisionError: division by zero"),
    "{{ title | odd }}": ("template-unsafe", "the filter 'odd' of ./local_plugins/words.py {v} gives a Odd, which is no plain value"),
    "{{ title | call }}": ("template-unsafe", "the filter 'call' of ./local_plugins/words.py {v} gives a builtin_function_or_method, which is no plain value"),
    "{{ title | long }}": ("template-too-much", "the texts that the template puts together are too long"),
    "{{ title | lout }}": ("template-syntax", "No filter named 'lout'."),
    "{{ block('bst') }}": ("template-failed", "there is no block 'bst'"),
    "{{ block('frozen') }}": ("template-failed", "the block 'frozen' of ./local_plugins/words.py {v} failed: AttributeError: 'mappingproxy' object has no attribute 'update'"),
    "{{ block('raises') }}": ("template-failed", "the block 'raises' of ./local_plugins/words.py {v} failed: ZeroDivisionError: division by zero"),
    "{{ block('typo') }}": ("template-unknown-name", "the block 'typo' of ./local_plugins/words.py {v}: unknown name 'titel'"),
    "{{ block('syntax') }}": ("template-syntax", "the block 'syntax' of ./local_plugins/words.py {v}, line 2: Expected an expression, got 'end of statement block'"),
    "{{ block('unsafe') }}": ("template-unsafe", "the block 'unsafe' of ./local_plugins/words.py {v}: access to attribute '__class__' of 'str' object is unsafe."),
    "{{ block('itself') }}": ("template-failed", "the block 'itself' of ./local_plugins/words.py {v}: the block 'itself' shows itself"),
    "{{ block('best').__class__ }}": ("template-unsafe", "access to attribute '__class__' of 'Markup' object is unsafe."),
}  # fmt: skip


@pytest.mark.parametrize("template", FAULTS)
def test_a_fault_is_a_problem_of_the_template_that_called(template: str, shown: Shown) -> None:
    with pytest.raises(ProblemsFound) as caught:
        shown(template=f"one\n{template}")
    (problem,) = caught.value.problems
    code, message = FAULTS[template]
    head, _, tail = message.partition("{v}")
    assert problem.code == code
    assert problem.message.startswith(head) and problem.message.endswith(tail)
    assert problem.where is not None and (problem.where.file, problem.where.line) == ("templates/mine.html.jinja", 2)  # fmt: skip


@pytest.mark.parametrize("block", ["typo", "raises", "unsafe", "syntax", "itself"])
def test_an_error_in_a_block_stands_where_the_report_names_it(block: str, shown: Shown) -> None:
    with pytest.raises(ProblemsFound) as caught:
        shown(f"blocks: [plain, {block}]")
    (problem,) = caught.value.problems
    assert str(problem.where) == "kpis.yaml:6:55"
    assert problem.message.startswith(f"the block '{block}' of ./local_plugins/words.py ")


def test_a_block_that_does_not_end_is_stopped(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_ROUNDS", 1_000)
    with pytest.raises(ProblemsFound, match="takes more than 1 000 rounds"):
        shown("blocks: endless")


CHECKED = {
    "blocks: bst": "kpis.yaml:6:47: unknown block 'bst'; did you mean 'best'?",
    "blocks: plain, format: [html, markdown]": "kpis.yaml:6:47: the block 'plain' of ./local_plugins/words.py {v} has nothing for Markdown; leave the format or the block out",
    "blocks: [plain, syntax]": "kpis.yaml:6:55: the block 'syntax' of ./local_plugins/words.py {v}, line 2: Expected an expression, got 'end of statement block'; its author can put that right",
    "blocks: filters": "kpis.yaml:6:47: the block 'filters' of ./local_plugins/words.py {v}, line 1: No filter named 'lout'.; its author can put that right",
    "blocks: 3": "kpis.yaml:6:47: 'blocks' must be a list of blocks, not 3",
}  # fmt: skip


@pytest.mark.parametrize("report", CHECKED)
def test_what_can_be_said_before_there_are_values(
    report: str, project: Callable[..., cadran.Project]
) -> None:
    (problem,) = project(report).check()
    head, _, tail = CHECKED[report].partition("{v}")
    said = f"{problem.where}: {problem.message}; {problem.hint}".rstrip("; ")
    assert said.startswith(head) and said.endswith(tail), said


@pytest.mark.parametrize("name", ["upper", "code", "no name"])
def test_a_filter_under_a_name_that_templates_have(name: str, project: Callable[..., cadran.Project]) -> None:
    made = project()
    plugin = made.file.parent / "local_plugins" / "words.py"
    before = plugin.read_text()
    plugin.write_text(before.replace('"loud"', repr(name)))
    (problem,) = made.check()
    plugin.write_text(before)
    assert str(problem.where) == "kpis.yaml:2:10" and f"the filter '{name}' of" in problem.message
