"""What an expression may hold: a closed list of node types, functions by name, and of the signs they are written with.

Two checks, because sqlglot folds spellings together (``a % b`` and ``mod(a, b)`` are one node, surplus arguments of
some functions are dropped): :func:`refused_text` reads the tokens as written, :func:`refused` one node of the tree.
The second alone is enough to keep out all that is dangerous: a node that is in no table below is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlglot import Token, TokenType, exp, tokenize
from sqlglot.errors import TokenError

from cadran.formula.functions import SIGN
from cadran.formula.scalars import ELSEWHERE, PARTS, SPELLINGS, TYPES, UNITS
from cadran.problems import listed, suggest

Finding = tuple[str, str]  # message, hint

_PLAIN: frozenset[type[exp.Expr]] = frozenset({
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren, exp.DPipe, exp.And, exp.Or, exp.Not, exp.Case,
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Like, exp.ILike, exp.Escape,
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null,
})  # fmt: skip

_NAMES: Mapping[type[exp.Expr], str] = {
    exp.Abs: "abs", exp.Cast: "cast", exp.Ceil: "ceil", exp.Coalesce: "coalesce", exp.Concat: "concat",
    exp.Contains: "contains", exp.CurrentDate: "current_date", exp.Date: "date", exp.DateDiff: "date_diff",
    exp.DateFromParts: "make_date", exp.DateTrunc: "date_trunc", exp.Day: "day", exp.DayOfWeekIso: "isodow",
    exp.DenseRank: "dense_rank", exp.EndsWith: "ends_with", exp.Exp: "exp", exp.Extract: "extract",
    exp.FirstValue: "first_value", exp.Floor: "floor", exp.Greatest: "greatest", exp.Hour: "hour", exp.If: "if",
    exp.Lag: "lag", exp.LastDay: "last_day", exp.LastValue: "last_value", exp.Lead: "lead", exp.Least: "least",
    exp.Left: "left", exp.Length: "length", exp.Ln: "ln", exp.Lower: "lower", exp.Minute: "minute", exp.Mod: "mod",
    exp.Month: "month", exp.Ntile: "ntile", exp.Nullif: "nullif", exp.Pow: "power", exp.Quarter: "quarter",
    exp.Rank: "rank", exp.RegexpExtract: "regexp_extract", exp.RegexpLike: "regexp_matches",
    exp.RegexpReplace: "regexp_replace", exp.Replace: "replace", exp.Right: "right", exp.Round: "round",
    exp.RowNumber: "row_number", exp.Sign: "sign", exp.SplitPart: "split_part", exp.Sqrt: "sqrt",
    exp.StartsWith: "starts_with", exp.StrPosition: "strpos", exp.StrToTime: "strptime", exp.Substring: "substring",
    exp.TimeToStr: "strftime", exp.TimestampTrunc: "date_trunc", exp.TryCast: "try_cast", exp.Upper: "upper",
    exp.Week: "week", exp.Year: "year",
}  # fmt: skip

_LISTS = "lists, structures and JSON are not values here; have the source give plain columns"
_QUERY = "there are no queries in an expression: use a measure of the dataset, a link or a derived column"
_STATEMENT = "write one expression, such as sum(orders.amount)"
_HINTS: tuple[tuple[tuple[type[exp.Expr], ...], str, str], ...] = (
    ((exp.Query, exp.Exists, exp.Table, exp.Values, exp.With), "a query", _QUERY),
    ((exp.Array, exp.Bracket, exp.Slice, exp.Struct, exp.ToMap, exp.Map, exp.PropertyEQ, exp.JSONExtract, exp.JSONPath,
      exp.JSONExtractScalar, exp.JSONPathPart, exp.JSON, exp.Explode, exp.Unnest), "a list or structure", _LISTS),
    ((exp.Lambda, exp.Kwarg), "a lambda or named argument", "write the arguments in their order"),
    ((exp.Star, exp.Columns), "'*'", "name what is meant: count(dataset) counts rows, count(column) in a derived column"),
    ((exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.PositionalColumn), "a placeholder",
     "settings are written ${NAME}; a name with a sign is quoted: \"a?\""),
    ((exp.Tuple,), "a list in parentheses", "it belongs behind in: x in (1, 2)"),
    ((exp.IntDiv, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseNot, exp.BitwiseXor, exp.BitwiseLeftShift,
      exp.BitwiseRightShift), "whole-number or bit arithmetic", "write floor(a / b), or mod(a, b)"),
    ((exp.Any, exp.All), "'any' or 'all'", "write x in (1, 2), or conditions joined by or"),
    ((exp.WithinGroup,), "'within group'", "write quantile(x, 0.9)"),
    ((exp.AtTimeZone,), "'at time zone'", "all times are in the calendar's zone; set calendar.timezone"),
    ((exp.Collate,), "'collate'", "write ilike, or compare lower(a) with lower(b)"),
    ((exp.SimilarTo, exp.Glob, exp.RegexpILike), "this match", "write like, ilike or regexp_matches(text, pattern, 'i')"),
    ((exp.Alias, exp.Aliases), "a name behind a value", "an operator or a quote is missing; a column with a space is \"a b\""),
    ((exp.RawString, exp.ByteString, exp.National, exp.HexString, exp.BitString), "this kind of text",
     "write text in single quotes: 'it''s'"),
    ((exp.DDL, exp.DML, exp.Command, exp.Block, exp.Set, exp.Pragma, exp.Attach, exp.Copy, exp.Drop), "a statement", _STATEMENT),
)  # fmt: skip


def function_name(node: exp.Expr) -> str | None:
    """How the user calls the function at this node (``date_diff``); None for operators and everything else."""
    if type(node) in _PLAIN or (isinstance(node, exp.If) and isinstance(node.parent, exp.Case)):
        return None
    if isinstance(node, exp.Anonymous):
        return str(node.name).lower().partition(SIGN)[0]
    if isinstance(node, exp.Trim):
        return {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")).upper(), "trim")
    if isinstance(node, exp.Pad):
        return "lpad" if node.args.get("is_left") else "rpad"
    if isinstance(node, exp.Log):
        return "log10" if node.expression and node.this.name == "10" else "log"
    if type(node) in _NAMES:
        return _NAMES[type(node)]
    if not isinstance(node, exp.Func):
        return None
    names = [name.lower() for name in node.sql_names()]
    return next((name for name in ELSEWHERE if name in names), names[0])


class _Where(NamedTuple):
    windows: bool
    beyond: Collection[str]

    def aggregate(self, node: object) -> bool:
        return isinstance(node, exp.Expr) and function_name(node) in self.beyond


def refused(node: exp.Expr, *, windows: bool, beyond: Collection[str] = ()) -> Finding | None:
    """(message, hint) if this single node (not its children) is no part of the language, else None.

    ``windows`` allows ``over (…)``; functions named in ``beyond`` (in small letters) are left to the caller.
    """
    if type(node) in _COMPARISONS and (found := _with_null(node)):
        return found
    if type(node) in _PLAIN or (isinstance(node, exp.If) and function_name(node) is None):
        return None
    where = _Where(windows, beyond)
    if type(node) in _RULES:
        fine, message, hint = _RULES[type(node)]
        return None if fine(node, where) else (message.format(node), hint)
    if isinstance(node, exp.DataType):
        return _type(node)
    if isinstance(node, exp.Window):
        return _window(node, where)
    for kinds, what, hint in _HINTS:
        if isinstance(node, kinds):
            return f"{what} is not part of the expression language", hint
    name = function_name(node)
    if name is None:
        return f"'{type(node).__name__.lower()}' is not part of the expression language", _STATEMENT
    return None if name in where.beyond else _function(node, name, where)


_COMPARISONS = frozenset({exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE})


def _with_null(node: exp.Expr) -> Finding | None:
    """A comparison with null is neither true nor false, so a condition that holds one never does."""
    sides = (node.this, node.expression)
    if not any(isinstance(side, exp.Null) for side in sides):
        return None
    what = next((side.sql("duckdb") for side in sides if not isinstance(side, exp.Null)), "x")
    test = "is not null" if isinstance(node, exp.NEQ) else "is null"
    return "a comparison with null never holds", f"write {what if len(what) <= 40 else 'x'} {test}"


def _function(node: exp.Expr, name: str, where: _Where) -> Finding | None:
    known = type(node) in (*_NAMES, exp.Trim, exp.Pad, exp.Log) or name == "now"
    if not known or name not in SPELLINGS:
        return unknown(name, where.beyond)
    over = isinstance(node.parent, (exp.Window, exp.IgnoreNulls, exp.RespectNulls))
    if SPELLINGS[name].group == "window" and not over:
        return f"{name}() needs over (…)", f"write {SPELLINGS[name].example}"
    count = sum(len(v) if isinstance(v, list) else isinstance(v, exp.Expr) for v in node.args.values())
    return _miscounted(name, count - isinstance(node, exp.Log)) or _constant(node, name)


def unknown(name: str, beyond: Iterable[str] = ()) -> Finding:
    """What to say of a function that does not exist."""
    hint = ELSEWHERE.get(name) or suggest(name, [*SPELLINGS, *beyond])
    return f"unknown function '{name}'", hint or "docs/functions.md lists all functions"


def _miscounted(name: str, count: int, *, surplus_only: bool = False) -> Finding | None:
    scalar = SPELLINGS[name]
    least, most = scalar.takes
    if (surplus_only or count >= least) and (most is None or count <= most):
        return None
    number = {least == most: str(least), most is None: f"at least {least}"}.get(True, f"{least} to {most}")
    return (
        f"{name}() takes {number} argument{'s' * (number != '1')}, not {count}",
        f"write {scalar.signature}",
    )


def _constant(node: exp.Expr, name: str) -> Finding | None:
    """Arguments that have to be written out, because their values decide what the expression means."""
    args, example = node.args, f"write {SPELLINGS[name].example}"
    if name in ("date_diff", "date_trunc", "extract"):
        allowed = {"extract": PARTS, "date_trunc": UNITS}.get(name, tuple(u for u in UNITS if u != "week"))
        given = node.this if name == "extract" else args.get("unit")
        word = given.name.lower() if isinstance(given, (exp.Var, exp.Literal)) else str(given).lower()
        return None if word in allowed else _no_unit(name, word, allowed)
    if not _whole(args.get("decimals")) or not _whole(args.get("group")):
        return f"the last argument of {name}() must be a plain whole number", example
    options = args.get("flag") or args.get("modifiers")
    if options and not (_text(options) and set(options.name) <= set("ig")):
        return f"the options of {name}() are 'i' and 'g'", f"write {SPELLINGS[name].signature}"
    backwards = name == "strftime" and _text(node.this)
    if name in ("strftime", "strptime") and (backwards or not _text(args.get("format"))):
        return f"the format of {name}() must be written out, behind the value", example
    return None


def _no_unit(name: str, given: str, allowed: tuple[str, ...]) -> Finding:
    if (name, given) == ("date_diff", "week"):
        days = "date_diff('day', date_trunc('week', a), date_trunc('week', b)) / 7"
        return "date_diff() has no 'week', which may mean 7 days or Mondays", f"write {days}"
    hint = (
        "isodow counts from Monday = 1"
        if given in ("dow", "dayofweek", "weekday")
        else suggest(given, allowed)
    )
    return f"'{given}' is no unit of {name}()", hint or f"one of {listed(allowed, 12)}"


def _text(node: object) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _whole(node: exp.Expr | None) -> bool:
    value = node.this if isinstance(node, exp.Neg) else node
    return value is None or (isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit())


# --- nodes that are no functions ---------------------------------------------------------------------------------


def _type(node: exp.DataType) -> Finding | None:
    digits = [int(p.name) for p in node.expressions if isinstance(p, exp.DataTypeParam) and p.name.isdigit()]
    if (
        isinstance(node.parent, exp.Cast)
        and not node.args.get("nested")
        and len(digits) == len(node.expressions)
    ):
        if node.this == exp.DType.DECIMAL and digits:
            fits = 1 <= digits[0] <= 38 and digits[-1] <= digits[0]
            return None if fits else ("a decimal has 1 to 38 digits in all", "write decimal(18, 2)")
        if node.this in _TYPES and not digits:
            return None
    return f"'{node.sql('duckdb').lower()}' is no type of the language", f"one of {listed(TYPES, 12)}"


def _window(node: exp.Window, where: _Where) -> Finding | None:
    wrapped = isinstance(node.this, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls))
    name = function_name(node.this.this if wrapped else node.this) or "this"
    scalar = SPELLINGS.get(name)
    if not where.windows:
        return (
            "window functions (over …) are only for derived columns",
            "declare it under the dataset's columns:",
        )
    if node.args.get("alias"):
        return "a window must be written out", "write over (partition by … order by …)"
    if name in where.beyond:
        return None
    if not scalar or scalar.group != "window":
        return f"{name} cannot be used with over (…)", "the window functions are in docs/functions.md"
    if not node.args.get("order"):
        return f"{name}() over (…) needs an order", f"write {scalar.example}"
    if name == "last_value" and not node.args.get("spec"):
        return "last_value() needs its frame, which else ends at the row itself", f"write {scalar.example}"
    return None


def _is_interval(node: exp.Expr, _: _Where) -> bool:
    number, unit = node.this, node.args.get("unit")
    whole = isinstance(number, exp.Literal) and number.name.lstrip("-").isdigit()
    return whole and isinstance(unit, exp.Var) and unit.name.lower().removesuffix("s") in UNITS


def _inside(*parents: type[exp.Expr]) -> Callable[[exp.Expr, _Where], bool]:
    return lambda node, _: isinstance(node.parent, parents)


_TYPES = frozenset({
    exp.DType.BOOLEAN, exp.DType.INT, exp.DType.BIGINT, exp.DType.DOUBLE, exp.DType.TEXT, exp.DType.DATE,
    exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPTZ,
})  # fmt: skip
_UNITED = (exp.Interval, exp.DateDiff, exp.DateTrunc, exp.TimestampTrunc, exp.Extract)
_ORDER = "an order belongs into over (…), and there only"
# What one of these nodes must be like, else the message ({0} is the node) and the hint.
_RULES: Mapping[type[exp.Expr], tuple[Callable[[Any, _Where], bool], str, str]] = {
    exp.Between: (lambda n, _: not n.args.get("symmetric"), "'between symmetric' is not part of the language",
                  "write between least(a, b) and greatest(a, b)"),
    exp.In: (lambda n, _: bool(n.expressions), "behind 'in' a list of values is expected", "write x in (1, 2)"),
    exp.Is: (lambda n, _: isinstance(n.expression, (exp.Null, exp.Boolean)), "'is' goes with null, true and false",
             "write a = b, or a is not distinct from b"),
    exp.Dot: (lambda n, _: isinstance(n.expression, exp.Identifier) and isinstance(n.this, (exp.Column, exp.Dot)),
              "a dot joins only names of links and columns", "write f(x), not x.f()"),
    exp.Interval: (_is_interval, "an interval is one whole number and one unit",
                   f"write interval '3' day; units are {listed(UNITS, 12)}. For a column: n * interval '1' day"),
    exp.Var: (_inside(*_UNITED), "'{0.name}' means nothing here", "a column of that name is quoted"),
    exp.DataTypeParam: (_inside(exp.DataType), "digits of a type cannot stand here", ""),
    exp.WindowSpec: (lambda n, _: str(n.args.get("kind")).lower() in ("rows", "range") and not n.args.get("exclude"),
                     "this frame is not part of the language", "write rows between … and …, or range between … and …"),
    exp.Order: (_inside(exp.Window), "'order by' cannot stand here", _ORDER),
    exp.Ordered: (_inside(exp.Order), "'order by' cannot stand here", _ORDER),
    exp.IgnoreNulls: (_inside(exp.Window), "'ignore nulls' cannot stand here", "it belongs to over (…)"),
    exp.RespectNulls: (_inside(exp.Window), "'respect nulls' cannot stand here", "it belongs to over (…)"),
    exp.Where: (_inside(exp.Filter), "'where' cannot stand here", "write sum(x) filter (where condition)"),
    exp.Filter: (lambda n, where: where.aggregate(n.this), "filter (where …) belongs behind an aggregate",
                 "write if(condition, x, null)"),
    exp.Distinct: (lambda n, where: where.aggregate(n.parent) and not n.args.get("on"), "'distinct' cannot stand here",
                   "write count(distinct x)"),
}  # fmt: skip


# --- as written --------------------------------------------------------------------------------------------------


# Most tokens are one of these, and need no second look.
_FINE_TOKENS = frozenset({
    TokenType.STRING, TokenType.NUMBER, TokenType.COMMA, TokenType.DOT, TokenType.L_PAREN, TokenType.R_PAREN,
    TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.LT, TokenType.GT, TokenType.LTE,
    TokenType.GTE,
})  # fmt: skip
_PLAIN_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_PLAIN_WORDS = frozenset({TokenType.AND, TokenType.OR, TokenType.WHERE, TokenType.NULL, TokenType.IS})
_BEFORE_TYPES = frozenset({TokenType.ALIAS, TokenType.DCOLON})


class Refusal(NamedTuple):
    message: str
    hint: str
    start: int
    end: int  # inclusive, as sqlglot counts


_SIGNS = frozenset(
    ["(", ")", ",", ".", "+", "-", "*", "/", "=", "<>", "!=", "<", "<=", ">", ">=", "||", "::"]
)
_SIGN_HINTS = {
    "%": "write mod(a, b); percent stands right behind a number", "**": "write power(x, y)", "^": "write power(x, y)",
    "//": "write floor(a / b)", "==": "write =", "!": "write not", "@": "write abs(x)", ";": "write one expression",
    "~": "write regexp_matches(text, pattern)", "~~": "write like", "[": _LISTS, "{": _LISTS, "->": _LISTS, "->>": _LISTS,
    "`": 'names are quoted with "', "?": "there are no placeholders", "$": "there are no placeholders",
    ":": "a cast is written x::type", "<=>": "write a is not distinct from b",
}  # fmt: skip
_BEFORE_PARENTHESIS = frozenset({  # words of the syntax, which call nothing
    "as", "and", "or", "not", "in", "is", "like", "ilike", "escape", "between", "case", "when", "then", "else", "interval",
    "over", "filter", "where", "by", "distinct", "from", "exists", "any", "all", "some", "select", "with", "group", "within",
})  # fmt: skip


def refused_text(text: str, *, beyond: Collection[str] = ()) -> list[Refusal]:
    """What in the text as written (percents already replaced) is no part of the language: signs, functions by the
    names that were typed, surplus arguments, ``decimal`` without digits. Empty where the text cannot be split."""
    try:
        tokens = tokenize(text, read="duckdb")
    except TokenError:
        return []
    return refused_tokens(tokens, beyond=beyond)


def refused_tokens(tokens: list[Token], *, beyond: Collection[str] = ()) -> list[Refusal]:
    """:func:`refused_text` for a text that has been split already."""
    out: list[Refusal] = []
    last = len(tokens) - 1
    before = None
    for i, token in enumerate(tokens):
        kind = token.token_type
        if kind in _PLAIN_NAMES or kind in _PLAIN_WORDS:
            called = i < last and tokens[i + 1].token_type == TokenType.L_PAREN
            suspect = called or before in _BEFORE_TYPES
        else:
            suspect = kind not in _FINE_TOKENS or (kind == TokenType.STRING and before == TokenType.DOT)
        if suspect:
            out += [
                Refusal(*finding, token.start, token.end) for finding in _refused_token(tokens, i, beyond)
            ]
        before = kind
    return out


def _refused_token(tokens: list[Token], i: int, beyond: Collection[str]) -> Iterator[Finding]:
    token, name = tokens[i], tokens[i].text.lower()
    kind, before = token.token_type, tokens[i - 1].token_type if i else None
    called = i + 1 < len(tokens) and tokens[i + 1].token_type == TokenType.L_PAREN
    if kind == TokenType.STRING and before == TokenType.DOT:
        yield (
            "a text stands where a column's name is expected",
            f'a name goes in double quotes: "{token.text}"',
        )
    if kind in (TokenType.STRING, TokenType.NUMBER):
        return
    if kind.name.endswith("_STRING"):
        yield "this kind of text is not part of the language", "write text in single quotes: 'it''s'"
    elif kind != TokenType.IDENTIFIER and not (name[0].isalpha() or name[0] == "_"):
        if name not in _SIGNS:
            hint = _SIGN_HINTS.get(name, "docs/functions.md lists all operators")
            yield f"'{name}' is not part of the language", hint
    elif before in (TokenType.ALIAS, TokenType.DCOLON):
        if name in ("decimal", "numeric", "dec") and not called:
            yield f"'{name}' needs its digits", "write decimal(18, 2)"
    elif called and before != TokenType.DOT and name not in beyond and name not in _BEFORE_PARENTHESIS:
        yield from _refused_call(name, _arguments(tokens, i + 1), beyond)
    elif called and name in ("like", "ilike") and _arguments(tokens, i + 1) > 1:
        yield f"'{name}' is no function", f"write text {name} pattern"


def _refused_call(name: str, count: int, beyond: Collection[str]) -> Iterator[Finding]:
    found = _miscounted(name, count, surplus_only=True) if name in SPELLINGS else unknown(name, beyond)
    if name == "position" and count > 1:  # sqlglot would take the two the other way round
        found = "position() takes no list of arguments", "write position(part in text), or strpos(text, part)"
    if found:
        yield found


def _arguments(tokens: list[Token], opening: int) -> int:
    """How many arguments stand between this parenthesis and its partner, counting commas."""
    depth, commas = 0, 0
    for token in tokens[opening:]:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if not depth:
            break
        commas += depth == 1 and token.token_type == TokenType.COMMA
    empty = opening + 1 < len(tokens) and tokens[opening + 1].token_type == TokenType.R_PAREN
    return 0 if empty else commas + 1
