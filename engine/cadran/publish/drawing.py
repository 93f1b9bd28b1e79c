"""From a Vega-Lite specification to SVG for a page and PNG for mail, through vl-convert (Vega itself, in one library).

What Vega writes for its own needs (empty backgrounds, roles, events) is taken out, and what a reader needs comes in: a
title and a description for those who do not see the chart, and the period's value under the mouse. The library reaches
for no network and loads half a second at its first chart, then takes some 20 ms for each.
"""

from __future__ import annotations

import json
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import Any

from cadran.publish.series import NARROW, PAGE, PAPER, PLAIN, WIDE, Series, Size, numbers
from cadran.publish.specs import Spec, chart


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that is drawn when a template prints it: for wide pages and for narrow ones, of which CSS shows one.

    On ``paper`` there is one size, and no style whose colours it could take.
    """

    series: Series
    key: str
    title: str
    said: str
    paper: bool = False

    def __bool__(self) -> bool:
        return len(self.series.points) > 1 and bool(numbers(self.series.points))  # one value needs no chart

    def __html__(self) -> str:
        if not self:
            return ""
        if self.paper:
            return self._svg("narrow", PAPER)
        return self._svg("wide", WIDE) + self._svg("narrow", NARROW)

    def _svg(self, name: str, size: Size) -> str:
        spec = chart(self.series, PLAIN if self.paper else PAGE, size)
        return svg(spec, css=f"ck-chart ck-{name}", key=f"{self.key}-{name}", title=self.title, said=self.said)  # fmt: skip

    def __str__(self) -> str:
        return self.__html__()

    def drawn_plain(self, size: Size) -> Spec:
        """What :meth:`png` draws; nothing where there is nothing to draw."""
        return chart(self.series, PLAIN, size) if self else {}

    def png(self, size: Size = WIDE) -> bytes:
        return png(self.drawn_plain(size)) if self else b""


FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif"
_LEFT_OUT = frozenset(["class", "font-family", "pointer-events", "role", "stroke-miterlimit"])
_LOOKS = ("fill", "stroke", "font", "text-anchor", "pointer-events")  # attributes that children take over
_NUMBER = re.compile(r"-?\d+\.\d{2,}")


def svg(spec: Spec, *, css: str, key: str, title: str, said: str) -> str:
    """Inline SVG that shrinks with its page; ``title`` and ``said`` are what it tells without being seen."""
    letters: dict[str, str] = {}
    root = ET.fromstring(_converted(json.dumps(_lettered(spec, letters))))
    texts = {letter: text for text, letter in letters.items()}
    for element in root.iter():
        element.text = texts.get(element.text or "", element.text)
    _, _, width, height = root.attrib["viewBox"].split()
    body = _inside(root)
    return (
        f'<svg class="{css}" role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="{FONT}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(said)}</desc>{body}</svg>'
    )


def _lettered(part: Any, letters: dict[str, str]) -> Any:
    """A specification whose texts are one letter each, put among ``letters``.

    Vega measures every letter of a text, which takes longer than all the rest of a chart, and nothing here depends on it.
    """
    if isinstance(part, list):
        return [_lettered(item, letters) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: letters.setdefault(item, chr(ord("A") + len(letters)))
        if name == "text" and item and isinstance(item, str)
        else _lettered(item, letters)
        for name, item in part.items()
    }


def png(spec: Spec, scale: float = 2) -> bytes:
    """The chart as a picture, for where SVG is not shown (mail); ``scale`` is pixels a CSS pixel."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        {**spec, "background": "#ffffff"}, scale=scale, allowed_base_urls=[]
    )
    return packed(drawn)


def packed(drawn: bytes) -> bytes:
    """The same PNG in a third of the room: what draws it packs in a hurry, and mails carry it to many."""
    place, out, pixels = 8, [drawn[:8]], b""
    while place < len(drawn):
        (size,) = struct.unpack_from(">I", drawn, place)
        kind, end = drawn[place + 4 : place + 8], place + 12 + size
        if kind == b"IDAT":
            pixels += drawn[place + 8 : end - 4]
        elif kind == b"IEND":
            body = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
            out += [
                struct.pack(">I", len(body) - 4),
                body,
                struct.pack(">I", zlib.crc32(body)),
                drawn[place:end],
            ]
        else:
            out.append(drawn[place:end])
        place = end
    return b"".join(out)


@lru_cache(maxsize=512)
def _converted(spec: str) -> str:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return drawn


@dataclass(frozen=True, slots=True)
class _Part:
    """An element: its looks, which a group can carry for it, and the rest of it."""

    tag: str
    looks: str
    rest: str
    body: str

    def markup(self, looks: str) -> str:
        if self.tag == "g" and not looks and not self.rest:
            return self.body
        start = f"{self.tag}{looks}{self.rest}"
        return f"<{start}>{self.body}</{self.tag}>" if self.body else f"<{start}/>"


def _inside(element: ET.Element) -> str:
    """What an element holds, as short as it can be said: neighbours of one look share it."""
    out = []
    for looks, found in groupby(filter(None, map(_part, element)), key=lambda part: part.looks):
        parts = list(found)
        if looks and len(parts) > 1:
            out.append(f"<g{looks}>{''.join(part.markup('') for part in parts)}</g>")
        else:
            out += [part.markup(looks) for part in parts]
    return "".join(out)


def _part(element: ET.Element) -> _Part | None:
    """Nothing for what shows nothing."""
    tag, css = element.tag.rpartition("}")[2], element.get("class", "")
    if tag == "path" and (css in ("background", "foreground") or not element.get("d")):
        return None
    body = escape(element.text or "", quote=False) + _inside(element)
    if tag == "g" and not body:
        return None
    attributes = {name: _shorter(value) for name, value in element.attrib.items() if _kept(name, value)}
    if element.get("aria-roledescription") == "rect mark":  # what says its period under the mouse
        body, attributes["pointer-events"] = f"<title>{escape(element.get('aria-label', ''))}</title>", "all"
    looks = {name: value for name, value in attributes.items() if name.startswith(_LOOKS)}
    rest = {name: value for name, value in attributes.items() if name not in looks}
    return _Part(tag, _written(looks), _written(rest), body)


def _kept(name: str, value: str) -> bool:
    if name.startswith("aria-") or name in _LEFT_OUT:
        return False
    return (name, value) not in (
        ("opacity", "1"),
        ("transform", "translate(0,0)"),
        ("transform", "translate(0.5,0.5)"),
    )


def _shorter(value: str) -> str:
    return _NUMBER.sub(lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value)


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
