"""Charts: specifications that keep gaps and mark what is provisional, and drawings that say what they show."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal as D
from typing import Any

import pytest

from cadran.publish.drawing import Chart
from cadran.publish.formatting import Number
from cadran.publish.scales import nice_scale, nice_step
from cadran.publish.series import MAIL, NARROW, PAGE, PLAIN, WIDE, Marker, Point, Series
from cadran.publish.sparkline import sparkline, unicode_sparkline
from cadran.publish.specs import Spec, chart

SVG = "{http://www.w3.org/2000/svg}"


def points(
    values: Sequence[Number | None],
    target: Number | None = None,
    last_open: bool = False,
    high: Number | None = None,
) -> tuple[Point, ...]:
    return tuple(
        Point(f"p{i}", f"p{i} <{v}>", v, str(v), last_open and i == len(values) - 1, target, high, f"at {target}")
        for i, v in enumerate(values)
    )  # fmt: skip


def series(values: Sequence[Number | None], kind: Any = "line", **settings: Any) -> Series:
    return Series(
        points(values, **settings), "EUR", "en", len(values) - 1, kind, (Marker("A", "<new>", 0.5),), "target"
    )


def spec(values: Sequence[Number | None], kind: str = "line", **settings: Any) -> Spec:
    return chart(series(values, kind, **settings), PLAIN)


def layers(found: Spec, kind: str, **looks: Any) -> list[Spec]:
    """The layers of one kind of mark, with these looks (None: without)."""
    return [
        layer
        for layer in found["layer"]
        if layer.get("mark", {}).get("type") == kind
        and all(layer["mark"].get(name) == value for name, value in looks.items())
    ]


def rows(layer: Spec) -> list[Spec]:
    found: list[Spec] = layer["data"]["values"]
    return found


def test_a_mails_chart_is_all_plot() -> None:
    """Value and target stand beside it; the axis has names enough, and as much room as they need."""
    short, long = ([7, 9, 8] * 4, [7_010_000, 7_030_000, 7_020_000] * 4)
    few, many = (chart(series(values, "line", target=values[0]), PLAIN, MAIL) for values in (short, long))
    for found in (few, many):
        said = texts(found)
        assert not any(text == "target" or text.startswith("at ") for text in said)
        assert len([text for text in said if text.startswith("p")]) >= 4
        padding = found["padding"]
        assert found["width"] + padding["left"] + padding["right"] == MAIL.total[0]
    assert few["padding"]["left"] < many["padding"]["left"] <= MAIL.left
    assert few["width"] > 0.88 * MAIL.total[0]


def texts(found: Spec) -> list[str]:
    out = []
    for layer in layers(found, "text"):
        fixed = layer["mark"].get("text")
        out += [row.get("text", fixed) for row in rows(layer)]
    return out


def drawing(values: Sequence[Number | None], kind: str = "line", **settings: Any) -> list[ET.Element]:
    """The wide and the narrow SVG."""
    whole = Chart(series(values, kind, **settings), "k", "A & B", "from 1 to <4>").__html__()
    return list(ET.fromstring(f"<figure>{whole}</figure>"))


def test_a_chart_is_accessible() -> None:
    for svg, key in zip(drawing([1, 2, None, 4]), ("k-wide", "k-narrow"), strict=True):
        assert svg.get("role") == "img"
        assert (svg.get("aria-labelledby") or "").split() == [f"{key}-t", f"{key}-d"]
        assert [(e.get("id"), e.text) for e in svg[:2]] == [(f"{key}-t", "A & B"), (f"{key}-d", "from 1 to <4>")]  # fmt: skip


def test_wide_and_narrow_have_their_width() -> None:
    assert [svg.get("width") for svg in drawing([1, 2])] == [str(size.total[0]) for size in (WIDE, NARROW)]


def test_a_period_is_told_under_the_mouse() -> None:
    wide, narrow = drawing([1, None])
    assert [t.text for t in wide.iter(SVG + "title")] == ["A & B", "p0 <1>", "p1 <None>"]
    assert len(list(narrow.iter(SVG + "title"))) == 1


def test_every_text_is_drawn_as_it_is_said() -> None:
    labels = ["T1 & T2 <2026>", "A", "B", "–", "a", "juil. 26", "0", "−1,5 M €"]
    many = tuple(Point(label, label, n, f"{label} €", target=2, target_text=label) for n, label in enumerate(labels))  # fmt: skip
    found = Series(many, "EUR", "fr", 4, markers=(Marker("B", "", 0.5),), target_word="cible")
    for size, svg in zip((WIDE, NARROW), ET.fromstring(f"<f>{Chart(found, 'k', '', '')}</f>"), strict=True):
        wanted = texts(chart(found, PAGE, size))
        assert sorted(e.text or "" for e in svg.iter(SVG + "text")) == sorted(wanted)


def test_colours_are_the_pages_and_plain_without_its_style() -> None:
    text = Chart(series([1, 2]), "k", "", "").__html__()
    assert 'stroke="var(--accent,#2b4c9b)"' in text
    assert "var(" not in json.dumps(chart(series([1, 2]), PLAIN))
    assert "#" not in json.dumps(chart(series([1, 2]), PAGE)).replace(",#", "").replace("vega-lite/v6", "")


def test_on_paper_there_is_one_size_in_plain_colours() -> None:
    text = Chart(series([1, 2]), "k", "", "", paper=True).__html__()
    assert text.count("<svg") == 1 and "var(" not in text


def test_a_gap_is_not_bridged() -> None:
    (line,) = layers(spec([1, 2, None, 4, 5]), "line", strokeDash=None)
    assert [(row["x"], row["run"]) for row in rows(line)] == [(0.5, 0), (1.5, 0), (3.5, 3), (4.5, 3)]
    assert texts(spec([1, None, 3])).count("–") == 1


def test_what_is_provisional_is_dashed_and_hollow() -> None:
    found = spec([1, 2, 3], last_open=True)
    (dashed,) = layers(found, "line", strokeDash=[4, 4])
    assert [row["x"] for row in rows(dashed)] == [1.5, 2.5]
    (dots,) = layers(found, "point")
    assert [row["fill"] for row in rows(dots)] == [PLAIN.accent, PLAIN.accent, PLAIN.paper]
    (bars,) = layers(spec([1, 2, 3], "bar", last_open=True), "rect", fill=None)
    assert len(rows(bars)) == 1


def test_zero_is_drawn_and_no_data_is_not() -> None:
    bars = [row for layer in layers(spec([5, 0, None, 7], "bar"), "rect") if "cornerRadius" in layer["mark"] for row in rows(layer)]  # fmt: skip
    assert sorted(row["x"] for row in bars) == [0.19, 1.19, 3.19]
    assert all(row["y2"] > row["y"] for row in bars)


def test_bars_start_at_zero_also_below_it() -> None:
    found = [row for layer in layers(spec([D("-50"), D("100")], "bar"), "rect") if "cornerRadius" in layer["mark"] for row in rows(layer)]  # fmt: skip
    below, above = sorted(found, key=lambda row: row["x"])
    assert below["y"] == above["y"] and below["y2"] < below["y"] < above["y2"]


def test_the_last_target_stands_beside_the_plot() -> None:
    found = spec([1, 2], target=3)
    labels = [la for la in layers(found, "text") if la["mark"].get("align") == "left"]
    assert [la["mark"]["text"] for la in labels] == ["target", "at 3"]
    assert [row["x"] for la in labels for row in rows(la)] == [2, 2]  # right of the last period


def test_a_target_that_changes_is_a_step() -> None:
    varying = (Point("a", "a", 1, target=2), Point("b", "b", 1), Point("c", "c", 1, target=3))
    (steps,) = layers(chart(Series(varying, "", "en", 2), PLAIN), "line", strokeDash=[5, 4])
    assert [(r["x"], r["run"]) for r in rows(steps)] == [(0, 0), (1, 0), (2, 2), (3, 2)]


def test_a_range_is_a_band() -> None:
    (band,) = layers(spec([1, 1], target=2, high=3), "rect", opacity=0.75)
    assert len(rows(band)) == 2
    assert not layers(spec([1, 1], target=2, high=3), "line", strokeDash=[5, 4])


def test_markers_stand_above_as_letters() -> None:
    assert "A" in texts(spec([1, 2]))
    (rule,) = layers(spec([1, 2]), "rule", strokeDash=[1, 3])
    assert [row["x"] for row in rows(rule)] == [1.0]


def test_letters_that_would_touch_stand_one_above_the_other() -> None:
    markers = (Marker("A", "", 0.5), Marker("B", "", 0.505), Marker("C", "", 0.51), Marker("D", "", 0.9))
    found = chart(Series(points([1, 2]), "", "en", 1, markers=markers))
    heights = {
        r["text"]: la["mark"]["dy"] for la in layers(found, "text") for r in rows(la) if r.get("letter")
    }
    assert heights == {"A": -9, "B": -20, "C": -9, "D": -9}


def test_labels_are_in_the_readers_language() -> None:
    french = Series(points([0, 1_500_000]), "EUR", "fr", 1)
    assert "1,5\u00a0M\u00a0€" in texts(chart(french))


def test_a_long_series_has_dots_only_where_they_tell_something() -> None:
    values = [None if i == 30 else i for i in range(60)]
    (dots,) = layers(chart(Series(points(values, last_open=True), "", "en", 58)), "point")
    assert [row["x"] for row in rows(dots)] == [58.5, 59.5]
    (alone,) = layers(chart(Series(points([1, None, 3, None, *range(30)]), "", "en", -1)), "point")
    assert [row["x"] for row in rows(alone)] == [0.5, 2.5]


@pytest.mark.parametrize("values", [[None, None], []])
def test_nothing_to_draw(values: list[None]) -> None:
    assert chart(Series(points(values), "", "en", 0)) == {}
    empty = Chart(Series(points(values), "", "en", 0), "k", "t", "")
    assert not empty and empty.__html__() == "" and empty.png() == b""
    assert sparkline(points(values), key="k", title="t", shown=0) == ""


def test_one_value_is_no_chart() -> None:
    assert not Chart(series([5]), "k", "t", "")


@pytest.mark.parametrize("values", [[5, 5, 5], [0, 0], [-3, -3], [10**400, 1], [1e-300, 2e-300], [0.1] * 200])
@pytest.mark.parametrize("kind", ["line", "bar"])
def test_any_numbers_can_be_drawn(values: list[Number], kind: str) -> None:
    assert len(drawing(values, kind)) == 2
    ET.fromstring(sparkline(points(values), key="k", title="t", shown=0))


def test_a_picture_for_mail() -> None:
    picture = Chart(series([1, 2, 3], "bar", target=2), "k", "t", "").png()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 2 * WIDE.total[0]


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
