"""Values by YAML 1.2's core rules, and the place of every character of them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.declare.document import Document, Place, nowhere
from cadran.problems import ProblemsFound


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("12:30", "12:30"), ("1_000", "1_000"),
        ("2026-03-01", "2026-03-01"), ("0b11", "0b11"), ("=", "="), (".inf", ".inf"), (".nan", ".nan"),
        ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("12", 12), ("-12", -12), ("+12", 12), ("007", 7), ("0o17", 15), ("0x1F", 31), ("0o8", "0o8"),
        ("0.10", Decimal("0.10")), (".5", Decimal("0.5")), ("1.", Decimal(1)), ("1e3", Decimal(1000)),
        ("1e999", "1e999"), ("9" * 80, "9" * 80), ("25%", "25%"), ("'12'", "12"), ('"true"', "true"),
    ],
)  # fmt: skip
def test_scalars(written: str, value: Any) -> None:
    got = Document.parse(f"key: {written}").data["key"]
    assert got == value
    assert type(got) is type(value)


def test_numbers_keep_how_they_were_written() -> None:
    document = Document.parse("a: 0.10\nb: [007, x]\n")
    assert document.written(("a",)) == "0.10"
    assert document.written(("b", 0)) == "007"
    assert document.written(("b",)) == ""
    assert document.written(("nowhere", 3)) == ""


def at(place: Place, *span: int) -> tuple[int, int, int]:
    where = place.position(*span)
    return where.line, where.column, where.width


def test_places_of_keys_values_and_what_is_missing() -> None:
    root = Place(Document.parse("kpis:\n  revenue: {formula: sum(x), unit: }\n  list:\n    - a\n    - bc\n"))
    revenue = root.child("kpis", "revenue")
    assert at(Place(revenue.document, revenue.path, on_key=True)) == (2, 3, 7)
    assert at(revenue.child("formula")) == (2, 22, 6)
    assert at(revenue.child("formula", on_key=True)) == (2, 13, 7)
    assert at(revenue.child("unit")) == (2, 30, 4)  # a value that is not there: its key
    assert at(revenue.child("owner")) == (2, 12, 25)  # a key that is not there: the mapping
    assert at(root.child("kpis", "list", 1)) == (5, 7, 2)
    assert at(root.child("kpis", "list")) == (4, 5, 3)


STYLES = [
    ("key: sum(a) + b", (1, 6), "sum(a) + b"),
    ("key: sum(a)\n  + b", (1, 6), "sum(a) + b"),
    ("key: sum(a)\n\n\n  + b", (1, 6), "sum(a)\n\n+ b"),
    ("key: 'it''s a\n  b'", (1, 7), "it's a b"),
    ('key: "x\\ty\\u00e9z \\\n   b"', (1, 7), "x\tyéz b"),
    ("key: |\n  a\n   b\n\n  c\n", (2, 3), "a\n b\n\nc\n"),
    ("key: |2-\n    a\n  b\n\n", (2, 3), "  a\nb"),
    ("key: >\n  a\n  b\n\n  c\n    d\n  e\n", (2, 3), "a b\nc\n  d\ne\n"),
    ("key: >+\n  a\n\n\n", (2, 3), "a\n\n\n"),
    ("key: |\r\n  a\r\n  b\r\n", (2, 3), "a\nb\n"),
]


@pytest.mark.parametrize(("text", "first", "value"), STYLES)
def test_every_style_of_text_leads_back_to_the_source(text: str, first: tuple[int, int], value: str) -> None:
    document = Document.parse(text)
    place = Place(document, ("key",))
    assert document.data["key"] == value
    assert at(place, 0, 1)[:2] == first
    assert_characters_found(document, place, value)


def assert_characters_found(document: Document, place: Place, value: str) -> None:
    """Every character that stands in the source as itself is found where it stands, each behind the last."""
    last = (0, 0)
    for index, char in enumerate(value):
        line, column, width = at(place, index, index + 1)
        assert (line, column) >= last, (index, char)
        last = (line, column)
        source = document.lines[line - 1][column - 1 : column]
        if char.isalnum() and source != "\\":
            assert (source, width) == (char, 1), (index, char)


WORDS = st.text("abz09 é👍注'\"\\:#,-|>\t\n[]{}%", max_size=40)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    value=WORDS,
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    width=st.integers(10, 60),
    nested=st.booleans(),
)
def test_whatever_yaml_writes_is_found_again(value: str, style: str | None, width: int, nested: bool) -> None:
    data = {"deep": [{"key": value}]} if nested else {"key": value}
    text = yaml.dump(data, default_style=style, width=width, allow_unicode=True)
    document = Document.parse(text)
    path = ("deep", 0, "key") if nested else ("key",)
    place = Place(document, path)
    read = document.data
    for part in path:
        read = read[part]
    if isinstance(read, str):
        assert_characters_found(document, place, read)


def test_a_span_is_cut_at_the_end_of_its_line() -> None:
    place = Place(Document.parse("key: 'abc\n  def'"), ("key",))
    assert at(place, 1, 6) == (1, 8, 2)
    assert at(place, 99) == (2, 6, 1)  # behind the last character


def test_a_byte_order_mark_and_wide_characters_do_not_shift_anything() -> None:
    document = Document.parse("\ufeff# 👍👍\nkey: 注文 + x\n")
    assert at(Place(document, ("key",)), 5, 6) == (2, 11, 1)


def test_nowhere_is_a_place_too() -> None:
    assert at(nowhere("sum(x)"), 4, 5) == (1, 5, 1)
    assert at(nowhere()) == (1, 1, 1)


def test_documents_are_told_apart_by_identity() -> None:
    first, second = Document.parse("a: 1"), Document.parse("a: 1")
    assert Place(first, ("a",)) == Place(first, ("a",))
    assert Place(first, ("a",)) != Place(second, ("a",))
    assert len({first, second}) == 2


def test_files_that_are_not_utf8_text(tmp_path: Path) -> None:
    file = tmp_path / "kpis.yaml"
    file.write_bytes("a: 1\nb: caf\xe9\n".encode("latin-1"))
    with pytest.raises(ProblemsFound) as found:
        Document.load(file, "kpis.yaml")
    assert str(found.value) == "kpis.yaml:2:7: the file is not UTF-8 text; save it with the encoding UTF-8"
    with pytest.raises(ProblemsFound, match="this is a folder"):
        Document.load(tmp_path, "kpis.yaml")
    with pytest.raises(ProblemsFound, match="does not exist"):
        Document.load(tmp_path / "none.yaml", "none.yaml")
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert Document.load(file, "kpis.yaml").data == {"a": 1}


def test_a_nul_character_is_named() -> None:
    with pytest.raises(ProblemsFound, match=r"kpis.yaml:1:5: the character U\+0000"):
        Document.parse("a: x\0y")
