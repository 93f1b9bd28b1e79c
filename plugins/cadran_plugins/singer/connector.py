"""The connector: a tap is run to tell its tables, and once more for each table that is read."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins import (
    WHOLE,
    ConfigError,
    Context,
    DataError,
    Deletes,
    End,
    Page,
    Rejected,
    ResumeExpired,
    SyncedConnector,
    Table,
    Transient,
    Window,
)
from cadran_plugins.singer import catalog, config, installed, private
from cadran_plugins.singer.messages import decoded
from cadran_plugins.singer.program import Program, environment, output
from cadran_plugins.singer.read import Reading

_LOOKED_AT, _SHOWN = 10_000, 80  # of what is no catalog; cut once it is masked


class SingerConnector(SyncedConnector):
    """Runs a tap. A tap is somebody else's program: it asks what machines it likes, and may do what the user may do."""

    config_schema: ClassVar[Mapping[str, Any]] = config.SCHEMA

    _catalog: Mapping[str, Any] | None = None

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        for secret in config.secrets(context.config.get("config", {})):
            context.hide(secret)

    @cached_property
    def _settings(self) -> config.Settings:
        return config.settings(self.context.config)

    @property
    def hosts(self) -> Sequence[str]:
        """Not known: that is the tap's own business."""
        return []

    def check(self, table: str) -> None:
        said = self._settings
        if said.tables is not None and table not in said.tables:
            raise ConfigError(
                f"there is no table '{table}'", hint="name it under 'tables'", setting=("tables",)
            )

    def ping(self) -> str:
        """A tap that can tell its tables has been let in by most sources."""
        self._discovered_catalog()
        return self._name

    def discover(self) -> Sequence[Table]:
        streams = catalog.entries(self._discovered_catalog())
        out = []
        for name, said in self._declared(streams).items():
            try:
                out.append(catalog.stream(name, said, streams, self._settings.numbers).as_table())
            except ConfigError as error:
                out.append(Table(name, problem=error))
        return out

    def changes(
        self, table: str, window: Window = WHOLE, resume: Mapping[str, Any] | None = None
    ) -> Iterator[Page | Deletes | Rejected | End]:
        whole = self._discovered_catalog()
        streams = catalog.entries(whole)
        declared = self._declared(streams)
        if table not in declared:
            raise ConfigError(f"there is no table '{table}'", setting=("tables",))
        chosen = catalog.stream(table, declared[table], streams, self._settings.numbers)
        place = resume if resume is not None else window.state
        if place is not None and not (
            isinstance(place.get("state"), dict) and type(place.get("rows", 0)) is int
        ):
            raise ResumeExpired("the tap's state is not known any more")
        if resume is not None and resume.get("end"):
            kept = {word: resume[word] for word in ("state", "version") if word in resume}
            yield End(0, kept if chosen.remembers else None)
            return
        reading = Reading(chosen, window, place, self._settings.final_state)
        files = {"catalog.json": catalog.choosing(whole, chosen)}
        if place is not None:
            files["state.json"] = place["state"]
        with self._files(files) as folder:
            options = [self._settings.catalog_option, str(folder / "catalog.json")]
            if place is not None:
                options += ["--state", str(folder / "state.json")]
            with self._tap(folder, options, reading) as program:
                yield from reading.items(program)

    # --- running it ---------------------------------------------------------------------------------------------------------

    def _declared(self, streams: Mapping[str, Any]) -> Mapping[str, config.Declared]:
        if self._settings.tables is not None:
            return self._settings.tables
        return {name: config.Declared(name) for name in streams}

    def _discovered_catalog(self) -> Mapping[str, Any]:
        if self._catalog is None:
            self._catalog = self._written() if self._settings.catalog else self._asked()
            catalog.entries(self._catalog)
        return self._catalog

    def _written(self) -> Mapping[str, Any]:
        path = self.context.base / self._settings.catalog
        self.context.check_inside(path, ("catalog",))
        try:
            found = decoded(path.read_bytes())
        except OSError as error:
            raise ConfigError(
                f"{self._settings.catalog} cannot be read: {error.strerror}",
                hint="look at its path",
                setting=("catalog",),
            ) from None
        if not isinstance(found, Mapping):
            raise ConfigError(
                f"{self._settings.catalog} is no catalog",
                hint="a tap writes one with --discover",
                setting=("catalog",),
            )
        return found

    def _asked(self) -> Mapping[str, Any]:
        with self._files({}) as folder, self._tap(folder, ["--discover"]) as program:
            try:
                written = output(program)
            except Transient as error:
                raise Transient(
                    f"the tap cannot tell its tables: {error.message}", hint=error.hint, more=error.more
                ) from None
        found = decoded(written)
        if not isinstance(found, Mapping):
            begins = self.context.masked(written[:_LOOKED_AT].decode("utf-8", "replace"))[:_SHOWN]
            hint = f"it begins with {begins!r}; for a tap that cannot make one, name a file with 'catalog'"
            raise DataError(
                "what the tap writes with --discover is no catalog", hint=hint, more=tuple(program.last)
            )
        return found

    def _tap(self, folder: Path, options: Sequence[str], reading: Reading | None = None) -> Program:
        said = self._settings
        command = [*self._command(), "--config", str(folder / "config.json"), *options]
        env = environment({"TMPDIR": str(folder), **said.env})
        return Program(
            command,
            self.context,
            name=self._name,
            silence=said.silence,
            env=env,
            heard=reading.heard if reading else None,
        )

    @property
    def _name(self) -> str:
        """What people call the tap."""
        command = self._command()
        return Path(command[-1] if self._settings.packages else command[0]).name

    def _command(self) -> tuple[str, ...]:
        said = self._settings
        if said.packages:
            return installed.command(said, self.context)
        first, *others = said.command
        return (str(self.context.base / first) if re.search(r"[/\\]", first) else first, *others)

    def _files(self, files: Mapping[str, Any]) -> AbstractContextManager[Path]:
        whole = {"config.json": self._settings.config, **files}
        return private.folder({name: json.dumps(content, default=_plain) for name, content in whole.items()})


def _plain(value: Any) -> Any:
    """What YAML gives and JSON does not know: a decimal, which a catalog holds too, as a number; a day as a text."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)
