"""What templates are given, told from the classes that hold it: every name, its type and what it means; or its values."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from cadran.publish.context import ReportContext
from cadran.publish.drawing import Chart

_WIDTH = 110
_FUNCTIONS = """\
Besides, as functions and filters of Jinja and of cadran:
  _("text"), ngettext("one", "many", n)   a text in the report's language, with values as %(name)s
  kpi.formula|code                        as code
  text|sentence                           with a capital at its start
"""


def as_text() -> str:
    """All names, class by class, the template's own variables first."""
    parts = ["A template's variables:\n" + _table(ReportContext)]
    for kind in classes()[1:]:
        title = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
        head = textwrap.fill(f"{kind.__name__}: {title}", _WIDTH)
        parts.append(f"{head}\n{_table(kind)}")
    return "\n".join([*parts, _FUNCTIONS])


def classes() -> list[type]:
    """The dataclasses that a template meets, in the order in which it does."""
    found: dict[type, None] = {}

    def visit(kind: type) -> None:
        if kind in found:
            return
        found[kind] = None
        for hint in typing.get_type_hints(kind).values():
            for part in _inside(hint):
                if is_dataclass(part) and part is not Chart:
                    visit(part)

    visit(ReportContext)
    return list(found)


def _inside(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and not typing.get_args(hint):
        yield hint
    for part in typing.get_args(hint):
        yield from _inside(part)


def meanings(kind: type) -> dict[str, str]:
    """What a class says of its fields: the lines ``name: meaning`` of its docstring."""
    return dict(re.findall(r"^(\w+): (.+)$", inspect.cleandoc(kind.__doc__ or ""), re.MULTILINE))


def _table(kind: type) -> str:
    said, types = meanings(kind), typing.get_type_hints(kind)
    lines = []
    for field in fields(kind):
        head = f"  {field.name:<15} {_type(types[field.name]):<22} "
        text = textwrap.wrap(said[field.name], _WIDTH - len(head), subsequent_indent=" " * len(head))
        lines.append(head + "\n".join(text))
    return "\n".join(lines) + "\n"


def _type(hint: Any) -> str:
    """A type in the words of somebody who writes templates."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and parts[-1:] == (Ellipsis,):
        return f"list of {_type(parts[0])}"
    if origin is tuple:
        return f"({', '.join(map(_type, parts))})"
    if origin is typing.Literal:
        return "text"
    if parts:
        names = list(dict.fromkeys(_type(part) for part in parts if part is not type(None)))
        return " or ".join([*names, *(["none"] if type(None) in parts else [])])
    names_of = {str: "text", int: "number", float: "number", Decimal: "number", bool: "yes or no"}
    named = {dt.date: "date", dt.datetime: "date and time", Chart: "chart"}
    return (
        names_of.get(hint) or named.get(hint) or ("picture" if hint.__name__ == "Markup" else hint.__name__)
    )


def as_json(context: ReportContext) -> str:
    """The values of one report; charts and sparklines are pictures, so they are left out."""
    return json.dumps(_plain(context), ensure_ascii=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Chart) or hasattr(value, "__html__"):
        return None
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else float(value)
    return value.isoformat() if isinstance(value, dt.date) else value
