"""What an answer holds: its rows, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cadran.plugins import DataError, Transient
from cadran.plugins.http import Answer
from cadran_plugins.http_json.paths import MISSING, find, kind, shown
from cadran_plugins.http_json.settings import Declared


def content(table: Declared, answer: Answer) -> Any:
    """The value; None for an answer without any (204), where that means that there are no rows. Raises DataError, Transient."""
    if answer.status != 204 or answer.content:
        return answer.json()
    if not table.null_is_empty:
        hint = "if that means that there are no rows, say 'null_is_empty: true'"
        raise DataError(f"the answer of '{table.name}' is empty (204)", hint=hint, setting=table.where)
    return None


def records(table: Declared, answer: Answer, body: Any) -> list[dict[str, Any]]:
    """The rows. Raises DataError, and Transient where the answer tells of an error."""
    _check_went_well(table, answer, body)
    found = find(body, table.records)
    if table.null_is_empty and (found is None or body is None):
        return []
    if table.keyed and isinstance(found, dict):
        found = [{**row, table.keyed: key} if isinstance(row, dict) else row for key, row in found.items()]
    if not isinstance(found, list):
        at = f"at '{table.records}'" if table.records else "by itself"
        hint = f"it is {shown(body)}{_where_the_list_is(table, body)}"
        if found is None and table.records:
            hint = "if null means that there are no rows, say 'null_is_empty: true'"
        raise DataError(
            f"the answer of '{table.name}' is no list {at}", hint=hint, setting=(*table.where, "records")
        )
    if not set(map(type, found)) <= {dict}:
        row = next(row for row in found if not isinstance(row, dict))
        raise DataError(f"a row of '{table.name}' is {shown(row)}", hint="rows have to be mappings", setting=(*table.where, "records"))  # fmt: skip
    return found


def _check_went_well(table: Declared, answer: Answer, body: Any) -> None:
    """Status 200 is no promise: GraphQL and JSON:API say beside the rows what could not be read, others instead of them."""
    if isinstance(body, dict) and (_is_told(body.get("errors")) or _is_told_instead(body)):
        hint = "sync again; if it stays so, look at what is asked for: 'path', 'params' and 'body'"
        raise Transient(f"the answer of '{table.name}' tells of an error: {answer.said}", hint=hint, setting=(*table.where, "path"))  # fmt: skip


def inner(table: Declared, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that stand in the records, each with its record under ``parent``. Raises DataError."""
    rows: list[dict[str, Any]] = []
    for record in records:
        found = find(record, table.each)
        if found is not None and not isinstance(found, list):
            what = "nothing" if found is MISSING else kind(found)
            hint = f"a record is {shown(record)}"
            raise DataError(f"a record of '{table.name}' holds {what} at '{table.each}', and no list", hint=hint, setting=(*table.where, "each"))  # fmt: skip
        rows += [
            {**(row if isinstance(row, dict) else {"value": row}), "parent": record} for row in found or ()
        ]
    return rows


def _where_the_list_is(table: Declared, body: Any) -> str:
    lists = [str(k) for k, value in body.items() if isinstance(value, list)] if isinstance(body, dict) else []
    if len(lists) == 1:
        return f"; say 'records: {lists[0]}'"
    if isinstance(mapped := find(body, table.records), dict) and mapped and all(isinstance(v, dict) for v in mapped.values()):  # fmt: skip
        return f"; if its keys ({', '.join(list(mapped)[:3])}, …) are ids, say 'keyed: id'"
    return "" if table.records else "; say with 'records' where the list is"


def _is_told(errors: Any) -> bool:
    return isinstance(errors, list) and bool(errors)


def _is_told_instead(body: Mapping[str, Any]) -> bool:
    error = body.get("error")
    return isinstance(error, str | dict) and bool(error) and not any(isinstance(v, list) for v in body.values())  # fmt: skip
