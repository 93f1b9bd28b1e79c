"""Outcomes of tests as JUnit XML, which CI systems read: a suite for each file, a case for each test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from cadran.testing.outcomes import Outcome
from cadran.testing.shown import behind

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in no XML


def as_xml(outcomes: Sequence[Outcome], prefix: str = "") -> bytes:
    """``prefix`` comes before the names of files, so that they can be found from where the command ran."""
    root = ElementTree.Element("testsuites", {"name": "cadran", **_counts(outcomes)})
    files: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        files.setdefault(outcome.where.file, []).append(outcome)
    for file, found in files.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": f"{prefix}{file}", **_counts(found), "errors": "0", "skipped": "0"})  # fmt: skip
        for outcome in found:
            _case(suite, outcome, prefix)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed = sum(not o.passed for o in outcomes)
    seconds = sum(o.seconds for o in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failed), "time": f"{seconds:.3f}"}


def _case(suite: ElementTree.Element, outcome: Outcome, prefix: str) -> None:
    file = f"{prefix}{outcome.where.file}"
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "name": _clean(outcome.name),
            "classname": file,
            "file": file,
            "line": str(outcome.where.line),
            "time": f"{outcome.seconds:.3f}",
        },
    )
    for miss in outcome.misses:
        failure = ElementTree.SubElement(
            case, "failure", {"message": _clean(miss.message), "type": "expectation"}
        )
        place = f"{prefix}{miss.where}: " if miss.where else ""
        failure.text = _clean(f"{place}{miss.message}")
    parts = [line.strip() for miss in outcome.misses for line in behind(miss)]
    if parts:
        ElementTree.SubElement(case, "system-out").text = _clean("\n".join(parts))


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
