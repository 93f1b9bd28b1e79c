"""What columns a table of the copy has, and what is done where its source has come to say something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cadran.declare.model import Syncing
from cadran.plugins.connector import Column, DataError, SchemaChanged, Table
from cadran.plugins.naming import column_name
from cadran.problems import listed

#: What the store has beside a table's own columns.
DELETED_AT, WRITTEN_BY = "_cadran_deleted_at", "_cadran_sync"
#: What deleted rows are told by where they are kept (``keep_deleted``); numbered where the source has such a column.
SHOWN_DELETED_AT = "deleted_at"
_TEXTS = {
    "JSON": "VARCHAR",
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the copy has it. One that is ``gone`` at the source holds NULL. The type is empty until the first rows tell it."""

    name: str
    type: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    cursor: str = ""

    @property
    def live(self) -> tuple[Field, ...]:
        """Those that the source sends."""
        return tuple(f for f in self.fields if not f.gone)

    def to_json(self) -> dict[str, Any]:
        fields = [[f.name, f.type, f.gone] for f in self.fields]
        return {"fields": fields, "key": list(self.key), "cursor": self.cursor}

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Shape:
        fields = tuple(Field(str(n), str(t), bool(g)) for n, t, g in raw["fields"])
        return cls(fields, tuple(raw["key"]), str(raw["cursor"]))

    def typed(self, types: Mapping[str, str]) -> Shape:
        """With the types that rows have told."""
        return replace(
            self, fields=tuple(f if f.type else replace(f, type=types.get(f.name, "")) for f in self.fields)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The shape that a load leaves behind. ``whole``: changes alone do not lead there. ``anew``: what lies there is no basis at all."""

    shape: Shape
    whole: bool = False
    anew: bool = False


def plan(kept: Shape | None, table: Table, settings: Syncing, *, full: bool) -> Plan:
    """Raises SchemaChanged where a setting wants it, DataError where the table contradicts itself."""
    _check(table)
    new = Shape(tuple(Field(c.name, _plain(c.type)) for c in table.columns), table.key, table.cursor)
    if kept is None or kept.key != new.key:
        return Plan(new, whole=True, anew=True)
    if full:
        return Plan(new, whole=True)
    before, now = {f.name: f for f in kept.fields}, {f.name: f for f in new.fields}
    fields = [_kept(table.name, field, now, settings) for field in kept.fields]
    added = [f for f in new.fields if f.name not in before]
    if added and settings.new_columns == "fail":
        raise _changed(table.name, f"has new columns: {_names(added)}", "new_columns", "'evolve' takes them, 'ignore' leaves them out")  # fmt: skip
    if settings.new_columns == "evolve":
        fields += added
    whole = kept.cursor != new.cursor or any(
        (field.gone and field.name in now) or field.type != before[field.name].type
        for field in fields
        if field.name in before
    )
    back = any(before[f.name].gone and not f.gone for f in fields if f.name in before)
    return Plan(Shape(tuple(fields), new.key, new.cursor), whole=whole or back)


def _kept(table: str, field: Field, now: Mapping[str, Field], settings: Syncing) -> Field:
    found = now.get(field.name)
    if found is None:
        if settings.missing_column == "fail" and not field.gone:
            raise _changed(table, f"has no column '{field.name}' any more", "missing_column", "'null' takes it as empty")  # fmt: skip
        return replace(field, gone=True)
    if not found.type or not field.type or found.type == field.type:
        return replace(field, gone=False, type=field.type or found.type)
    if settings.type_change == "fail":
        what = f"has column '{field.name}' as {found.type} now, which was {field.type}"
        raise _changed(table, what, "type_change", "'quarantine' keeps the old type, 'evolve' takes the new one")  # fmt: skip
    return replace(field, gone=False, type=found.type if settings.type_change == "evolve" else field.type)


def differing(table: Table, shape: Shape) -> list[str]:
    """Columns that the source says another type of now than the copy keeps."""
    now = {c.name: _plain(c.type) for c in table.columns}
    return [
        f"column '{f.name}' is {now[f.name]} at the source now, and {f.type} here"
        for f in shape.live
        if now.get(f.name) and f.type and now[f.name] != f.type
    ]


def _changed(table: str, what: str, setting: str, others: str) -> SchemaChanged:
    hint = f"{others} (sync: {{{setting}: …}}); 'cadran sync --full' takes the table as it is now"
    return SchemaChanged(f"table '{table}' {what}", hint=hint, setting=("sync", setting))


def _check(table: Table) -> None:
    names = [c.name for c in table.columns]
    seen: set[str] = set()
    for name in [*names, DELETED_AT, WRITTEN_BY]:
        if name.casefold() in seen:
            raise DataError(f"table '{table.name}' has a column '{name}' twice", hint="capitals do not tell columns apart")  # fmt: skip
        seen.add(name.casefold())
    if missing := [name for name in (*table.key, *filter(None, [table.cursor])) if name not in names]:
        raise DataError(f"table '{table.name}' has no column {_listed(missing)}, which is its key or cursor", hint="tell the author of the connector")  # fmt: skip


def shown(shape: Shape, *, with_deleted: bool) -> tuple[Column, ...]:
    """The columns as runs see them."""
    columns = tuple(Column(f.name, f.type or "VARCHAR") for f in shape.fields)
    if not with_deleted:
        return columns
    name = column_name(SHOWN_DELETED_AT, {f.name.casefold() for f in shape.fields})
    return (*columns, Column(name, "TIMESTAMP WITH TIME ZONE"))


def _plain(kind: str) -> str:
    """One name for each type."""
    upper = kind.strip().upper()
    return _TEXTS.get(upper, upper.replace(", ", ",") if upper.startswith("DECIMAL") else kind.strip())


def _names(fields: list[Field]) -> str:
    return _listed([f.name for f in fields])


def _listed(names: list[str]) -> str:
    return listed([f"'{name}'" for name in names])
