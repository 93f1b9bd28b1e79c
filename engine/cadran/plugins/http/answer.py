"""What a server answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from cadran.plugins.connector import Transient
from cadran.plugins.http.listing import Listed, Listing
from cadran.plugins.http.said import beginning
from cadran.plugins.http.said import said as said_in


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False, default="")
    masked: Callable[[str], str] = field(repr=False, compare=False, default=str)
    _parsed: list[Any] = field(repr=False, compare=False, default_factory=list)  # once it was asked for
    _listed: dict[Listing, Listed | None] = field(repr=False, compare=False, default_factory=dict)

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """What the server says in its own words, on one line and without secrets: of an error its message, else how the answer begins."""
        return said_in(self.content, self.masked)

    def json(self) -> Any:
        """The value, numbers with a point as Decimal, whole ones of any size as int.

        Raises :class:`Transient` for what is no JSON, such as a web page.
        """
        if not self._parsed:
            value, problem = _decoded(self.content)
            if problem:
                came = beginning(self.content, self.masked)
                raise Transient("the answer is no JSON" + (f": {came}" if came else ", it is empty"))
            self._parsed.append(value)
        return self._parsed[0]

    def listed(self, listing: Listing) -> Listed | None:
        """The records that it lists, column by column; None where it lists none, which :meth:`json` then shows. Raises as that, and
        DataError where a record holds something else than an object at a path that goes on."""
        if listing not in self._listed:
            self._listed[listing] = listing.typed(self.content) or listing.plain(self.json())
        return self._listed[listing]


def _decoded(content: bytes) -> tuple[Any, bool]:
    """The value, and whether it is none after all."""
    try:
        return _decoder()(content), False
    except (ValueError, ArithmeticError, RecursionError):
        pass
    try:  # half a surrogate pair, as of an emoji that was cut; or a byte order mark
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse), False
    except (ValueError, ArithmeticError, RecursionError):
        return None, True


@cache
def _decoder() -> Callable[[bytes], Any]:
    """Three times as fast as the standard library's, which calls Python for each decimal."""
    import msgspec

    return msgspec.json.Decoder(float_hook=Decimal).decode


def _refuse(word: str) -> Any:
    raise ValueError(word)
