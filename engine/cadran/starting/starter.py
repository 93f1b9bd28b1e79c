"""A connector's starter: a ``kpis.yaml`` with gaps, which are filled with the columns that an account has.

``pick("deals", "sales_channel", "dealtype")`` in it is the first of these columns that the table has; where the account was not asked, the
last, which is a standard one or ``null``. ``given`` are the settings of the source that somebody has named, which may stand for others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cadran.plugins.connector import Table

FILE = "kpis.yaml.jinja"
Tables = Mapping[str, Table]


def render(folder: Path, tables: Tables | None, given: Collection[str] = ()) -> str:
    """The text of ``kpis.yaml``. Raises FileNotFoundError where the folder holds no starter."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    env = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )

    def pick(table: str, *names: str) -> str:
        return _picked(tables, table, names)

    def has(table: str, name: str) -> bool:
        return tables is None or (table in tables and _column(tables[table], name) is not None)

    text = (folder / FILE).read_text(encoding="utf-8")
    return env.from_string(text, globals={"pick": pick, "has": has, "given": given}).render()


def assumed(text: str) -> tuple[str, ...]:
    """What the starter says at the top that it takes for what: the points of its first comment."""
    points: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if line.startswith("# - "):
            points.append(line.removeprefix("# - "))
        elif points and line.startswith("#   "):
            points[-1] += f" {line[1:].strip()}"
        elif points:
            break
    return tuple(points)


def _picked(tables: Tables | None, table: str, names: Sequence[str]) -> str:
    if tables is None:
        return names[-1]
    found = tables.get(table)
    for name in names if found is not None else ():
        column = _column(found, name)
        if column is not None:
            return column if column.isidentifier() else f'"{column}"'
    return "null"


def _column(table: Table | None, name: str) -> str | None:
    """The column as the table writes it."""
    wanted = name.casefold()
    return next((c.name for c in table.columns if c.name.casefold() == wanted), None) if table else None
