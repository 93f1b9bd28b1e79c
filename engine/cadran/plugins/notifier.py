"""The contract of a notifier: what a plugin author implements, and all that one imports.

A notifier takes finished documents to one ``channels:`` entry: a folder, a mailbox, a chat. It gets a document whole,
as frozen bytes, and says where it went; or it raises, and then nothing of the document may be seen there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins.connector import API


@dataclass(frozen=True, slots=True)
class Document:
    """One finished report. ``name`` is the report's, ``suffix`` its kind without a dot (``html``, ``md``)."""

    name: str
    title: str
    suffix: str
    content: bytes = field(repr=False)

    @property
    def file_name(self) -> str:
        """What the document is called where it becomes a file: ``weekly_sales.html``."""
        return f"{self.name}.{self.suffix}"


@dataclass(frozen=True, slots=True)
class NotifierContext:
    """What the engine hands to a notifier.

    ``base`` is the folder that relative paths start from, ``allowed`` the folders that files may be written to: the
    project's own first. ``config`` is the channel's entry without ``notifier``, already checked against
    ``config_schema``.
    """

    channel: str
    config: Mapping[str, Any]
    base: Path
    allowed: tuple[Path, ...] = ()


class NotifierError(Exception):
    """Raised by a notifier on purpose: settings that cannot work, or a document that did not arrive.

    ``setting`` names the key of the channel's config that is at fault (a path of keys), so that the message can point
    into ``kpis.yaml``; ``hint`` is the way out.
    """

    def __init__(self, message: str, *, hint: str = "", setting: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.setting = message, hint, tuple(setting)


class Notifier(ABC):
    """One channel. Subclasses are cheap to make: nothing is opened before ``publish``.

    Making one may raise :class:`NotifierError` where the settings cannot work.
    """

    api: ClassVar[str] = API
    config_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}

    def __init__(self, context: NotifierContext) -> None:
        self.context = context

    @abstractmethod
    def publish(self, document: Document) -> str:
        """Takes the document there, whole or not at all; says where it went. Raises :class:`NotifierError`."""


@dataclass(frozen=True, slots=True)
class NotifierEntry:
    """What a plugin returns from ``cadran_notifiers``: a name, and where the class is found once it is needed.

    ``load`` is called only for a project that uses the notifier, so that a plugin costs nothing where it isn't used.
    """

    name: str
    load: Any = field(repr=False)  # Callable[[], type[Notifier]]
    summary: str = ""
