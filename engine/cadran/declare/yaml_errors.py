"""What PyYAML says about a file that is not YAML, in words that somebody who edits a KPI file understands."""

from __future__ import annotations

import yaml

_QUOTE = "if this is a formula or a text, put the whole of it in quotes"
_INDENT = "check that the lines of one block begin in the same column"

# (a part of YAML's message, what it means, the way out); the first that fits
_WORDS = [
    ("mapping values are not allowed", "a second ':' stands where only a value can be", _QUOTE),
    ("block sequence entries are not allowed", "a list item ('-') stands where no list can begin", _INDENT),
    ("mapping keys are not allowed", "a '?' stands where no key can begin", _QUOTE),
    ("could not find expected ':'", "a ':' is missing behind this key, or the line is indented too little", "write 'key: value'"),
    ("did not find expected key", "this does not fit the lines before it", f"{_INDENT}; a value that begins with a quote must also end with one"),
    ("expected <block end>", "this does not fit the lines before it", f"{_INDENT}; a value that begins with a quote must also end with one"),
    ("did not find expected '-' indicator", "a list item is expected here", "begin the line with '- ', in the column of the other items"),
    ("expected ',' or '}'", "the '{' that begins {other} is not closed properly", "check commas, quotes and the closing '}'; a formula with a comma or a quote in it must be in quotes"),
    ("expected ',' or ']'", "the '[' that begins {other} is not closed properly", "check commas, quotes and the closing ']'"),
    ("did not find expected node content", "a value is missing here", "look for a comma or a bracket too many"),
    ("found unexpected end of stream", "a quote was opened and never closed", "close it, or write a quote inside '…' as ''"),
    ("found unknown escape character", "'\\' with this letter means nothing inside \"…\"", "write '\\\\' for a backslash, or use '…' instead of \"…\""),
    ("hexdecimal", "the '\\x', '\\u' or '\\U' before this needs hexadecimal digits", "write '\\\\' for a backslash"),
    ("hexadecimal", "the '\\x', '\\u' or '\\U' before this needs hexadecimal digits", "write '\\\\' for a backslash"),
    ("found unexpected document indicator", "a quote was opened and never closed before this '---' or '...'", "close the quote"),
    ("found undefined alias", "'*' names an anchor that is not defined before it", _QUOTE),
    ("found duplicate anchor", "this anchor ('&') is defined twice", "give each anchor a name of its own"),
    ("expected a single document", "a second document begins here", "keep one; more files go under 'include:'"),
    ("did not find expected <document start>", "this does not belong to the text before it", _INDENT),
    ("alphabetic or numeric character", "a name is missing behind '*' or '&'", _QUOTE),
    ("comment or line break", "only a comment can follow '|' or '>' on the line", "put the text on the next line"),
    ("indentation indicator", "the number behind '|' or '>' must be 1 to 9", "leave it out"),
    ("tab character", "a tab stands where spaces are expected", "indent with spaces"),
    ("found extra document start", "a second document begins here", "keep one; more files go under 'include:'"),
    ("directive", "a line that begins with '%' is a YAML directive, and this one is not valid", "remove it"),
    ("tag", "a '!' begins a YAML tag, and this is none that can be read", _QUOTE),
]  # fmt: skip


def in_plain_words(error: yaml.MarkedYAMLError, text: str, at: int) -> tuple[str, str]:
    """A message and a hint."""
    said = f"{error.problem or ''} ({error.context or ''})"
    if "cannot start any token" in said:
        return _cannot_start(text[at : at + 1])
    if "',' or" in said and text[max(0, at - 1) : at + 1] == "${":
        return "inside {…} or […], a setting such as ${NAME} must be in quotes", 'write "${NAME}"'
    if "',' or" in said and text[at : at + 1] == ":":
        return "a second ':' stands where only a value can be", _QUOTE
    if "comment or line break" in said and text[max(0, at - 1) : at + 1] == "||":
        return "the text goes on behind its closing quote", "put the whole of it in quotes: \"'Mr ' || name\""
    for part, message, hint in _WORDS:
        if part in said:
            return message, hint
    return f"this is not valid YAML: {error.problem or error.context}", ""


def _cannot_start(char: str) -> tuple[str, str]:
    if char == "\t":
        return "a tab stands where spaces are expected", "indent with spaces"
    return f"a value cannot begin with '{char}'", _QUOTE


def deepest(text: str) -> int:
    """About where a text gets too deep: its deepest bracket, else its most indented line."""
    depth = most = at = 0
    for index, char in enumerate(text):
        depth += (char in "[{") - (char in "]}")
        if depth > most:
            most, at = depth, index
    if most > 10:
        return at
    lines = text.split("\n")
    indents = [len(line) - len(line.lstrip(" -")) for line in lines]
    line = indents.index(max(indents))
    return sum(len(before) + 1 for before in lines[:line]) + indents[line]
