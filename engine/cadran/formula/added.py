"""A project's functions made of what its plugins add; what is wrong with a definition is said where the file names the plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cadran.declare.model import Declaration, Text
from cadran.formula.functions import (
    Called,
    Functions,
    Misdefined,
    Template,
    brought,
    check_shape,
    misnamed,
    template,
    with_places,
)
from cadran.formula.parse import parse
from cadran.plugins.added import Added
from cadran.plugins.functions import Function
from cadran.problems import Problem
from cadran.state.index import digest

_ASK = "its author can put that right; 'cadran plugins' says which version this is"


def functions_of(declaration: Declaration) -> tuple[Functions, list[Problem]]:
    """All that can be used, and what is wrong with the others."""
    problems: list[Problem] = []
    called = list(_each(declaration, problems))
    gone = any(section == "plugins" for section, _ in declaration.broken)
    return Functions(called, lacking=gone or bool(problems)), problems


def _each(declaration: Declaration, problems: list[Problem]) -> Iterator[Called]:
    from cadran.plugins.examine import PluginError

    for name, added in declaration.added.functions.items():
        try:
            yield _called(name, added, declaration)
        except Misdefined as wrong:
            problems.append(_problem(declaration, added, wrong.message))
        except PluginError as wrong:
            problems.append(_problem(declaration, added, str(wrong).partition(": ")[2] or str(wrong)))
        except Exception as error:  # the plugin's own code
            problems.append(_problem(declaration, added, f"{type(error).__name__}: {error}"))


def _called(name: str, added: Added, declaration: Declaration) -> Called:
    if wrong := misnamed(name):
        raise Misdefined(wrong)
    function: Function = added.load()
    check_shape(function)
    said = digest("function", name, added.plugin, added.version, function.takes, function.gives, sorted(function.sql.items()), function.formula)  # fmt: skip
    key = f"{name}@{said[:16]}"
    if function.formula:
        short = _short(function, lambda text: _parsed(text, added, declaration))
        return Called(name, function, added.where_from, key, short=short)
    templates = {dialect: template(function, dialect) for dialect in function.sql}
    return Called(name, function, added.where_from, key, templates)


def _short(function: Function, parsed: Callable[[str], Template]) -> Template:
    return parsed(with_places(function.formula, function))


def _parsed(text: str, added: Added, declaration: Declaration) -> Template:
    """An expression of the language, in which no plugin's functions stand."""
    found, problems = parse(Text(text, declaration.plugin_places[added.plugin]), "plugins")
    if found is None:
        raise Misdefined(f"its formula cannot be used: {problems[0].message}")
    return Template(brought(found.tree, f"'{added.name}' of {added.where_from}"))


def _problem(declaration: Declaration, added: Added, message: str) -> Problem:
    where = declaration.plugin_places[added.plugin].position()
    said = f"the function '{added.name}' of {added.where_from} cannot be used: {message}"
    return Problem("bad-function", said, where, "plugins", _ASK)
