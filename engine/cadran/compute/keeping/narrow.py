"""Which files a scan has to look at: where its spans lie within few parts of a table, the others are not even opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from cadran.compute.keeping.reaching import Ground, Reaching
from cadran.compute.placing.places import Places
from cadran.compute.scanning.rows import RowsBuilder
from cadran.compute.scanning.scan import Scan
from cadran.declare.model import Declaration

Grounded = tuple[Scan, Sequence[Ground]]


class Narrowing:
    def __init__(self, declaration: Declaration, session: Places, reaching: Reaching) -> None:
        self.declaration, self.session, self.reaching = declaration, session, reaching

    def batches(self, scans: Sequence[Grounded]) -> Iterator[tuple[RowsBuilder, list[Scan]]]:
        """Scans by whether all that they see lies within few files, each batch with the rows that it has to look at."""
        narrow: list[Scan] = []
        wide: list[Scan] = []
        needed: dict[str, set[int]] = {}
        whole: set[str] = set()
        for scan, grounds in scans:
            found = self._narrow(scan, grounds)
            if found is None:
                wide.append(scan)
                continue
            narrow.append(scan)
            whole |= found[1]
            for dataset, numbers in found[0].items():
                needed.setdefault(dataset, set()).update(numbers)
        found_few = {d: self._few(d, numbers) for d, numbers in needed.items() if d not in whole}
        sources = {d: source for d, source in found_few.items() if source is not None}
        if not sources:  # nothing is gained, and what could share its passes would not
            wide, narrow = [scan for scan, _ in scans], []
        if narrow:
            yield self.reaching.rows.over(sources), narrow
        if wide:
            yield self.reaching.rows, wide

    def _narrow(self, scan: Scan, grounds: Sequence[Ground]) -> tuple[dict[str, set[int]], set[str]] | None:
        """The parts that a scan sees of its own dataset (and of the one it looks for matches in), and what it sees wholly."""
        needed: dict[str, set[int]] = {}
        wholly: set[str] = set()
        for ground in {ground.sight: ground for ground in grounds}.values():
            for span in scan.spans:
                whole, reaches = self.reaching.reaches(ground, span)
                if scan.dataset in whole or any(reach.lower is None for reach in reaches):
                    return None
                wholly |= whole
                for reach in reaches:
                    needed.setdefault(reach.dataset, set()).update(self.reaching.within(reach))
        return needed, wholly

    def _few(self, dataset: str, numbers: set[int]) -> exp.Expr | None:
        """A dataset's rows of some files alone; None where that is no gain."""
        chunks, declared = self.reaching.parts.of(dataset) or (), self.declaration.datasets[dataset]
        in_place = all(self.session.files(t.source, t.table) for t in declared.tables)
        if not in_place or len(numbers) == len(chunks):
            return None
        return self.reaching.parts.source(dataset, [chunks[i] for i in sorted(numbers or {0})])
