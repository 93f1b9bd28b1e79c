"""Whatever stands in the file: the answer is a declaration or problems, never a traceback."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cadran.declare.load import load
from cadran.declare.schema import language
from cadran.problem_formats import FORMATS, render
from cadran.problems import errors

from .fakes import Installed

GOOD = (Path(__file__).parents[1] / "documents" / "everything.good.yaml").read_text(encoding="utf-8")
ENVIRONMENT = {"SHOP_TOKEN": "correct-horse-battery"}
INSTALLED = Installed(
    {
        "files": {"type": "object", "properties": {"path": {"type": "string"}}},
        "shop": {"type": "object", "oneOf": [{"required": ["token"]}, {"required": ["key"]}]},
    },
    {"file": {"type": "object", "properties": {"path": {"type": "string"}}}},
)


def keys_of(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*map(keys_of, schema.values()))
    return set().union(*map(keys_of, schema)) if isinstance(schema, list) else set()


KEYS = sorted(
    keys_of(language()) | {"orders", "customers", "revenue", "tests", "2026-01-01", "total", "x y", "é"}
)
WORDS = [
    *("files", "files.orders", "day", "month", "2026-Q1", "9999-12-31", "9999", "5%", "up", "EUR", "3 days"),
    *("${SHOP_TOKEN}", "${NONE}", "${", "tag:x", "last week", "count(orders)", "coalesce(a, b)", "value < 3"),
    *("*", "[", "../x", "parts/**", "~root", "\0", "9" * 400, "-" * 300),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3000),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(KEYS + WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def check(folder: Path, text: str) -> None:
    file = folder / "kpis.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    was_on = gc.isenabled()
    declaration, problems = load(file, environ=ENVIRONMENT, plugins=INSTALLED)
    assert declaration is not None or errors(problems)
    assert gc.isenabled() is was_on
    for form in FORMATS:
        said = render(problems, form, folder=folder)
        assert ENVIRONMENT["SHOP_TOKEN"] not in said
    for problem in problems:
        assert problem.where is not None
        assert problem.where.line >= 1 and problem.where.column >= 1 and problem.where.width >= 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), flow=st.booleans())
def test_random_structures(folder: Path, data: dict[str, Any], flow: bool) -> None:
    check(folder, yaml.safe_dump({"version": 1} | data, default_flow_style=flow, allow_unicode=True))


@st.composite
def with_one_value_changed(draw: st.DrawFn) -> str:
    """The good document, with one value anywhere replaced, renamed or removed."""
    data = yaml.load(GOOD, yaml.BaseLoader)
    here = data
    while True:
        key = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        value = here[key]
        if isinstance(value, dict | list) and value and draw(st.integers(0, 3)):
            here = value
            continue
        change = draw(st.sampled_from(["replace", "remove", "rename"]))
        if change == "replace":
            here[key] = draw(VALUES)
        else:
            removed = here.pop(key)
            if change == "rename" and isinstance(here, dict):
                here[draw(st.sampled_from(KEYS))] = removed
        return json.dumps(data)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=with_one_value_changed())
def test_changed_values(folder: Path, text: str) -> None:
    check(folder, text)


SCRAPS = [
    "\t",
    " ",
    "\n",
    "\n\n  ",
    ":",
    ": ",
    "- ",
    ",",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "#",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
]
SCRAPS += [
    "\\",
    "%",
    "@",
    "---\n",
    "...\n",
    "\x00",
    "\x07",
    "\u2028",
    "\ufeff",
    "é",
    "👍",
    "? ",
    "<<: ",
    "${",
    "\r",
    "\ud800",
]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, len(GOOD)), st.integers(0, 12), st.sampled_from(SCRAPS) | st.text(max_size=3)
        ),
        min_size=1,
        max_size=3,
    )
)
def test_changed_text(folder: Path, edits: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for at, removed, added in edits:
        text = text[:at] + added + text[at + removed :]
    check(folder, text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 5_000,
        "- " * 5_000 + "x",
        "\n".join(" " * i + f"k{i}:" for i in range(3_000)),
        "version: 1\nkpis: &a {a: &b {b: &c {c: *a}}}",
        "a: " + "9" * 10_000,
        "version: 1\nkpis: {x: 1e999999999}",
        "&a [&b [&c [*c]]]",
        "*a",
    ],
    ids=["brackets", "braces", "dashes", "steps", "circle", "digits", "exponent", "anchors", "alias"],
)
def test_hostile_files(folder: Path, text: str) -> None:
    check(folder, text)
