"""Percentages written as whole numbers: in a formula 6 is 600 %, where 6% was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from sqlglot import exp

from cadran.declare.model import AlertRule, Kpi, Text
from cadran.formula.parse import Parsed, parse, span
from cadran.problems import Problem

_PLAIN = re.compile(r"\d+(\.\d+)?")
_SUSPECT = re.compile(r"(?<![\w.])\d+(\.\d+)?(?![\w.(]|\s*%)")
_LEVELS = frozenset({"value", "target", "previous", "year_ago", "change"})  # in percent, as the KPI is
_SIGNS = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.Between)
_SUMS = (exp.Column, exp.Identifier, exp.Add, exp.Sub, exp.Neg, exp.Paren, exp.Abs)
# From where on a number is rather a forgotten %. A rate above 150 % is rare, a target above 500 % rarer still;
# a factor may be a real one (a value of more than 3 times the previous), and is doubted least where nothing is in percent.
_MOST_COMPARED, _LEAST_TARGET, _MOST_FACTOR, _LEAST_FACTOR_ELSEWHERE = Decimal("1.5"), 5, 5, 50


def percent_slips(kpi: Kpi) -> Iterator[Problem]:
    """Warnings about a KPI's targets and alert conditions."""
    if kpi.unit == "percent":
        for target in kpi.targets:
            yield from _target(target.value, kpi)
    for rule in kpi.alerts:
        yield from _rule(rule, kpi)


def _target(text: Text | None, kpi: Kpi) -> Iterator[Problem]:
    if text is not None and _PLAIN.fullmatch(text.value) and Decimal(text.value) >= _LEAST_TARGET:
        message = f"a target of {text.value} is {_hundredfold(text.value)} %"
        yield Problem("percent", message, text.place.position(), kpi.name, f"write {text.value}%", "warning")


def _rule(rule: AlertRule, kpi: Kpi) -> Iterator[Problem]:
    for text in (rule.when, rule.clear):
        parsed = parse(text, kpi.name)[0] if text is not None and _SUSPECT.search(text.value) else None
        if parsed is not None:
            yield from _factors(parsed, kpi)
            yield from _constants(parsed, kpi) if kpi.unit == "percent" else ()


def _constants(parsed: Parsed, kpi: Kpi) -> Iterator[Problem]:
    """``value > 6``."""
    for node in parsed.tree.find_all(*_SIGNS):
        sides = [node.this, *(node.args.get(key) for key in ("expression", "low", "high"))]
        if not any(_is_level(side) for side in sides):
            continue
        for side in sides:
            number = _number(side, parsed)
            if number and Decimal(number) > _MOST_COMPARED:
                percent = _hundredfold(number)
                hint = f"write {number}%; or {percent}% if so much is meant"
                yield _warn(f"{number} is {percent} %", side, parsed, kpi, hint)


def _factors(parsed: Parsed, kpi: Kpi) -> Iterator[Problem]:
    """``value < 80 * target``."""
    for node in parsed.tree.find_all(exp.Mul):
        for factor, other in ((node.this, node.expression), (node.expression, node.this)):
            number, name = (
                _number(factor, parsed),
                other.name.lower() if isinstance(other, exp.Column) else "",
            )
            if not number or name not in _LEVELS:
                continue
            in_percent = kpi.unit == "percent" and Decimal(number) > _MOST_FACTOR
            if in_percent or (name == "target" and Decimal(number) >= _LEAST_FACTOR_ELSEWHERE):
                message = f"{number} * {name} is {_hundredfold(number)} % of it"
                yield _warn(message, factor, parsed, kpi, f"write {number}% * {name}")


def _warn(message: str, node: exp.Expr, parsed: Parsed, kpi: Kpi, hint: str) -> Problem:
    return Problem("percent", message, parsed.position(node), f"{kpi.name}.alert", hint, "warning")


def _is_level(side: exp.Expr | None) -> bool:
    """A sum or a difference of what is in percent."""
    nodes = list(side.walk()) if side is not None else []
    columns = [node.name.lower() for node in nodes if isinstance(node, exp.Column)]
    return bool(columns) and set(columns) <= _LEVELS and all(isinstance(node, _SUMS) for node in nodes)


def _number(node: exp.Expr | None, parsed: Parsed) -> str:
    """A plain number as it is written, without its sign; empty for a percentage and all else."""
    node = node.this if isinstance(node, exp.Neg) else node
    spot = span(node) if isinstance(node, exp.Literal) and not node.is_string else None
    if spot is None:
        return ""
    written = parsed.source.text.value[parsed.source.written(spot[0]) :]
    found = re.match(r"[\d.]+(?!\s*%)(?![\d.])", written)
    return found[0] if found and _PLAIN.fullmatch(found[0]) else ""


def _hundredfold(number: str) -> str:
    return format((Decimal(number) * 100).normalize(), "f")
