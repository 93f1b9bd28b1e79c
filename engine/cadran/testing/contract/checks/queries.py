"""Sources that answer SQL: that they say the same, asked in either way."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from cadran.plugins.connector import End, Page, QueryableConnector, QueryRefused, Relation
from cadran.testing.contract.check import NotKept, NotShown, check, keeps
from cadran.testing.contract.rig import Rig


def _rows(stream: Any, what: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    end = None
    for item in stream:
        keeps(end is None, f"{what} gave something behind its End")
        if isinstance(item, Page):
            rows += pa.table(item.data).to_pylist()
        elif isinstance(item, End):
            end = item
    keeps(end is not None and end.rows == len(rows), f"{what} gave {len(rows)} rows, and its End is {end}: give End(rows) once, last")  # fmt: skip
    return rows


def _queryable(rig: Rig) -> QueryableConnector:
    connector = rig.make()
    assert isinstance(connector, QueryableConnector)
    return connector


def _from(relation: Relation) -> str:
    if relation.select:
        return f"({relation.select}) AS asked"
    return ".".join('"' + name.replace('"', '""') + '"' for name in relation.path)


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(list(row.values())) for row in rows)


@check("queryable")
def a_query_says_what_reading_says(rig: Rig) -> None:
    """A SELECT over ``relation`` gives the rows of ``read``, and ``pull`` some of their columns in the order asked for."""
    connector = _queryable(rig)
    table = rig.table(connector)
    read = rig.read(connector=connector).whole().rows
    names = [column.name for column in table.columns]
    pulled = _rows(connector.pull(table.name, names), "pull()")
    keeps(_sorted(pulled) == _sorted(read), "pull() of all columns gave other rows than read()")
    few = names[::-1][:2]
    some = _rows(connector.pull(table.name, few), "pull()")
    keeps(all(list(row) == few for row in some), f"pull() of {few} gave other columns, or in another order: {list(some[0]) if some else []}")  # fmt: skip
    if connector.dialect in ("", "mysql", "spark"):
        raise NotShown("its dialect quotes names in its own way: the kit writes no query in it")
    counted = _rows(connector.query(f"SELECT count(*) AS n FROM {_from(connector.relation(table.name))}"), "query()")  # fmt: skip
    keeps([row["n"] for row in counted] == [len(read)], f"SELECT count(*) gave {counted}, and read() {len(read)} rows")  # fmt: skip


@check("queryable")
def a_query_that_is_refused_is_said(rig: Rig) -> None:
    """SQL that the source does not take is a QueryRefused, and the connection is as good as before: the engine pulls the rows instead."""
    connector = _queryable(rig)
    table = rig.table(connector)
    try:
        _rows(connector.query("SELECT no_such_function(1) FROM no_such_table"), "query()")
    except QueryRefused:
        pass
    except Exception as error:
        raise NotKept(f"a query that the source refuses raised {type(error).__name__}: {error}; raise QueryRefused") from error  # fmt: skip
    else:
        raise NotKept("a query over a table that there is not was answered")
    rig.holds(rig.read(connector=connector).whole(), f"after a query that was refused '{table.name}' is not read as before")  # fmt: skip
