"""What a column is called that people named: a name that can be written in a formula as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable


def column_name(label: str, taken: Container[str] = ()) -> str:
    """A label in small letters with ``_`` for all that is no letter or digit; numbered where the name is ``taken``.

    >>> column_name("Date de résiliation (client)")
    'date_de_résiliation_client'
    """
    text = unicodedata.normalize("NFC", label).casefold()
    name = re.sub(r"[\Wʼʹ]+", "_", text).strip("_") or "column"
    name = f"_{name}" if name[0].isdigit() else name
    number, out = 1, name
    while out in taken:
        number += 1
        out = f"{name}_{number}"
    return out


def column_names(labels: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """A name for each label, all different; the same each time for the same labels in the same order."""
    used, out = set(taken), []
    for label in labels:
        out.append(column_name(label, used))
        used.add(out[-1])
    return out
