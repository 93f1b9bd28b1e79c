"""``cadran init``: a folder becomes a project that runs."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cadran import resources
from cadran.plugins.connector import ConnectorError, Context, Table
from cadran.plugins.synced import SyncedConnector
from cadran.plugins.writing import write_whole
from cadran.problems import Problem, ProblemsFound, errors
from cadran.starting import starter
from cadran.starting.catalogue import fitting

if TYPE_CHECKING:
    from cadran.declare.model import Dataset, Declaration
    from cadran.project import Project

FILE = "kpis.yaml"
KPIS = "kpis"
_INCLUDE = re.compile(r"^include:.*\n", re.MULTILINE)
_EDITOR = re.compile(r"# yaml-language-server:.*\n#?\n?")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. ``account`` is what the source calls itself; ``kpis`` is how many KPIs there are, and ``left_out`` are those of the
    catalogue that the data does not answer."""

    files: tuple[str, ...]
    kpis: int
    left_out: tuple[str, ...] = ()
    account: str = ""


def init(
    folder: Path, connector: str, environ: Mapping[str, str], *, settings: Mapping[str, str] = MappingProxyType({}), force: bool = False
) -> Made:  # fmt: skip
    """Writes a project into ``folder``: one over a small CSV file, or the catalogue over what a connector reads. ``settings`` are more
    of the source's.

    Raises ProblemsFound: where there is a project (unless ``force``), where the connector has no starter, and where the source that it leads to
    does not answer.
    """
    if (folder / FILE).exists() and not force:
        hint = "name another folder, or write over it with --force"
        raise _found("project-there", f"there is a {FILE} in {folder} already", hint)
    return _over(folder, connector, environ, settings) if connector else _first_minute(folder)


def _first_minute(folder: Path) -> Made:
    return Made(_write(folder, _read(resources.templates() / "start")), 1)


def _over(folder: Path, connector: str, environ: Mapping[str, str], settings: Mapping[str, str]) -> Made:
    begun = _Start(connector, environ, settings)
    tables, account = begun.asked(begun.declared(begun.rendered(None)))
    text = begun.rendered(tables)
    catalogue = {
        f"{KPIS}/{name}": _EDITOR.sub("", kpis) for name, kpis in _read(resources.folder("kpis")).items()
    }
    found = fitting(catalogue, lambda files: begun.wrong({FILE: text, **files}, tables))
    whole, kept = begun.reported({FILE: text, **catalogue}), begun.reported({FILE: text, **found})
    return Made(
        _write(folder, _whole({FILE: text, **found})),
        len(kept),
        tuple(n for n in whole if n not in kept),
        account,
    )


@dataclass(slots=True)
class _Start:
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
                raise _found(
                    "no-starter", f"the connector '{self.connector}' brings no project to start from", hint
                )
            self._kind = found
        return self._kind

    def rendered(self, tables: starter.Tables | None) -> str:
        assert self.kind.starter is not None
        return _with(starter.render(self.kind.starter, tables), self.connector, self.settings)

    def declared(self, text: str) -> Declaration:
        """What the starter says. Raises ProblemsFound where settings are not set that it waits for."""
        with _written({FILE: _INCLUDE.sub("", text)}) as project:
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
        made = self.kind(Context(name, config, declaration.folder))
        try:
            account = made.ping()
            return {table.name: table for table in made.discover()}, account
        except ConnectorError as error:
            raise _found("source", error.message, error.hint) from None
        finally:
            made.close()

    def wrong(self, files: Mapping[str, str], tables: starter.Tables) -> list[Problem]:
        """What is wrong with a project of these files, whose datasets have only the columns that are known."""
        from cadran.formula.resolve import resolve

        with _written(_whole(files)) as project:
            declaration, problems = project(self.environ).declaration()
        if declaration is None:
            raise ProblemsFound(problems)
        known = {name: _columns(dataset, tables) for name, dataset in declaration.datasets.items()}
        _, found = resolve(declaration, known)
        return errors([*problems, *found])

    def reported(self, files: Mapping[str, str]) -> list[str]:
        """The KPIs that are reported."""
        with _written(_whole(files)) as project:
            declaration, _ = project(self.environ).declaration()
        return [kpi.name for kpi in declaration.kpis.values() if kpi.reported] if declaration else []


def _with(text: str, connector: str, settings: Mapping[str, str]) -> str:
    """The starter with more settings in its source, in the way that it is written."""
    more = {key: json.dumps(value, ensure_ascii=False) for key, value in settings.items()}
    flow = "".join(f", {key}: {value}" for key, value in more.items())
    block = "".join(f"\n    {key}: {value}" for key, value in more.items())
    names = re.compile(rf"connector: {re.escape(connector)}\b(?=,|\n)")
    return names.sub(lambda m: m[0] + (flow if text[m.end()] == "," else block), text, count=1)


def _of_nobody(kpis: str) -> str:
    """The catalogue's KPIs without the people of the firm that it was written for, and with a word on its targets."""
    text = re.sub(r"^ +owner: \S+@\S+\n", "", _EDITOR.sub("", kpis), flags=re.MULTILINE)
    first, _, rest = text.partition("\n")
    return f"{first}\n# Targets, alerts and what to do are those of an example: set your own, and an 'owner' who answers for each.\n{rest}"


def _whole(files: Mapping[str, str]) -> Mapping[str, str]:
    """Nothing is included where there is nothing to include."""
    return files if len(files) > 1 else {name: _INCLUDE.sub("", text) for name, text in files.items()}


def _columns(dataset: Dataset, tables: starter.Tables) -> Sequence[str]:
    """The columns of the tables as the account has them."""
    return [c.name for ref in dataset.tables if ref.table in tables for c in tables[ref.table].columns]


class _written:
    """Files in a folder for a moment; gives what opens the project."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self._folder = tempfile.TemporaryDirectory(prefix="cadran-init-")

    def __enter__(self) -> _Opening:
        folder = Path(self._folder.name)
        _write(folder, self.files)
        return _Opening(folder)

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


@dataclass(frozen=True, slots=True)
class _Opening:
    folder: Path

    def __call__(self, environ: Mapping[str, str]) -> Project:
        import cadran

        return cadran.open(self.folder, environ=environ)


def _read(folder: Path) -> dict[str, str]:
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in (".yaml", ".csv") and "examples" not in file.parts
    )
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files}


def _write(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    for name, text in files.items():
        write_whole(folder / Path(name).parent, Path(name).name, text.encode())
    return tuple(files)


def _found(code: str, message: str, hint: str) -> ProblemsFound:
    return ProblemsFound([Problem(code, message, None, "", hint)])
