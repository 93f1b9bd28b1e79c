"""Where each segment lives in each dataset."""

from __future__ import annotations

from sqlglot import exp

from cadran.declare.model import Declaration, Text
from cadran.formula.measures import ref_node
from cadran.formula.scope import BrokenReference, Scope, Unresolved
from cadran.problems import Problem


class Dimensions:
    """The bound columns of segments, found when they are first asked for."""

    def __init__(self, declaration: Declaration, scope: Scope) -> None:
        self.declaration, self.scope = declaration, scope
        self._found: dict[tuple[str, str], exp.Column | None] = {}

    def check(self) -> list[Problem]:
        """The declared paths that lead nowhere."""
        problems = []
        for segment in self.declaration.segments.values():
            for dataset, path in segment.paths.items():
                if dataset not in self.declaration.datasets:
                    continue
                try:
                    self.scope.bind_path(path, dataset, f"segments.{segment.name}")
                except BrokenReference:
                    continue
                except Unresolved as found:
                    problems.append(found.problem)
        return problems

    def of(self, segment: str, dataset: str) -> exp.Column | None:
        """Where a segment lives in a dataset; None where the dataset cannot reach it."""
        key = (segment, dataset)
        if key not in self._found:
            self._found[key] = self._find(segment, dataset)
        return self._found[key]

    def reached(self) -> dict[tuple[str, str], exp.Column]:
        """(segment, dataset) → its column, for all that was asked for and found."""
        return {key: node for key, node in self._found.items() if node is not None}

    def _find(self, segment: str, dataset: str) -> exp.Column | None:
        declared = self.declaration.segments.get(segment)
        if declared and dataset in declared.paths:
            try:
                return self.scope.bind_path(declared.paths[dataset], dataset, f"segments.{segment}")
            except (Unresolved, BrokenReference):
                return ref_node((), segment)  # reported where it is declared: it is not out of reach as well
        own = segment in self.declaration.datasets[dataset].columns
        if declared and not own and self.scope.raw(dataset) is None:
            return ref_node((), segment)  # its columns are not known: on trust, it has one of that name
        try:
            text = Text(f'"{segment}"' if "." in segment else segment, self.declaration.place)
            return self.scope.bind_path(text, dataset, "")
        except (Unresolved, BrokenReference):
            return None
