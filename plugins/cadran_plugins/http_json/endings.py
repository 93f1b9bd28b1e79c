"""Whether an answer that is taken for the last page says itself that more rows follow.

A word that is misspelt under ``pages:``, or no word at all, would end a table behind its first page, and nobody would know: so what
APIs usually say is looked for beside the rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cadran.plugins import DataError
from cadran.plugins.http import Answer
from cadran_plugins.http_json.pages import next_of
from cadran_plugins.http_json.paths import MISSING, find
from cadran_plugins.http_json.settings import Declared

_MORE = frozenset(
    {"more", "hasmore", "hasnext", "hasnextpage", "morepages", "morerecords", "moreresults", "hasmorepages", "hasmoreitems", "hasmoreresults"}
)  # fmt: skip
_LAST = frozenset({"last", "islast", "islastpage", "lastpage", "endofstream"})
_NEXT = frozenset(
    {"next", "nextlink", "nexturl", "nexturi", "nexthref", "nextpage", "nextpageurl", "nextpagelink", "nextpagetoken", "nextcursor",
     "nextmarker", "nexttoken", "nextstart", "nextoffset", "nextrecordsurl"}
)  # fmt: skip
_COUNTED = frozenset({"totalcount", "totalresults", "totalitems", "totalrecords", "totalrows", "totalsize", "totalelements", "totalhits", "count"})  # fmt: skip
_NUMBERED = frozenset({"totalpages", "lastpage", "pagecount", "numpages", "nbpages"})
_BESIDE = frozenset({"limit", "perpage", "pagesize", "page", "offset", "startat", "start", "skip", "maxresults", "currentpage"})  # fmt: skip
_HEADERS = ("x-total-count", "x-total", "x-wp-total")
_DEEP = 3  # mappings in mappings that are looked through


def check(table: Declared, answer: Answer, body: Any, rows: Sequence[Any]) -> None:
    """For a first page that is taken for the last, too. Raises :class:`DataError` where the answer says that it is not."""
    pages = table.pages
    if pages.whole or pages.kind in ("offset", "page", "last_row"):
        return  # they go on until a page is empty, or until what was named says so
    if pages.kind in ("cursor", "next_link") and find(body, pages.where) is not MISSING:
        return
    counted = (
        pages.kind == "none" and not table.total and not table.total_header
    )  # else it is checked by itself
    found = _announced(answer, _beside(body, table.records), len(rows), counted=counted)
    if found is None:
        return
    what, say = found
    way = f"say {say} under 'pages'" if say else "say under 'pages' how the next page is found"
    if pages.kind == "none":
        raise DataError(
            f"more rows of '{table.name}' follow, as {what} says, and nothing says how they are asked for",
            hint=f"{way}; where this answer does hold all rows, say 'pages: none'",
            setting=(*table.where, "path"),
        )
    beside = f"'{pages.where}' holds nothing" if pages.where else "there is no header Link"
    raise DataError(
        f"more rows of '{table.name}' follow, as {what} says, but {beside}",
        hint=way,
        setting=(*table.where, "pages", pages.kind),
    )


def _beside(body: Any, records: str) -> Any:
    """The answer without its rows, where these stand under their ids."""
    if not isinstance(find(body, records), Mapping) or not isinstance(body, Mapping):
        return body
    return {key: value for key, value in body.items() if key != records.split(".")[0]} if records else None


def _announced(answer: Answer, body: Any, rows: int, *, counted: bool) -> tuple[str, str] | None:
    """What says that rows follow, and what to write for it. ``counted``: a number of rows that is larger says so, too."""
    if next_of(answer.headers.get("link", "")):
        return "the header Link", "'link_header: true'"
    said = list(_words(body))
    if any(
        (value is False and word in _MORE) or (value is True and word in _LAST) for _, word, value in said
    ):
        return None  # a plain no is believed: some give an address behind the last page, too
    for path, word, value in said:
        if word in _NEXT and (way := _way(path, value)):
            return f"'{path}'", way
    for path, word, value in said:
        if (value is True and word in _MORE) or (value is False and word in _LAST):
            return f"'{path}'", ""
        if word in _NUMBERED and type(value) is int and value > 1:
            return f"'{path}'", ""
    return _counted(answer, said, rows) if counted else None


def _way(path: str, value: Any) -> str:
    """What to write under ``pages:`` for something that leads on; empty where it does not."""
    if isinstance(value, Mapping):
        return next(filter(None, (_way(f"{path}.{key}", inner) for key, inner in value.items())), "")
    if isinstance(value, str) and value:
        link = "://" in value or value.startswith("/") or "?" in value
        return f"'next_link: {path}'" if link else f"'cursor: {path}', and with 'param' what takes it,"
    if type(value) is int and value > 0:
        return f"'cursor: {path}', and with 'param' what takes it,"
    return ""


def _counted(answer: Answer, said: Sequence[tuple[str, str, Any]], rows: int) -> tuple[str, str] | None:
    for header in _HEADERS:
        if (text := str(answer.headers.get(header, ""))).isdecimal() and int(text) > rows:
            return f"the header {header} ({text})", ""
    paged = any(word in _BESIDE for _, word, _ in said)
    for path, word, value in said:
        if (word in _COUNTED or (word == "total" and paged)) and type(value) is int and value > rows:
            return f"'{path}' ({value})", ""
    return None


def _words(value: Any, path: str = "", deep: int = _DEEP) -> Iterator[tuple[str, str, Any]]:
    """What stands beside the rows: path, the key in small letters and nothing else, value. Lists are rows, and not looked into."""
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        here = f"{path}.{key}" if path else str(key)
        word = re.sub(r"[^a-z]", "", str(key).casefold()).removeprefix("odata")
        yield here, word, inner
        if deep > 1:
            yield from _words(inner, here, deep - 1)
