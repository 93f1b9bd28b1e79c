"""``plugins:``, which plugins may add functions, filters, blocks and listeners to a project; files of the project among them.

A formula must not change its meaning with what else is installed, so nothing of that kind comes from a plugin that is not named here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadran.declare.document import Document, Place
from cadran.declare.findings import Findings
from cadran.declare.model import Report
from cadran.declare.plugged import Plugins
from cadran.plugins.added import Added, Additions, added_by
from cadran.plugins.local import LocalFile, is_local, local_file
from cadran.problems import Problem, listed, suggest

_SECTIONS = {"function": "functions", "filter": "filters", "block": "blocks", "listener": "listeners"}


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of ``plugins:``."""

    name: str
    place: Place


def named(document: Document, folder: Path, plugins: Plugins, found: Findings) -> list[Named]:
    """The plugins that the main file names. Its local files are plugins from here on; nothing is imported yet."""
    out, files = [], list[LocalFile]()
    for entry in _entries(document):
        if "${" in entry.name:
            found.error("bad-plugin", "a plugin is named as it is, without settings", entry.place)
        elif not is_local(entry.name):
            out.append(entry)
        elif isinstance(file := local_file(entry.name, folder), LocalFile):
            files.append(file)
            out.append(entry)
        else:
            found.error("bad-plugin", file[0], entry.place, file[1])
    plugins.use(files)
    return out


def not_here(document: Document, found: Findings) -> None:
    """An included file names no plugins."""
    if isinstance(document.data, dict) and "plugins" in document.data:
        place = Place(document, ("plugins",), on_key=True)
        found.error("plugins-included", "'plugins' belongs into the main file", place, "move it there")


def _entries(document: Document) -> Iterator[Named]:
    value: Any = document.data.get("plugins") if isinstance(document.data, dict) else None
    place = Place(document, ("plugins",))
    pairs = [(value, place)] if isinstance(value, str) else []
    if isinstance(value, list):
        pairs = [(part, place.child(i)) for i, part in enumerate(value) if isinstance(part, str)]
    seen: set[str] = set()
    for text, where in pairs:
        if text.strip() and text not in seen:
            yield Named(text, where)
        seen.add(text)


def broken(entries: Sequence[Named], plugins: Plugins, found: Findings) -> frozenset[tuple[str, str]]:
    """The plugins that are named and cannot be used; of one whose file cannot be read the name does not matter."""
    lost = [e.name for e in entries if isinstance(plugins.named(e.name), Problem)]
    if any(problem.code == "bad-plugin" for problem in found.problems):
        lost.append("")
    return frozenset(("plugins", name) for name in lost)


def check_blocks(
    reports: Mapping[str, Report], added: Additions, gone: Collection[tuple[str, str]], found: Findings
) -> None:
    """The blocks that reports show are those of plugins that the project names. Where some are ``gone``, a block may be theirs."""
    for text in (block for report in reports.values() for block in report.blocks):
        if text.value not in added.blocks:
            known = (
                f"there are: {listed(sorted(added.blocks))}"
                if added.blocks
                else "no plugin under 'plugins:' brings any"
            )
            meant = suggest(text.value, added.blocks)
            if gone and not meant:
                continue  # it has been said that they cannot be used
            hint = meant or known
            found.error("unknown-block", f"unknown block '{text.value}'", text.place, hint)


def additions(entries: Sequence[Named], plugins: Plugins, found: Findings) -> Additions:
    """What these plugins add. One that is not there, is broken, or speaks another API is an error at its entry."""
    taken: dict[tuple[str, str], Added] = {}
    for entry in entries:
        plugin = plugins.named(entry.name)
        if isinstance(plugin, Problem):
            found.error(plugin.code, plugin.message, entry.place, plugin.hint)
            continue
        for added in added_by(plugin):
            first = taken.setdefault((added.kind, added.name), added)
            if first is not added:
                message = f"the {added.kind} '{added.name}' comes from {first.plugin} and from {added.plugin}"
                hint = "name only one of the two, or have one give it another name"
                found.error("added-twice", message, entry.place, hint)
    return Additions(
        **{
            section: {name: added for (of, name), added in taken.items() if of == kind}
            for kind, section in _SECTIONS.items()
        }
    )
