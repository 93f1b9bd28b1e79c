"""From a source's settings to its opened database: the class for its URL, and what is missing to read it."""

from __future__ import annotations

from pathlib import Path

from cadran.plugins import ConfigError, Context, listed, suggest
from cadran_plugins.sql.address import FILES, Address
from cadran_plugins.sql.attended import Attended
from cadran_plugins.sql.config import Settings
from cadran_plugins.sql.database import Database


def opened(address: Address, settings: Settings, context: Context) -> Database:
    """Nothing is connected yet; a file is looked for. Raises ConfigError."""
    if address.backend in FILES:
        path = _file(address, context)
        if address.backend == "sqlite":
            from cadran_plugins.sql.sqlite import SqliteDatabase

            return SqliteDatabase(address, settings, context.zone, path)
        from cadran_plugins.sql.duckfile import DuckdbDatabase

        return DuckdbDatabase(address, settings, context, path)
    if address.backend == "postgresql":
        from cadran_plugins.sql.postgres import PostgresDatabase

        return Attended(PostgresDatabase(address, settings, context.zone), limited=True)
    if address.backend in ("mysql", "mariadb"):
        from cadran_plugins.sql.mysql import MysqlDatabase

        return Attended(MysqlDatabase(address, settings, context.zone), limited=True)
    from cadran_plugins.sql.other import OtherDatabase

    return Attended(OtherDatabase(address, settings, context.zone), limited=False)


def _file(address: Address, context: Context) -> Path:
    """The database file, which must be there and lie inside the project."""
    setting = ("url",)
    example = f"write {address.backend}:///data/shop.{address.backend}, relative to this file"
    if address.driver:
        _other_driver(address)
    if not address.url.startswith(f"{address.backend}:///") or address.path in ("", ":memory:"):
        raise ConfigError("the url names no file", hint=f"{example}, with three slashes", setting=setting)
    if "?" in address.path or address.path.startswith("file:"):
        raise ConfigError("the url of a file takes no options", hint=example, setting=setting)
    path = context.base / address.path
    context.check_inside(path, setting)
    if path.is_dir():
        files = sorted(p.name for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        hint = f"name the file in it; there are: {listed(files)}" if files else example
        raise ConfigError(f"'{context.shown(path)}' is a folder", hint=hint, setting=setting)
    if not path.is_file():
        there = sorted(p.name for p in path.parent.iterdir() if p.is_file()) if path.parent.is_dir() else []
        hint = suggest(path.name, there) or (f"there are: {listed(there)}" if there else "")
        raise ConfigError(f"there is no file '{context.shown(path)}'", hint=hint, setting=setting)
    _check_kind(path, address, context)
    return path.resolve()


def _other_driver(address: Address) -> None:
    what = "SQLite is read with Python's own driver" if address.backend == "sqlite" else "DuckDB files are read with the package duckdb"  # fmt: skip
    behind = address.path if address.url.split("://", 1)[1].startswith("/") else ""
    written = f"{address.backend}:///{behind or f'data/shop.{address.backend}'}"
    raise ConfigError(what, hint=f"write {written}", setting=("url",))


def _check_kind(path: Path, address: Address, context: Context) -> None:
    """What DuckDB makes of an SQLite file is not read: it would want an extension."""
    with path.open("rb") as file:
        start = file.read(16)
    kinds = {
        "sqlite": ("an SQLite file", start.startswith(b"SQLite format 3")),
        "duckdb": ("a DuckDB file", start[8:12] == b"DUCK"),
    }
    for kind, (name, is_it) in kinds.items():
        if is_it and address.backend != kind:
            message = f"'{context.shown(path)}' is {name}"
            raise ConfigError(message, hint=f"write {kind}:///{address.path}", setting=("url",))
