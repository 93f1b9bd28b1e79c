"""The parts of a project, gathered from ``kpis.yaml`` and all files that it includes.

Only what has the right shape gets in: what the schema refuses is left out, so that the rest can be read without
looking twice, and its name is kept, so that nobody complains that it does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from cadran.declare.document import Document, Place
from cadran.declare.findings import NAMED, Findings, line_and_column
from cadran.declare.shape import Finding, value_at

# In these, a part with a wrong value is used without that value; elsewhere the whole entry is left out.
_FORGIVING = ("kpis", "reports", "datasets")
# Of these, which have no names, only the part with a fault is left out.
_IN_PARTS = ("routes", "deliveries", "state")
# What the rest means nothing without: a fault in it leaves out the whole entry.
_NEEDED = {
    "kpis": ("formula",),
    "datasets": (
        "from",
        "key",
        "date",
        "valid",
        "links",
        "columns",
        "where",
        "snapshot",
        "ahead",
        "grain",
        "money",
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the right shape and where it stands."""

    value: Any
    place: Place

    @property
    def key(self) -> Place:
        """The place of the key that it stands under."""
        return Place(self.place.document, self.place.path, on_key=True)


@dataclass(slots=True)
class Sections:
    """``named`` holds what goes by names (``named["kpis"]["revenue"]``), ``single`` the rest (``calendar``)."""

    named: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in NAMED})
    single: dict[str, list[Entry]] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)

    def one(self, name: str) -> Entry | None:
        entries = self.single.get(name)
        return entries[0] if entries else None

    def exists(self, section: str, name: str) -> bool:
        """Whether it is declared at all, usable or not."""
        return name in self.named[section] or (section, name) in self.broken

    def names(self, section: str) -> list[str]:
        return [*self.named[section], *(n for s, n in sorted(self.broken) if s == section)]

    def add(self, document: Document, wrong: Iterable[Finding], found: Findings) -> None:
        """What a document declares, but for what is wrong with it."""
        self._leave_out(document, wrong)
        if not isinstance(document.data, dict):
            return
        for section, value in document.data.items():
            if section not in NAMED:
                self._add_single(section, Entry(value, Place(document, (section,))), found)
                continue
            for name, part in value.items():
                entry = Entry(part, Place(document, (section, name)))
                first = self.named[section].setdefault(name, entry)
                if first is not entry:
                    message = f"'{name}' is already declared at {line_and_column(first.key)}"
                    found.error("declared-twice", message, entry.key, "keep one of the two")

    def _add_single(self, section: str, entry: Entry, found: Findings) -> None:
        before = self.single.setdefault(section, [])
        if before and section not in ("version", "include", "allow_paths"):
            message = f"'{section}' is already said at {line_and_column(before[0].key)}"
            found.error("declared-twice", message, entry.key, "keep one of the two")
            return
        before.append(entry)

    def _leave_out(self, document: Document, wrong: Iterable[Finding]) -> None:
        for finding in wrong:
            path = finding.path
            if not path:
                if not isinstance(document.data, dict):
                    document.data = None
                continue
            if finding.code == "unknown-key":
                document.unknown.add(path)
            cut = self._cut(path, finding)
            if path[0] in NAMED and len(path) > 1 and len(cut) <= 2:
                self.broken.add((str(path[0]), str(path[1])))
            parent = value_at(document.data, cut[:-1])
            if isinstance(parent, dict):
                parent.pop(str(cut[-1]), None)
            elif isinstance(parent, list) and isinstance(cut[-1], int):
                parent[cut[-1]] = None  # the others keep their places

    def _cut(self, path: tuple[str | int, ...], finding: Finding) -> tuple[str | int, ...]:
        """How much is unusable because of a finding."""
        if finding.code == "unknown-key":
            return path
        if path[0] not in NAMED:
            return path[: 2 if path[0] in _IN_PARTS else 1]
        forgiving = path[0] in _FORGIVING and len(path) > 2 and path[2] not in _NEEDED.get(str(path[0]), ())
        if forgiving and len(path) > 3 and isinstance(path[3], int):
            return path[:4]
        return path[:3] if forgiving else path[:2]
