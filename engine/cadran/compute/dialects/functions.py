"""Functions over numbers, texts and moments in another dialect, where they mean the same."""

from __future__ import annotations

from sqlglot import exp

from cadran.compute.dialects.base import call, grouped, text, whole
from cadran.compute.dialects.expressions import Expressions, Typed, handles
from cadran.compute.dialects.kinds import NUMBERS, TIMES, Kind, Unsupported

_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year", exp.Quarter: "quarter", exp.Month: "month", exp.Week: "week", exp.Day: "day",
    exp.DayOfWeekIso: "isodow", exp.Hour: "hour", exp.Minute: "minute",
}  # fmt: skip
_SECONDS = {"hour": 3600, "minute": 60, "second": 1}
_MONTHS = {"year": 12, "quarter": 3, "month": 1}


# --- numbers -----------------------------------------------------------------------------------------------------------------


@handles(exp.Abs)
def _abs(x: Expressions, node: exp.Abs) -> Typed:
    inner = x(node.this)
    if inner.kind not in NUMBERS:
        raise Unsupported(f"abs of {inner.kind}")
    sql = x.dialect.operand(inner.sql) if inner.kind is Kind.INT else inner.sql
    return Typed(exp.Abs(this=sql), inner.kind)


@handles(exp.Round)
def _round(x: Expressions, node: exp.Round) -> Typed:
    """Half away from zero, which databases promise for decimals only."""
    decimals = node.args.get("decimals")
    if not x.dialect.decimals or not (decimals is None or isinstance(decimals, exp.Literal)):
        raise x.dialect.no("round")
    value = x.of(node.this, Kind.DECIMAL)
    return Typed(call("ROUND", value, *([decimals.copy()] if decimals is not None else [])), Kind.DECIMAL)


# --- moments -------------------------------------------------------------------------------------------------------------------


def _moment(x: Expressions, node: exp.Expr) -> Typed:
    found = x(node)
    if found.kind not in TIMES:
        raise Unsupported(f"a part of {found.kind}")
    return found


@handles(*_PARTS)
def _part(x: Expressions, node: exp.Func) -> Typed:
    moment = _moment(x, node.this)
    return Typed(x.dialect.part(_PARTS[type(node)], moment.sql, moment.kind), Kind.INT)


@handles(exp.Extract)
def _extract(x: Expressions, node: exp.Extract) -> Typed:
    moment = _moment(x, node.expression)
    return Typed(x.dialect.part(node.this.name.lower(), moment.sql, moment.kind), Kind.INT)


@handles(exp.Date)
def _date(x: Expressions, node: exp.Date) -> Typed:
    moment = _moment(x, node.this)
    return Typed(x.dialect.date_of(moment.sql, moment.kind), Kind.DATE)


@handles(exp.TimestampTrunc, exp.DateTrunc)
def _truncated(x: Expressions, node: exp.Func) -> Typed:
    moment = _moment(x, node.this)
    if moment.kind is Kind.INSTANT:
        raise x.dialect.no("date_trunc of an instant")
    return Typed(x.dialect.truncated(node.args["unit"].name.lower(), moment.sql, moment.kind), Kind.TIME)


@handles(exp.DateDiff)
def _difference(x: Expressions, node: exp.DateDiff) -> Typed:
    """Boundaries between ``expression`` and ``this``."""
    start, end = _moment(x, node.expression), _moment(x, node.this)
    unit = node.args["unit"].name.lower()
    if unit == "day":
        days = (x.dialect.date_of(m.sql, m.kind) for m in (start, end))
        return Typed(x.dialect.days_between(*days), Kind.INT)
    if unit in _MONTHS:
        a, b = (_months(x, m, _MONTHS[unit]) for m in (start, end))
        return Typed(exp.Paren(this=exp.Sub(this=exp.Paren(this=b), expression=exp.Paren(this=a))), Kind.INT)
    if unit in _SECONDS and Kind.INSTANT not in (start.kind, end.kind):
        a, b = (x.dialect.time_of(m.sql, m.kind) for m in (start, end))
        return Typed(x.dialect.seconds_between(a, b, _SECONDS[unit]), Kind.INT)
    raise x.dialect.no(f"date_diff('{unit}')")


def _months(x: Expressions, moment: Typed, each: int) -> exp.Expr:
    """How many years, quarters or months lie before a moment."""
    year = x.dialect.part("year", moment.sql, moment.kind)
    if each == 12:
        return year
    unit = "quarter" if each == 3 else "month"
    counted = exp.Mul(this=grouped(year), expression=whole(12 // each))
    return exp.Add(this=counted, expression=grouped(x.dialect.part(unit, moment.sql.copy(), moment.kind)))


# --- texts -------------------------------------------------------------------------------------------------------------------------


@handles(exp.DPipe)
def _joined(x: Expressions, node: exp.DPipe) -> Typed:
    parts = [x(n) for n in (node.this, node.expression)]
    return Typed(x.dialect.joined([grouped(x.dialect.as_text(p.sql, p.kind)) for p in parts]), Kind.TEXT)


@handles(exp.Concat)
def _concat(x: Expressions, node: exp.Concat) -> Typed:
    """NULL counts as empty."""
    parts = [x(n) for n in node.expressions]
    texts = [exp.Coalesce(this=x.dialect.as_text(p.sql, p.kind), expressions=[text("")]) for p in parts]
    return Typed(x.dialect.joined(list(texts)), Kind.TEXT)


@handles(exp.Length)
def _length(x: Expressions, node: exp.Length) -> Typed:
    return Typed(x.dialect.length(x.of(node.this, Kind.TEXT)), Kind.INT)


@handles(exp.Trim)
def _trim(x: Expressions, node: exp.Trim) -> Typed:
    if node.expression:
        raise x.dialect.no("trim of given characters")
    which = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(str(node.args.get("position")).upper(), "TRIM")
    return Typed(call(which, x.of(node.this, Kind.TEXT)), Kind.TEXT)


def _count(x: Expressions, node: exp.Expr | None, least: int) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() and int(node.name) >= least:  # fmt: skip
        return int(node.name)
    raise x.dialect.no("part of a text by a computed or negative number")


@handles(exp.Substring)
def _substring(x: Expressions, node: exp.Substring) -> Typed:
    start, length = _count(x, node.args.get("start"), 1), node.args.get("length")
    size = whole(_count(x, length, 0)) if length is not None else None
    return Typed(x.dialect.substring(x.of(node.this, Kind.TEXT), start, size), Kind.TEXT)


@handles(exp.Left)
def _left(x: Expressions, node: exp.Left) -> Typed:
    size = _count(x, node.expression, 0)
    return Typed(x.dialect.substring(x.of(node.this, Kind.TEXT), 1, whole(size)), Kind.TEXT)


@handles(exp.Right)
def _right(x: Expressions, node: exp.Right) -> Typed:
    return Typed(x.dialect.right(x.of(node.this, Kind.TEXT), _count(x, node.expression, 1)), Kind.TEXT)


@handles(exp.StrPosition, exp.Contains, exp.StartsWith)
def _position(x: Expressions, node: exp.Func) -> Typed:
    """A part that is written out and not empty: what an empty one gives differs."""
    part = node.args.get("substr") or node.expression
    if not (isinstance(part, exp.Literal) and part.is_string and part.name):
        raise x.dialect.no("search for a computed text")
    position = x.dialect.position(x.of(node.this, Kind.TEXT), x(part).sql)
    if isinstance(node, exp.StrPosition):
        return Typed(position, Kind.INT)
    found = exp.GT if isinstance(node, exp.Contains) else exp.EQ
    return Typed(found(this=position, expression=whole(0 if found is exp.GT else 1)), Kind.BOOL)


@handles(exp.Replace)
def _replace(x: Expressions, node: exp.Replace) -> Typed:
    old = node.expression
    if not (isinstance(old, exp.Literal) and old.name):
        raise x.dialect.no("replacement of a computed text")
    parts = [x.of(n, Kind.TEXT) for n in (node.this, old, node.args["replacement"])]
    return Typed(call("REPLACE", *parts), Kind.TEXT)
