"""Checking a document's shape: JSON Schema decides, and every finding is put in plain words.

``schemas/kpis.schema.json`` describes the language; what a source or a channel may say is added from the plugins that
the project names. Editors can use the same composed schema.
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
from cadran.declare.plugged import SECTIONS, Schema, Settings, uses
from cadran.declare.quick import compile_schema
from cadran.declare.schema_messages import explain
from cadran.declare.shape import Finding, without_cuts, without_echoes
from cadran.plugins.kinds import Kind
from cadran.problems import Problem, in_order

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_PARTS: dict[Kind, str] = {"connector": "source", "notifier": "channel"}  # what in ``$defs`` a plugin adds to


@lru_cache(maxsize=1)
def language() -> dict[str, Any]:
    """The schema of the language, without plugins. Not to be changed."""
    loaded: dict[str, Any] = json.loads(resources.schema_file().read_text(encoding="utf-8"))
    return loaded


def composed(settings: Settings) -> dict[str, Any]:
    """The language's schema with the settings of these plugins (kind → name → ``config_schema``)."""
    schema = copy.deepcopy(language())
    for kind, plugins in settings.items():
        part = schema["$defs"][_PARTS[kind]]
        if plugins:
            part["properties"][kind]["examples"] = sorted(plugins)
            part["allOf"] = []
        for name, own in sorted(plugins.items()):
            key = f"{kind}_" + re.sub(r"\W", "_", name)
            schema["$defs"][key] = _embedded(own, kind, key)
            condition = {"properties": {kind: {"const": name}}, "required": [kind]}
            part["allOf"].append({"if": condition, "then": {"$ref": f"#/$defs/{key}"}})
    return schema


def _embedded(settings: Schema, kind: Kind, key: str) -> dict[str, Any]:
    """A plugin's schema at its place in the whole: its references moved, and the key that names it allowed."""
    own = {k: v for k, v in settings.items() if k not in ("$id", "$schema")}
    out: dict[str, Any] = _moved(own, f"#/$defs/{key}")
    out["properties"] = {kind: {"description": f"The {kind} plugin."}} | dict(out.get("properties", {}))
    return out


def _moved(part: Any, to: str) -> Any:
    if isinstance(part, Mapping):
        return {
            k: to + v[1:] if k == "$ref" and isinstance(v, str) and v.startswith("#") else _moved(v, to)
            for k, v in part.items()
        }
    return [_moved(item, to) for item in part] if isinstance(part, list | tuple) else part


def validate(document: Document, settings: Settings) -> list[Problem]:
    """Everything about the document's shape that is wrong, sorted."""
    found = findings(document, settings)
    return in_order(as_problem(document, finding) for finding in found if not finding.silent)


def findings(document: Document, settings: Settings, included: bool = False) -> list[Finding]:
    """The same before it is worded as problems; an ``included`` file need not repeat the version."""
    data = document.data
    if included and isinstance(data, dict):
        data = {"version": 1} | data
    if _surely_valid(data, settings):
        return []
    faults = {
        (kind, name): fault
        for kind, plugins in settings.items()
        for name, own in plugins.items()
        if (fault := _fault(data, kind, name, own))
    }
    usable: Settings = {
        kind: {name: own for name, own in plugins.items() if (kind, name) not in faults}
        for kind, plugins in settings.items()
    }
    found = [*_broken(data, faults), *_with_jsonschema(document, data, composed(usable))]
    return without_echoes(without_cuts(document, found))


def _surely_valid(data: Any, settings: Settings) -> bool:
    try:
        return compile_schema(composed(settings))(data)
    except (AttributeError, LookupError, TypeError, ValueError, re.error, RecursionError):
        return False  # a plugin's schema is no schema: that is found out below


def _fault(data: Any, kind: Kind, name: str, own: Any) -> str:
    """What is wrong with a plugin's own schema, or shows when the parts that name the plugin are held against it."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        Draft202012Validator.check_schema(own)
        if not isinstance(own, Mapping):
            return "it is not a mapping"
        section = SECTIONS[kind]
        part = {section: data[section]} if isinstance(data, dict) and section in data else {}
        _errors({"version": 1} | part, composed({kind: {name: own}}))
    except SchemaError as error:
        return error.message
    except (Unresolvable, re.error) as error:
        return str(error)
    except RecursionError:
        return "it refers to itself without end"
    return ""


def _broken(data: Any, faults: Mapping[tuple[Kind, str], str]) -> Iterator[Finding]:
    """Each part of the document that names a plugin with a fault."""
    for kind, plugin, name in uses(data):
        if fault := faults.get((kind, plugin)):
            message = f"the {kind} '{plugin}' describes its settings wrongly: {fault}"
            yield Finding((SECTIONS[kind], name, kind), False, f"broken-{kind}", message, "ask its author")


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

    registry: Registry[Any] = Registry()  # an empty one: nothing is ever fetched
    return list(Draft202012Validator(schema, registry=registry).iter_errors(data))


def as_problem(document: Document, finding: Finding) -> Problem:
    where = Place(document, finding.path, finding.on_key).position()
    unknown = finding.code == "unknown-key"  # then it is not the subject, but in it
    subject = subject_of(finding.path[:-1] if unknown else finding.path)
    return Problem(finding.code, finding.message, where, subject, finding.hint)
