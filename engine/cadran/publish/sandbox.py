"""The Jinja environment that teams' templates run in: no way out to Python or to other files.

The known ways to make it build something huge in one step are refused too, and its loops and macros are counted
(``allowance.py``). Only imported when a report is rendered, because Jinja takes its time to load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.filters import do_indent
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup

from cadran.plugins.added import Additions
from cadran.problems import listed, suggest
from cadran.publish.allowance import Allowance, Metered, MeteredGenerator
from cadran.publish.context import ReportContext
from cadran.publish.messages import Catalogue, catalogue

TextKind = Literal["html", "markdown", "text", "json"]
SHIPPED = "cadran"  # the prefix under which the shipped templates are always found
MOST_CHARACTERS = 1_000_000  # of one piece of text that a template builds
CONTEXT_NAMES = tuple(f.name for f in fields(ReportContext))
HINT_MARK = "\n"  # between a message and its hint

_PADDING = ("center", "ljust", "rjust", "zfill")
_REFUSED = ("expandtabs", "maketrans", "translate")  # one step of these can make a text of any length
_WIDE = re.compile(r"[%{][^%{}]*\d{7}")
_NESTED = re.compile(r"\{[^{}]*\{")
_LINE_ENDS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_INLINE = re.compile(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_]))")
_BLOCK_START = re.compile(r"(\s*)(#{1,6}(?=\s|$)|[-+=]+(?=\s|$)|>|\d{1,9}(?=[.)](?:\s|$)))")


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


class Sandbox(Metered, ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox, which also refuses to build huge texts and numbers, and to go on for ever."""

    code_generator_class = MeteredGenerator
    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (_small(left, 10**6) and _small(right, 64)):
            raise SecurityError("this power would be too large")
        if operator == "*" and _repeated(left, right) > MOST_CHARACTERS:
            raise SecurityError("this repetition would be too long")
        if operator == "%" and isinstance(left, str):
            values = right if isinstance(right, tuple) else (right,)
            _refuse_wide(left, values)
            self.allowance.filling(left, values)
        if operator in ("*", "+"):
            self.allowance.growing(left, right, operator)
        return super().call_binop(context, operator, left, right)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return _bounded(super().getitem(obj, argument), obj, self.allowance)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return _bounded(super().getattr(obj, attribute), obj, self.allowance)


def _small(value: Any, most: int) -> bool:
    return not isinstance(value, int | float) or abs(value) <= most


def _repeated(left: Any, right: Any) -> int:
    """The length of a sequence times a number, 0 for any other product."""
    thing, times = (left, right) if isinstance(right, int) else (right, left)
    return len(thing) * times if isinstance(thing, str | list | tuple) and isinstance(times, int) else 0


def _refuse_wide(template: str, values: Iterable[Any]) -> None:
    """Refuses a width in a format that pads beyond all measure, also one that comes with the values."""
    from_values = "*" in template or _NESTED.search(template)
    if _WIDE.search(template) or (from_values and not all(_small(v, MOST_CHARACTERS) for v in values)):
        raise SecurityError("this text would be too long")


def _bounded(found: Any, owner: Any, allowance: Allowance) -> Any:
    """A text's methods that pad or put together, with a limit; all else as it is."""
    name = getattr(found, "__name__", "") if isinstance(owner, str) else ""
    if name == "join":
        return lambda parts: found(allowance.joining(parts, owner))
    if name == "replace":
        return lambda old, new, *args: found(*allowance.replacing(owner, old, new), *args)
    if name in ("format", "format_map"):
        return _limited_format(found, owner, allowance)
    if name in _REFUSED:
        raise SecurityError(f"'{name}' is not there in templates")
    return _limited(found) if name in _PADDING else found


def _limited(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a limit on its numbers; for Jinja it keeps the original's marks."""

    @wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        if not all(_small(a, MOST_CHARACTERS) for a in [*args, *kwargs.values()]):
            raise SecurityError("this text would be too long")
        return function(*args, **kwargs)

    return limited


def _limited_format(function: Callable[..., Any], template: str, allowance: Allowance) -> Callable[..., Any]:
    def limited(*args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        _refuse_wide(template, values)
        allowance.filling(template, values)
        return function(*args, **kwargs)

    return limited


def environment(
    folders: Sequence[Path], kind: TextKind, locale: str = "en", literal: Callable[[str], str] | None = None,
    added: Additions | None = None,
) -> Sandbox:  # fmt: skip
    """Templates say their texts as ``_("…")`` or ``{% trans %}…{% endtrans %}``, in the language of ``locale``. They come from ``folders``, the first that has one wins; the last holds the shipped ones.

    Every value is made safe for the ``kind`` of text: in JSON it can stand inside quotes and ends no string. ``literal``
    comes before that: how a chat shows a text as it is. The shipped ones are also ``cadran/…``, which no team's file can hide: so ``report.html.jinja`` may extend
    ``cadran/report.html.jinja``. ``added`` are the filters and blocks of the project's plugins.
    """
    shipped = PrefixLoader({SHIPPED: FileSystemLoader(folders[-1])})
    env = Sandbox(
        loader=ChoiceLoader([shipped, FileSystemLoader(list(folders)), *_of_blocks(added)]),
        autoescape=True,  # Markdown too: there, finalize has already made every value safe
        undefined=Missing,
        finalize=_finalizer(kind, literal),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    _translate(env, catalogue(locale))
    env.globals.pop("lipsum")
    env.filters["code"] = markdown_code if kind == "markdown" else html_code if kind == "html" else str
    env.filters["sentence"] = sentence
    for name in ("center", "batch", "slice"):
        env.filters[name] = _limited(env.filters[name])
    for name in ("indent", "wordwrap"):
        env.filters[name] = _wrapping(env.filters[name], env.allowance)
    env.filters["format"] = _formatter(env.allowance)
    if added is not None and added.filters:
        from cadran.publish.added import add_filters

        add_filters(env, added.filters)
    return env


def _of_blocks(added: Additions | None) -> Iterator[BaseLoader]:
    if added is not None and added.blocks:
        from cadran.publish.added import Templates

        yield Templates(added.blocks)


def own_filters() -> frozenset[str]:
    """The names of the filters that templates have without any plugin."""
    return frozenset((*DEFAULT_FILTERS, "code", "sentence"))


def _finalizer(kind: TextKind, literal: Callable[[str], str] | None) -> Callable[[Any], Any] | None:
    """What is done to a value before it is printed; what is already markup stays as it is."""
    if kind == "html":
        return None  # autoescape does it
    if kind == "markdown":
        return escape_markdown
    end = json_inside if kind == "json" else str

    def plain(value: Any) -> Any:
        if isinstance(value, Markup | Missing):
            return value
        text = value if isinstance(value, str) else str(value)
        return Markup(end(literal(text) if literal else text))

    return plain


def json_inside(text: str) -> str:
    """A text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _translate(env: Sandbox, messages: Catalogue) -> None:
    """``gettext`` and its kin for templates: values are escaped as everywhere, and cannot pad beyond all measure."""
    prepare = env.finalize or (lambda value: value)

    def say(text: str, values: Mapping[str, Any]) -> Markup:
        _refuse_wide(text, values.values())
        return Markup(text) % {name: prepare(value) for name, value in values.items()}

    def gettext(message: str, /, **values: Any) -> Markup:
        return say(messages.gettext(message), values)

    def ngettext(one: str, many: str, num: int, /, **values: Any) -> Markup:
        return say(messages.ngettext(one, many, num), {"num": num, **values})

    def pgettext(context: str, message: str, /, **values: Any) -> Markup:
        return say(messages.pgettext(context, message), values)

    def npgettext(context: str, one: str, many: str, num: int, /, **values: Any) -> Markup:
        return say(messages.npgettext(context, one, many, num), {"num": num, **values})

    env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    own = (gettext, ngettext, pgettext, npgettext)
    env.globals.update({function.__name__: function for function in own}, _=gettext)


def _formatter(allowance: Allowance) -> Callable[..., str]:
    def format_(value: str, *args: Any, **kwargs: Any) -> str:
        """``"%s of %s"|format(a, b)``."""
        values = [*args, *kwargs.values()]
        _refuse_wide(value, values)
        allowance.filling(value, values)
        return value % (kwargs or args)

    return format_


def _wrapping(function: Callable[..., Any], allowance: Allowance) -> Callable[..., Any]:
    """A filter that puts one of its arguments before, or behind, each line of its text."""
    limited = _limited(function)

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        texts = [value for value in (*args, *kwargs.values()) if isinstance(value, str)]
        numbers = [value for value in (*args, *kwargs.values()) if type(value) is int]
        if texts:
            longest = max([len(text) for text in texts[1:]] + [n for n in numbers if function is do_indent])
            lines = len(texts[0]) if function is not do_indent else texts[0].count("\n") + 1
            allowance.spend(len(texts[0]) + lines * longest)
        return limited(*args, **kwargs)

    return wrapped


# --- escaping --------------------------------------------------------------------------------------------------


def sentence(text: str) -> str:
    """The text with a capital at its start, the rest as it is."""
    return text[:1].upper() + text[1:]


def html_code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)


def escape_markdown(value: Any) -> Any:
    """A value as Markdown that shows it literally, on one line; markup that is already safe stays."""
    if isinstance(value, Markup | Missing):
        return value
    if hasattr(value, "__html__"):
        return Markup(value.__html__())
    text = _LINE_ENDS.sub(" ", str(value))
    text = _ENTITY.sub("&amp;", text).replace("<", "&lt;")
    text = _INLINE.sub(r"\\\1", text)
    start = _BLOCK_START.match(text)
    return Markup(_escape_start(start) + text[start.end() :] if start else text)


def _escape_start(found: re.Match[str]) -> str:
    space, mark = found.groups()
    return f"{space}{mark}\\" if mark[-1].isdigit() else f"{space}\\{mark}"


def markdown_code(text: str, table: bool = False) -> Markup:
    """A code span that holds any text; in a ``table`` even code must escape its pipes."""
    line = " ".join(text.split())
    runs = re.findall("`+", line)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    span = f"{fence}{pad}{line}{pad}{fence}"
    return Markup(span.replace("|", r"\|") if table else span)
