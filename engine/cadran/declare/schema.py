"""Checking a document's shape: JSON Schema decides, and every finding is put in plain words.

``schemas/kpis.schema.json`` describes the language; what a source may say is added from the connectors that the
project names. Editors can use the same composed schema.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cadran import resources
from cadran.declare.document import Document, Place
from cadran.declare.findings import subject_of
from cadran.declare.quick import compile_schema
from cadran.declare.schema_messages import explain
from cadran.declare.shape import Finding, without_cuts, without_echoes
from cadran.problems import Problem, in_order

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Schema = Mapping[str, Any]


@lru_cache(maxsize=1)
def language() -> dict[str, Any]:
    """The schema of the language, without connectors. Not to be changed."""
    loaded: dict[str, Any] = json.loads(resources.schema_file().read_text(encoding="utf-8"))
    return loaded


def composed(connectors: Mapping[str, Schema]) -> dict[str, Any]:
    """The language's schema with the settings of these connectors (name → ``config_schema``)."""
    schema = copy.deepcopy(language())
    source = schema["$defs"]["source"]
    if connectors:
        source["properties"]["connector"]["examples"] = sorted(connectors)
        source["allOf"] = []
    for name, settings in sorted(connectors.items()):
        key = "connector_" + re.sub(r"\W", "_", name)
        schema["$defs"][key] = _embedded(settings, key)
        condition = {"properties": {"connector": {"const": name}}, "required": ["connector"]}
        source["allOf"].append({"if": condition, "then": {"$ref": f"#/$defs/{key}"}})
    return schema


def _embedded(settings: Schema, key: str) -> dict[str, Any]:
    """A connector's schema at its place in the whole: its references moved, and the key ``connector`` allowed."""
    out: dict[str, Any] = _moved(
        {k: v for k, v in settings.items() if k not in ("$id", "$schema")}, f"#/$defs/{key}"
    )
    out["properties"] = {"connector": {"description": "The connector plugin."}} | dict(
        out.get("properties", {})
    )
    return out


def _moved(part: Any, to: str) -> Any:
    if isinstance(part, Mapping):
        return {
            k: to + v[1:] if k == "$ref" and isinstance(v, str) and v.startswith("#") else _moved(v, to)
            for k, v in part.items()
        }
    return [_moved(item, to) for item in part] if isinstance(part, list | tuple) else part


def validate(document: Document, connectors: Mapping[str, Schema]) -> list[Problem]:
    """Everything about the document's shape that is wrong, sorted."""
    found = findings(document, connectors)
    return in_order(as_problem(document, finding) for finding in found if not finding.silent)


def findings(document: Document, connectors: Mapping[str, Schema], included: bool = False) -> list[Finding]:
    """The same before it is worded as problems; an ``included`` file need not repeat the version."""
    data = document.data
    if included and isinstance(data, dict):
        data = {"version": 1} | data
    if _surely_valid(data, connectors):
        return []
    faults = {name: _schema_fault(settings) for name, settings in connectors.items()}
    usable = {name: settings for name, settings in connectors.items() if not faults[name]}
    found = [*_broken_connectors(data, faults)]
    try:
        found += _with_jsonschema(document, data, composed(usable))
    except _Unusable as error:
        message = f"a connector describes its settings wrongly: {error}"
        found += [Finding(("sources",), True, "broken-connector", message, "ask its author")]
        found += _with_jsonschema(document, data, composed({}))
    return without_echoes(without_cuts(document, found))


def _surely_valid(data: Any, connectors: Mapping[str, Schema]) -> bool:
    try:
        return compile_schema(composed(connectors))(data)
    except (AttributeError, LookupError, TypeError, ValueError, re.error, RecursionError):
        return False  # a connector's schema is no schema: that is found out below


class _Unusable(Exception):
    """A schema that looks right and still cannot be used."""


def _schema_fault(settings: Any) -> str:
    """What is wrong with a connector's own schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(settings)
    except SchemaError as error:
        return error.message
    return "" if isinstance(settings, Mapping) else "it is not a mapping"


def _broken_connectors(data: Any, faults: Mapping[str, str]) -> Iterator[Finding]:
    sources = data.get("sources") if isinstance(data, dict) else None
    for name, source in sources.items() if isinstance(sources, dict) else ():
        connector = source.get("connector") if isinstance(source, dict) else None
        fault = faults.get(connector, "") if isinstance(connector, str) else ""
        if fault:
            message = f"the connector '{connector}' describes its settings wrongly: {fault}"
            yield Finding(
                ("sources", name, "connector"), False, "broken-connector", message, "ask its author"
            )


def _with_jsonschema(document: Document, data: Any, schema: dict[str, Any]) -> list[Finding]:
    found: dict[tuple[object, ...], Finding] = {}  # one for each place: what comes second repeats the first
    for error in _errors(data, schema):
        for finding in explain(document, error):
            missing = finding.message if finding.code == "missing-key" else ""
            found.setdefault((finding.path, missing), finding)
    return list(found.values())


def _errors(data: Any, schema: dict[str, Any]) -> list[ValidationError]:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    registry: Registry[Any] = Registry()  # an empty one: nothing is ever fetched
    try:
        return list(Draft202012Validator(schema, registry=registry).iter_errors(data))
    except (Unresolvable, re.error) as error:
        raise _Unusable(str(error)) from None


def as_problem(document: Document, finding: Finding) -> Problem:
    where = Place(document, finding.path, finding.on_key).position()
    unknown = finding.code in ("unknown-key", "not-in-this-version")  # then it is not the subject, but in it
    subject = subject_of(finding.path[:-1] if unknown else finding.path)
    return Problem(finding.code, finding.message, where, subject, finding.hint)
