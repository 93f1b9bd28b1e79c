"""The ``file`` notifier: its settings, and what can go wrong with a folder."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from cadran.plugins import Deferred, Message, Notifier, NotifierContext, NotifierError, is_file_name

if TYPE_CHECKING:
    from cadran_plugins.file.frozen import Frozen

_HINTS = {
    errno.EEXIST: "a file stands where the folder would go; choose another 'path', or move the file away",
    errno.ENOSPC: "make room there, or choose another 'path'",
    errno.EDQUOT: "make room there, or choose another 'path'",
    errno.ENAMETOOLONG: "choose a shorter 'path'",
}
_HINTS[errno.ENOTDIR] = _HINTS[errno.EEXIST]
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EBUSY, errno.EAGAIN, errno.ETIMEDOUT}


class FileNotifier(Notifier):
    """Keeps a folder in which each report has its page, and all have an index; a reader never sees half of one."""

    config_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "path": {
                "type": "string",
                "minLength": 1,
                "description": "The folder to write into, relative to the file that names it; made if it is missing.",
            },
            "url": {
                "type": "string",
                "pattern": "^https?://",
                "errorMessage": "must begin with https:// or http://",
                "description": "Where people find the folder; messages then link to its reports.",
            },
            "keep": {
                "type": "integer",
                "minimum": 1,
                "description": "How many of each report stay in the folder, the newest among them (12).",
            },
            "title": {"type": "string", "description": "What the index is headed with."},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    kinds = frozenset({"report"})
    local = True
    repeatable = True
    sealed_suffix = "zip"

    def __init__(self, context: NotifierContext) -> None:
        super().__init__(context)
        self._folder = _folder(context.config["path"], context)

    def link(self, report: str) -> str:
        url = self.context.config.get("url", "")
        return f"{url.rstrip('/')}/{report}.html" if url else ""

    def seal(self, message: Message) -> bytes:
        from cadran_plugins.file import board, frozen  # not loaded where a file is only checked

        if message.kind != "report" or not message.documents:
            raise NotifierError(
                "a folder takes reports and no other messages", hint="send alerts to another channel"
            )
        about = frozen.about(message)
        for document in message.documents:
            name = document.file_name
            if document.name != about.report or not is_file_name(name) or name in (board.INDEX, board.LIST):
                shown = name[:80]
                message_ = f"'{shown}' cannot be the name of a file here"
                raise NotifierError(message_, hint="give the report another name")
        return frozen.freeze(about, message.documents)

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:  # noqa: ARG002
        """Gives the path of the file. May be done again: the same report takes the same place."""
        from cadran_plugins.file.board import Board
        from cadran_plugins.file.frozen import BadZipFile, thaw

        config = self.context.config
        try:
            report = thaw(sealed)
        except (BadZipFile, KeyError, ValueError, TypeError) as error:
            raise NotifierError(f"this is no report that was kept here: {error}") from error
        begin()
        try:
            return str(Board(self._folder, config.get("title", ""), config.get("keep", 12)).put(report))
        except ValueError as error:
            raise NotifierError(str(error), hint="give the report another name") from error
        except OSError as error:
            raise self._trouble(report, error) from error

    def _trouble(self, report: Frozen, error: OSError) -> NotifierError:
        path = self._folder / f"{report.about.report}.{report.files[0][0]}"
        hint = _HINTS.get(error.errno or 0, "choose a 'path' that can be written to")
        message = f"cannot write {_shown(path, self.context.allowed)}: {error.strerror or error}"
        kind = Deferred if error.errno in _PASSING else NotifierError
        return kind(message, hint=hint, setting=("path",))


def _folder(path: str, context: NotifierContext) -> Path:
    """The folder that a setting means. Raises NotifierError where it may not be written to."""
    try:
        folder = (context.base / path).resolve()
        allowed = [other.resolve() for other in context.allowed]
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL byte
        raise NotifierError(f"'{path}' cannot be used as a path: {error}", setting=("path",)) from error
    if not any(folder.is_relative_to(other) for other in allowed):
        hint = f"add '{folder}' to 'allow_paths:', or pass it with --allow-path"
        raise NotifierError(f"'{path}' lies outside the project", hint=hint, setting=("path",))
    return folder


def _shown(path: Path, folders: tuple[Path, ...]) -> str:
    """Relative to the project where it lies in it."""
    project = folders[0].resolve()
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else str(path)
