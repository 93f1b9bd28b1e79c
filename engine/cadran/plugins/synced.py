"""The contract of a connector whose rows are kept between runs: a CRM, or whatever else is asked for its changes over an API.

``cadran sync`` asks for what has changed since the last time, and puts it into the project's copy of the tables; runs read that copy.
The engine owns what is the same for all: pages lie on disk as they come, then one transaction writes rows, state and the account of it;
what was killed goes on behind the last page; rows that come twice are one; rows that are gone are marked. The connector
asks the API, and says honestly when it is at the end.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins.connector import ArrowStream, Connector, End, InPlace, Page, Rejected, Table


@dataclass(frozen=True, slots=True)
class Window:
    """What to read: rows whose cursor lies in ``[since, until)``, those at ``since`` included.

    ``since`` is of the cursor column's Python type (an aware datetime in UTC, a date, an int, a str), None for the whole table. ``until``
    is the time of the read. A row behind it may be given or not: it comes again. ``state`` is what the last whole read ended with
    (:attr:`~cadran.plugins.connector.End.state`), None for the whole table.
    """

    since: Any = None
    until: dt.datetime | None = None
    state: Mapping[str, Any] | None = None

    @property
    def whole(self) -> bool:
        """Whether the whole table is asked for."""
        return self.since is None and self.state is None


WHOLE = Window()


@dataclass(frozen=True, slots=True)
class Deletes:
    """Keys of rows that are gone: columns as :attr:`Table.key` names them. ``resume`` as that of a page."""

    keys: ArrowStream
    resume: Mapping[str, Any] | None = None


_CAST = "correct it at the source, or make a column of it in the dataset: columns: {{NEW: try_cast(COLUMN as {type})}}, which has no value where it is something else"


class SyncedConnector(Connector):
    """A source that is asked for changes.

    Nothing is connected to before :meth:`ping`, :meth:`discover` or :meth:`changes`. It contacts no machine but :attr:`hosts`.
    """

    remote = True
    #: A project that uses the connector, as ``cadran init --connector NAME`` writes it: a folder with a ``kpis.yaml``.
    starter: ClassVar[Path | None] = None
    #: What can be done about a column of texts that is wanted as numbers, and about one that is wanted as days.
    number_hint: ClassVar[str] = _CAST.format(type="decimal(18, 2)")
    date_hint: ClassVar[str] = _CAST.format(type="date")

    @property
    @abstractmethod
    def hosts(self) -> Sequence[str]:
        """The machines that are asked, as ``host`` or ``host:port``; a leading ``*.`` stands for one name or several."""

    @abstractmethod
    def ping(self) -> str:
        """Whether the credentials are good and the source is there; what the account is called, as its people know it.

        Changes nothing. Raises :class:`~cadran.plugins.connector.AuthError` without trying again, or another ConnectorError.
        """

    @abstractmethod
    def discover(self) -> Sequence[Table]:
        """All tables, with their columns and DuckDB types, key, cursor, and how deletes show; the same each time, as long as the
        source is."""

    @abstractmethod
    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        """The rows of one table that have changed in the window, ending with :class:`~cadran.plugins.connector.End`.

        ``resume`` is that of a page of an earlier read with the same window: then only what comes behind that page is
        given. Rows come in any order, and the same row may come twice. A record that is set aside leaves the copy where its place is
        ``TABLE, KEY 5``, as ``Records`` calls it. Raises :class:`~cadran.plugins.connector.ConnectorError`:
        ``ResumeExpired`` where neither the resume nor the window's state is good any more, ``QuotaExhausted`` to go on later.
        """

    def read(self, table: str) -> Iterator[Page | InPlace | Rejected | End]:
        """The whole table, for whoever keeps nothing."""
        for item in self.changes(table):
            if not isinstance(item, Deletes):
                yield item
