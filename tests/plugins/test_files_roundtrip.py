"""Whatever a CSV writer writes comes back as it was, by the fast reader and by the exact one."""

from __future__ import annotations

import csv
import io
import tempfile
from decimal import Decimal
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from cadran.plugins import ConnectorError
from cadran_plugins.files import fastcsv
from plugins.reading import read

SIGNS = st.sampled_from([*"ab1\",;'\\ \t\n\r#.-é€\u2028\x0b"])
TEXT = st.text(SIGNS, max_size=6)
WIDTHS = st.integers(min_value=1, max_value=4)
TABLES = WIDTHS.flatmap(
    lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=6)
)


def written(rows: list[list[str]], delimiter: str, ends: str, quoting: int) -> str:
    if any("\r" in value for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # Python's writer forgets to quote it where lines end with LF
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def outcome(text: str, delimiter: str, width: int, exact: bool) -> object:
    """The rows as text, or the error's message."""
    names = [f"c{i}" for i in range(width)]
    types = dict.fromkeys(names, "text")
    way = (
        mock.patch.object(fastcsv, "load", lambda *_: False)
        if exact
        else mock.patch.object(csv, "none", None, create=True)
    )
    with tempfile.TemporaryDirectory() as folder, way:
        try:
            return read(Path(folder), text, delimiter=delimiter, header=names, types=types).rows
        except ConnectorError as e:
            return [e.message, *e.more]


@settings(max_examples=60, deadline=None)
@given(
    TABLES,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_what_is_written_is_read(
    rows: list[list[str]], delimiter: str, ends: str, quoting: int, exact: bool
) -> None:
    text = written(rows, delimiter, ends, quoting)
    expected = [tuple(value or None for value in row) for row in rows]
    assert outcome(text, delimiter, len(rows[0]), exact) == expected


@settings(max_examples=80, deadline=None)
@given(st.text(st.sampled_from('aab1",  \n\n\r\t'), max_size=24), st.integers(min_value=1, max_value=3))
def test_both_readers_agree_on_any_text(text: str, width: int) -> None:
    assert outcome(text, ",", width, exact=False) == outcome(text, ",", width, exact=True)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15),
        min_size=1,
    )
)
def test_decimals_stay_exact(values: list[Decimal]) -> None:
    text = "x,y\n" + "".join(f"{value:f},1\n" for value in values)
    with tempfile.TemporaryDirectory() as folder:
        assert read(Path(folder), text).column("x") == values
