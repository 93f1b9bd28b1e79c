"""Words that somebody wrote, with the place where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cadran.declare.document import Place

Localized = Mapping[str, str]  # locale -> text; a plain string is stored under the empty locale ""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of expression text (or a column's name) with the place it was written at."""

    value: str
    place: Place
