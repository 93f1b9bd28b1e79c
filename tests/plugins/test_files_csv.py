"""CSV: what a record is, and every way in which a file can be wrong."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from cadran_plugins.files import fastcsv
from plugins.reading import failure, read, source, write

GOOD: dict[str, tuple[str | bytes, list[tuple[Any, ...]]]] = {
    "LF": ("a,b\nx,1\ny,2\n", [("x", 1), ("y", 2)]),
    "CR LF": ("a,b\r\nx,1\r\ny,2\r\n", [("x", 1), ("y", 2)]),
    "CR": ("a,b\rx,1\ry,2\r", [("x", 1), ("y", 2)]),
    "line breaks of several kinds": ("a,b\r\nx,1\ny,2\r\n", [("x", 1), ("y", 2)]),
    "no line break at the end": ("a,b\nx,1\ny,2", [("x", 1), ("y", 2)]),
    "byte order mark": (b"\xef\xbb\xbfa,b\nx,1\n", [("x", 1)]),
    "byte order mark and quotes": (b'\xef\xbb\xbf"a","b"\nx,1\n', [("x", 1)]),
    "blank lines": ("a,b\nx,1\n\ny,2\n\n", [("x", 1), ("y", 2)]),
    "blank lines with CR LF": ("a,b\r\n\r\nx,1\r\n\r\n", [("x", 1)]),
    "a blank line at the top": ("\na,b\nx,1\n", [("x", 1)]),
    "line breaks in quotes": ('a,b\n"x\ny",1\n"z\r\nz",2\n', [("x\ny", 1), ("z\r\nz", 2)]),
    "LF in quotes, CR LF behind records": ('a,b\r\n"x\ny",1\r\nz,2\r\n', [("x\ny", 1), ("z", 2)]),
    "a line break in the header": ('a,"b\nc"\nx,1\n', [("x", 1)]),
    "delimiters in quotes": ('a,b\n"x,y",1\n', [("x,y", 1)]),
    "doubled quotes": ('a,b\n"x""y",1\n"""",2\n', [('x"y', 1), ('"', 2)]),
    "quotes inside an unquoted field": ('a,b\n5" pipe,1\n6",2\n', [('5" pipe', 1), ('6"', 2)]),
    "blanks are kept": ("a,b\n  x  ,1\n   ,2\n", [("  x  ", 1), ("   ", 2)]),
    "a blank before a quote": ('a,b\n "x",1\n', [(' "x"', 1)]),
    "a tab before a quote": ('a,b\n\t"x",1\n', [('\t"x"', 1)]),
    "backslashes are plain": ('a,b\n"x\\",1\n\\N,2\n', [("x\\", 1), ("\\N", 2)]),
    "number signs are plain": ("a,b\n#x,1\n//y,2\n", [("#x", 1), ("//y", 2)]),
    "empty fields, quoted or not": ('a,b\n,1\n"",2\n', [(None, 1), (None, 2)]),
    "words that mean NULL elsewhere": ("a,b\nNULL,1\nNone,2\nNA,3\n", [("NULL", 1), ("None", 2), ("NA", 3)]),
    "signs that look like line breaks": (
        "a,b\nx\u2028y,1\nx\x0by\x85,2\n",
        [("x\u2028y", 1), ("x\x0by\x85", 2)],
    ),
    "a header only": ("a,b\n", []),
    "a header only, no line break": ("a,b", []),
    "long fields": (f"a,b\n{'x' * 3_000_000},1\n", [("x" * 3_000_000, 1)]),
    "long quoted fields": (f'a,b\n"{"x,y " * 50_000}",1\n', [("x,y " * 50_000, 1)]),
}


@pytest.mark.parametrize("exact", [False, True], ids=["fast", "exact"])
@pytest.mark.parametrize("case", GOOD)
def test_good(case: str, exact: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if exact:
        monkeypatch.setattr(fastcsv, "load", lambda *_: False)
    content, rows = GOOD[case]
    assert read(tmp_path, content).rows == rows


def test_a_blank_line_in_a_single_column_is_an_empty_field(tmp_path: Path) -> None:
    assert read(tmp_path, 'a\nx\n\n""\ny\n').rows == [("x",), (None,), (None,), ("y",)]


def test_the_order_is_the_files(tmp_path: Path) -> None:
    numbers = [(i, i * 7 % 1000) for i in range(200_000)]
    content = "a,b\n" + "".join(f"{a},{b}\n" for a, b in numbers)
    assert read(tmp_path, content).rows == numbers


def test_plain_files_take_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    load = fastcsv.load

    def watched(*args: Any) -> bool:
        taken.append(load(*args))
        return taken[-1]

    monkeypatch.setattr(fastcsv, "load", watched)
    read(tmp_path, 'a,b\n"x, y",1\nz,2\n')
    read(tmp_path, "a;b\r\nx;1\r\nz;2", delimiter=";")
    read(tmp_path, 'a,b\n"x\ny",1\nz,2\n')
    read(tmp_path, "a,b\nx,1\n", name="b[1]*.csv")
    assert taken == [True, True, False, False]


def test_a_name_with_signs_of_patterns_is_that_file_alone(tmp_path: Path) -> None:
    write(tmp_path, {"xy.csv": "a,b\nwrong,1\n"})
    assert read(tmp_path, "a,b\nx,1\n", name="x*.csv").rows == [("x", 1)]


def test_semicolons_tabs_and_other_quotes(tmp_path: Path) -> None:
    assert read(tmp_path, "a;b\n'x;y';1\n", delimiter=";", quote="'").rows == [("x;y", 1)]
    assert read(tmp_path, "a\tb\nx,y\t1\n", name="t.tsv").rows == [("x,y", 1)]
    assert read(tmp_path, 'a,b\n"x,1\n', quote="").rows == [('"x', 1)]
    assert read(tmp_path, "a¦b\nx¦1\n", delimiter="¦").rows == [("x", 1)]


def test_encodings(tmp_path: Path) -> None:
    text = "prénom,b\nJosé – 5 €,1\n"
    for encoding in ("utf-8", "cp1252", "utf-16", "utf-16-le"):
        found = read(tmp_path, text.encode(encoding), encoding=encoding)
        assert (found.columns, found.rows) == (["prénom", "b"], [("José – 5 €", 1)])


def test_compressed(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b\nx,1\n")
    assert read(tmp_path, content, name="t.csv.gz").rows == [("x", 1)]
    assert "t.csv.gz" in failure(tmp_path, content[:-10], name="t.csv.gz")[0]


def test_header_names_the_columns_of_a_file_without_one(tmp_path: Path) -> None:
    found = read(tmp_path, "x,1\ny,2\n", header=["name", "n"])
    assert (found.columns, found.rows) == (["name", "n"], [("x", 1), ("y", 2)])
    assert read(tmp_path, "", header=["name", "n"]).rows == []
    told = failure(tmp_path, "x,1\ny\n", header=["name", "n"])
    assert told[0] == "t.csv:2: 1 field instead of 2"


BAD: dict[str, tuple[str | bytes, str]] = {
    "too few fields": ("a,b\nx,1\ny\n", "t.csv:3: 1 field instead of 2"),
    "too few fields at the end": ("a,b\nx,1\ny", "t.csv:3: 1 field instead of 2"),
    "too many fields": ("a,b\nx,1\ny,2,3\n", "t.csv:3: 3 fields instead of 2"),
    "a delimiter behind each record": ("a,b\nx,1,\n", "t.csv:2: 3 fields instead of 2"),
    "a line of blanks": ("a,b\nx,1\n  \n", "t.csv:3: 1 field instead of 2"),
    "the line is where the record starts": ('a,b\n"x\n\ny",1\n"z\n"\n', "t.csv:5: 1 field instead of 2"),
    "blank lines count": ("a,b\n\n\nx\n", "t.csv:4: 1 field instead of 2"),
    "CR LF is one line break": ("a,b\r\nx,1\r\ny\r\n", "t.csv:3: 1 field instead of 2"),
    "an open quote": (
        'a,b\nx,1\n"y,2\nz,3\n',
        't.csv:3: a quote " that opens in this record is never closed',
    ),
    "an open quote in the header": (
        'a,"b\nx,1\n',
        't.csv:1: a quote " that opens in this record is never closed',
    ),
    "text behind a quote": (
        'a,b\n"x"y,1\n',
        't.csv:2: text behind a closing quote " (a quote inside a quoted field is written twice)',
    ),
    "a blank behind a quote": (
        'a,b\n"x" ,1\n',
        't.csv:2: text behind a closing quote " (a quote inside a quoted field is written twice)',
    ),
    "bytes of another encoding": (
        b"a,b\nx,1\nJos\xe9,2\n",
        "t.csv:3: byte 0xe9 is not valid in encoding utf-8",
    ),
    "half a sign at the end": (b"a,b\nx,\xc3", "t.csv:2: byte 0xc3 is not valid in encoding utf-8"),
    "bytes of another encoding in the header": (
        b"pr\xe9nom,b\n",
        "t.csv:1: byte 0xe9 is not valid in encoding utf-8",
    ),
    "a NUL byte": (b"a,b\nx,1\ny\x00,2\n", "t.csv:3: a NUL byte, which text never holds"),
    "an empty file": ("", "t.csv:1: the file is empty"),
    "nothing but blank lines": ("\n\n", "t.csv:1: the file is empty"),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", "t.csv:1: the file is empty"),
    "a name twice": ("a,b,a\n1,2,3\n", "t.csv:1: columns 1 and 3 are both named 'a' (case does not count)"),
    "a name twice but for case": (
        "id,b,ID\n1,2,3\n",
        "t.csv:1: columns 1 and 3 are both named 'ID' (case does not count)",
    ),
    "a column without a name": ("a,,c\n1,2,3\n", "t.csv:1: column 2 has no name"),
    "another delimiter": ("a;b\n1;2\n", "t.csv:1: there is only one column, 'a;b'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad(case: str, tmp_path: Path) -> None:
    content, message = BAD[case]
    assert failure(tmp_path, content)[0] == message


def test_bad_headers_are_known_before_the_rows_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "a,a\n", "b.csv": "x,y\n"})
    tables = {t.name: t for t in source(tmp_path).discover()}
    assert "both named 'a'" in str(tables["a"].problem)
    assert tables["b"].problem is None


def test_all_bad_records_are_told_at_once(tmp_path: Path) -> None:
    content = "a,b\nx,1\ny\nz,q\n" + "w,2,3\n" * 30
    told = failure(tmp_path, content, types={"b": "int"})
    assert told[:3] == [
        "t.csv:3: 1 field instead of 2",
        "t.csv:4: b: 'q' is not an integer",
        "t.csv:5: 3 fields instead of 2",
    ]
    assert told[-2:] == [
        "and 12 more; 32 bad records in all",
        "correct the file, or set bad records aside with 'on_bad_row: quarantine'",
    ]


def test_lines_of_bad_values_are_those_of_the_file(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i}\n" for i in range(5000)) + "q,1\n"
    two = {"a_1.csv": "x,y\n" + rows, "a_2.csv": 'x,"y"\n"1\n2",1\nq,2\n', "a_3.csv": "x,y\n1,1\nq,3\n"}
    write(tmp_path, two)
    with pytest.raises(Exception, match="not an integer") as caught:
        list(source(tmp_path, tables={"a": {"path": "a_*.csv", "types": {"x": "int"}}}).read("a"))
    told = [str(caught.value), *caught.value.more]  # type: ignore[attr-defined]
    assert [line.split(": ")[0] for line in told] == ["a_1.csv:5002", "a_2.csv:2", "a_2.csv:4", "a_3.csv:3"]


def test_quarantine_sets_bad_records_aside(tmp_path: Path) -> None:
    content = 'a,b\nx,1\ny\nz,q\n"w"v,3\nu,4,\nt,5\n'
    found = read(tmp_path, content, on_bad_row="quarantine", types={"b": "int"})
    assert found.rows == [("x", 1), ("t", 5)]
    assert found.rejected == [
        "t.csv:3: 1 field instead of 2",
        "t.csv:4: b: 'q' is not an integer",
        't.csv:5: text behind a closing quote " (a quote inside a quoted field is written twice)',
        "t.csv:6: 3 fields instead of 2",
    ]


def test_quarantine_of_a_plain_file(tmp_path: Path) -> None:
    found = read(tmp_path, "a,b\nx,1\ny,q\n", on_bad_row="quarantine", types={"b": "int"})
    assert (found.rows, found.rejected) == ([("x", 1)], ["t.csv:3: b: 'q' is not an integer"])


def test_quarantine_does_not_hide_a_broken_file(tmp_path: Path) -> None:
    told = failure(tmp_path, b"a,b\nx\xff,1\n", on_bad_row="quarantine")
    assert told[0] == "t.csv:2: byte 0xff is not valid in encoding utf-8"
