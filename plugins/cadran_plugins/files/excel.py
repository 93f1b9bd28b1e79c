"""Excel: one sheet, its first row the header. Cells say what they hold, so texts that look like numbers stay text.

Excel stores numbers as floats: they are taken as the shortest decimal that means that float, as Excel shows them.
calamine reads error cells (#N/A) as empty ones, so these are looked up in the file itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadran.plugins import ConfigError, DataError, listed, suggest
from cadran_plugins.files.header import checked
from cadran_plugins.files.locate import Source, TableFiles

if TYPE_CHECKING:
    from cadran_plugins.files.staging import Place, Staging

NULLS = ("",)


def names(table: TableFiles, source: Source) -> list[str]:
    """The columns; raises :class:`DataError` or, for a sheet that is not there, :class:`ConfigError`."""
    if table.options.header is not None:
        return checked(table.options.header, f"{source.name}: header")
    title, rows = _sheet(table, source, 1)
    if not rows:
        raise DataError(f"{source.name}: sheet {title} is empty", hint="its first row must name the columns")
    header = [_cell(value)[1] or "" for value in rows[0]]
    while len(header) > 1 and not header[-1]:
        header.pop()
    return checked(header, f"{source.name}: sheet {title}, row 1")


def load(file: int, source: Source, staging: Staging) -> None:
    """Stage the rows of one file's sheet."""
    from cadran_plugins.files.xlsx_errors import error_cells

    table, width = staging.table, len(staging.names)
    title, rows = _sheet(table, source)
    errors = error_cells(source.path, title)
    while rows and not any(value != "" for value in rows[-1]) and not errors:
        rows.pop()
    for line, row in enumerate(rows, 1):
        if line == 1 and table.options.header is None:
            continue
        wrong = [(i, text) for i in range(len(row)) if (text := errors.get((line, i)))]
        outside = [i for i, value in enumerate(row) if i >= width and value != ""]
        if wrong:
            staging.reject(file, line, f"the cell holds the error {wrong[0][1]}", wrong[0][0])
        elif outside:
            staging.reject(file, line, "there is a value, but the column has no name", outside[0])
        elif width == 1 or any(value != "" for value in row):
            staging.add(file, line, _row(row, staging))
    staging.flush(file)


def places(table: TableFiles) -> Place:
    """How cells are called: ``costs.xlsx: sheet Costs, cell B7``."""
    sheets = [f"{source.name}: sheet {_sheet(table, source, 0)[0]}" for source in table.files]

    def place(file: int, line: int, column: int | None = None) -> str:
        return f"{sheets[file]}, " + (f"row {line}" if column is None else f"cell {_letters(column)}{line}")

    return place


def _sheet(table: TableFiles, source: Source, most: int | None = None) -> tuple[str, list[list[Any]]]:
    """The sheet's name and at most so many of its rows."""
    import python_calamine as calamine

    try:
        with calamine.CalamineWorkbook.from_path(source.path) as book:
            title = table.options.sheet
            if title is not None and title not in book.sheet_names:
                hint = suggest(title, book.sheet_names) or f"there are: {listed(book.sheet_names, 20)}"
                raise ConfigError(
                    f"{source.name}: there is no sheet '{title}'",
                    hint=hint,
                    setting=(*table.setting, "sheet"),
                )
            title = title if title is not None else book.sheet_names[0]
            if most == 0:
                return title, []
            return title, book.get_sheet_by_name(title).to_python(skip_empty_area=False, nrows=most)
    except (calamine.CalamineError, OSError) as e:
        raise DataError(f"{source.name}: not a readable Excel file: {e}") from None


def _row(row: Sequence[Any], staging: Staging) -> list[str | None]:
    texts: list[str | None] = []
    for value, kinds in zip(row, staging.kinds, strict=False):
        kind, text = _cell(value)
        if kind:
            kinds.add(kind)
        texts.append(text)
    return texts + [None] * (len(staging.names) - len(texts))


def _cell(value: Any) -> tuple[str, str | None]:
    """Kind and text; an empty cell has neither."""
    if value == "" or value is None:
        return "", None
    if isinstance(value, bool):
        return "boolean", "true" if value else "false"
    if isinstance(value, (int, float)):
        return "number", _number(value)
    if isinstance(value, dt.datetime):
        return "date", value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return "date", value.isoformat()
    return ("text" if isinstance(value, str) else "other"), str(value)


def _number(value: float) -> str:
    number = Decimal(repr(value))
    plain = format(number, "f")
    if len(plain) > 38:
        return f"{number:e}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _letters(column: int) -> str:
    """``A`` for 0, ``AA`` for 26."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
