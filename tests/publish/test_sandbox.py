"""What a template must not be able to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadran.problems import ProblemsFound
from cadran.publish import allowance
from cadran.publish.report import Kind, render
from cadran.publish.sandbox import escape_markdown, json_inside, markdown_code

from . import fakes


def attempt(folder: Path, text: str) -> str:
    (folder / "report.html.jinja").write_text(text)
    return render(
        fakes.results(), fakes.declaration(folder), locale="en", template_folders=[folder, fakes.TEMPLATES]
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ kpis|map(attribute='__class__')|first }}",
        "{{ kpis|sort(attribute='__class__.__name__') }}",
        "{{ kpis[0].__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(title) }}",
        "{{ '{0.__class__.__init__.__globals__}'|format(title) ~ ''.format.__self__ }}",
        "{{ '{x.__class__}'.format_map({'x': title}) }}",
        "{{ ('{0.__class' ~ '__}').format(kpis) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ joiner.__call__.__globals__ }}",
        "{{ gettext.__globals__ }}",
        "{{ _.__closure__ }}",
        "{{ kpis[0].chart.__html__.__globals__ }}",
        "{{ _('%(x)9999999999s', x='a') }}",
        "{{ ngettext('%(num)9999999999d', 'x', 1) }}",
        "{{ namespace.__class__ }}",
        "{{ {'a': 1}.update({'a': 'b'}) }}",
        "{{ [].append(1) }}",
        "{{ range(10**9)|list }}",
        "{{ range(1000000)|length }}",
        "{{ 'a' * 10**9 }}",
        "{{ 10**9 * 'a' }}",
        "{{ [0] * 10**9 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{:>{}}'.format(1, 1000000000) }}",
        "{{ 'a'.center(1000000000) }}",
        "{{ 'a'['rjust'](1000000000) }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ 'a'|indent(1000000000) }}",
        "{{ ('\\t'*10000).expandtabs(900000) }}",
        "{{ ('x'*900000).translate({120: 'y'*900000}) }}",
        "{{ ('x\\n'*400000)|indent('z'*90000) }}",
        "{{ ('a b '*200000)|wordwrap(1, wrapstring='z'*90000) }}",
        "{{ ('%s'*100000)|format(*(['x'*90000]*100000)) }}",
        "{{ ('%s'*100000) % ('x'*90000) }}",
        "{{ ('{0}'*100000).format('x'*90000) }}",
        "{{ ['x'*90000]*100000 }}",
        "{{ [1]|slice(100000000)|list }}",
        "{% set ns = namespace(t='x'*1000) %}{% for _ in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(t=[1]) %}{% for _ in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{{ lipsum(1000000) }}",
        "{% include '../kpis.yaml' %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ open('/etc/passwd') }}",
        "{{ declaration.secrets }}",
    ],
)
def test_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProblemsFound) as caught:
        attempt(tmp_path, f"\n{text}")
    (found,) = caught.value.problems
    assert found.code.removeprefix("template-") in ("unsafe", "too-much", "unknown-name", "missing", "failed")
    assert found.where is not None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ '%s of %s'|format(3, 12000000) }}", "3 of 12000000"),
        ("{{ '%s' % '12345678' }}", "12345678"),
        ("{{ '{} {}'.format(title, 12000000) }}", "Key figures 12000000"),
        ("{{ 'ab' * 2 }}{{ 2 ** 10 }}{{ 3 * 4 }}", "abab102412"),
        ("{{ '7'.rjust(3, '0') }}{{ 'a'|center(3) }}", "007 a "),
        ("{% for i in range(3) %}{{ loop.index }}{% endfor %}", "123"),
        ("{{ kpis|map(attribute='label')|first }}", "Lead conversion rate"),
    ],
)
def test_allowed(tmp_path: Path, text: str, shown: str) -> None:
    assert attempt(tmp_path, text) == shown


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("a | b", r"a \| b"),
        ("a\nb\r\nc\u2028d", "a b c d"),
        ("`x` *y* _z_ ~w~", r"\`x\` \*y\* \_z\_ \~w\~"),
        ("snake_case", "snake_case"),
        ("[a](b)", r"\[a\](b)"),
        ("<b>&amp;", "&lt;b>&amp;amp;"),
        ("> quote", r"\> quote"),
        ("a > b", "a > b"),
        ("R&D", "R&D"),
        ("# title", r"\# title"),
        ("- item", r"\- item"),
        ("+ item", r"\+ item"),
        ("---", r"\---"),
        ("1. one", r"1\. one"),
        ("2026) x", r"2026\) x"),
        ("-5", "-5"),
        ("12.5", "12.5"),
        ("  # x", r"  \# x"),
        ("back\\slash", "back\\\\slash"),
        (12, "12"),
    ],
)
def test_markdown_values(value: object, escaped: str) -> None:
    assert escape_markdown(value) == escaped


@pytest.mark.parametrize(
    ("text", "span"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a\n b", "`a b`"), ("a | b", "`a | b`")],
)
def test_markdown_code(text: str, span: str) -> None:
    assert markdown_code(text) == span


def test_markdown_code_in_a_table() -> None:
    assert markdown_code("a | b", table=True) == r"`a \| b`"


# --- texts in the reader's language --------------------------------------------------------------------------------


def said(folder: Path, text: str, name: str = "own.html.jinja") -> str:
    (folder / name).write_text(text)
    report = replace(fakes.weekly_sales(), template=fakes.text(name))
    kind: Kind = "markdown" if ".md" in name else "html"
    return render(
        fakes.results(), fakes.declaration(folder), report=report, kind=kind, locale="fr",
        template_folders=[folder, fakes.TEMPLATES],
    )  # fmt: skip


def test_a_template_says_its_texts_in_the_readers_language(tmp_path: Path) -> None:
    assert said(tmp_path, "{{ _('Target') }} {{ _('Ours') }}") == "Objectif Ours"
    assert said(tmp_path, "{% trans %}Data quality{% endtrans %}") == "Qualité des données"
    assert (
        said(tmp_path, "{{ ngettext('%(num)s row was set aside', '%(num)s rows were set aside', 2) }}")
        == "2 lignes ont été écartées"
    )


def test_values_in_texts_are_escaped(tmp_path: Path) -> None:
    text = "{% trans x='<b>|*' %}at {{ x }}{% endtrans %} {{ _('%(what)s: %(value)s', what='<i>', value=1) }}"
    assert said(tmp_path, text) == "at &lt;b&gt;|* &lt;i&gt; : 1"
    assert said(tmp_path, text, "own.md.jinja") == r"at &lt;b>\|\* &lt;i> : 1"


# --- what does not come to an end --------------------------------------------------------------------------------------

ENDLESS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a macro that calls itself twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "a text that doubles": "{% set n = namespace(x='ab') %}{% for i in range(80) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "a macro that doubles": "{% macro d(x) %}{{ x }}{{ x }}{% endmacro %}{% set n = namespace(x='ab') %}"
    "{% for i in range(80) %}{% set n.x = d(n.x) %}{% endfor %}",
    "joined": "{% set n = namespace(x='ab') %}{% for i in range(80) %}{% set n.x = [n.x, n.x]|join %}{% endfor %}",
    "joined by a method": "{% set n = namespace(x='ab') %}{% for i in range(80) %}{% set n.x = n.x.join(['', n.x, n.x]) %}{% endfor %}",
    "replaced": "{% set n = namespace(x='aa') %}{% for i in range(80) %}{% set n.x = n.x|replace('a', n.x) %}{% endfor %}",
    "replaced by a method": "{% set n = namespace(x='aa') %}{% for i in range(80) %}{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
}  # fmt: skip


@pytest.mark.parametrize("case", ENDLESS)
def test_what_does_not_come_to_an_end_is_stopped_at_its_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "MOST_ROUNDS", 20_000)
    with pytest.raises(ProblemsFound) as caught:
        attempt(tmp_path, "\n" + ENDLESS[case])
    [problem] = caught.value.problems
    assert (problem.code, problem.where and problem.where.line) == ("template-too-much", 2)
    assert problem.hint == "a loop may be out of hand"


def test_a_slow_template_is_stopped_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_SECONDS", 0.0)
    with pytest.raises(ProblemsFound, match="longer than 0 seconds"):
        attempt(tmp_path, "{% for a in range(9999) %}{% endfor %}")


@given(st.text())
def test_no_value_ends_a_string_of_json(text: str) -> None:
    assert json.loads(f'"{json_inside(text)}"') == text
