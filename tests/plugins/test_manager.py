"""Plugins: found without being imported, broken ones kept apart."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cadran.cli import cli
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem

from .conftest import Install

HEALTHY = """
from cadran.plugins import Connector, ConnectorEntry, hookimpl
class Rows(Connector):
    config_schema = {{"type": "object", "title": "{name}"}}
    def discover(self): return []
    def read(self, table): yield
@hookimpl
def cadran_connectors(): return [ConnectorEntry("{name}", lambda: Rows)]
"""
HOOK = "from cadran.plugins import *\n@hookimpl\n"
BROKEN = {
    "fails to import": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "syntax": ("def", "SyntaxError: invalid syntax"),
    "misspelt hook": (HOOK + "def cadran_conectors(): return []", "there is no hook 'cadran_conectors'; did you mean 'cadran_connectors'?"),
    "no hook": ("", "it implements no hook; is @hookimpl of cadran.plugins missing?"),
    "undecorated hook": ("def cadran_connectors(): return []", "it implements no hook"),
    "another signature": (HOOK + "def cadran_connectors(config): return []", "Argument(s) {'config'} are declared in the hookimpl"),
    "hook raises": (HOOK + "def cadran_connectors(): 1 / 0", "ZeroDivisionError: division by zero"),
    "no list": (HOOK + "def cadran_connectors(): return {}", "must return a list of ConnectorEntry, not {}"),
    "no entries": (HOOK + "def cadran_connectors(): return ['x']", "must return a list of ConnectorEntry, not ['x']"),
    "one name twice": (HOOK + "def cadran_connectors(): return [ConnectorEntry('x', lambda: Connector)] * 2", "names connector 'x' twice"),
    "no class": (HOOK + "def cadran_connectors(): return [ConnectorEntry('x', lambda: 3)]", "must load a subclass of Connector, not 3"),
    "methods missing": (HOOK + "def cadran_connectors(): return [ConnectorEntry('x', lambda: type('Half', (SyncedConnector,), {'discover': 0}))]", "connector 'x': the class Half lacks changes(), hosts(), ping()"),
    "notifier's methods missing": (HOOK + "def cadran_notifiers(): return [NotifierEntry('x', lambda: type('Half', (Notifier,), {}))]", "notifier 'x': the class Half lacks seal(), send()"),
    "class fails to load": (HOOK + "def cadran_connectors(): return [ConnectorEntry('x', lambda: 1 / 0)]", "ZeroDivisionError"),
}  # fmt: skip


def manager(**environ: str) -> PluginManager:
    return PluginManager(environ)


def problem(found: object) -> Problem:
    assert isinstance(found, Problem)
    return found


def test_the_bundled_connector_is_a_plugin_like_others() -> None:
    found = manager().connector("files")
    assert isinstance(found, type)
    assert found.__module__ == "cadran_plugins.files.connector"
    [plugin] = [p for p in manager().listing() if p.name == "files"]
    assert (plugin.distribution, plugin.origin, plugin.error) == ("cadran", "cadran_plugins.files", "")
    assert [c.name for c in plugin.connectors] == ["files"]
    assert plugin.version


def test_a_third_partys_connector(install: Install) -> None:
    install("acme", HEALTHY.format(name="rows"))
    plugins = manager()
    assert {"files", "rows", "spark", "sql"} <= set(plugins.names())
    assert plugins.config_schema("rows") == {"type": "object", "title": "rows"}
    assert plugins.config_schema("no such") is None
    assert plugins.problems() == []


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_listed_with_its_traceback(case: str, install: Install) -> None:
    code, message = BROKEN[case]
    install("bad", code)
    plugins = manager()
    [plugin] = [p for p in plugins.listing() if p.name == "bad"]
    assert (plugin.distribution, plugin.version, plugin.connectors) == ("acme", "1.5", ())
    assert "PluginError" not in plugin.reason
    assert plugin.error.startswith("Traceback (most recent call last):")
    assert message in plugin.reason or message in plugin.error
    [warning] = plugins.problems()
    assert (warning.code, warning.severity) == ("broken-plugin", "warning")
    assert "bad (acme 1.5) is broken" in warning.message


def test_a_broken_plugin_stops_only_who_uses_it(install: Install) -> None:
    install("bad", "1 / 0")
    plugins = manager()
    assert isinstance(plugins.connector("files"), type)
    assert {"files", "spark", "sql"} <= set(plugins.names()) and "theirs" not in plugins.names()
    found = problem(plugins.connector("theirs"))
    assert found.message == "unknown connector 'theirs'"
    assert "may belong to a plugin that is broken: bad (acme 1.5); see 'cadran plugins'" in found.hint


def test_a_broken_plugin_of_the_very_name_says_why(install: Install) -> None:
    install("theirs", "import no_such_module")
    found = problem(manager().connector("theirs"))
    assert found.message == "the plugin theirs (acme 1.5) is broken: ModuleNotFoundError: No module named 'no_such_module'"  # fmt: skip
    assert found.hint == "see 'cadran plugins'"


def test_an_unknown_connector() -> None:
    assert str(problem(manager().connector("file"))) == "unknown connector 'file'; did you mean 'files'?"
    assert problem(manager().connector("zzz")).hint.startswith("there are: files, ")


@pytest.mark.parametrize("point", ["files", "acme"])
def test_a_name_taken_twice_is_an_error_that_names_both(point: str, install: Install) -> None:
    install(point, HEALTHY.format(name="files"))
    plugins = manager()
    [found] = plugins.problems()
    assert found.code == "connector-taken-twice"
    for part in ("'files'", f"{point} (acme 1.5)", "files (cadran "):
        assert part in found.message
    assert problem(plugins.connector("files")) == found


def test_entry_points_of_one_name_are_seen_without_importing_the_rest(install: Install) -> None:
    install("files", HEALTHY.format(name="files"))
    assert problem(manager().connector("files")).code == "connector-taken-twice"


def test_one_entry_point_name_may_stand_for_several_connectors(install: Install) -> None:
    install("files", HEALTHY.format(name="rows"))
    plugins = manager()
    assert isinstance(plugins.connector("files"), type)
    assert isinstance(plugins.connector("rows"), type)


def test_the_environment_limits_what_is_loaded(install: Install) -> None:
    install("acme", HEALTHY.format(name="rows"))
    assert manager(CADRAN_PLUGINS="files").names() == ["files"]
    assert manager(CADRAN_PLUGINS="acme, files").names() == ["files", "rows"]
    assert manager(CADRAN_PLUGINS="").names() == []
    hint = problem(manager(CADRAN_PLUGINS="files").connector("rows")).hint
    assert "CADRAN_PLUGINS limits the plugins to files" in hint


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("", "CADRAN_PLUGINS is empty, so no plugin is loaded: unset it, or write the names of plugins"),
        (" , ", "CADRAN_PLUGINS is empty, so no plugin is loaded: unset it, or write the names of plugins"),
        ("filess,sql", "CADRAN_PLUGINS limits the plugins to filess, sql; no plugin 'filess' is installed, did you mean 'files'?"),
        ("sql,zzzz", "CADRAN_PLUGINS limits the plugins to sql, zzzz; no plugin 'zzzz' is installed"),
    ],
)  # fmt: skip
def test_an_environment_that_names_what_is_not_there_is_said(limit: str, said: str) -> None:
    plugins = manager(CADRAN_PLUGINS=limit)
    assert [(p.message, p.severity) for p in plugins.problems()] == [(said, "warning")]
    assert problem(plugins.connector("files")).hint.endswith(said)
    assert problem(plugins.named("files")).hint.startswith(said)
    shown = CliRunner().invoke(cli, ["plugins"], env={"CADRAN_PLUGINS": limit})
    assert shown.exit_code == 2 and said in shown.output


def test_an_environment_may_name_distributions_and_files_of_projects() -> None:
    assert manager(CADRAN_PLUGINS="cadran,./local_plugins/mine.py").problems() == []


def test_a_project_imports_only_the_plugin_that_it_uses(install: Install) -> None:
    install("bad", "raise AssertionError('imported')")
    plugins = manager()
    plugins.connector("files")
    assert "acme_bad_plugin" not in sys.modules


def test_the_way_to_a_connector_imports_nothing_heavy() -> None:
    code = (
        "import json, sys; from cadran.plugins.manager import PluginManager; "
        "before = 'importlib.metadata' in sys.modules; found = PluginManager({}).connector('files'); "
        "print(json.dumps([before, found.__name__, sorted(sys.modules)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    before, name, modules = json.loads(out)
    assert (before, name) == (False, "FilesConnector")
    heavy = {
        "duckdb",
        "pyarrow",
        "python_calamine",
        "xml.etree.ElementTree",
        "jsonschema",
        "sqlglot",
        "numpy",
        "pandas",
    }
    assert heavy.isdisjoint(modules)
