"""The bundled ``file`` notifier: reports as files in a folder, for whoever serves or syncs it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins import (
    Document,
    Notifier,
    NotifierContext,
    NotifierEntry,
    NotifierError,
    hookimpl,
    write_whole,
)

_HINTS = {
    errno.EEXIST: "a file stands where the folder would go; choose another 'path', or move the file away",
    errno.ENOSPC: "make room there, or choose another 'path'",
    errno.EDQUOT: "make room there, or choose another 'path'",
    errno.ENAMETOOLONG: "choose a shorter 'path'",
}
_HINTS[errno.ENOTDIR] = _HINTS[errno.EEXIST]


class FileNotifier(Notifier):
    """Writes ``NAME.html`` (or ``.md``) into a folder; a reader never sees half a report."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "path": {
                "type": "string",
                "minLength": 1,
                "description": "The folder to write into, relative to the file that names it; made if it is missing.",
            }
        },
        "required": ["path"],
        "additionalProperties": False,
    }

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        path = context.config["path"]
        try:
            folder = (context.base / path).resolve()
            allowed = [other.resolve() for other in context.allowed]
        except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL byte
            raise NotifierError(f"'{path}' cannot be used as a path: {error}", setting=("path",)) from error
        if not any(folder.is_relative_to(other) for other in allowed):
            hint = f"add '{folder}' to 'allow_paths:', or pass it with --allow-path"
            raise NotifierError(f"'{path}' lies outside the project", hint=hint, setting=("path",))
        self._folder = folder

    def publish(self, document: Document) -> str:
        """Gives the path of the file."""
        try:
            return str(write_whole(self._folder, document.file_name, document.content))
        except ValueError as error:
            raise NotifierError(str(error), hint="give the report another name") from error
        except OSError as error:
            path = self._folder / document.file_name
            hint = _HINTS.get(error.errno or 0, "choose a 'path' that can be written to")
            message = f"cannot write {_shown(path, self.context.allowed)}: {error.strerror or error}"
            raise NotifierError(message, hint=hint, setting=("path",)) from error


def _shown(path: Path, folders: tuple[Path, ...]) -> str:
    """Relative to the project where it lies in it."""
    project = folders[0].resolve()
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("file", lambda: FileNotifier, "Reports as files in a folder")]
