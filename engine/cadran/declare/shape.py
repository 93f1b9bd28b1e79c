"""Findings about a document's shape, and what they look like after a second look at all of them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cadran.declare.document import Document

Keys = tuple[str | int, ...]

_CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a document's shape; ``path`` is what cannot be used because of it."""

    path: Keys
    on_key: bool
    code: str
    message: str
    hint: str = ""
    silent: bool = False  # another finding says it better


def without_echoes(found: list[Finding]) -> list[Finding]:
    """``'from' is missing`` says nothing more where an unknown key ``form`` already asks for it."""
    asked = {(f.path[:-1], f.hint) for f in found if f.code == "unknown-key"}
    return [
        replace(f, silent=True)
        if f.code == "missing-key" and (f.path, f"did you mean {f.message.split()[0]}?") in asked
        else f
        for f in found
    ]


# --- formulas cut short by a comma -----------------------------------------------------------------------------------


def without_cuts(document: Document, found: list[Finding]) -> list[Finding]:
    """In ``{formula: f(a, b), period: month}`` YAML ends the formula at the first comma and makes a key of ``b)``.

    Such keys are taken out, and the formula that was cut is named instead.
    """
    cuts: dict[Keys, tuple[str, list[str]]] = {}
    out = []
    for finding in found:
        formula = _cut_formula(document, finding.path)
        if formula is None:
            out.append(finding)
        else:
            rest = cuts.setdefault((*finding.path[:-1], formula), (formula, []))[1]
            rest.append(str(finding.path[-1])) if finding.path[-1] not in rest else None
    for path, (key, rest) in cuts.items():
        whole = ", ".join([value_at(document.data, path), *rest])
        message = f"'{key}' is cut short by a comma inside {{…}}"
        hint = f'put the formula in quotes: {key}: "{whole}"'
        out.append(Finding(path, False, "cut-formula", message, hint))
    return out


def _cut_formula(document: Document, path: Keys) -> str | None:
    """The key of the formula whose tail ``path`` names, if it is one."""
    mapping = value_at(document.data, path[:-1])
    if not path or not isinstance(mapping, dict) or mapping.get(str(path[-1]), "") is not None:
        return None
    if not document.is_flow(path[:-1]):
        return None
    before: str | None = None
    for key, value in mapping.items():
        if key == path[-1]:
            break
        before = key if value is not None else before
    if before is None or not isinstance(mapping[before], str) or is_balanced(mapping[before]):
        return None
    return before


def value_at(data: Any, path: Keys) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def is_balanced(text: str) -> bool:
    """Whether brackets and quotes that are opened are closed."""
    open_: list[str] = []
    quote = ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            open_.append(char)
        elif char in _CLOSING and (not open_ or open_.pop() != _CLOSING[char]):
            return False
    return not open_ and not quote
