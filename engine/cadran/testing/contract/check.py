"""What a check is: a function with a name that says what a connector keeps, and a docstring that says why."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cadran.testing.contract.rig import Rig

#: Which connectors a check is for: all, those that are asked for changes, those that ask a server over HTTP, those that answer SQL.
Of = Literal["all", "synced", "http", "queryable"]


class NotKept(AssertionError):
    """The connector breaks the contract; the text says how, and what to do."""


class NotStarted(NotKept):
    """Nothing can be checked at all: there is no connector, or its case does not start. All checks would say the same."""


class NotShown(Exception):
    """Whether it keeps this cannot be seen, or does not matter to it; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """``needs`` are the methods of the case without which nothing can be seen."""

    name: str
    wants: str
    of: frozenset[Of]
    needs: tuple[str, ...]
    function: Callable[[Rig], None] = field(repr=False)

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")


CHECKS: dict[str, Check] = {}  # in the order in which they are best read


def check(*of: Of, needs: tuple[str, ...] = ()) -> Callable[[Callable[[Rig], None]], Callable[[Rig], None]]:
    """Registers a check."""

    def registered(function: Callable[[Rig], None]) -> Callable[[Rig], None]:
        assert function.__doc__
        name, wants = function.__name__, inspect.cleandoc(function.__doc__)
        CHECKS[name] = Check(name, wants, frozenset(of or ("all",)), needs, function)
        return function

    return registered


def keeps(kept: object, message: str) -> None:
    """Raises :class:`NotKept` unless something is so."""
    if not kept:
        raise NotKept(message)
