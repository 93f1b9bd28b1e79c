"""The contracts of filters and blocks: what a plugin adds to the templates of reports and messages.

Both get values of the report and give values back. Templates stay in their sandbox: what a filter or a block gives is escaped like
any other value, and nothing else of the plugin can be reached from a template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cadran.plugins.connector import API


@dataclass(frozen=True, slots=True)
class FilterEntry:
    """What a plugin returns from ``cadran_filters``: a name for ``{{ value | name }}``, and where the function is found once it is needed.

    The function gets the value, then the filter's arguments. It gives text, a number, a date, true or false, None, a value of the report
    that it was given, or lists and mappings of these. What it raises is an error of the template, at its line.
    """

    name: str
    load: Callable[[], Callable[..., Any]] = field(repr=False)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a report that a plugin brings.

    ``templates`` holds what it looks like in each format, ``html`` and ``markdown``. In them stand all names of the report's context
    (``cadran report --context``), and the names that ``values`` gives. ``values`` gets that context, a mapping from names to frozen
    values, once for each report; without it there are no further names.
    """

    templates: Mapping[str, str]
    values: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, repr=False)
    api: str = API


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """What a plugin returns from ``cadran_blocks``: the name that a report's ``blocks:`` calls it by, and where it is found."""

    name: str
    load: Callable[[], Block] = field(repr=False)
    summary: str = ""
