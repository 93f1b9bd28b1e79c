"""JSON Schema of the ``files`` connector's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cadran_plugins.files.options import FORMATS


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _texts(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description, **more}


_SIGN = {"minLength": 1, "maxLength": 1}

OPTIONS: Mapping[str, Any] = {
    "delimiter": _text("What stands between two fields: a comma, in .tsv files a tab, unless said.", **_SIGN),
    "quote": _text(
        'The sign around fields that hold a delimiter or a line break: " unless said; empty: none.',
        maxLength=1,
    ),
    "decimal": _text("The decimal sign of numbers: a point unless said.", enum=[".", ","]),
    "thousands": _text(
        "The sign between groups of three digits, which are then optional: none unless said.", maxLength=1
    ),
    "encoding": _text("Encoding of the text by Python's name for it, such as cp1252: utf-8 unless said."),
    "nulls": _texts(
        "The only texts that are read as NULL. Unless said: the empty field in CSV, quoted or not, and the empty "
        "text in Excel; in JSON lines only null. An empty cell of Excel is always NULL."
    ),
    "header": _texts(
        "Names of the columns of a file that has no header line. In JSON lines: the keys, of which a record may "
        "then leave out some; without it every record must have the keys of the first one.",
        minItems=1,
    ),
    "types": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Types by column, over what the values look like: text, integer, bigint, decimal(12,2), "
        "double, boolean (true, false, t, f, yes, no, y, n, 1, 0), date, timestamp (without a zone), timestamptz. "
        "A value that would have to be rounded is a bad one. Numbers that need more than 38 digits must be "
        "declared double or text.",
    },
    "date_format": _text("How dates are written, such as %d/%m/%Y: as 2026-03-31 unless said."),
    "timestamp_format": _text(
        "How timestamps are written, such as %d/%m/%Y %H:%M: as 2026-03-31 12:30:00 or with a T, and perhaps a zone, "
        "unless said. Digits after microseconds are cut off."
    ),
    "sheet": _text("The sheet of an Excel file: the first unless said."),
    "on_bad_row": _text(
        "fail (unless said): a bad record stops the load; quarantine: it is set aside and counted in every output.",
        enum=["fail", "quarantine"],
    ),
}

_TABLE: Mapping[str, Any] = {
    "path": _text(
        "A file, or a pattern that makes one table of several files with the same header; starts at the source's "
        "path. Unless said: the file whose stem is the table's name."
    ),
    "format": _text("Kind of file: by the suffix unless said.", enum=list(FORMATS)),
    **OPTIONS,
}

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "path": _text(
            "A folder, whose files are tables named by their stems, or one file. Unless said: the folder of this file."
        ),
        "tables": {
            "type": "object",
            "description": "More about some tables, or further tables, by name.",
            "additionalProperties": {
                "type": ["object", "null"],
                "description": "What holds for this table alone.",
                "properties": _TABLE,
                "additionalProperties": False,
            },
        },
        **OPTIONS,
    },
    "additionalProperties": False,
}
