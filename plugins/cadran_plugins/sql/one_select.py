"""What may stand under ``sql:``: one SELECT that only reads. The database's own read-only transaction comes on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadran.plugins import ConfigError
from cadran_plugins.sql.names import same_but_for_capitals

if TYPE_CHECKING:
    from sqlglot import exp

_BEGINS = ("SELECT", "WITH", "(", "FROM", "TABLE", "VALUES")
# What a SELECT can call to change something, to read files of the server, or to hold others up.
_WRITING = frozenset(
    """
    nextval setval lastval set_config pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_switch_wal pg_notify
    pg_create_restore_point pg_promote pg_logical_emit_message query_to_xml get_lock release_lock release_all_locks
    load_file sleep benchmark master_pos_wait last_insert_id load_extension writefile readfile edit fts3_tokenizer
    readcsv readparquet read_csv read_csv_auto read_json read_json_auto read_parquet parquet_scan read_text read_blob
    openrowset opendatasource openquery getenv reflect try_reflect java_method
    """.split()  # noqa: SIM905
)
_WRITING_BEGIN = (
    "lo_", "pg_read_", "pg_ls_", "pg_advisory_", "pg_try_advisory_", "pg_terminate_", "pg_sleep", "dblink", "system$",
)  # fmt: skip
_VIEW = "write one SELECT in the database's own SQL; what cadran cannot read can be made a view there"


def only_reads(sql: str, dialect: str, setting: tuple[str, ...]) -> str:
    """The SELECT up to its last word. Raises ConfigError that says what else it is."""
    from sqlglot import Dialect, exp
    from sqlglot.errors import SqlglotError

    speaks = Dialect.get_or_raise(dialect or None)
    try:
        tokens = speaks.tokenize(sql)
        while tokens and tokens[-1].text == ";":
            tokens.pop()
        if not tokens:
            raise ConfigError("'sql' holds no statement", hint="write one SELECT", setting=setting)
        if (word := tokens[0].text.upper()) not in _BEGINS:
            raise ConfigError(
                f"'sql' must be a SELECT, not {word}", hint="a source is only read", setting=setting
            )
        if any(c.lstrip("M").startswith("!") for token in tokens for c in token.comments):
            message = "the SELECT holds a comment that the server runs (/*! … */)"
            raise ConfigError(message, hint="write it without", setting=setting)
        text = sql[: tokens[-1].end + 1]  # no comment behind it can swallow what is put around it
        trees = [tree for tree in speaks.parse(text) if tree is not None]
    except SqlglotError as error:
        message = f"the SELECT cannot be read: {_reason(error)}"
        raise ConfigError(message, hint=_VIEW, setting=setting) from None
    if len(trees) != 1:
        raise ConfigError(f"'sql' holds {len(trees)} statements", hint="write one SELECT", setting=setting)
    (tree,) = trees
    wrong = _writes(tree) if isinstance(tree, exp.Query | exp.Values) else "it is no query"
    if wrong:
        message = f"the SELECT does more than read: {wrong}"
        raise ConfigError(message, hint="a source is only read", setting=setting)
    _check_names(tree, setting)
    return text.strip()


def _check_names(tree: exp.Expr, setting: tuple[str, ...]) -> None:
    """As far as the SELECT itself names its columns, no two are called the same. Raises ConfigError."""
    from sqlglot import exp

    named = [n for n in tree.named_selects if n and n != "*"] if isinstance(tree, exp.Query) else []
    if two := same_but_for_capitals(named):
        both = (
            f"two columns are named '{two[0]}'"
            if two[0] == two[1]
            else f"columns '{two[0]}' and '{two[1]}' differ only in capitals"
        )
        what = f"table '{setting[1]}': {both}" if len(setting) > 1 else both
        raise ConfigError(what, hint="give one of them another name with AS", setting=setting)


def _reason(error: Exception) -> str:
    """The place and the words of the first error, without sqlglot's underlined excerpt."""
    found = getattr(error, "errors", None)
    if not found:
        return str(error).splitlines()[0]
    first = found[0]
    near = f" near '{first['highlight']}'" if first.get("highlight") else ""
    return f"{first['description'].rstrip('.')}{near} (line {first['line']})"


def _writes(tree: exp.Expr) -> str:
    """What in a query is not reading, in words; empty if nothing."""
    from sqlglot import exp

    for node in tree.walk():
        if isinstance(node, (exp.DML, exp.DDL, exp.Command)) and not isinstance(node, exp.Query):
            return f"it holds {node.key.upper()}"
        if isinstance(node, exp.Into):
            return "INTO writes its rows somewhere"
        if isinstance(node, exp.QueryTransform):
            return "TRANSFORM runs a program"
        if isinstance(node, exp.Lock):
            return "it locks rows (FOR UPDATE, FOR SHARE)"
        if isinstance(node, exp.PropertyEQ) and isinstance(node.this, (exp.Parameter, exp.SessionParameter)):
            return "it sets a variable"
        if isinstance(node, exp.Func):
            name = str(node.this if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
            if name in _WRITING or name.startswith(_WRITING_BEGIN):
                return f"the function {name}() is not allowed"
    return ""
