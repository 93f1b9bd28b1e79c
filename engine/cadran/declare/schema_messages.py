"""What ``jsonschema`` finds, said in a sentence that a person who edits KPIs understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cadran.declare.document import Document
from cadran.declare.findings import NAMED
from cadran.declare.passwords import at_secret
from cadran.declare.shape import Finding, Keys
from cadran.problems import listed, suggest
from cadran.starred import without

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_KINDS = {
    "string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "array": "a list", "object": "a mapping", "null": "empty",
}  # fmt: skip


def explain(document: Document, error: ValidationError) -> Iterator[Finding]:
    """The findings that an error of ``jsonschema`` stands for."""
    for leaf, says in _leaves(error, ""):
        yield from _explain(document, leaf, says)


def _leaves(error: ValidationError, outer: str) -> list[tuple[ValidationError, str]]:
    """Of alternatives, only the errors of the one that was meant: the one whose kind of value fits.

    Each comes with the schema's own words for it, which an alternative takes over from the whole.
    """
    own = error.schema.get("errorMessage", "") if isinstance(error.schema, Mapping) else ""
    says = str(own) or outer
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return [(error, says)]
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [errors for errors in branches.values() if not any(map(_misfit, errors))]
    if not meant:
        return [(error, says)]
    return [
        leaf for inner in min(meant, key=len) for leaf in _leaves(inner, "" if inner.relative_path else says)
    ]


def _misfit(error: ValidationError) -> bool:
    if error.relative_path:
        return False
    return error.validator == "type" or (
        error.validator in ("enum", "const") and not isinstance(error.instance, str)
    )


def _explain(document: Document, error: ValidationError, says: str) -> Iterator[Finding]:
    path: Keys = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value: Any = error.instance
    if "propertyNames" in error.absolute_schema_path:
        key = str(error.instance)
        yield Finding((*path, key), True, "bad-key", f"the key '{_cut(key)}' {says or 'has another form'}")
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(path, value, schema)
    elif error.validator == "required":
        yield from _missing_keys(path, value, schema)
    else:
        yield _bad_value(document, path, error, schema, says or _generic(error))


def _unknown_keys(path: Keys, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Finding]:
    known = list(schema.get("properties", {}))
    free = [name for name in known if name not in value]
    for key in value:
        if key in schema.get("properties", {}):
            continue
        hint = suggest(key, known) or (f"what can stand here: {listed(free, 12)}" if free else "remove it")
        if "url" in known and at_secret((*path, key)):
            hint = 'put it into the url as "${NAME}", where NAME is set in the environment'
        yield Finding((*path, key), True, "unknown-key", f"unknown key '{_cut(key)}'", hint)


def _missing_keys(path: Keys, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Finding]:
    for name in schema.get("required", ()):
        if meant := _misspelt(path, name, value):
            hint = f"did you mean '{name}'?"
            yield Finding((*path, meant), True, "unknown-key", f"unknown key '{_cut(meant)}'", hint)
        if name not in value:
            says = schema.get("properties", {}).get(name, {})
            hint = "begin the file with it" if not path else f"add it: {_described(says)}".rstrip(": ")
            shown = "version: 1" if not path and name == "version" else name
            yield Finding(path, True, "missing-key", f"'{shown}' is missing", hint)


def _misspelt(path: Keys, name: str, value: Mapping[str, Any]) -> str:
    """The key that stands for the one that names the plugin; a part without it can hold any."""
    if len(path) != 2 or name not in ("connector", "notifier") or name in value:
        return ""
    return next((key for key in value if suggest(key, [name])), "")


def _described(schema: Any) -> str:
    text = schema.get("description", "") if isinstance(schema, Mapping) else ""
    return f"{text[:1].lower()}{text[1:]}".rstrip(".")


def _bad_value(
    document: Document, path: Keys, error: ValidationError, schema: Mapping[str, Any], says: str
) -> Finding:
    value, label = error.instance, _label(path)
    shown = _shown(document, path, value)
    if value is None:
        needs = says if path else "it must begin with 'version: 1'"
        return Finding(
            path,
            False,
            "no-value",
            f"{label or 'this'} has no value",
            needs.replace("must be", "it must be", 1),
        )
    if value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        what = "name at least one" if isinstance(value, list) else "fill it in, or leave it out"
        needs = f"it {says}" if isinstance(value, str) else what
        return Finding(path, False, "empty-value", f"{label or 'this'} is empty", needs)
    if error.validator == "uniqueItems":
        return Finding(
            path, False, "repeated-item", f"{label or 'this'} says the same thing twice", "keep one of them"
        )
    if isinstance(value, list) and error.validator in ("minItems", "maxItems"):
        shown = "one value" if len(value) == 1 else f"{len(value)} values"
    hint = _hint(document, path, error, schema, says)
    return Finding(path, False, "bad-value", f"{label} {says}, not {shown}".strip(), hint)


def _hint(
    document: Document, path: Keys, error: ValidationError, schema: Mapping[str, Any], says: str
) -> str:
    value = error.instance
    if isinstance(value, dict) and path[-1:] == ("url",):
        return 'write it as one text, and keep it out of the file: "${NAME}", where NAME is set in the environment'
    if isinstance(value, str) and error.validator_value == 1 and error.validator_value is not True:
        return "write it without quotes"
    if isinstance(value, str) and path not in document.substituted:
        options = [error.validator_value] if error.validator == "const" else schema.get("enum", [])
        return suggest(value, [o for o in options if isinstance(o, str)])
    if isinstance(value, bool | int | Decimal) and ("a text" in says or "name" in says):
        return f'put it in quotes: "{document.written(path)}"'
    return ""


def _types(error: ValidationError) -> list[str]:
    """The kinds of value that an error, or any alternative in it, asked for."""
    own: Any = error.validator_value if error.validator == "type" else []
    out = [own] if isinstance(own, str) else list(own)
    return out + [name for inner in error.context or () if not inner.relative_path for name in _types(inner)]


def _generic(error: ValidationError) -> str:
    """For a plugin's settings, which bring no words of their own."""
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = [limit] if isinstance(limit, str) else limit
            return "must be " + " or ".join(_KINDS.get(kind, kind) for kind in kinds)
        case "enum":
            return "must be one of " + ", ".join(str(option) for option in limit)
        case "const":
            return f"must be {'true' if limit is True else limit}"
        case "minimum" | "exclusiveMinimum":
            return f"must be {'at least' if error.validator == 'minimum' else 'more than'} {limit}"
        case "maximum" | "exclusiveMaximum":
            return f"must be {'at most' if error.validator == 'maximum' else 'less than'} {limit}"
        case "minLength" | "maxLength":
            return f"must have {_limit(error)} character{'s' * (limit != 1)}"
        case "minItems" | "maxItems" | "minProperties" | "maxProperties":
            return f"must have {_limit(error)} {'entry' if limit == 1 else 'entries'}"
        case "anyOf" | "oneOf":
            kinds = dict.fromkeys(_types(error))
            return (
                "must be " + " or ".join(_KINDS.get(kind, kind) for kind in kinds)
                if kinds
                else "must have another form"
            )
        case _:
            return "must have another form"


def _limit(error: ValidationError) -> str:
    return f"{'at least' if str(error.validator).startswith('min') else 'at most'} {error.validator_value}"


def _label(path: Keys) -> str:
    """The key as the user wrote it; empty where the subject of the message already says it."""
    if len(path) < 2 or (len(path) == 2 and path[0] in NAMED):
        return ""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return f"'{_cut(key)}'"


def _shown(document: Document, path: Keys, value: Any) -> str:
    if path in document.substituted:
        return "what its setting holds"
    if at_secret(path) and not isinstance(value, list | dict):
        return "what is written there"
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{_cut(value)}'"
        case list() | dict():
            return "a list" if isinstance(value, list) else "a mapping"
        case _:
            return str(document.written(path) or value)


def _cut(text: str) -> str:
    line = " ".join(without(text).split())
    return line if len(line) <= 40 else line[:39] + "…"
