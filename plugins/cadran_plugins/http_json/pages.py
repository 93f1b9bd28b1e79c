"""How one page leads to the next: cursors, links, offsets, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from cadran.plugins import DataError
from cadran.plugins.http import Answer
from cadran_plugins.http_json.paths import MISSING, find, kind, shown
from cadran_plugins.http_json.settings import Declared

_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[^,;"]+(?:"[^"]*")?)*)')
_NEXT = re.compile(r'\brel\s*=\s*"?(?:[^"]*\s)?next(?=["\s;]|$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spot:
    """One page: a link as the server gave it, or else the table's own address with these parameters added. JSON knows both."""

    link: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        return {"link": self.link} if self.link else {"params": dict(self.params)}


def first(table: Declared) -> Spot:
    pages = table.pages
    size = {pages.limit_param: pages.limit} if pages.limit else {}
    if pages.kind == "offset":
        return Spot(params={**size, pages.where: 0})
    if pages.kind == "page":
        return Spot(params={**size, pages.where: pages.first})
    return Spot(params=size)


def following(
    table: Declared, spot: Spot, answer: Answer, body: Any, rows: Sequence[Any], left: int | None, *,
    full: bool,
) -> Spot | None:  # fmt: skip
    """The page behind this one, None where it is the last. ``left`` is how many rows are still to come, where the total is known; ``full``:
    a page has held as many rows as were asked for, so that one with fewer is the last."""
    pages = table.pages
    more = _more(table, body)
    if pages.kind == "none" or more is False:
        return None
    if pages.kind == "next_link":
        return _link(find(body, pages.where), answer, spot, (*table.where, "pages", "next_link"), more)
    if pages.kind == "link_header":
        return _link(next_of(answer.headers.get("link", "")), answer, spot, (*table.where, "pages"), more)
    if pages.kind == "cursor":
        return _behind(spot, pages.param, find(body, pages.where), table, more)
    if pages.kind == "last_row":
        if not rows:
            return None
        value = find(rows[-1], pages.where)
        if value is MISSING or value is None:
            hint = f"a row is {shown(rows[-1])}"
            raise DataError(
                f"the last row holds nothing at '{pages.where}'",
                hint=hint,
                setting=(*table.where, "pages", "last_row"),
            )
        return _behind(spot, pages.param, value, table, more)
    return None if _is_last(table, rows, left, more, full) else counted_on(table, spot, rows)


def counted_on(table: Declared, spot: Spot, rows: Sequence[Any]) -> Spot:
    """The page behind one that is counted off: not by the limit, as a server may give fewer than it is asked for."""
    step = len(rows) if table.pages.kind == "offset" else 1
    return Spot(params={**spot.params, table.pages.where: int(spot.params[table.pages.where]) + step})


def _is_last(table: Declared, rows: Sequence[Any], left: int | None, more: bool | None, full: bool) -> bool:
    if more is not None:
        return not more
    if not rows or (left is not None and left <= 0):
        return True
    # Where no page was full, the server may give fewer than it is asked for: 100, whatever the limit says.
    return left is None and full and table.pages.until == "short" and len(rows) < table.pages.limit


def _behind(spot: Spot, param: str, value: Any, table: Declared, more: bool | None) -> Spot | None:
    if value is MISSING or value is None or value == "" or value is False:
        _nowhere(more, (*table.where, "pages"))
        return None
    if isinstance(value, dict | list):
        raise DataError(f"the cursor at '{table.pages.where}' is {kind(value)}", hint="it has to be a text or a number", setting=(*table.where, "pages", table.pages.kind))  # fmt: skip
    plain = (
        value if isinstance(value, str | int) else str(value)
    )  # a number with a point, which JSON must not round
    return Spot(params={**spot.params, param: plain})


def _nowhere(more: bool | None, where: Sequence[str | int]) -> None:
    """Nothing leads on: which is the end, unless it was said that it is none."""
    if more:
        hint = "look at what an answer holds, and at 'pages'"
        raise DataError("more rows are announced, but nothing says where", hint=hint, setting=where)


def _link(value: Any, answer: Answer, spot: Spot, where: Sequence[str | int], more: bool | None) -> Spot | None:  # fmt: skip
    if value is MISSING or value is None or value == "":
        _nowhere(more, where)
        return None
    if not isinstance(value, str):
        raise DataError(
            f"the next page's address is {kind(value)}", hint="it has to be a text", setting=where
        )
    link, here = urljoin(answer.url or spot.link, value), urlsplit(answer.url)
    if "@" in urlsplit(link).netloc:
        hint = "tell whoever runs the server: it would be kept on disk, and is not asked"
        raise DataError("the next page's address holds a name or a password", hint=hint, setting=where)
    if here.scheme == "https" and link.startswith(f"http://{here.netloc}/"):
        link = f"https{link.removeprefix('http')}"  # of a server that stands behind one which speaks TLS
    return Spot(link=link)


def next_of(header: str) -> str:
    """The address that a header ``Link`` calls the next; empty for none."""
    for link in _LINK.finditer(header):
        if _NEXT.search(link[2]):
            return link[1]
    return ""


def _more(table: Declared, body: Any) -> bool | None:
    word = "last" if table.pages.last else "more"
    path = table.pages.last or table.pages.more
    if not path:
        return None
    value = find(body, path)
    if isinstance(value, bool):
        return value is not bool(table.pages.last)
    said = "nothing" if value is MISSING else kind(value)
    hint = f"the answer is {shown(body)}"
    raise DataError(f"'{path}' holds {said}, and not true or false", hint=hint, setting=(*table.where, "pages", word))  # fmt: skip
