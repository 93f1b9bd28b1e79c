"""What the data must hold before a number is computed from it: types, unique keys, whole intervals; and its coverage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from sqlglot import exp

from cadran.compute.examining.facts import Ends, Facts, merged, nothing
from cadran.compute.examining.keys import Keys
from cadran.compute.loading.embedded import OutOfRoom, QueryError
from cadran.compute.loading.extents import Extent
from cadran.compute.lower import WithZone, both, cast, clock_as, column, number, text
from cadran.compute.placing.places import Places
from cadran.compute.results import Quality
from cadran.compute.scanning.currencies import Currencies
from cadran.compute.scanning.rows import Joined, RowsBuilder
from cadran.compute.spans import Coverage
from cadran.declare.document import Place
from cadran.declare.model import Declaration
from cadran.formula.measures import Measure, Model, ResolvedDataset, ref_of
from cadran.problems import Problem, ProblemsFound
from cadran.state.index import digest

if TYPE_CHECKING:
    from cadran.compute.keeping.examined import Examined


class Examiner:
    """Asks each dataset once; later questions are answered from memory."""

    def __init__(
        self,
        declaration: Declaration,
        model: Model,
        session: Places,
        rows: RowsBuilder,
        rejected: Mapping[str, Sequence[tuple[str, str]]],
    ) -> None:
        self.declaration, self.model, self.session, self.rows, self.rejected = (
            declaration,
            model,
            session,
            rows,
            rejected,
        )
        self.known: Examined | None = None  # what earlier runs have found out
        self.keys = Keys(declaration, session, rows)
        self._facts: dict[str, Facts] = {}

    def _place(self, dataset: str) -> Place:
        return self.declaration.datasets[dataset].place

    # --- facts ----------------------------------------------------------------------------------------------------------

    def examine(self, datasets: Sequence[str], measures: Sequence[Measure]) -> None:
        """Coverage of every dataset and date in use. Raises ProblemsFound for keys that repeat and bad intervals."""
        problems: list[Problem] = []
        dates: dict[str, list[exp.Column]] = {d: [] for d in datasets}
        for measure in measures:
            if isinstance(measure.date, exp.Column) and measure.date not in dates[measure.dataset]:
                dates[measure.dataset].append(measure.date)
        with self.session.ahead(self._probes(datasets, dates)):
            for name in datasets:
                try:
                    self._facts[name] = self._ask(name, dates[name])
                    problems += self._keys(name)
                except OutOfRoom:
                    raise
                except QueryError as error:
                    problems.append(
                        Problem(
                            "cannot-compute",
                            error.message,
                            self._place(name).position(),
                            f"datasets.{name}",
                            "see 'cadran check --data'",
                        )
                    )
                    continue
                problems += self._intervals(name)
                problems += self._overlaps(name)
        problems += Currencies(self.declaration, self.session, self.rows, self.known).check(measures)
        if problems:
            raise ProblemsFound(problems)

    def _probes(
        self, datasets: Sequence[str], dates: Mapping[str, Sequence[exp.Column]]
    ) -> Iterator[Callable[[], object]]:
        """What is asked of sources, where there are several or some rows lie here, so that they work side by side."""
        places = {n: {t.source for t in self.declaration.datasets[n].tables} for n in datasets}
        far = [n for n in datasets if places[n] & self.session.remotes.keys()]
        if len(far) == len(datasets) and len({s for n in far for s in places[n]}) < 2:
            return
        for name in far:
            yield partial(self._ask, name, dates[name])
            yield partial(self._keys, name)
            yield partial(self._overlaps, name)

    def _ask(self, name: str, dates: Sequence[exp.Column]) -> Facts:
        def count(rows: RowsBuilder, by: str) -> dict[str, Any]:
            return {
                value: facts.written(dates) for value, facts in self._count(name, dates, rows, by).items()
            }

        if self.known is None:
            return self._count(name, dates, self.rows, "")[""]
        behind = self.known.reader.rows(name)
        for node in dates:
            self.known.reader.date(behind, node)
        said = digest("facts", self.known.definitions.behind(behind), [n.sql("duckdb") for n in dates])
        found = self.known.answers(
            said, behind, dates, count, nothing(dates).written(dates), self._stated(name, dates)
        )
        return merged([Facts.read(raw, dates) for raw in found])

    def _stated(
        self, name: str, dates: Sequence[exp.Column]
    ) -> Callable[[Callable[[str], Extent | None]], Any]:
        """Gives the facts of a file by what it states, where every row of it is there by its own date."""
        found, clock = self.model.datasets[name], self.rows.clock
        plain = found.date is not None and found.where is None and found.valid is None and not dates

        def facts(extent: Callable[[str], Extent | None]) -> Any:
            date = ref_of(found.date) if plain and found.date is not None else ((), "")
            if date[0] or date[1] in ("", *found.derived):
                return None
            of = extent(date[1])
            if of is None or not (of.last is None or isinstance(of.last, dt.date)):
                return None
            newest = _as_moment(of.last)
            if newest is not None and not found.ahead and newest > clock.local:
                return None
            first, last = (v.date() if isinstance(v, dt.datetime) else v for v in (of.first, of.last))
            return Facts(of.rows, of.rows - of.filled, 0, first, last, None, newest).written(dates)

        return facts

    def _count(self, name: str, dates: Sequence[exp.Column], rows: RowsBuilder, by: str) -> dict[str, Facts]:
        """The facts of a builder's rows, by the values of a column, or of all as one."""
        found = self.model.datasets[name]
        needs = rows.needs(name, [*([found.date] if found.date is not None else []), *dates])
        tables = rows.build(needs | ({(name, by)} if by else set()))
        joined = Joined(rows, name, tables.final[name], tables.final)
        date = column(rows.time(name, "date"), name) if found.date is not None else None
        start = column(rows.time(name, "from"), name) if found.valid is not None else None
        dated = rows.time_kind(name, found.date) if found.date is not None else ""
        begun = rows.time_kind(name, found.valid[0]) if found.valid is not None else ""
        undated = _missing(date if date is not None else start)
        selects: list[exp.Expr] = [
            column(by, name) if by else text(""),
            exp.Count(this=exp.Star()),
            undated,
            self._bad(found, name),
            _extreme(exp.Min, date, dated),
            _extreme(exp.Max, date, dated),
            _extreme(exp.Min, start, begun),
            _extreme(exp.Max, date, dated, "TIMESTAMP"),
        ]
        for node in dates:
            path, col = ref_of(node)
            lowered = rows.as_time(name, node, column(col, joined.alias(path)))
            kind = rows.time_kind(name, node)
            if not found.ahead:
                seen = exp.LTE(this=lowered, expression=clock_as(kind, rows.clock))
                lowered = exp.Case(ifs=[exp.If(this=seen, true=lowered.copy())])
            selects += [_extreme(exp.Min, lowered, kind), _extreme(exp.Max, lowered, kind)]
        select = joined.select(*[exp.alias_(s, f"c{i}") for i, s in enumerate(selects)])
        if by:
            select = select.group_by(column(by, name), copy=False)
        return {str(row[0]): _facts(row[1:], dates) for row in self.session.rows(tables.attach(select))}

    def _bad(self, found: ResolvedDataset, name: str) -> exp.Expr:
        if found.valid is None or found.name in self.rows.quarantined:
            return number(0)
        start, end = (column(self.rows.time(name, w), name) for w in ("from", "to"))
        kind = exp.LTE if found.inclusive else exp.LT  # an inclusive end has been moved past its last moment
        return exp.Filter(
            this=exp.Count(this=exp.Star()), expression=exp.Where(this=kind(this=end, expression=start))
        )

    def _keys(self, name: str) -> list[Problem]:
        """Keys are unique and never empty, in every run."""
        keys = self.model.datasets[name].key
        if not keys or (self.known is not None and self.known.unique.proven(name, keys)):
            return []
        if self.known is None:
            return self.keys.check(name)
        behind = self.known.reader.keys(name)
        return list(self.known.passed("keys", behind, lambda: self.keys.check(name)))

    def _intervals(self, name: str) -> list[Problem]:
        count = self._facts[name].bad_intervals
        valid = self.declaration.datasets[name].valid
        if not count or valid is None:
            return []
        return [
            Problem(
                "bad-interval",
                f"in {count} row(s) '{valid.end.value}' lies before '{valid.start.value}'",
                valid.end.place.position(),
                f"datasets.{name}",
                "correct the data, leave them out with 'where:', or set them aside with 'on_bad_row: quarantine' in the source",
            )
        ]

    def _overlaps(self, name: str) -> list[Problem]:
        """A history that others link to must hold one row at a time for each entity."""
        found = self.model.datasets[name]
        if found.valid is None or not any(
            t == name and len(c) < len(found.key)
            for d in self.model.datasets.values()
            for c, t in d.links.values()
        ):
            return []
        if self.known is None:
            return self._overlapping(name, found.valid)
        behind, valid = self.known.reader.keys(name), found.valid
        return list(self.known.passed("overlap", behind, lambda: self._overlapping(name, valid)))

    def _overlapping(self, name: str, valid: tuple[exp.Column, exp.Column]) -> list[Problem]:
        found = self.model.datasets[name]
        start, end = self.rows.time(name, "from"), self.rows.time(name, "to")
        keys = [k for k in found.key if k != ref_of(valid[0])[1]]
        tables = self.rows.build({(name, ""), *((name, k) for k in found.key)})
        joined = Joined(self.rows, name, tables.final[name], tables.final)
        order = exp.Order(expressions=[exp.Ordered(this=column(start, name))])
        following = exp.Window(
            this=exp.Anonymous(this="lead", expressions=[column(start, name)]),
            partition_by=[column(k, name) for k in keys],
            order=order,
        )
        inner = joined.select(
            *[exp.alias_(cast(column(k, name), "VARCHAR"), f"k{i}") for i, k in enumerate(keys)],
            exp.alias_(column(end, name), "ends"),
            exp.alias_(following, "following"),
        )
        late = exp.Or(
            this=exp.GT(this=column("ends"), expression=column("following")),
            expression=exp.Is(this=column("ends"), expression=exp.null()),
        )
        where = both(
            exp.Not(this=exp.Is(this=column("following"), expression=exp.null())), exp.Paren(this=late)
        )
        select = (
            exp.Select(expressions=[exp.Star()])
            .from_(exp.alias_(exp.Subquery(this=inner), "h", table=True), copy=False)
            .where(where, copy=False)
            .limit(1, copy=False)
        )
        rows = self.session.rows(tables.attach(select))
        if not rows:
            return []
        shown = " / ".join(str(v) for v in rows[0][: len(keys)])
        return [
            Problem(
                "overlap",
                f"two rows of {shown} are valid at the same time",
                self._place(name).position(),
                f"datasets.{name}",
                "a dataset that others link to by date must hold one row at a time",
            )
        ]

    # --- answers --------------------------------------------------------------------------------------------------------

    def coverage(self, measure: Measure) -> Coverage:
        found, facts = self.model.datasets[measure.dataset], self._facts[measure.dataset]
        if found.valid is not None:
            dated_last = facts.last
            return Coverage(facts.begins, dated_last, True, found.ahead)
        if measure.date is not None:
            first, last = facts.by_date[measure.date]
            return Coverage(first, last, True, found.ahead)
        if found.date is None:
            return Coverage(None, None, False)
        return Coverage(facts.first, facts.last, True, found.ahead)

    def extent(self, dataset: str, date: exp.Expr | None) -> tuple[dt.date | None, dt.date | None]:
        """The first and last day of a dataset's date, or of the one that ``dated`` names."""
        facts = self._facts[dataset]
        return facts.by_date[date] if date is not None else (facts.first, facts.last)

    def rows_of(self, dataset: str) -> int:
        return self._facts[dataset].rows

    def quarantined(self, dataset: str) -> int:
        tables = self.declaration.datasets[dataset].tables
        aside = sum(len(self.rejected.get(f"{t.source}.{t.table}", ())) for t in tables)
        return aside + self._bad_aside(dataset)

    def _bad_aside(self, dataset: str) -> int:
        found = self.model.datasets[dataset]
        if dataset not in self.rows.quarantined or found.valid is None:
            return 0
        valid = found.valid
        if self.known is None:
            return self._aside(dataset, valid)
        return self.known.number("aside", dataset, valid, lambda: self._aside(dataset, valid))

    def _aside(self, dataset: str, valid: tuple[exp.Column, exp.Column]) -> int:
        needs = self.rows.needs(dataset, list(valid))
        tables = self.rows.build(needs, visible=False)
        joined = Joined(self.rows, dataset, tables.final[dataset], tables.final)
        start, end = (self.rows.as_time(dataset, n, joined.column((), n)) for n in valid)
        select = joined.select(exp.Count(this=exp.Star())).where(
            exp.LT(this=end, expression=start), copy=False
        )
        return int(self.session.rows(tables.attach(select))[0][0])

    def quality(self, datasets: Sequence[str]) -> list[Quality]:
        out = []
        for name in datasets:
            facts = self._facts[name]
            tables = self.declaration.datasets[name].tables
            aside = [r for t in tables for r in self.rejected.get(f"{t.source}.{t.table}", ())]
            first, last = (facts.first, facts.last) if facts.first is not None else (facts.begins, None)
            unmet = dict(self._unmet(name, facts))
            out.append(
                Quality(
                    name, facts.rows, self.quarantined(name), facts.undated, first, last, tuple(aside[:5]),
                    tuple(unmet.values()), tuple(unmet), self._newest(name, facts),
                )
            )  # fmt: skip
        return out

    def _newest(self, name: str, facts: Facts) -> dt.datetime | None:
        """The newest row's time; one with a date but no time may have come at any moment of its day."""
        if facts.newest is None:
            return None
        node = self.model.datasets[name].date
        by_day = node is not None and self.rows.time_kind(name, node) == "DATE"
        try:
            return facts.newest + dt.timedelta(days=by_day)
        except OverflowError:  # 9999-12-31 stands for "ever"
            return facts.newest

    def _unmet(self, name: str, facts: Facts) -> Iterator[tuple[Literal["max_age", "min_rows"], str]]:
        """What ``expect:`` asks for and the data does not hold, and that in words."""
        expect = self.declaration.datasets[name].expect
        if expect.min_rows is not None and facts.rows < expect.min_rows:
            yield "min_rows", f"{name} has {facts.rows} row(s), at least {expect.min_rows} are expected"
        if expect.max_age is None:
            return
        if facts.newest is None:
            yield "max_age", f"{name} has no dated row, one of the last {expect.max_age} is expected"
            return
        age = self.rows.clock.local - (self._newest(name, facts) or facts.newest)
        if age > dt.timedelta(days=expect.max_age.days, seconds=expect.max_age.seconds):
            yield (
                "max_age",
                f"the newest row of {name} is of {facts.newest:%Y-%m-%d %H:%M}, one of the last {expect.max_age} is expected",
            )


def _as_moment(day: dt.date | None) -> dt.datetime | None:
    return day if day is None or isinstance(day, dt.datetime) else dt.datetime.combine(day, dt.time())


def _facts(row: Sequence[Any], dates: Sequence[exp.Column]) -> Facts:
    by_date: dict[exp.Expr, Ends] = {node: (row[7 + 2 * i], row[8 + 2 * i]) for i, node in enumerate(dates)}
    return Facts(row[0], row[1], row[2] or 0, row[3], row[4], row[5], row[6], by_date)


def _extreme(which: type[exp.Expr], node: exp.Expr | None, kind: str, wanted: str = "DATE") -> exp.Expr:
    """The first or last day (or local time). Where a zone turns its clocks back, the last instant may be of an earlier one."""
    if node is None:
        return cast(exp.null(), wanted)
    if kind == WithZone:
        return which(this=cast(node.copy(), wanted))
    return cast(which(this=node.copy()), wanted)


def _missing(node: exp.Expr | None) -> exp.Expr:
    if node is None:
        return number(0)
    return exp.Filter(
        this=exp.Count(this=exp.Star()),
        expression=exp.Where(this=exp.Is(this=node.copy(), expression=exp.null())),
    )
