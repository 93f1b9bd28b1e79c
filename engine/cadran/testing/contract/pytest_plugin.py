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
    from cadran.plugins.connector import Connector
    from cadran.testing.contract.case import Case
    from cadran.testing.contract.check import Check

_OPTION = "--cadran-connector"
_FIXTURE = "cadran_case"
_NO_CASE = (
    f"{_OPTION} finds no case: write a fixture {_FIXTURE} into the conftest.py of your tests, which gives a subclass of "
    "cadran.testing.Case ('cadran plugin new' writes one)"
)
_NO_FIXTURE = f"{_NO_CASE}; what is called {_FIXTURE} there is no fixture: is @pytest.fixture above it?"
_suites = pytest.StashKey[list[str]]()
_seen = pytest.StashKey[list[tuple[str, str, str]]]()  # name, state, why
_stopped = pytest.StashKey[dict[str, str]]()  # suites of which nothing can be checked, and why


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cadran", "whether a connector keeps its contract with cadran")
    group.addoption(
        _OPTION, metavar="NAME", default="",
        help="run cadran's conformance suite for this connector, with the Case that the fixture cadran_case of a conftest.py gives",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_suites] = []
    config.stash[_seen] = []
    config.stash[_stopped] = {}


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
    """A run that seems to have held a connector to its contract, and has not, is an error: also where the option stands in ``addopts``, unless only
    files or single tests were asked for."""
    config = session.config
    if not config.getoption(_OPTION) or config.stash[_suites]:
        return
    asked = any(str(one).startswith(_OPTION) for one in config.invocation_params.args)
    if asked or any(_is_folder(config, argument) for argument in config.args):
        raise pytest.UsageError(f"{_NO_CASE}, and run pytest in that folder")


def _is_folder(config: pytest.Config, argument: str) -> bool:
    return (config.invocation_params.dir / argument.partition("::")[0]).is_dir()


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
    def test(request: pytest.FixtureRequest) -> None:
        _run(check, request)

    test.__name__ = test.__qualname__ = f"test_{check.name}"
    test.__doc__ = check.wants
    return test


def _run(check: Check, request: pytest.FixtureRequest) -> None:
    """Ends the test outside of ``except``, so that pytest shows no error that was handled."""
    from cadran.testing.contract.check import NotKept, NotShown, NotStarted
    from cadran.testing.contract.rig import run
    from cadran.testing.contract.running import told

    stash = request.config.stash
    seen, suite = stash[_seen], str(request.path)
    name = request.node.name.removeprefix("test_")
    if suite in stash[_stopped]:
        seen.append((name, "not run", ""))
        pytest.skip(f"nothing can be checked: {stash[_stopped][suite]}")
    said, state = "", "kept"
    try:
        run(check, *_case(request))
    except NotShown as reason:
        said, state = str(reason), "not shown"
    except NotKept as broken:
        said, state = told(broken), "broken"
        if isinstance(broken, NotStarted):
            stash[_stopped][suite] = str(broken)
    except BaseException:
        seen.append((name, "broken", ""))
        raise
    seen.append((name, state, said))
    if state == "not shown":
        pytest.skip(said)
    if state == "broken":
        stopped = suite in stash[_stopped]
        pytest.fail(said if stopped else f"{said}\n\nWhat is wanted: {check.wants}", pytrace=False)


def _case(request: pytest.FixtureRequest) -> tuple[type[Case], type[Connector]]:
    """Raises NotStarted: what is wrong here is wrong for all checks."""
    from cadran.testing.contract.case import Case
    from cadran.testing.contract.check import NotStarted
    from cadran.testing.contract.running import connector_of

    try:
        case = request.getfixturevalue(_FIXTURE)
    except pytest.FixtureLookupError as error:
        lacking = f"the fixture {_FIXTURE} asks for '{error.argname}', and there is no such fixture"
        raise NotStarted(lacking if error.argname != _FIXTURE else _NO_FIXTURE) from None
    except Exception as error:
        raise NotStarted(f"the fixture {_FIXTURE} failed: {type(error).__name__}: {error}") from error
    if not (isinstance(case, type) and issubclass(case, Case)):
        raise NotStarted(
            f"the fixture {_FIXTURE} gives {case!r}: give a subclass of cadran.testing.Case, the class itself"
        )
    return case, connector_of(case, request.config.getoption(_OPTION))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    seen = config.stash.get(_seen, [])
    if not seen:
        return
    count = {
        state: sum(s == state for _, s, _ in seen) for state in ("kept", "broken", "not shown", "not run")
    }
    terminalreporter.section(f"cadran conformance: {config.getoption(_OPTION)}")
    terminalreporter.line(", ".join(f"{n} {state}" for state, n in count.items() if n or state != "not run"))
    for name, state, why in seen:
        if state == "not shown":
            terminalreporter.line(f"  not shown: {name.replace('_', ' ')}: {why}")
