"""One pass over a dataset's rows: what is kept of them in each cell of time and segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from cadran.compute.lower import WithZone, both, cast, clock_as, column, named, number
from cadran.compute.scanning.scan import Frame, Scan, ScanBuilder, dim
from cadran.compute.scanning.timing import PERIOD, Moment
from cadran.compute.shared.converted import matched
from cadran.compute.shared.days import STRETCH, Days
from cadran.compute.shared.parts import CELLS, Rows, Whole, conditions, conjuncts, whole
from cadran.compute.shared.statements import grouped
from cadran.compute.shared.timeline import Unshareable
from cadran.formula.measures import Measure, ref_of

_HELD = "held"


class Reduction(Frame):
    """The rows of a dataset, each with its stretch of time."""

    def __init__(
        self, builder: ScanBuilder, name: str, like: Scan, measures: Sequence[Measure], segments: Sequence[str],
        days: Days | None, which: str = "date",
    ) -> None:  # fmt: skip
        """``like`` says the dataset and its date; ``days`` is None where there is no date; ``which`` date it is."""
        wanted = Scan(
            name, like.dataset, like.timing, like.grain, like.date, list(measures), [tuple(segments)]
        )
        joined, tables = builder.joined(wanted)
        super().__init__(builder, wanted, joined, tables)
        self.name, self.days = name, days
        self.raw = {segment: self._raw(segment) for segment in segments}
        self.moment: Moment | None = self.meeting.moment(which) if days is not None else None
        self._withins: dict[exp.Expr, str] = {}
        self._extra: list[exp.Join] = []

    def _raw(self, segment: str) -> exp.Expr:
        path, name = ref_of(self.builder.dimension(segment, self.scan.dataset))
        return column(name, self.joined.alias(path))

    def stretch(self) -> exp.Expr:
        if self.days is None or self.moment is None:
            return exp.Literal.number(1)
        return self.days.stretch(self.moment.sql)

    def within(self, node: exp.Expr) -> str:
        """The column of the stretch that another timestamp lies in (``in_period``)."""
        if node not in self._withins:
            self._withins[node] = f"in_{len(self._withins)}"
        return self._withins[node]

    def keys(self) -> list[exp.Expr]:
        """What rows are grouped by: their stretch, those of other timestamps, and the segments' values as they are."""
        out = [exp.alias_(self.stretch(), STRETCH, quoted=True)]
        for node, name in self._withins.items():
            out.append(exp.alias_(self._other_stretch(node, name), name, quoted=True))
        return out + [exp.alias_(node.copy(), dim(name), quoted=True) for name, node in self.raw.items()]

    def _other_stretch(self, node: exp.Expr, alias: str) -> exp.Expr:
        assert self.days is not None
        lowered, kind = self.other_time(node)
        if (kind == WithZone) is not self.days.zoned or not self.days.units:
            raise Unshareable
        self._extra.append(self.days.join(lowered, kind, alias, side="LEFT"))
        return self.days.stretch_within(lowered, alias)

    def select(self, expressions: Iterable[exp.Expr], where: exp.Expr | None = None) -> exp.Select:
        """The rows with their days joined. Everything that joins has to be asked for before."""
        select = self.joined.select(*expressions)
        conditions = [where, self._happened()]
        if self.days is not None and self.moment is not None:
            select.append("joins", self.days.join(self.moment.sql, self.moment.kind))
        for join in self._extra:
            select.append("joins", join)
        for condition in conditions:
            if condition is not None:
                select = select.where(condition, copy=False)
        return select

    def _happened(self) -> exp.Expr | None:
        """Under ``dated`` a row whose other date lies after the clock has not happened yet."""
        if self.scan.date is None or self.moment is None or self.rows.model.datasets[self.scan.dataset].ahead:
            return None
        return exp.LTE(this=self.moment.sql, expression=clock_as(self.moment.kind, self.clock))


class Cells:
    """A reduction to cells: the parts that measures need are added up in each."""

    def __init__(self, reduction: Reduction, atoms: Sequence[exp.Expr] = ()) -> None:
        """With ``atoms``, the parts of filters, cells are told apart by which of them hold, and filters choose cells."""
        self.reduction, self.name = reduction, reduction.name
        self.atoms = {atom: 1 << number for number, atom in enumerate(atoms)}
        self.parts: dict[exp.Expr, str] = {}
        self.wholes: dict[Measure, Whole] = {}
        self._keep(exp.Count(this=exp.Star(), big_int=True), "rows")

    def _keep(self, call: exp.Expr, name: str = "") -> str:
        return self.parts.setdefault(call, name or f"part_{len(self.parts)}")

    def add(self, measure: Measure, kind: str) -> Whole:
        """A measure over these cells. Raises Unshareable where its filter cannot be taken apart."""
        if measure not in self.wholes:
            self.wholes[measure] = whole(measure, self._rows(measure), self._keep, kind)
        return self.wholes[measure]

    def _rows(self, measure: Measure) -> Rows:
        found = conditions(measure.condition)
        if found is None:
            raise Unshareable
        plain, others = found
        if self.atoms:
            bits = number(str(sum(self.atoms[atom] for atom in conjuncts(plain))))
            common = exp.Paren(this=exp.BitwiseAnd(this=column(_HELD, CELLS), expression=bits))
            return Rows(self.reduction.argument(measure), None, exp.EQ(this=common, expression=bits.copy()))
        within: exp.Expr | None = None
        for node in others:
            inside = exp.Between(
                this=column(self.reduction.within(node), CELLS),
                low=column("first", PERIOD),
                high=column("last", PERIOD),
            )
            within = inside if within is None else exp.And(this=within, expression=inside)
        condition = self.reduction.lower(plain) if plain is not None else None
        if measure.function == "converted":
            return Rows(None, both(condition, matched(self.reduction, measure)), within)
        return Rows(self.reduction.argument(measure), condition, within)

    def _held(self) -> list[exp.Expr]:
        """Which of the atoms hold, as bits."""
        held: exp.Expr | None = None
        for atom, bit in self.atoms.items():
            lowered = self.reduction.lower(atom)
            one: exp.Expr = exp.Case(ifs=[exp.If(this=lowered, true=number(str(bit)))], default=number(0))
            held = one if held is None else exp.Add(this=held, expression=one)
        return [] if held is None else [named(cast(exp.Paren(this=held), "BIGINT"), _HELD)]

    def select(self) -> exp.Select:
        keys = [*self.reduction.keys(), *self._held()]
        parts = [named(call.copy(), name) for call, name in self.parts.items()]
        select = grouped(self.reduction.select([*keys, *parts]))
        if self.reduction.days is None:  # one group at the most: of no rows there is no cell
            count = exp.GT(this=exp.Count(this=exp.Star(), big_int=True), expression=number(0))
            select.set("having", exp.Having(this=count))
        return self.reduction.tables.attach(select)
