"""The project's copy of a case's table, made by the engine's own sync as ``cadran sync`` makes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from cadran.plugins.connector import End, InPlace, Page
from cadran.plugins.synced import Deletes, SyncedConnector
from cadran.testing.contract.check import NotKept, keeps

if TYPE_CHECKING:
    import pyarrow as pa

    from cadran.sync.outcome import Synced
    from cadran.testing.contract.rig import Rig

_SOURCE = "conformance"


class Killed(BaseException):
    """The process is gone, as far as anybody behind it can tell."""


class Copy:
    """``after``: the time that passes between two syncs."""

    def __init__(self, rig: Rig, after: dt.timedelta = dt.timedelta(hours=2)) -> None:
        from cadran.sync.places import Places

        self.rig, self.after = rig, after
        self.places = Places.of(rig.folder, _SOURCE)
        self._now = rig.now()

    def sync(self, *, full: bool = False, killed_behind: int | None = None) -> Synced:
        """One sync of the case's table; None of it is left out, unless it is killed behind a page."""
        from cadran.declare.model import Syncing
        from cadran.sync.source import Hands, Job, SourceSync

        self._now += self.after
        job = Job(_SOURCE, [self.rig.case.table], Syncing(), self.places, full)
        hands = Hands(lambda: self._now, cancelled=self.rig.cancelled.is_set)
        [done] = SourceSync(job, lambda: self._connector(killed_behind), hands).run()
        return done

    def synced(self, why: str, *, full: bool = False) -> Synced:
        """One that goes well."""
        done = self.sync(full=full)
        if done.error is not None:
            raise NotKept(f"{why}, and the sync failed: {type(done.error).__name__}: {done.error.message}") from done.error  # fmt: skip
        return done

    def _connector(self, killed_behind: int | None) -> SyncedConnector:
        made = self.rig.make()
        assert isinstance(made, SyncedConnector)
        if killed_behind is not None:
            made.changes = _killed(made, killed_behind)  # type: ignore[method-assign]
        return made

    def table(self) -> pa.Table:
        """What runs read."""
        import pyarrow.parquet as pq

        from cadran.sync.reader import SyncedReader

        reader = SyncedReader(self.rig.context(), self.places, asking=False, failures={})
        files = [file for item in reader.read(self.rig.case.table) if isinstance(item, InPlace) for file in item.files]  # fmt: skip
        keeps(files, "the copy has no such table")
        return pq.read_table(files[0])

    def holds(self, why: str) -> None:
        """That the copy is what the stand-in holds."""
        from cadran.testing.contract.reading import Got

        table = self.rig.table(self.rig.make())
        held = self.table()
        self.rig.still_holds(Got(table, [held], end=End(held.num_rows)), why)


def _killed(connector: SyncedConnector, behind: int) -> Any:
    changes = connector.changes

    def until(*arguments: Any, **more: Any) -> Iterator[Any]:
        pages = 0
        for item in changes(*arguments, **more):
            if pages == behind:
                raise Killed
            yield item
            pages += isinstance(item, Page | Deletes)

    return cast("Any", until)
