"""The cells of an Excel sheet that hold errors (#N/A, #DIV/0!), read from the file's XML."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_LETTERS = re.compile(r"([A-Z]+)([0-9]+)")


def error_cells(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """The error by row (from 1) and column (from 0)."""
    with zipfile.ZipFile(path) as book:
        part = _part(book, sheet)
        if part is None or not _ERROR.search(book.read(part)):
            return {}
        with book.open(part) as xml:
            return dict(_cells(ElementTree.iterparse(xml, events=("start", "end"))))


def _cells(events: Iterator[tuple[str, ElementTree.Element]]) -> Iterator[tuple[tuple[int, int], str]]:
    """A cell without a reference stands behind the one before."""
    row, column = 0, -1
    for event, element in events:
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, column = int(element.get("r") or row + 1), -1
        elif event == "start" and tag == "c":
            found = _LETTERS.fullmatch(element.get("r") or "")
            row, column = (int(found[2]), _number(found[1])) if found else (row, column + 1)
        elif event == "end" and tag == "c":
            if element.get("t") == "e":
                yield (row, column), next((v.text or "" for v in element if v.tag.endswith("}v")), "")
            element.clear()


def _part(book: zipfile.ZipFile, sheet: str) -> str | None:
    """The member that holds a sheet: its relation in the workbook, and where that leads."""
    workbook = ElementTree.fromstring(book.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    for element in workbook.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            id_ = next((v for k, v in element.attrib.items() if k.endswith("}id")), None)
            target = targets.get(id_, "")
            part = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
            return part if part in book.namelist() else None
    return None


def _number(letters: str) -> int:
    value = 0
    for letter in letters:
        value = value * 26 + ord(letter) - ord("A") + 1
    return value - 1
