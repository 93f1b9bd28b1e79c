"""The kit as a pytest plugin: ``pytest --cadran-connector=NAME``.

Beside a ``conftest.py`` with the fixture ``cadran_case`` stands then one test for each check. Without the option nothing is imported.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cadran.testing.contract.case import Case
    from cadran.testing.contract.check import Check

_OPTION = "--cadran-connector"
_FIXTURE = "cadran_case"
_suites = pytest.StashKey[list[str]]()
_seen = pytest.StashKey[list[tuple[str, str, str]]]()  # name, state, why


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cadran", "whether a connector keeps its contract with cadran")
    group.addoption(
        _OPTION, metavar="NAME", default="",
        help="run cadran's conformance suite for this connector, with the Case that the fixture cadran_case of a conftest.py gives",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_suites] = []
    config.stash[_seen] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    config = parent.config
    if file_path.name != "conftest.py" or not config.getoption(_OPTION) or not _gives_a_case(config, file_path):  # fmt: skip
        return None
    config.stash[_suites].append(str(file_path))
    found: Suite = Suite.from_parent(parent, path=file_path)
    return found


def _gives_a_case(config: pytest.Config, conftest: Path) -> bool:
    plugins = config.pluginmanager.get_plugins()
    return any(hasattr(p, _FIXTURE) and getattr(p, "__file__", "") == str(conftest) for p in plugins)


def pytest_collection_finish(session: pytest.Session) -> None:
    config = session.config
    asked = any(str(one).startswith(_OPTION) for one in config.invocation_params.args)
    if asked and not config.stash[_suites] and not config.getoption("-k", default=""):
        raise pytest.UsageError(
            f"{_OPTION} finds no case: write a fixture {_FIXTURE} into the conftest.py of your tests, which gives a subclass of "
            "cadran.testing.Case ('cadran plugin new' writes one), and run pytest in that folder"
        )


class Suite(pytest.Module):
    """A module that is written nowhere: one function for each check."""

    def _getobj(self) -> types.ModuleType:
        from cadran.testing.contract.running import all_checks

        module = types.ModuleType("cadran_conformance")
        for check in all_checks():
            function = _test(check)
            setattr(module, function.__name__, function)
        return module

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")


def _test(check: Check) -> Callable[..., None]:
    def test(cadran_case: type[Case], request: pytest.FixtureRequest) -> None:
        _run(check, cadran_case, request)

    test.__name__ = test.__qualname__ = f"test_{check.name}"
    test.__doc__ = check.wants
    return test


def _run(check: Check, case: type[Case], request: pytest.FixtureRequest) -> None:
    from cadran.testing.contract.check import NotKept, NotShown
    from cadran.testing.contract.rig import run
    from cadran.testing.contract.running import connector_of, told

    seen: list[tuple[str, str, str]] = request.config.stash[_seen]
    name = request.node.name.removeprefix("test_")
    try:
        kind = connector_of(case, request.config.getoption(_OPTION))
        run(check, case, kind)
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)
    except NotShown as reason:
        seen.append((name, "not shown", str(reason)))
        pytest.skip(str(reason))
    except NotKept as broken:
        seen.append((name, "broken", str(broken)))
        pytest.fail(f"{told(broken)}\n\nWhat is wanted: {check.wants}", pytrace=False)
    except BaseException:
        seen.append((name, "broken", ""))
        raise
    seen.append((name, "kept", ""))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    seen = config.stash.get(_seen, [])
    if not seen:
        return
    count = {state: sum(s == state for _, s, _ in seen) for state in ("kept", "broken", "not shown")}
    terminalreporter.section(f"cadran conformance: {config.getoption(_OPTION)}")
    terminalreporter.line(", ".join(f"{n} {state}" for state, n in count.items()))
    for name, state, why in seen:
        if state == "not shown":
            terminalreporter.line(f"  not shown: {name.replace('_', ' ')}: {why}")
