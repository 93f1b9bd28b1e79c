"""JSON as the HTTP client of connectors reads it: no number is rounded, and what is no JSON says so."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.plugins import Transient
from cadran.plugins.http import Answer


def read(content: bytes) -> Any:
    return Answer(200, {}, content).json()


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"1.10", Decimal("1.10")),
        (b"0.1", Decimal("0.1")),
        (b"1e400", Decimal("1e400")),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"-123456789012345678901234567890.5", Decimal("-123456789012345678901234567890.5")),
        (b"[1, 2.0]", [1, Decimal("2.0")]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"cut \\ud83d"', "cut \ud83d"),
        (b"\xef\xbb\xbf{}", {}),
        (b" null ", None),
    ],
)
def test_values(content: bytes, value: Any) -> None:
    found = read(content)
    assert found == value and type(found) is type(value) and str(found) == str(value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b'{"a": 1', '{"a": 1'),
        (b"NaN", "NaN"),
        (b"[Infinity]", "[Infinity]"),
        (b"1e99999999999999999999999", "1e9999"),
        (b"[" * 100_000, "[[["),
        (b'{"a": "\xff"}', '{"a": "\ufffd"}'),
        (b"<!DOCTYPE html><title>Sign in</title><p>to go on", "a web page: Sign in to go on"),
        (b"Service\n\tdown\x1b[31m", "Service down [31m"),
    ],
)
def test_what_is_no_json(content: bytes, says: str) -> None:
    with pytest.raises(Transient, match="the answer is no JSON") as caught:
        read(content)
    assert says in str(caught.value) and len(str(caught.value)) < 400
    assert caught.value.__context__ is None


def test_pictures_are_not_shown() -> None:
    with pytest.raises(Transient) as caught:
        read(b"\x89PNG\r\n\x1a\n\x00\x00")
    assert "PNG" not in str(caught.value)


def test_it_is_read_once() -> None:
    answer = Answer(200, {}, b'{"a": []}')
    assert answer.json() is answer.json()


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _written(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


@settings(max_examples=40)
@given(value=_VALUES)
def test_whatever_is_written_is_read_as_it_was(value: Any) -> None:
    assert read(_written(value).encode()) == value


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_decimal_has_the_digits_that_came(number: float) -> None:
    found = read(repr(number).encode())
    assert str(found) == str(Decimal(repr(number))) and not math.isnan(float(found))
