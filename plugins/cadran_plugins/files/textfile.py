"""Text files: opening them, and a first look that finds what makes a file unreadable as a whole."""

from __future__ import annotations

import codecs
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

from cadran.plugins import DataError
from cadran_plugins.files.locate import Source

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """``lines`` counts every line, blank ones too. ``even``: all lines end alike, with LF or with CR LF.

    ``odd_quotes``: there is a blank beside a quote, which readers take differently.
    """

    lines: int
    even: bool
    odd_quotes: bool = False


def opened(source: Source, encoding: str) -> TextIO:
    """The text without its byte order mark; line breaks as they are."""
    text = io.TextIOWrapper(_bytes(source.path), encoding=encoding, newline="")
    if text.read(1) != "\ufeff":
        text.seek(0)
    return text


def look(source: Source, encoding: str, quote: str = "") -> Look:
    """Read the file once; raises :class:`DataError` for bytes that are not text."""
    lf = cr = both = 0
    last, odd = "", False
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with _bytes(source.path) as file:
        more = True
        while more:
            block = file.read(_BLOCK)
            more = bool(block)
            try:
                text = decoder.decode(block, final=not more)
            except UnicodeDecodeError as e:
                before = e.object[: e.start].decode(encoding, "replace")
                line = (
                    1
                    + lf
                    + cr
                    - both
                    + len(before.splitlines())
                    - (not before.endswith(("\n", "\r")) and bool(before))
                )
                raise _not_text(source, line, e, encoding) from None
            except (EOFError, gzip.BadGzipFile) as e:
                raise DataError(f"{source.name}: {e}") from None
            if "\0" in text:
                line = 1 + lf + cr - both + text[: text.index("\0")].count("\n")
                hint = "it may be in another encoding, such as utf-16" if encoding == "utf-8" else ""
                raise DataError(f"{source.name}:{line}: a NUL byte, which text never holds", hint=hint)
            lf += text.count("\n")
            if "\r" in text or last == "\r":
                cr += text.count("\r")
                both += text.count("\r\n") + (last == "\r" and text.startswith("\n"))
            if quote and not odd and (quote in text or last == quote):
                seam = last + text
                odd = f" {quote}" in seam or f"{quote} " in seam
            last = text[-1:] or last
    lines = lf + cr - both + (last not in ("", "\n", "\r", "\ufeff"))
    return Look(lines, cr == 0 or lf == cr == both, odd)


def _not_text(source: Source, line: int, error: UnicodeDecodeError, encoding: str) -> DataError:
    byte = error.object[error.start]
    message = f"{source.name}:{line}: byte 0x{byte:02x} is not valid in encoding {encoding}"
    return DataError(message, hint="say the file's encoding, such as 'encoding: cp1252'")


def _bytes(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")
