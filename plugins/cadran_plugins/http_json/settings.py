"""What is said about a source, as checked values. All that is wrong with it is said with the key that is at fault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

from cadran.plugins import ConfigError, listed, parse_duration, suggest
from cadran_plugins.files.declared import canonical

TIMESTAMPTZ = "TIMESTAMP WITH TIME ZONE"
DAY = "day:"  # before a pattern that is one of days
Kind = Literal["none", "cursor", "next_link", "link_header", "offset", "page", "last_row"]
_KINDS: tuple[Kind, ...] = ("cursor", "next_link", "link_header", "offset", "page", "last_row")
_BESIDE = {
    "cursor": {"param", "more", "last", "limit", "limit_param"},
    "next_link": {"more", "last", "limit", "limit_param"},
    "link_header": {"more", "last", "limit", "limit_param"},
    "offset": {"limit", "limit_param", "more", "last", "until"},
    "page": {"limit", "limit_param", "more", "last", "first", "until"},
    "last_row": {"param", "more", "last", "limit", "limit_param"},
}
_NEEDED = {"cursor": ("param",), "last_row": ("param",)}

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A column: where a row holds it, and as what it is read."""

    path: str
    name: str
    type: str
    format: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """``where`` is a path in the answer, or the parameter of ``offset`` and ``page``; ``whole``: it was said that there are no pages."""

    kind: Kind = "none"
    where: str = ""
    param: str = ""
    more: str = ""
    limit: int = 0
    limit_param: str = ""
    first: int = 1
    until: Literal["empty", "short"] = "empty"
    last: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    column: str
    param: str
    template: str = "{since}"
    format: str = ""
    lookback: dt.timedelta = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Marked:
    """``value`` None: any value at all. ``optional``: rows that live may be without it. ``type`` is that of its column, where it is declared."""

    path: str
    value: Any = None
    optional: bool = False
    type: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of ``tables:``. ``columns`` is empty where they are told from the first rows; ``where`` is its place in the settings."""

    name: str
    url: str
    where: Where = field(repr=False, default=())
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    records: str = ""
    null_is_empty: bool = False
    total: str = ""
    total_header: str = ""
    pages: Pages = Pages()
    key: tuple[str, ...] = ()
    columns: tuple[Field, ...] = ()
    cursor: Cursor | None = None
    delta: str = ""
    deletes: Literal["reported", "unseen", "never"] = "unseen"
    marked: Marked | None = None
    keyed: str = ""
    each: str = ""


def host(url: str, where: Where = ("url",)) -> str:
    """The machine that an address names. Raises :class:`ConfigError`; the address is not quoted, as it may hold a secret."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if not name or urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(
            "this is no address of the web",
            hint="write it like https://erp.example.com/api/v1",
            setting=where,
        )
    if parts.username or parts.password:
        hint = "say them under 'auth': auth: {basic: {user: …, password: …}}"
        raise ConfigError("the address holds a user or a password", hint=hint, setting=where)
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{port}" if port else shown


def seconds(text: str) -> float:
    length = parse_duration(text)
    return length.days * 86400 + length.seconds


def declared(config: Mapping[str, Any], name: str) -> Declared:
    """One table, checked. Raises :class:`ConfigError`."""
    entry, where = config["tables"][name], ("tables", name)
    url = str(config["url"])
    if "?" in url or "#" in url:
        raise ConfigError(
            "the address holds parameters", hint="say them under 'params' of each table", setting=("url",)
        )
    total = entry.get("total", "")
    columns = tuple(
        _field(path, said, (*where, "columns", path)) for path, said in entry.get("columns", {}).items()
    )
    _all_different(columns, where)
    marked = entry.get("deletes", "unseen")
    table = Declared(
        name, url.rstrip("/") + "/" + str(entry["path"]).lstrip("/"), where, entry.get("method", "GET"),
        entry.get("params", {}), entry.get("body", {}), {**config.get("headers", {}), **entry.get("headers", {})},
        entry.get("records", ""), bool(entry.get("null_is_empty", False)),
        total if isinstance(total, str) else "", total["header"] if isinstance(total, Mapping) else "",
        _pages(entry.get("pages", {}), (*where, "pages")), _key(entry.get("key", ()), columns, (*where, "key")), columns,
        _cursor(entry["cursor"], columns, (*where, "cursor")) if "cursor" in entry else None, entry.get("delta", ""),
        _deletes(entry), _marked(marked, columns, (*where, "deletes")) if isinstance(marked, Mapping) else None,
        keyed=entry.get("keyed", ""), each=entry.get("each", ""),
    )  # fmt: skip
    _together(table, entry)
    return table


def _deletes(entry: Mapping[str, Any]) -> Literal["reported", "unseen", "never"]:
    said = entry.get("deletes", "unseen")
    if isinstance(said, Mapping) or (entry.get("delta") and said == "unseen"):
        return "reported"
    return "never" if said == "never" else "unseen"


def _marked(said: Mapping[str, Any], columns: Sequence[Field], where: Where) -> Marked:
    """Its column may be given by its name, too."""
    column = next((c for c in columns if said["column"] in (c.name, c.path)), None)
    path, type_, value = column.path if column else said["column"], column.type if column else "", said.get("value")  # fmt: skip
    if column is not None and value is not None:
        value = _value(value, column, (*where, "value"))
    return Marked(path, value, bool(said.get("optional", False)), type_)


def _value(value: Any, column: Field, where: Where) -> Any:
    """As its column has it. Raises :class:`ConfigError` for one that no row can hold: then none would ever be taken away."""
    if column.type == "BOOLEAN" and str(value).casefold() in ("true", "false"):
        return str(value).casefold() == "true"
    numeric = column.type.startswith(("BIGINT", "DECIMAL", "DOUBLE"))
    if numeric and not isinstance(value, bool) and (number := as_number(value)) is not None:
        return number
    if column.type != "BOOLEAN" and not numeric:
        return value
    kind, hint = ("a boolean", "a boolean is true or false") if column.type == "BOOLEAN" else ("a number", "write it like 1 or 12.50")  # fmt: skip
    shown = str(value).lower() if isinstance(value, bool) else value
    raise ConfigError(f"'{shown}' is no value of column '{column.name}', which is {kind}", hint=hint, setting=where)  # fmt: skip


def as_number(value: Any) -> Decimal | None:
    """None for what is none."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def _together(table: Declared, entry: Mapping[str, Any]) -> None:
    """What contradicts itself, or lacks what it needs."""
    where = table.where
    if table.body and table.method != "POST":
        raise ConfigError(
            "'body' is sent with POST only", hint="add 'method: POST'", setting=(*where, "body")
        )
    if table.each and (word := next((w for w in ("cursor", "delta") if entry.get(w)), "")):
        hint = f"remove '{word}': then each sync reads the whole table"
        raise ConfigError(f"'{word}' asks for records, and does not say which of the rows in them ('each') are gone", hint=hint, setting=(*where, word))  # fmt: skip
    if table.each and table.marked:
        hint = "leave the rows in, with that column, and say in the dataset which count"
        raise ConfigError("'deletes' names no rows where these are in records ('each')", hint=hint, setting=(*where, "deletes"))  # fmt: skip
    if table.cursor and table.delta:
        hint = "keep 'delta' where the server gives one, else 'cursor'"
        raise ConfigError("'cursor' and 'delta' are two ways to read changes", hint=hint, setting=(*where, "delta"))  # fmt: skip
    for word in ("cursor", "delta"):
        if entry.get(word) and not table.key:
            hint = "add 'key:', the column that tells a row from all others"
            raise ConfigError(f"'{word}' reads changes, and needs to know which row each is of", hint=hint, setting=(*where, word))  # fmt: skip
    if table.deletes == "reported" and not table.key:
        raise ConfigError("rows can only be taken away by their key", hint="add 'key:'", setting=(*where, "deletes"))  # fmt: skip


def _pages(entry: Mapping[str, Any] | str, where: Where) -> Pages:
    if isinstance(entry, str) or not entry:
        return Pages(whole=bool(entry))
    said = [kind for kind in _KINDS if kind in entry]
    if len(said) != 1:
        message = "two ways to find the next page" if said else "nothing says how the next page is found"
        raise ConfigError(message, hint=f"say one of {listed(list(_KINDS))}", setting=(*where, *said[1:2]))
    [kind] = said
    for word in entry:
        if word != kind and word not in _BESIDE[kind]:
            hint = f"beside it may stand {listed(sorted(_BESIDE[kind]))}"
            raise ConfigError(f"'{word}' means nothing with '{kind}'", hint=hint, setting=(*where, word))
    for word in _NEEDED.get(kind, ()):
        if word not in entry:
            raise ConfigError(
                f"'{kind}' needs '{word}'", hint="the parameter that takes its value", setting=where
            )
    if ("limit" in entry) != ("limit_param" in entry):
        there, missing = ("limit", "limit_param") if "limit" in entry else ("limit_param", "limit")
        hint = "limit is how many rows to ask for, limit_param the parameter that says so"
        raise ConfigError(f"'{there}' needs '{missing}'", hint=hint, setting=(*where, there))
    if "more" in entry and "last" in entry:
        hint = "keep the one that the API has"
        raise ConfigError("'more' and 'last' are two ways to say whether rows follow", hint=hint, setting=(*where, "last"))  # fmt: skip
    if entry.get("until") == "short" and "limit" not in entry:
        raise ConfigError("'until: short' needs 'limit'", hint="say how many rows a full page has", setting=(*where, "until"))  # fmt: skip
    return Pages(
        kind, "" if kind == "link_header" else str(entry[kind]), entry.get("param", ""), entry.get("more", ""),
        int(entry.get("limit", 0)), entry.get("limit_param", ""), int(entry.get("first", 1)), entry.get("until", "empty"),
        entry.get("last", ""),
    )  # fmt: skip


def _field(path: str, said: Any, where: Where) -> Field:
    entry = {"type": said} if isinstance(said, str) else said
    type_ = _type(entry["type"], where if isinstance(said, str) else (*where, "type"))
    format_ = entry.get("format", "")
    if format_:
        _check_format(format_, type_, (*where, "format"))
        format_ = DAY + format_ if type_ == "DATE" else format_
    return Field(
        path, entry.get("name") or path.replace(".", "_"), type_, format_, bool(entry.get("optional", False))
    )


def _check_format(format_: str, type_: str, where: Where) -> None:
    """Raises :class:`ConfigError` for a way of writing that the type does not have."""
    times, said = ("DATE", "TIMESTAMP", TIMESTAMPTZ), f"'format: {format_}'"
    if format_ in ("epoch", "epoch_ms", "utc"):
        if type_ != TIMESTAMPTZ:
            raise ConfigError(f"{said} needs the type timestamptz", hint="it is for instants: say 'type: timestamptz'", setting=where)  # fmt: skip
    elif format_ == "comma":
        if not type_.startswith(("DECIMAL", "DOUBLE", "BIGINT")):
            raise ConfigError(f"{said} needs a number", hint="say 'type: decimal(12,2)'", setting=where)
    elif "%" not in format_:
        hint = "known are epoch, epoch_ms, utc, comma, or a pattern such as %d/%m/%Y"
        raise ConfigError(f"unknown format '{format_}'", hint=hint, setting=where)
    elif type_ not in times:
        raise ConfigError(f"{said} needs a day or a time", hint="say 'type: date' or 'type: timestamp'", setting=where)  # fmt: skip
    elif type_ == TIMESTAMPTZ and "%z" not in format_:
        hint = "add %z where values say it; times without one are 'type: timestamp'"
        raise ConfigError(
            f"{said} holds no offset from UTC, which timestamptz needs", hint=hint, setting=where
        )


def _type(text: str, where: Where) -> str:
    if text.strip().upper() == "JSON":
        return "JSON"
    type_ = canonical(text, where)
    return "BIGINT" if type_ == "INTEGER" else type_


def _all_different(columns: Sequence[Field], where: Where) -> None:
    names: dict[str, str] = {}
    for column in columns:
        first = names.setdefault(column.name.casefold(), column.path)
        if first != column.path:
            message = f"two columns are called '{column.name}': {first} and {column.path}"
            hint = "give one of them another: {name: …, type: …}"
            raise ConfigError(message, hint=hint, setting=(*where, "columns", column.path))


def _key(said: str | Sequence[str], columns: Sequence[Field], where: Where) -> tuple[str, ...]:
    names = (said,) if isinstance(said, str) else tuple(said)
    return tuple(_named(name, columns, where) for name in names)


def _named(name: str, columns: Sequence[Field], where: Where) -> str:
    """A column's name, which may also be given as its path. Where columns are told from rows, it is taken as it is."""
    if not columns or any(column.name == name for column in columns):
        return name
    for column in columns:
        if column.path == name:
            return column.name
    known = [column.name for column in columns]
    raise ConfigError(f"'{name}' is not among the columns", hint=suggest(name, known) or f"there are: {listed(known)}", setting=where)  # fmt: skip


def _cursor(entry: Mapping[str, Any], columns: Sequence[Field], where: Where) -> Cursor:
    name = _named(entry["column"], columns, (*where, "column"))
    format_ = entry.get("format", "")
    if format_ and format_ not in ("iso", "epoch", "epoch_ms", "date") and "%" not in format_:
        hint = "known are iso, epoch, epoch_ms, date, or a pattern such as %Y-%m-%dT%H:%M:%S"
        raise ConfigError(f"unknown format '{format_}'", hint=hint, setting=(*where, "format"))
    column = next((column for column in columns if column.name == name), None)
    if column is not None and column.type in ("BOOLEAN", "DOUBLE", "JSON"):
        hint = "it needs a time, a date, a whole number or a text that grows"
        raise ConfigError(f"a {column.type.lower()} cannot say what has changed", hint=hint, setting=(*where, "column"))  # fmt: skip
    if column is not None and "lookback" in entry:
        check_looks_back(column, where)
    if column is not None and not format_:
        format_ = column.format.removeprefix("utc").removeprefix(DAY)
    lookback = dt.timedelta(seconds=seconds(entry["lookback"])) if "lookback" in entry else dt.timedelta(0)
    return Cursor(name, entry["param"], entry.get("template", "{since}"), format_, lookback)


def check_looks_back(column: Field, where: Where) -> None:
    """Raises :class:`ConfigError` for a cursor that no time can be taken from: reading would begin at it all the same."""
    if column.type not in ("DATE", "TIMESTAMP", TIMESTAMPTZ):
        hint = "give the column the type timestamptz (format: epoch for seconds since 1970), or remove 'lookback'"
        raise ConfigError(f"'lookback' needs a time, and '{column.name}' is {column.type.lower()}", hint=hint, setting=(*where, "lookback"))  # fmt: skip
