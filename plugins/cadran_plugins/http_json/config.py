"""The ``http_json`` connector's settings: their JSON Schema. What they mean together is checked in ``settings.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cadran.plugins.http import SETTINGS

_DURATION = r"^\s*[0-9]+\s*(w|weeks?|d|days?|h|hours?|m|min|minutes?|s|seconds?)\s*$"
_SCALAR = {"type": ["string", "number", "boolean"]}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


def _secret(description: str) -> dict[str, Any]:
    return _text(description, writeOnly=True)


def _mapping(description: str, properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    shape = {"type": "object", "minProperties": 1, "additionalProperties": False}
    return {**shape, "description": description, "properties": dict(properties), **more}


def _whole(description: str, minimum: int = 1) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "description": description}


def _free(description: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "additionalProperties": dict(values)}


def _duration(description: str) -> dict[str, Any]:
    says = "must be a duration such as '5 minutes', '1 day' or '2h'"
    return {"type": "string", "pattern": _DURATION, "errorMessage": says, "description": description}


def _path(description: str) -> dict[str, Any]:
    return _text(f"{description} A path of keys (data.items); a key that holds a dot is found as well.")


_HEADERS = _free("Headers of every request. A key belongs under 'auth'.", {"type": "string"})

_OAUTH = _mapping(
    "A token is fetched with the client's own credentials (OAuth 2.0, client_credentials), and anew when it has run out.",
    {
        "token_url": _text("Where tokens are given out, such as https://login.example.com/oauth2/token."),
        "client_id": _text("The client's id."),
        "client_secret": _secret("The client's secret."),
        "scope": _text("What is asked for, such as https://org.crm.dynamics.com/.default."),
        "params": _free("More fields of the form, such as audience.", {"type": "string"}),
        "credentials": {
            "type": "string",
            "enum": ["body", "basic"],
            "description": "How id and secret are sent: in the form (unless said), or as HTTP Basic.",
        },
    },
    required=["token_url", "client_id", "client_secret"],
)

_AUTH = _mapping(
    "Who asks: one of bearer, header, basic, query and oauth. Without it, nothing is sent.",
    {
        "bearer": _secret("A token, sent as Authorization: Bearer …"),
        "header": _text(
            "The name of a header that holds a key, such as X-Api-Key; the key is under 'value'."
        ),
        "query": _text(
            "The name of a parameter that holds a key, such as api_key; the key is under 'value'."
        ),
        "value": _secret("The key for 'header' or 'query'."),
        "basic": _mapping(
            "A user and a password (HTTP Basic).",
            {
                "user": _text("The user."),
                "password": {"type": "string", "writeOnly": True, "description": "The password."},
            },
            required=["user"],
        ),
        "oauth": _OAUTH,
    },
)

_PAGES = _mapping(
    "How the next page is found: one of cursor, next_link, link_header, offset, page and last_row. Without it, one answer holds all rows.",
    {
        "cursor": _path("Where an answer says the next page's cursor; the last page says none."),
        "next_link": _path("Where an answer says the next page's address, such as @odata.nextLink."),
        "link_header": {
            "const": True,
            "description": 'The next page\'s address is in the header Link, as rel="next".',
        },
        "offset": _text("The parameter that says how many rows to leave out, such as offset."),
        "page": _text("The parameter that says the page's number, such as page."),
        "last_row": _path("The next page begins behind this value of the last row, such as id."),
        "param": _text("With 'cursor' and 'last_row': the parameter that takes it, such as starting_after."),
        "more": _path("Where an answer says whether more rows follow (true or false), such as has_more."),
        "last": _path(
            "Or where it says whether it is the last (true or false), such as isLast or end_of_stream."
        ),
        "limit": _whole("How many rows to ask for."),
        "limit_param": _text("The parameter that says so, such as limit or per_page."),
        "first": _whole("With 'page': the first page's number, 1 unless said.", 0),
        "until": {
            "type": "string",
            "enum": ["empty", "short"],
            "description": "With 'offset' and 'page', where neither 'total' nor 'more' is said: the last page is one without rows (unless "
            "said), or one with fewer than 'limit'.",
        },
    },
)

_COLUMN = {
    "anyOf": [
        _text(
            "Its type: text, bigint, decimal(12,2), double, boolean, date, timestamp, timestamptz or json."
        ),
        _mapping(
            "A column with a name of its own.",
            {
                "type": _text(
                    "text, bigint, decimal(12,2), double, boolean, date, timestamp, timestamptz or json."
                ),
                "name": _text("What the column is called: as its path unless said, with _ for dots."),
                "optional": {
                    "type": "boolean",
                    "description": "Whether rows may all be without it: for an API that leaves out what is empty.",
                },
                "format": _text(
                    "How it is written. For timestamptz: epoch or epoch_ms (seconds or milliseconds since 1970), utc (no zone, meant in UTC). "
                    "For numbers: comma (1.234,56). For days and times: a pattern such as %d/%m/%Y or %Y%m%d %H:%M."
                ),
            },
            required=["type"],
        ),
    ]
}

_CURSOR = _mapping(
    "The column that grows whenever a row changes, and how the server is asked for rows from a value of it on.",
    {
        "column": _text("The column, such as updated_at."),
        "param": _text("The parameter that takes the value, such as updated_since or $filter."),
        "template": _text("What the parameter holds, {since} in it: such as 'modifiedon ge {since}'.", pattern=r"\{since\}", errorMessage="must hold {since}"),
        "format": _text(
            "How a time is written: iso (2026-03-31T08:00:00Z, unless said), epoch, epoch_ms, date, or a pattern such as %Y-%m-%d %H:%M:%S "
            "(UTC)."
        ),
        "lookback": _duration("How far behind the last value reading begins again, such as '1 day': a second unless said, and a day where the column holds days."),
    },
    required=["column", "param"],
)  # fmt: skip

_TABLE = _mapping(
    "One table.",
    {
        "path": _text("What is put behind the source's url, such as /invoices."),
        "method": {"type": "string", "enum": ["GET", "POST"], "description": "GET unless said."},
        "params": _free(
            "Parameters of the address; a list repeats one.",
            {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]},
        ),
        "body": {
            "type": "object",
            "description": "With POST: what is sent as JSON. What 'pages' and 'cursor' add goes here as well, to a path such as page.after.",
        },
        "headers": _HEADERS,
        "records": {
            "type": "string",
            "description": "Where an answer holds the list of rows, such as data.items; leave it out where the answer is the list.",
        },
        "keyed": _text(
            "Where 'records' holds a mapping instead of a list, whose keys are ids: what the column is called that takes them, such as id."
        ),
        "each": _path(
            "Where each record holds a list of its own, such as line_items: then the rows are those, and parent.id is what the record holds."
        ),
        "null_is_empty": {
            "type": "boolean",
            "description": "Whether null in place of the list means no rows: else it is an error.",
        },
        "total": {
            "anyOf": [
                _path("Where an answer says how many rows there are in all; so many have to come."),
                _mapping(
                    "The total is in a header.",
                    {"header": _text("The header, such as X-Total-Count.")},
                    required=["header"],
                ),
            ]
        },
        "pages": {
            "anyOf": [
                _PAGES,
                {
                    "const": "none",
                    "description": "One answer holds all rows, also where it looks as if more followed.",
                },
            ]
        },
        "key": {
            "description": "The column, or columns, that tell a row from all others. Without it each read replaces the table.",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ],
        },
        "columns": {
            "type": "object",
            "minProperties": 1,
            "description": "The columns: where a row holds it (customer.name) → its type. Without it, all that the first rows hold, of the "
            "types that they look like.",
            "additionalProperties": _COLUMN,
        },
        "cursor": _CURSOR,
        "delta": _path(
            "Where the last page says the address that later gives what has changed, such as @odata.deltaLink."
        ),
        "deletes": {
            "description": "How rows show that are gone. unseen (unless said): they are not in a read of the whole table any more; never; or a "
            "column that says so.",
            "anyOf": [
                {"type": "string", "enum": ["unseen", "never"]},
                _mapping(
                    "Rows that are marked as deleted.",
                    {
                        "column": _path("What marks them, such as is_deleted or deleted_at."),
                        "value": {
                            **_SCALAR,
                            "description": "The value that does; any but null, false and the empty text unless said.",
                        },
                        "optional": {
                            "type": "boolean",
                            "description": "Whether rows may all be without it: for an API that leaves it out of rows that live.",
                        },
                    },
                    required=["column"],
                ),
            ],
        },
    },
    required=["path"],
)

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["url", "tables"],
    "properties": {
        "url": _text("Where the API is: https://erp.example.com/api/v1. Credentials belong under 'auth'."),
        "auth": _AUTH,
        "headers": _HEADERS,
        "hosts": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "description": "Other machines that links to pages may lead to, as host or host:port. The credentials are sent there as well.",
        },
        "rate": _mapping(
            "How often may be asked.",
            {
                "requests": _whole("So many requests …"),
                "seconds": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": "… in so many seconds: 1 unless said.",
                },
            },
            required=["requests"],
        ),
        "timeout": _duration("How long to wait for an answer: 30 seconds unless said."),
        **SETTINGS,
        "tables": {
            "type": "object",
            "minProperties": 1,
            "description": "The tables, each under its name.",
            "additionalProperties": _TABLE,
        },
    },
    "additionalProperties": False,
}
