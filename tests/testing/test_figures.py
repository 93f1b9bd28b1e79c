"""When a computed number is the one that somebody wrote down."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cadran.compute.results import Number
from cadran.declare.document import nowhere
from cadran.declare.expectations import Figure, figure, segment
from cadran.declare.model import Text
from cadran.testing.figures import agrees, off_by, plain, said


def of(written: str) -> Figure:
    found = figure(Text(written, nowhere(written)))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "written", "same"),
    [
        (4 / 99, "4.04%", True),
        (4 / 99, "4.0404040404%", True),
        (4 / 99, "4.05%", False),
        (4 / 99, "4%", True),
        (4 / 99, "0.04", True),
        (4 / 99, "0.040", True),
        (4 / 99, "0.0404", True),
        (4 / 99, "4.04", False),
        (4 / 99, "no data", False),
        (None, "no data", True),
        (None, "No  Data", True),
        (None, "0", False),
        (0, "0", True),
        (0, "no data", False),
        # half goes away from zero, as by hand …
        (Decimal("2.5"), "3", True),
        (Decimal("-2.5"), "-3", True),
        (Decimal("2.5"), "2", False),
        # … also where a float is a hair beside what the hand sees
        (2.675, "2.68", True),
        (1.005, "1.01", True),
        (0.1 + 0.2, "0.3", True),
        (0.1 + 0.2, "0.30000000000000004", False),  # a float is good for fifteen digits
        # what was written more exactly than it is rounded to is no less wrong
        (Decimal("100.005"), "100.00", False),
        (Decimal("100.005"), "100.01", True),
        (10**20 + 1, "100000000000000000001", True),
        (10**20 + 1, "100000000000000000000", False),
        (-0.04, "-4%", True),
        (-0.04, "−4 %", True),
        (-0.04, "4%", False),
        (1e300, "1", False),
        (-1e-9, "0", True),
    ],
)
def test_a_number_agrees_with_what_is_written(value: Number | None, written: str, same: bool) -> None:
    assert agrees(value, of(written)) is same


@pytest.mark.parametrize(
    "written", ["50 €", "1 250", "1,5", "1e3", "about 4", "", "%", "4.%", "nodata", "1.2.3", "٣"]
)
def test_what_is_no_figure(written: str) -> None:
    assert figure(Text(written, nowhere(written))) is None


@pytest.mark.parametrize(
    ("value", "written", "shown", "off"),
    [
        (4 / 99, "4.05%", "4.04% (4.0404040404%)", "-0.01 points"),
        (Decimal("7.50"), "8.0", "7.5", "-0.5"),
        (7, "6.00", "7.00", "+1.00"),
        (None, "3", "no data", ""),
        (Decimal("3.10"), "no data", "3.1", ""),
        (10**20, "1", "100000000000000000000", "+99999999999999999999"),
    ],
)
def test_a_difference_is_said_in_the_notation_that_was_written(
    value: Number | None, written: str, shown: str, off: str
) -> None:
    assert said(value, of(written)) == shown
    assert off_by(value, of(written)) == off


def test_a_measure_is_said_without_zeros_that_say_nothing() -> None:
    assert [plain(v) for v in (10, 100, Decimal("2.50"), Decimal("100"), 99.0, 1 / 3, None)] == [
        "10", "100", "2.5", "100", "99", "0.333333333333", "no data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("total", {}),
        ("channel=paid", {"channel": "paid"}),
        (" channel = paid , owner = Ana ", {"channel": "paid", "owner": "Ana"}),
        ("owner=Li, Wei", {"owner": "Li, Wei"}),
        ("owner=Li, Wei, channel=web", {"owner": "Li, Wei", "channel": "web"}),
        ("note=a=b", {"note": "a=b"}),
        ("shops.name=Bond", {"shops.name": "Bond"}),
        ("paid", None),
        ("channel=", None),
        ("=paid", None),
    ],
)
def test_a_segment_value_is_written_as_on_the_command_line(
    written: str, parts: dict[str, str] | None
) -> None:
    assert segment(written) == parts
