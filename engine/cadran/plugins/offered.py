"""Whether an installed plugin has the function, filter or block that a project asks for without naming the plugin.

Plugins are only asked once something is wrong: it imports all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cadran.plugins.kinds import AddedKind
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem, errors

_UNKNOWN: Mapping[AddedKind, re.Pattern[str]] = {
    "function": re.compile(r"unknown function '([^']+)'"),
    "filter": re.compile(r"No filter named '([^']+)'\."),
    "block": re.compile(r"(?:unknown|there is no) block '([^']+)'"),
}


def with_offers(problems: Sequence[Problem], plugins: PluginManager, *, naming: bool) -> list[Problem]:
    """The problems; a word that is unknown here, and that an installed plugin has, says how to get it. ``naming``: the project names
    plugins already."""
    if not errors(problems):
        return list(problems)
    return [_with_offer(problem, plugins, naming) for problem in problems]


def _with_offer(problem: Problem, plugins: PluginManager, naming: bool) -> Problem:
    for kind, pattern in _UNKNOWN.items():
        found = pattern.match(problem.message)
        if found and (names := plugins.offering(kind, found[1])):
            write = f"add {names[0]} to 'plugins:'" if naming else f"write plugins: [{names[0]}]"
            return replace(problem, hint=f"the installed plugin '{names[0]}' has it: {write}")
    return problem
