"""Running the checks without pytest, and finding the connector that a case is for."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from cadran.plugins.connector import Connector
from cadran.problems import Problem
from cadran.testing.contract.case import Case
from cadran.testing.contract.check import CHECKS, Check, NotKept, NotShown, NotStarted


@dataclass(frozen=True, slots=True)
class Outcome:
    """``why`` says what is broken, or why nothing could be seen."""

    check: str
    state: Literal["kept", "broken", "not shown"]
    why: str = ""


def all_checks() -> list[Check]:
    """In the order in which they are best read."""
    from cadran.testing.contract import checks  # registers them

    assert checks
    return list(CHECKS.values())


def connector_of(case: type[Case], name: str = "") -> type[Connector]:
    """The class that a case is for. Raises :class:`NotStarted` with what stands in the way."""
    wanted = case.connector or name
    if isinstance(wanted, type):
        return wanted
    if not wanted:
        raise NotStarted(f"{case.__name__} does not say its connector: give it 'connector', or pytest --cadran-connector=NAME")  # fmt: skip
    from cadran.plugins.manager import PluginManager

    found = PluginManager().connector(wanted)
    if isinstance(found, Problem):
        raise NotStarted(f"{found.message}; {found.hint}; is the package that brings it installed here (pip install -e .)?")  # fmt: skip
    return found


def outcome(check: Check, make: Callable[[], Case], kind: type[Connector]) -> Outcome:
    """What one check finds. Never raises but for what stops a program."""
    from cadran.testing.contract.rig import run

    try:
        run(check, make, kind)
    except NotShown as reason:
        return Outcome(check.name, "not shown", str(reason))
    except NotKept as broken:
        return Outcome(check.name, "broken", told(broken))
    except Exception:
        return Outcome(check.name, "broken", traceback.format_exc())
    return Outcome(check.name, "kept")


def told(broken: NotKept) -> str:
    """What is broken, with the traceback of the connector's own error where there was one."""
    cause = broken.__cause__
    if cause is None or isinstance(cause, NotKept):
        return str(broken)
    return f"{broken}\n\n{''.join(traceback.format_exception(cause))}".rstrip()


def conformance(case: type[Case], name: str = "") -> Iterator[Outcome]:
    """All checks of a case, one after the other."""
    kind = connector_of(case, name)
    for check in all_checks():
        yield outcome(check, case, kind)
