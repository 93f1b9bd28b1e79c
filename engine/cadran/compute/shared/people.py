"""Which tables of entities a group's scans need, and how each scan is counted from them.

Keys that are whole numbers close together become bit strings (marks), all others masks. Segments that lie behind the
entity's own link are never joined to rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.compute.placing.places import Places
from cadran.compute.scanning.scan import Scan, ScanBuilder, Segments
from cadran.compute.shared import marks, masks
from cadran.compute.shared.attributes import Attributes, Split, split
from cadran.compute.shared.marks import Marks
from cadran.compute.shared.masks import Masks
from cadran.compute.shared.ranges import Range, ranges
from cadran.compute.shared.reduce import Reduction
from cadran.compute.shared.timeline import Timeline, Unshareable
from cadran.formula.measures import Measure

_MOST_BYTES = 256 << 20  # of all bit strings of one reduction
_BYTES_A_ROW = 16  # above that, a table of entities is smaller than their bits

Reduce = Callable[[str, Sequence[Measure], Sequence[str]], Reduction]
Groups = Callable[
    [Sequence[str]], int | None
]  # how many cells segments make over time; None where nobody knows


@dataclass(slots=True)
class Wanted:
    """One entity: which scans count it, and how their sets' segments are split."""

    entity: exp.Expr
    scans: list[Scan] = field(default_factory=list)
    splits: dict[Segments, Split] = field(default_factory=dict)

    @property
    def measures(self) -> list[Measure]:
        return list(dict.fromkeys(m for scan in self.scans for m in scan.measures))

    @property
    def own(self) -> tuple[str, ...]:
        """All own segments of any set."""
        return tuple(sorted({s for found in self.splits.values() for s in found.own}))


@dataclass(frozen=True, slots=True)
class Place:
    """Where one entity is: in marks with their range of keys, or in masks."""

    table: str
    own: tuple[str, ...]
    keys: Range | None
    columns: Mapping[Measure, str]


class People:
    """The tables of entities of one group of scans."""

    def __init__(
        self, builder: ScanBuilder, session: Places, dataset: str, timeline: Timeline | None, name: Callable[[str], str],
        reduce: Reduce, groups: Groups, rows: int,
    ) -> None:  # fmt: skip
        self.builder, self.session, self.dataset, self.timeline = builder, session, dataset, timeline
        self.name, self.reduce, self.groups, self.rows = name, reduce, groups, rows
        self.wanted: dict[exp.Expr, Wanted] = {}
        self.places: dict[exp.Expr, Place] = {}
        self._behind: dict[tuple[exp.Expr, tuple[str, ...], bool], str] = {}

    def add(self, scan: Scan) -> None:
        (measure,) = scan.measures
        assert measure.argument is not None
        wanted = self.wanted.setdefault(measure.argument, Wanted(measure.argument))
        wanted.scans.append(scan)
        for segments in scan.sets:
            wanted.splits[segments] = split(self.builder, self.dataset, measure.argument, segments)

    def prepare(self) -> None:
        """Makes the tables: one pass for all marks with the same segments, and one for the masks of each entity."""
        found = ranges(self.builder.rows, self.session, self.dataset, self.wanted)
        by_own: dict[tuple[str, ...], list[Wanted]] = {}
        for entity, wanted in self.wanted.items():
            keys = found.get(entity)
            if keys is not None and self._fits(wanted.own, keys):
                by_own.setdefault(wanted.own, []).append(wanted)
            else:
                self._make_masks(wanted)
        for own, several in by_own.items():
            self._make_marks(own, several, found)

    def _fits(self, own: Sequence[str], keys: Range) -> bool:
        groups = self.groups(own)
        return groups is not None and groups * keys.width // 8 <= min(
            _MOST_BYTES, _BYTES_A_ROW * self.rows + 100_000
        )

    def _make_marks(
        self, own: tuple[str, ...], several: Sequence[Wanted], keys_of: Mapping[exp.Expr, Range]
    ) -> None:
        measures = [m for wanted in several for m in wanted.measures]
        made = Marks(self.reduce(self.name(f"{self.dataset}_seen"), measures, own))
        for wanted in several:
            keys = keys_of[wanted.entity]
            columns = {m: made.add(m, keys) for m in wanted.measures}
            self.places[wanted.entity] = Place(made.name, own, keys, columns)
        self.session.create(made.name, made.select())

    def _make_masks(self, wanted: Wanted) -> None:
        if self.timeline is None:
            raise Unshareable
        kind = masks.mask_type(self.timeline)
        reduction = self.reduce(self.name(f"{self.dataset}_entities"), wanted.measures, wanted.own)
        made = Masks(reduction, wanted.entity, kind)
        columns = {m: made.add(m) for m in wanted.measures}
        self.places[wanted.entity] = Place(made.name, wanted.own, None, columns)
        self.session.create(made.name, made.select())

    # --- counting -----------------------------------------------------------------------------------------------------

    def has_masks(self, scan: Scan) -> bool:
        return self._place(scan).keys is None

    def _place(self, scan: Scan) -> Place:
        """Raises Unshareable where there are no tables for its entity."""
        entity = scan.measures[0].argument
        if entity is None or entity not in self.places:
            raise Unshareable
        return self.places[entity]

    def counted(self, scan: Scan) -> exp.Select:
        """``span, segment, by_…, m0`` of one scan."""
        place, (measure,) = self._place(scan), scan.measures
        found = place.columns[measure]
        if place.keys is not None:
            seen = [
                (s, marks.Seen(place.table, found, place.own, self._table_behind(measure, s, place.keys)))
                for s in scan.sets
            ]
            return marks.counted(scan, measure, seen)
        known = [
            (s, masks.Known(place.table, found, place.own, self._table_behind(measure, s, None)))
            for s in scan.sets
        ]
        return masks.counted(scan, measure, known)

    def _table_behind(self, measure: Measure, segments: Segments, keys: Range | None) -> str:
        """The table of the segments behind the link: of bit strings with ``keys``, else by key; made once."""
        entity = measure.argument
        assert entity is not None
        behind = split(self.builder, self.dataset, entity, segments).behind
        if not behind:
            return ""
        return self.behind(entity, tuple(sorted(behind)), keys)

    def behind(self, entity: exp.Expr, segments: tuple[str, ...], keys: Range | None) -> str:
        which = (entity, segments, keys is not None)
        if which not in self._behind:
            assert isinstance(entity, exp.Column)
            attributes = Attributes(self.builder, self.dataset, entity, segments)
            name = self.name(f"{attributes.target}_{'members' if keys else 'segments'}")
            self.session.create(name, marks.members(attributes, keys) if keys else attributes.by_key())
            self._behind[which] = name
        return self._behind[which]
