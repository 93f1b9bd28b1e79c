"""One table's changes, from the query to the end: what is asked for how, and where reading goes on."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import compress
from typing import Any

from cadran.plugins import ConfigError, Deletes, End, Page, Rejected, ResumeExpired, Table, Window
from cadran.plugins.typed.records import Records
from cadran_plugins.salesforce import bulk
from cadran_plugins.salesforce.bulk import Job
from cadran_plugins.salesforce.objects import DELETED, ID, LOOKBACK, Source, Values, is_true
from cadran_plugins.salesforce.session import Session
from cadran_plugins.salesforce.trouble import NoBulk
from cadran_plugins.salesforce.walk import AT_ONCE, Place, Step, literal, soql, steps, too_long

Found = Iterator[Page | Deletes | Rejected | End]
Where = Place | Job | None

BIN = dt.timedelta(days=15)  # so long deleted rows are kept in the recycle bin


class Reading:
    """Reads one table once. ``sources`` are read one after the other."""

    def __init__(self, session: Session, table: Table, sources: Sequence[Source]) -> None:
        self.session, self.table, self.sources = session, table, sources
        self.records = Records(table.columns, key=table.key)
        self.sent = 0
        self.shape = hashlib.sha256(repr([(c.name, c.type) for c in table.columns]).encode()).hexdigest()[:16]

    def changes(self, window: Window, resume: Mapping[str, Any] | None) -> Found:
        self.began = literal(self.session.connected())
        since = self._since(window)
        first, where = self._resumed(resume)
        for index in range(first, len(self.sources)):
            yield from self._source(index, since, where)
            where = None
        yield End(self.sent, {"began": self.began})

    def _source(self, index: int, since: dt.datetime | None, where: Where) -> Found:
        source, chosen = self.sources[index], self.session.config.bulk
        if isinstance(where, Job):
            yield from self._results(index, where)
            return
        wide = too_long(source)
        if wide and chosen == "never":
            raise ConfigError(f"{source.object} has so many fields that only the Bulk API can be asked for them", hint="bulk: auto", setting=("bulk",))  # fmt: skip
        if where is None and (wide or chosen == "always"):
            try:
                yield from self._in_bulk(index, since)
                return
            except NoBulk as error:
                if wide:
                    raise
                self.session.context.log(error.message)
        for step in steps(self.session, source, since, where):
            if where is None and chosen == "auto" and step.total >= AT_ONCE:
                try:
                    yield from self._in_bulk(index, since)
                    return
                except NoBulk as error:
                    self.session.context.log(error.message)
                    chosen = "never"
            where = step.place
            yield from self._step(index, step)

    def _in_bulk(self, index: int, since: dt.datetime | None) -> Found:
        yield from self._results(
            index, bulk.started(self.session, soql(self.sources[index], since, ordered=False))
        )

    def _results(self, index: int, job: Job) -> Found:
        source = self.sources[index]
        for values, behind in bulk.results(self.session, job, source.asked):
            yield from self._page(index, values, behind)
        bulk.given_up(self.session, job)

    def _step(self, index: int, step: Step) -> Found:
        yield from self._page(index, step.values, step.place)

    def _page(self, index: int, values: Values, where: Where) -> Found:
        gone: list[str] = []
        there = [not is_true(deleted) for deleted in _listed(values.get(DELETED, ()))]
        if not all(there):
            gone = [str(id_) for id_, kept in zip(_listed(values[ID]), there, strict=True) if not kept]
            values = {name: list(compress(_listed(found), there)) for name, found in values.items()}
        columns = self.sources[index].columns(values)
        yield from self._given(columns, gone, None if where is None else self._token(index, where))

    def _given(
        self, columns: Sequence[Sequence[Any]], gone: Sequence[str], token: Mapping[str, Any] | None
    ) -> Found:
        """Deletes first, and the token with what comes last: whoever stops in between is given both again."""
        import pyarrow as pa

        rows = bool(columns) and len(columns[0]) > 0
        if gone:
            yield Deletes(pa.table({self.table.key[0]: pa.array(gone, pa.string())}), None if rows else token)
        if rows:
            batch, bad = self.records.columns_batch(columns, self.table.name)
            yield from bad
            self.sent += batch.num_rows
            yield Page(batch, resume=token)

    def _token(self, index: int, where: Where) -> Mapping[str, Any]:
        found: dict[str, Any] = {} if where is None else asdict(where)
        return {"source": index, "began": self.began, "shape": self.shape, **found}

    def _resumed(self, resume: Mapping[str, Any] | None) -> tuple[int, Where]:
        if resume is None:
            return 0, None
        if resume.get("shape") != self.shape:
            raise ResumeExpired(f"the fields of {self.table.name} are others than when reading began")
        try:
            index, self.began = int(resume["source"]), str(resume["began"])
            if not 0 <= index < len(self.sources):
                raise ValueError(index)
            if "job" in resume:
                total, rows = int(resume["total"]), int(resume["rows"])
                return index, Job(_one_of(_ID, resume["job"]), total, str(resume["locator"]), rows)
            return index, Place(_one_of(_STAMP, resume["stamp"]), _one_of(_ID, resume["id"]))
        except (KeyError, TypeError, ValueError):
            raise ResumeExpired(f"where reading of {self.table.name} stood cannot be told") from None

    def _since(self, window: Window) -> dt.datetime | None:
        """The earlier of what the engine asks for and of when we last began, by Salesforce's own clock: a large read takes its time,
        and what changed behind its back is dated before its end."""
        if window.whole:
            return None
        times: list[dt.datetime] = [] if window.since is None else [window.since]
        try:
            if window.state is not None:
                began = dt.datetime.fromisoformat(str(window.state["began"]))
                if self.table.deletes == "reported" and self.session.now - began > BIN:
                    raise ResumeExpired(
                        f"rows of {self.table.name} that were deleted may have left the recycle bin since the last sync"
                    )
                times.append(began - LOOKBACK)
            return min(times).astimezone(dt.UTC)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ResumeExpired(f"the state of {self.table.name} is none that this connector wrote") from None


def _listed(column: Any) -> Sequence[Any]:
    """Values that Arrow holds, as Python's."""
    return column if isinstance(column, Sequence) else column.to_pylist()


_ID, _STAMP = re.compile("[A-Za-z0-9]{15,18}"), re.compile("[-0-9]{10}T[:0-9]{8}Z|")


def _one_of(shape: re.Pattern[str], value: Any) -> str:
    """What stands in a query or an address is what it seems."""
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise ValueError(value)
    return value
