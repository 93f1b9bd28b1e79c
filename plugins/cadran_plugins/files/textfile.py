"""Text files: opening them, and a first look that finds what makes a file unreadable as a whole."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO, cast

from cadran.plugins import DataError
from cadran_plugins.files.locate import Source

_BLOCK = 1 << 20


@dataclass(slots=True)
class Look:
    """What a file's text holds, as far as it has been fed.

    ``lines`` counts every line, blank ones too. ``odd``: there is a blank beside a quote or a blank line at the
    top, which readers take differently.
    """

    quote: str = ""
    odd: bool = False
    _lf: int = 0
    _cr: int = 0
    _crlf: int = 0
    _last: str = ""

    def feed(self, text: str) -> None:
        self.odd = self.odd or (not self._last and text.startswith(("\n", "\r")))
        seam = self._last + text if text[:1] in ("\n", " ", self.quote) else text
        self._lf += text.count("\n")
        if "\r" in seam:
            self._cr += text.count("\r")
            self._crlf += seam.count("\r\n")
        if self.quote and not self.odd and self.quote in seam:
            self.odd = f" {self.quote}" in seam or f"{self.quote} " in seam
        self._last = text[-1:] or self._last

    @property
    def breaks(self) -> int:
        return self._lf + self._cr - self._crlf

    @property
    def lines(self) -> int:
        return self.breaks + (self._last not in ("", "\n", "\r"))

    @property
    def even(self) -> bool:
        """All lines end alike, with LF or with CR LF."""
        return self._cr == 0 or self._lf == self._cr == self._crlf


def look(source: Source, encoding: str, quote: str = "") -> Look:
    """Read the file once; raises :class:`DataError` for bytes that are not text."""
    found = Look(quote)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    first = True
    for block in _blocks(source):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as e:
            found.feed(e.object[: e.start].decode(encoding, "ignore"))
            raise _not_text(source, found.breaks + 1, e, encoding) from None
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        if "\0" in text:
            found.feed(text[: text.index("\0")])
            hint = "it may be in another encoding, such as utf-16" if encoding == "utf-8" else ""
            raise DataError(
                f"{source.name}:{found.breaks + 1}: a NUL byte, which text never holds", hint=hint
            )
        found.feed(text)
    return found


@contextmanager
def opened(source: Source, encoding: str) -> Iterator[TextIO]:
    """The text without its byte order mark; line breaks as they are. Raises :class:`DataError` with the line."""
    try:
        with _bytes(source) as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            if text.read(1) != "\ufeff":
                text.seek(0)
            yield text
    except UnicodeDecodeError as e:
        look(source, encoding)  # which finds the line
        raise _not_text(source, 1, e, encoding) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as e:
        raise _unreadable(source, e) from None


def _blocks(source: Source) -> Iterator[bytes]:
    """The file's bytes, ending with an empty block."""
    with _bytes(source) as file:
        block = b"-"
        while block:
            try:
                block = file.read(_BLOCK)
            except (EOFError, OSError, zlib.error) as e:
                raise _unreadable(source, e) from None
            yield block


def _bytes(source: Source) -> BinaryIO:
    try:
        packed = source.path.suffix.lower() == ".gz"
        return cast(BinaryIO, gzip.open(source.path)) if packed else source.path.open("rb")
    except OSError as e:
        raise _unreadable(source, e) from None


def _unreadable(source: Source, error: Exception) -> DataError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DataError(f"{source.name}: cannot be read: {reason}")


def _not_text(source: Source, line: int, error: UnicodeDecodeError, encoding: str) -> DataError:
    byte = error.object[error.start]
    message = f"{source.name}:{line}: byte 0x{byte:02x} is not valid in encoding {encoding}"
    return DataError(message, hint="say the file's encoding, such as 'encoding: cp1252'")
