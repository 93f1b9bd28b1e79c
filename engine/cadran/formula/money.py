"""Currencies: which one a measure is in, and whether it must be converted by the project's rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from cadran.declare.model import Declaration, Text
from cadran.formula.measures import Conversion, Lookup, Measure, ResolvedDataset, ref_node, ref_of
from cadran.formula.scope import Scope, Unresolved
from cadran.problems import Problem

_MONEY_FUNCTIONS = {"sum", "avg", "min", "max", "median", "quantile", "stddev"}


class MoneyReader:
    """Finds the money columns behind a measure's argument, through derived columns and links."""

    def __init__(
        self,
        declaration: Declaration,
        scope: Scope,
        datasets: Mapping[str, ResolvedDataset],
        lookups: Mapping[str, Lookup],
    ) -> None:
        self.declaration, self.scope, self.datasets, self.lookups = declaration, scope, datasets, lookups

    def convert(self, measure: Measure) -> Measure:
        """The measure with its currency noted. Raises :class:`Unresolved` where currencies are mixed."""
        if measure.function not in _MONEY_FUNCTIONS or measure.argument is None:
            return measure
        found = list(dict.fromkeys(self._behind(measure.dataset, measure.argument, frozenset())))
        if any(money.mixed for money in found):
            raise self._problem(
                measure,
                "a derived column behind it adds amounts in several currencies",
                "filter by currency in the derived column, or sum the amounts in the measure itself",
            )
        if not found:
            return measure
        if len(found) > 1:
            raise self._problem(
                measure,
                "the amount mixes columns in different currencies",
                "keep them in measures of their own",
            )
        money = found[0]
        fixed = self._fixed_by_filter(measure, money)
        if fixed:
            money = Conversion(code=fixed)
        return self._decide(measure, money)

    def _decide(self, measure: Measure, money: Conversion) -> Measure:
        ours, rates = self.declaration.currency, self.declaration.rates
        if rates is None or (money.code and money.code == ours):
            return replace(measure, money=money)
        if not ours:
            raise self._problem(
                measure,
                "rates convert into the project's currency, and none is declared",
                "add 'currency: EUR' at the top of the file",
            )
        return replace(measure, money=money, convert=True)

    def _behind(self, dataset: str, node: exp.Expr, seen: frozenset[tuple[str, str]]) -> list[Conversion]:
        out: list[Conversion] = []
        for column in node.find_all(exp.Column):
            path, name = ref_of(column)
            owner = self._owner(dataset, path)
            if owner is None or (owner, name) in seen:
                continue
            money = {
                self.scope.column(owner, n) or n: text
                for n, text in self.declaration.datasets[owner].money.items()
            }
            if name in money:
                out.append(self._conversion(owner, path, money[name].value))
                continue
            derived = self.datasets[owner].derived.get(name) if owner in self.datasets else None
            if derived is not None:
                inner = self._behind(owner, derived, seen | {(owner, name)})
                if derived.find(exp.Window):
                    inner = [replace(c, mixed=True) if c.column is not None else c for c in inner]
                out += [
                    self._seen_from(path, c)
                    for c in [*inner, *self._looked_up(derived, seen | {(owner, name)})]
                ]
        return out

    def _looked_up(self, derived: exp.Expr, seen: frozenset[tuple[str, str]]) -> list[Conversion]:
        """The currencies behind aggregates of datasets that link here: one row adds many rows' amounts."""
        out: list[Conversion] = []
        for node in derived.find_all(exp.Placeholder):
            measure = self.lookups[str(node.this)].measure
            if measure.function not in _MONEY_FUNCTIONS or measure.argument is None:
                continue
            for money in self._behind(measure.dataset, measure.argument, seen):
                fixed = self._fixed_by_filter(measure, money)
                out.append(Conversion(code=fixed or money.code, mixed=not (fixed or money.code)))
        return out

    def _owner(self, dataset: str, path: tuple[str, ...]) -> str | None:
        here = dataset
        for step in path:
            link = self.scope.link(here, step)
            if link is None or link.to not in self.declaration.datasets:
                return None
            here = link.to
        return here

    def _conversion(self, owner: str, path: tuple[str, ...], text: str) -> Conversion:
        if len(text) == 3 and text.isalpha() and text.isupper():
            return Conversion(code=text)
        column = self.scope.bind_path(self._text(owner, text), owner, f"datasets.{owner}.money")
        return self._seen_from(path, Conversion(column=column))

    def _text(self, owner: str, text: str) -> Text:
        return next(t for t in self.declaration.datasets[owner].money.values() if t.value == text)

    def _seen_from(self, path: tuple[str, ...], money: Conversion) -> Conversion:
        if money.column is None:
            return money
        inner, name = ref_of(money.column)
        return replace(money, column=ref_node((*path, *inner), name))

    def _fixed_by_filter(self, measure: Measure, money: Conversion) -> str:
        """``filter (where currency = 'EUR')`` settles the currency of a column that holds several."""
        if money.column is None or measure.condition is None:
            return ""
        condition = measure.condition
        conjuncts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
        for part in conjuncts:
            if (
                isinstance(part, exp.EQ)
                and part.this == money.column
                and isinstance(part.expression, exp.Literal)
            ):
                return str(part.expression.this)
        return ""

    def _problem(self, measure: Measure, message: str, hint: str) -> Unresolved:
        origin = measure.origin
        return Unresolved(
            Problem("currencies", message, origin.parsed.position(origin.node), origin.subject, hint)
        )


def rates_hint(declaration: Declaration) -> str:
    """How amounts in several currencies are converted, with lines that work as they stand."""
    home = declaration.currency or "EUR"
    other = "USD" if home == "CHF" else "CHF"
    files = next((source.name for source in declaration.sources.values() if source.connector == "files"), "")
    source = files or "finance"
    lines = [f"'currency: {home}'"] * (not declaration.currency) + [f"'rates: {{from: {source}.rates}}'"]
    new = "" if files else f" and, under 'sources:', '{source}: {{connector: files, path: data}}'"
    return (
        f"a table of rates converts them: write {' and '.join(lines)}{new}, and put a rates.csv into that source's folder: "
        f"date,currency,rate, and lines such as 2026-01-01,{other},1.07, what one {other} is worth in {home} from that day on "
        "(docs/sources.md, 'Amounts in several currencies')"
    )
