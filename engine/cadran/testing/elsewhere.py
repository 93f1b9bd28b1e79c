"""Dates and decimals in a test's rows that are written as files of the team write them, and not as rows of tests are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from cadran.problems import Problem
from cadran.testing.rows import Texts

_CODES = ("not-a-date", "wrong-type")  # what a run says of a column that is not what it is used as
_DATE = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b.*")
_OURS = re.compile(r"[-+]?\d+(\.\d+)?|\d{4}-\d\d(-\d\d.*)?")
_DECIMAL = re.compile(r"([-+]?\d[\d \u00a0\u202f]*),(\d+)\s*[€%]?")


def at_their_rows(problems: Sequence[Problem], given: Mapping[str, Texts]) -> list[Problem]:
    """The problems of a computation, those of columns of a wrong type as the values of the rows that look like the cause."""
    kept = [problem for problem in problems if problem.code not in _CODES]
    values = [problem for found in given.values() for problem in _values(found)]
    return [*kept, *values] if len(kept) < len(problems) and values else list(problems)


def _values(found: Texts) -> Iterator[Problem]:
    for row, fields in enumerate(found.rows):
        for name, value in zip(found.names, fields, strict=True):
            hint = _hint(value or "")
            if hint:
                message = f"{name}: '{value}' is not how rows of tests are written"
                yield Problem("bad-value", message, found.place(row), hint=hint)


def _hint(value: str) -> str:
    if _DATE.fullmatch(value):
        return "write dates like 2026-03-31, also where the source's files have another form"
    decimal = _DECIMAL.fullmatch(value)
    if decimal:
        whole = "".join(decimal[1].split())
        return f"write {whole}.{decimal[2]}, also where the source's files have a decimal comma"
    if value != value.strip() and _OURS.fullmatch(value.strip()):
        return "leave out the space beside the comma, which is a part of the value"
    return ""
