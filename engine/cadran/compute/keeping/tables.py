"""The tables of a run: of which parts each is made, and what is known of it without reading it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cadran.compute.keeping.settings import Settings
from cadran.compute.loading.embedded import Session
from cadran.plugins.connector import ConnectorError, Part
from cadran.state.index import digest
from cadran.state.kept import Kept

if TYPE_CHECKING:
    from cadran.compute.loading.sources import Sources

_MOST = 1000  # records set aside that are worth keeping; a table with more is read again


class Tables:
    """Asks the connectors once for the identity of each table."""

    def __init__(self, sources: Sources, session: Session, kept: Kept, settings: Settings) -> None:
        self.sources, self.session, self.kept, self.settings = sources, session, kept, settings
        self._parts: dict[tuple[str, str], tuple[Part, ...] | None] = {}

    def parts(self, source: str, table: str) -> tuple[Part, ...] | None:
        """The parts of a table as they were when the run first looked; None where they cannot be told."""
        key = (source, table)
        if key not in self._parts:
            self._parts[key] = self._look(source, table, self.kept.marks_of(f"{source}.{table}"))
        return self._parts[key]

    def _look(self, source: str, table: str, marks: Mapping[str, str]) -> tuple[Part, ...] | None:
        try:
            found = self.sources.connector(source).identity(table, marks)
        except ConnectorError:
            return None  # reading it says what is wrong
        if found is None or len({p.name for p in found}) < len(found):
            return None
        return tuple(found)

    def content(self, source: str, table: str) -> str | None:
        """What tells the rows of a whole table, in whatever order its parts come."""
        parts = self.parts(source, table)
        return None if parts is None else digest(sorted(p.content for p in parts))

    def known(self, source: str, table: str) -> list[tuple[str, str]] | None:
        """Declares a table that an earlier run has read; the records that it set aside. None if it has to be read."""
        parts, key = self.parts(source, table), self._key(source, table)
        fact = self.kept.fact(key) if key else None
        if parts is None or fact is None:
            return None
        files = [p.file for p in parts if p.file is not None] if fact["in_place"] else []
        self.session.declare(
            source, table, dict(fact["columns"]), fact["empty"], files,
            lambda: self.sources.fetch(self.session, source, table),
        )  # fmt: skip
        return [(place, reason) for place, reason in fact["rejected"]]

    def learn(self, source: str, table: str, rejected: Sequence[tuple[str, str]]) -> None:
        """Remembers a table that this run has read."""
        key = self._key(source, table)
        if key and len(rejected) <= _MOST:
            columns = list(self.session.columns(source, table).items())
            empty = self.session.empty_columns(source, table)
            in_place = bool(self.session.files(source, table))
            aside = [list(r) for r in rejected]
            fact = {"columns": columns, "empty": empty, "in_place": in_place, "rejected": aside}
            self.kept.learn(key, fact)

    def _key(self, source: str, table: str) -> str:
        parts = self.parts(source, table)
        if parts is None:
            return ""
        # In their order: of records set aside only the first few are shown.
        return digest("read", self.settings.table(source, table), [(p.name, p.content) for p in parts])

    def unchanged(self) -> bool:
        """Whether all tables are still what they were; only then may anything of this run be kept."""
        for (source, table), before in self._parts.items():
            if before is None:
                continue
            after = self._look(source, table, {part.name: part.mark for part in before})
            if after is None or [p.content for p in after] != [p.content for p in before]:
                return False
            self.kept.mark(f"{source}.{table}", {p.name: p.mark for p in after})
        return True
