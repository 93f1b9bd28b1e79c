"""CSV and TSV. What a file means is said by Python's csv reader in its strict mode; see also ``fastcsv``.

Records end with any line break, quoted fields may hold some; a quote inside an unquoted field is a plain sign.
Blank lines are skipped where there is more than one column, else they are an empty field.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TextIO

from cadran.plugins import DataError
from cadran_plugins.files.header import checked
from cadran_plugins.files.locate import Source, TableFiles
from cadran_plugins.files.options import Options
from cadran_plugins.files.textfile import look, opened

if TYPE_CHECKING:
    from cadran_plugins.files.staging import Staging

NULLS = ("",)


def delimiter(table: TableFiles) -> str:
    return table.options.delimiter or ("\t" if table.format == "tsv" else ",")


def names(table: TableFiles, source: Source) -> list[str]:
    """The columns, by ``header:`` or the file's first line; raises :class:`DataError`."""
    if table.options.header is not None:
        return checked(table.options.header, f"{source.name}: header")
    try:
        with opened(source, table.options.encoding) as text:
            reader = _reader(text, table)
            row = next((row for row in reader if row), None)
            line = reader.line_num
    except csv.Error as e:
        raise DataError(f"{source.name}:1: {_said(e, table.options)}") from None
    if row is None:
        raise DataError(
            f"{source.name}:1: the file is empty", hint="it needs a header line, or 'header: [a, b, …]'"
        )
    if len(row) == 1 and table.options.delimiter is None:
        _check_delimiter(row[0], f"{source.name}:{line}")
    return checked(row, f"{source.name}:{line}")


def load(file: int, source: Source, staging: Staging) -> None:
    """Stage the records of one file."""
    from cadran_plugins.files import fastcsv
    from cadran_plugins.files.staging import no_garbage_collection

    found = look(source, staging.table.options.encoding, staging.table.options.quote)
    if fastcsv.load(file, source, found, staging):
        return
    with opened(source, staging.table.options.encoding) as text, no_garbage_collection():
        _read(file, text, staging)
    staging.flush(file)


def _read(file: int, text: TextIO, staging: Staging) -> None:
    width = len(staging.names)
    header_to_come = staging.table.options.header is None
    for line, row in _records(_reader(text, staging.table)):
        if isinstance(row, csv.Error):
            staging.reject(file, line, _said(row, staging.table.options))
        elif header_to_come:
            header_to_come = not row
        elif len(row) == width:
            staging.add(file, line, row)
        elif not row and width == 1:
            staging.add(file, line, [""])
        elif row:
            staging.reject(file, line, f"{len(row)} field{'s' * (len(row) != 1)} instead of {width}")


def _records(reader: Any) -> Iterator[tuple[int, Any]]:
    """Each record, or the error in its stead, with the line that it starts at."""
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            yield line, e


def _reader(text: TextIO, table: TableFiles) -> Any:
    csv.field_size_limit(sys.maxsize)  # its default of 128 KB is no limit of any file format
    quote = table.options.quote
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    return csv.reader(text, delimiter=delimiter(table), quotechar=quote or None, quoting=quoting, strict=True)


def _said(error: csv.Error, options: Options) -> str:
    if "end of data" in str(error):
        return f"a quote {options.quote} that opens in this record is never closed"
    if "expected after" in str(error):
        return f"text behind a closing quote {options.quote} (a quote inside a quoted field is written twice)"
    return str(error)


def _check_delimiter(name: str, place: str) -> None:
    """A header of one column that holds another usual delimiter is most likely read with the wrong one."""
    for sign, shown in ((";", '";"'), ("\t", '"\\t"'), ("|", '"|"'), (",", '","')):
        if sign in name:
            hint = f"say 'delimiter: {shown}' if that stands between the fields"
            raise DataError(f"{place}: there is only one column, '{name}'", hint=hint)
