"""What scores, funnels and cohorts add to a project: derived columns of datasets, and KPIs that nobody has to name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Dataset, Kpi, Text

Holds = Literal["condition", "date"]


@dataclass(slots=True)
class Additions:
    """Collected while the sections are read, then put into the datasets at once."""

    columns: dict[str, dict[str, Text]] = field(default_factory=dict)
    kinds: dict[str, dict[str, Holds]] = field(default_factory=dict)
    kpis: dict[str, Kpi] = field(default_factory=dict)

    def column(self, dataset: str, name: str, text: Text, holds: Holds | None = None) -> None:
        self.columns.setdefault(dataset, {})[name] = text
        if holds is not None:
            self.kinds.setdefault(dataset, {})[name] = holds

    def made(self, dataset: str, name: str, written: str, place: Place) -> None:
        """A column whose expression is ours: it stands at the key of what it was made for."""
        self.column(dataset, name, Text(written, Place(place.document, place.path, on_key=True)))

    def kpi(self, kpi: Kpi) -> None:
        self.kpis[kpi.name] = kpi

    def into(self, datasets: Mapping[str, Dataset], found: Findings) -> dict[str, Dataset]:
        """The datasets with their new columns; a column that is declared already is an error."""
        out = dict(datasets)
        for name, columns in self.columns.items():
            dataset = datasets.get(name)
            if dataset is None:
                continue
            for column, text in columns.items():
                if column in dataset.columns:
                    message = f"the dataset '{name}' already has a derived column '{column}'"
                    found.error("same-column", message, text.place, "give one of them another name")
            out[name] = replace(
                dataset,
                columns={**columns, **dataset.columns},
                made=frozenset(columns) - set(dataset.columns),
                kinds=self.kinds.get(name, {}),
            )
        return out


def quoted(name: str) -> str:
    """A column's name as expressions write it."""
    return '"' + name.replace('"', '""') + '"'
