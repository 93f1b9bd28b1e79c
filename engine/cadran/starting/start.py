"""A project in the making: the starter over an account, and what is wrong with a project of certain files."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.plugins.connector import ConnectorError, Context, Table
from cadran.plugins.synced import SyncedConnector
from cadran.problems import Problem, ProblemsFound, errors
from cadran.starting import starter
from cadran.starting.files import FILE, write

if TYPE_CHECKING:
    from cadran.declare.model import Dataset, Declaration
    from cadran.project import Project

_INCLUDE = re.compile(r"^include:.*\n", re.MULTILINE)
_SOURCES = re.compile(r"^sources:\n(?:[ \t].*\n)*", re.MULTILINE)


@dataclass(slots=True)
class Start:
    """A project in the making."""

    connector: str
    environ: Mapping[str, str]
    settings: Mapping[str, str]
    _kind: type[SyncedConnector] | None = field(default=None)

    @property
    def kind(self) -> type[SyncedConnector]:
        """Raises ProblemsFound where there is no such connector, or it brings no starter."""
        from cadran.plugins.manager import PluginManager

        if self._kind is None:
            found = PluginManager(self.environ).connector(self.connector)
            if isinstance(found, Problem):
                raise ProblemsFound([found])
            if not issubclass(found, SyncedConnector) or found.starter is None:
                hint = "without --connector, init writes a small project; docs/connectors/ and docs/sources.md show how a source is declared"
                raise trouble(
                    "no-starter", f"the connector '{self.connector}' brings no project to start from", hint
                )
            self._kind = found
        return self._kind

    def rendered(self, tables: starter.Tables | None) -> str:
        assert self.kind.starter is not None
        text = starter.render(self.kind.starter, tables, self.settings)
        return _with(text, self.connector, self.settings)

    def declared(self, text: str) -> Declaration:
        """What the starter says. Raises ProblemsFound where settings are not set that it waits for."""
        with _Written({FILE: _INCLUDE.sub("", text)}) as project:
            declaration, problems = project(self.environ).declaration()
        unset = list(dict.fromkeys(p.message for p in problems if p.code == "unset-setting"))
        unset += [
            f"the setting {name} is empty"
            for name in re.findall(r"\$\{(\w+)\}", text)
            if self.environ.get(name) == ""
        ]
        if unset:
            hint = "set it in the environment: the account is asked which fields it has"
            raise ProblemsFound([Problem("unset-setting", message, None, "", hint) for message in unset])
        if declaration is None or errors(problems):
            raise ProblemsFound(
                [replace(problem, where=None) for problem in problems]
            )  # the file is not there yet
        return declaration

    def asked(self, declaration: Declaration) -> tuple[dict[str, Table], str]:
        """The tables of the account, and its name. Raises ProblemsFound."""
        name, source = next((n, s) for n, s in declaration.sources.items() if s.connector == self.connector)
        config = {key: value for key, value in source.config.items() if key != "sync"}
        try:
            made = self.kind(Context(name, config, declaration.folder))
            try:
                account = made.ping()
                return {table.name: table for table in made.discover()}, account
            finally:
                made.close()
        except ConnectorError as error:
            raise trouble("source", error.message, error.hint) from None

    def wrong(self, files: Mapping[str, str], tables: starter.Tables) -> list[Problem]:
        """What is wrong with a project of these files, whose datasets have only the columns that are known."""
        from cadran.formula.resolve import resolve

        with _Written(whole(files)) as project:
            declaration, problems = project(self.environ).declaration()
        if declaration is None:
            raise ProblemsFound(problems)
        known = {name: _columns(dataset, tables) for name, dataset in declaration.datasets.items()}
        _, found = resolve(declaration, known)
        return errors([*problems, *found])

    def reported(self, files: Mapping[str, str]) -> list[str]:
        """The KPIs that are reported."""
        with _Written(whole(files)) as project:
            declaration, _ = project(self.environ).declaration()
        return [kpi.name for kpi in declaration.kpis.values() if kpi.reported] if declaration else []


def _with(text: str, connector: str, settings: Mapping[str, str]) -> str:
    """The starter with these settings in its source, in the way that it is written; one that is there already is replaced."""
    source = _SOURCES.search(text)
    if source is None:
        return text
    said = source[0]
    for key, value in settings.items():
        said = _setting(said, connector, key, json.dumps(value, ensure_ascii=False))
    return text[: source.start()] + said + text[source.end() :]


def _setting(said: str, connector: str, key: str, value: str) -> str:
    there = re.compile(rf'(?<=[ {{]){re.escape(key)}: (?:"[^"\n]*"|\$\{{[^}}\n]*\}}|[^\s,}}#]+)')
    if there.search(re.sub(r"#.*", "", said)):
        return there.sub(lambda _: f"{key}: {value}", said, count=1)
    name = re.search(rf"connector: {re.escape(connector)}\b(?=,|\n)", said)
    if name is None:
        return said
    more = f", {key}: {value}" if said[name.end()] == "," else f"\n    {key}: {value}"
    return said[: name.end()] + more + said[name.end() :]


def whole(files: Mapping[str, str]) -> Mapping[str, str]:
    """Nothing is included where there is nothing to include."""
    return files if len(files) > 1 else {name: _INCLUDE.sub("", text) for name, text in files.items()}


def _columns(dataset: Dataset, tables: starter.Tables) -> Sequence[str]:
    """The columns of the tables as the account has them."""
    return [c.name for ref in dataset.tables if ref.table in tables for c in tables[ref.table].columns]


class _Written:
    """Files in a folder for a moment; gives what opens the project."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self._folder = tempfile.TemporaryDirectory(prefix="cadran-init-")

    def __enter__(self) -> _Opening:
        folder = Path(self._folder.name)
        write(folder, self.files)
        return _Opening(folder)

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


@dataclass(frozen=True, slots=True)
class _Opening:
    folder: Path

    def __call__(self, environ: Mapping[str, str]) -> Project:
        import cadran

        return cadran.open(self.folder, environ=environ)


def trouble(code: str, message: str, hint: str) -> ProblemsFound:
    return ProblemsFound([Problem(code, message, None, "", hint)])
