"""The rules that a backtest tries, as they are given on the command line: committed ones, a condition, or a sweep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from cadran.calendar import Grain
from cadran.declare import nodes
from cadran.declare.document import Document, Place
from cadran.declare.model import AlertRule, Declaration, Text
from cadran.problems import Position, Problem, ProblemsFound, listed, suggest

MOST = 100  # values of a sweep
_RANGE = re.compile(r"\s*(\w+)\s*=\s*(-?[\d.]+)(%?)\s*\.\.\s*(-?[\d.]+)(%?)\s*(?::\s*([\d.]+)(%?)\s*)?")
_STEPS = 10  # of a sweep that does not say how wide they are


@dataclass(frozen=True, slots=True)
class Given:
    """What a command says of the rule. None: as in the rule that is named, or as a rule is that does not say."""

    rule: str = ""
    when: str = ""
    clear: str | None = None
    hold: int | None = None
    keep: int | None = None
    scope: str | None = None
    grain: str | None = None
    severity: str | None = None
    on_missing: Literal["keep", "alert", "ok"] | None = None
    sweep: str = ""  # a condition with ``{x}`` in it
    over: str = ""  # x=80%..98%:2%


@dataclass(frozen=True, slots=True)
class Sweep:
    name: str
    values: tuple[str, ...]


def rules(given: Given, declaration: Declaration, kpi: str) -> list[AlertRule]:
    """All rules to be tried. Raises ProblemsFound, with places in the texts that were given."""
    found = declaration.kpis.get(kpi)
    known = found.alerts if found is not None else ()
    if found is None or not found.periods:
        return []  # what is wrong with the KPI is said where it is looked for
    base = [_changed(rule, given) for rule in _named(given, known, kpi)]
    for rule in base:
        _check(rule, found.periods, {name for names in found.segments for name in names}, kpi)
    if not given.sweep:
        return base
    return [swept for rule in base for swept in _swept(rule, given)]


def sweep(given: Given) -> Sweep | None:
    """What a sweep puts in. Raises ProblemsFound."""
    if not given.sweep:
        return None
    match = _RANGE.fullmatch(given.over)
    if match is None:
        raise _wrong(
            "bad-sweep", f"'{given.over}' is no range", "write x=80%..98%, or x=80%..98%:2%", given.over
        )
    name, low, low_percent, high, high_percent, step, step_percent = match.groups()
    if low_percent != high_percent or (step and step_percent != low_percent):
        raise _wrong(
            "bad-sweep",
            f"'{given.over}' mixes percents and numbers",
            "write % at all of them, or at none",
            given.over,
        )
    first, last = _number(low, given.over), _number(high, given.over)
    wide = _number(step, given.over) if step else (last - first) / _STEPS
    if last < first or wide <= 0 or (last - first) / wide >= MOST:
        hint = f"write the smaller one first, and a step that gives at most {MOST} values"
        raise _wrong(
            "bad-sweep", f"'{given.over}' is no range from a smaller to a larger number", hint, given.over
        )
    if f"{{{name}}}" not in given.sweep:
        at = given.sweep.find("{")
        raise _wrong(
            "bad-sweep",
            f"the condition has no {{{name}}}",
            f"write for instance value < {{{name}}} * target",
            given.sweep,
            max(at, 0),
        )
    count = int((last - first) / wide)
    return Sweep(name, tuple(f"{_plain(first + n * wide)}{low_percent}" for n in range(count + 1)))


def lines_of(given: Given) -> dict[str, list[str]]:
    """The texts that were given, by what problems call their places."""
    texts = {"--when": given.when, "--clear": given.clear or "", "--sweep": given.sweep}
    return {name: text.split("\n") for name, text in texts.items() if text}


# --- the rules ---------------------------------------------------------------------------------------------------------


def _named(given: Given, known: Sequence[AlertRule], kpi: str) -> list[AlertRule]:
    if given.rule:
        found = [rule for rule in known if rule.name == given.rule]
        if not found:
            names = [rule.name for rule in known]
            hint = suggest(given.rule, names) or (
                f"its rules are {listed(names)}" if names else "it has none; write one with --when"
            )
            raise ProblemsFound(
                [Problem("unknown-rule", f"'{kpi}' has no alert rule '{given.rule}'", None, kpi, hint)]
            )
        return found
    if given.when or given.sweep:
        text = given.when or given.sweep
        return [AlertRule(" ".join(text.split()), _text(text, "--when"), _place(text, "--when"))]
    if not known:
        raise ProblemsFound(
            [
                Problem(
                    "no-rule",
                    f"'{kpi}' has no alert rule",
                    None,
                    kpi,
                    "write one with --when 'value < 90% * target'",
                )
            ]
        )
    return list(known)


def _changed(rule: AlertRule, given: Given) -> AlertRule:
    changes: dict[str, Any] = {
        "hold": given.hold, "keep": given.keep, "severity": given.severity, "on_missing": given.on_missing,
        "grain": _grain(given.grain) if given.grain else None, "clear": _text(given.clear, "--clear") if given.clear else None,
        "scope": _scope(given.scope) if given.scope else None, "when": _text(given.when, "--when") if given.when else None,
    }  # fmt: skip
    return replace(rule, **{name: value for name, value in changes.items() if value is not None})


def _grain(text: str) -> Grain:
    try:
        return Grain(text)
    except ValueError:
        names = [str(grain) for grain in Grain]
        hint = suggest(text, names) or f"there are {listed(names, 10)}"
        raise ProblemsFound(
            [Problem("unknown-period", f"'{text}' is not a period", None, "", hint)]
        ) from None


def _scope(text: str) -> Literal["each", "total"] | tuple[str, ...]:
    whole: dict[str, Literal["each", "total"]] = {"each": "each", "total": "total"}
    if text in whole:
        return whole[text]
    return tuple(part.strip() for part in text.split(","))


def _check(rule: AlertRule, periods: Sequence[Grain], segments: set[str], kpi: str) -> None:
    grains = [str(grain) for grain in periods]
    if rule.grain is not None and str(rule.grain) not in grains:
        hint = suggest(str(rule.grain), grains) or f"it has: {listed(grains)}"
        raise ProblemsFound(
            [Problem("not-a-period-of-it", f"this KPI has no period '{rule.grain}'", None, kpi, hint)]
        )
    for name in rule.scope if isinstance(rule.scope, tuple) else ():
        if name not in segments:
            known = sorted(segments)
            hint = suggest(name, known) or (f"it has: {listed(known)}" if known else "write --scope total")
            raise ProblemsFound(
                [Problem("not-a-segment-of-it", f"this KPI has no segment '{name}'", None, kpi, hint)]
            )


def _swept(rule: AlertRule, given: Given) -> Iterator[AlertRule]:
    found = sweep(given)
    assert found is not None
    for value in found.values:
        number = f"({value})" if value.startswith("-") else value
        text = given.sweep.replace(f"{{{found.name}}}", number)
        yield replace(rule, name=f"{rule.name} · {found.name} = {value}", when=_text(text, "--sweep"))


# --- texts -------------------------------------------------------------------------------------------------------------


def _place(text: str, option: str) -> Place:
    return Place(Document(text, option, nodes.text_node(text), text))


def _text(text: str, option: str) -> Text:
    return Text(text, _place(text, option))


def _number(text: str, whole: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise _wrong("bad-sweep", f"'{text}' is no number", "write x=80%..98%", whole) from None


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wrong(code: str, message: str, hint: str, text: str, at: int = 0) -> ProblemsFound:
    return ProblemsFound(
        [Problem(code, message, Position("--sweep", 1, at + 1, max(len(text) - at, 1)), "", hint)]
    )
