"""The SQL that puts a scan together from kept files and newly made tables, and what is written to keep it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlglot import exp

from cadran.compute.keeping.planned import Plan, Result
from cadran.compute.loading.embedded import parquet
from cadran.compute.lower import cast, column, number, text
from cadran.compute.scanning.scan import Scan, dim, label_of
from cadran.compute.spans import Span
from cadran.state.index import Held, Piece
from cadran.state.kept import Kept

_Number = tuple[int, int]  # of a span, in a file and in a scan
# What comes back from Parquet as it went there; everything else is written as text, which is exact.
_PLAIN = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR")


def together(plan: Plan, kept: Kept) -> exp.Expr:
    """The whole scan, in its fixed shape."""
    scan = plan.scan
    pieces = [*_kept(plan, kept), *(_made(plan, part) for part in plan.parts)]
    union: exp.Expr = pieces[0]
    for piece in pieces[1:]:
        union = exp.Union(this=union, expression=piece, distinct=False, by_name=True)
    heads = ["span", "segment", *(dim(n) for n in scan.names)]
    values = ["rows", *(f"{letter}{i}" for i in range(len(scan.measures)) for letter in "mn")]
    source = exp.alias_(exp.Subquery(this=union), "pieces", table=True)
    if _apart(plan):
        return exp.Select(expressions=[column(n) for n in (*heads, *values)]).from_(source, copy=False)
    anyone = [
        exp.alias_(exp.Anonymous(this="any_value", expressions=[column(v)]), v, quoted=True) for v in values
    ]
    select = exp.Select(expressions=[*(column(h) for h in heads), *anyone]).from_(source, copy=False)
    return select.group_by(*(column(h) for h in heads), copy=False)


def _apart(plan: Plan) -> bool:
    """Whether no row of the scan comes in several pieces: every span from one file, or newly made, with all measures."""
    count = len(plan.measures)
    files: dict[Span, set[str]] = {}
    for (_, span), found in plan.found.items():
        files.setdefault(span, set()).update(one.file for one in found)
    whole = all(all((at, span) in plan.found for at in range(count)) for span in files)
    return whole and len(plan.parts) <= 1 and all(len(names) == 1 for names in files.values())


def _made(plan: Plan, part: Scan) -> exp.Expr:
    selects: list[exp.Expr] = [column(n) for n in ("span", "segment", *(dim(n) for n in part.names), "rows")]
    for here, measure in enumerate(part.measures):
        there = plan.numbers[measure]
        selects += [exp.alias_(column(f"{x}{here}"), f"{x}{there}", quoted=True) for x in "mn"]
    return exp.Select(expressions=selects).from_(exp.to_identifier(part.name, quoted=True), copy=False)


def _kept(plan: Plan, kept: Kept) -> Iterator[exp.Expr]:
    """One SELECT for each file and group of measures that were found in it for the same spans and sets."""
    places: dict[tuple[str, int, str], list[_Number]] = {}  # file, measure, set
    held: dict[tuple[str, int], Held] = {}
    for (at, span), found in plan.found.items():
        for one in found:
            places.setdefault((one.file, at, one.label), []).append((one.number, plan.scan.spans[span]))
            held[one.file, at] = one.held
    alike: dict[tuple[str, str, tuple[_Number, ...]], list[int]] = {}
    for (file, at, label), numbers in places.items():
        alike.setdefault((file, label, tuple(sorted(numbers))), []).append(at)
    groups: dict[tuple[str, tuple[_Number, ...], tuple[int, ...]], list[str]] = {}
    for (file, label, spans), measures in alike.items():
        groups.setdefault((file, spans, tuple(measures)), []).append(label)
    for (file, spans, which), labels in groups.items():
        source = exp.alias_(parquet([kept.path(file)]), "kept", table=True)
        yield _of_file(plan, source, {at: held[file, at] for at in which}, spans, labels)


def _of_file(
    plan: Plan, source: exp.Expr, held: Mapping[int, Held], spans: Sequence[_Number], labels: Collection[str]
) -> exp.Expr:
    names = {n for segments, _ in plan.sets if label_of(segments) in labels for n in segments}
    heads = ("segment", *(dim(n) for n in plan.scan.names if n in names), "rows")
    selects: list[exp.Expr] = [exp.alias_(column("span", "numbers"), "span", quoted=True)]
    selects += [column(n, "kept") for n in heads]
    for at, where in held.items():
        if where.value:
            value: exp.Expr = column(where.value, "kept")
            value = value if _plain(where.type) else cast(value, where.type)
            selects.append(exp.alias_(value, f"m{at}", quoted=True))
            selects.append(exp.alias_(column(where.behind, "kept"), f"n{at}", quoted=True))
    rows = [exp.Tuple(expressions=[number(str(a)), number(str(b))]) for a, b in spans]
    columns = [exp.to_identifier(n) for n in ("there", "span")]
    numbers = exp.Values(
        expressions=rows, alias=exp.TableAlias(this=exp.to_identifier("numbers"), columns=columns)
    )
    on = exp.EQ(this=column("span", "kept"), expression=column("there", "numbers"))
    select = exp.Select(expressions=selects).from_(source, copy=False)
    select.append("joins", exp.Join(this=numbers, on=on))
    among = exp.In(this=column("segment", "kept"), expressions=[text(label) for label in labels])
    return select.where(among, copy=False)


# --- writing ----------------------------------------------------------------------------------------------------------


def table(plan: Plan, spans: Sequence[Span], types: Mapping[str, str]) -> exp.Expr:
    """The rows of some spans of a scan's table, in types that Parquet has."""
    selects: list[exp.Expr] = [
        column(name) if _plain(kind) else exp.alias_(cast(column(name), "VARCHAR"), name, quoted=True)
        for name, kind in types.items()
    ]
    numbers = [number(str(plan.scan.spans[s])) for s in spans]
    select = exp.Select(expressions=selects).from_(exp.to_identifier(plan.scan.name, quoted=True), copy=False)
    return select.where(exp.In(this=column("span"), expressions=numbers), copy=False)


def piece(
    plan: Plan, fresh: Collection[Result], types: Mapping[str, str], kpis: Mapping[int, Sequence[str]], today: str, clock: str
) -> Piece:  # fmt: skip
    """What the index says of such a file: ``fresh`` are the results that it is kept for, ``kpis`` whose each measure is."""
    numbers = {plan.scan.spans[span]: span for _, span in fresh}
    size = max(numbers, default=-1) + 1
    tokens: list[list[str | None]] = []
    held: dict[str, Held] = {}
    for at, measure in enumerate(plan.measures):
        sets = {}
        for of_set, (_, said) in enumerate(plan.sets):
            sets[said] = len(tokens)
            tokens.append(
                [plan.tokens.get((at, of_set, numbers[i])) if i in numbers and (at, numbers[i]) in fresh else None for i in range(size)]
            )  # fmt: skip
        value = f"m{at}" if measure is not None else ""
        held[plan.definitions[at]] = Held(value, f"n{at}", types.get(value, ""), list(kpis[at]), sets, today)
    spans = [plan.keys[numbers[i]] if i in numbers else "" for i in range(size)]
    labels = {said: label_of(segments) for segments, said in plan.sets}
    return Piece("", 0, plan.scan.dataset, plan.scan.grain, today, clock, spans, held, labels, tokens)


def _plain(kind: str) -> bool:
    return kind.split("(")[0] in _PLAIN
