"""Every table that scans make by sharing passes, held against the table that the scan's own statement makes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from cadran.compute.engine import Engine
from cadran.compute.scanning.currencies import rates_table
from cadran.compute.scanning.scan import Scan, ScanBuilder, label_of


@dataclass
class Held:
    """What was compared: the lines that differ, and how many scans shared a pass or could not."""

    lines: list[str] = field(default_factory=list)
    shared: int = 0
    alone: list[Scan] = field(default_factory=list)


@contextlib.contextmanager
def held_against_their_own() -> Iterator[Held]:
    """While this lasts, every run compares each of its scans' tables with the general statement's."""
    held = Held()
    made = Engine._scan

    def scan_and_compare(engine: Engine, scans: Sequence[Scan]) -> None:
        made(engine, scans)
        for scan in scans:
            held.lines += _differences(engine, scan, held)

    with patch.object(Engine, "_scan", scan_and_compare):
        yield held


def _differences(engine: Engine, scan: Scan, held: Held) -> list[str]:
    if "first" not in engine.session.columns("temp", scan.spans_table):
        held.alone.append(scan)
        return []
    held.shared += 1
    builder = ScanBuilder(
        engine.rows,
        lambda name, dataset: engine.model.dimensions[name, dataset],
        rates_table(engine.declaration, engine.session),
    )
    own = replace(scan, name=f"{scan.name}_own")
    select = builder.build(own)
    engine._fill(own, select)
    engine.session.create(own.name, select)
    lines = []
    types, own_types = (engine.session.columns("temp", table) for table in (scan.name, own.name))
    if types != own_types:
        lines.append(f"{_shown(scan)}: types {types}, its own statement's {own_types}")
    values = [n for n in own_types if not _is_key(n)]
    at = [n for n in own_types if _is_key(n)].index("segment")
    asked = [{label_of(segments) for segments in scan.sets_of(m)} for m in scan.measures]
    rows, own_rows = (_rows(engine, table, list(own_types)) for table in (scan.name, own.name))
    for key in sorted(rows.keys() | own_rows.keys(), key=str):
        one, other = rows.get(key), own_rows.get(key)
        if one is None or other is None:
            lines.append(
                f"{_shown(scan)}: {key} only {'shared' if other is None else 'on its own'}: {one or other}"
            )
        elif not all(
            _same(a, b)
            for name, a, b in zip(values, one, other, strict=True)
            if name == "rows" or key[at] in asked[int(name[1:])]
        ):
            lines.append(f"{_shown(scan)}: {key} shared {one}, on its own {other}")
    return lines


def _is_key(name: str) -> bool:
    return name in ("span", "segment") or name.startswith("by_")


def _shown(scan: Scan) -> str:
    words = ", ".join(f"{m.timing} {m.function}" for m in scan.measures)
    return f"{scan.name} on {scan.dataset} by {scan.grain} ({words}) {scan.sets}"


def _rows(engine: Engine, table: str, names: list[str]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    keys = [n for n in names if _is_key(n)]
    others = [n for n in names if n not in keys]
    listed = ", ".join(f'"{n}"' for n in [*keys, *others])
    found = engine.session.session._run(f'SELECT {listed} FROM temp."{table}"')
    out = {row[: len(keys)]: row[len(keys) :] for row in found}
    assert len(out) == len(found), f"{table} holds a row twice"
    return out


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)
