"""Every kind of hook from a plugin that is installed or a file of the project: named, found, broken, of another API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import cadran
from cadran.cli import cli
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, ProblemsFound

from .conftest import Install

HEAD = "from cadran.plugins import *\n"
HOOKS = {
    "function": """
@hookimpl
def cadran_functions(): return [FunctionEntry("twice", lambda: Function("twice(x)", ("number",), "number", {"duckdb": "{0} * 2"}))]
""",
    "filter": """
@hookimpl
def cadran_filters(): return [FilterEntry("loud", lambda: str.upper)]
""",
    "block": """
@hookimpl
def cadran_blocks(): return [BlockEntry("hall", lambda: Block({"html": "<p>hall</p>"}))]
""",
    "secret": """
class Safe(SecretResolver):
    def resolve(self, reference): return f"value of {reference}"
@hookimpl
def cadran_secrets(): return [SecretEntry("safe", lambda: Safe)]
""",
    "listener": """
@hookimpl
def cadran_listeners(): return [ListenerEntry("ear", lambda: Listener)]
""",
    "connector": """
class Rows(Connector):
    config_schema = {"type": "object", "properties": {"key": {"type": "string"}}}
    def discover(self): return [Table("orders", (Column("id", "BIGINT"), Column("day", "DATE"), Column("amount", "DECIMAL(9,2)")))]
    def read(self, table): yield End(0)
@hookimpl
def cadran_connectors(): return [ConnectorEntry("rows", lambda: Rows)]
""",
    "notifier": """
class Out(Notifier):
    local = True
    def seal(self, message): return b""
    def send(self, sealed, recipient, begin): begin(); return "out"
@hookimpl
def cadran_notifiers(): return [NotifierEntry("out", lambda: Out)]
""",
}
ALL = HEAD + "".join(HOOKS.values())
WRONG = {  # what a hook may return that is none of its entries' contract
    "function": ("FunctionEntry('x', lambda: 3)", "function 'x' must load a Function, not 3"),
    "function ": ("FunctionEntry('x', lambda: Function('x(a, b)', ('any',), formula='{0}'))", "function 'x': the signature 'x(a, b)' has 2 arguments, and 'takes' has 1"),
    "filter": ("FilterEntry('x', lambda: 3)", "filter 'x' must load a function, not 3"),
    "block": ("BlockEntry('x', lambda: 3)", "block 'x' must load a Block, not 3"),
    "secret": ("SecretEntry('x', lambda: int)", "secret 'x' must load a subclass of SecretResolver, not <class 'int'>"),
    "listener": ("ListenerEntry('x', lambda: Listener())", "listener 'x' must load a subclass of Listener, not <"),
}  # fmt: skip
PROJECT = """\
version: 1
{plugins}
sources: {{files: {{connector: files, path: data}}{more}}}
datasets: {{orders: {{from: files.orders, key: id, date: day}}}}
kpis: {{sales: {{formula: {formula}, period: month}}}}
"""
Write = Callable[..., cadran.Project]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A project over one CSV file, with its ``plugins:`` and local files."""
    home = tmp_path / "home"

    def written(plugins: str = "", formula: str = "sum(orders.amount)", more: str = "", environ: dict[str, str] | None = None, **files: str) -> cadran.Project:  # fmt: skip
        (home / "data").mkdir(parents=True, exist_ok=True)
        (home / "data" / "orders.csv").write_text("id,day,amount\n1,2026-01-05,10.50\n2,2026-01-06,2\n")
        (home / "kpis.yaml").write_text(PROJECT.format(plugins=plugins, formula=formula, more=more))
        for name, code in files.items():
            (home / "local_plugins").mkdir(exist_ok=True)
            (home / "local_plugins" / f"{name}.py").write_text(code)
        return cadran.open(home, environ=environ or {})

    return written


def value(project: cadran.Project) -> object:
    (row,) = (r for r in project.run(as_of="2026-02-01", since=None) if r.period == "2026-01")
    return row.value


def said(project: cadran.Project) -> list[str]:
    """What is wrong with the file; formulas are looked at only where they call something."""
    found = project.check() if "twice" in project.file.read_text() else project.declaration()[1]
    return [f"{p.where}: {p.message}; {p.hint}" for p in found]


# --- installed ------------------------------------------------------------------------------------------------------


def test_all_kinds_are_listed(install: Install) -> None:
    install("belvoir", ALL)
    (plugin,) = (p for p in PluginManager({}).listing() if p.name == "belvoir")
    assert plugin.error == ""
    names = {kind: [entry.name for entry in plugin.of(kind)] for kind in HOOKS}  # type: ignore[arg-type]
    assert names == {
        "function": ["twice"], "filter": ["loud"], "block": ["hall"], "secret": ["safe"], "listener": ["ear"], "connector": ["rows"],
        "notifier": ["out"],
    }  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_does_not_keep_its_contract_is_broken(kind: str, install: Install) -> None:
    entry, message = WRONG[kind]
    install("bad", f"{HEAD}\n@hookimpl\ndef cadran_{kind.strip()}s(): return [{entry}]")
    (plugin,) = (p for p in PluginManager({}).listing() if p.name == "bad")
    assert message in plugin.error and plugin.provides == ()


def test_a_function_comes_only_from_a_plugin_that_the_project_names(install: Install, write: Write) -> None:
    install("belvoir", ALL)
    formula = "sum(twice(orders.amount))"
    assert said(write("", formula))[0].startswith("kpis.yaml:5:29: unknown function 'twice'")
    for named in ("belvoir", "[belvoir]", "acme"):  # its entry point, or its distribution
        assert value(write(f"plugins: {named}", formula)) == 25


def test_connectors_notifiers_and_secrets_are_found_without_being_named(
    install: Install, write: Write
) -> None:
    install("belvoir", ALL)
    project = write(more=", rows: {connector: rows, key: '${safe:x}'}")
    declaration, problems = project.declaration()
    assert declaration is not None and problems == []
    assert declaration.sources["rows"].config == {"key": "value of x"}
    assert declaration.secrets == {"value of x"}
    assert not declaration.added


def test_an_entry_is_not_loaded_before_it_is_used(install: Install, write: Write) -> None:
    lazy = HEAD + """
def never(): raise AssertionError("loaded")
@hookimpl
def cadran_filters(): return [FilterEntry("loud", never)]
@hookimpl
def cadran_blocks(): return [BlockEntry("hall", never)]
@hookimpl
def cadran_listeners(): return [ListenerEntry("ear", never)]
@hookimpl
def cadran_connectors(): return [ConnectorEntry("rows", never)]
"""  # fmt: skip
    install("belvoir", lazy)
    assert said(write("plugins: belvoir")) == []


BUGS = {  # what its author got wrong → what is said
    "def __init__(self, context): super().__init__(context); self.x = [][0]": "IndexError: list index out of range",
    "remote = True\n    def check(self, table): 1 / 0": "ZeroDivisionError: division by zero",
    "def discover(self): return None": "TypeError: 'NoneType' object is not iterable",
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_of_a_connector_is_said_where_the_source_is_declared(
    bug: str, install: Install, write: Write
) -> None:
    install("belvoir", HEAD + HOOKS["connector"].replace("    def read", f"    {bug}\n    def read"))
    made = write(more=", rows: {connector: rows}")
    made.file.write_text(made.file.read_text().replace("files.orders", "rows.orders"))
    (found,) = made.check()
    assert f"{found.where}: {found.message}; {found.hint}" == (
        f"kpis.yaml:3:56: {BUGS[bug]}; this is a bug of the plugin belvoir (acme 1.5): tell its author"
    )


def test_a_synced_connector_that_cannot_be_made(install: Install, write: Write) -> None:
    code = """
class Rows(SyncedConnector):
    def __init__(self, context): super().__init__(context); 1 / 0
    def hosts(self): return []
    def ping(self): return ""
    def discover(self): return []
    def changes(self, table, window, resume): yield End(0)
@hookimpl
def cadran_connectors(): return [ConnectorEntry("rows", lambda: Rows)]
"""
    install("belvoir", HEAD + code)
    made = write(more=", rows: {connector: rows}")
    made.file.write_text(made.file.read_text().replace("files.orders", "rows.orders"))
    (found,) = made.check()
    assert (str(found.where), found.message) == ("kpis.yaml:3:56", "ZeroDivisionError: division by zero")
    assert found.hint == "this is a bug of the plugin belvoir (acme 1.5): tell its author"


def test_a_bug_of_a_notifier_is_said_where_the_channel_is_declared(install: Install, write: Write) -> None:
    bug = "    def __init__(self, context): 1 / 0\n    def seal"
    install("belvoir", HEAD + HOOKS["notifier"].replace("    def seal", bug))
    made = write()
    made.file.write_text(made.file.read_text() + "channels: {c: {notifier: out}}\n")
    (found,) = made.check()
    assert (str(found.where), found.message) == ("kpis.yaml:6:15", "ZeroDivisionError: division by zero")


def test_an_unknown_plugin(install: Install, write: Write) -> None:
    install("belvoir", ALL)
    assert said(write("plugins: [belvoire]")) == [
        "kpis.yaml:2:11: there is no plugin 'belvoire'; did you mean 'belvoir'?"
    ]


def test_a_broken_plugin_stops_who_names_it_and_nobody_else(install: Install, write: Write) -> None:
    install("belvoir", "1 / 0")
    assert said(write()) == []
    assert said(write("plugins: [belvoir]")) == [
        "kpis.yaml:2:11: the plugin belvoir (acme 1.5) is broken: ZeroDivisionError: division by zero; see 'cadran plugins'"
    ]


def test_one_name_from_two_plugins_is_an_error_at_the_second(install: Install, write: Write) -> None:
    install("belvoir", ALL)
    project = write("plugins: [belvoir, ./local_plugins/mine.py]", mine=HEAD + HOOKS["function"])
    assert said(project) == [
        "kpis.yaml:2:20: the function 'twice' comes from belvoir and from ./local_plugins/mine.py; "
        "name only one of the two, or have one give it another name"
    ]


# --- another API ------------------------------------------------------------------------------------------------------

ALIEN = {
    "its module says so": 'cadran_api = "2"',
    "its connector does": HEAD + "@hookimpl\ndef cadran_connectors(): return [ConnectorEntry('rows', lambda: type('X', (Connector,), {'api': '2'}))]",
}  # fmt: skip


@pytest.mark.parametrize("case", ALIEN)
def test_a_plugin_of_another_api_is_set_apart(case: str, install: Install, write: Write) -> None:
    install("belvoir", ALIEN[case])
    manager = PluginManager({})
    (plugin,) = (p for p in manager.listing() if p.name == "belvoir")
    assert plugin.speaks == "2" and plugin.error.startswith("belvoir (acme 1.5) speaks API '2'")
    assert "Traceback" not in plugin.error
    (warning,) = manager.problems()
    assert (warning.code, warning.severity) == ("other-api", "warning")
    assert warning.hint == (
        "install a cadran that speaks API '2', or an older acme that speaks API '1', if there is one"
    )
    assert said(write()) == []  # only who uses it is stopped
    if "connector" in case:
        (message,) = said(write(more=", rows: {connector: rows}"))
        assert message.startswith(
            "kpis.yaml:3:68: belvoir (acme 1.5) speaks API '2' (connector 'rows'), this cadran"
        )
    else:
        (message,) = said(write("plugins: belvoir"))
        assert message.startswith("kpis.yaml:2:10: belvoir (acme 1.5) speaks API '2', this cadran speaks '1'")


def test_what_a_plugin_asks_of_cadran_is_the_way_out(install: Install, tmp_path: Path) -> None:
    install("belvoir", ALIEN["its module says so"])
    with (tmp_path / "acme-1.5.dist-info" / "METADATA").open("a") as file:
        file.write("Requires-Dist: attrs\nRequires-Dist: cadran[sql] (<3,>=2) ; python_version > '3'\n")
    (warning,) = PluginManager({}).problems()
    assert warning.hint == (
        "install a cadran that speaks API '2' (acme asks for cadran>=2,<3), or an older acme that speaks API '1', if there is one"
    )


@pytest.mark.parametrize("case", ALIEN)
def test_an_api_that_is_a_number_is_said(case: str, install: Install) -> None:
    install("belvoir", ALIEN[case].replace('"2"', "1").replace("'2'", "1"))
    manager = PluginManager({})
    manager.listing()
    (warning,) = manager.problems()
    assert warning.code == "broken-plugin" and 'api = "1"' in warning.message, warning
    assert "is 1: write it as a text" in warning.message


# --- files of the project -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HOOKS)
def test_every_hook_works_from_a_file_of_the_project(kind: str, write: Write) -> None:
    used = {
        "function": {"formula": "sum(twice(orders.amount))"},
        "secret": {"more": ", other: {connector: files, path: 'data', encoding: '${safe:x}'}"},
        "connector": {"more": ", rows: {connector: rows}"},
    }.get(kind, {})
    project = write("plugins: ./local_plugins/mine.py", mine=HEAD + HOOKS[kind], **used)
    assert not [line for line in said(project) if "encoding" not in line]
    (plugin,) = (p for p in project.plugins.listing() if p.name == "./local_plugins/mine.py")
    assert plugin.distribution == "this project" and len(plugin.of(kind)) == 1  # type: ignore[arg-type]


def test_a_file_is_not_even_read_unless_the_project_names_it(write: Write) -> None:
    assert said(write(mine="raise AssertionError('read')")) == []


def test_a_file_is_imported_under_a_name_of_its_own_and_anew_when_it_changes(write: Write) -> None:
    formula, code = "sum(twice(orders.amount))", HEAD + HOOKS["function"]
    project = write("plugins: ./local_plugins/mine.py", formula, mine=code)
    assert value(project) == 25
    assert "mine" not in sys.modules
    write("plugins: ./local_plugins/mine.py", formula, mine=code.replace("* 2", "* 3"))
    assert value(project) == 37.5  # the same object, as a process that runs for long has it
    write("", formula, mine=code)
    assert said(project)[0].startswith("kpis.yaml:5:29: unknown function 'twice'")


def test_dataclasses_and_pickles_find_the_module(write: Write) -> None:
    code = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass(slots=True)\nclass A:\n    x: int\n"
    assert said(write("plugins: ./local_plugins/mine.py", mine=code + HEAD + HOOKS["filter"])) == []


def test_where_a_file_may_lie(write: Write, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("raise AssertionError('read')")
    project = write(mine="")
    (project.file.parent / "local_plugins" / "link.py").symlink_to(tmp_path / "outside.py")
    for name, message in {
        "../outside.py": "'../outside.py' lies outside the project's folder",
        str(tmp_path / "outside.py"): f"'{tmp_path / 'outside.py'}' lies outside the project's folder",
        "./local_plugins/link.py": "'./local_plugins/link.py' lies outside the project's folder",
        "./local_plugins/none.py": "there is no file './local_plugins/none.py'",
        "./local_plugins": "'./local_plugins' is no Python file",
        "'${HOME}.py'": "a plugin is named as it is, without settings",
    }.items():
        assert any(
            line.startswith(f"kpis.yaml:2:11: {message}") for line in said(write(f"plugins: [{name}]"))
        )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def", "line 1: SyntaxError: invalid syntax"),
        ("\n\nimport no_such_module", "line 3: ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "line 1: SystemExit: 3"),
    ],
)
def test_an_error_in_a_file_points_at_the_line_that_names_it(code: str, reason: str, write: Write) -> None:
    project = write("plugins: [./local_plugins/mine.py]", mine=code)
    (line,) = said(project)
    assert line.startswith(
        f"kpis.yaml:2:11: the plugin ./local_plugins/mine.py is broken: {reason}; see 'cadran plugins'"
    )
    shown = CliRunner().invoke(cli, ["-C", str(project.file.parent), "plugins"])
    assert shown.exit_code == 2
    assert "./local_plugins/mine.py  this project" in shown.output and "BROKEN" in shown.output
    assert reason.partition(": ")[2].partition(":")[0] in shown.output  # the traceback


BROKEN_FILES = {"1 / 0": "./local_plugins/mine.py", "missing": "./local_plugins/none.py", "no hook": "./local_plugins/mine.py"}  # fmt: skip


@pytest.mark.parametrize("code", BROKEN_FILES)
def test_what_a_broken_plugin_would_have_brought_is_no_mistake_of_its_own(code: str, write: Write) -> None:
    made = write(f"plugins: [{BROKEN_FILES[code]}]", "sum(twice(orders.amount))", mine=code if code == "1 / 0" else "")  # fmt: skip
    more = "reports: {m: {blocks: hall, template: m.html.jinja}, n: {blocks: [hall]}}\n"
    made.file.write_text(made.file.read_text().replace("date: day}", "date: day, columns: {t: twice(amount)}}") + more)  # fmt: skip
    (made.file.parent / "templates").mkdir()
    (made.file.parent / "templates" / "m.html.jinja").write_text("{{ title | loud }}")
    assert [str(problem.where) for problem in made.check()] == ["kpis.yaml:2:11"]


def test_only_the_main_file_names_plugins(write: Write) -> None:
    project = write("include: [more.yaml]")
    (project.file.parent / "more.yaml").write_text("plugins: [files]\n")
    assert said(project) == ["more.yaml:1:1: 'plugins' belongs into the main file; move it there"]


def test_the_environment_limits_what_is_loaded_files_of_the_project_as_well(
    install: Install, write: Write
) -> None:
    install("belvoir", ALL)
    formula, mine = "sum(twice(orders.amount))", HEAD + HOOKS["function"].replace("twice", "twice")
    names = {"belvoir": {}, "./local_plugins/mine.py": {"mine": mine}}
    for name, files in names.items():
        allowed = write(f"plugins: {name}", formula, environ={"CADRAN_PLUGINS": f"files,{name}"}, **files)
        assert value(allowed) == 25
        refused = write(f"plugins: {name}", formula, environ={"CADRAN_PLUGINS": "files"}, **files)
        assert said(refused)[0] == (
            f"kpis.yaml:2:10: the plugin '{name}' is not to be loaded; CADRAN_PLUGINS limits the plugins to files; add it there"
        )
    secret = ", rows: {connector: files, path: '${safe:x}'}"
    refused = write(more=secret, environ={"CADRAN_PLUGINS": "files"})
    assert "nothing here knows secrets of 'safe'" in said(refused)[0]


def test_a_connector_of_a_file_and_one_that_is_installed_are_taken_twice(
    install: Install, write: Write
) -> None:
    install("belvoir", HEAD + HOOKS["connector"])
    project = write(
        "plugins: ./local_plugins/mine.py", more=", rows: {connector: rows}", mine=HEAD + HOOKS["connector"]
    )
    (line,) = said(project)
    assert "connector 'rows' is provided by" in line and "./local_plugins/mine.py" in line


def test_what_the_environment_keeps_from_being_loaded_is_said_at_the_source(write: Write) -> None:
    for limit, message in (
        ("filess", "CADRAN_PLUGINS limits the plugins to filess; no plugin 'filess' is installed, did you mean 'files'?"),
        ("", "CADRAN_PLUGINS is empty, so no plugin is loaded: unset it, or write the names of plugins"),
    ):  # fmt: skip
        (line,) = said(write(environ={"CADRAN_PLUGINS": limit}))
        assert line.startswith("kpis.yaml:3:30: unknown connector 'files'; ") and line.endswith(message)


def test_two_plugins_of_one_name_are_an_error_where_the_name_is_used(install: Install, write: Write) -> None:
    """Also where the entry point of that very name would answer first."""
    install("rows", HEAD + HOOKS["connector"] + HOOKS["notifier"].replace('"out"', '"rows"'))
    install("acme", HEAD + HOOKS["connector"] + HOOKS["notifier"].replace('"out"', '"rows"'), dist="other")
    made = write(more=", rows: {connector: rows}")
    made.file.write_text(made.file.read_text() + "channels: {c: {notifier: rows}}\n")
    assert [f"{p.where}: {p.message}" for p in made.check()] == [
        f"kpis.yaml:{place}: {kind} 'rows' is provided by acme (other 1.5) and rows (acme 1.5)"
        for kind, place in (("connector", "3:68"), ("notifier", "6:26"))
    ]
    assert len(made.check()) == 2  # now that all are known
    fine = write()
    fine.file.write_text(fine.file.read_text().replace("rows", "files"))
    assert fine.check() == []  # nobody uses the name


def test_what_an_installed_plugin_has_is_said_where_it_is_asked_for(install: Install, write: Write) -> None:
    install("belvoir", ALL)
    made = write("", "sum(twice(orders.amount))", mine="")
    made.file.write_text(made.file.read_text() + 'reports: {m: {blocks: hall, template: "m.html.jinja"}}\n')
    (made.file.parent / "templates").mkdir()
    (made.file.parent / "templates" / "m.html.jinja").write_text("{{ title | loud }}")
    messages = ["unknown function 'twice'", "unknown block 'hall'", "No filter named 'loud'."]
    for plugins, way in (("", "write plugins: [belvoir]"), ("plugins: files", "add belvoir to 'plugins:'")):
        made.file.write_text(made.file.read_text().replace("version: 1\n\n", f"version: 1\n{plugins}\n"))
        said = {p.message: p.hint for p in made.check()}
        assert said == dict.fromkeys(messages, f"the installed plugin 'belvoir' has it: {way}")
    assert made.declaration()[1][0].hint.endswith("add belvoir to 'plugins:'")


def test_a_resolver_is_found_while_the_file_that_brings_it_is_read(write: Write) -> None:
    project = write("plugins: ./local_plugins/mine.py", more=", x: {connector: sql, url: 'sqlite:///${safe:a}'}", mine=HEAD + HOOKS["secret"])  # fmt: skip
    declaration, _ = project.declaration()
    assert declaration is not None and declaration.sources["x"].config["url"] == "sqlite:///value of a"


def test_a_problem_is_no_plugin() -> None:
    found = PluginManager({}).named("none")
    assert isinstance(found, Problem) and found.code == "unknown-plugin"


def test_the_sound_project_runs(write: Write) -> None:
    with pytest.raises(ProblemsFound):
        write("plugins: none").run()
    assert value(write("plugins: ./local_plugins/mine.py", mine=ALL)) == 12.5
