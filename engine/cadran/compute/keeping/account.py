"""What is kept of which KPI, for people to see and to clear."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cadran.compute.keeping.memory import FOLDER, open_kept
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.state.index import Held, Piece
from cadran.state.kept import Kept, wipe


@dataclass(frozen=True, slots=True)
class Line:
    """What is kept of one KPI over one dataset, by one grain. ``since`` and ``used`` are days; ``bytes`` is its share."""

    kpi: str
    dataset: str
    grain: str
    results: int
    since: str
    used: str
    bytes: int


def lines(folder: Path) -> list[Line]:
    """Everything that is kept of the project in ``folder``, by KPI."""
    kept = open_kept(folder / FOLDER)
    found: dict[tuple[str, str, str], list[tuple[Piece, Held]]] = {}
    for piece in kept.pieces.values():
        for held in piece.held.values():
            for kpi in held.kpis:
                found.setdefault((kpi, piece.dataset, piece.grain), []).append((piece, held))
    return [
        Line(
            kpi, dataset, grain, sum(_results(p, h) for p, h in parts), min(p.made for p, _ in parts),
            max(h.used for _, h in parts), sum(_share(p, h) for p, h in parts),
        )
        for (kpi, dataset, grain), parts in sorted(found.items())
    ]  # fmt: skip


def unread(folder: Path) -> int:
    """The bytes that lie there of other versions of cadran or of DuckDB, whose results are not used."""
    place = folder / FOLDER
    if not place.is_dir() or open_kept(place).readable:
        return 0
    return sum(path.stat().st_size for path in place.iterdir() if path.is_file())


def _results(piece: Piece, held: Held) -> int:
    """The spans of which anything can still be of use."""
    lists = [piece.tokens[at] for at in held.sets.values()]
    return sum(any(tokens[i] is not None for tokens in lists) for i in range(len(piece.spans)))


def _share(piece: Piece, held: Held) -> int:
    """A file's size by its measures, and by the KPIs that share one."""
    return piece.bytes // max(len(piece.held), 1) // max(len(held.kpis), 1)


def clear(folder: Path, kpis: Sequence[str]) -> int:
    """Forgets all that is kept, or what is kept of some KPIs; gives how many results that were. Raises ProblemsFound."""
    place = folder / FOLDER
    kept = open_kept(place)
    try:
        if not kpis:
            count = sum(_results(p, h) for p in kept.pieces.values() for h in p.held.values())
            wipe(place)
            return count
        _check(kept, kpis)
        count = _forget(kept, kpis)
        kept.save()
    except OSError as error:
        message = f"{FOLDER.as_posix()} cannot be cleared: {error.strerror or error}"
        raise ProblemsFound(
            [Problem("not-cleared", message, None, "", "remove the folder yourself")]
        ) from error
    return count


def _check(kept: Kept, kpis: Sequence[str]) -> None:
    known = sorted({kpi for p in kept.pieces.values() for h in p.held.values() for kpi in h.kpis})
    problems = []
    for name in kpis:
        if name not in known:
            hint = suggest(name, known) or f"something is kept of {listed(known) or 'no KPI'}"
            problems.append(Problem("nothing-kept-of", f"nothing is kept of '{name}'", None, "", hint))
    if problems:
        raise ProblemsFound(problems)


def _forget(kept: Kept, kpis: Collection[str]) -> int:
    """What other KPIs share with these goes with it: it is the same result."""
    count, definitions = 0, set()
    for piece in kept.pieces.values():
        for definition, held in piece.held.items():
            if set(kpis) & set(held.kpis):
                count += _results(piece, held)
                definitions.add(definition)
    kept.clear(definitions)
    return count
