"""The contract of a function: a word that a plugin adds to formulas.

A function says its meaning in one of two ways. With ``sql`` it is an expression of DuckDB over its arguments, and of other databases where
they can say the same; the engine puts arguments in as parts of the statement, never as text. With ``formula`` it is short for an expression
of the KPI language, in which aggregates and functions over KPIs may stand as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from cadran.plugins.connector import API

#: What a value is. An argument that is a ``date`` or a ``timestamp`` may be any moment, and is handed over as its local date or local time;
#: a ``double`` may be any number, and is handed over as a float; ``number`` is any number and ``any`` anything, as it is. A result that
#: is a ``number`` is exact as long as the arguments are.
ValueKind = Literal["text", "integer", "number", "double", "date", "timestamp", "boolean", "any"]
KINDS: tuple[str, ...] = get_args(ValueKind)
_SIGNATURE = re.compile(r"(\w+)\((.*)\)")
RESULTS = ("text", "integer", "number", "double", "date", "timestamp", "boolean")


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    ``signature`` is how it is written (``fiscal_half(day)``), for messages and lists. ``takes`` is what each argument is, ``gives`` what
    comes of it: one of ``text``, ``integer``, ``number``, ``double``, ``date``, ``timestamp`` and ``boolean``.

    ``sql`` holds an expression for each dialect, in which ``{0}`` stands for the first argument, ``{1}`` for the second::

        Function("fiscal_half(day)", ("date",), "integer", sql={
            "duckdb": "CASE WHEN month({0}) < 7 THEN 1 ELSE 2 END",
            "postgres": "CASE WHEN extract(month FROM {0}) < 7 THEN 1 ELSE 2 END",
        })

    ``duckdb`` has to be there; the others are named as sqlglot names them (``postgres``, ``mysql``, ``sqlite``, ``spark`` …), and ``mariadb``
    goes before ``mysql``. A database whose dialect is not there has its rows fetched, and the function is computed here. The same
    values have to give the same: nothing random, no clock, no tables.

    ``formula`` is an expression of the KPI language instead, over any arguments: ``"{0} / previous({0}) - 1"``. Then ``takes`` only says how
    many there are, and ``gives`` nothing.
    """

    signature: str
    takes: tuple[ValueKind, ...]
    gives: ValueKind = "any"
    sql: Mapping[str, str] = field(default_factory=dict)
    formula: str = ""
    api: str = API

    def miswritten(self, name: str) -> str:
        """What its signature says otherwise than the rest of it, where an entry calls it ``name``; empty where nothing."""
        found = _SIGNATURE.fullmatch(self.signature)
        if found is None:
            return f"the signature '{self.signature}' is not written as '{name}(x)'"
        if found[1] != name:
            return f"the signature '{self.signature}' is of '{found[1]}', and the entry is called '{name}'"
        count = len([part for part in found[2].split(",") if part.strip()])
        if count != len(self.takes):
            return f"the signature '{self.signature}' has {count} argument{'s' * (count != 1)}, and 'takes' has {len(self.takes)}"
        return ""


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """What a plugin returns from ``cadran_functions``: the word, in small letters, and where its meaning is found once it is needed."""

    name: str
    load: Callable[[], Function] = field(repr=False)
    summary: str = ""
