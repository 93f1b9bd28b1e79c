"""A key that a team has named and that does not tell rows apart would leave one row of many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cadran.plugins.connector import DataError, End, Page, Table
from sync.fake import DEALS, page, world
from sync.syncing import Copy

SAID = replace(DEALS, key_said=("tables", "deals", "key"))
PLAIN = replace(SAID, cursor="")


def given(tmp_path: Path, table: Table, rows: list[dict[str, Any]]) -> Copy:
    copy = Copy(tmp_path, world(table, size=50))
    copy.of.strange = lambda _: iter([Page(page(table, rows)), End(len(rows))])
    return copy


def deals(copies: int, keys: int = 10, **differs: Any) -> list[dict[str, Any]]:
    """``differs`` are made for each copy of a key."""
    of = world().now
    row = {"name": "a", "amount": None, "changed": of}
    return [{**row, "id": n, **{k: v(c) for k, v in differs.items()}} for n in range(keys) for c in range(copies)]  # fmt: skip


def test_rows_that_differ_and_have_one_key(tmp_path: Path) -> None:
    error = given(tmp_path, SAID, deals(3, name=str)).sync()["deals"].error
    assert isinstance(error, DataError)
    assert error.message == (
        "key 'id' does not tell the rows of table 'deals' apart: 30 rows have 10 keys, and those of id 0 are not the same"
    )
    assert error.setting == ("tables", "deals", "key") and "as a list" in error.hint


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (DEALS, deals(3, name=str)),  # the source itself says its key
        (SAID, deals(3)),  # the same rows twice, as where pages overlap
        (SAID, deals(3, name=str, changed=lambda n: world().now.replace(minute=n))),  # their cursor says which is newer
        (SAID, deals(2, keys=9, name=str)),
        (PLAIN, [*deals(2, keys=10, name=str), *({**row, "id": 1000 + n} for n, row in enumerate(deals(1, keys=200)))]),
    ],
)  # fmt: skip
def test_what_is_no_doubt(tmp_path: Path, table: Table, rows: list[dict[str, Any]]) -> None:
    copy = given(tmp_path, table, rows)
    assert copy.one().counts.rows == len({row["id"] for row in rows})
