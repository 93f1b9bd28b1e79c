"""A project that lives: its clock, rows, files, formulas and columns change from run to run, and so does what was kept.

After every change the run that may use what earlier ones kept must say what a run says that knows nothing of them.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

import cadran
from cadran.problems import ProblemsFound
from naive.evaluator import Kpi
from naive.rows import Dataset
from naive.tree import Agg, Column, Literal, Not, Nth, Op, Value
from properties.render import Project, csv_text, project_yaml

Rows = list[Mapping[str, Value]]
KEPT = Path(".cadran") / "kept"


@dataclass
class Story:
    """The state of the project between two runs. ``files`` holds the rows of each dataset by file."""

    project: Project
    folder: Path
    chance: random.Random
    formats: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, Rows]] = field(default_factory=dict)
    later: dict[str, Rows] = field(default_factory=dict)
    clock: dt.datetime = dt.datetime(2000, 1, 1)
    shown: list[Kpi] = field(default_factory=list)
    judged: bool = False
    only: list[str] = field(default_factory=list)
    made: int = 0

    @classmethod
    def begin(cls, project: Project, folder: Path, number: int) -> Story:
        story = cls(project, folder, random.Random(number), clock=project.clock)
        days = story.chance.choice((2, 30, 120))
        story.clock = project.clock - dt.timedelta(days=days)
        story.shown = [k for k in project.kpis if k.grains][:4]
        story.judged = story.chance.random() < 0.5
        for dataset in project.datasets:
            story.formats[dataset.name] = story.chance.choice(("csv", "parquet", "parquet"))
            rows = list(dataset.rows)
            story.chance.shuffle(rows)
            cut = len(rows) * 2 // 3
            story.later[dataset.name] = rows[cut:]
            story._spread(dataset, rows[:cut])
        story.write()
        return story

    def _spread(self, dataset: Dataset, rows: Rows) -> None:
        """Over a few files: by time, as such data mostly comes, or anyhow."""
        count = self.chance.choice((1, 1, 2, 4))
        if dataset.date and self.chance.random() < 0.7:
            rows = sorted(rows, key=lambda row: str(row[dataset.date or ""]))
        self.files[dataset.name] = {f"{at}": rows[at::1][: len(rows) // count + 1] for at in range(0)}
        size = -(-len(rows) // count) or 1
        for at in range(count):
            self.files[dataset.name][f"f{at}"] = rows[at * size : (at + 1) * size]

    # --- the project as files -----------------------------------------------------------------------------------------

    def now(self) -> Project:
        """The project as it is declared at the moment; rows are in the files."""
        blocks = [k for k in self.project.kpis if not k.grains]
        return replace(self.project, kpis=[*blocks, *self.shown], clock=self.clock)

    def write(self) -> None:
        text = project_yaml(self.now())
        for name, suffix in self.formats.items():
            head = f"      {name}: {{path: {name}.csv"
            begin = text.index(head)
            rest = text[begin + len(head) :].split("\n", 1)
            types = rest[0] if suffix == "csv" else "}"
            text = f'{text[:begin]}      {name}: {{path: "{name}/*.{suffix}"{types}\n{rest[1]}'
        if self.judged:
            text += "\n".join(["", *self._targets(text)]) if False else ""
            for kpi in self.shown:
                head = f"  {kpi.name}:\n"
                text = text.replace(head, head + "    target: 5\n    alert: value > 1.5 and change > 0\n", 1)
        (self.folder / "kpis.yaml").write_text(text, encoding="utf-8")
        for dataset in self.project.datasets:
            for stem, rows in self.files[dataset.name].items():
                self.save(dataset.name, stem, rows)

    def _targets(self, _: str) -> list[str]:
        return []

    def path(self, dataset: str, stem: str) -> Path:
        return self.folder / dataset / f"{stem}.{self.formats[dataset]}"

    def save(self, dataset: str, stem: str, rows: Rows) -> None:
        """Writes a file unless it holds just that."""
        path, types = self.path(dataset, stem), self.project.types[dataset]
        path.parent.mkdir(exist_ok=True)
        text = csv_text(list(types), rows)
        if self.formats[dataset] == "csv":
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
            return
        beside = path.with_suffix(".text")
        if path.exists() and beside.exists() and beside.read_text(encoding="utf-8") == text:
            return
        beside.write_text(text, encoding="utf-8")
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        with duckdb.connect() as con:
            con.execute(f"SET TimeZone = '{self.project.calendar.zone}'")
            con.execute(
                f"COPY (SELECT * FROM read_csv('{beside}', header = true, auto_detect = false, delim = ',', quote = '\"', "
                f"escape = '\"', nullstr = '', columns = {{{columns}}})) TO '{path}' (FORMAT parquet)"
            )

    # --- what happens -------------------------------------------------------------------------------------------------

    def step(self) -> str:
        """One random change; returns what it was."""
        names = [name for name, weight in _STEPS.items() for _ in range(weight)]
        name = self.chance.choice(names)
        said = getattr(self, f"_{name}")()
        self.write()
        return f"{name} {said or ''}".strip()

    def _dataset(self) -> Dataset:
        return self.chance.choice(
            [d for d in self.project.datasets if any(self.files[d.name].values())]
            or list(self.project.datasets)
        )

    def _time_passes(self) -> str:
        self.clock += dt.timedelta(
            days=self.chance.choice((1, 1, 7, 31)), hours=self.chance.choice((0, 0, 5))
        )
        return str(self.clock)

    def _time_goes_back(self) -> str:
        self.clock -= dt.timedelta(days=self.chance.choice((1, 20, 90)))
        return str(self.clock)

    def _new_rows(self) -> str:
        """Some in a file of their own, of whatever date."""
        dataset = self.chance.choice(self.project.datasets)
        pool = self.later[dataset.name]
        taken = [pool.pop() for _ in range(min(len(pool), self.chance.choice((1, 3, 8))))]
        self.made += 1
        self.files[dataset.name][f"n{self.made}"] = taken
        return f"{dataset.name} {len(taken)}"

    def _new_day(self) -> str:
        """Time passes, and every dataset gets some of the rows that have come in."""
        self.clock += dt.timedelta(days=1)
        for dataset in self.project.datasets:
            column = dataset.valid[0] if dataset.valid else dataset.date
            pool = self.later[dataset.name]
            pool.sort(key=lambda row: str(row[column or "channel"]), reverse=True)
            taken = [pool.pop() for _ in range(min(len(pool), 2))]
            if taken:
                self.made += 1
                self.files[dataset.name][f"n{self.made}"] = taken
        return str(self.clock)

    def _changed_row(self) -> str:
        dataset = self._dataset()
        stem, rows = self._some_file(dataset)
        if not rows:
            return "none"
        at = self.chance.randrange(len(rows))
        other = self.chance.choice(list(dataset.rows))
        columns = [c for c in self.project.types[dataset.name] if c not in dataset.key]
        if not columns:
            return "none"
        column = self.chance.choice(columns)
        changed = [*rows]
        changed[at] = {**rows[at], column: other[column]}
        self.files[dataset.name][stem] = changed
        return f"{dataset.name}/{stem} {column} of row {at}"

    def _lost_row(self) -> str:
        dataset = self._dataset()
        stem, rows = self._some_file(dataset)
        if rows:
            self.files[dataset.name][stem] = rows[:-1]
        return f"{dataset.name}/{stem}"

    def _files_joined(self) -> str:
        """All rows of a dataset in one file: the same data, in another file."""
        dataset = self._dataset()
        rows = [row for rows in self.files[dataset.name].values() for row in rows]
        for stem in self.files[dataset.name]:
            self.path(dataset.name, stem).unlink()
        self.made += 1
        self.files[dataset.name] = {f"j{self.made}": rows}
        return dataset.name

    def _file_renamed(self) -> str:
        dataset = self._dataset()
        stem, rows = self._some_file(dataset)
        self.path(dataset.name, stem).unlink()
        del self.files[dataset.name][stem]
        self.made += 1
        self.files[dataset.name][f"r{self.made}"] = rows
        return f"{dataset.name}/{stem}"

    def _file_copied(self) -> str:
        """Every row twice, which a key forbids; it is taken away again in the next step but one."""
        dataset = self._dataset()
        stem, rows = self._some_file(dataset)
        if "copy" in self.files[dataset.name]:
            del self.files[dataset.name]["copy"]
            self.path(dataset.name, "copy").unlink()
            return "taken back"
        self.files[dataset.name]["copy"] = rows
        return f"{dataset.name}/{stem}"

    def _file_touched(self) -> str:
        dataset = self._dataset()
        stem, _ = self._some_file(dataset)
        self.write()
        moment = self.chance.choice((None, (1_700_000_000, 1_700_000_000)))
        os.utime(self.path(dataset.name, stem), moment)
        return f"{dataset.name}/{stem}"

    def _some_file(self, dataset: Dataset) -> tuple[str, Rows]:
        return self.chance.choice(sorted(self.files[dataset.name].items()))

    def _formula(self) -> str:
        pool = [k for k in self.project.kpis if k.grains]
        at, new = self.chance.randrange(len(self.shown)), self.chance.choice(pool)
        self.shown[at] = new
        self.shown = list({k.name: k for k in self.shown}.values())
        return new.name

    def _judging(self) -> None:
        self.judged = not self.judged

    def _column(self) -> str:
        """A derived column, a filter of rows, a settle: something of a dataset's declaration."""
        what, change = self.chance.choice(_CHANGES)
        self.project = replace(self.project, datasets=[change(d, self.chance) for d in self.project.datasets])
        return what

    def _range(self) -> None:
        calendar = self.project.calendar
        until = calendar.local_date(self.clock)
        days = self.chance.choice((20, 100, 400))
        self.project = replace(
            self.project, since=until - dt.timedelta(days=days), until=until + dt.timedelta(days=20)
        )

    def _asked(self) -> str:
        self.only = self.chance.choice(([], [self.chance.choice(self.shown).name]))
        return str(self.only)

    def _damage(self) -> str:
        files = sorted((self.folder / KEPT).iterdir()) if (self.folder / KEPT).is_dir() else []
        if not files:
            return "nothing to damage"
        file = self.chance.choice(files)
        content = file.read_bytes()
        kind = self.chance.choice(("cut", "flipped", "gone", "empty", "longer", "other"))
        if kind == "gone":
            file.unlink()
        elif kind == "flipped" and content:
            at = self.chance.randrange(len(content))
            file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        else:
            other = self.chance.choice(files).read_bytes()
            file.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "longer": content + b"\0", "other": other}.get(kind, content[:-1]))  # fmt: skip
        return f"{kind} {file.suffix}"


_STEPS = {
    "time_passes": 3, "time_goes_back": 1, "new_rows": 3, "new_day": 4, "changed_row": 4, "lost_row": 1, "files_joined": 1,
    "file_renamed": 1, "file_copied": 1, "file_touched": 1, "formula": 2, "judging": 1, "column": 3, "range": 1, "asked": 1, "damage": 2,
}  # fmt: skip


def _with(
    name: str, make: Callable[[Dataset, random.Random], Dataset]
) -> Callable[[Dataset, random.Random], Dataset]:
    return lambda dataset, chance: make(dataset, chance) if dataset.name == name else dataset


def _derived(column: str, *choices: Any) -> Callable[[Dataset, random.Random], Dataset]:
    def change(dataset: Dataset, chance: random.Random) -> Dataset:
        return replace(dataset, derived={**dataset.derived, column: chance.choice(choices)})

    return change


def _settle(dataset: Dataset, chance: random.Random) -> Dataset:
    return replace(dataset, settle=chance.choice((0, 2, 20)))


def _where(dataset: Dataset, chance: random.Random) -> Dataset:
    return replace(
        dataset,
        where=chance.choice(
            (None, Op("<>", Column("qty"), Literal(3)), Not(Op("=", Column("channel"), Literal("web"))))
        ),
    )


def _tier(dataset: Dataset, chance: random.Random) -> Dataset:
    path = chance.choice(("customers.tier", "customers.channel"))
    return replace(dataset, segments={**dataset.segments, "tier": path})


_CHANGES: list[tuple[str, Callable[[Dataset, random.Random], Dataset]]] = [
    ("big", _with("customers", _derived("big", *(Op(">=", Column("score"), Literal(n)) for n in (20, 50, 80))))),
    ("first_event", _with("customers", _derived("first_event", *(Agg(f, "events", Column("happened")) for f in ("min", "max"))))),
    ("nth", _with("events", _derived("nth", Nth("customer", "id"), Nth("customer", "happened, id"), Nth("channel", "id")))),
    ("settle of events", _with("events", _settle)),
    ("settle of contracts", _with("contracts", _settle)),
    ("where of events", _with("events", _where)),
    ("tier of events", _with("events", _tier)),
]  # fmt: skip


# --- running it -------------------------------------------------------------------------------------------------------


def outcome(folder: Path, story: Story, **more: Any) -> tuple[Any, ...]:
    """Everything that a run says: rows, alerts and quality, or the problems in their place."""
    try:
        found = cadran.open(folder, environ={}).run(
            story.only, as_of=story.clock, since=story.project.since, until=story.project.until, **more
        )
    except ProblemsFound as problems:
        return ("problems", sorted((p.code, p.message, p.subject) for p in problems.problems))
    warnings = [w for w in found.warnings if w.code != "nothing-kept"]
    return ("results", list(found.rows), list(found.alerts), list(found.quality), [str(w) for w in warnings])


def afresh(story: Story) -> tuple[Any, ...]:
    """The same in a copy of the folder that holds nothing of earlier runs."""
    with tempfile.TemporaryDirectory() as other:
        target = Path(other) / "copy"
        shutil.copytree(story.folder, target, ignore=shutil.ignore_patterns(".cadran", "*.text"))
        return outcome(target, story)


def unlike(one: tuple[Any, ...], other: tuple[Any, ...]) -> list[str]:
    """Lines that say how two outcomes differ."""
    if one[0] != other[0] or one[0] == "problems":
        return [] if one == other else [f"kept: {one}"[:1500], f"full: {other}"[:1500]]
    lines = []
    for name, mine, theirs in zip(("rows", "alerts", "quality", "warnings"), one[1:], other[1:], strict=True):
        if len(mine) != len(theirs):
            lines.append(f"{name}: {len(mine)} kept, {len(theirs)} full")
        lines += [f"{name}: kept {a}, full {b}" for a, b in zip(mine, theirs, strict=False) if not same(a, b)]
    return lines


def same(one: Any, other: Any) -> bool:
    """Equal; floats may differ in their last digits, as sums do whose order is not fixed."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, n), getattr(other, n)) for n in one.__dataclass_fields__)
    return bool(one == other)


def told(project: Project, number: int, steps: int) -> list[str]:
    """What is wrong after some step of a story, with the steps so far."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story.begin(project, Path(folder), number)
        history = ["began"]
        for step in range(steps + 1):
            if step:
                history.append(story.step())
            more = {"full": True} if story.chance.random() < 0.1 else {}
            lines = unlike(outcome(story.folder, story, **more), afresh(story))
            if lines:
                return [*history, *lines]
    return []


def _unused() -> Iterator[Sequence[Decimal]]:
    yield from ()
