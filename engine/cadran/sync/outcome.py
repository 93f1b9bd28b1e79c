"""What became of a sync, table by table, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cadran.plugins.connector import ConnectorError
from cadran.problems import Problem

_REASONS = 5


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows that a load has made, changed, taken away; ``aside`` are those that the table lacks because they could not be taken."""

    new: int = 0
    changed: int = 0
    deleted: int = 0
    aside: int = 0
    rows: int = 0  # in the table now


@dataclass(frozen=True, slots=True)
class Aside:
    """Records that a table lacks for much the same reason: the first of them, and how many ``more`` there are."""

    place: str
    reason: str
    type: str = ""  # of the column that the reason is about, where it is about one
    more: int = 0


@dataclass(frozen=True, slots=True)
class Synced:
    """One table's sync. ``resumed``: it went on where an earlier one had stopped; ``whole``: all rows were asked for, not only changes.

    With an ``error`` the table is as it was before, if it was ``there``. ``fresh``: nothing was asked, it was young enough. ``aside`` are the reasons, up to five,
    that rows were set aside for; ``notes`` say where the copy is something else than the source, and the way out.
    """

    source: str
    table: str
    counts: Counts = Counts()
    seconds: float = 0.0
    resumed: bool = False
    whole: bool = False
    fresh: bool = False
    error: ConnectorError | None = None
    problems: tuple[Problem, ...] = ()  # the error, with its place in the YAML
    aside: tuple[Aside, ...] = ()
    notes: tuple[str, ...] = ()
    there: bool = True


def reasons(found: Iterable[tuple[str, str]], types: Mapping[str, str]) -> tuple[Aside, ...]:
    """The most frequent, each with the first record that it holds for. What two reasons have in common is their column and
    how they end: between stands the value."""
    first: dict[tuple[str, str], Aside] = {}
    for place, reason in found:
        column, told, _ = reason.partition(": ")
        like = (column, reason.split()[-1]) if told else (reason, "")
        was = first.get(like) or Aside(place, reason, types.get(column, ""), -1)
        first[like] = replace(was, more=was.more + 1)
    return tuple(sorted(first.values(), key=lambda one: -one.more)[:_REASONS])


def problems(outcomes: Iterable[Synced]) -> list[Problem]:
    """What went wrong; what all tables of a source failed of is said once."""
    return list(dict.fromkeys(problem for one in outcomes for problem in one.problems))


def failures(outcomes: Sequence[Synced]) -> dict[str, ConnectorError]:
    """What went wrong by source, or by ``source.table`` where others of the source went well."""
    out: dict[str, ConnectorError] = {}
    by_source: dict[str, list[Synced]] = {}
    for one in outcomes:
        by_source.setdefault(one.source, []).append(one)
    for source, all_of in by_source.items():
        wrong = [one for one in all_of if one.error is not None]
        same = len(wrong) == len(all_of) and len({id(one.error) for one in wrong}) == 1
        if same and wrong[0].error is not None:
            out[source] = wrong[0].error
        else:
            out |= {f"{source}.{one.table}": one.error for one in wrong if one.error is not None}
    return out
