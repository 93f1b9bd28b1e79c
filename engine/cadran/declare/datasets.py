"""``datasets``, ``segments`` and ``rates`` as values, with every check that needs no expression."""

from __future__ import annotations

from typing import Any

from cadran.calendar import Grain
from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings, line_and_column
from cadran.declare.model import Dataset, Expect, Link, Rates, Segment, TableRef, Text, Valid
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections
from cadran.problems import listed, suggest


def dataset(name: str, entry: Entry, sections: Sections, found: Findings) -> Dataset:
    check_name("dataset", name, entry.key, found)
    value, place = entry.value, entry.place
    made = Dataset(
        name=name,
        place=place,
        tables=_tables(value["from"], place.child("from"), sections, found),
        where=_text(value, "where", place),
        key=values.texts(value["key"], place.child("key")) if "key" in value else (),
        date=_text(value, "date", place),
        settle=values.duration(value.get("settle"), place.child("settle"), found),
        expect=_expect(value.get("expect", {}), place.child("expect"), found),
        columns={n: values.text(v, place.child("columns", n)) for n, v in value.get("columns", {}).items()},
        links=_links(name, value.get("links", {}), place.child("links"), sections, found),
        valid=_valid(value.get("valid"), place.child("valid")),
        snapshot=value.get("snapshot", False),
        ahead=value.get("ahead", False),
        grain=Grain(value["grain"]) if "grain" in value else None,
        changed=_text(value, "changed", place),
        immutable=value.get("immutable", False),
        restate=values.duration(value.get("restate"), place.child("restate"), found),
        money={n: values.text(v, place.child("money", n)) for n, v in value.get("money", {}).items()},
    )
    _check_date(made, value, found)
    _check_changes(made, value, found)
    return made


def _text(value: dict[str, Any], key: str, place: Place) -> Text | None:
    return values.text(value[key], place.child(key)) if key in value else None


def table(written: str, place: Place, sections: Sections, found: Findings) -> TableRef | None:
    """``source.table``."""
    name, dot, rest = written.partition(".")
    if not dot or not name or not rest:
        first = next(iter(sections.names("sources")), "files")
        hint = f"write it as source.table, such as {name if dot and name else first}.{rest or ('orders' if dot else name)}"
        found.error("bad-table", f"'{written}' does not name a source and its table", place, hint)
        return None
    if not sections.exists("sources", name):
        names = sections.names("sources")
        hint = suggest(name, names) or (
            f"there are: {listed(names)}" if names else "declare it under 'sources'"
        )
        found.error("unknown-source", f"unknown source '{name}'", place, hint, (0, len(name)))
        return None
    return TableRef(name, rest, place)


def _tables(value: Any, place: Place, sections: Sections, found: Findings) -> tuple[TableRef, ...]:
    """None at all where one of them is wrong: then the dataset's columns are not known, and are not said to be wrong as well."""
    tables = [table(written, at, sections, found) for written, at in values.each(value, place)]
    known: dict[tuple[str, str], TableRef] = {}
    for ref in filter(None, tables):
        first = known.setdefault((ref.source, ref.table), ref)
        if first is not ref:
            message = f"the table '{ref.source}.{ref.table}' is named twice, so its rows would count twice"
            found.error("repeated-table", message, ref.place, "keep one of them")
    return () if None in tables else tuple(known.values())


def _expect(value: dict[str, Any], place: Place, found: Findings) -> Expect:
    max_age = values.duration(value.get("max_age"), place.child("max_age"), found)
    return Expect(max_age, value.get("min_rows"))


def _valid(value: Any, place: Place) -> Valid | None:
    if value is None:
        return None
    first, last, inclusive = (
        (0, 1, False) if isinstance(value, list) else ("from", "to", value.get("inclusive", False))
    )
    start, end = (values.text(value[k], place.child(k)) for k in (first, last))
    return Valid(start, end, inclusive)


def _check_date(made: Dataset, value: dict[str, Any], found: Findings) -> None:
    """What makes no sense for a dataset without a date."""
    if made.snapshot and made.valid is not None:
        message = "a dataset holds either snapshots or intervals, not both"
        found.error(
            "snapshot-and-valid",
            message,
            made.place.child("snapshot", on_key=True),
            "drop 'snapshot' or 'valid'",
        )
    if made.date is not None:
        return
    needs = {
        "snapshot": "say with 'date' which column holds the snapshot's day",
        "grain": "say with 'date' which column it is about",
        "ahead": "say with 'date' which column it is about",
    }
    for key, hint in needs.items():
        if value.get(key):
            message = f"'{key}' needs a date, and this dataset has none"
            found.error("missing-date", message, made.place.child(key, on_key=True), hint)
    if made.expect.max_age is not None:
        at = made.place.child("expect", "max_age", on_key=True)
        found.error(
            "missing-date", "'max_age' needs a date, and this dataset has none", at, "add 'date' or drop it"
        )


def _check_changes(made: Dataset, value: dict[str, Any], found: Findings) -> None:
    """One way to tell which rows have changed is enough; two would contradict each other."""
    said = [key for key in ("changed", "immutable", "restate") if value.get(key)]
    if len(said) > 1:
        message = f"'{said[0]}' and '{said[1]}' say two things about how rows change"
        hint = "keep one: 'changed' where a column tells of every change, 'immutable' where there are none, else 'restate'"
        found.error("changes-said-twice", message, made.place.child(said[1], on_key=True), hint)
    if made.changed is not None and made.date is not None and made.changed.value == made.date.value:
        message = f"'{made.changed.value}' is also the dataset's date: a row that changes and keeps it is not seen to change"
        hint = (
            "name the column that is written with every change, such as updated_at; or say 'restate: 90 days'"
        )
        found.warn("changed-is-the-date", message, made.changed.place, hint)


# --- links -----------------------------------------------------------------------------------------------------------


def _links(
    own: str, value: dict[str, Any], place: Place, sections: Sections, found: Findings
) -> dict[str, Link]:
    links: dict[str, Link] = {}
    for key, target in value.items():
        at = place.child(key)
        link = _link(key, target, at)
        if not known_dataset(link.to, at if isinstance(target, str) else at.child("to"), sections, found):
            continue
        unnamed = isinstance(target, str)
        if unnamed and link.to == own:
            hint = f"name it: {key}_link: {{column: {key}, to: {own}}}"
            found.error("unnamed-self-link", "a link to the dataset itself needs a name of its own", at, hint)
        elif link.name in links:
            first = line_and_column(links[link.name].place)
            message = f"there are two links named '{link.name}'; the other is at {first}"
            hint = f"give each a name: my_link: {{column: {key}, to: {link.to}}}"
            found.error("same-link", message, at, hint)
        else:
            links[link.name] = link
    return links


def _link(key: str, target: Any, place: Place) -> Link:
    if isinstance(target, str):
        return Link(target, (Text(key, Place(place.document, place.path, on_key=True)),), target, place)
    return Link(key, values.texts(target["column"], place.child("column")), target["to"], place)


def known_dataset(name: str, place: Place, sections: Sections, found: Findings) -> bool:
    if sections.exists("datasets", name):
        return True
    names = sections.names("datasets")
    hint = suggest(name, names) or (f"there are: {listed(names)}" if names else "declare it under 'datasets'")
    found.error("unknown-dataset", f"unknown dataset '{name}'", place, hint)
    return False


def check_link_keys(datasets: dict[str, Dataset], found: Findings) -> None:
    """A link needs the other side's key, column for column."""
    for made in datasets.values():
        for link in made.links.values():
            target = datasets.get(link.to)
            if target is None:
                continue
            if not target.key:
                message = f"'{link.to}' has no key, so nothing can link to it"
                found.error(
                    "link-without-key", message, link.place, f"say which column of '{link.to}' is its key"
                )
            elif len(target.key) != len(link.columns) and not _is_history(target, len(link.columns)):
                keys = listed([part.value for part in target.key])
                message = f"the key of '{link.to}' has {_count(len(target.key))} ({keys}), the link {_count(len(link.columns))}"
                found.error("link-key-mismatch", message, link.place, "name as many columns as the key has")


def _is_history(target: Dataset, columns: int) -> bool:
    """Linked to by all of its key but the start of validity: the row valid at the linking row's date is meant."""
    keys = [part.value for part in target.key]
    return target.valid is not None and target.valid.start.value in keys and columns == len(keys) - 1


def _count(number: int) -> str:
    return "one column" if number == 1 else f"{number} columns"


# --- segments and rates ----------------------------------------------------------------------------------------------


def segment(name: str, entry: Entry, sections: Sections, found: Findings) -> Segment:
    value, place = dict(entry.value), entry.place
    show = value.pop("show", {})
    paths = {}
    for target, path in value.items():
        if known_dataset(target, place.child(target, on_key=True), sections, found):
            paths[target] = values.text(path, place.child(target))
    if show.get("other") and "top" not in show:
        at = place.child("show", "other", on_key=True)
        found.error(
            "other-without-top",
            "'other' needs 'top', which says how many come before the rest",
            at,
            "write {top: 10, other: true}",
        )
    return Segment(name, paths, place, show.get("top"), show.get("other", False))


def rates(entry: Entry, sections: Sections, found: Findings) -> Rates | None:
    value = entry.value
    ref = table(value["from"], entry.place.child("from"), sections, found)
    if ref is None:
        return None
    named = {key: value[key] for key in ("date", "currency", "rate") if key in value}
    return Rates(ref, **named)
