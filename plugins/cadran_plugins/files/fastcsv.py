"""DuckDB's parallel CSV reader, for files so plain that it cannot mean anything else than Python's does.

Where it disagrees with the strict reader (blanks around quotes, mixed line breaks, blank lines), or where lines
and records are not the same, the file is left to the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cadran.plugins.typed.shapes import literal
from cadran_plugins.files import csvfile
from cadran_plugins.files.locate import Source
from cadran_plugins.files.textfile import Look

if TYPE_CHECKING:
    from cadran_plugins.files.staging import Staging

_NEVER = "\x01\x02\x03"  # as DuckDB's own mark of NULL; what is NULL is decided in the staging


def load(file: int, source: Source, look: Look, staging: Staging) -> bool:
    """Stage the whole file, or nothing: then it is for the exact reader."""
    import duckdb

    if not _plain(source, look, staging):
        return False
    header = int(staging.table.options.header is None)
    [(before,)] = staging.con.execute("SELECT count(*) FROM raw").fetchall()
    staging.con.execute("BEGIN")
    try:
        count = staging.insert((str(file), str(1 + header - before)), _scan(source, staging))
    except duckdb.Error:
        count = -1
    whole = count == look.lines - header
    staging.con.execute("COMMIT" if whole else "ROLLBACK")
    if whole:
        staging.by_row.add(file)
    return whole


def _plain(source: Source, look: Look, staging: Staging) -> bool:
    options = staging.table.options
    signs = (csvfile.delimiter(staging.table) + options.quote).isascii()
    utf8 = options.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    one_file = not set("*?[") & set(str(source.path)) and source.path.suffix.lower() != ".gz"
    return utf8 and signs and one_file and look.even and not look.odd and len(staging.names) > 1


def _scan(source: Source, staging: Staging) -> str:
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(staging.names)))
    quote = literal(staging.table.options.quote)
    header = staging.table.options.header is None
    return (
        f"read_csv({literal(str(source.path))}, auto_detect = false, strict_mode = true, null_padding = false, "
        f"header = {header}, delim = {literal(csvfile.delimiter(staging.table))}, quote = {quote}, escape = {quote}, "
        f"nullstr = {literal(_NEVER)}, columns = {{{columns}}})"
    )
