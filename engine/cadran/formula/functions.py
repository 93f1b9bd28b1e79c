"""Functions that plugins add to the language: their definitions read, calls of them put into formulas, and their meaning as SQL.

A call stands in a tree as an ``Anonymous`` named ``fiscal_half@3f2a…``: the word, and what tells this definition from any other, so that
whatever is kept under a digest of the tree is not found once the plugin says something else. It becomes SQL where a statement is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cadran.formula.scalars import ELSEWHERE, SPELLINGS
from cadran.formula.vocabulary import CONDITION_NAMES, WORDS
from cadran.plugins.functions import KINDS, RESULTS, Function

SIGN = "@"  # in a word of a tree, and in no word that somebody can write
_WORD = re.compile(r"[a-z][a-z0-9_]{0,62}")
# A quoted text or name, whose braces mean nothing, or an argument's place.
_PLACE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\{(\d+)\}")
_ARGUMENT = "cadran_argument_"
_BY = "brought_by"  # in a node's meta
_UNSTEADY = (
    exp.Rand,
    exp.Randn,
    exp.Uuid,
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentDatetime,
)
_UNSTEADY_WORDS = frozenset({
    "now", "random", "rand", "uuid", "gen_random_uuid", "today", "sysdate", "getdate", "clock_timestamp", "statement_timestamp",
    "transaction_timestamp", "get_current_timestamp", "curdate", "curtime", "utc_date", "utc_timestamp", "nextval", "currval", "sleep", "pg_sleep",
})  # fmt: skip
_REFUSED = (
    exp.Query,
    exp.DDL,
    exp.DML,
    exp.Command,
    exp.Block,
    exp.Window,
    exp.AggFunc,
    exp.Alias,
    exp.Lambda,
    exp.Star,
)
_DIALECTS = {"postgresql": "postgres", "mariadb": "mysql"}  # what sqlglot calls otherwise


class Misdefined(Exception):
    """A plugin's definition that cannot be used; ``message`` says what is wrong with it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Template:
    """An expression with places for arguments."""

    tree: exp.Expr

    def filled(self, arguments: Sequence[exp.Expr]) -> exp.Expr:
        """The expression over these arguments, each a copy."""

        def put(node: exp.Expr) -> exp.Expr:
            number = _number(node)
            return node if number is None else in_parens(arguments[number].copy())

        return in_parens(self.tree.copy().transform(put))


@dataclass(frozen=True, slots=True, eq=False)
class Called:
    """One function of a project. ``key`` is its word in trees, ``where_from`` the plugin and its version."""

    name: str
    function: Function
    where_from: str
    key: str
    templates: Mapping[str, Template] = field(default_factory=dict, repr=False)  # by dialect
    short: Template | None = field(default=None, repr=False)  # what it is short for, in the language itself

    def template(self, *dialects: str) -> Template | None:
        """Its expression in the first of these dialects that it knows."""
        return next((self.templates[d] for d in dialects if d in self.templates), None)

    def miscounted(self, count: int) -> tuple[str, str] | None:
        """Message and hint where it is called with another number of arguments."""
        wanted = len(self.function.takes)
        if count == wanted:
            return None
        message = f"{self.name}() takes {wanted} argument{'s' * (wanted != 1)}, not {count}"
        return message, f"write {self.function.signature}"


class Functions:
    """All of a project. Some are ``lacking`` where a plugin or a definition cannot be used: then a word that nobody knows may be one of them."""

    def __init__(self, called: Iterable[Called] = (), *, lacking: bool = False) -> None:
        self.lacking = lacking
        self._by_name = {one.name: one for one in called}
        self._by_key = {one.key: one for one in self._by_name.values()}

    def __bool__(self) -> bool:
        return bool(self._by_name) or self.lacking

    def __iter__(self) -> Iterator[Called]:
        return iter(self._by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def named(self, node: exp.Expr) -> Called | None:
        """The function that a node calls as it was written."""
        if not isinstance(node, exp.Anonymous) or not isinstance(node.this, str):
            return None
        return self._by_name.get(node.this.lower())

    def of(self, node: exp.Expr) -> Called | None:
        """The function that a node of a tree stands for."""
        return self._by_key.get(str(node.this)) if is_added(node) else None

    def in_tree(self, tree: exp.Expr) -> list[Called]:
        """Those that a tree calls."""
        found = (self.of(node) for node in tree.find_all(exp.Anonymous))
        return list(dict.fromkeys(one for one in found if one is not None))

    def as_duckdb(self, tree: exp.Expr) -> exp.Expr:
        """A statement with every call as what it means in DuckDB; itself where there is none."""
        if not self._by_key or not any(is_added(node) for node in tree.find_all(exp.Anonymous)):
            return tree

        def written(node: exp.Expr) -> exp.Expr:
            for key, value in list(node.args.items()):
                if isinstance(value, exp.Expr):
                    node.set(key, written(value))
                elif isinstance(value, list):
                    node.set(key, [written(v) if isinstance(v, exp.Expr) else v for v in value])
            called = self.of(node)
            return node if called is None else in_duckdb(called, node.expressions)

        return written(tree.copy())


NONE = Functions()
_HANDED = {"date": "DATE", "timestamp": "TIMESTAMP", "double": "DOUBLE"}
_GIVEN = {"integer": "BIGINT", "double": "DOUBLE", "timestamp": "TIMESTAMP"}


def in_duckdb(called: Called, arguments: Sequence[exp.Expr], *, as_given: bool = False) -> exp.Expr:
    """A call's meaning: arguments handed over as what it takes, the result as what it says it gives, or just as its SQL gives it."""
    template = called.template("duckdb")
    assert template is not None, "a function has SQL for DuckDB"
    handed = [
        _cast(argument, _HANDED[kind]) if kind in _HANDED else argument
        for argument, kind in zip(arguments, called.function.takes, strict=True)
    ]
    made = template.filled(handed)
    given = _GIVEN.get(called.function.gives)
    return made if given is None or as_given else _cast(made, given)


def is_added(node: exp.Expr) -> bool:
    """Whether a node of a tree stands for a call of a plugin's function."""
    return isinstance(node, exp.Anonymous) and SIGN in str(node.this)


def in_parens(node: exp.Expr) -> exp.Expr:
    """In parentheses where it is more than a name, a literal or a call."""
    return exp.Paren(this=node) if isinstance(node, exp.Binary | exp.Unary | exp.Between | exp.In | exp.Interval) and not isinstance(node, exp.Paren | exp.Dot) else node  # fmt: skip


def _cast(node: exp.Expr, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=exp.DataType.build(kind, dialect="duckdb"))


def _number(node: exp.Expr) -> int | None:
    """Which argument a node stands for."""
    if isinstance(node, exp.Column) and not node.table and node.name.startswith(_ARGUMENT):
        return int(node.name.removeprefix(_ARGUMENT))
    return None


# --- definitions -------------------------------------------------------------------------------------------------


def misnamed(name: str) -> str:
    """Why a function cannot be called so; empty where it can."""
    if not _WORD.fullmatch(name):
        return "a function's name is small letters, digits and _, and begins with a letter"
    if name in WORDS or name in SPELLINGS or name in CONDITION_NAMES:
        return "the language has that word already"
    try:
        node = sqlglot.parse_one(f"{name}(1)", read="duckdb")
    except SqlglotError:
        node = None
    if name in ELSEWHERE or not isinstance(node, exp.Anonymous) or node.this != name:
        return "that is a word of SQL, with a meaning of its own"
    return ""


def with_places(text: str, function: Function) -> str:
    """A definition with names in place of ``{0}``. Raises :class:`Misdefined`."""

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        if int(found[1]) >= len(function.takes):
            raise Misdefined(f"'{found[0]}' stands for no argument: it takes {len(function.takes)}")
        return f"{_ARGUMENT}{int(found[1])}"

    return _PLACE.sub(put, text)


def check_shape(function: Function) -> None:
    """Raises :class:`Misdefined`."""
    if bool(function.sql) == bool(function.formula):
        raise Misdefined("it has either 'sql' or 'formula'")
    if wrong := [kind for kind in function.takes if kind not in KINDS]:
        raise Misdefined(f"'{wrong[0]}' is no kind of argument: one of {', '.join(KINDS)}")
    if function.formula:
        return
    if function.gives not in RESULTS:
        raise Misdefined(f"it has to say what it gives: one of {', '.join(RESULTS)}")
    if "duckdb" not in function.sql:
        raise Misdefined("'sql' has nothing for 'duckdb', which computes whatever a database cannot")


def template(function: Function, dialect: str) -> Template:
    """The definition in one dialect. Raises :class:`Misdefined`."""
    text = with_places(function.sql[dialect], function)
    try:
        trees = sqlglot.parse(text, read=_DIALECTS.get(dialect, dialect))
    except (SqlglotError, ValueError) as error:
        why = str(error).partition("\n")[0].partition(". Line")[0]
        why = re.sub(r" for <class '[^']*'>", "", why).rstrip(".")
        raise Misdefined(
            f"its SQL for '{dialect}', {function.sql[dialect]!r}, cannot be read: {why}"
        ) from None
    tree = trees[0] if len(trees) == 1 else None
    if tree is None:
        raise Misdefined(f"its SQL for '{dialect}' is not one expression")
    for node in tree.walk():
        if wrong := _unfit(node):
            raise Misdefined(f"its SQL for '{dialect}' holds {wrong}")
    return Template(tree)


def _unfit(node: exp.Expr) -> str:
    if isinstance(node, exp.Column) and _number(node) is None:
        return f"'{node.sql()}', which is no argument"
    if isinstance(node, _REFUSED):
        return "a query, an aggregate or a window: it is of one row"
    word = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, _UNSTEADY) or word in _UNSTEADY_WORDS:
        return f"'{node.sql()}', which does not give the same twice"
    return ""


def brought(tree: exp.Expr, by: str) -> exp.Expr:
    """A tree whose nodes stand in no text of the project, and that know which function of which plugin has brought them."""
    for node in tree.walk():
        node.meta.pop("start", None)
        node.meta.pop("end", None)
        node.meta[_BY] = by
    return tree


def brought_by(node: exp.Expr) -> str:
    """``'growth' of belvoir 1.0``, where a node comes of a function's formula and was not written in the project; else empty."""
    return str(node.meta.get(_BY, ""))


def readable(tree: exp.Expr) -> str:
    """A tree as somebody would write it, on one line."""
    return re.sub(rf"{SIGN}[0-9a-f]+", "", tree.sql(dialect="duckdb", normalize_functions="lower"))


# --- calls --------------------------------------------------------------------------------------------------------


Fail = Callable[[exp.Expr, str, str], Exception]


def put_in(tree: exp.Expr, functions: Functions, fail: Fail) -> exp.Expr:
    """A formula in which each call of a plugin's function is known as such, or stands as what it is short for.

    Raises what ``fail`` makes of a node, a message and a hint.
    """

    def known(node: exp.Expr) -> exp.Expr:
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expr):
                node.set(key, known(value))
            elif isinstance(value, list):
                node.set(key, [known(v) if isinstance(v, exp.Expr) else v for v in value])
        called = functions.named(node)
        if called is None:
            return node
        if wrong := called.miscounted(len(node.expressions)):
            raise fail(node, *wrong)
        if called.short is not None:
            return called.short.filled(node.expressions)
        node.set("this", called.key)
        return node

    return known(tree)
