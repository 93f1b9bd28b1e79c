"""Names of columns: as a header line gives them, checked."""

from __future__ import annotations

from collections.abc import Sequence

from cadran.plugins import ConfigError, DataError, listed, suggest
from cadran_plugins.files.options import Options


def checked(names: Sequence[str], place: str) -> list[str]:
    """The names, if each column has one of its own; DuckDB sees no case in them."""
    faults = [f"column {i} has no name" for i, name in enumerate(names, 1) if not name.strip()]
    first: dict[str, int] = {}
    for i, name in enumerate(names, 1):
        before = first.setdefault(name.casefold(), i)
        if before != i and name.strip():
            faults.append(f"columns {before} and {i} are both named '{name}' (case does not count)")
    if faults:
        hint = "name every column once, or say 'header: [a, b, …]' if the file has no header line"
        raise DataError(f"{place}: {faults[0]}", hint=hint, more=[f"{place}: {f}" for f in faults[1:]])
    return list(names)


def agree(first: Sequence[str], first_place: str, other: Sequence[str], place: str) -> None:
    """Raise :class:`DataError` that shows the difference, if two files of one table have different columns."""
    if list(first) == list(other):
        return
    parts = []
    if missing := [n for n in first if n not in other]:
        parts.append(f"lacks {listed(missing)}")
    if extra := [n for n in other if n not in first]:
        parts.append(f"has {listed(extra)} besides")
    if not parts:
        parts.append(f"has them in another order: {listed(list(other), 20)}; not {listed(list(first), 20)}")
    raise DataError(f"{place} and {first_place} have different columns: the former {' and '.join(parts)}")


def known_types(names: Sequence[str], options: Options) -> list[str]:
    """The declared type of each column, empty where none is; raises for a column that does not exist."""
    folded = {name.casefold() for name in names}
    for column, setting in options.strict_types.items():
        if column.casefold() not in folded:
            hint = suggest(column, names) or f"there are: {listed(list(names), 20)}"
            raise ConfigError(f"there is no column '{column}'", hint=hint, setting=setting)
    types = {column.casefold(): type_ for column, type_ in options.types.items()}
    return [types.get(name.casefold(), "") for name in names]
