"""What others may rely on: names, commands, hooks, columns. A change here belongs into CHANGELOG.md."""

from __future__ import annotations

import re
from importlib.metadata import entry_points, version
from pathlib import Path

import cadran
import cadran.plugins
from cadran.cli import COMMANDS
from cadran.compute.results import COLUMNS
from cadran.plugins import hookspecs

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_api() -> None:
    assert cadran.__all__ == ["Problem", "ProblemsFound", "Project", "Results", "open"]
    for name in cadran.__all__:
        assert getattr(cadran, name).__module__.startswith("cadran.")


def test_a_project_and_its_results() -> None:
    assert _public(cadran.Project) == {
        "allow_paths", "analyse", "backtest", "cache", "check", "check_data", "clear_cache", "declaration", "dependencies", "due", "environ", "examine", "explain",
        "file", "history", "model", "perform", "pinned", "plugins", "run", "send", "store", "sync", "syncing", "test", "trial_store", "unread_cache",
    }  # fmt: skip
    assert _public(cadran.Results) == {
        "alerts", "answers", "arrow", "as_of", "declaration", "dicts", "failed", "judged", "judging", "kpis", "listed", "measured", "measured_on", "notes", "pandas", "polars", "quality", "quarantined", "rests", "reuse",
        "rows", "scanned", "statements", "warnings",
    }  # fmt: skip


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_contract_of_plugins() -> None:
    assert cadran.plugins.__all__ == [
        "API", "WHOLE", "ArrowStream", "AuthError", "Block", "BlockEntry", "Cancelled", "Column", "ConfigError",
        "Connector", "ConnectorEntry", "ConnectorError", "Context", "DataError", "Deferred", "Deletes", "Document", "End",
        "FilterEntry", "Function", "FunctionEntry", "InPlace", "KpiValue", "Listener", "ListenerEntry", "Message",
        "MessageSent", "Notifier", "NotifierContext", "NotifierEntry", "NotifierError", "Page", "Part", "Picture",
        "QueryRefused", "QueryableConnector", "QuotaExhausted", "RateLimited", "Rejected", "Relation", "ResumeExpired",
        "RunFailed", "RunFinished", "RunStarted", "SchemaChanged", "SecretContext", "SecretEntry", "SecretError",
        "SecretResolver", "SourceSynced", "SyncedConnector", "Table", "Transient", "Unknown", "ValueKind", "Window",
        "column_name", "column_names", "hookimpl", "is_file_name", "listed", "parse_duration", "suggest", "write_whole",
    ]  # fmt: skip
    assert cadran.plugins.API == "1"
    assert {name for name in vars(hookspecs) if name.startswith("cadran_")} == {
        "cadran_blocks",
        "cadran_connectors",
        "cadran_filters",
        "cadran_functions",
        "cadran_listeners",
        "cadran_notifiers",
        "cadran_secrets",
    }


def test_the_commands() -> None:
    assert list(COMMANDS) == [
        "init", "run", "sync", "report", "send", "check", "test", "why", "compare", "explain", "funnels", "cohorts", "scores", "catalogue", "pace",
        "forecast", "alerts", "silence", "backtest", "history", "outbox", "schedule", "scheduler", "cache", "schema", "plugins", "plugin",
    ]  # fmt: skip
    (script,) = entry_points(group="console_scripts", name="cadran")
    assert script.value == "cadran.cli:main"
    (files,) = entry_points(group="cadran", name="files")
    assert files.value == "cadran_plugins.files"


def test_the_columns_of_the_output() -> None:
    assert COLUMNS == (
        "kpi", "period", "period_start", "period_end", "segment", "segment_value", "value", "base", "previous",
        "year_ago", "change", "target", "status", "state", "target_high", "quarantined",
    )  # fmt: skip


def test_the_version_is_one_and_the_change_log_knows_it() -> None:
    newest = re.search(
        r"^## (\S+) — \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert newest
    assert cadran.__version__ == version("cadran") == newest[1]
