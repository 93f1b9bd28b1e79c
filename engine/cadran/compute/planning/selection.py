"""What of a project is asked for: KPIs by name or tag, segments and their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cadran.compute.results import Row
from cadran.declare.model import Declaration
from cadran.problems import Problem, ProblemsFound, listed, suggest


def choose(declaration: Declaration, asked: Sequence[str]) -> list[str]:
    """KPI names from names and ``tag:NAME``; all reported ones by default. Raises ProblemsFound."""
    reported = [k.name for k in declaration.kpis.values() if k.reported and k.periods]
    if not asked:
        return reported
    out: dict[str, None] = {}
    problems = []
    for name in asked:
        found = _named(declaration, name, reported)
        out.update(dict.fromkeys(found))
        if not found:
            problems.append(_not_found(declaration, name, reported))
    if problems:
        raise ProblemsFound(problems)
    return list(out)


def _named(declaration: Declaration, name: str, reported: Sequence[str]) -> list[str]:
    if name.startswith("tag:"):
        return [k for k in reported if name[4:] in declaration.kpis[k].tags]
    return [name] if name in reported else []


def _not_found(declaration: Declaration, name: str, reported: Sequence[str]) -> Problem:
    if name.startswith("tag:"):
        tags = sorted({t for k in declaration.kpis.values() for t in k.tags})
        hint = suggest(name[4:], tags) or f"tags are {listed(tags) or 'none'}"
        return Problem("unknown-tag", f"no KPI has the tag '{name[4:]}'", None, "", hint)
    if name in declaration.kpis:
        hint = "give it 'formula:' and 'period:' to report it"
        return Problem("not-reported", f"'{name}' is a building block without a period", None, "", hint)
    hint = suggest(name, reported) or f"KPIs are {listed(reported)}"
    return Problem("unknown-kpi", f"unknown KPI '{name}'", None, "", hint)


def with_segments(declaration: Declaration, names: list[str], asked: Sequence[str]) -> list[str]:
    """The KPIs that have an asked segment. Raises ProblemsFound for a segment that none has."""
    if not asked:
        return names
    wanted = _wanted(asked)
    of = {n: {s for segments in declaration.kpis[n].segments for s in segments} for n in names}
    known = sorted(set().union(*of.values()))
    problems = [
        Problem("unknown-segment", f"no chosen KPI has the segment '{name}'", None, "", suggest(name, known) or f"segments are {listed(known) or 'none'}")
        for name in wanted
        if name not in known
    ]  # fmt: skip
    if problems:
        raise ProblemsFound(problems)
    return [n for n in names if of[n] & set(wanted)]


def kept(rows: Iterable[Row], asked: Sequence[str]) -> list[Row]:
    """The total's rows, and those of the asked segments and values."""
    wanted = _wanted(asked)
    return [row for row in rows if not asked or not row.segment or _matches(row, wanted)]


def check_values(rows: Iterable[Row], asked: Sequence[str]) -> None:
    """Raises ProblemsFound for a segment value that no row has: it would look like one without revenue."""
    wanted = _wanted(asked)
    seen: dict[str, set[str]] = {name: set() for name in wanted}
    for row in rows:
        for name, value in zip(row.segment, row.segment_value, strict=True):
            if name in seen:
                seen[name].add(value)
    problems = []
    for name, values in wanted.items():
        for value in sorted(values - seen[name]):
            known = sorted(seen[name])
            hint = suggest(value, known) or f"there are {listed(known) or 'none'}"
            message = f"segment '{name}' has no value '{value}' in these periods"
            problems.append(Problem("unknown-segment-value", message, None, "", hint))
    if problems:
        raise ProblemsFound(problems)


def _wanted(asked: Sequence[str]) -> dict[str, set[str]]:
    """Segment → the values asked for, empty for all; from ``channel`` and ``channel=paid``."""
    wanted: dict[str, set[str]] = {}
    for text in asked:
        name, _, value = text.partition("=")
        wanted.setdefault(name.strip(), set()).update([value.strip()] if value else [])
    return wanted


def _matches(row: Row, wanted: Mapping[str, set[str]]) -> bool:
    values = dict(zip(row.segment, row.segment_value, strict=True))
    return set(values) <= set(wanted) and all(not wanted[n] or v in wanted[n] for n, v in values.items())
