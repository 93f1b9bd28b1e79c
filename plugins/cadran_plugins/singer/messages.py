"""What a tap writes: one JSON message a line (https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md)."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from cadran.plugins import DataError

_METRIC = re.compile(r"METRIC: (\{.*\})")
_SHOWN = 80


def message(line: bytes) -> Mapping[str, Any]:
    """Numbers with a point are decimals. Raises :class:`DataError` for a line that is none."""
    value = decoded(line)
    if isinstance(value, Mapping) and isinstance(value.get("type"), str):
        return value
    begins = line[:_SHOWN].decode("utf-8", "replace")
    raise DataError(
        f"the tap wrote a line that is no message: {begins!r}",
        hint="only messages belong to its standard output; tell its author",
    )


def decoded(line: bytes) -> Any:
    """None for what is no JSON."""
    try:
        return _decoder()(line)
    except (ValueError, ArithmeticError):
        pass
    try:  # NaN, half a surrogate pair: a text in its place does not fit any number, and is set aside
        return json.loads(line, parse_float=Decimal, parse_constant=str)
    except (ValueError, ArithmeticError, RecursionError):
        return None


@cache
def _decoder() -> Any:
    import msgspec

    return msgspec.json.Decoder(float_hook=Decimal).decode


def batch(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records in the files that a BATCH message names."""
    encoding = said.get("encoding") or {}
    kind, packed = encoding.get("format"), encoding.get("compression") or "none"
    if kind != "jsonl" or packed not in ("gzip", "none"):
        hint = "let the tap write its batches as jsonl, with gzip or without"
        raise DataError(f"the tap writes batches as {kind} ({packed}), which cannot be read", hint=hint)
    for url in said.get("manifest") or ():
        yield from _file(_path(str(url)), packed == "gzip")


def _path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme not in ("file", "") or parts.netloc not in ("", "localhost"):
        hint = "let the tap write its batches to this machine (storage: file://…)"
        raise DataError(f"a batch lies at {parts.scheme}://, and not on this machine", hint=hint)
    return Path(unquote(parts.path))


def _file(path: Path, packed: bool) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as plain:
            opened: IO[bytes] = gzip.GzipFile(fileobj=plain) if packed else plain  # type: ignore[assignment]
            for line in opened:
                if not line.strip():
                    continue
                record = decoded(line)
                if not isinstance(record, Mapping):
                    raise DataError(
                        f"a line of the batch {path.name} is no record", hint="tell the tap's author"
                    )
                yield record
    except (OSError, EOFError) as error:
        raise DataError(
            f"the batch {path.name} cannot be read whole: {type(error).__name__}",
            hint="see whether there is room on the disk",
        ) from None


def counted(line: str) -> tuple[frozenset[str], int] | None:
    """What a line of the log says of rows that were written: under which names, and how many."""
    if "record_count" not in line or not (found := _METRIC.search(line)):
        return None
    metric = decoded(found[1].encode())
    if not isinstance(metric, Mapping) or (metric.get("type"), metric.get("metric")) != (
        "counter",
        "record_count",
    ):
        return None
    value, tags = metric.get("value"), metric.get("tags")
    if not isinstance(value, int) or not isinstance(tags, Mapping):
        return None
    return frozenset(str(tags[word]) for word in ("stream", "endpoint") if word in tags), value
