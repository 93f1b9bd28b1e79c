"""How much a template may do: so many rounds of its loops and calls of its macros, so much text, so much time.

Rounds are counted by a call that is put at the start of each loop's and each macro's body when a template is compiled, so
that it holds in threads too, and without signals. The count is what stops a loop that is out of hand, on every machine at the same
place; the clock is there for what is slow in each round.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, nodes, pass_eval_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import do_replace, make_attrgetter, sync_do_join

MOST_ROUNDS = 10_000_000
MOST_SECONDS = 60.0
MOST_TEXT = 60_000_000  # characters that are put together in all, beside what is printed at once
_LOOKS_AT_THE_CLOCK = 2_000  # rounds from one look to the next


class TooMuch(SecurityError):
    """A template that does not come to an end, or grows without one."""


def _size(value: Any) -> int:
    """How long a value is as a text, about; of what holds others, of those as well."""
    if isinstance(value, str):
        return len(value)
    return sum(map(_size, value)) + 1 if isinstance(value, list | tuple) else 20


class Allowance:
    """What is left of it for one environment, which is made for one rendering."""

    def __init__(self) -> None:
        self.rounds, self.text, self.end = MOST_ROUNDS, MOST_TEXT, time.monotonic() + MOST_SECONDS

    def round(self) -> None:
        self.rounds -= 1
        if self.rounds < 0:
            raise TooMuch(
                f"the template takes more than {MOST_ROUNDS:,} rounds of its loops".replace(",", " ")
            )
        if self.rounds % _LOOKS_AT_THE_CLOCK == 0 and time.monotonic() > self.end:
            raise TooMuch(f"the template takes longer than {MOST_SECONDS:g} seconds")

    def spend(self, characters: int) -> None:
        self.text -= characters
        if self.text < 0:
            raise TooMuch("the texts that the template puts together are too long")

    def joining(self, parts: Iterable[Any], between: Any = "") -> list[Any]:
        """The parts, once it is known that they are not too long."""
        out = []
        for part in parts:
            self.spend((len(part) if isinstance(part, str) else 20) + len(str(between)))
            out.append(part)
        return out

    def filling(self, template: str, values: Iterable[Any]) -> None:
        """Before a template's gaps are filled: each may be filled with the longest value."""
        gaps = template.count("%") + template.count("{")
        longest = max(map(_size, values), default=0)
        self.spend(len(template) + gaps * longest)

    def growing(self, left: Any, right: Any, operator: str) -> None:
        """Before texts or lists are put together, or repeated."""
        if operator == "+":
            self.spend(sum(len(part) for part in (left, right) if isinstance(part, str | list | tuple)))
            return
        thing, times = (left, right) if isinstance(right, int) else (right, left)
        if isinstance(thing, str | list | tuple) and isinstance(times, int):
            self.spend(_size(thing) * max(times, 0))

    def replacing(self, text: Any, old: Any, new: Any) -> tuple[Any, Any]:
        times = str(text).count(str(old))
        self.spend(len(str(text)) + times * len(str(new)))
        return old, new


class Metered(Environment):
    """An environment that counts what its templates do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowance = Allowance()
        self.filters |= {"join": _join, "replace": _replace}

    def begin_round(self) -> str:
        self.allowance.round()
        return ""

    def weighed(self, text: str) -> str:
        self.allowance.spend(len(text))
        return text

    def concat(self, parts: Iterable[str]) -> str:
        """What a macro or a block has printed, as one text."""
        return "".join(self.allowance.joining(parts))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        node: Any
        for node in source.find_all((nodes.For, nodes.Macro, nodes.CallBlock)):
            begin = nodes.ExprStmt(_called(nodes.EnvironmentAttribute("begin_round")), lineno=node.lineno)
            node.body.insert(0, begin.set_environment(self))
        return super()._generate(source, *args, **kwargs)


def _called(function: nodes.Expr) -> nodes.Call:
    return nodes.Call(function, [], [], None, None)


class MeteredGenerator(CodeGenerator):
    """Compiles ``a ~ b`` so that its result is accounted for."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.weighed(")
        super().visit_Concat(node, frame)
        self.write(")")


@pass_eval_context
def _join(
    of: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None
) -> str:
    env: Any = of.environment
    if attribute is not None:
        value = map(make_attrgetter(env, attribute), value)
    return sync_do_join(of, env.allowance.joining(value, d), d)


@pass_eval_context
def _replace(of: nodes.EvalContext, s: str, old: str, new: str, count: int | None = None) -> str:
    env: Any = of.environment
    env.allowance.replacing(s, old, new)
    return do_replace(of, s, old, new, count)
