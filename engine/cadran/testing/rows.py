"""The rows of a test as typed columns: what the files connector would make of the same text.

A value is text until all of its column are there; then the column's type is told from them, unless the table's own type
is known. An empty value is NULL.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from cadran.declare.document import Place
from cadran.declare.expectations import Given
from cadran.declare.findings import subject_of
from cadran.declare.source_text import line_starts, read_text
from cadran.plugins.typed import infer
from cadran.plugins.typed.shapes import Plain, Shapes
from cadran.problems import Position, Problem, ProblemsFound

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from cadran.declare.model import Declaration

# What a value can be written as; a column of any other type is told by its values.
_WRITABLE = ("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DOUBLE")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL")


Where = Callable[[int], Position]  # of a line of CSV, or of a row


@dataclass(slots=True)
class Texts:
    """A table of texts: ``rows`` in the order of ``names``, the ``lines`` that they begin in, and where those stand."""

    names: list[str]
    where: Where
    rows: list[list[str | None]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def place(self, row: int) -> Position:
        return self.where(self.lines[row])


@dataclass(frozen=True, slots=True)
class Rows:
    """The typed columns of one dataset's rows; ``empty`` are those of text that hold no value."""

    types: Mapping[str, str]
    data: pa.Table
    empty: tuple[str, ...] = ()


def texts(given: Given, folder: Path, allowed: Sequence[Path]) -> Texts:
    """What is written. Raises ProblemsFound where it is no table."""
    if given.csv is not None:
        text, place = given.csv.value, given.csv.place
        starts = line_starts(text)
        return _table(text, given.place, lambda line: place.position(starts[line], starts[line] + 1))
    if given.file is not None:
        shown, text = _file(given.file.value, given.file.place, folder, allowed)
        return _table(text, given.file.place, lambda line: Position(shown, line + 1, 1))
    names = list(dict.fromkeys(name for row in given.rows for name in row))
    rows = [[row.get(name) for name in names] for row in given.rows]
    return Texts(names, lambda row: given.place.child(row).position(), rows, list(range(len(rows))))


def check_files(declaration: Declaration) -> list[Problem]:
    """What is wrong with where the tests' files are said to lie."""
    problems: list[Problem] = []
    for given in (given for test in declaration.tests.values() for given in test.given.values()):
        try:
            if given.file is not None:
                _path(given.file.value, given.file.place, declaration.folder, declaration.allow_paths)
        except ProblemsFound as found:
            problems += [replace(p, subject=subject_of(given.place.path)) for p in found.problems]
    return problems


def _file(written: str, place: Place, folder: Path, allowed: Sequence[Path]) -> tuple[str, str]:
    """Name and text of a file with rows."""
    path, root = _path(written, place, folder, allowed), folder.resolve()
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return shown, read_text(path, shown)


def _path(written: str, place: Place, folder: Path, allowed: Sequence[Path]) -> Path:
    """Where a file with rows is; it lies within the project."""
    base = (folder / place.document.shown_as).parent
    path = (base / written).resolve()
    root = folder.resolve()
    if not any(path.is_relative_to(inside) for inside in (root, *allowed)):
        hint = "move it into the project's folder"
        raise ProblemsFound([Problem("file-outside", f"'{written}' lies outside the project", place.position(), hint=hint)])  # fmt: skip
    if not path.is_file():
        hint = "paths are relative to the file that names them"
        raise ProblemsFound([Problem("file-missing", f"there is no file '{written}'", place.position(), hint=hint)])  # fmt: skip
    return path


def _table(text: str, place: Place, line_at: Where) -> Texts:
    """CSV with commas and a header line."""
    problems: list[Problem] = []
    found: Texts | None = None
    for line, row in _records(text, line_at, problems):
        if found is None:
            found = Texts(row, line_at)
            if len(row) == 1 and (sign := next((sign for sign in _OTHER_SIGNS if sign in row[0]), "")):
                raise ProblemsFound([_other_sign(sign, line_at(line))])
            problems += _names(row, line_at(line))
        elif len(row) != len(found.names):
            message = f"{len(row)} field{'s' * (len(row) != 1)} instead of {len(found.names)}"
            hint = "a value with a comma is put in double quotes"
            if split := _split_decimal(row, len(found.names)):
                hint = f"decimals are written with a point: {split}"
            problems.append(Problem("bad-row", message, line_at(line), hint=hint))
        else:
            found.rows.append([value or None for value in row])
            found.lines.append(line)
    if found is None and not problems:
        hint = "begin with a line of column names such as id,created_at"
        problems.append(Problem("bad-row", "there are no rows here", place.position(), hint=hint))
    if problems or found is None:
        raise ProblemsFound(problems)
    return found


_OTHER_SIGNS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def _other_sign(sign: str, where: Position) -> Problem:
    message = f"the columns are separated by {_OTHER_SIGNS[sign]}"
    hint = "separate them with commas in every line, and write decimals with a point"
    return Problem("bad-row", message, where, hint=hint)


def _split_decimal(row: Sequence[str], width: int) -> str:
    """The number, written with a point, that a decimal comma has made two fields of."""
    pairs = pairwise(row) if len(row) > width else ()
    whole = re.compile(r"[-+]?\d+")
    return next((f"{a}.{b}" for a, b in pairs if whole.fullmatch(a) and re.fullmatch(r"\d{1,2}", b)), "")


def _records(text: str, line_at: Where, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line that it begins in; blank lines are none."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    while True:
        line = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message, hint = (
                "a quote is not closed, or text stands behind one",
                'inside quotes, " is written twice',
            )
            problems.append(Problem("bad-row", message, line_at(line), hint=hint))
            return
        if row:
            yield line, row


def _names(names: Sequence[str], where: Position) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name.strip():
            yield Problem(
                "bad-row", f"column {number} has no name", where, hint="the first line names the columns"
            )
        elif name.casefold() in seen:
            yield Problem("bad-row", f"two columns are named '{name}'", where, hint="keep one of them")
        seen.add(name.casefold())


class Typing:
    """Tells the types of columns; one small database for all tests."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def typed(self, found: Texts, names: Sequence[str], known: Mapping[str, str]) -> Rows:
        """The columns called ``names``, of ``known`` types where there are. Raises ProblemsFound for values that do not fit."""
        self._stage(found, len(names))
        types = [_writable(known.get(name, "")) for name in names]
        try:
            told = infer.columns(self.connection, Shapes(Plain()), types, [set() for _ in names])
        except infer.TooWide as error:
            message = f"the numbers of '{names[error.index]}' need more than 38 digits"
            raise ProblemsFound([Problem("bad-value", message, found.place(0))]) from None
        self._check(found, names, told)
        wanted = ", ".join(f"{c.convert()} AS {_quoted(n)}" for c, n in zip(told, names, strict=True))
        data = self.connection.sql(f"SELECT {wanted} FROM raw ORDER BY line").to_arrow_table()
        kinds = {name: column.type for name, column in zip(names, told, strict=True)}
        filled = {name: data.column(i).null_count < data.num_rows for i, name in enumerate(names)}
        return Rows(kinds, data, tuple(n for n, kind in kinds.items() if kind == "VARCHAR" and not filled[n]))

    def _stage(self, found: Texts, width: int) -> None:
        """The texts as a table. As parameters, not as Arrow, which would import pandas where that is installed."""
        columns = zip(*found.rows, strict=True) if found.rows else ([] for _ in range(width))
        listed = "".join(f", unnest(CAST(${i + 2} AS VARCHAR[])) AS c{i}" for i in range(width))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT unnest(CAST($1 AS BIGINT[])) AS line{listed}",
            [list(range(len(found.rows))), *(list(values) for values in columns)],
        )

    def widened(self, rows: Rows, kinds: Mapping[str, str]) -> pa.Table:
        """The rows with a column of NULLs for each of ``kinds`` that they lack."""
        missing = [
            f"CAST(NULL AS {kind}) AS {_quoted(n)}" for n, kind in kinds.items() if n not in rows.types
        ]
        if not missing:
            return rows.data
        self.connection.register("arrived", rows.data)
        try:
            return self.connection.sql(f"SELECT *, {', '.join(missing)} FROM arrived").to_arrow_table()
        finally:
            self.connection.unregister("arrived")

    def _check(self, found: Texts, names: Sequence[str], told: Sequence[infer.Column]) -> None:
        problems = []
        for column in told:
            if not column.rules or column.sure:
                continue
            bad = f"SELECT line, {column.x} FROM raw WHERE {column.bad()} ORDER BY line"
            for line, value in self.connection.execute(bad).fetchall():
                message = f"{names[column.index]}: '{value}' is not a {column.type.lower()}"
                hint = "dates are written 2026-03-31, numbers with a point"
                problems.append(Problem("bad-value", message, found.place(line), hint=hint))
        if problems:
            raise ProblemsFound(problems)


def _writable(kind: str) -> str:
    return kind if kind in _WRITABLE or kind.partition("(")[0] in _NUMBERS else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def typing() -> Iterator[Typing]:
    """Raises nothing; what is in it never leaves memory."""
    import duckdb
    import pyarrow  # noqa: F401 - here, so that no test is charged with it

    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "temp_directory": "", "threads": "1"}  # fmt: skip
    with closing(duckdb.connect(":memory:", config=offline)) as connection:  # type: ignore[arg-type]
        connection.execute("SET TimeZone = 'UTC'")
        yield Typing(connection)
