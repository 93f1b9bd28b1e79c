"""The whole project resolved: every dataset's and KPI's names bound, formulas reduced to trees over leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from cadran.declare.findings import subject_of
from cadran.declare.model import AlertRule, Dataset, Declaration, TargetCase, Text
from cadran.formula.added import functions_of
from cadran.formula.aggregates import MeasureReader, is_measure
from cadran.formula.behind import as_declared, check_cohorts
from cadran.formula.checks import check_datasets, check_kpi, check_segment_names
from cadran.formula.datasets import resolve_dataset
from cadran.formula.dimensions import Dimensions
from cadran.formula.functions import Functions, is_added
from cadran.formula.leaves import Leaves
from cadran.formula.measures import (
    At,
    Leaf,
    Lookup,
    Measure,
    Model,
    ResolvedDataset,
    ResolvedKpi,
    ResolvedRule,
    ResolvedTarget,
    Rolling,
    Shift,
    ToDate,
    Transform,
    YearAgo,
    leaves_in,
)  # fmt: skip
from cadran.formula.money import MoneyReader
from cadran.formula.parse import Parsed, parse
from cadran.formula.rows import rebuild
from cadran.formula.scope import BrokenReference, Scope, Unresolved, parts_of
from cadran.formula.scores import check_score
from cadran.formula.syntax import refused
from cadran.formula.vocabulary import CONDITION_NAMES, OVER_KPIS, WORDS, word_of
from cadran.problems import Problem, listed, suggest

_ATOMS = (exp.Literal, exp.Boolean, exp.Null, exp.DataType, exp.Var, exp.Interval, exp.DataTypeParam)
_CONDITION_WINDOWS = {"mean", "stddev", "zscore"}


def resolve(
    declaration: Declaration, columns: Mapping[str, Sequence[str] | None], *, comparisons: bool = True
) -> tuple[Model | None, list[Problem]]:
    """The model, or None where there are errors. ``columns``: dataset → its tables' columns, None where unknown.

    A check needs no ``comparisons``: then a KPI's ``previous`` and ``year_ago`` are its value.
    """
    return Resolver(declaration, columns, comparisons).run()


@dataclass(slots=True)
class Where:
    """What a text being resolved may use."""

    parsed: Parsed
    subject: str
    stack: tuple[str, ...] = ()
    condition: bool = False
    lookback: list[int] = field(default_factory=list)

    def fail(self, code: str, message: str, node: exp.Expr, hint: str = "") -> Unresolved:
        return Unresolved(self.parsed.problem(code, message, node, self.subject, hint))


class Resolver:
    def __init__(
        self, declaration: Declaration, columns: Mapping[str, Sequence[str] | None], comparisons: bool
    ) -> None:
        self.declaration, self.comparisons = declaration, comparisons
        self._kpis = {**declaration.kpis, **declaration.behind}
        broken = {name for section, name in declaration.broken if section == "datasets"}
        self.scope = Scope(declaration.datasets, columns, broken)
        self.functions, self.problems = functions_of(declaration)
        self._leaves = Leaves()
        self._trees: dict[str, exp.Expr | None] = {}
        self._parsed: dict[str, Parsed | None] = {}
        self._datasets: dict[str, ResolvedDataset] = {}
        self._lookups: dict[str, Lookup] = {}
        self._dimensions = Dimensions(declaration, self.scope)
        self._money = MoneyReader(declaration, self.scope, self._datasets, self._lookups)

    def run(self) -> tuple[Model | None, list[Problem]]:
        for dataset in self.declaration.datasets.values():
            self._resolve_dataset(dataset)
        self.problems += self._dimensions.check()
        lookups = dict(self._lookups)
        self.problems += check_datasets(self.declaration, self._datasets, lookups)
        self.problems += check_segment_names(self.declaration)
        for score in self.declaration.scores.values():
            self.problems += check_score(score, self._datasets[score.dataset])
        kpis = {name: found for name in self._kpis if (found := self._kpi(name))}
        self.problems += check_cohorts(self.declaration, kpis, self._leaves.all)
        self.problems = as_declared(self.problems, self.declaration)
        if any(p.severity == "error" for p in self.problems):
            return None, self.problems
        dimensions = self._dimensions.reached()
        leaves, shifts = tuple(self._leaves.all), tuple(self._leaves.shifts)
        model = Model(self._datasets, kpis, leaves, shifts, dimensions, lookups, self.functions)
        return model, self.problems

    # --- datasets and segments ---------------------------------------------------------------------------------

    def _resolve_dataset(self, dataset: Dataset) -> None:
        resolved, lookups, problems = resolve_dataset(dataset, self.scope, self.functions)
        self.problems += problems
        self._lookups.update(lookups)
        self._datasets[dataset.name] = resolved

    # --- KPIs ---------------------------------------------------------------------------------------------------

    def _parse(self, text: Text, subject: str) -> Parsed | None:
        parsed, problems = parse(text, subject, self.functions)
        self.problems += problems
        return parsed

    def _subject(self, name: str) -> str:
        """What a KPI is called in messages: one that a funnel or cohorts rest on, by these."""
        return name if name in self.declaration.kpis else subject_of(self._kpis[name].place.path)

    def _parsed_kpi(self, name: str) -> Parsed | None:
        if name not in self._parsed:
            self._parsed[name] = self._parse(self._kpis[name].formula, self._subject(name))
        return self._parsed[name]

    def _tree(self, name: str, stack: tuple[str, ...] = ()) -> exp.Expr | None:
        """A KPI's formula as a tree over leaves; None where it has problems (reported once)."""
        if name not in self._trees:
            parsed = self._parsed_kpi(name)
            self._trees[name] = None
            if parsed is not None:
                where = Where(parsed, self._subject(name), (*stack, name))
                self._trees[name] = self._resolve_text(where)
        return self._trees[name]

    def _resolve_text(self, where: Where) -> exp.Expr | None:
        try:
            return self._visit(where.parsed.tree, where)
        except BrokenReference:
            pass  # the KPI that it refers to has said what is wrong; one mistake is one message
        except Unresolved as found:
            self.problems.append(found.problem)
        except RecursionError:
            self.problems.append(
                Problem("syntax", "the formula is nested too deeply", where.parsed.position(), where.subject)
            )
        return None

    def _kpi(self, name: str) -> ResolvedKpi | None:
        kpi = self._kpis[name]
        parsed, value = self._parsed_kpi(name), self._tree(name)
        targets = [t for case in kpi.targets if (t := self._target(name, case)) is not None]
        rules = [r for rule in kpi.alerts if (r := self._rule(name, rule)) is not None]
        if parsed is None or value is None:
            return None
        if not leaves_in(value):
            self.problems.append(
                Problem(
                    "no-measure",
                    "the formula has no measure",
                    parsed.position(),
                    name,
                    "write for instance sum(orders.amount)",
                )
            )
            return None
        previous, year_ago = value, value
        if self.comparisons:
            previous, year_ago = self._leaves.under(value, Shift(-1)), self._leaves.under(value, YearAgo())
        resolved = ResolvedKpi(
            kpi, parsed, value, _base(value), previous, year_ago, tuple(targets), tuple(rules)
        )
        self.problems += check_kpi(resolved, self.declaration, self._leaves.all, self._dimensions.of)
        trees = [t for target in targets for t in (target.value, target.low, target.high)]
        trees += [t for rule in rules for t in (rule.when, rule.clear)]
        for number in dict.fromkeys(n for tree in trees for n in leaves_in(tree)):
            for segment in dict.fromkeys(name for segments in kpi.segments for name in segments):
                self._dimensions.of(segment, self._leaves.all[number].measure.dataset)
        return resolved

    def _target(self, name: str, case: TargetCase) -> ResolvedTarget | None:
        trees: list[exp.Expr | None] = []
        for text in (case.value, case.low, case.high):
            if text is None:
                trees.append(None)
                continue
            parsed = self._parse(text, f"{name}.target")
            tree = self._resolve_text(Where(parsed, f"{name}.target")) if parsed else None
            if tree is None:
                return None
            trees.append(tree)
        return ResolvedTarget(case, *trees)

    def _rule(self, name: str, rule: AlertRule) -> ResolvedRule | None:
        lookback: list[int] = [0]
        trees: list[exp.Expr | None] = []
        for text in (rule.when, rule.clear):
            if text is None:
                trees.append(None)
                continue
            parsed = self._parse(text, f"{name}.alert")
            tree = self._resolve_text(Where(parsed, f"{name}.alert", (), True, lookback)) if parsed else None
            if tree is None or parsed is None:
                return None
            if not _is_condition(tree, self.functions):
                self.problems.append(
                    Problem(
                        "not-a-condition",
                        "an alert condition must be true or false",
                        parsed.position(),
                        f"{name}.alert",
                        "write for instance value < 90% * target",
                    )
                )
                return None
            trees.append(tree)
        when = trees[0]
        assert when is not None
        return ResolvedRule(rule, when, trees[1], max(lookback))

    # --- one expression --------------------------------------------------------------------------------------------

    def _visit(self, node: exp.Expr, where: Where) -> exp.Expr:
        word = word_of(node)
        if where.condition and word in _CONDITION_WINDOWS and self._is_window(node):
            return self._window(node, where)
        if word in OVER_KPIS:
            return self._over_kpi(node, word or "", where)
        if is_measure(node):
            return self._leaf(node, where)
        if parts_of(node):
            return self._name(node, where)
        if isinstance(node, (exp.Column, exp.Dot)):
            raise where.fail("syntax", "this is not a name", node, "write sum(dataset.column)")
        if isinstance(node, _ATOMS):
            self._allow(node, where)
            return node if isinstance(node, (exp.Literal, exp.Boolean, exp.Null)) else node.copy()
        if word:
            raise where.fail("misplaced-function", f"{word}() cannot stand here", node, _misplaced(word))
        self._allow(node, where)
        return rebuild(node, lambda child: self._visit(child, where))

    def _allow(self, node: exp.Expr, where: Where) -> None:
        if is_added(node):
            return
        found = refused(node, windows=False, beyond=WORDS)
        if found:
            raise where.fail("not-allowed", found[0], node, found[1])

    def _leaf(self, node: exp.Expr, where: Where) -> exp.Expr:
        reader = MeasureReader(
            self.scope, where.parsed, where.subject, lambda n: self._single_measure(n, where)
        )
        measure = self._money.convert(reader.read(node))
        return self._leaves.node(Leaf(measure))

    def _single_measure(self, name: str, where: Where) -> Measure | None:
        if name not in self.declaration.kpis or name in where.stack:
            return None
        tree = self._tree(name, where.stack)
        while isinstance(tree, exp.Paren):
            tree = tree.this
        if isinstance(tree, exp.Placeholder):
            leaf = self._leaves.of(tree)
            if not leaf.transforms and not leaf.total:
                return leaf.measure
        return None

    def _name(self, node: exp.Expr, where: Where) -> exp.Expr:
        parts = parts_of(node) or []
        name = parts[0].name
        if len(parts) == 1 and where.condition and name.lower() in CONDITION_NAMES:
            return exp.column(name.lower(), quoted=True)
        if len(parts) > 1:
            raise where.fail(
                "column-outside",
                f"'{'.'.join(p.name for p in parts)}' stands outside an aggregate",
                node,
                f"write for instance sum({'.'.join(p.name for p in parts)})",
            )
        if name in self.declaration.kpis:
            return self._reference(name, node, where)
        raise self._unknown(name, node, where)

    def _unknown(self, name: str, node: exp.Expr, where: Where) -> Unresolved:
        datasets = self.declaration.datasets
        if ("kpis", name) in self.declaration.broken or name in self.scope.broken:
            raise BrokenReference
        if name in datasets:
            return where.fail(
                "dataset-outside",
                f"'{name}' is a dataset, not a KPI",
                node,
                f"write count({name}) for its rows",
            )
        owner = next(
            (d for d in datasets if self.scope.raw(d) is not None and self.scope.column(d, name)), None
        )
        known = [*self.declaration.kpis, *(CONDITION_NAMES if where.condition else ())]
        hint = suggest(name, known)
        if not hint and owner:
            hint = f"if you mean the column, write for instance sum({owner}.{name})"
        return where.fail(
            "unknown-kpi",
            f"unknown KPI '{name}'",
            node,
            hint or f"KPIs are {listed(list(self.declaration.kpis))}",
        )

    def _reference(self, name: str, node: exp.Expr, where: Where) -> exp.Expr:
        if name in where.stack:
            loop = " → ".join([*where.stack[where.stack.index(name) :], name])
            raise where.fail("cycle", f"'{name}' rests on itself: {loop}", node, "break the circle")
        tree = self._tree(name, where.stack)
        if tree is None:
            raise BrokenReference
        return exp.paren(tree.copy(), copy=False) if isinstance(tree, exp.Binary) else tree.copy()

    def _is_window(self, node: exp.Expr) -> bool:
        given = node.expressions if isinstance(node, exp.Anonymous) else [node.this]
        return len(given) == 1 and isinstance(given[0], exp.Literal)

    def _window(self, node: exp.Expr, where: Where) -> exp.Expr:
        argument = (node.expressions if isinstance(node, exp.Anonymous) else [node.this])[0]
        if argument.is_string or not argument.this.isdigit() or not 2 <= int(argument.this) <= 400:
            raise where.fail(
                "arguments", f"{word_of(node)}(n) takes a number of periods from 2 to 400", argument
            )
        where.lookback.append(int(argument.this))
        return exp.Anonymous(this=word_of(node), expressions=[argument.copy()])

    # --- functions over KPIs ------------------------------------------------------------------------------------------

    def _over_kpi(self, node: exp.Expr, word: str, where: Where) -> exp.Expr:
        entry = WORDS[word]
        given = node.expressions
        if not entry.least <= len(given) <= entry.most:
            raise where.fail(
                "arguments",
                f"{word}() takes {entry.least} argument{'s' * (entry.least > 1)}, not {len(given)}",
                node,
                f"write {entry.signature}",
            )
        tree = self._visit(given[0], where)
        if not leaves_in(tree):
            raise where.fail(
                "arguments", f"{word}() takes a KPI or a measure", given[0], f"write {entry.signature}"
            )
        if word == "total":
            return self._as_total(tree)
        transform = self._transform(node, word, where)
        if isinstance(transform, (Rolling, ToDate)):
            for number in leaves_in(tree):
                if self._leaves.all[number].measure.function in ("retained", "lost"):
                    function = self._leaves.all[number].measure.function
                    raise where.fail(
                        "misplaced-function",
                        f"{function}() has no meaning in {word}()",
                        node,
                        "it compares one period with the one before",
                    )
        return self._leaves.under(tree, transform)

    def _transform(self, node: exp.Expr, word: str, where: Where) -> Transform:
        match word:
            case "previous":
                return Shift(-1)
            case "next":
                return Shift(1)
            case "year_ago":
                return YearAgo()
            case "rolling":
                count = node.expressions[1]
                if (
                    not isinstance(count, exp.Literal)
                    or count.is_string
                    or not count.this.isdigit()
                    or not 1 <= int(count.this) <= 400
                ):
                    raise where.fail(
                        "arguments",
                        "rolling() takes a number of periods from 1 to 400",
                        count,
                        "write rolling(revenue, 3)",
                    )
                return Rolling(int(count.this))
            case "value_at":
                return self._milestone(node.expressions[1], where)
            case _:
                return ToDate(word)  # type: ignore[arg-type]

    def _milestone(self, node: exp.Expr, where: Where) -> At:
        parts = parts_of(node)
        milestones = self.declaration.milestones
        if not parts or len(parts) != 1:
            raise where.fail(
                "arguments",
                "value_at() takes the name of a milestone",
                node,
                "write value_at(revenue, new_crm)",
            )
        name = parts[0].name
        if name not in milestones:
            hint = suggest(name, milestones) or (
                f"milestones are {listed(list(milestones))}"
                if milestones
                else "declare it under 'milestones:'"
            )
            raise where.fail("unknown-milestone", f"unknown milestone '{name}'", node, hint)
        return At(milestones[name], name)

    def _as_total(self, tree: exp.Expr) -> exp.Expr:
        if isinstance(tree, exp.Placeholder):
            leaf = self._leaves.of(tree)
            return self._leaves.node(Leaf(leaf.measure, leaf.transforms, True))
        return rebuild(tree, self._as_total)


def _base(tree: exp.Expr) -> exp.Expr | None:
    """The denominator of the outermost division whose divisor holds a measure."""
    for node in tree.bfs():
        if isinstance(node, exp.Div) and leaves_in(node.expression):
            divisor: exp.Expr = node.expression
            return divisor
    return None


def _is_condition(tree: exp.Expr, functions: Functions) -> bool:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    added = functions.of(tree)
    if added is not None:
        return added.function.gives == "boolean"
    return isinstance(
        tree,
        (
            exp.Predicate,
            exp.Connector,
            exp.Not,
            exp.Between,
            exp.In,
            exp.Is,
            exp.Boolean,
            exp.Case,
            exp.Coalesce,
        ),
    )


def _misplaced(word: str) -> str:
    if word == "in_period":
        return "it belongs into a measure's filter: sum(orders.amount) filter (where in_period(customers.created_at))"
    if word in ("mean", "zscore"):
        return f"{word}(n) belongs into an alert's condition"
    return ""
