"""Expression text to a sqlglot tree in which every leaf still knows its place in the YAML.

Two things are rewritten before sqlglot sees the text: ``15%`` becomes ``0.15`` (percent is part of the language,
modulo is ``mod(a, b)``), and nothing else. Offsets are mapped back, so problems point at what was written.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError

from cadran.declare.model import Text
from cadran.formula.functions import NONE, Functions, brought_by, put_in
from cadran.formula.syntax import refused_tokens
from cadran.formula.vocabulary import CONDITION_NAMES, WORDS
from cadran.problems import Position, Problem

# A quoted string, a quoted name, a line comment, or a percent literal: the first three shield a % inside them.
_PERCENT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|(?<![\w.])(\d+(?:\.\d+)?|\.\d+)[ \t]*%")
_MAX_LENGTH = 20_000
_MAX_DEPTH = 120


@dataclass(frozen=True, slots=True)
class Source:
    """What was written, what sqlglot was given, and how offsets in the latter map to the former."""

    text: Text
    sql: str
    shifts: tuple[tuple[int, int], ...]  # (offset in sql from which, what to add)

    def written(self, offset: int) -> int:
        delta = 0
        for start, shift in self.shifts:
            if offset < start:
                break
            delta = shift
        return max(0, min(offset + delta, len(self.text.value)))

    def position(self, start: int, end: int | None = None) -> Position:
        """``end`` is inclusive, as sqlglot counts."""
        first = self.written(start)
        last = first + 1 if end is None else self.written(end) + 1
        return self.text.place.position(first, max(last, first + 1))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A formula: its tree, where it came from, and the plugins' functions that may stand in it."""

    tree: exp.Expr
    source: Source
    functions: Functions = NONE

    def position(self, node: exp.Expr | None = None) -> Position:
        """Where ``node`` begins (and how wide it is), or the whole text's place."""
        if node is None:
            return self.source.text.place.position(0, len(self.source.text.value) or None)
        spans = [s for s in (span(n) for n in node.walk()) if s]
        if not spans:
            return self.source.text.place.position()
        return self.source.position(min(s[0] for s in spans), max(s[1] for s in spans))

    def problem(self, code: str, message: str, node: exp.Expr, subject: str, hint: str) -> Problem:
        """At ``node``; where a function's formula has brought it, the message says whose."""
        if by := brought_by(node):
            message = f"{message}, in the formula of the function {by}"
        return Problem(code, message, self.position(node), subject, hint)


def span(node: exp.Expr) -> tuple[int, int] | None:
    """First and last offset of a node that sqlglot gave a place to."""
    meta = node.meta
    return (meta["start"], meta["end"]) if "start" in meta else None


class _Miscalled(Exception):
    """A call that a plugin's function does not take."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse(text: Text, subject: str, functions: Functions = NONE) -> tuple[Parsed | None, list[Problem]]:
    """The tree of ``text``, or the problem that kept it from being read. Calls of the plugins' ``functions`` are known as such."""
    source = _source(text)

    def problem(message: str, offset: int = 0, hint: str = "", end: int | None = None) -> list[Problem]:
        return [Problem("syntax", message, source.position(offset, end), subject, hint)]

    if not text.value.strip():
        return None, [Problem("syntax", "the formula is empty", text.place.position(), subject, _EXAMPLE)]
    if len(text.value) > _MAX_LENGTH:
        return None, problem(
            f"the formula is longer than {_MAX_LENGTH} characters", hint="split it into KPIs"
        )
    try:
        dialect = _dialect()
        tokens = dialect.tokenize(source.sql)
        odd = refused_tokens(tokens, beyond={*WORDS, *(f.name for f in functions)} if functions else WORDS)
        trees = [] if odd else dialect.parser().parse(tokens, source.sql)
    except RecursionError:
        return None, problem("the formula is nested too deeply", hint="split it into KPIs")
    except (SqlglotError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # Beside its own errors sqlglot raises these on arguments that it did not expect.
        return None, problem(*_why(source, error))
    if odd and functions.lacking and all(r.message.startswith(_UNHEARD) for r in odd):
        return None, []  # what is wrong with the plugin has been said; one mistake is one message
    if odd:
        misled = _misled(source.sql)
        if misled:
            return None, problem(*misled)
        return None, [p for r in odd for p in problem(r.message, r.start, r.hint, r.end)]
    tree = trees[0] if len(trees) == 1 else None
    if tree is None or isinstance(tree, exp.Block):
        semicolon = source.sql.find(";")
        return None, problem("one expression is expected", max(semicolon, 0), "remove the ';'")
    if isinstance(tree, exp.Alias):
        return None, problem(*_behind(tree, source))
    chained = _chained(tree)
    if chained is not None:
        spot = span(chained)
        hint = "write for instance value > 10 and value < 20"
        return None, problem("a comparison has two sides", spot[0] if spot else 0, hint)
    if _too_deep(tree):
        return None, problem("the formula is nested too deeply", hint="split it into KPIs")
    return _with(Parsed(tree, source, functions), subject)


def _with(parsed: Parsed, subject: str) -> tuple[Parsed | None, list[Problem]]:
    """The formula with the calls of its plugins' functions put in."""
    if not parsed.functions:
        return parsed, []

    def fail(node: exp.Expr, message: str, hint: str) -> _Miscalled:
        return _Miscalled(Problem("arguments", message, parsed.position(node), subject, hint))

    try:
        tree = put_in(parsed.tree, parsed.functions, fail)
    except _Miscalled as wrong:
        return None, [wrong.problem]
    if _too_deep(tree):
        where = parsed.position()
        return None, [
            Problem("syntax", "the formula is nested too deeply", where, subject, "split it into KPIs")
        ]
    return replace(parsed, tree=tree), []


_EXAMPLE = "write for instance sum(orders.amount)"
_UNHEARD = "unknown function "


@functools.cache
def _dialect() -> Dialect:
    return Dialect.get_or_raise("duckdb")


def _why(source: Source, error: Exception) -> tuple[str, int, str]:
    """What is wrong with a text that cannot be parsed: the likeliest cause first."""
    found = _misled(source.sql)
    if found:
        return found
    if isinstance(error, ParseError):
        return _explain(error, source)
    return "the formula cannot be read", 0, _EXAMPLE


def _misled(sql: str) -> tuple[str, int, str] | None:
    return _jinja(sql) or _unbalanced(sql) or _filter_alone(sql) or _slip(sql)


# (what is written, what is wrong with it, what to write), the first that is found outside quotes.
_SLIPS = (
    (re.compile(r"^\s*(=)"), "a formula does not begin with '='", "leave the '=' out"),
    (re.compile(r"^\s*([<>]=?)"), "something to compare is missing before the sign", "write for instance value < 90% * target"),
    (re.compile(r"(=<)"), "'=<' is written the other way round", "write <="),
    (re.compile(r"(=>)"), "'=>' is written the other way round", "write >="),
    (re.compile(r"(\d,\d+\s*%?)(?![\d(])"), "a decimal number has a point, not a comma", "write for instance 0.25"),
    (re.compile(r"(\d[ \u00a0\u202f]\d{3}\b)"), "a number has no spaces", "write for instance 60000"),
    (re.compile(r"[\w\"]\s+([A-Za-z\u00c0-\u024f_]\w*)\s*[),]"), "two names stand side by side", 'a name with a space goes in double quotes: orders."Order Date"'),
)  # fmt: skip
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_WORDS_BETWEEN = re.compile(
    r"\b(and|or|not|is|in|like|ilike|between|where|filter|distinct|then|else|when|case|end|by|over|as|interval|null|true|false|day|month|year|week|hour|desc|asc)\b",
    re.IGNORECASE,
)


def _slip(sql: str) -> tuple[str, int, str] | None:
    """Signs and numbers as they are written elsewhere. Only asked once a text could not be read."""
    outside = _QUOTED.sub(lambda m: "q" * len(m[0]), sql)
    plain = _WORDS_BETWEEN.sub(lambda m: "," * len(m[0]), outside)
    for position, (pattern, message, hint) in enumerate(_SLIPS):
        found = pattern.search(plain if position == len(_SLIPS) - 1 else outside)
        if found:
            return message, found.start(1), hint
    return None


def _source(text: Text) -> Source:
    pieces: list[str] = []
    shifts: list[tuple[int, int]] = []
    done = length = 0
    for found in _PERCENT.finditer(text.value):
        if found[1] is None:
            continue
        number = format(Decimal(found[1]) / 100, "f")
        pieces += [text.value[done : found.start()], number]
        length += found.start() - done + len(number)
        done = found.end()
        shifts.append((length, done - length))
    pieces.append(text.value[done:])
    return Source(text, "".join(pieces), tuple(shifts))


def _jinja(sql: str) -> tuple[str, int, str] | None:
    for braces in ("{{", "{%"):
        if braces in sql:
            hint = "conditions are plain SQL: count(deals) filter (where stage = 'won')"
            return f"'{braces}' belongs into report templates, not into formulas", sql.index(braces), hint
    return None


def _filter_alone(sql: str) -> tuple[str, int, str] | None:
    """``revenue filter (where …)``: sqlglot reads the name as a column and stops at the bracket."""
    found = re.search(r"\w\s+(filter)\s*\(", sql, re.IGNORECASE)
    if found is None or sql[: found.start() + 1].rstrip().endswith(")"):
        return None
    return (
        "filter (where …) belongs behind an aggregate",
        found.start(1),
        "write it as in count(deals) filter (where stage = 'won')",
    )


def _tokens_outside_quotes(sql: str) -> Iterator[tuple[int, str]]:
    quote = ""
    for offset, char in enumerate(sql):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            yield offset, char


def _unbalanced(sql: str) -> tuple[str, int, str] | None:
    open_quote = _open_quote(sql)
    if open_quote is not None:
        return "a quote is opened and not closed", open_quote, "close it with the same quote"
    opened: list[int] = []
    for offset, char in _tokens_outside_quotes(sql):
        if char == "(":
            opened.append(offset)
        elif char == ")":
            if not opened:
                return "this ')' closes nothing", offset, "remove it, or open it with '('"
            opened.pop()
    if opened:
        quoted = " (a formula with a comma inside {…} must be quoted)" if "," not in sql else ""
        return "this '(' is never closed", opened[-1], f"add the missing ')'{quoted}"
    return None


def _open_quote(sql: str) -> int | None:
    quote, start = "", 0
    for offset, char in enumerate(sql):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote, start = char, offset
    return start if quote else None


def _explain(error: ParseError, source: Source) -> tuple[str, int, str]:
    """sqlglot's message in plain words, with the offset that it is about."""
    if not error.errors:
        return "the formula cannot be read", 0, _EXAMPLE
    first = error.errors[0]
    lines = source.sql.split("\n")
    line, column = first.get("line") or 1, first.get("col") or 1
    highlight = first.get("highlight") or ""
    offset = sum(len(row) + 1 for row in lines[: line - 1]) + max(column - len(highlight), 0)
    near = f" near '{highlight}'" if highlight else ""
    description = str(first.get("description") or "")
    if description.startswith("Required keyword"):
        return (
            f"something is missing after{near[5:] or ' this'}" if near else "something is missing",
            offset,
            _EXAMPLE,
        )
    return f"the formula cannot be read{near}", offset, "check for a missing operator, comma or quote"


_AS = re.compile(r"\bas\s*$", re.IGNORECASE)


def _behind(tree: exp.Alias, source: Source) -> tuple[str, int, str]:
    """What a word behind a complete expression was meant to be: a unit, the rest of a name, or really a name."""
    at, name = _end_of(tree), tree.alias
    before = source.sql[:at]
    written = source.text.value
    if _AS.search(before):
        return "a formula has no 'as name'", at, "the KPI's name is its key in the file"
    if isinstance(tree.this, (exp.Literal, exp.Neg)):
        hint = f"write the number alone: {written[: source.written(at)].strip()}"
        return f"'{name}' stands behind a number", at, f"{hint}; what it counts goes under 'unit:'"
    if re.search(r"[\d%]\s*$", written[: source.written(at)]):
        known = name.lower() in CONDITION_NAMES
        hint = f"write for instance 80% * {name.lower()}" if known else "write the number alone"
        return f"'{name}' stands behind a number", at, hint
    if isinstance(tree.this, exp.Column) and not _QUOTED.search(written):
        hint = f"a name with a space goes in double quotes, and these in single ones: '\"{' '.join(written.split())}\"'"
        return "two names stand side by side", at, hint
    return (
        "two names stand side by side",
        at,
        'a name with a space goes in double quotes: orders."Order Date"',
    )


def _end_of(tree: exp.Expr) -> int:
    spans = [s for s in (span(n) for n in tree.walk()) if s]
    return max((s[0] for s in spans), default=0)


def _chained(tree: exp.Expr) -> exp.Expr | None:
    """``10 < value < 20``: the first number of such a chain."""
    signs = (exp.LT, exp.LTE, exp.GT, exp.GTE)
    for node in tree.find_all(*signs):
        if isinstance(node.this, signs):
            return next((n for n in node.walk() if span(n)), None)
    return None


def _too_deep(tree: exp.Expr) -> bool:
    level = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return False
    return True


__all__ = ["Parsed", "Source", "parse", "span"]
