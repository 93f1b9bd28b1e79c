"""Charts: well-formed SVG that says what it shows, keeps gaps, and marks what is provisional."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal as D

import pytest

from cadran.publish.charts import Marker, Point, chart, sparkline, unicode_sparkline
from cadran.publish.formatting import Number
from cadran.publish.scales import nice_scale, nice_step

SVG = "{http://www.w3.org/2000/svg}"


def points(
    values: Sequence[Number | None], target: Number | None = None, last_open: bool = False
) -> list[Point]:
    return [
        Point(f"p{i}", f"p{i} <{v}>", v, str(v), last_open and i == len(values) - 1, target)
        for i, v in enumerate(values)
    ]


def drawn(
    values: Sequence[Number | None], kind: str = "line", target: Number | None = None, last_open: bool = False
) -> ET.Element:
    text = chart(
        points(values, target, last_open), key="k", title="A & B", unit="EUR", locale="en",
        shown=len(values) - 1, kind=kind, target_word="target",  # type: ignore[arg-type]
        markers=[Marker("A", "<new>", 0.5)],
    )  # fmt: skip
    return ET.fromstring(text)


def found(svg: ET.Element, css: str, tag: str) -> list[ET.Element]:
    own = [e for e in svg.iter(SVG + tag) if e.get("class") == css]
    return own + [e for g in svg.iter(SVG + "g") if g.get("class") == css for e in g.iter(SVG + tag)]


def test_a_chart_is_accessible() -> None:
    svg = drawn([1, 2, None, 4])
    assert svg.get("role") == "img"
    ids = (svg.get("aria-labelledby") or "").split()
    said = {e.get("id"): e.text for e in svg if e.get("id") in ids}
    assert said == {"k-t": "A & B", "k-d": "p0 <1> ; p1 <2> ; p2 <None> ; p3 <4>"}


def test_a_gap_is_not_bridged() -> None:
    (path,) = found(drawn([1, 2, None, 4, 5]), "ck-line", "path")
    assert (path.get("d") or "").count("M") == 2
    assert [t.text for t in found(drawn([1, None, 3]), "ck-text", "text") if t.text == "–"] == ["–"]


def test_what_is_provisional_is_dashed_and_hollow() -> None:
    svg = drawn([1, 2, 3], last_open=True)
    solid, dashed = found(svg, "ck-line", "path")
    assert solid.get("stroke-dasharray") is None
    assert dashed.get("stroke-dasharray")
    assert len(found(svg, "ck-hollow", "circle")) == 1
    assert len(found(drawn([1, 2, 3], "bar", last_open=True), "ck-hollow", "rect")) == 1


def test_zero_is_drawn_and_no_data_is_not() -> None:
    bars = [
        e for e in drawn([5, 0, None, 7], "bar").iter(SVG + "rect") if e.get("class") in ("ck-bar", "ck-now")
    ]
    assert [float(b.get("height") or 0) > 0 for b in bars] == [True] * 3


def test_bars_start_at_zero_also_below_it() -> None:
    svg = drawn([D("-50"), D("100")], "bar")
    below, above = (e for e in svg.iter(SVG + "rect") if e.get("class") in ("ck-bar", "ck-now"))
    zero = next(float(e.get("y1") or 0) for e in svg.iter(SVG + "line") if e.get("class") == "ck-zero")
    assert float(below.get("y") or 0) == zero
    assert float(above.get("y") or 0) + float(above.get("height") or 0) == pytest.approx(zero)


def test_the_target_is_named_with_its_value() -> None:
    assert [t.text for t in found(drawn([1, 2], target=3), "ck-halo", "text")] == ["target €3.00"]


def test_a_varying_target_is_named_without() -> None:
    varying = [Point("a", "a", 1, target=2), Point("b", "b", 1, target=3)]
    text = chart(varying, key="k", title="t", unit="", locale="en", shown=1, target_word="target")
    assert [t.text for t in found(ET.fromstring(text), "ck-halo", "text")] == ["target"]


def test_a_range_is_a_band() -> None:
    ranged = [Point("a", "a", 1, target=2, target_high=3)] * 2
    text = chart(ranged, key="k", title="t", unit="", locale="en", shown=1)
    assert len(found(ET.fromstring(text), "ck-band", "rect")) == 2


def test_markers_carry_their_text() -> None:
    assert [t.text for t in drawn([1, 2]).iter(SVG + "title")].count("<new>") == 1


@pytest.mark.parametrize("values", [[None, None], []])
def test_nothing_to_draw(values: list[None]) -> None:
    assert chart(points(values), key="k", title="t", unit="", locale="en", shown=0) == ""
    assert sparkline(points(values), key="k", title="t", shown=0) == ""


@pytest.mark.parametrize(
    "values", [[5], [5, 5, 5], [0, 0], [-3, -3], [10**400, 1], [1e-300, 2e-300], [0.1] * 200]
)
def test_any_numbers_can_be_drawn(values: list[Number]) -> None:
    for kind in ("line", "bar"):
        drawn(values, kind)
    ET.fromstring(sparkline(points(values), key="k", title="t", shown=0))


@pytest.mark.parametrize(
    ("values", "bars"),
    [([1, 2, 3, 8], "▁▂▃█"), ([1, None, 3], "▁·█"), ([5, 5], "▄▄"), ([None], "·"), ([], "")],
)
def test_unicode_sparkline(values: list[Number | None], bars: str) -> None:
    assert unicode_sparkline(values) == bars


def test_scales_are_round_and_hold_their_values() -> None:
    scale = nice_scale([D("918200.1"), D("1254300")], 100, 0, zero=True)
    assert (scale.low, scale.high, scale.step) == (D(0), D(1_500_000), D(500_000))
    assert scale.y(D(0)) == 100
    assert scale.y(D(1_500_000)) == 0
    assert nice_step(D("0.0013")) == D("0.002")
    assert nice_scale([D("0.02"), D("0.9")], 100, 0, zero=False).low == 0
