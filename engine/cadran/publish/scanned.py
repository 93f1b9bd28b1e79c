"""One line on what a run had of its sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cadran.compute.results import Scanned

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def in_all(scanned: Sequence[Scanned]) -> str:
    """``files 1,200 rows read (3.4 MB) · wh 36 rows came (1.2 kB)``: read here, and sent by the source."""
    return (
        " · ".join(f"{s.source} {', '.join(_parts(s))}" for s in scanned if s != Scanned(s.source))
        or "nothing"
    )


def _parts(source: Scanned) -> Iterator[str]:
    if source.came or source.bytes_came:
        yield f"{source.came:,} rows came{_size(source.bytes_came)}"
    if source.rows or source.bytes:
        yield f"{source.rows:,} rows read{_size(source.bytes)}"


def _size(size: int) -> str:
    """In brackets; nothing where it is not known."""
    if not size:
        return ""
    power = min((len(str(size)) - 1) // 3, len(_UNITS) - 1)
    return f" ({size / 1000**power:.{1 if power else 0}f} {_UNITS[power]})"
