"""Decimals of databases as Arrow: the very number, or said that it does not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from cadran_plugins.sql.columns import Unfit
from cadran_plugins.sql.decimals import by_values, declared


@pytest.mark.parametrize("made", [list, lambda values: pa.array(values, pa.string())], ids=["list", "arrow"])
@pytest.mark.parametrize(
    "values",
    [
        [
            "732983868533591507092247098196",
            "0.123456789",
        ],  # Arrow makes 52419134691714580165497883332.463577088 of it
        ["0." + "7" * 48],
        ["9" * 40],
        ["9" * 20, "0." + "1" * 20],
    ],
)
def test_more_digits_than_a_decimal_has_are_said(values: list[str], made: Any) -> None:
    with pytest.raises(Unfit, match="has more digits"):
        by_values("x", made(values), "x").read(made(values))


@pytest.mark.parametrize("made", [list, lambda values: pa.array(values, pa.string())], ids=["list", "arrow"])
@pytest.mark.parametrize(
    "values",
    [
        ["9" * 38, None],
        ["-" + "9" * 29 + ".123456789", "0"],
        ["1." + "0" * 60, "12345678901234567890.5"],
        ["0." + "0" * 37 + "1"],
    ],
)
def test_as_many_as_it_has_are_kept(values: list[str | None], made: Any) -> None:
    read = by_values("x", made(values), "x").read(made(values))
    assert read.to_pylist() == [None if value is None else Decimal(value) for value in values]


def test_those_of_a_declared_size() -> None:
    read = declared("x", 38, 9, "x").read
    assert read(["9" * 29]).to_pylist() == [Decimal("9" * 29)]
    with pytest.raises(Unfit):
        read(["9" * 30])
