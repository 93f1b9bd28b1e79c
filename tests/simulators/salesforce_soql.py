"""As much of SOQL as connectors and simple-salesforce write, checked as Salesforce checks it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.simulators.salesforce_objects import Field, Row, Sobject

Holds = Callable[[Row], bool]

_TOKEN = re.compile(
    r"\s*(?:('(?:[^'\\]|\\.)*')|(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(\d{4}-\d\d-\d\d)|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|(<=|>=|!=|<>|[=<>(),]))"
)


class Refused(Exception):
    """A query that Salesforce does not take: its code and its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Query:
    sobject: Sobject
    fields: tuple[str, ...]  # empty: COUNT()
    holds: Holds
    order: tuple[tuple[str, bool], ...]
    limit: int | None

    def rows(self, *, deleted: bool) -> Sequence[Row]:
        """The rows in order; ``deleted``: those in the recycle bin and what is archived as well."""
        if self.sobject.made:
            return self._made()
        found = [r for r in self.sobject.rows.values() if self.holds(r)]
        if not deleted:
            found = [r for r in found if not r.get("IsDeleted") and not r.get("IsArchived")]
        for name, down in reversed(self.order):
            found.sort(key=lambda r, n=name: (r[n] is not None, r[n]), reverse=down)  # type: ignore[misc]
        return found[: self.limit]

    def _made(self) -> Sequence[Row]:
        """Rows that exist as a number only stand in the order of their change: what is asked for is all behind some place."""
        first = self.sobject.first_made(self.holds)
        last = self.sobject.made if self.limit is None else min(self.sobject.made, first + self.limit)
        return _Made(self.sobject, range(first, last))


class _Made(Sequence[Row]):
    def __init__(self, sobject: Sobject, numbers: range) -> None:
        self.sobject, self.numbers = sobject, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, slice):
            return [self.sobject.made_row(i) for i in self.numbers[which]]
        return self.sobject.made_row(self.numbers[which])


def parsed(text: str, org: Mapping[str, Sobject]) -> Query:
    return _Parser(text, org).query()


class _Parser:
    def __init__(self, text: str, org: Mapping[str, Sobject]) -> None:
        self.text, self.org, self.at = text, org, 0
        self.tokens: list[tuple[str, str]] = []
        end = 0
        while text[end:].strip():
            found = _TOKEN.match(text, end)
            if found is None:
                raise self._malformed(text[end:].strip()[:1])
            kind = ("text", "datetime", "date", "number", "word", "sign")[found.lastindex - 1]  # type: ignore[operator]
            self.tokens.append((kind, found[found.lastindex]))  # type: ignore[index]
            end = found.end()

    def query(self) -> Query:
        self._word("SELECT")
        names = self._selected()
        self._word("FROM")
        name = self._next()[1]
        if name not in self.org:
            raise Refused("INVALID_TYPE", f"\n{self.text}\n^\nERROR at Row:1:Column:1\nsObject type '{name}' is not supported. "
                          "If you are attempting to use a custom object, be sure to append the '__c' after the entity name.")  # fmt: skip
        self.sobject = self.org[name]
        fields = tuple(self._field(n).name for n in names)
        holds = self._either() if self._took("WHERE") else lambda _: True
        order: list[tuple[str, bool]] = []
        if self._took("ORDER"):
            self._word("BY")
            while not order or self._took(","):
                f = self._field(self._next()[1])
                if not f.described()["sortable"]:
                    raise self._malformed(f.name)
                down = self._took("DESC") or (self._took("ASC") and False)
                order.append((f.name, down))
        limit = int(self._next()[1]) if self._took("LIMIT") else None
        if self.at < len(self.tokens):
            raise self._malformed(self.tokens[self.at][1])
        return Query(self.sobject, fields, holds, tuple(order), limit)

    def _selected(self) -> list[str]:
        names = [self._next()[1]]
        if names[0].upper() == "COUNT" and self._took("("):
            self._word(")")
            return []
        while self._took(","):
            names.append(self._next()[1])
        return names

    def _either(self) -> Holds:
        """Conditions joined by one kind of word; AND and OR beside each other need parentheses, as they do there."""
        parts = [self._one()]
        joined = ""
        while self.at < len(self.tokens) and self._peek() in ("AND", "OR"):
            word = self._next()[1].upper()
            if joined not in ("", word):
                raise self._malformed(word)
            joined = word
            parts.append(self._one())
        if joined == "OR":
            return lambda row: any(p(row) for p in parts)
        return lambda row: all(p(row) for p in parts)

    def _one(self) -> Holds:
        if self._took("("):
            inner = self._either()
            self._word(")")
            return inner
        if self._took("NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        f = self._field(self._next()[1])
        if not f.described()["filterable"]:
            raise Refused("INVALID_FIELD", f"field '{f.name}' can not be filtered in a query call")
        if self._took("IN"):
            self._word("(")
            wanted = [self._value(f)]
            while self._took(","):
                wanted.append(self._value(f))
            self._word(")")
            return lambda row: row[f.name] in wanted
        sign = self._next()[1]
        if sign not in _SIGNS:
            raise self._malformed(sign)
        value, compare = self._value(f), _SIGNS[sign]
        if f.type in ("id", "reference") and isinstance(value, str) and len(value) not in (15, 18):
            raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}")
        return lambda row: compare(row[f.name], value)

    def _value(self, f: Field) -> Any:
        kind, text = self._next()
        if kind == "word" and text.upper() in ("TRUE", "FALSE", "NULL"):
            value: Any = {"TRUE": True, "FALSE": False}.get(text.upper())
        elif kind == "text":
            value = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "datetime":
            value = dt.datetime.fromisoformat(text)
        elif kind == "date":
            value = dt.date.fromisoformat(text)
        elif kind == "number":
            value = Decimal(text)
        else:
            raise self._malformed(text)
        wants = {"datetime": "datetime", "date": "date", "boolean": "word", "currency": "number", "double": "number",
                 "percent": "number", "int": "number"}.get(f.type, "text")  # fmt: skip
        if value is not None and kind != wants:
            raise Refused(
                "INVALID_FIELD", f"value of filter criterion for field '{f.name}' must be of type {f.type}"
            )
        return value

    def _field(self, name: str) -> Field:
        for f in self.sobject.fields.values():
            if f.name.lower() == name.lower():
                return f
        raise Refused("INVALID_FIELD", f"\n{self.text}\n       ^\nERROR at Row:1:Column:8\nNo such column '{name}' on entity "
                      f"'{self.sobject.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the "
                      "custom field name. Please reference your WSDL or the describe call for the appropriate names.")  # fmt: skip

    def _malformed(self, token: str) -> Refused:
        return Refused("MALFORMED_QUERY", f"unexpected token: '{token}'")

    def _peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise self._malformed("<EOF>")
        self.at += 1
        return self.tokens[self.at - 1]

    def _took(self, word: str) -> bool:
        if self._peek() == word:
            self.at += 1
            return True
        return False

    def _word(self, word: str) -> None:
        if not self._took(word):
            raise self._malformed(self._peek() or "<EOF>")


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: a is not None and b is not None and compare(a, b)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, str) and isinstance(b, str) and len(a) == 18 and len(b) == 15:
        return a[:15] == b
    return bool(a == b)


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _same,
    "!=": lambda a, b: not _same(a, b),
    "<>": lambda a, b: not _same(a, b),
    "<": _ordered(lambda a, b: a < b),
    "<=": _ordered(lambda a, b: a <= b),
    ">": _ordered(lambda a, b: a > b),
    ">=": _ordered(lambda a, b: a >= b),
}
