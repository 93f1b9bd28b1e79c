"""A tap's catalog: its streams as tables, and the catalog that chooses one of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cadran.plugins import Column, ConfigError, DataError, SchemaChanged, Table, listed, suggest
from cadran_plugins.singer.config import METHODS, Declared
from cadran_plugins.singer.types import column_type, declared

#: Columns in which taps say when a row was read; whether it is gone is asked for by its own name.
_META = "_sdc_"
DELETED = "_sdc_deleted_at"


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a catalog, with what the settings say about it. ``name`` is what its messages call it."""

    table: str
    id: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    cursor: str
    method: Literal["FULL_TABLE", "INCREMENTAL", "LOG_BASED"]
    deletes: Literal["reported", "unseen", "never"]
    marks: bool  # whether a row may say that it is gone
    key_said: tuple[str, ...] = ()

    @property
    def remembers(self) -> bool:
        """Whether the tap's state says what comes next time."""
        return self.method != "FULL_TABLE" and bool(self.key)

    def as_table(self) -> Table:
        cursor = self.cursor if self.remembers and self.method == "INCREMENTAL" else ""
        return Table(self.table, self.columns, key=self.key, cursor=cursor, deletes=self.deletes, key_said=self.key_said)  # fmt: skip


def entries(catalog: Any) -> dict[str, Mapping[str, Any]]:
    """The catalog's streams by their ids. Raises :class:`DataError`."""
    found = catalog.get("streams") if isinstance(catalog, Mapping) else None
    if not isinstance(found, list) or not all(
        isinstance(s, Mapping) and isinstance(s.get("schema"), Mapping) for s in found
    ):
        raise DataError(
            "the tap's catalog has no list of streams with their schemas",
            hint="look at what the tap writes with --discover",
        )
    return {str(stream.get("tap_stream_id") or stream.get("stream")): stream for stream in found}


def stream(
    table: str, said: Declared, streams: Mapping[str, Mapping[str, Any]], numbers: str = "DOUBLE"
) -> Stream:
    """Raises :class:`ConfigError` with the key that is at fault."""
    if said.stream not in streams:
        hint = suggest(said.stream, streams) or f"it offers {listed(list(streams), most=20)}"
        raise ConfigError(
            f"the tap has no stream '{said.stream}'", hint=hint, setting=(*said.where, "stream")
        )
    entry = streams[said.stream]
    about = _metadata(entry)
    top = about.get((), {})
    columns = _columns(entry, about, said, numbers)
    names = [column.name for column in columns]
    key = said.key or tuple(
        top.get("table-key-properties") or top.get("view-key-properties") or entry.get("key_properties") or ()
    )
    cursor = said.cursor or str(
        entry.get("replication_key")
        or top.get("replication-key")
        or _only(top.get("valid-replication-keys"))
        or ""
    )
    _known(key, names, (*said.where, "key"))
    method = _method(said, entry, top, cursor)
    if method == "INCREMENTAL":
        _known((cursor,), names, (*said.where, "cursor"))
    if method != "FULL_TABLE" and not key and (said.cursor or said.method):
        hint = "say 'key', the column that tells a row from all others"
        raise ConfigError("reading only changes needs to know which row each is of", hint=hint, setting=(*said.where, "cursor" if said.cursor else "method"))  # fmt: skip
    if not key:
        method = "FULL_TABLE"  # each read replaces the table
    marks = DELETED in entry["schema"].get("properties", {}) or method == "LOG_BASED"
    deletes = "reported" if marks and key and method != "FULL_TABLE" else said.deletes
    return Stream(
        table,
        said.stream,
        str(entry.get("stream") or said.stream),
        columns,
        key,
        cursor,
        method,
        deletes,
        marks,
        (*said.where, "key") if said.key else (),
    )


def _method(said: Declared, entry: Mapping[str, Any], top: Mapping[str, Any], cursor: str) -> Literal["FULL_TABLE", "INCREMENTAL", "LOG_BASED"]:  # fmt: skip
    """As the settings say, else as the tap must or would have it; a column to go by means changes."""
    wanted = METHODS.get(said.method) or ("INCREMENTAL" if said.cursor else "")
    wanted = wanted or str(
        top.get("forced-replication-method")
        or entry.get("replication_method")
        or top.get("replication-method")
        or ""
    )
    if wanted == "LOG_BASED":
        return "LOG_BASED"
    if cursor and wanted != "FULL_TABLE":
        return "INCREMENTAL"
    return "FULL_TABLE"


def _columns(
    entry: Mapping[str, Any], about: Mapping[tuple[str, ...], Mapping[str, Any]], said: Declared, numbers: str
) -> tuple[Column, ...]:
    properties = entry["schema"].get("properties", {})
    offered = {}
    for name, schema in properties.items():
        own = about.get(("properties", name), {})
        if not name.startswith(_META) and own.get("inclusion") != "unsupported" and _chosen(name, own, said):
            offered[name] = column_type(schema, str(own.get("sql-datatype", "")), numbers)
    _known(tuple(said.columns), list(offered), (*said.where, "columns"))
    return tuple(Column(name, declared(said.columns[name], (*said.where, "columns", name)) if name in said.columns else type_) for name, type_ in offered.items())  # fmt: skip


def _chosen(name: str, own: Mapping[str, Any], said: Declared) -> bool:
    """All columns but those that the tap leaves out unless they are asked for."""
    if name in (*said.columns, *said.key, said.cursor) or own.get("inclusion") == "automatic":
        return True
    chosen = own.get("selected", own.get("selected-by-default", True))
    return chosen is not False


def _known(wanted: tuple[str, ...], names: list[str], where: tuple[str, ...]) -> None:
    for name in wanted:
        if name not in names:
            has = f"it has {listed(names, most=20)}" if names else "the tap tells of none"
            hint = suggest(name, names) or has
            raise ConfigError(
                f"the stream has no column '{name}'",
                hint=hint,
                setting=(*where, name) if where[-1] == "columns" else where,
            )


def _only(keys: Any) -> str:
    return str(keys[0]) if isinstance(keys, list) and len(keys) == 1 else ""


def _metadata(entry: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    return {tuple(one.get("breadcrumb", ())): one.get("metadata", {}) for one in entry.get("metadata") or ()}


def choosing(catalog: Mapping[str, Any], chosen: Stream) -> dict[str, Any]:
    """The catalog with that stream selected and no other: as metadata, and as older taps look for it."""
    out = copy.deepcopy(dict(catalog))
    names = {column.name for column in chosen.columns} | {DELETED}
    for entry in out["streams"]:
        this = str(entry.get("tap_stream_id") or entry.get("stream")) == chosen.id
        about = {
            tuple(one.get("breadcrumb", ())): dict(one.get("metadata", {}))
            for one in entry.get("metadata") or ()
        }
        about.setdefault((), {})["selected"] = this
        for name, schema in entry["schema"].get("properties", {}).items():
            about.setdefault(("properties", name), {})["selected"] = this and (
                name in names or name.startswith(_META)
            )
            if isinstance(schema, dict):
                schema["selected"] = about["properties", name]["selected"]
        entry["selected"] = entry["schema"]["selected"] = this
        if this:
            _replicated(entry, about[()], chosen)
        entry["metadata"] = [
            {"breadcrumb": list(crumb), "metadata": values} for crumb, values in about.items()
        ]
    return out


def _replicated(entry: dict[str, Any], top: dict[str, Any], chosen: Stream) -> None:
    entry["replication_method"] = top["replication-method"] = chosen.method
    if chosen.method == "INCREMENTAL":
        entry["replication_key"] = top["replication-key"] = chosen.cursor
    if chosen.key:
        entry["key_properties"] = list(chosen.key)
        top.setdefault("table-key-properties", list(chosen.key))


def check_schema(chosen: Stream, schema: Any) -> None:
    """Whether a stream is what it was when the catalog was made: a column that it lacks would be empty in all rows."""
    there = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(there, Mapping):
        raise DataError(f"the tap's SCHEMA of '{chosen.name}' has no properties", hint="tell its author")
    if missing := [column.name for column in chosen.columns if column.name not in there]:
        raise SchemaChanged(f"the stream '{chosen.name}' comes without {listed(missing)}, which its catalog has", hint="sync again; if it stays so, tell the tap's author")  # fmt: skip
