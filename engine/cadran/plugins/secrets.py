"""The contract of a secret resolver: where the value of ``${scheme:reference}`` in ``kpis.yaml`` comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cadran.plugins.connector import API


class SecretError(Exception):
    """The secret cannot be had: there is none, or nobody may read it. Neither text holds any part of a secret."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class SecretContext:
    """``base`` is the folder of the file that names the secret, which relative paths start from."""

    base: Path


class SecretResolver(ABC):
    """Finds secrets of one scheme. Subclasses are cheap to make: nothing is opened before :meth:`resolve`."""

    api: ClassVar[str] = API

    def __init__(self, context: SecretContext) -> None:
        self.context = context

    @abstractmethod
    def resolve(self, reference: str) -> str:
        """The value that ``reference`` names, what stands behind the scheme's colon. Each is asked for once while a project is read.

        Raises :class:`SecretError`. Of any other exception only the kind is shown, as its text might hold the secret.
        """


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """What a plugin returns from ``cadran_secrets``: the scheme, and where the class is found once it is needed."""

    name: str
    load: Callable[[], type[SecretResolver]] = field(repr=False)
    summary: str = ""
