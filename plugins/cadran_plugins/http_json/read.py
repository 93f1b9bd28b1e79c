"""Reading one table: page after page, until the server says that it was the last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins import (
    Column,
    ConfigError,
    DataError,
    Deletes,
    End,
    Page,
    Rejected,
    ResumeExpired,
    Window,
)
from cadran.plugins.http import Answer, Http
from cadran.plugins.typed.records import Records
from cadran_plugins.http_json import answers, endings, pages, rows
from cadran_plugins.http_json.asking import Asking
from cadran_plugins.http_json.auth import Auth
from cadran_plugins.http_json.paths import MISSING, find, shown
from cadran_plugins.http_json.seen import Lacking, Moved, Seen
from cadran_plugins.http_json.settings import DAY, Declared, Field, check_looks_back

Item = Page | Deletes | Rejected | End
_ROUND = 1000
_SURE = 100  # rows of changes that tell whether a column is there


@dataclass(slots=True)
class Reading:
    """One read of one table. ``read`` counts what the server sent, rows that are set aside and deleted ones too."""

    table: Declared
    fields: tuple[Field, ...]
    http: Http
    auth: Auth
    window: Window
    read: int = 0
    total: int | None = None
    _seen: set[bytes] = field(default_factory=set)
    _before: list[Any] | None = None  # the rows of the page before, where pages are counted off
    _unmet: set[str] = field(default_factory=set)  # columns that no row has held yet
    _full: bool = False  # whether a page has held as many rows as were asked for
    _ask: Asking = field(init=False)

    def __post_init__(self) -> None:
        self._ask = Asking(self.table, self.fields, self.http, self.auth, self.window)
        self._unmet = {f.path for f in self.table.columns if not f.optional}
        if self.table.marked is not None and not self.table.marked.optional:
            self._unmet.add(self.table.marked.path)

    def items(self, resume: Mapping[str, Any] | None) -> Iterator[Item]:
        if resume is not None and resume.get("end"):
            yield End(0, resume.get("state"))
            return
        spot: pages.Spot | None = self._start(resume)
        formats = {f.name: f.format.removeprefix(DAY) for f in self.fields if f.format}
        columns = [Column(f.name, f.type) for f in self.fields]
        records = Records(columns, key=self.table.key, formats=formats)
        seen = Seen.of(self.table, self.fields) if resume is None else None
        sent, state, known = 0, None, resume is None and self.window.state is None
        while spot is not None:
            answer = self._ask.page(spot, sure=known)
            known = True
            body = answers.content(self.table, answer)
            found = answers.records(self.table, answer, body)
            self.read += len(found)
            self._count(answer, body)
            if seen is not None:
                seen.add(found, self.total)
            behind = self._behind(spot, answer, body, found)
            gone, kept = rows.split(self.table, found)
            if self.table.each:
                kept = answers.inner(self.table, kept)
            self._unmet = rows.unmet(self._unmet, kept)
            if gone and self.table.marked is not None:
                self._unmet.discard(self.table.marked.path)
            if behind is None:
                if resume is None and not self._seen:  # no page has led to this one
                    endings.check(self.table, answer, body, found)
                self._check_total()
                self._check_no_limit(spot, found)
                self._check_columns(kept)
                if seen is not None:
                    seen.check()
                state = self._state(body)
            went_on: dict[str, Any] = {"end": True, "state": state} if behind is None else behind.kept()
            yield from self._deletes(gone)
            batch, aside = records.columns_batch(rows.columns(kept, self.fields), self.table.name)
            yield from aside
            sent += batch.num_rows
            count = {"read": self.read, "total": self.total, "unmet": sorted(self._unmet), "full": self._full}
            told = self.auth.told_in(json.dumps(went_on))  # then reading goes on behind an earlier page
            yield Page(_stream(batch), resume=None if told else {**went_on, **count})
            spot = behind
        yield End(sent, state)

    def first(self) -> list[dict[str, Any]]:
        """The rows of the first page, as they come: whether the table can be read at all."""
        answer = self._ask.page(pages.first(self.table), sure=True)
        return answers.records(self.table, answer, answers.content(self.table, answer))

    def sample(self, most: int) -> list[dict[str, Any]]:
        """The first rows, but for those that say that they are gone."""
        spot: pages.Spot | None = pages.first(self.table)
        out: list[dict[str, Any]] = []
        while spot is not None and len(out) < most:
            answer = self._ask.page(spot, sure=True)
            body = answers.content(self.table, answer)
            found = answers.records(self.table, answer, body)
            kept = rows.split(self.table, found)[1]
            out += answers.inner(self.table, kept) if self.table.each else kept
            spot = self._behind(spot, answer, body, found)
        return out[:most]

    def _start(self, resume: Mapping[str, Any] | None) -> pages.Spot:
        if resume is not None:
            return self._resumed(resume)
        if self.window.state is not None:
            link = self.window.state.get("delta")
            if not isinstance(link, str) or not self.table.delta:
                raise ResumeExpired("the link to what has changed is not known any more")
            return pages.Spot(link)
        return pages.first(self.table)

    def _resumed(self, resume: Mapping[str, Any]) -> pages.Spot:
        """The page, with what was counted up to it."""
        link, params = resume.get("link", ""), resume.get("params", {})
        read, total, unmet = resume.get("read"), resume.get("total"), resume.get("unmet")
        kinds = isinstance(link, str) and isinstance(params, dict) and isinstance(unmet, list)
        if (
            not kinds
            or type(read) is not int
            or type(total) not in (int, type(None))
            or not (link or "params" in resume)
        ):
            raise ResumeExpired("this is no place to go on from")
        self.read, self.total, self._unmet = read, total, set(map(str, unmet or ()))
        self._full = resume.get("full") is True
        return pages.Spot(link, params)

    def _count(self, answer: Answer, body: Any) -> None:
        """The total as this answer says it. Where rows are counted off, one that shrinks has moved those behind it forward."""
        table = self.table
        if body is None or (not table.total and not table.total_header):
            return
        said = (
            answer.headers.get(table.total_header, MISSING) if table.total_header else find(body, table.total)
        )
        if said is MISSING and self.total is not None:
            return  # links may leave it out later
        where = (*table.where, "total")
        try:
            now = int(said)
        except (TypeError, ValueError):
            hint = f"the answer is {shown(body)}" if table.total else "look at the name of the header"
            raise DataError(
                "the answer does not say how many rows there are", hint=hint, setting=where
            ) from None
        if table.pages.kind in ("offset", "page") and self.total is not None and now < self.total:
            hint = "sync again: reading begins anew"
            message = f"{self.total - now} rows of '{table.name}' have gone while it was read, and others have moved between pages"
            raise Moved(message, hint=hint)
        self.total = now

    def _behind(self, spot: pages.Spot, answer: Answer, body: Any, found: list[Any]) -> pages.Spot | None:
        self._check_moves_on(spot, found)
        left = None if self.total is None else self.total - self.read
        self._full = self._full or len(found) >= self.table.pages.limit
        behind = pages.following(self.table, spot, answer, body, found, left, full=self._full)
        if behind is None:
            return None
        behind = pages.Spot(self._ask.kept(behind.link), behind.params)
        if not self._seen:
            self._seen.add(_digest(spot))
        if (digest := _digest(behind)) in self._seen:
            param, hint = self.table.pages.param, "so reading would go in circles; look at 'pages'"
            if param:
                hint = f"so reading would go in circles; what does the server call it that is called '{param}' here?"
            raise DataError(f"the server names a page of '{self.table.name}' as the next that was read already", hint=hint, setting=(*self.table.where, "pages"))  # fmt: skip
        self._seen.add(digest)
        return behind

    def _check_moves_on(self, spot: pages.Spot, found: list[Any]) -> None:
        """A server that does not know the word for the page gives the first one for ever."""
        how = self.table.pages
        if found and found == self._before:
            message = f"the server gives the same {len(found)} rows of '{self.table.name}' again for {how.where}={spot.params.get(how.where)}"
            hint = f"look at 'pages': what does the server call it that is called '{how.where}' there?"
            if self.read > 2 * len(found):  # it has moved on before
                hint = "where the API repeats its last page, say 'total' or 'more', or 'until: short'"
            raise DataError(message, hint=hint, setting=(*self.table.where, "pages", how.kind))
        self._before = found if how.kind in ("offset", "page") else None

    def _check_total(self) -> None:
        if self.total is not None and self.read < self.total:
            message = f"{self.total} rows of '{self.table.name}' were announced, but {self.read} came"
            raise Moved(
                message,
                hint="if it stays so, look at 'pages' and 'total'",
                setting=(*self.table.where, "total"),
            )

    def _check_no_limit(self, spot: pages.Spot, found: list[Any]) -> None:
        """A round total may be as far as the server counts (10,000), whatever there are: one page more tells."""
        how = self.table.pages
        counted = how.kind in ("offset", "page") and not how.more and not how.last
        if not counted or not found or not self.total or self.total % _ROUND:
            return
        try:
            answer = self._ask.page(pages.counted_on(self.table, spot, found), sure=True)
        except DataError:
            return  # as some say that there is no such page
        if answers.records(self.table, answer, answers.content(self.table, answer)):
            hint = "it is as far as the server counts: leave 'total' out, and reading ends with a page without rows"
            message = f"more rows of '{self.table.name}' follow behind the {self.total:,} that were announced"
            raise Lacking(message, hint=hint, setting=(*self.table.where, "total"))

    def _check_columns(self, rows: list[dict[str, Any]]) -> None:
        """A column that no row holds is misspelt, or is no more: its values would all be empty, and nobody would know why."""
        few = not self.window.whole and self.read < _SURE
        if not self._unmet or not self.read or few or not rows:
            return
        path = sorted(self._unmet)[0]
        where, say = (
            ("columns", path),
            "where the API leaves out what is empty, say {type: …, optional: true}",
        )
        if path not in {f.path for f in self.table.columns}:
            where, say = ("deletes", "column"), "where the API leaves it out of rows that live, say 'optional: true'"  # fmt: skip
        raise Lacking(
            f"no row of '{self.table.name}' holds '{path}'",
            hint=f"a row is {shown(rows[-1])}; {say}",
            setting=(*self.table.where, *where),
        )

    def _state(self, body: Any) -> dict[str, Any] | None:
        if not self.table.delta:
            return None
        link = find(body, self.table.delta)
        if not isinstance(link, str) or not link:
            hint = f"it is {shown(body)}; with OData, the header 'Prefer: odata.track-changes' asks for it"
            message = (
                f"the last answer of '{self.table.name}' has no address of changes at '{self.table.delta}'"
            )
            raise DataError(message, hint=hint, setting=(*self.table.where, "delta"))
        return {"delta": self._ask.kept(link)}

    def _deletes(self, gone: list[dict[str, Any]]) -> Iterator[Item]:
        if not gone:
            return
        key = [f for f in self.fields if f.name in self.table.key]
        records = Records([Column(f.name, f.type) for f in key])
        batch, aside = records.batch((rows.key(self.table, row, key) for row in gone), self.table.name)
        yield from aside
        yield Deletes(_stream(batch))


def check_names(table: Declared, fields: tuple[Field, ...]) -> None:
    """Key and cursor are among the columns that were told from rows."""
    names = {f.name for f in fields}
    cursor = [(table.cursor.column, ("cursor", "column"))] if table.cursor else []
    for name, where in [*((name, ("key",)) for name in table.key), *cursor]:
        if name not in names:
            hint = f"the first rows hold {', '.join(sorted(names)[:12])}"
            raise ConfigError(f"'{name}' is not among the columns", hint=hint, setting=(*table.where, *where))
    if table.cursor and table.cursor.lookback:
        check_looks_back(next(f for f in fields if f.name == table.cursor.column), (*table.where, "cursor"))


def _digest(spot: pages.Spot) -> bytes:
    return hashlib.sha256(json.dumps(spot.kept(), sort_keys=True).encode()).digest()


def _stream(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])
