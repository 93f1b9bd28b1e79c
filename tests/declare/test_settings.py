"""``${NAME}`` in values, and keeping them out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings
from cadran.declare.resolvers import Resolvers
from cadran.declare.settings import Given, mask, replace_settings
from declare.fakes import NOTHING

ENVIRONMENT = {"USER": "ann", "EMPTY": "", "URL": "postgres://ann:s%40cret!@db.example.com/x?token=abcdefgh1"}


def replaced(text: str) -> tuple[object, list[str], set[str]]:
    document, given = Document.parse(text), Given(ENVIRONMENT, Resolvers(NOTHING), Findings())
    replace_settings(document, given, Path())
    return document.data, [str(p) for p in given.found.problems], given.secrets


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${USER}", "ann"),
        ("x-${USER}-${USER}", "x-ann-ann"),
        ("${NONE:-}", ""),
        ("${NONE:-a b}", "a b"),
        ("${EMPTY:-x}", "x"),
        ("${EMPTY}", ""),
        ("${USER:-x}", "ann"),
        ("$${USER}", "${USER}"),
        ("$USER $$ $", "$USER $$ $"),
    ],
)
def test_values(written: str, value: str) -> None:
    data, problems, _ = replaced(f"a: ['{written}']")
    assert (data, problems) == ({"a": [value]}, [])


def test_keys_and_comments_are_left_alone() -> None:
    data, problems, secrets = replaced("${USER}: x # ${NONE}")
    assert (data, problems, secrets) == ({"${USER}": "x"}, [], set())


def test_only_what_comes_from_the_environment_is_secret() -> None:
    assert replaced("a: ${USER}\nb: ${NONE:-open}")[2] == {"ann"}


def test_all_unset_ones_are_named_with_their_place() -> None:
    _, problems, _ = replaced("sources:\n  a: {url: 'x${NONE}', b: '${-}'}\n")
    assert [p.split(";")[0] for p in problems] == [
        "kpis.yaml:2:14: sources.a: the setting NONE is not set",
        "kpis.yaml:2:28: sources.a: '${-}' is not a setting",
    ]


def test_a_place_inside_a_replaced_value_is_where_it_starts() -> None:
    document = Document.parse("a: ${USER} + long text")
    replace_settings(document, Given(ENVIRONMENT, Resolvers(NOTHING), Findings()), Path())
    assert Place(document, ("a",)).position(3, 4).column == 4


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token correct-horse refused", "correct-horse"),
        ("cannot reach postgres://ann:s%40cret!@db.example.com/x?token=abcdefgh1", ENVIRONMENT["URL"]),
        ("password s@cret! is wrong", ENVIRONMENT["URL"]),
        ("bad token abcdefgh1", ENVIRONMENT["URL"]),
        ("GET /?key=a%20b%2Fcdefg", "a b/cdefg"),
        ("GET /?key=a+b%2Fcdefg", "a b/cdefg"),
        ('{"key": "say \\"secret\\""}', 'say "secret"'),
        ("user ann failed", "ann"),
        ("-----BEGIN KEY-----", "-----BEGIN KEY-----\nabcdefghij\n"),
    ],
)
def test_masking(text: str, secret: str) -> None:
    said = mask(text, {secret})
    assert "***" in said
    assert secret not in said
    for part in ("s@cret", "s%40cret", "abcdefgh1", "horse"):
        assert part not in said


def test_short_values_do_not_garble_other_words() -> None:
    assert mask("the annual plan of ann", {"ann"}) == "the annual plan of ***"
    assert mask("eu and a", {"eu", "a", ""}) == "eu and a"


@pytest.mark.parametrize(
    ("name", "there", "hint"),
    [
        ("PIPEDRIVE_COMPANY", "PIPEDRIVE_TOKEN", ""),
        ("SHOP_DATABASE_HOST", "SHOP_DATABASE_PORT", ""),
        ("SALESFORCE_CLIENT_SECRET", "SALESFORCE_CLIENT_ID", ""),
        ("HUBSPOT_TOKN", "HUBSPOT_TOKEN", "did you mean 'HUBSPOT_TOKEN'?"),
        ("HUBSPOTTOKEN", "HUBSPOT_TOKEN", "did you mean 'HUBSPOT_TOKEN'?"),
        ("hubspot_token", "HUBSPOT_TOKEN", "did you mean 'HUBSPOT_TOKEN'?"),
    ],
)
def test_only_a_slip_is_taken_for_another_variable(name: str, there: str, hint: str) -> None:
    document = Document.parse(f"a: ${{{name}}}")
    given = Given({there: "x"}, Resolvers(NOTHING), Findings())
    replace_settings(document, given, Path())
    [problem] = given.found.problems
    assert ("did you mean" in problem.hint) == bool(hint) and hint in problem.hint
