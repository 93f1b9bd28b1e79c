"""The Jinja environment that teams' templates run in: no way out to Python or to other files, and bounded work.

Only imported when a report is rendered, because Jinja takes its time to load.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup

from cadran.problems import listed, suggest
from cadran.publish.context import ReportContext

SHIPPED = "cadran"  # the prefix under which the shipped templates are always found
MOST_CHARACTERS = 1_000_000  # of one piece of text that a template builds
CONTEXT_NAMES = tuple(f.name for f in fields(ReportContext))
HINT_MARK = "\n"  # between a message and its hint

_BUILDERS = ("center", "indent", "format", "wordwrap", "join", "replace", "pprint")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_INLINE = re.compile(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
_BLOCK_START = re.compile(r"(#{1,6}|[-+=]+|\d{1,9}(?=[.)]))(?=[\s.)]|$)")


class Missing(StrictUndefined):
    """A name that a template uses and that does not exist; its message says which there are."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint:
            return self._undefined_hint
        if owner is missing:
            return f"unknown name '{name}'{HINT_MARK}{_known(str(name), CONTEXT_NAMES)}"
        if is_dataclass(owner):
            names = [f.name for f in fields(owner)]
            return f"{type(owner).__name__} has no '{name}'{HINT_MARK}{_known(str(name), names)}"
        if isinstance(owner, dict) or hasattr(owner, "keys"):
            return f"there is no '{name}' here{HINT_MARK}{_known(str(name), [str(k) for k in owner])}"
        return f"a {type(owner).__name__} has no '{name}'{HINT_MARK}"


def _known(name: str, names: Sequence[str]) -> str:
    return suggest(name, names) or f"there is {listed(names, 40)}"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, which also refuses to build huge texts and numbers."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (_small(left, 10**6) and _small(right, 64)):
            raise SecurityError("this power would be too large")
        for amount, thing in ((left, right), (right, left)):
            sized = isinstance(thing, str | list | tuple)
            if (
                operator == "*"
                and sized
                and isinstance(amount, int)
                and amount * len(thing) > MOST_CHARACTERS
            ):
                raise SecurityError("this repetition would be too long")
        if operator == "%" and isinstance(left, str):
            _refuse_wide(left, right)
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        # Jinja's own fallback from an item to an attribute is kept, its text methods that pad are not.
        return _bounded(super().getitem(obj, argument))

    def getattr(self, obj: Any, attribute: str) -> Any:
        return _bounded(super().getattr(obj, attribute))


def _small(value: Any, most: int) -> bool:
    return not isinstance(value, int | float) or abs(value) <= most


def _refuse_wide(*parts: Any) -> None:
    """Refuses a number in a format (or an argument) that would pad beyond all measure."""
    for part in parts:
        numbers = re.findall(r"\d{7,}", part) if isinstance(part, str) else [part]
        if any(isinstance(n, str) or not _small(n, MOST_CHARACTERS) for n in numbers):
            raise SecurityError("this text would be too long")


_PADDING = {"center", "ljust", "rjust", "zfill", "expandtabs"}


def _bounded(found: Any) -> Any:
    """A text's padding methods with a limit on their arguments; all else as it is."""
    owner = getattr(found, "__self__", None)
    if isinstance(owner, str) and getattr(found, "__name__", "") in _PADDING:
        return _limited(found)
    return found


def _limited(function: Callable[..., Any], skip: int = 0) -> Callable[..., Any]:
    def limited(*args: Any, **kwargs: Any) -> Any:
        sizes = [a for a in [*args[skip:], *kwargs.values()] if isinstance(a, int)]
        _refuse_wide(*sizes)
        return function(*args, **kwargs)

    return limited


def environment(folders: Sequence[Path], kind: Literal["html", "markdown"]) -> Sandbox:
    """Templates come from ``folders``, the first that has one wins; the last holds the shipped ones.

    These are also ``cadran/…``, which no team's file can hide: so ``report.html.jinja`` may extend
    ``cadran/report.html.jinja``.
    """
    shipped = PrefixLoader({SHIPPED: FileSystemLoader(folders[-1])})
    env = Sandbox(
        loader=ChoiceLoader([shipped, FileSystemLoader(list(folders))]),
        autoescape=True,  # Markdown too: there, finalize has already made every value safe
        undefined=Missing,
        finalize=escape_markdown if kind == "markdown" else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    env.globals.pop("lipsum")
    env.filters["code"] = markdown_code if kind == "markdown" else html_code
    for name in ("center", "indent", "wordwrap"):
        env.filters[name] = _limited_filter(env.filters[name])
    env.filters["format"] = _format
    return env


def _limited_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with bounded numbers, marked as the original for Jinja (whether it wants the environment)."""
    limited = _limited(function)
    for mark in ("jinja_pass_arg",):
        if hasattr(function, mark):
            setattr(limited, mark, getattr(function, mark))
    return limited


def _format(value: str, *args: Any, **kwargs: Any) -> str:
    """``"%s of %s"|format(a, b)``."""
    _refuse_wide(value, *[a for a in [*args, *kwargs.values()] if isinstance(a, int)])
    return value % (kwargs or args)


# --- escaping --------------------------------------------------------------------------------------------------


def html_code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def escape_markdown(value: Any) -> Any:
    """A value as Markdown that shows it literally, on one line; markup that is already safe stays."""
    if isinstance(value, Markup | Missing):
        return value
    text = " ".join(str(value).split("\n")) if "\n" in str(value) else str(value)
    text = " ".join(text.split("\r"))
    text = _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    text = _INLINE.sub(r"\\\1", text)
    return Markup(_BLOCK_START.sub(_escape_start, text, count=1) if _BLOCK_START.match(text) else text)


def _escape_start(found: re.Match[str]) -> str:
    mark = found[1]
    return f"{mark}\\" if mark[-1].isdigit() else f"\\{mark}"


def markdown_code(text: str) -> Markup:
    """A code span that holds any text; a pipe is escaped, for tables."""
    line = " ".join(text.split())
    runs = re.findall("`+", line)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markup(f"{fence}{pad}{line}{pad}{fence}".replace("|", r"\|"))
