"""Answers that list records, column by column: the same values as those of JSON, however they come about."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.plugins import DataError, Transient
from cadran.plugins.http import Answer, Listed, Listing

many = settings(max_examples=1000 if "CADRAN_FULL" in os.environ else 60, deadline=None)


def answer(content: str) -> Answer:
    return Answer(200, {}, content.encode())


def read(listing: Listing, content: str) -> Listed | None:
    return answer(content).listed(listing)


def twice(listing: Listing, content: str) -> tuple[Listed | None, Listed | None]:
    """As the first answer, and as one of those that follow."""
    return read(listing, content), read(listing, content)


def test_what_records_hold_at_a_path_stands_in_its_column() -> None:
    listing = Listing(["id", ("properties", "city"), "amount"], at="results", beside=["paging", "total"])
    found = twice(listing, """{"paging": {"next": 5}, "more": [1], "results": [
        {"id": "1", "amount": 12.50, "properties": {"city": "Lyon", "other": [1, {"deep": 2}]}, "links": {"a": []}},
        {"amount": null, "properties": null, "id": 2},
        {"properties": {}},
        {}
    ]}""")  # fmt: skip
    for each in found:
        assert each is not None
        assert [list(column) for column in each.columns] == [["1", 2, None, None], ["Lyon", None, None, None], [Decimal("12.50"), None, None, None]]  # fmt: skip
        assert (each.count, each.beside) == (4, {"paging": {"next": 5}})


@pytest.mark.parametrize(
    "content",
    ['{"results": null}', '{"results": {}}', "{}", "[]", "null", '{"results": [1]}', '{"results": [[]]}'],
)  # fmt: skip
def test_what_lists_no_such_records_is_none(content: str) -> None:
    listing = Listing([("properties", "city")], at="results")
    assert read(listing, content) is None
    read(listing, '{"results": [{"properties": {"city": "Lyon"}}]}')
    assert read(listing, content) is None


@pytest.mark.parametrize(("value", "kind"), [('"x"', "a text"), ("[1]", "a list"), ("7", "a number"), ("1.5", "a number"), ("true", "true")])  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_a_record_without_the_object_that_a_path_goes_through_is_an_error_and_no_null(
    value: str, kind: str, first: bool
) -> None:
    listing = Listing([("properties", "city")], at="results")
    if not first:
        read(listing, '{"results": [{"properties": {"city": "Lyon"}}]}')
    with pytest.raises(DataError, match=f"record 2 of the answer holds {kind} at 'properties', where an object with city"):  # fmt: skip
        read(listing, f'{{"results": [{{"properties": {{"city": "Lyon"}}}}, {{"properties": {value}}}]}}')


@pytest.mark.parametrize("value", ['""', "0", "[]", "false", "null", "{}"])
def test_where_the_object_of_a_path_is_empty_there_is_nothing(value: str) -> None:
    for each in twice(Listing([("p", "c")]), f'[{{"p": {{"c": 1}}}}, {{"p": {value}}}]'):
        assert each is not None and list(each.columns[0]) == [1, None]


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"at": ("d", "rows")}, TypeError, "it names one key of the answer"),
        ({"at": "rows", "beside": [("m", "a")]}, TypeError, "give keys of the answer itself"),
        ({"at": "rows", "beside": "paging"}, TypeError, r"give a list, \['paging'\]"),
        ({"beside": ["paging"]}, ValueError, "nothing stands beside it"),
        ({"firsts": ["team"]}, ValueError, "which is none of the paths"),
        ({"firsts": "id"}, TypeError, r"give a list, \['id'\]"),
        ({"paths": "id"}, TypeError, r"give a list of paths, \['id'\]"),
    ],
)
def test_what_cannot_be_listed_is_said(given: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        Listing(**{"paths": ["id"], **given})


@pytest.mark.parametrize(
    "content", ["", "<html>", '[{"id": 1}', '[{"id": 1}] 2', '[{"id": 01}]', '[{"id": "1}]']
)
def test_what_is_no_json_is_an_error(content: str) -> None:
    listing = Listing(["id"])
    for _ in range(2):
        with pytest.raises(Transient, match="the answer is no JSON"):
            read(listing, content)
        read(listing, '[{"id": 1}]')


def test_an_answer_that_is_a_list_and_the_first_of_pairs() -> None:
    found = twice(Listing(["id", "team"], firsts=["team"]), '[{"id": 1, "team": [7, "North"]}, {"id": 2, "team": false}, {"id": 3, "team": []}, {"id": 4, "team": null}, {"id": 5}]')  # fmt: skip
    for each in found:
        assert each is not None and list(each.columns[1]) == [7, False, None, None, None]


def test_numbers_are_exact() -> None:
    found = twice(Listing(["x"]), '[{"x": 0.1}, {"x": 12345678901234567890123}, {"x": 1e400}, {"x": -0.0}, {"x": 33.333333333333336}]')  # fmt: skip
    for each in found:
        assert each is not None
        assert list(map(repr, each.columns[0])) == ["Decimal('0.1')", "12345678901234567890123", "Decimal('1E+400')", "Decimal('-0.0')", "Decimal('33.333333333333336')"]  # fmt: skip


def test_half_a_surrogate_pair_spoils_no_answer() -> None:
    listing = Listing(["id", "text"])
    for _ in range(2):
        found = read(listing, '[{"id": 1, "text": "cut \\ud83d"}, {"id": 2}]')
        assert found is not None and list(found.columns[0]) == [1, 2]


@pytest.mark.parametrize("paths", [["a", ("a", "b")], [("a", "b"), "a"]])
def test_a_whole_and_its_part(paths: list[Any]) -> None:
    with pytest.raises(ValueError, match="a"):
        Listing(paths)


def test_one_path_twice() -> None:
    for each in twice(Listing(["a", "b", "a"]), '[{"a": 1, "b": 2}]'):
        assert each is not None and [list(column) for column in each.columns] == [[1], [2], [1]]


_KEYS = ("a", "b", "c", 'q"q', "é", "")
_VALUES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
)
_ROWS = st.lists(
    st.dictionaries(st.sampled_from(_KEYS), _VALUES).flatmap(
        lambda row: st.builds(
            lambda order, inner: {key: (row | {"in": inner})[key] for key in order},
            st.permutations([*row, "in"]), st.none() | st.dictionaries(st.sampled_from("xyz"), _VALUES),
        )
    ),
    max_size=5,
)  # fmt: skip


@many
@given(pages=st.lists(_ROWS, min_size=1, max_size=4), few=st.booleans())
def test_columns_are_what_the_records_say_whatever_came_before(pages: list[Any], few: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cadran.plugins.http.listing._FEW", 30 if few else 1)
        listing = Listing([*_KEYS[: 3 if few else None], ("in", "x"), ("in", "z")])
        for rows in pages:
            found = read(listing, json.dumps(rows))
            assert found is not None and found.count == len(rows)
            for path, column in zip(listing.paths, found.columns, strict=True):
                inner = [row if len(path) == 1 else row.get(path[0]) or {} for row in rows]
                assert list(column) == [each.get(path[-1]) for each in inner]


def test_many_records() -> None:
    rows = [{"id": number, "in": {"x": str(number)} if number % 3 else None} for number in range(1234)]
    for each in twice(Listing(["id", ("in", "x")]), json.dumps(rows)):
        assert each is not None and list(each.columns[0]) == list(range(1234))
        assert list(each.columns[1]) == [str(number) if number % 3 else None for number in range(1234)]
