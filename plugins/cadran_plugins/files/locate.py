"""Which files make which table: the folder's files by their stems, and what ``tables:`` says."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cadran.plugins import ConfigError, ConnectorError, Context, listed, suggest
from cadran_plugins.files.options import Options, merged, refuse_foreign

SUFFIXES = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".ndjson.gz": "jsonl",
    ".xlsx": "xlsx",
}

_OBJECTS = (
    "s3://",
    "s3a://",
    "gs://",
    "az://",
    "abfs://",
    "abfss://",
    "hdfs://",
    "http://",
    "https://",
    "file://",
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file, what messages call it, and the name that tells it from the other parts of its table."""

    path: Path
    name: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class TableFiles:
    """All that is needed to read one table."""

    name: str
    files: tuple[Source, ...]
    format: str
    options: Options
    setting: tuple[str | int, ...]


def part_name(path: Path, base: Path) -> str:
    """A digest of the path, in which a setting from the environment may stand; the same wherever the project lies."""
    shown = path.relative_to(base) if path.is_relative_to(base) else path
    return hashlib.sha256(os.fsencode(shown.as_posix())).hexdigest()[:20]


def split(path: Path) -> tuple[str, str] | None:
    """Stem and suffix of a file of a known kind."""
    lower = path.name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if lower.endswith(suffix) and len(lower) > len(suffix):
            return path.name[: -len(suffix)], suffix
    return None


class Catalog:
    """The tables of one source. Looks at names only; a table's trouble is raised when it is asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._config = context.config
        self._tables: Mapping[str, Mapping[str, Any]] = {
            n: t or {} for n, t in context.config.get("tables", {}).items()
        }
        written = context.config.get("path", ".")
        if "://" in written:
            raise _is_url(written)
        path = context.base / written
        self._context.check_inside(path, ("path",))
        if not path.exists():
            raise ConfigError(
                f"there is no '{self._context.shown(path)}'", hint=self._nearby(path), setting=("path",)
            )
        self._folder = path if path.is_dir() else path.parent
        self._stems = self._by_stem(sorted(path.iterdir()) if path.is_dir() else [path], path.is_dir())
        for name, own in self._tables.items():
            if "path" not in own and name not in self._stems:
                raise self._no_file(f"no file is named '{name}'", name, list(self._stems), ("tables", name))

    @property
    def names(self) -> list[str]:
        return sorted({*self._stems, *self._tables})

    def table(self, name: str) -> TableFiles:
        """The files and options of a table; raises :class:`ConnectorError`."""
        if name not in self._tables and name not in self._stems:
            raise self._no_file(f"there is no table '{name}'", name, self.names, ())
        own = self._tables.get(name, {})
        setting = ("tables", name) if name in self._tables else ()
        files = self._pattern(own["path"], (*setting, "path")) if "path" in own else [self._only(name)]
        for file in files:
            self._context.check_inside(file, (*setting, "path") if "path" in own else ("path",))
        format_ = own.get("format") or self._format(files, setting)
        refuse_foreign(own, format_, setting)
        options = merged(self._config, own, setting, alone=len(self.names) == 1)
        sources = tuple(Source(f, self._context.shown(f), part_name(f, self._context.base)) for f in files)
        return TableFiles(name, sources, format_, options, setting)

    def _by_stem(self, files: Sequence[Path], skip: bool) -> dict[str, list[Path]]:
        stems: dict[str, list[Path]] = {}
        for file in files:
            hidden = skip and file.name.startswith((".", "~$"))  # ~$ is what Excel leaves beside an open file
            if (known := split(file)) and not hidden and file.is_file():
                stems.setdefault(known[0], []).append(file)
        return stems

    def _only(self, name: str) -> Path:
        files = self._stems[name]
        if len(files) > 1:
            both = " and ".join(self._context.shown(f) for f in files)
            hint = f"rename one, or say under 'tables:' which is meant: {{{name}: {{path: {files[0].name}}}}}"
            raise ConfigError(f"table '{name}' could be {both}", hint=hint)
        return files[0]

    def _pattern(self, pattern: str, setting: tuple[str | int, ...]) -> list[Path]:
        exact = self._folder / pattern
        if exact.is_file():
            return [exact]
        found = glob.glob(str(Path(glob.escape(str(self._folder))) / pattern), recursive=True)  # noqa: PTH207 (".." and "/" too)
        files = sorted(p for p in map(Path, found) if p.is_file())
        if not files:
            there = [p.name for p in sorted(self._folder.iterdir()) if p.is_file()]
            message = f"no file in {self._context.shown(self._folder)} matches '{pattern}'"
            raise self._no_file(message, pattern, there, setting)
        return files

    def _format(self, files: Sequence[Path], setting: tuple[str | int, ...]) -> str:
        kinds = {SUFFIXES[known[1]] if (known := split(f)) else "" for f in files}
        if "" in kinds:
            unknown = next(f for f in files if not split(f))
            message = f"{self._context.shown(unknown)}: the suffix tells no kind of file"
            raise ConfigError(message, hint="say it with 'format: csv'", setting=(*setting, "path"))
        if len(kinds) > 1:
            message = f"one table cannot be made of files of several kinds: {', '.join(sorted(kinds))}"
            raise ConfigError(message, setting=(*setting, "path"))
        return kinds.pop()

    def _nearby(self, path: Path) -> str:
        there = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
        return suggest(path.name, there) or (f"there are: {listed(there)}" if there else "")

    def _no_file(
        self, message: str, name: str, there: Sequence[str], setting: tuple[str | int, ...]
    ) -> ConnectorError:
        parts = [
            suggest(name, there),
            f"there are: {listed(there, most=20)}" if there else "there are no files",
        ]
        return ConfigError(message, hint="; ".join(filter(None, parts)), setting=setting)


def _is_url(path: str) -> ConfigError:
    """The URL itself stays out of the message: a password may stand in it."""
    if path.startswith(_OBJECTS):
        hint = "copy the files into a folder of the project, or let Spark read them"
        return ConfigError(
            "'path' is a URL, and files are read from folders here", hint=hint, setting=("path",)
        )
    hint = 'write connector: sql, url: "${NAME}" and set NAME in the environment'
    return ConfigError("'path' is a database's URL, not a folder of files", hint=hint, setting=("path",))
