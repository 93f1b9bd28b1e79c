"""Where each character of a parsed YAML scalar stands in the source text.

A problem inside a formula is known by its offset in the *parsed* value. Quotes, escapes, folding and block
indentation make that differ from the offset in the file, so each style is read once more here, remembering for
every character of the value the index it came from. It is done only when a position is asked for. If the result is
not the value that YAML itself read, None is returned and the caller points at the scalar's start instead.
"""

from __future__ import annotations

import re

Trace = list[tuple[str, int]]  # a character of the value (or none, or several) and its index in the source

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_BLANKS = " \t"
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}
_HEADER = re.compile(r"[|>]([-+1-9]*)[^\r\n\x85\u2028\u2029]*")


def source_indexes(raw: str, base: int, value: str) -> list[int] | None:
    """For each character of ``value`` its index in the file, where ``raw`` is the scalar's source from ``base``."""
    if raw[:1] in ("|", ">"):
        return _block(raw, base, value)
    if raw[:1] == "'":
        trace = _flow(raw[1:-1], base + 1, _single)
    elif raw[:1] == '"':
        trace = _flow(raw[1:-1], base + 1, _double)
    else:
        trace = _flow(raw, base, _as_is)
    return _checked(trace, value)


def _checked(trace: Trace, value: str) -> list[int] | None:
    if "".join(text for text, _ in trace) != value:
        return None
    return [index for text, index in trace for _ in text]


# --- plain and quoted: folded in the same way, only the escapes differ ---------------------------------------------


def _as_is(_raw: str, _at: int) -> tuple[str, int]:
    return "", 0


def _single(raw: str, at: int) -> tuple[str, int]:
    return ("'", 2) if raw.startswith("''", at) else ("", 0)


def _double(raw: str, at: int) -> tuple[str, int]:
    """What an escape at ``at`` stands for and how long it is; a length of 0 means there is none."""
    if raw[at] != "\\":
        return "", 0
    broken = _BREAK.match(raw, at + 1)
    if broken:  # an escaped line break joins two lines without a space; the next line's indentation goes
        end = broken.end()
        while end < len(raw) and raw[end] in _BLANKS:
            end += 1
        return "", end - at
    kind = raw[at + 1 : at + 2]
    size = _HEX.get(kind, 0)
    if not size:
        return _ESCAPES.get(kind, kind), 2
    try:
        return chr(int(raw[at + 2 : at + 2 + size], 16)), 2 + size
    except (ValueError, OverflowError):
        return "", 2


def _flow(raw: str, base: int, escape: object) -> Trace:
    assert callable(escape)
    trace: Trace = []
    at = kept = 0  # what comes after ``kept`` are blanks that a line break would swallow
    while at < len(raw):
        broken = _BREAK.match(raw, at)
        if broken:
            del trace[kept:]
            breaks, end = _eat_breaks(raw, at)
            trace += [(" ", base + at)] if len(breaks) == 1 else [(t, base + i) for t, i in breaks[1:]]
            at, kept = end, len(trace)
            continue
        text, size = escape(raw, at)
        trace.append((text, base + at) if size else (raw[at], base + at))
        if size or raw[at] not in _BLANKS:
            kept = len(trace)
        at += size or 1
    return trace


def _eat_breaks(raw: str, at: int) -> tuple[Trace, int]:
    """All line breaks from ``at`` with the blanks between them, and the index of what follows."""
    breaks: Trace = []
    while at < len(raw):
        broken = _BREAK.match(raw, at)
        if broken:
            breaks.append((_normal(broken[0]), at))
            at = broken.end()
        elif raw[at] in _BLANKS:
            at += 1
        else:
            break
    return breaks, at


def _normal(line_break: str) -> str:
    return line_break if line_break in "\u2028\u2029" else "\n"


# --- literal and folded blocks ---------------------------------------------------------------------------------------


def _block(raw: str, base: int, value: str) -> list[int] | None:
    header = _HEADER.match(raw)
    if header is None:
        return None
    lines = _lines(raw, header.end())
    keep = "strip" if "-" in header[1] else "keep" if "+" in header[1] else "clip"
    # An explicit indentation counts from the parent's, which is not known here: the right one gives the value back.
    widths = {len(text) - len(text.lstrip(" ")) for text, _, _ in lines if text.strip(" ")} or {0}
    for indent in sorted(widths, reverse=True) + list(range(min(widths))):
        found = _checked(_block_trace(lines, base, indent, raw[0] == ">", keep), value)
        if found is not None:
            return found
    return None


def _lines(raw: str, at: int) -> list[tuple[str, int, str]]:
    """The lines behind a block's header: text, index, and line break."""
    first = _BREAK.match(raw, at)
    out = []
    at = first.end() if first else len(raw)
    while at < len(raw):
        broken = _BREAK.search(raw, at)
        end = broken.start() if broken else len(raw)
        out.append((raw[at:end], at, _normal(broken[0]) if broken else ""))
        at = broken.end() if broken else end
    return out


def _block_trace(lines: list[tuple[str, int, str]], base: int, indent: int, folded: bool, keep: str) -> Trace:
    trace: Trace = []
    pending: Trace = []  # the break that ended the last line of text
    blank_lines: Trace = []
    was_blank = False
    for text, at, line_break in lines:
        end = base + at + len(text)
        if len(text) <= indent and not text.strip(" "):
            blank_lines.append((line_break, end))
            continue
        content = text[indent:]
        if text[:indent].strip(" "):
            break  # a line with less indentation is no longer part of the block
        blank = content[:1] in (" ", "\t")
        if folded and pending and pending[0][0] == "\n" and not was_blank and not blank:
            trace += [(" ", pending[0][1])] if not blank_lines else []
        else:
            trace += pending
        trace += blank_lines
        trace += [(char, base + at + indent + i) for i, char in enumerate(content)]
        pending, blank_lines, was_blank = [(line_break, end)], [], blank
    trace += pending if keep != "strip" else []
    trace += blank_lines if keep == "keep" else []
    return trace
