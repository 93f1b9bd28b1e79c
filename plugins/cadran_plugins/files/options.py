"""How a file is to be read: the keys that a source and each of its ``tables:`` may say."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from cadran.plugins import ConfigError, listed
from cadran.plugins.typed import patterns
from cadran_plugins.files import declared

FORMATS = ("csv", "tsv", "parquet", "jsonl", "xlsx")
_ALL = {"header", "types", "nulls", "date_format", "timestamp_format", "on_bad_row"}
_CSV = _ALL | {"encoding", "delimiter", "quote", "decimal", "thousands"}
MEANT_FOR: Mapping[str, frozenset[str]] = {
    "csv": frozenset(_CSV),
    "tsv": frozenset(_CSV),
    "jsonl": frozenset(_ALL | {"encoding"}),
    "xlsx": frozenset(_ALL | {"sheet"}),
    "parquet": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one table, its own over the source's."""

    delimiter: str | None = None
    quote: str = '"'
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    nulls: tuple[str, ...] | None = None
    header: tuple[str, ...] | None = None
    types: Mapping[str, str] = field(default_factory=dict)  # all that apply, the table's over the source's
    strict_types: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)  # columns that must exist
    date_format: str | None = None
    timestamp_format: str | None = None
    sheet: str | None = None
    on_bad_row: str = "fail"

    @property
    def quarantine(self) -> bool:
        return self.on_bad_row == "quarantine"


_PLAIN = {f.name for f in fields(Options)} - {"types", "strict_types", "nulls", "header"}


def merged(
    source: Mapping[str, Any], table: Mapping[str, Any], setting: tuple[str | int, ...], *, alone: bool
) -> Options:
    """The options of one table; raises :class:`ConfigError` where they contradict each other.

    ``setting`` is where the table's own are said. The source's ``types:`` need not all fit this table, unless it
    is alone.
    """
    both = {**source, **table}
    own = {column: (*setting, "types", column) for column in table.get("types", {})}
    shared = {column: ("types", column) for column in source.get("types", {})}
    types = {**source.get("types", {}), **table.get("types", {})}
    options = Options(
        **{key: both[key] for key in _PLAIN & both.keys()},
        nulls=None if both.get("nulls") is None else tuple(both["nulls"]),
        header=None if both.get("header") is None else tuple(both["header"]),
        types={column: declared.canonical(text, {**shared, **own}[column]) for column, text in types.items()},
        strict_types={**shared, **own} if alone else own,
    )
    try:
        _check(options)
    except ConfigError as e:
        e.setting = (*setting, *e.setting) if e.setting[0] in table else e.setting
        raise
    return options


def _check(options: Options) -> None:
    """Raises :class:`ConfigError` with the key at fault."""
    try:
        text = codecs.lookup(options.encoding)._is_text_encoding
    except LookupError:
        text = False
    if not text:
        message = f"unknown encoding '{options.encoding}'"
        raise ConfigError(message, hint="utf-8, cp1252 and utf-16 are common", setting=("encoding",))
    for one, other in (("delimiter", "quote"), ("thousands", "decimal")):
        if getattr(options, one) == getattr(options, other):
            raise ConfigError(f"{one} and {other} must be different signs", setting=(one,))
    if (options.delimiter or ",") in "\r\n":
        raise ConfigError("a line break cannot be the delimiter", setting=("delimiter",))
    for key in ("date_format", "timestamp_format"):
        if pattern := getattr(options, key):
            patterns.check(pattern, key)


def refuse_foreign(own: Mapping[str, Any], format_: str, setting: Sequence[str | int]) -> None:
    """Raise where a table says something that its kind of file has no use for."""
    for key in own.keys() - {"path", "format"} - MEANT_FOR[format_]:
        uses = listed(sorted(MEANT_FOR[format_]), most=20)
        hint = f"what it may say: {uses}" if uses else "such files carry their own names and types"
        raise ConfigError(f"'{key}' has no meaning for {format_} files", hint=hint, setting=(*setting, key))
