"""``cadran init``: a folder becomes a project that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cadran import resources
from cadran.starting import starter
from cadran.starting.borrowed import borrowed
from cadran.starting.catalogue import fitting
from cadran.starting.files import FILE, IGNORING, ignore, ignores, read, refuse, replaced
from cadran.starting.lacking import lacking
from cadran.starting.start import Start, whole

KPIS = "kpis"


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. ``account`` is what the source calls itself; ``kpis`` is how many KPIs there are. ``left_out`` has those of the
    catalogue that the data does not answer, by what is missing; ``assumed`` says which records and fields stand for what; ``kept`` are
    copies of files that were there before. ``ignored`` is whether Git is told to leave out copies of the source's data."""

    files: tuple[str, ...]
    kpis: int
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    account: str = ""
    assumed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    ignored: bool = True


def init(
    folder: Path, connector: str, environ: Mapping[str, str], *, settings: Mapping[str, str] = MappingProxyType({}), force: bool = False
) -> Made:  # fmt: skip
    """Writes a project into ``folder``: one over a small CSV file, or the catalogue over what a connector reads. ``settings`` are more
    of the source's, or others than the starter has.

    Raises ProblemsFound: where a file is there that it would write (unless ``force``), where the connector has no starter, and where the
    source that it leads to does not answer. Then nothing is written.
    """
    if not force and (folder / FILE).exists():  # before anybody is asked
        refuse(folder, [FILE, *(_catalogue() if connector else ())])
    files, made = _over(connector, environ, settings) if connector else _first_minute()
    if not force:
        refuse(folder, files)
    kept = replaced(folder, files)
    names = [*files, IGNORING] if ignore(folder) else [*files]
    return Made(tuple(names), made.kpis, made.left_out, made.account, made.assumed, kept, ignores(folder))


def _first_minute() -> tuple[Mapping[str, str], Made]:
    return read(resources.templates() / "start"), Made((), 1)


def _over(
    connector: str, environ: Mapping[str, str], settings: Mapping[str, str]
) -> tuple[Mapping[str, str], Made]:
    begun = Start(connector, environ, settings)
    tables, account = begun.asked(begun.declared(begun.rendered(None)))
    text = begun.rendered(tables)
    catalogue = _catalogue()
    found, cut = fitting(catalogue, lambda files: begun.wrong({FILE: text, **files}, tables))
    every, there = begun.reported({FILE: text, **catalogue}), begun.reported({FILE: text, **found})
    left_out = lacking([name for name in every if name not in there], cut)
    return whole({FILE: text, **found}), Made((), len(there), left_out, account, starter.assumed(text))


def _catalogue() -> dict[str, str]:
    return {f"{KPIS}/{name}": borrowed(kpis) for name, kpis in read(resources.folder("kpis")).items()}
