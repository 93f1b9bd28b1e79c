"""A fast yes for values that a JSON Schema allows.

``jsonschema`` is the validator of record, but it takes a second for 5,000 KPIs and a tenth of one to import. Here a
schema is compiled to plain functions that answer True only for a value that is certainly valid. Whatever they do not
know, or do not accept, is left to ``jsonschema``, which also finds out what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Check = Callable[[Any], bool]

# Keywords that constrain a value and are not compiled here: a schema that uses one is never quickly valid.
_UNKNOWN = frozenset(
    """
    oneOf not else contains minContains maxContains prefixItems dependentRequired dependentSchemas dependencies
    patternProperties unevaluatedItems unevaluatedProperties multipleOf exclusiveMinimum exclusiveMaximum maximum
    maxProperties $dynamicRef $recursiveRef additionalItems
    """.split()  # noqa: SIM905
)
_TYPES: dict[str, Check] = {
    "string": lambda v: type(v) is str,
    "integer": lambda v: type(v) is int,
    "number": lambda v: type(v) is int or type(v) is Decimal,
    "boolean": lambda v: type(v) is bool,
    "null": lambda v: v is None,
    "array": lambda v: type(v) is list,
    "object": lambda v: type(v) is dict,
}


def compile_schema(schema: Mapping[str, Any]) -> Check:
    """A function that says True only for values that ``schema`` allows."""
    return _Compiler(schema).check("#")


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.compiled: dict[str, Check] = {}

    def check(self, reference: str) -> Check:
        """The check of a local reference; a schema that refers to itself is looked up when it runs."""
        if reference in self.compiled:
            return self.compiled[reference]
        self.compiled[reference] = lambda value: self.compiled[reference](value)
        try:
            target: Any = self.root
            for part in reference.lstrip("#").split("/")[1:]:
                target = target[part.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            target = {"not": {}}
        self.compiled[reference] = self.schema(target)
        return self.compiled[reference]

    def schema(self, schema: Any) -> Check:
        if schema is True or schema == {}:
            return lambda _: True
        if not isinstance(schema, Mapping) or not _UNKNOWN.isdisjoint(schema):
            return lambda _: False
        made: list[Check | None] = [getattr(self, f"_{keyword}")(schema) for keyword in _KEYWORDS]
        checks = [check for check in made if check is not None]
        if len(checks) == 1:
            return checks[0]
        if len(checks) == 2:
            first, second = checks
            return lambda value: first(value) and second(value)
        return lambda value: all(check(value) for check in checks)

    # each keyword: None where the schema does not use it

    def _ref(self, schema: Mapping[str, Any]) -> Check | None:
        reference = schema.get("$ref")
        if reference is None:
            return None
        if not isinstance(reference, str) or not reference.startswith("#"):
            return lambda _: False
        return self.check(reference)

    def _type(self, schema: Mapping[str, Any]) -> Check | None:
        names = schema.get("type")
        if names is None:
            return None
        checks = [_TYPES.get(n, lambda _: False) for n in ([names] if isinstance(names, str) else names)]
        if len(checks) == 2:
            first, second = checks
            return lambda value: first(value) or second(value)
        return checks[0] if len(checks) == 1 else lambda value: any(check(value) for check in checks)

    def _enum(self, schema: Mapping[str, Any]) -> Check | None:
        if "enum" not in schema and "const" not in schema:
            return None
        values = [*schema.get("enum", [])] or [schema.get("const")]
        allowed = frozenset((type(v), v) for v in values if isinstance(v, str | int | bool))
        return lambda value: isinstance(value, str | int) and (type(value), value) in allowed

    def _pattern(self, schema: Mapping[str, Any]) -> Check | None:
        if "pattern" not in schema:
            return None
        search = re.compile(schema["pattern"]).search
        return lambda value: not isinstance(value, str) or search(value) is not None

    def _length(self, schema: Mapping[str, Any]) -> Check | None:
        if schema.keys().isdisjoint({"minLength", "maxLength"}):
            return None
        least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
        return lambda value: not isinstance(value, str) or least <= len(value) <= most

    def _minimum(self, schema: Mapping[str, Any]) -> Check | None:
        if "minimum" not in schema:
            return None
        least = schema["minimum"]
        return lambda value: not isinstance(value, int | Decimal) or value >= least

    def _items(self, schema: Mapping[str, Any]) -> Check | None:
        if schema.keys().isdisjoint({"items", "minItems", "maxItems", "uniqueItems"}):
            return None
        item = self.schema(schema.get("items", True))
        least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
        unique = schema.get("uniqueItems", False)

        def check(value: Any) -> bool:
            if type(value) is not list:
                return True
            if not least <= len(value) <= most or (unique and len(value) > 1 and not _differ(value)):
                return False
            return all(map(item, value))

        return check

    def _properties(self, schema: Mapping[str, Any]) -> Check | None:
        used = {"properties", "additionalProperties", "required", "propertyNames", "minProperties"}
        if used.isdisjoint(schema):
            return None
        known = {name: self.schema(part) for name, part in schema.get("properties", {}).items()}
        others = self.schema(schema.get("additionalProperties", True))
        if schema.get("additionalProperties") is False:
            others = _never
        names = self.schema(schema["propertyNames"]) if "propertyNames" in schema else None
        required, least = tuple(schema.get("required", ())), schema.get("minProperties", 0)

        def check(value: Any) -> bool:
            if type(value) is not dict:
                return True
            if len(value) < least or (names is not None and not all(map(names, value))):
                return False
            for name in required:
                if name not in value:
                    return False
            for name, part in value.items():  # noqa: SIM110 - all(…) takes twice as long
                if not known.get(name, others)(part):
                    return False
            return True

        return check

    def _any_of(self, schema: Mapping[str, Any]) -> Check | None:
        if "anyOf" not in schema:
            return None
        branches = [self.schema(branch) for branch in schema["anyOf"]]
        if len(branches) == 2:
            first, second = branches
            return lambda value: first(value) or second(value)
        return lambda value: any(branch(value) for branch in branches)

    def _all_of(self, schema: Mapping[str, Any]) -> Check | None:
        if "allOf" not in schema:
            return None
        branches = [self.schema(branch) for branch in schema["allOf"]]
        return lambda value: all(branch(value) for branch in branches)

    def _if(self, schema: Mapping[str, Any]) -> Check | None:
        """``then`` must hold unless ``if`` surely fails, which only a simple ``if`` can tell."""
        if "if" not in schema or "then" not in schema:
            return None
        name, wanted = _one_constant(schema["if"])
        then = self.schema(schema["then"])
        if name is None:
            return then
        return lambda value: (type(value) is dict and value.get(name) != wanted) or then(value)


_KEYWORDS = (
    "ref",
    "type",
    "enum",
    "pattern",
    "length",
    "minimum",
    "items",
    "properties",
    "any_of",
    "all_of",
    "if",
)


def _never(_: Any) -> bool:
    return False


def _differ(values: list[Any]) -> bool:
    """Whether all are surely different: only told for texts, lists of texts, and mappings without numbers."""
    keys = [_key(value) for value in values]
    return None not in keys and len(set(keys)) == len(keys)


def _key(value: Any) -> Any:
    """What equal values share; None where it is not sure (1 and 1.0 are equal, true and 1 are not)."""
    if type(value) is str:
        return value
    parts = list(value.items()) if type(value) is dict else value if type(value) is list else None
    if parts is None:
        return None
    keys = (
        [(name, _key(part)) for name, part in parts]
        if type(value) is dict
        else [(i, _key(part)) for i, part in enumerate(parts)]
    )
    return None if any(key is None for _, key in keys) else (type(value), frozenset(keys))


def _one_constant(condition: Any) -> tuple[str | None, str]:
    """``{"properties": {NAME: {"const": TEXT}}, "required": [NAME]}`` → NAME and TEXT."""
    properties = condition.get("properties", {}) if isinstance(condition, Mapping) else {}
    if len(properties) == 1 and set(condition) == {"properties", "required"}:
        ((name, part),) = properties.items()
        if isinstance(part, Mapping) and set(part) == {"const"} and isinstance(part["const"], str):
            return name, part["const"]
    return None, ""
