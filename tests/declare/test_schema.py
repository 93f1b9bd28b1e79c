"""The JSON Schema itself, the quick check beside it, and connectors' settings in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cadran import resources
from cadran.declare.document import Document
from cadran.declare.plugged import SECTIONS, Settings
from cadran.declare.quick import compile_schema
from cadran.declare.schema import composed, language, validate
from cadran.declare.shape import is_balanced
from cadran.plugins.kinds import Kind

GOOD = Path(__file__).parents[1] / "documents" / "everything.good.yaml"
SHOP = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"token": {"$ref": "#/$defs/secret"}, "limit": {"type": "integer", "maximum": 5}},
    "$defs": {"secret": {"type": "string"}},
    "required": ["token"],
    "additionalProperties": False,
}


def mappings(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of the schema, with its place."""
    if isinstance(schema, dict):
        yield path, schema
    parts = (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    )
    for name, part in parts:
        yield from mappings(part, f"{path}/{name}")


def test_it_is_a_json_schema_of_its_draft() -> None:
    assert language()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(language())


def test_every_key_is_described() -> None:
    keys = [
        (f"{path}/properties/{name}", part)
        for path, schema in mappings(language())
        for name, part in schema.get("properties", {}).items()
        if not path.endswith("/properties")
    ]
    assert len(keys) > 70
    assert [place for place, part in keys if not part.get("description", "").endswith((".", "[])."))] == []


def test_every_mapping_says_which_keys_it_takes() -> None:
    open_ = [
        path
        for path, part in mappings(language())
        if part.get("type") == "object" and "additionalProperties" not in part
    ]
    assert open_ == ["#/$defs/source", "#/$defs/channel"]  # which their plugins close


def test_a_connectors_settings_are_part_of_the_whole() -> None:
    whole = composed({"connector": {"shop": SHOP}})
    Draft202012Validator.check_schema(whole)
    assert language() == json.loads(resources.schema_file().read_text(encoding="utf-8"))  # left as it was
    text = "version: 1\nsources:\n  a: {connector: shop, limit: 9, tokne: x}\n  b: {connector: other, any: thing}\n"
    assert [str(p) for p in validate(Document.parse(text), {"connector": {"shop": SHOP}})] == [
        "kpis.yaml:3:31: sources.a: 'limit' must be at most 5, not 9",
        "kpis.yaml:3:34: sources.a: unknown key 'tokne'; did you mean 'token'?",
    ]


def test_a_notifiers_settings_are_part_of_the_whole() -> None:
    whole = composed({"connector": {"shop": SHOP}, "notifier": {"shop": {"type": "object"}, "mail": SHOP}})
    Draft202012Validator.check_schema(whole)
    assert whole["$defs"]["channel"]["properties"]["notifier"]["examples"] == ["mail", "shop"]
    text = "version: 1\nchannels:\n  a: {notifier: mail, limit: 9, tokne: x}\n  b: {notifier: shop, any: thing}\n"
    settings_of_both: Settings = {
        "connector": {"shop": SHOP},
        "notifier": {"shop": {"type": "object"}, "mail": SHOP},
    }
    assert [str(p) for p in validate(Document.parse(text), settings_of_both)] == [
        "kpis.yaml:3:30: channels.a: 'limit' must be at most 5, not 9",
        "kpis.yaml:3:33: channels.a: unknown key 'tokne'; did you mean 'token'?",
    ]


@pytest.mark.parametrize(
    "settings_schema",
    [
        {"type": "objekt"},
        {"properties": 3},
        {"$ref": "https://example.com/none"},
        {"properties": {"a": {"pattern": "("}}},
        {"$ref": "#"},
        3,
    ],
)
@pytest.mark.parametrize(("kind", "section"), SECTIONS.items())
def test_a_plugin_with_a_wrong_schema_is_named_and_the_rest_still_checked(
    kind: Kind, section: str, settings_schema: dict[str, Any]
) -> None:
    text = f"version: 1\n{section}: {{a: {{{kind}: odd, a: x}}}}\nkpi: {{}}\n"
    said = [str(p) for p in validate(Document.parse(text), {kind: {"odd": settings_schema}})]
    assert len(said) == 2
    assert f"{section}.a: the {kind} 'odd' describes its settings wrongly: " in said[0]
    assert said[1] == "kpis.yaml:3:1: unknown key 'kpi'; did you mean 'kpis'?"


QUICK = compile_schema(language())
FULL = Draft202012Validator(language())


def test_the_quick_check_accepts_a_good_document() -> None:
    assert QUICK(Document.parse(GOOD.read_text(encoding="utf-8")).data)


POOL = st.sampled_from(
    [None, True, 0, 1, -1, "", " ", "x", "month", "total", "2026-03-01", "EUR", [], ["x"], ["x", "x"], [[]]]
) | st.sampled_from(
    [
        {},
        {"x": 1},
        {"value": 1},
        {"when": "x"},
        {"between": [1, 2]},
        {"fr": "x"},
        {"formula": "x"},
        {"from": "a.b"},
    ]
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*path, name)
        yield from spots(part, (*path, name))


BASE = Document.parse(GOOD.read_text(encoding="utf-8")).data
SPOTS = sorted(spots(BASE), key=str)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spot=st.sampled_from(SPOTS), value=POOL, name=st.sampled_from(["", "x", "formula", "value"]))
def test_the_quick_check_never_accepts_what_the_schema_refuses(
    spot: tuple[Any, ...], value: Any, name: str
) -> None:
    data = copy.deepcopy(BASE)
    here = data
    for part in spot[:-1]:
        here = here[part]
    if name and isinstance(here, dict):
        here[name] = value
    else:
        here[spot[-1]] = value
    assert QUICK(data) == FULL.is_valid(data)


@pytest.mark.parametrize(
    "keyword", ["not", "oneOf", "prefixItems", "maxProperties", "patternProperties", "unevaluatedProperties"]
)
def test_what_the_quick_check_does_not_know_is_left_to_the_validator(keyword: str) -> None:
    assert not compile_schema({keyword: {}})("x")


@pytest.mark.parametrize(
    ("text", "balanced"),
    [
        ("a(b, c)", True),
        ("a(b", False),
        ("c)", False),
        ("'('", True),
        ("'it''s (", False),
        ("(]", False),
        ("", True),
    ],
)
def test_brackets_and_quotes(text: str, balanced: bool) -> None:
    assert is_balanced(text) is balanced
