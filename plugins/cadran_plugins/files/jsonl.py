"""JSON lines: one object a line. Numbers keep the digits they are written with; what is nested becomes JSON text.

The columns are the keys of the first record, and every record must have just those; where ``header:`` names them,
a record may leave some out. So no value vanishes, and none is NULL that nobody meant to be.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from cadran.plugins import DataError, listed, suggest
from cadran_plugins.files.header import checked
from cadran_plugins.files.locate import Source, TableFiles
from cadran_plugins.files.textfile import look, opened

if TYPE_CHECKING:
    from cadran_plugins.files.staging import Staging

NULLS = ()


class _Number(str):
    """A number as it is written."""


def names(table: TableFiles, source: Source) -> list[str]:
    """The columns; raises :class:`DataError`."""
    if table.options.header is not None:
        return checked(table.options.header, f"{source.name}: header")
    with closing(_lines(table, source)) as lines:
        first = next(lines, None)
    if first is None:
        raise DataError(
            f"{source.name}:1: the file is empty", hint="it needs a record, or 'header: [a, b, …]'"
        )
    line, text = first
    try:
        return checked(list(_object(text)), f"{source.name}:{line}")
    except ValueError as e:
        raise DataError(f"{source.name}:{line}: {e}") from None


def load(file: int, source: Source, staging: Staging) -> None:
    """Stage the records of one file."""
    from cadran_plugins.files.staging import no_garbage_collection

    look(source, staging.table.options.encoding)
    partial = staging.table.options.header is not None
    with no_garbage_collection():
        for line, text in _lines(staging.table, source):
            try:
                record = _object(text)
                _check_keys(record, staging.names, partial)
            except ValueError as e:
                staging.reject(file, line, str(e))
            else:
                staging.add(file, line, _row(record, staging))
    staging.flush(file)


def _lines(table: TableFiles, source: Source) -> Generator[tuple[int, str], None, None]:
    with opened(source, table.options.encoding) as text:
        for line, record in enumerate(text, 1):
            if record.strip():
                yield line, record


def _object(text: str) -> dict[str, Any]:
    try:
        record = _DECODER.decode(text)
    except json.JSONDecodeError as e:
        raise ValueError(f"not JSON: {e.msg} at column {e.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError("a line must hold one JSON object")
    return record


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key '{twice}' is there twice")
    return record


def _no_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_Number, parse_int=_Number, parse_constant=_no_constant
)


def _check_keys(record: dict[str, Any], names: Sequence[str], partial: bool) -> None:
    if extra := [key for key in record if key not in names]:
        hint = suggest(extra[0], names) or "name all columns with 'header:'"
        raise ValueError(f"unknown key {listed(extra)}; {hint}")
    if not partial and len(record) < len(names):
        missing = [name for name in names if name not in record]
        raise ValueError(
            f"missing key {listed(missing)}; if it may be missing, name the columns with 'header:'"
        )


def _row(record: dict[str, Any], staging: Staging) -> list[str | None]:
    row: list[str | None] = []
    for name, kinds in zip(staging.names, staging.kinds, strict=True):
        value = record.get(name)
        if value is None:
            row.append(None)
            continue
        kind, text = _cell(value)
        kinds.add(kind)
        row.append(text)
    return row


def _cell(value: Any) -> tuple[str, str]:
    if isinstance(value, _Number):
        return "number", _plain(value)
    if isinstance(value, str):
        return "text", value
    if isinstance(value, bool):
        return "boolean", "true" if value else "false"
    return "nested", _written(value)


def _plain(number: str) -> str:
    """With a sign in its exponent, by which it is known as a number: 12E4 as 12e+4."""
    lower = number.lower()
    return lower if "e" not in lower or "e-" in lower or "e+" in lower else lower.replace("e", "e+")


def _written(value: Any) -> str:
    """A nested value as JSON again, with its numbers as they were."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(k)}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
