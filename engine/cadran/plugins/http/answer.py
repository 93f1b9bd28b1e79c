"""What a server answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cadran.plugins.connector import Transient


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False, default="")

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The value, numbers with a point as Decimal. Raises :class:`Transient` for what is no JSON, such as a web page."""
        try:
            return json.loads(self.content, parse_float=Decimal)
        except ValueError:
            raise Transient("the answer is no JSON") from None
