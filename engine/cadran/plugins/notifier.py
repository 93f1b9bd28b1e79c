"""The contract of a notifier: what a plugin author implements, and all that one imports.

A notifier takes finished messages to one ``channels:`` entry: a mailbox, a chat, a folder. That goes in two steps. First
a message is *sealed* into the bytes that will go out; the engine keeps these before anything is sent, so that every try
sends the same. Then the sealed bytes are *sent*, to one recipient at a time, and the notifier says what came of it.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from cadran.plugins.connector import API

#: What a message is about: a report, alerts, or something that could not be delivered or made.
Said = Literal["report", "alert", "failure"]
MEDIA_TYPES: Mapping[str, str] = {
    "html": "text/html", "md": "text/markdown", "csv": "text/csv", "pdf": "application/pdf", "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


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

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.suffix, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as PNG, which the rendered parts refer to by ``name``; width and height are those to show it at, in pixels."""

    name: str
    content: bytes = field(repr=False)
    width: int
    height: int
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient gets.

    ``key`` is its delivery's, 64 hexadecimal digits, and the same on every try, as is ``moment``, the instant that it is
    dated. ``recipient`` is empty where the channel is itself the address. ``parts`` are the texts that the notifier's
    templates gave, by the names of :attr:`Notifier.parts`; ``documents`` are to be attached, ``pictures`` belong to the
    parts. ``thread`` is equal for messages that belong together, ``link`` leads to the report, ``unsubscribe`` to where
    the recipient can end it. ``data`` says the same for programs, in values that JSON knows.
    """

    key: str
    kind: Said
    moment: dt.datetime
    subject: str
    recipient: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    pictures: tuple[Picture, ...] = ()
    thread: str = ""
    link: str = ""
    unsubscribe: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    locale: str = "en"


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
    """Raised by a notifier on purpose: settings that cannot work, or a message that did not arrive and never will.

    ``setting`` names the key of the channel's config that is at fault (a path of keys), so that the message can point
    into ``kpis.yaml``; ``hint`` is the way out.
    """

    def __init__(self, message: str, *, hint: str = "", setting: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.setting = message, hint, tuple(setting)


class Deferred(NotifierError):
    """The message surely did not arrive, and may later: it is tried again, after ``seconds`` at the earliest."""

    def __init__(
        self, message: str, *, hint: str = "", setting: Sequence[str | int] = (), seconds: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, setting=setting)
        self.seconds = seconds


class Unknown(NotifierError):
    """Nobody can tell whether the message arrived: the connection was lost after all of it had gone out."""


class Notifier(ABC):
    """One channel. Subclasses are cheap to make: nothing is opened before :meth:`send`.

    Making one may raise :class:`NotifierError` where the settings cannot work.
    """

    api: ClassVar[str] = API
    config_schema: ClassVar[Mapping[str, Any]] = {"type": "object"}
    #: Whether messages go to recipients (``to:``), and not to the channel as a whole.
    addressed: ClassVar[bool] = False
    #: Which messages it takes; a channel that is named for others is refused by ``cadran check``.
    kinds: ClassVar[frozenset[Said]] = frozenset({"report", "alert", "failure"})
    #: Whether all stays on this machine, so that ``cadran run`` may go there as well.
    local: ClassVar[bool] = False
    #: Whether the same bytes may be sent twice and arrive once; then nothing is ever *unknown*.
    repeatable: ClassVar[bool] = False
    #: The texts that templates give it: name → suffix. ``{"html": "html"}`` of the notifier ``email`` is rendered from
    #: ``email/report.html.jinja``, ``email/alert.html.jinja`` and ``email/failure.html.jinja``.
    parts: ClassVar[Mapping[str, str]] = {}
    #: Which documents of a report it is given: those that the report says come with a message (``attached``), these and the
    #: report in its own formats (``all``), or ``none``.
    documents: ClassVar[Literal["all", "attached", "none"]] = "all"
    #: What sealed bytes are called where they become a file: ``eml``, ``json``.
    sealed_suffix: ClassVar[str] = "bin"
    #: Where its own templates lie, for a notifier that brings some: a folder that holds one of its name.
    templates: ClassVar[Path | None] = None

    def __init__(self, context: NotifierContext) -> None:
        self.context = context

    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        """What is wrong with an address, in words that follow it (``is no address``); empty where nothing is."""
        return ""

    @staticmethod
    def literal(text: str) -> str:
        """A text as the channel shows it as it is, in parts that are no HTML and no Markdown: values of templates pass
        through it, so that no name in the data becomes a link or a mention. In JSON its own escaping follows."""
        return text

    def link(self, report: str) -> str:
        """Where a report can be read that was sent here; empty where that cannot be said."""
        return ""

    @abstractmethod
    def seal(self, message: Message) -> bytes:
        """The bytes that will go out: equal messages give equal bytes. No secret of the channel is in them.

        Raises :class:`NotifierError` where the message cannot be said here.
        """

    @abstractmethod
    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        """Sends sealed bytes to one recipient and says where they went.

        ``begin()`` is called once, right before the step from which on the message may arrive: a process that dies
        before it has sent nothing. Raises :class:`Deferred` where it surely did not arrive and may later,
        :class:`Unknown` where nobody can tell, :class:`NotifierError` where it never will.
        """


@dataclass(frozen=True, slots=True)
class NotifierEntry:
    """What a plugin returns from ``cadran_notifiers``: a name, and where the class is found once it is needed.

    ``load`` is called only for a project that uses the notifier, so that a plugin costs nothing where it isn't used.
    """

    name: str
    load: Any = field(repr=False)  # Callable[[], type[Notifier]]
    summary: str = ""
